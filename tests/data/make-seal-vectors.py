#!/usr/bin/python3
"""A second implementation of the seal, in nothing but hmac and hashlib.

Writes seal-vectors.txt beside itself; `--check` only compares. The file's lines are separated by
tabs and read by tests/unit/seal_vectors_test.cpp:

    key         ID   64-HEX-DIGITS
    seal        CASE OUTCOME VALUE         outcome: ok, malformed, unknown-key, forged
    covered     CASE ADDRESS               the seal of that case covers it
    stranger    CASE ADDRESS               and does not cover this one
    private-id  N    CLASS   40-HEX-DIGITS
    fields      HEADER-IN-BASE64  D
"""

import base64
import hashlib
import hmac
import pathlib
import re
import struct
import sys

KEYS = {"2024-a": "00112233445566778899aabbccddeeff" * 2, "old.1_x": "f0" * 32}
OTHER_SECRET = "0f" * 32
N = bytes(range(16))
ORDER = "vktnaseordb"


def hkdf(secret, label):
    """RFC 5869 with no salt (a block of zeros) and one block of output."""
    prk = hmac.new(b"\0" * 32, bytes.fromhex(secret), hashlib.sha256).digest()
    info = b"demail-gateway " + label.encode()
    return hmac.new(prk, info + b"\x01", hashlib.sha256).digest()


def b64url(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def percent(text):
    keep = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~@+-"
    return "".join(chr(o) if o in keep else "%%%02X" % o for o in text.encode("utf-8"))


def tag(secret, n, address):
    return b64url(hmac.new(hkdf(secret, "tag"), n + address.encode(), hashlib.sha256).digest()[:8])


def tags(secret, n, addresses):
    found = [tag(secret, n, a) for a in addresses]
    size = 4
    while size < len(found):
        size *= 4
    padding = 0
    while len(found) < size:
        found.append(b64url(hashlib.sha256(b"padding %d" % padding).digest()[:8]))
        padding += 1
    return ",".join(sorted(found))


def mac(secret, values):
    covered = b"".join(
        letter.encode() + struct.pack(">I", len(values[letter])) + values[letter].encode()
        for letter in ORDER)
    return b64url(hmac.new(hkdf(secret, "seal"), covered, hashlib.sha256).digest())


RECIPIENTS = ["bea@stadt.de-mail.de", "carl.o'neil@amt.example", "dora@stadt.de-mail.de"]
PLAIN = {
    "v": "1", "k": "2024-a", "t": "1767225600", "n": b64url(N), "a": "firm",
    "s": "anna@firm.de-mail.de", "e": "anna@firm.example",
    "o": "confirmation-of-dispatch,private", "r": tags(KEYS["2024-a"], N, RECIPIENTS),
    "d": b64url(hashlib.sha256(b"fields").digest()), "b": b64url(hashlib.sha256(b"").digest()),
}


def written(values, secret=None, order=ORDER + "h"):
    values = dict(values)
    values.setdefault("h", mac(secret or KEYS[values["k"]], values))
    return " " + "; ".join("%s=%s" % (letter, values[letter]) for letter in order)


def seals():
    """Yields case, outcome, value. All but the structural ones carry the right h for what they say."""
    plain = written(PLAIN)
    yield "plain", "ok", plain
    yield "other accepted key", "ok", written(dict(
        PLAIN, k="old.1_x", r=tags(KEYS["old.1_x"], N, RECIPIENTS)))
    yield "nothing optional", "ok", written(dict(PLAIN, o="", e="", a=""))
    yield "odd characters", "ok", written(dict(
        PLAIN, a=percent("Firm; k=x,\t100%"), e=percent('"a;b=c, d"@müller.example')))
    yield "120 recipients", "ok", written(dict(
        PLAIN, r=tags(KEYS["2024-a"], N, ["r%d@stadt.de-mail.de" % i for i in range(120)])))
    yield "folded anywhere", "ok", "\r\n " + plain.replace(",", ",\r\n\t").replace("=", " =\n ")

    yield "unknown key", "unknown-key", written(dict(PLAIN, k="2099-z"), OTHER_SECRET)
    yield "known id, other key", "forged", written(PLAIN, OTHER_SECRET)
    yield "h of another seal", "forged", written(
        dict(PLAIN, t="1767225601", h=mac(KEYS["2024-a"], PLAIN)))
    # The same letters in the same order, cut at another place: the lengths are in the MAC.
    shifted = dict(PLAIN, a="firmx", s="anna@firm.de-mail.de")
    yield "value moved to its neighbour", "forged", written(
        dict(shifted, a="firm", s="xanna@firm.de-mail.de", h=mac(KEYS["2024-a"], shifted)))

    for letter in ORDER + "h":
        yield "no " + letter, "malformed", written(PLAIN, order=(ORDER + "h").replace(letter, ""))
        yield "twice " + letter, "malformed", written(
            PLAIN, order=(ORDER + "h").replace(letter, letter * 2))
    for i in range(len(ORDER)):
        swapped = list(ORDER + "h")
        swapped[i], swapped[i + 1] = swapped[i + 1], swapped[i]
        yield "swapped " + "".join(swapped), "malformed", written(PLAIN, order=swapped)
    yield "empty", "malformed", ""
    yield "a tag that is none", "malformed", plain + "; x=1"
    yield "semicolon at the end", "malformed", plain + ";"
    yield "semicolon before", "malformed", ";" + plain
    yield "empty tag within", "malformed", plain.replace("; t=", ";; t=")
    yield "capital letter", "malformed", plain.replace("t=", "T=")
    yield "h padded", "malformed", plain + "="
    yield "h cut", "malformed", plain[:-1]
    yield "h empty", "malformed", written(dict(PLAIN, h=""))
    yield "h in the other alphabet", "malformed", written(dict(PLAIN, h="+" * 43))

    everything = {
        "another version": {"v": "2"}, "version 01": {"v": "01"}, "no version": {"v": ""},
        "time with a zero before": {"t": "01767225600"}, "negative time": {"t": "-1"},
        "time with a sign": {"t": "+1767225600"}, "time in hex": {"t": "0x10"},
        "no time": {"t": ""}, "time beyond 64 bits": {"t": "9223372036854775808"},
        "n short": {"n": b64url(N[:15])}, "n long": {"n": b64url(N + b"\0")},
        "n padded": {"n": b64url(N) + "=="}, "n with bits left over": {"n": b64url(N)[:-1] + "x"},
        "lower-case hex": {"e": "%c3@a.example"}, "hex cut": {"e": "a@b%4"},
        "no hex": {"e": "a%zz@b"}, "needless escape": {"e": "%61nna@firm.example"},
        "bare character": {"e": "<anna@firm.example>"}, "bare octet": {"a": "fi!rm"},
        "sender without domain": {"s": "anna"}, "no sender": {"s": ""},
        "sender in capitals": {"s": "Anna@firm.de-mail.de"},
        "sender domain in capitals": {"s": "anna@Firm.de-mail.de"},
        "sender with a dot behind": {"s": "anna@firm.de-mail.de."},
        "sender quoted without need": {"s": percent('"anna"@firm.de-mail.de')},
        "unknown option": {"o": "express"}, "option twice": {"o": "private,private"},
        "options in another order": {"o": "private,confirmation-of-dispatch"},
        "comma behind": {"o": "private,"}, "comma before": {"o": ",private"},
        "no tags": {"r": ""}, "three tags": {"r": ",".join(PLAIN["r"].split(",")[:3])},
        "five tags": {"r": ",".join(sorted(PLAIN["r"].split(",") + [b64url(b"12345678")]))},
        "tags not sorted": {"r": ",".join(reversed(PLAIN["r"].split(",")))},
        "one tag twice": {"r": ",".join(sorted(PLAIN["r"].split(",")[:3] * 2)[:4])},
        "tag short": {"r": ",".join(sorted(PLAIN["r"].split(",")[:3] + [b64url(b"1234567")]))},
        "tag padded": {"r": PLAIN["r"] + "="},
        "comma behind the tags": {"r": PLAIN["r"] + ","},
        "d short": {"d": PLAIN["d"][:-2]}, "no d": {"d": ""}, "b padded": {"b": PLAIN["b"] + "="},
    }
    for case, change in everything.items():
        yield case, "malformed", written(dict(PLAIN, **change))


def relaxed(name, value):
    """RFC 6376 3.4.2"""
    value = re.sub(r"[ \t]+", " ", value.replace("\r\n", "")).strip(" \t")
    return "%s:%s\r\n" % (name.lower().rstrip(" \t"), value)


def fields_digest(fields):
    covered = ""
    for name in ["from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id"]:
        for given, value in fields:
            if given.lower().rstrip(" \t") == name:
                covered += relaxed(given, value)
    return b64url(hashlib.sha256(covered.encode("utf-8")).digest())


HEADERS = [
    [],
    [("Received", " from somewhere"), ("X-Mailer", " none")],
    [("From", " Anna <anna@firm.example>"), ("To", " bea@stadt.de-mail.de"), ("Subject", " Hi")],
    [("Message-ID", " <1@firm.example>"), ("SUBJECT", "  A \t B\r\n\t  C  "), ("cc", "\r\n x@y,\r\n z@y"),
     ("Date", " Thu, 1 Jan 2026 00:00:00 +0000"), ("From ", "Jürgen <j@firm.example>"),
     ("Reply-To", " a@b"), ("Sender", ""), ("Bcc", " hidden@stadt.de-mail.de")],
    [(name, " same") for name in ["Message-ID", "Date", "Subject", "Cc", "To", "Reply-To",
                                   "Sender", "From"]],
    [("To", " one@a.example"), ("From", " b@b"), ("To", " two@a.example")],
    [("To", " two@a.example"), ("From", " b@b"), ("To", " one@a.example")],
]


def lines():
    yield "# Made by make-seal-vectors.py, a second implementation of the seal. Do not edit."
    for key, secret in KEYS.items():
        yield "\t".join(["key", key, secret])
    for case, outcome, value in seals():
        escaped = value.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
        yield "\t".join(["seal", case, outcome, escaped])
    for case in ["plain", "other accepted key"]:
        for address in RECIPIENTS:
            yield "\t".join(["covered", case, address])
        yield "\t".join(["stranger", case, "ben@stadt.de-mail.de"])
    yield "\t".join(["covered", "plain", "BEA@Stadt.DE-Mail.de"])
    yield "\t".join(["covered", "120 recipients", "r119@stadt.de-mail.de"])
    yield "\t".join(["stranger", "120 recipients", "r120@stadt.de-mail.de"])
    for of_class in ["visible", "bcc:bea@stadt.de-mail.de"]:
        digits = hmac.new(hkdf(KEYS["2024-a"], "private-id"), N + of_class.encode(), hashlib.sha256)
        yield "\t".join(["private-id", b64url(N), of_class, digits.hexdigest()[:40]])
    for fields in HEADERS:
        block = "".join("%s:%s\r\n" % field for field in fields)
        yield "\t".join(["fields", base64.b64encode(block.encode("utf-8")).decode(),
                         fields_digest(fields)])


def main():
    path = pathlib.Path(__file__).with_name("seal-vectors.txt")
    text = "\n".join(lines()) + "\n"
    if sys.argv[1:] == ["--check"]:
        return 0 if path.read_text(encoding="utf-8") == text else 1
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
