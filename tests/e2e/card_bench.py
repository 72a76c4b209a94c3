"""What the tests of the card share: a private pcscd with virtual cards, and APDUs sent through it by
PC/SC as any program would.

libpcsclite reads PCSCLITE_CSOCK_NAME once in a process: there is one pcscd for all tests of a file.
"""
import atexit
import os
import shutil
import signal
import sys
import tempfile
import time
import unittest

SOURCE = os.path.realpath(os.environ.get("SRCDIR") or
                          os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, os.path.join(SOURCE, "contrib/sandbox"))

import pki  # noqa: E402
from pcscd import Pcscd  # noqa: E402
from process import Failure  # noqa: E402,F401
from virtual_card import VirtualCard  # noqa: E402

try:
    from smartcard import scard
except ImportError:
    scard = None

PINS = {"3F00/00": b"123456", "3F00/01": b"12345678"}


class Bench:
    """One directory, one pcscd with `readers` readers, a CA. Everything goes at the end."""

    def __init__(self, readers=1):
        if os.geteuid():
            raise unittest.SkipTest("a private pcscd needs root")
        if scard is None:
            raise unittest.SkipTest("python3-pyscard is not installed")
        self.directory = tempfile.mkdtemp(prefix="demail-card-", dir="/tmp")
        atexit.register(self.close)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a time limit: nothing stays either
        self.cards = []
        os.chmod(self.directory, 0o755)  # for daemons of other users; what is secret is 0600
        self.authority = pki.make_ca(self.directory)
        self.pcscd = Pcscd(self.directory, readers)
        self.pcscd.create()
        self.pcscd.start()
        os.environ.update(self.pcscd.environment)

    def path(self, name):
        return os.path.join(self.directory, name)

    def card(self, profile, reader=0, name=None, **options):
        """A new card, inserted and seen."""
        card = VirtualCard(self.directory, self.pcscd, profile, self.authority, reader,
                           name or f"card-{len(self.cards)}")
        self.cards.append(card)
        card.create(**options)
        card.start()
        return card

    def close(self):
        atexit.unregister(self.close)
        for card in self.cards:
            card.stop()
        self.pcscd.stop()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)


class PcscError(Exception):
    def __init__(self, code):
        self.code = code & 0xFFFFFFFF
        super().__init__(f"{scard.SCardGetErrorMessage(code)} ({self.code:08X})")


def checked(answer):
    code, *rest = answer if isinstance(answer, (tuple, list)) else (answer,)
    if code != scard.SCARD_S_SUCCESS:
        raise PcscError(code)
    return rest[0] if len(rest) == 1 else rest


def readers():
    context = checked(scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM))
    try:
        return checked(scard.SCardListReaders(context, []))
    finally:
        scard.SCardReleaseContext(context)


def connect(reader, exclusive=False, timeout=10):
    """A Connection as soon as pcscd, which looks every 0.4 s, has seen the card."""
    end = time.monotonic() + timeout
    while True:
        try:
            return Connection(reader, exclusive)
        except PcscError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Connection:
    """A program connected to the card, a context manager. send("00A40000") or with bytes to follow;
    returns (data, status word)."""

    def __init__(self, reader, exclusive=False):
        self.context = checked(scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM))
        self.share = scard.SCARD_SHARE_EXCLUSIVE if exclusive else scard.SCARD_SHARE_SHARED
        try:
            self.handle, self.protocol = checked(scard.SCardConnect(
                self.context, reader, self.share, scard.SCARD_PROTOCOL_T1))
        except PcscError:
            scard.SCardReleaseContext(self.context)
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self, disposition=None):
        scard.SCardDisconnect(self.handle, scard.SCARD_LEAVE_CARD if disposition is None
                              else disposition)
        scard.SCardReleaseContext(self.context)

    def reset(self, how=None):
        """By another program's leave; this one goes on."""
        self.protocol = checked(scard.SCardReconnect(
            self.handle, self.share, scard.SCARD_PROTOCOL_T1,
            scard.SCARD_RESET_CARD if how is None else how))

    def begin(self):
        checked(scard.SCardBeginTransaction(self.handle))

    def end(self):
        checked(scard.SCardEndTransaction(self.handle, scard.SCARD_LEAVE_CARD))

    def atr(self):
        return bytes(checked(scard.SCardStatus(self.handle))[3]).hex().upper()

    def send(self, *parts):
        octets = b"".join(bytes.fromhex(part) if isinstance(part, str) else part for part in parts)
        answer = bytes(checked(scard.SCardTransmit(self.handle, scard.SCARD_PCI_T1,
                                                   list(octets))))
        if len(answer) < 2:  # what vpcd makes of a connection that ended
            raise PcscError(scard.SCARD_E_NOT_TRANSACTED)
        return answer[:-2], answer[-2:].hex().upper()

    # Commands, each returning the status word alone or (data, status word)

    def select(self, path, p1="08"):
        return self.send("00A4", p1, "0C", bytes((len(path) // 2,)), path)[1]

    def status(self, reference):
        return self.send("002000", reference)[1]

    def verify(self, reference, pin=b"123456"):
        return self.send("002000", reference, bytes((len(pin),)), pin)[1]

    def read(self, path):
        """The whole file."""
        assert self.select(path) == "9000", path
        content = b""
        while True:
            data, status = self.send("00B0", len(content).to_bytes(2, "big"), "00")
            if status == "6B00":
                return content
            assert status == "9000", status
            content += data

    def choose(self, key, p1="41", template="B8"):
        return self.send("0022", p1, template, "038401", key)[1]

    def operate(self, indicator, block):
        """PSO 80 86 with an extended APDU."""
        return self.send("002A8086", "00", (len(block) + 1).to_bytes(2, "big"), indicator, block,
                         "0100")
