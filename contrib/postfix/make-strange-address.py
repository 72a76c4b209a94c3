#!/usr/bin/python3
"""Prints strange-address, the first of De-Mail's transport maps.

    contrib/postfix/make-strange-address.py >contrib/postfix/strange-address

What a domain's characters become is asked of ICU, the library that Postfix asks (UTS 46,
non-transitional), and of IDNA 2003 as Python has it, for those that stand behind a relayhost.
"""

import ctypes
import ctypes.util
import encodings.idna
import unicodedata

LINE = 64  # characters; longer alternations cost memory, shorter ones time
NONTRANSITIONAL_TO_ASCII = 0x10
# Outlined letters and digits: mapped since Unicode 16, which Debian 12's ICU does not know.
LATER = [chr(code) for code in range(0x1CCD6, 0x1CCFA)]
# Persian and Indic labels hold them; beside a letter of ASCII they vanish for some readers.
JOINERS = "\u200c\u200d"
# The marks that letters of Latin, Greek and Cyrillic are composed with.
MARKS = [chr(code) for code in range(0x300, 0x370)]

HEAD = """\
# Transport map for all mail, regexp_table(5), before the others in main.cf's transport_maps. It
# refuses an address whose domain is not spelt as a table finds it, but would be read as another
# domain by smtp(8) or by whoever gets the mail next: such a domain may be De-Mail's. Written by
# contrib/postfix/make-strange-address.py of the source; Unicode {version}.
"""
PLAIN = "The domain of this address is not spelt plainly, type the address again by hand"
ROUTE = "This address holds a way to a De-Mail domain, write to the De-Mail address itself"
HOPS = "This address holds a way over several hosts, write to the last one itself"

# What the local part has of "%", "!" or a quoted "@" may be taken for a way to another domain.
RULES = """\
if /[%@!].*@/
/(^|[^a-z0-9_-])de-mail\\.de\\.*([^a-z0-9_.-].*)?@[^@]*$/	error:5.1.3 {route}
if /[%@!].*[%@!].*@/
/\\..*@/	error:5.1.3 {hops}
endif
endif
/[.:,;<>"\\\\ ]$/	error:5.1.3 {plain}
/@\\[.*de-mail\\.de/	error:5.1.3 {plain}
"""


class Info(ctypes.Structure):
    """UIDNAInfo of unicode/uidna.h."""

    _fields_ = [("size", ctypes.c_int16), ("transitional", ctypes.c_int8),
                ("reserved", ctypes.c_int8), ("errors", ctypes.c_uint32),
                ("reserved2", ctypes.c_int32), ("reserved3", ctypes.c_int32)]


class Icu:
    def __init__(self):
        name = ctypes.util.find_library("icuuc")
        library = ctypes.CDLL(name)
        number = name.rpartition(".")[2]
        function = lambda plain: getattr(library, f"{plain}_{number}")  # noqa: E731
        version = (ctypes.c_uint8 * 4)()
        function("u_getUnicodeVersion")(version)
        self.unicode_version = f"{version[0]}.{version[1]}"
        self.to_ascii = function("uidna_nameToASCII_UTF8")
        opened = function("uidna_openUTS46")
        opened.restype = ctypes.c_void_p
        self.uts46 = ctypes.c_void_p(
            opened(NONTRANSITIONAL_TO_ASCII, ctypes.byref(ctypes.c_int(0))))

    def a_labels(self, domain):
        """The domain as DNS is asked for it; None where there is no such."""
        octets = domain.encode("utf-8", "surrogatepass")
        room = ctypes.create_string_buffer(4 * len(octets) + 1000)
        info, status = Info(size=ctypes.sizeof(Info)), ctypes.c_int(0)
        length = self.to_ascii(self.uts46, octets, len(octets), room, len(room),
                               ctypes.byref(info), ctypes.byref(status))
        if status.value > 0 or info.errors:
            return None
        return room.raw[:length].decode()


def u_label(name):
    return name[4:].encode().decode("punycode") if name.startswith("xn--") else name


def becomes(icu, character):
    """What the character becomes within a label."""
    text = f"a{character}b"
    name = icu.a_labels(text)
    if name is not None:
        return u_label(name)[1:-1]
    try:
        return encodings.idna.nameprep(text)[1:-1]
    except UnicodeError:
        return character


def is_latin(text):
    return all(one.isascii() or one in MARKS or unicodedata.name(one, "").startswith("LATIN")
               for one in text)


def strange_characters(icu):
    """All that become other ones, where those are Latin, or none. Capitals are not among them:
    Postfix folds their case before it looks into a table."""
    found = {*LATER, *MARKS}
    for code in (*range(0x80, 0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE1000)):
        character = chr(code)
        read = becomes(icu, character)
        folded = read == character.casefold() and not read.isascii()
        if read != character and not folded and is_latin(read):
            found.add(character)
    return sorted(found)


def capitals():
    """Latin ones beyond ASCII: a regexp table does not fold them."""
    return [chr(code) for code in range(0x80, 0x2000)
            if unicodedata.category(chr(code)) == "Lu" and is_latin(chr(code))]


def alternations(characters):
    for start in range(0, len(characters), LINE):
        yield f"/{'|'.join(characters[start:start + LINE])}/\terror:5.1.3 {PLAIN}\n"


def table(icu):
    ascii_part = "[a-z0-9.-]"
    joiners = "|".join(JOINERS)
    return "".join((
        HEAD.format(version=icu.unicode_version),
        RULES.format(plain=PLAIN, route=ROUTE, hops=HOPS),
        "# Most mail goes no further than this line.\nif /[^ -~]/\n",
        "if /[%@].*[^ -~]|[^ -~].*!/\n",
        f"/{ascii_part}({joiners})|({joiners}){ascii_part}/\terror:5.1.3 {PLAIN}\n",
        *alternations(strange_characters(icu)),
        "if /[%@].*[^ -~].*@|[^ -~].*!.*@/\n", *alternations(capitals()),
        "endif\nendif\nendif\n"))


if __name__ == "__main__":
    print(table(Icu()), end="")
