"""The card's file tree: dedicated files (DF) and elementary files (EF), ISO 7816-4 5.3."""
from .apdu import NO_FILE, NO_RECORD, PAST_THE_END, WRONG_FILE_TYPE, Status, tlv

# File descriptor bytes (tag 82 of the FCP).
DF, TRANSPARENT, LINEAR_VARIABLE, LINEAR_VARIABLE_TLV = 0x38, 0x01, 0x04, 0x05


class Elementary:
    """`proprietary`: tag 85 of the FCP, by which TCOS 2 describes keys and PINs; called, since tries
    are in it."""

    def __init__(self, fid, descriptor, size, proprietary=None):
        self.fid = fid
        self.parent = None
        self.descriptor = descriptor
        self.size = size
        self.proprietary = proprietary

    def fcp(self):
        parts = [tlv(0x81, self.size.to_bytes(2, "big")), tlv(0x82, bytes((self.descriptor,))),
                 tlv(0x83, self.fid.to_bytes(2, "big"))]
        if self.proprietary:
            parts.append(tlv(0x85, self.proprietary()))
        return tlv(0x62, *parts)

    def read(self, offset):
        raise Status(WRONG_FILE_TYPE)

    def record(self, number):
        raise Status(WRONG_FILE_TYPE)


class Transparent(Elementary):
    def __init__(self, fid, content):
        super().__init__(fid, TRANSPARENT, len(content))
        self.content = content

    def read(self, offset):
        """Everything from there on."""
        if offset >= len(self.content):
            raise Status(PAST_THE_END)
        return self.content[offset:]


class Records(Elementary):
    """`records()` gives them as they are now."""

    def __init__(self, fid, records):
        super().__init__(fid, LINEAR_VARIABLE, sum(map(len, records())))
        self.records = records

    def record(self, number):
        records = self.records()
        if not 1 <= number <= len(records):
            raise Status(NO_RECORD)
        return records[number - 1]


class Dedicated:
    """A DF; the MF is the one without parent."""

    def __init__(self, fid, aid=b"", children=()):
        self.fid = fid
        self.parent = None
        self.aid = aid
        self.children = []
        for child in children:
            self.add(child)

    def add(self, child):
        child.parent = self
        self.children.append(child)

    def fcp(self):
        parts = [tlv(0x82, bytes((DF,))), tlv(0x83, self.fid.to_bytes(2, "big"))]
        if self.aid:
            parts.append(tlv(0x84, self.aid))
        return tlv(0x62, *parts)

    def child(self, fid):
        for child in self.children:
            if child.fid == fid:
                return child
        raise Status(NO_FILE)

    def walk(self, path):
        """The file at the end of `path`, two bytes a step."""
        if not path or len(path) % 2:
            raise Status(NO_FILE)
        here = self
        for at in range(0, len(path), 2):
            if not isinstance(here, Dedicated):
                raise Status(NO_FILE)
            here = here.child(int.from_bytes(path[at:at + 2], "big"))
        return here

    def by_name(self, name):
        """The DF whose AID begins with `name`: a right-truncated AID selects too (ISO 7816-4
        7.1.1)."""
        for child in self.children:
            if isinstance(child, Dedicated) and child.aid.startswith(name):
                return child
        raise Status(NO_FILE)

    def lies_in(self, other):
        here = self
        while here is not None and here is not other:
            here = here.parent
        return here is other
