"""A test case with a virtual card as new before every test, and the words that such tests use. A
file of tests takes setUpModule and tearDownModule from here too: its pcscd.
"""
import hashlib
import unittest

from card_bench import Bench, PcscError, connect

try:
    from cryptography import x509
except ImportError:
    x509 = None

NKS = "DF01"
SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SHA1_DIGEST_INFO = bytes.fromhex("3021300906052b0e03021a05000414")
DIGEST = hashlib.sha256(b"a letter").digest()


def setUpModule():
    WithCard.bench = Bench(readers=2)


def tearDownModule():
    WithCard.bench.close()


def pkcs1(data, octets=256):
    return b"\0\1" + b"\xff" * (octets - len(data) - 3) + b"\0" + data


def der_of(content):
    """The certificate in a card's file."""
    if content[4] == 6:  # SEQUENCE { OID, Certificate }
        content = content[6 + content[5]:]
    return content[:4 + int.from_bytes(content[2:4], "big")]


class WithCard(unittest.TestCase):
    """A card of the profile for the class, as new before every test."""

    profile = "netkey-v3"
    bench = None

    @classmethod
    def setUpClass(cls):
        cls.card = cls.bench.card(cls.profile)
        cls.addClassCleanup(cls.card.stop)
        cls.reader = cls.card.reader
        cls.initial = {name: {"left": pin["left"]} for name, pin in
                       cls.card.control("status")["pins"].items()}

    def setUp(self):
        self.control = self.card.control
        self.control("clear")
        for name in self.initial:
            value = "12345678" if name in ("3F00/01", "DF02/83") else "123456"
            self.control("set_pin", pin=name, value=value)
        self.control("behave", end_of_file="6282", piece=0)
        self.control("insert")
        self.control("wait", **{"for": "polled"})
        self.connection = connect(self.reader)
        self.addCleanup(lambda: self.connection.close())
        self.connection.reset()
        self.control("counters", reset=True)

    def send(self, *parts):
        return self.connection.send(*parts)

    def answer(self, expected, *parts):
        data, status = self.send(*parts)
        self.assertEqual(status, expected)
        return data

    def pin(self, name):
        return self.control("status")["pins"][name]

    def certificate(self, path):
        return x509.load_der_x509_certificate(der_of(self.connection.read(path)))

    def unlock(self, df=NKS, reference="83"):
        self.assertEqual(self.connection.select(df), "9000")
        self.assertEqual(self.connection.verify(reference), "9000")

    def fails(self, code):
        """A context in which PC/SC itself must report that error."""
        test = self

        class Expectation:
            def __enter__(self):
                return self

            def __exit__(self, kind, error, _):
                test.assertIs(kind, PcscError, error)
                test.assertIn(error.code, code if isinstance(code, tuple) else (code,))
                return True
        return Expectation()
