"""What pkcs11/wire says, in Python: an implementation of its own, so that one that is wrong on both
sides of the C++ is seen. One Connection is one client; not thread-safe."""
import socket
import struct

(HELLO, LIST_TOKENS, LIST_OBJECTS, SIGN, DECRYPT, LOGIN, LOGOUT, WAIT, UNLOCK, LOCK, PIN_STATUS,
 SET_PIN, CHANGE_PIN, UNBLOCK_PIN, PROBE, STATUS) = range(16)
(DONE, WELCOME, TOKEN_LIST, OBJECT_LIST, GENERATION, SIGNATURE, PLAINTEXT, PIN_STATES,
 PROBE_REPORT, STATUS_REPORT) = range(10)
SHA256 = 2
OK, DEVICE_ERROR, DATA_LEN_RANGE = 0, 0x30, 0x21
KEY_HANDLE_INVALID, KEY_FUNCTION_NOT_PERMITTED = 0x60, 0x68
PIN_INCORRECT, PIN_LEN_RANGE, PIN_LOCKED = 0xA0, 0xA2, 0xA4
USER_NOT_LOGGED_IN, USER_PIN_NOT_INITIALIZED, FUNCTION_REJECTED = 0x101, 0x102, 0x200
TOKEN_NOT_PRESENT, FUNCTION_CANCELED = 0xE0, 0x50


def text(value):
    octets = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(octets)) + octets


def optional(value, write=text):
    return b"\0" if value is None else b"\1" + write(value)


class Words:
    """What comes back, field by field."""

    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def number(self, size):
        value = int.from_bytes(self.octets[self.at:self.at + size], "big")
        self.at += size
        return value

    def flag(self):
        return bool(self.number(1))

    def bytes(self):
        size = self.number(4)
        value = self.octets[self.at:self.at + size]
        assert len(value) == size, "cut off"
        self.at += size
        return value

    def text(self):
        return self.bytes().decode()

    def list(self, read):
        return [read() for _ in range(self.number(2))]

    def token(self):
        token = {"slot": self.number(4), "present": self.flag()}
        for name in ("serial", "label", "manufacturer", "model", "reader"):
            token[name] = self.text()
        for name in ("held", "tries_low", "final_try", "locked", "null_pin"):
            token[name] = self.flag()
        token["pin_min"], token["pin_max"] = self.number(1), self.number(1)
        return token

    def key(self):
        return {"label": self.text(), "id": self.bytes(), "n": int.from_bytes(self.bytes(), "big"),
                "e": int.from_bytes(self.bytes(), "big"), "sign": self.flag(),
                "decrypt": self.flag(), "usable": self.flag()}

    def certificate(self):
        return {"label": self.text(), "id": self.bytes(), "der": self.bytes()}

    def pin(self):
        pin = {"name": self.text(), "label": self.text(), "condition": self.number(1)}
        pin["tries"] = self.number(1) if self.flag() else None
        pin["min"], pin["max"] = self.number(1), self.number(1)
        pin["guards_keys"], pin["unblocked_by"] = self.flag(), self.text()
        for name in ("takes_new_pin", "held", "latched"):
            pin[name] = self.flag()
        pin["latched_by"] = self.text()
        return pin

    def status(self):
        one = self.token()
        one.update(sentence=self.text(), signatures=self.number(8), failures=self.number(8),
                   heals=self.number(8), waiting=self.number(4))
        return one

    def body(self):
        kind = self.number(2)
        if kind == TOKEN_LIST:
            return {"generation": self.number(8), "tokens": self.list(self.token)}
        if kind == OBJECT_LIST:
            return {"generation": self.number(8), "keys": self.list(self.key),
                    "certificates": self.list(self.certificate)}
        if kind == GENERATION:
            return self.number(8)
        if kind in (SIGNATURE, PLAINTEXT):
            return self.bytes()
        if kind == PIN_STATES:
            return {"serial": self.text(), "label": self.text(), "pins": self.list(self.pin)}
        if kind == PROBE_REPORT:
            return self.text()
        if kind == STATUS_REPORT:
            return {"version": self.text(), "started": self.number(8),
                    "generation": self.number(8), "audit_lines": self.number(8),
                    "audit_head": self.bytes(), "tokens": self.list(self.status)}
        return self.number(2) if kind == WELCOME else None


class Refused(Exception):
    def __init__(self, rv, sentence, body):
        super().__init__(rv, sentence, body)
        self.rv, self.sentence, self.body = rv, sentence, body

    def __str__(self):
        return f"{self.rv:#x}: {self.sentence}"


class Connection:
    def __init__(self, path, timeout=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.id = 0
        try:
            self.socket.connect(path)
            assert self.ask(HELLO, struct.pack(">HH", 1, 1)) == 1
        except BaseException:
            self.socket.close()
            raise

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _receive(self, size):
        octets = b""
        while len(octets) < size:
            part = self.socket.recv(size - len(octets))
            if not part:
                raise ConnectionError("demail-cardd hung up")
            octets += part
        return octets

    def send(self, kind, fields=b""):
        self.id += 1
        payload = struct.pack(">IH", self.id, kind) + fields
        self.socket.sendall(struct.pack(">I", len(payload)) + payload)

    def receive(self):
        """The body; raises Refused where the daemon says no. self.sentence: what it said."""
        words = Words(self._receive(int.from_bytes(self._receive(4), "big")))
        assert words.number(4) == self.id
        rv = words.number(8)
        self.sentence = words.text()
        body = words.body()
        assert words.at == len(words.octets), "more than a message"
        if rv != OK:
            raise Refused(rv, self.sentence, body)
        return body

    def ask(self, kind, fields=b""):
        self.send(kind, fields)
        return self.receive()

    # ---- by name

    def tokens(self):
        return self.ask(LIST_TOKENS)["tokens"]

    def objects(self, serial):
        return self.ask(LIST_OBJECTS, text(serial))

    def status(self):
        return self.ask(STATUS)

    def send_sign(self, serial, key, digest, deadline=30, pss=False):
        scheme = (struct.pack(">HBBH", 1, SHA256, SHA256, len(digest)) if pss
                  else struct.pack(">HBB", 0, 1, SHA256))
        self.send(SIGN, text(serial) + text(key) + scheme + text(digest)
                  + struct.pack(">I", int(deadline * 1000)))

    def sign(self, serial, key, digest, deadline=30, pss=False):
        self.send_sign(serial, key, digest, deadline, pss)
        return self.receive()

    def decrypt(self, serial, key, cryptogram, deadline=30):
        return self.ask(DECRYPT, text(serial) + text(key) + struct.pack(">H", 0)
                        + text(cryptogram) + struct.pack(">I", int(deadline * 1000)))

    def login(self, serial, pin=None):
        return self.ask(LOGIN, text(serial) + optional(pin))

    def unlock(self, pin, serial="", name="", last_try=False):
        return self.ask(UNLOCK, text(serial) + text(name) + text(pin) + bytes([last_try]))

    def lock(self, serial=""):
        return self.ask(LOCK, text(serial))

    def pin_status(self, serial=""):
        return self.ask(PIN_STATUS, text(serial))

    def set_pin(self, pin, serial="", name=""):
        return self.ask(SET_PIN, text(serial) + text(name) + text(pin))

    def change_pin(self, old, new, serial="", name="", last_try=False):
        return self.ask(CHANGE_PIN, text(serial) + text(name) + text(old) + text(new)
                        + bytes([last_try]))

    def unblock_pin(self, puk, serial="", name="", new=None, last_try=False):
        return self.ask(UNBLOCK_PIN, text(serial) + text(name) + text(puk) + optional(new)
                        + bytes([last_try]))

    def probe(self, reader=""):
        return self.ask(PROBE, text(reader))

    def wait(self, generation, timeout=5):
        return self.ask(WAIT, struct.pack(">QI", generation, int(timeout * 1000)))
