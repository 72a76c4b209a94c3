"""A card in a reader, and all that a test may do to both."""
import threading
import time

from . import store
from .card import Card
from .counters import Counters
from .faults import Faults
from .vpcd import OFF, Ended, Link


class Slot:
    """Thread-safe: the link's thread and the control socket's threads call it."""

    def __init__(self, host, port, namespace_of=None):
        self.lock = threading.RLock()
        self.counters = Counters()
        self.faults = Faults()
        self.card = None
        self.powered = False
        # Since it was connected: the reader has looked for the card; has given it power, as pcscd
        # does with a card that is new to it (and takes it away again when nobody uses the card).
        self.polled = self.seen = False
        self.hung = False
        self.link = Link(self, host, port, namespace_of)
        self.link.start()

    # The reader's side

    def power(self, order):
        with self.lock:
            self.powered = order != OFF
            self.polled = self.polled and self.link.connected
            self.seen = (self.seen or self.powered) and self.link.connected
            self.counters.powered += self.powered
            if self.card:
                self.card.reset()

    def atr(self):
        with self.lock:
            self.polled = True
            return self.card.stored.atr

    def transmit(self, octets):
        ins = octets[1] if len(octets) > 1 else -1
        began = time.monotonic()
        with self.lock:
            faults = self.faults.take(ins)
            delay = self.faults.delay(ins)
            if "forget" in faults:
                self.card.passwords.lose_status()
            odd = faults.get("status") or faults.get("drop")
            answer = self.card.answer(octets) if not odd or odd.execute else b"\x6f\0"
        if "hang" in faults:
            self._hang(faults["hang"].seconds)
        if delay:
            time.sleep(max(0, delay - (time.monotonic() - began)))
        if "status" in faults:
            answer = faults["status"].word.to_bytes(2, "big")
        if "short" in faults:
            answer = answer[:max(0, len(answer) - 2 - faults["short"].bytes)] + answer[-2:]
        with self.lock:
            self.counters.note(octets, answer, time.monotonic() - began)
        if "drop" in faults:
            self.link.drop(faults["drop"].seconds)
            raise Ended
        return answer

    def _hang(self, seconds):
        self.hung = True
        try:
            self.link.wait_while(lambda: self.hung, seconds or None)
        finally:
            self.hung = False

    def resume(self):
        self.hung = False
        self.link.notify()

    # The user's side

    def put(self, directory):
        """The card that is inserted next; not in yet."""
        card = Card(store.load(directory), self.counters)
        self.remove()
        with self.lock:
            self.card = card

    def insert(self, directory=None):
        """The card that lies there, or the one that was in before. False: it is in already."""
        if directory:
            self.put(directory)
        elif self.link.inserted:
            return False
        self.link.insert()
        return True

    def remove(self):
        self.link.remove()
