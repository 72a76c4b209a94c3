"""A content filter behind Postfix's queue: takes what Postfix brings and hands it back to another
port of Postfix."""

import socketserver
import sys
import threading

from harness import Client, Refused
import sink


class Session(sink.Session):
    def data(self, envelope):
        self.reply("354 go on")
        content = self.content()
        if content is None:
            return False
        octets = [text.encode("utf-8", "surrogateescape") for text in envelope["recipients"]]
        utf8 = any(not one.isascii() for one in octets) and all(map(is_utf8, octets))
        try:
            with Client(self.server.back) as client:
                client.send(envelope["sender"], envelope["recipients"],
                            self.server.change(content), " SMTPUTF8" if utf8 else "")
            self.reply("250 2.0.0 back in the queue")
        except Refused as refused:
            self.reply(refused.reply.replace("\n", " "))
        return True


def is_utf8(octets):
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


class Filter(socketserver.ThreadingTCPServer):
    """Listens at `port` of the loopback; `back`: Postfix's port; `change`: bytes to bytes."""

    allow_reuse_address = daemon_threads = True
    lmtp = False

    def __init__(self, port, back, change=bytes):
        super().__init__(("127.0.0.1", port), Session)
        self.back, self.change = back, change
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        """Postfix hangs up when it has heard enough."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
