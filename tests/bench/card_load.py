"""Signatures of two virtual NetKey cards in two readers of one private pcscd: one behind demail-cardd
and our PKCS#11 module, the other behind OpenSC's. The same program signs by both (card_signer)."""

import os
import shutil
import subprocess
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from card_bench import Connection, PcscError
from cardd import Cardd, unattended
from pcscd import Pcscd
from pki import make_ca
from process import Failure
from virtual_card import VirtualCard

PIN = "123456"
KEY = "47"  # of authentication: NetKey's signature key takes no SHA-256
OPENSC = ("/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
          "/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so")
TOUCHES = 50
# What the other program says to the card: SELECT MF, SELECT and READ EF.GDO.
OTHER = "00A4000C023F00", "00A4080C022F02", "00B0000000"


class Signer:
    """tests/e2e/card_signer, started and not logged in."""

    def __init__(self, side):
        self.popen = subprocess.Popen(
            [os.path.join(side.bench.build_directory, "tests/e2e/card_signer"), side.module,
             side.token, KEY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **side.environment})
        self.ask("start")

    def tell(self, order):
        self.popen.stdin.write(order + "\n")
        self.popen.stdin.flush()

    def answer(self):
        line = self.popen.stdout.readline()
        if not line:
            raise Failure("card_signer ended; its reason stands above")
        return line.strip()

    def ask(self, order):
        self.tell(order)
        return self.answer()

    def login(self):
        self.ask(f"login {PIN}")

    def end(self):
        if self.popen.poll() is None:
            self.popen.communicate("end\n")


class Side:
    """One module with the card that it signs with."""

    def __init__(self, name, bench, card, module, token, environment):
        self.name, self.bench, self.card, self.module = name, bench, card, module
        self.token, self.environment = token, environment
        self.public = x509.load_pem_x509_certificate(card.certificate("auth")).public_key()
        self.signer = None

    def count(self):
        """APDUs since it was asked last."""
        return self.card.control("counters", reset=True)["apdus"]

    def prove(self):
        """A signature that is checked: what is measured must be one."""
        signature = bytes.fromhex(self.signer.ask("prove a letter"))
        self.public.verify(signature, b"a letter", padding.PKCS1v15(), hashes.SHA256())

    def first_signature(self):
        """APDUs from a program's start on, and of them those from the PIN's VERIFY on."""
        self.count()
        self.signer = Signer(self)
        self.signer.login()
        self.prove()
        log = self.card.control("log")["log"]
        verify = next(place for place, apdu in enumerate(log)
                      if apdu["header"].startswith("0020") and apdu["bytes"] > 5)
        return len(log), len(log) - verify

    def overheads(self, count):
        """Milliseconds that each signature took its program above what the card had it for."""
        self.count()
        times = [int(word) / 1e6 for word in self.signer.ask(f"sign {count}").split()]
        apdus = iter(self.card.control("log")["log"])
        apdu, found = next(apdus, None), []
        for begin, end in zip(times[::2], times[1::2]):
            inside = 0.0
            while apdu and apdu["time"] <= end:
                inside += apdu["ms"]
                apdu = next(apdus, None)
            if not inside:
                raise Failure("a signature came from no card")
            found.append((end - begin) * 1000 - inside)
        return found

    def apdus(self, count):
        """For each of so many signatures in a row."""
        self.count()
        self.signer.ask(f"sign {count}")
        return self.count() / count

    def touched(self):
        """APDUs for each signature when another program of PC/SC selects and reads a file between two
        of them, and how often, of one, that program got at the card."""
        self.count()
        others = 0
        for _ in range(TOUCHES):
            others += self.touch()
            self.signer.ask("sign 1")
        return (self.count() - others * len(OTHER)) / TOUCHES, others / TOUCHES

    def touch(self):
        try:
            with Connection(self.card.reader) as other:
                for apdu in OTHER:
                    other.send(apdu)
            return 1
        except PcscError:
            return 0

    def shares(self, seconds):
        """How many signatures each of two programs gets that sign without pause."""
        other = Signer(self)
        try:
            other.login()
            other.ask("sign 1")
            for signer in (self.signer, other):
                signer.tell(f"loop {seconds}")
            return sorted(int(signer.answer()) for signer in (self.signer, other))
        finally:
            other.end()


class CardBench:
    """A context manager."""

    def __init__(self, build_directory):
        self.build_directory = build_directory
        self.directory = tempfile.mkdtemp(prefix="demail-bench-", dir="/tmp")
        self.pcscd = Pcscd(self.directory, readers=2)
        self.cards = [VirtualCard(self.directory, self.pcscd, reader=reader, name=f"card-{reader}")
                      for reader in range(2)]
        self.cardd = Cardd(self.directory, build_directory, self.pcscd)
        self.ours = self.opensc = None

    def __enter__(self):
        try:
            self.create()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for side in (self.ours, self.opensc):
            if side and side.signer:
                side.signer.end()
        for part in (self.cardd, *self.cards, self.pcscd):
            part.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def create(self):
        opensc = next((path for path in OPENSC if os.path.exists(path)), None)
        if not opensc:
            raise Failure("OpenSC's module is not installed: apt-get install opensc-pkcs11")
        os.chmod(self.directory, 0o755)
        authority = make_ca(self.directory)
        self.pcscd.create()
        self.pcscd.start()
        os.environ.update(self.pcscd.environment)  # of the other program, which is this one
        for card in self.cards:
            card.authority = authority
            card.create()
            card.start()
        mine, its = self.cards
        iccsn = mine.control("status")["iccsn"]
        self.cardd.create(unattended(mine, None, iccsn),
                          '[[allow]]\nkey = "*"\nuser = "root"\nper_minute = 0\n')
        self.cardd.start()
        configuration = os.path.join(self.directory, "opensc.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(f'app default {{ ignored_readers = "{mine.reader}"; }}\n')
        self.ours = Side("ours", self, mine, self.cardd.module, "", self.cardd.environment)
        self.opensc = Side("OpenSC", self, its, opensc, "NetKey PIN2",
                           {**self.pcscd.environment, "OPENSC_CONF": configuration})
