#!/usr/bin/python3
"""The far end of ordinary mail: takes every message over SMTP or LMTP and keeps it exactly.

DIRECTORY/port holds the port. Each message is DIRECTORY/messages/NNNNNN.eml, the bytes as they
came (CRLF line ends, dots unstuffed), with NNNNNN.json beside it: helo, sender, recipients. The
.eml appears last, whole.
"""

import argparse
import json
import os
import re
import socketserver
import threading

EXTENSIONS = ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]


class Store:
    def __init__(self, directory):
        self.directory = os.path.join(directory, "messages")
        os.makedirs(self.directory, exist_ok=True)
        self.lock = threading.Lock()
        self.count = len([name for name in os.listdir(self.directory) if name.endswith(".eml")])

    def keep(self, envelope, content):
        with self.lock:
            self.count += 1
            base = os.path.join(self.directory, f"{self.count:06d}")
            with open(base + ".json", "w", encoding="utf-8") as file:
                json.dump(envelope, file)
            with open(base + ".part", "wb") as file:
                file.write(content)
            os.rename(base + ".part", base + ".eml")


class Session(socketserver.StreamRequestHandler):
    def reply(self, *lines):
        code = lines[0][:3]
        texts = [lines[0][4:], *lines[1:]]
        for number, text in enumerate(texts, 1):
            mark = " " if number == len(texts) else "-"
            self.wfile.write(f"{code}{mark}{text}\r\n".encode())

    def content(self):
        parts = []
        while True:
            line = self.rfile.readline()
            if not line:
                return None
            # A line ends at CRLF alone; a lone LF is part of the content.
            while not line.endswith(b"\r\n"):
                more = self.rfile.readline()
                if not more:
                    return None
                line += more
            if line == b".\r\n":
                return b"".join(parts)
            parts.append(line[1:] if line.startswith(b".") else line)

    def data(self, envelope):
        self.reply("354 go on")
        content = self.content()
        if content is None:
            return False
        self.server.store.keep(envelope, content)
        answers = len(envelope["recipients"]) if self.server.lmtp else 1
        for _ in range(answers):
            self.reply("250 2.0.0 kept")
        return True

    def handle(self):
        self.reply("220 sink")
        helo, envelope = "", None
        while True:
            line = self.rfile.readline()
            if not line:
                return
            text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            verb = text[:4].upper()
            path = re.match(r"(?:MAIL FROM|RCPT TO):\s*<(.*?)>(?:\s|$)", text, re.I)
            if verb in ("EHLO", "LHLO", "HELO"):
                helo, envelope = text[5:], None
                self.reply("250 sink", *([] if verb == "HELO" else EXTENSIONS))
            elif verb == "MAIL" and path:
                envelope = {"helo": helo, "sender": path.group(1), "recipients": []}
                self.reply("250 2.1.0 ok")
            elif verb == "RCPT" and path and envelope:
                envelope["recipients"].append(path.group(1))
                self.reply("250 2.1.5 ok")
            elif verb == "DATA" and envelope and envelope["recipients"]:
                if not self.data(envelope):
                    return
                envelope = None
            elif verb == "RSET":
                envelope = None
                self.reply("250 2.0.0 ok")
            elif verb == "NOOP":
                self.reply("250 2.0.0 ok")
            elif verb == "QUIT":
                self.reply("221 2.0.0 bye")
                return
            else:
                self.reply("500 5.5.1 not understood")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--directory", required=True)
    options.add_argument("--lmtp", action="store_true", help="answer once for each recipient")
    options = options.parse_args()
    port_file = os.path.join(options.directory, "port")
    # The port stays the same over a restart, since Postfix's main.cf names it.
    port = 0
    if os.path.exists(port_file):
        with open(port_file, encoding="ascii") as file:
            port = int(file.read())
    with Server(("127.0.0.1", port), Session) as server:
        server.store = Store(options.directory)
        server.lmtp = options.lmtp
        with open(port_file + ".part", "w", encoding="ascii") as file:
            file.write(f"{server.server_address[1]}\n")
        os.rename(port_file + ".part", port_file)
        server.serve_forever()


if __name__ == "__main__":
    main()
