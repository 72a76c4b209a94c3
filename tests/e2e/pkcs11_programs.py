"""What the tests of the PKCS#11 module share: a TLS server that asks for a client certificate, the
engine's configuration, and a program that signs."""
import http.server
import os
import ssl
import subprocess
import threading

import PyKCS11

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


class Signer:
    """A program that has the module in its process: logs in once, finds its key once, and signs."""

    def __init__(self):
        library = PyKCS11.PyKCS11Lib()
        library.load(MODULE)
        self.session = library.openSession(library.getSlotList(tokenPresent=True)[0])
        self.session.login("")  # the daemon holds the PIN
        self.key, = self.session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY),
                                              (PyKCS11.CKA_LABEL, "demail-auth")])

    def sign(self, data):
        return bytes(self.session.sign(self.key, data,
                                       PyKCS11.Mechanism(PyKCS11.CKM_SHA256_RSA_PKCS)))
