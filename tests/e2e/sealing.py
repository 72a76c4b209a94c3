"""The seal as its specification has it, made a second time: what the tests forge, they forge here."""

import base64
import hashlib
import hmac
import os
import re
import struct
import time
import urllib.parse

from harness import body_of, fields_of

SEALED = ("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id")


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def sub_key(secret, label):
    """HKDF-SHA-256 (RFC 5869), no salt, one block."""
    extracted = hmac.digest(b"\0" * 32, secret, "sha256")
    return hmac.digest(extracted, b"demail-gateway " + label.encode() + b"\x01", "sha256")


def read_key(path):
    """The first key of a key file: (id, secret)."""
    with open(path, encoding="ascii") as file:
        key_id, digits = file.readline().split()
    return key_id, bytes.fromhex(digits)


def relaxed(octets):
    """RFC 6376 3.4.2, the value alone."""
    value = octets.partition(b":")[2].replace(b"\r\n", b"")
    return re.sub(rb"[ \t]+", b" ", value).strip(b" \t")


def fields_digest(content):
    fields = fields_of(content)
    text = b"".join(name.encode() + b":" + relaxed(octets) + b"\r\n"
                    for wanted in SEALED for name, octets in fields if name == wanted)
    return b64(hashlib.sha256(text).digest())


def body_digest(content):
    return b64(hashlib.sha256(body_of(content)).digest())


def read_seal(content):
    """The tags of the message's seal, in their order."""
    field, = (octets for name, octets in fields_of(content) if name == "demail-seal")
    value = re.sub(rb"[ \t\r\n]", b"", field.partition(b":")[2]).decode("ascii")
    return dict(tag.split("=", 1) for tag in value.split(";") if tag)


def authenticator(tags, secret):
    text = b"".join(name.encode() + struct.pack(">I", len(value.encode())) + value.encode()
                    for name, value in tags.items() if name != "h")
    return b64(hmac.digest(sub_key(secret, "seal"), text, "sha256"))


def make_tags(content, key, sender, envelope_sender, recipients, n=None, **changes):
    """The tags of a faithful seal, with `changes` put in before it is authenticated."""
    key_id, secret = key
    n = n or os.urandom(16)
    names = [b64(hmac.digest(sub_key(secret, "tag"), n + recipient.encode(), "sha256")[:8])
             for recipient in recipients]
    size = 4
    while size < len(names):
        size *= 4
    names += [b64(os.urandom(8)) for _ in range(size - len(names))]
    quote = lambda text: urllib.parse.quote(text, safe="@")  # noqa: E731
    tags = {"v": "1", "k": key_id, "t": str(int(time.time())), "n": b64(n), "a": "firm",
            "s": quote(sender), "e": quote(envelope_sender), "o": "",
            "r": ",".join(sorted(names)), "d": fields_digest(content),
            "b": body_digest(content), **changes}
    tags["h"] = authenticator(tags, secret)
    return tags


def with_seal(content, tags):
    """The message with the seal on top."""
    text = "; ".join(f"{name}={value}" for name, value in tags.items())
    text = re.sub(r"([;,] ?)", r"\1\r\n ", text)
    return b"Demail-Seal: " + text.encode("ascii") + b"\r\n" + content


def without_seal(content):
    header = b"".join(octets + b"\r\n" for name, octets in fields_of(content)
                      if name != "demail-seal")
    return header + b"\r\n" + body_of(content)
