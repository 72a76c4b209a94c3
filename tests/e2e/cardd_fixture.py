"""demail-cardd over a private pcscd with virtual cards, below a directory of its own."""
import atexit
import contextlib
import functools
import os
import shutil
import sys
import tempfile
import unittest

SOURCE = os.environ.get("SRCDIR", os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("BUILDDIR", os.path.join(SOURCE, "build", "dev"))
sys.path.insert(0, os.path.join(SOURCE, "contrib", "sandbox"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cryptography.hazmat.primitives import hashes  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils  # noqa: E402
from pcscd import Pcscd  # noqa: E402
from tcos import personalise  # noqa: E402
from process import Process, wait_for  # noqa: E402
from virtual_card import VirtualCard  # noqa: E402

import cardd_wire  # noqa: E402

PIN, PUK = "123456", "12345678"
WRONG = "654321"
DIGEST = bytes(range(32))
ALLOW_ROOT = '[[allow]]\nkey = "*"\nuser = "root"\nper_minute = 0\n'


def public_key(key):
    return rsa.RSAPublicNumbers(key["e"], key["n"]).public_key()


def check(key, signature, digest=DIGEST, pss=False):
    """Raises InvalidSignature."""
    scheme = (padding.PSS(padding.MGF1(hashes.SHA256()), len(digest)) if pss
              else padding.PKCS1v15())
    public_key(key).verify(signature, digest, scheme, utils.Prehashed(hashes.SHA256()))


@functools.cache
def pattern(profile):
    """A card of the profile that is copied for each test: its keys take seconds to make."""
    directory = tempfile.mkdtemp(prefix="card-", dir="/tmp")
    atexit.register(shutil.rmtree, directory, True)
    card = os.path.join(directory, "card")
    personalise.make(card, profile, os.path.join(directory, "pki"))
    return card


class Cardd(Process):
    """demail-cardd as the program is; `configuration` without [daemon]."""

    def __init__(self, directory, pcscd):
        self.directory = os.path.realpath(directory)
        self.socket = os.path.join(self.directory, "cardd.sock")
        self.state = os.path.join(self.directory, "state")
        self.file = os.path.join(self.directory, "cardd.toml")
        super().__init__("demail-cardd", [os.path.join(BUILD, "demail-cardd"), "--config",
                                          self.file], self.directory,
                         {**pcscd.environment, "DEMAIL_LOG": "stderr"})

    def configure(self, text=ALLOW_ROOT):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(f'[daemon]\nsocket = "{self.socket}"\nstate = "{self.state}"\n{text}')

    def start(self):
        super().start()
        self.wait_until(lambda: os.path.exists(self.socket), "its socket")

    def connection(self, timeout=60):
        return cardd_wire.Connection(self.socket, timeout)

    def wait_for_card(self, serial, present=True, **flags):
        def look():
            with self.connection() as one:
                return any(token["serial"] == serial and token["present"] == present
                           and all(token[name] == value for name, value in flags.items())
                           for token in one.tokens())
        self.wait_until(look, f"card {serial}, present {present}, {flags}")


class CarddTest(unittest.TestCase):
    """One reader, one card that is inserted, one daemon that is not started yet."""

    profile = "netkey-v3"
    readers = 1
    main_pin = "DF01/83"

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="cardd-", dir="/tmp")
        self.addCleanup(self.clean_up)
        os.chmod(self.directory, 0o755)
        self.undo = contextlib.ExitStack()
        self.pcscd = Pcscd(os.path.join(self.directory, "pcsc"), readers=self.readers)
        self.pcscd.create()
        self.pcscd.start()
        self.undo.callback(self.pcscd.stop)
        self.card = VirtualCard(os.path.join(self.directory, "card"), self.pcscd, self.profile)
        shutil.copytree(pattern(self.profile), self.card.path)
        self.card.start()
        self.undo.callback(self.card.stop)
        self.serial = self.card.control("status")["iccsn"]
        self.cardd = Cardd(self.directory, self.pcscd)
        self.cardd.configure()
        self.undo.callback(self.cardd.stop)

    def clean_up(self):
        log = self.cardd.log() if hasattr(self, "cardd") else ""
        self.undo.close()
        failed = any(error for _, error in getattr(self._outcome, "errors", []) if error)
        if failed or (self._outcome.result and
                      any(test is self for test, _ in self._outcome.result.failures
                          + self._outcome.result.errors)):
            sys.stderr.write(f"\n{log[-3000:]}\n")
        for secret in (PIN, PUK, WRONG):
            assert secret not in log, "a PIN is in the log"
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, unlock=True):
        self.cardd.start()
        self.cardd.wait_for_card(self.serial)
        if unlock:
            with self.cardd.connection() as one:
                one.unlock(PIN)

    def counters(self, reset=False):
        return self.card.control("counters", reset=reset)

    def tries(self, pin=None):
        return self.card.control("status")["pins"][pin or self.main_pin]["left"]

    def key(self, connection, label="demail-auth"):
        found = [key for key in connection.objects(self.serial)["keys"] if key["label"] == label]
        self.assertTrue(found, f"there is no {label}")
        return found[0]

    def pin_file(self, value):
        path = os.path.join(self.directory, "pin")
        with open(path, "w", encoding="ascii") as file:
            file.write(value + "\n")
        os.chmod(path, 0o600)
        return path

    def unattended(self, value, serial=None):
        """The configuration's [[token]] with a PIN file."""
        return (f'[[token]]\nreader = "{self.card.reader}"\n'
                f'serial = "{serial or self.serial}"\npin_file = "{self.pin_file(value)}"\n')


__all__ = ["ALLOW_ROOT", "BUILD", "Cardd", "CarddTest", "DIGEST", "PIN", "PUK", "Pcscd",
           "VirtualCard", "WRONG", "check", "public_key", "wait_for", "cardd_wire"]
