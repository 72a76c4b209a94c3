"""The private-key operation, RFC 8017 5.1.2 and 5.2.1, on numbers alone."""
from .apdu import WRONG_DATA, Status


class PrivateKey:
    def __init__(self, key):
        numbers = key.private_numbers()
        self.n = numbers.public_numbers.n
        self.p, self.q = numbers.p, numbers.q
        self.dp, self.dq, self.qinv = numbers.dmp1, numbers.dmq1, numbers.iqmp
        self.octets = (key.key_size + 7) // 8

    def apply(self, block):
        value = int.from_bytes(block, "big")
        if value >= self.n:
            raise Status(WRONG_DATA)
        first, second = pow(value, self.dp, self.p), pow(value, self.dq, self.q)
        value = second + (first - second) * self.qinv % self.p * self.q
        return value.to_bytes(self.octets, "big")


def pad_signature(data, octets):
    """EMSA-PKCS1-v1_5's last step: 00 01 FF… 00 data."""
    return b"\0\1" + b"\xff" * (octets - len(data) - 3) + b"\0" + data


def is_signature_block(block):
    head, _, _ = block[2:].partition(b"\0")
    return block[:2] == b"\0\1" and len(head) >= 8 and head == b"\xff" * len(head) \
        and len(head) + 2 < len(block)


def unpad_message(block):
    """RFC 8017 7.2.2; Status(6A80) when it is none."""
    end = block.find(b"\0", 2)
    if block[:2] != b"\0\2" or end < 10:
        raise Status(WRONG_DATA)
    return block[end + 1:]
