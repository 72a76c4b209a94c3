"""What the tests of the PKCS#11 module share: a TLS server that asks for a client certificate, the
programs' command lines, and the module called by ctypes."""
import ctypes
import http.server
import os
import ssl
import subprocess
import threading

from cardd_fixture import BUILD

MODULE = os.path.join(os.path.realpath(BUILD), ".libs", "demail-tcos-pkcs11.so")
KEY = "pkcs11:object=demail-auth;type=private"

ENGINE = f"""openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
pkcs11 = pkcs11_engine
[pkcs11_engine]
engine_id = pkcs11
MODULE_PATH = {MODULE}
init = 0
"""


class TlsServer:
    """Answers each request by the TLS version and the common name of who asked."""

    def __init__(self, directory, client_ca, version):
        self.certificate = os.path.join(directory, "server.pem")
        key = os.path.join(directory, "server.key")
        if not os.path.exists(self.certificate):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                            "-keyout", key, "-out", self.certificate],
                           check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
        context.minimum_version = context.maximum_version = version

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])
                body = f"{self.connection.version()} {subject['commonName']}\n".encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Attribute(ctypes.Structure):
    _fields_ = [("type", ctypes.c_ulong), ("value", ctypes.c_void_p), ("length", ctypes.c_ulong)]


class Mechanism(ctypes.Structure):
    _fields_ = [("type", ctypes.c_ulong), ("parameter", ctypes.c_void_p),
                ("length", ctypes.c_ulong)]


# Places in CK_FUNCTION_LIST, after the version.
PLACES = {"C_Initialize": 0, "C_GetSlotList": 4, "C_OpenSession": 12, "C_Login": 18,
          "C_FindObjectsInit": 26, "C_FindObjects": 27, "C_FindObjectsFinal": 28,
          "C_SignInit": 42, "C_Sign": 43}
CKM_SHA256_RSA_PKCS = 0x40
CKF_SERIAL_SESSION = 4


class CkError(Exception):
    def __init__(self, function, rv):
        super().__init__(f"{function} gave {rv:#x}")
        self.rv = rv


class Module:
    """A program that has the module in its process: logs in once and signs."""

    def __init__(self):
        library = ctypes.CDLL(MODULE)
        pointer = ctypes.c_void_p()
        library.C_GetFunctionList(ctypes.byref(pointer))
        self.functions = ctypes.cast(pointer.value + 8, ctypes.POINTER(ctypes.c_void_p))
        self.call("C_Initialize", None)
        count = ctypes.c_ulong(8)
        slots = (ctypes.c_ulong * 8)()
        self.call("C_GetSlotList", ctypes.c_ubyte(1), slots, ctypes.byref(count))
        self.session = ctypes.c_ulong()
        self.call("C_OpenSession", slots[0], ctypes.c_ulong(CKF_SERIAL_SESSION), None, None,
                  ctypes.byref(self.session))
        self.call("C_Login", self.session, ctypes.c_ulong(1), None, ctypes.c_ulong(0))
        self.key = self.find(3, b"demail-auth")

    def call(self, name, *arguments):
        function = ctypes.CFUNCTYPE(ctypes.c_ulong)(self.functions[PLACES[name]])
        function.argtypes = None
        rv = function(*[ctypes.c_ulong(one) if isinstance(one, int) else one
                        for one in arguments])
        if rv:
            raise CkError(name, rv)

    def find(self, kind, label):
        kind = ctypes.c_ulong(kind)
        name = ctypes.create_string_buffer(label)
        pattern = (Attribute * 2)(
            Attribute(0, ctypes.cast(ctypes.byref(kind), ctypes.c_void_p), ctypes.sizeof(kind)),
            Attribute(3, ctypes.cast(name, ctypes.c_void_p), len(label)))
        self.call("C_FindObjectsInit", self.session, pattern, ctypes.c_ulong(2))
        found, count = ctypes.c_ulong(), ctypes.c_ulong()
        self.call("C_FindObjects", self.session, ctypes.byref(found), ctypes.c_ulong(1),
                  ctypes.byref(count))
        self.call("C_FindObjectsFinal", self.session)
        assert count.value == 1
        return found

    def sign(self, data):
        mechanism = Mechanism(CKM_SHA256_RSA_PKCS, None, 0)
        self.call("C_SignInit", self.session, ctypes.byref(mechanism), self.key)
        signature = ctypes.create_string_buffer(512)
        length = ctypes.c_ulong(512)
        self.call("C_Sign", self.session, data, ctypes.c_ulong(len(data)), signature,
                  ctypes.byref(length))
        return signature.raw[:length.value]
