"""An MTA's end of the milter protocol, packet by packet, so that a peer can be as odd as it likes."""

import socket
import struct

# libmilter/mfdef.h
ALL_ACTIONS = 0x1ff
CHANGE_SENDER = 0x40
ALL_STEPS = 0x1fffff


class Gone(Exception):
    """The milter has closed the connection."""


def strings(*values):
    return b"".join(value.encode() + b"\0" for value in values)


class Peer:
    def __init__(self, path, actions=ALL_ACTIONS, steps=ALL_STEPS):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        try:
            self.socket.connect(path)
            self.packet("O", struct.pack("!III", 6, actions, steps))
            command, _ = self.reply()
            if command != "O":
                raise ValueError(f"the milter negotiates by {command}")
        except BaseException:
            self.socket.close()
            raise

    def close(self):
        self.socket.close()

    def packet(self, command, data=b""):
        self.socket.sendall(struct.pack("!I", len(data) + 1) + command.encode() + data)

    def octets(self, size):
        found = b""
        while len(found) < size:
            piece = self.socket.recv(size - len(found))
            if not piece:
                raise Gone
            found += piece
        return found

    def reply(self):
        """(command, data) of the next packet."""
        try:
            size = struct.unpack("!I", self.octets(4))[0]
            found = self.octets(size)
        except ConnectionError as error:
            raise Gone from error
        return found[:1].decode(), found[1:]

    def verdict(self):
        """The next reply as text: "continue", "accept", "skip", "tempfail", "550 5.7.1 …"."""
        command, data = self.reply()
        names = {"c": "continue", "a": "accept", "s": "skip", "t": "tempfail", "r": "reject"}
        return data.rstrip(b"\0").decode() if command == "y" else names.get(command, command)

    # The steps. MAIL and header have no reply (negotiated).

    def macros(self, command, **values):
        pairs = [item for name, value in values.items()
                 for item in (name if len(name) == 1 else "{" + name + "}", value)]
        self.packet("D", command.encode() + strings(*pairs))

    def mail(self, sender, client="192.0.2.7", port="587", login=None, queue_id=None):
        values = {"client_addr": client, "daemon_port": port}
        if login is not None:
            values["auth_authen"] = login
        if queue_id is not None:
            values["i"] = queue_id
        self.macros("M", **values)
        self.packet("M", strings(sender))

    def recipient(self, text):
        self.packet("R", strings(text))
        return self.verdict()

    def header(self, *fields):
        for name, value in fields:
            self.packet("L", strings(name, value))

    def end_of_header(self):
        self.packet("N")
        return self.verdict()

    def body(self, piece):
        self.packet("B", piece)
        return self.verdict()

    def end_of_message(self, last=b""):
        """(changes, verdict): each change (index, name, value), "" for a deletion. What becomes of
        MAIL is in `sender`: (address, parameters)."""
        self.packet("E", last)
        changes = []
        self.sender = None
        while True:
            command, data = self.reply()
            if command in "mi":
                index = struct.unpack("!I", data[:4])[0]
                name, value = data[4:].split(b"\0")[:2]
                changes.append((index, name.decode(), value.decode()))
            elif command == "e":
                self.sender = tuple(part.decode() for part in data.split(b"\0")[:2])
            else:
                names = {"c": "continue", "a": "accept", "t": "tempfail"}
                return changes, names.get(command, command)

    def abort(self):
        self.packet("A")
