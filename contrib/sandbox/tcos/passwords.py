"""PINs: what VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER do to them, and the security
status that a right one gives.

Assumed for real cards: that the status of a local PIN is lost when a file outside its DF is selected
(ISO 7816-4 9.3.2 leaves it open), and the lengths at which a new PIN is refused.
"""
import hmac

from . import apdu
from .apdu import Status
from .profiles import LOCAL, MF, pins_of

MAXIMUM = 16
NULL = b"\0" * 6


class Passwords:
    def __init__(self, stored, counters):
        self.stored = stored
        self.table = pins_of(stored.profile)
        self.counters = counters
        self.verified = set()  # of (DF, reference)

    def lose_status(self):
        self.verified.clear()

    def entered(self, df):
        """`df` (files.Dedicated) is the current one now."""
        self.verified = {place for place in self.verified
                         if place[0] == MF or _above(df, place[0])}

    def place(self, reference, df):
        """(DF, reference) that P2 means. A reference without bit 8 is global (ISO 7816-4 7.5.1);
        a local one is that of the current DF."""
        place = (df.fid if reference & LOCAL else MF, reference)
        if place not in self.table:
            raise Status(apdu.NO_REFERENCE)
        return place

    def _usable(self, place):
        """Status where no try can be made; burns none."""
        state = self.stored.pins[place]
        if state.null:
            raise Status(apdu.NULL_PIN)
        if not state.left:
            raise Status(apdu.BLOCKED)
        return state

    def status(self, place):
        state = self._usable(place)
        raise Status(apdu.OK if place in self.verified else apdu.tries_left(state.left))

    def verify(self, place, value):
        self.counters.verifies += 1
        state = self._usable(place)
        self.verified.discard(place)
        if not hmac.compare_digest(state.value.encode(), value):
            self._burn(state)
        state.left = state.tries
        self.stored.save()
        self.verified.add(place)

    def _burn(self, state):
        state.left -= 1
        self.counters.tries_burnt += 1
        self.stored.save()
        raise Status(apdu.tries_left(state.left))

    def _accept(self, place, value):
        pin = self.table[place]
        if not pin.minimum <= len(value) <= MAXIMUM:
            raise Status(apdu.WRONG_LENGTH)
        if not value.isalnum():
            raise Status(apdu.WRONG_DATA)
        state = self.stored.pins[place]
        state.value, state.left, state.null = value.decode("ascii"), state.tries, False
        self.stored.save()

    def change(self, place, value):
        """P1 = 00: the old PIN (six zero bytes for the null PIN) and the new one."""
        state = self.stored.pins[place]
        if state.null:
            if value[:len(NULL)] != NULL:
                raise Status(apdu.WRONG_DATA)
            self._accept(place, value[len(NULL):])
            return
        self._usable(place)
        old = state.value.encode()
        if not value.startswith(old):
            self._burn(state)
        self._accept(place, value[len(old):])

    def change_verified(self, place, value):
        """P1 = 01: after VERIFY of the PIN itself or of one that stands above it."""
        self._usable(place)
        self._need(place, *self.table[place].authorities)
        self._accept(place, value)

    def unblock(self, place):
        if self.stored.pins[place].null:
            raise Status(apdu.NULL_PIN)
        self._need(*self.table[place].authorities)
        state = self.stored.pins[place]
        state.left = state.tries
        self.stored.save()

    def _need(self, *places):
        if not self.verified.intersection(places):
            raise Status(apdu.NOT_ALLOWED)


def _above(df, fid):
    while df is not None and df.fid != fid:
        df = df.parent
    return df is not None
