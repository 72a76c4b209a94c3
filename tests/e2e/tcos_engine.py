"""The card engine (pkcs11/tcos) and a virtual card over a real pcscd, for its tests. A file of tests
takes setUpModule and tearDownModule from here too: its pcscd, `bench`.
"""
import hashlib
import json
import os
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import card_bench  # noqa: E402
from card_bench import Bench  # noqa: E402

if card_bench.scard is not None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, utils

BUILD = os.path.realpath(os.environ.get("BUILDDIR") or os.getcwd())
PROGRAM = os.path.join(BUILD, "tests/e2e/tcos_probe")
DIGEST = hashlib.sha256(b"a letter").digest()
DIGEST_INFO = (bytes.fromhex("3031300d060960864801650304020105000420") + DIGEST).hex()
SHA1 = hashlib.sha1(b"a letter").digest()
SHA1_INFO = (bytes.fromhex("3021300906052b0e03021a05000414") + SHA1).hex()
bench = None


def setUpModule():
    global bench
    bench = Bench(readers=2)


def tearDownModule():
    bench.close()


class Engine:
    """A process of tests/e2e/tcos_probe; engine("verify pin2 123456") returns what it says."""

    def __init__(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, **bench.pcscd.environment})

    def __call__(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise AssertionError(f"{line}: the probe ended")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class WithCard(unittest.TestCase):
    profile = "netkey-v3"

    @classmethod
    def setUpClass(cls):
        cls.card = bench.card(cls.profile)
        cls.addClassCleanup(cls.card.stop)
        cls.control = cls.card.control

    def setUp(self):
        self.control("clear")
        for name in self.control("status")["pins"]:
            value = "12345678" if name in ("3F00/01", "DF02/83") else "123456"
            self.control("set_pin", pin=name, value=value)
        self.control("behave", end_of_file="6282", piece=0)
        self.control("insert")
        self.control("wait", **{"for": "polled"})
        self.engine = Engine()
        self.addCleanup(self.engine.close)
        self.connect()
        self.known = self.engine("identify")
        self.control("counters", reset=True)

    def connect(self, limit=""):
        """As soon as pcscd, which looks every 0.4 s, has seen the card."""
        end = time.monotonic() + 10
        while True:
            answer = self.engine(f'connect "{self.card.reader}" {limit}')
            if "atr" in answer:
                return answer
            self.assertLess(time.monotonic(), end, answer)
            time.sleep(0.05)

    def back(self, limit=""):
        """After a loss. The reader may be found before the card is in it again."""
        end = time.monotonic() + 10
        while True:
            self.connect(limit)
            answer = self.engine("resume")
            if "lost" not in answer:
                return answer
            self.assertLess(time.monotonic(), end, answer)

    def certificates(self):
        """{id: the first certificate of each key}"""
        found = {}
        for one in self.engine("certificates")["certificates"]:
            if "der" in one:
                found.setdefault(one["id"], x509.load_der_x509_certificate(
                    bytes.fromhex(one["der"])))
        return found

    def signs(self, key, certificate, digest_info=DIGEST_INFO, digest=DIGEST,
              algorithm=hashes.SHA256 if card_bench.scard else None):
        bits = certificate.public_key().key_size
        answer = self.engine(f"sign {key:02x} {digest_info} {bits}")
        self.assertIn("result", answer)
        certificate.public_key().verify(bytes.fromhex(answer["result"]), digest,
                                        padding.PKCS1v15(), utils.Prehashed(algorithm()))
        return answer

    def counted(self):
        """APDUs, as the card saw them."""
        return self.control("counters")["apdus"]

    def tries(self, name):
        return self.control("status")["pins"][name]["left"]
