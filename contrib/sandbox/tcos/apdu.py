"""A command as ISO 7816-4 5.1 codes it, and the status words that the card answers with."""
from dataclasses import dataclass

OK = 0x9000
END_OF_FILE = 0x6282
WRONG_LENGTH = 0x6700
NO_CHAINING = 0x6884
NO_SECURE_MESSAGING = 0x6882
WRONG_FILE_TYPE = 0x6981
NOT_ALLOWED = 0x6982
BLOCKED = 0x6983
NULL_PIN = 0x6985          # TeleSec: the PIN was never set
NO_CONDITIONS = 0x6985
NO_CURRENT_FILE = 0x6986
WRONG_DATA = 0x6A80
NO_FILE = 0x6A82
NO_RECORD = 0x6A83
WRONG_P1_P2 = 0x6A86
WRONG_LC = 0x6A87          # a 256-byte block for a key of 1024 bits
NO_REFERENCE = 0x6A88
PAST_THE_END = 0x6B00
NO_INSTRUCTION = 0x6D00
NO_CLASS = 0x6E00
INTERNAL = 0x6F00


def tries_left(number):
    return 0x63C0 | min(number, 15)


def exact_length(number):
    """Le was too short: the command may be sent again with this one; 00 stands for 256."""
    return 0x6C00 | (number & 0xFF)


def more(number):
    """So many octets wait for GET RESPONSE; 00 stands for 256 or more."""
    return 0x6100 | (number if number < 256 else 0)


class Status(Exception):
    """The command ends with this status word and no data."""

    def __init__(self, word):
        super().__init__(f"{word:04X}")
        self.word = word


@dataclass(frozen=True)
class Command:
    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int = 0          # 0: no answer is expected; 256 or 65536 for "all there is"
    extended: bool = False

    @property
    def p1p2(self):
        return self.p1 << 8 | self.p2


def parse(octets):
    """The four cases, short and extended (ISO 7816-4 5.1). Raises Status(6700)."""
    if len(octets) < 4:
        raise Status(WRONG_LENGTH)
    header, body = octets[:4], octets[4:]
    if not body:
        return Command(*header)
    if len(body) == 1:
        return Command(*header, le=body[0] or 256)
    if body[0]:
        length, rest = body[0], body[1:]
        if len(rest) == length:
            return Command(*header, data=rest)
        if len(rest) == length + 1:
            return Command(*header, data=rest[:-1], le=rest[-1] or 256)
        raise Status(WRONG_LENGTH)
    if len(body) < 3:
        raise Status(WRONG_LENGTH)
    length, rest = int.from_bytes(body[1:3], "big"), body[3:]
    if not rest:
        return Command(*header, le=length or 65536, extended=True)
    if not length or len(rest) not in (length, length + 2):
        raise Status(WRONG_LENGTH)
    le = int.from_bytes(rest[length:], "big") or 65536 if len(rest) > length else 0
    return Command(*header, data=rest[:length], le=le, extended=True)


def tlv(tag, *parts):
    """BER-TLV with a one-byte tag."""
    value = b"".join(parts)
    if len(value) < 0x80:
        return bytes((tag, len(value))) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + value


def read_tlvs(octets):
    """[(tag, value)] of one-byte tags and lengths; Status(6A80) for what is not well-formed."""
    found = []
    while octets:
        if len(octets) < 2 or len(octets) < 2 + octets[1]:
            raise Status(WRONG_DATA)
        found.append((octets[0], octets[2:2 + octets[1]]))
        octets = octets[2 + octets[1]:]
    return found
