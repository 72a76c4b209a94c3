"""An SMTP and LMTP client that sends exactly what it is given, wrong things too."""

import email.utils
import re
import socket


class Refused(Exception):
    """A reply that was not 2xx or 3xx; `reply` is its text, `code` the number."""

    def __init__(self, command, reply):
        super().__init__(f"{command.strip()}: {reply}")
        self.reply, self.code = reply, int(reply[:3])


def dot_stuffed(content):
    return re.sub(rb"(^|\r\n)\.", rb"\1..", content)


class Client:
    """A dialogue with a server on a port, or on a Unix socket with lmtp=True.

    login, address: told to Postfix by XCLIENT, as a SASL login and client address would be.
    """

    def __init__(self, where, lmtp=False, login=None, address=None, timeout=60):
        if isinstance(where, int):
            self.socket = socket.create_connection(("127.0.0.1", where), timeout)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(where)
        self.file = self.socket.makefile("rb")
        self.lmtp = lmtp
        self.expect("connect")
        self.hello()
        attributes = [f"{name}={value}" for name, value in
                      (("LOGIN", login), ("ADDR", address)) if value]
        if attributes:
            self.command("XCLIENT " + " ".join(attributes))
            self.hello()

    def hello(self):
        self.extensions = self.command(("LHLO" if self.lmtp else "EHLO") + " client.example")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def read_reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("the server hung up")
            lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
            if lines[-1][3:4] != "-":
                return "\n".join(lines)

    def expect(self, command):
        reply = self.read_reply()
        if reply[0] not in "23":
            raise Refused(command, reply)
        return reply

    def write(self, octets):
        self.socket.sendall(octets)

    def command(self, text):
        self.write(text.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.expect(text)

    def envelope(self, sender, recipients, parameters=""):
        self.command(f"MAIL FROM:<{sender}>{parameters}")
        for recipient in recipients:
            self.command(f"RCPT TO:<{recipient}>")

    def data(self, content):
        """DATA and the content, CRLF line ends; one reply, or a list of them by LMTP's rule."""
        self.command("DATA")
        self.write(dot_stuffed(content))
        self.write(b".\r\n" if content.endswith(b"\r\n") or not content else b"\r\n.\r\n")

    def send(self, sender, recipients, content, parameters=""):
        """One message; the reply to its end, or Refused. By LMTP: one reply per recipient."""
        self.envelope(sender, recipients, parameters)
        self.data(content)
        if self.lmtp:
            return [self.read_reply() for _ in recipients]
        return self.expect("end of data")


def message(sender, to, subject="Hello", text="A letter.\n", cc=()):
    """A plain message, CRLF line ends."""
    lines = [f"From: {sender}", f"To: {', '.join(to)}"]
    if cc:
        lines.append(f"Cc: {', '.join(cc)}")
    lines += [f"Subject: {subject}", f"Date: {email.utils.formatdate()}",
              f"Message-ID: {email.utils.make_msgid(domain='client.example')}", "", text]
    return "\r\n".join(lines).replace("\r\n", "\n").replace("\n", "\r\n").encode()
