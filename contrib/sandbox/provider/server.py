"""HTTPS with a required client certificate: HTTP/1.1, keep-alive, one thread a connection."""
import hashlib
import http.server
import os
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.parse

from .config import Config
from .faults import Drop
from .service import Call, Service

MAX_BODY = 160 << 20
IDLE_SECONDS = 60


def _limit(context, limits):
    """What `tls` of provider.json says beside the files."""
    versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    if "minimum" in limits:
        context.minimum_version = versions[limits["minimum"]]
    if "maximum" in limits:
        context.maximum_version = versions[limits["maximum"]]
    if "ciphers" in limits:
        context.set_ciphers(limits["ciphers"])
    if "group" in limits:
        context.set_ecdh_curve(limits["group"])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demail-provider"
    sys_version = ""
    timeout = IDLE_SECONDS

    def setup(self):
        # Here and not where connections are accepted: a slow handshake must not keep others waiting.
        self.request.settimeout(IDLE_SECONDS)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        certificate = self.request.getpeercert(binary_form=True)
        self.peer = hashlib.sha256(certificate).hexdigest()
        self.tls = {"version": self.request.version(), "cipher": self.request.cipher()[0],
                    "resumed": self.request.session_reused}
        self.server.service.store.log_connection({"tls": self.tls, "certificate": self.peer})
        super().setup()

    def do_POST(self):
        started = time.monotonic()
        record = {"tls": self.tls}
        try:
            body = self._body()
            if body is None:
                return
            record["bytes"] = len(body)
            call = Call(self.peer, self.headers.get("Content-Type", ""), body)
            try:
                answer = self.server.service.answer(call, record)
                record["status"] = answer.status
            except Drop:
                answer = None
            finally:
                # Before the answer: who has it may read the log.
                record["seconds"] = round(time.monotonic() - started, 3)
                self.server.service.store.log_request(record)
            self._send(answer)
        except (ConnectionError, TimeoutError, ssl.SSLError):
            self.close_connection = True  # the peer has gone

    def _body(self):
        """The request's body, or None after an error was sent."""
        if self.path != self.server.path:
            return self._refuse(404, "no such resource")
        if "Transfer-Encoding" in self.headers:
            return self._refuse(411, "Content-Length is needed")
        lengths = self.headers.get_all("Content-Length") or []
        if len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            return self._refuse(411, "exactly one Content-Length is needed")
        if int(lengths[0]) > MAX_BODY:
            return self._refuse(413, "too long")
        body = self.rfile.read(int(lengths[0]))
        if len(body) != int(lengths[0]):
            raise ConnectionError("the body was cut")
        return body

    def _refuse(self, status, text):
        self.close_connection = True
        self.send_error(status, text)

    def _send(self, answer):
        if answer is None:
            self._hang_up()
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        body = answer.body if answer.cut_at is None else answer.body[:answer.cut_at]
        if answer.bytes_per_second:
            for offset in range(0, len(body), answer.bytes_per_second):
                self.wfile.write(body[offset:offset + answer.bytes_per_second])
                time.sleep(1)
        else:
            self.wfile.write(body)
        if answer.cut_at is not None:
            self._hang_up()

    def _hang_up(self):
        """Without TLS's farewell, as a crash would."""
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        """requests.jsonl says it all."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, config):
        super().__init__((config.address, config.port), Handler)
        config.endpoint = config.endpoint.replace("{port}", str(self.server_port))
        self.path = urllib.parse.urlsplit(config.endpoint).path or "/"
        self.service = Service(config)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        _limit(self.tls, config.tls_limits)
        self.tls.load_cert_chain(config.tls_certificate, config.tls_key)
        self.tls.load_verify_locations(config.ca)
        self.tls.verify_mode = ssl.CERT_REQUIRED

    def server_bind(self):
        # HTTPServer's own looks the host name up, which may take a resolver's time.
        self.allow_reuse_address = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if isinstance(error, OSError):  # ssl.SSLError too
            self.service.store.log_connection({"error": str(error)})
        else:
            super().handle_error(request, client_address)


def run(directory):
    """Until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    config = Config(directory)
    server = Server(config)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    port_file = config.directory / "port"
    temporary = config.directory / ".port"
    temporary.write_text(f"{server.server_port}\n", "ascii")
    os.replace(temporary, port_file)
    stop.wait()
    server.shutdown()
    server.server_close()
    port_file.unlink(missing_ok=True)
