"""The commands. A card in hand: the stored one, what is selected, and the security status.

Not thread-safe; whoever calls holds a lock (see slot)."""
import sys
import traceback

from . import apdu, files, profiles
from .apdu import Status, tlv
from .keys import PrivateKey, is_signature_block, pad_signature, unpad_message
from .passwords import Passwords

CDS_MAXIMUM = 48  # assumed for real cards: OpenSC never sends more
RAW, PKCS1, UNPADDED_BY_CARD = 0x00, 0x02, 0x81  # padding indicators of PSO 80 86
TEMPLATES = {0xB6: "sign", 0xB8: "decipher"}     # of MSE: digital signature, confidentiality


class Card:
    def __init__(self, stored, counters):
        self.stored = stored
        self.profile = stored.profile
        self.counters = counters
        self.passwords = Passwords(stored, counters)
        self.table = profiles.keys_of(self.profile)
        self.keys = {place: PrivateKey(key) for place, key in stored.keys.items()}
        self.end_of_file = "6282"  # or "6cxx": what READ BINARY says to an Le beyond the end
        self.piece = 0             # octets that an answer may have, the rest by GET RESPONSE; 0: all
        self.mf = _tree(self)
        self.commands = {
            (0x00, 0xA4): self._select, (0x00, 0xB0): self._read_binary,
            (0x00, 0xB2): self._read_record, (0x00, 0x20): self._verify,
            (0x00, 0x24): self._change, (0x00, 0x2C): self._unblock, (0x00, 0x22): self._choose_key,
            (0x00, 0x2A): self._operate, (0x00, 0xC0): self._get_response,
            (0x80, 0xAA): self._list}
        self.reset()

    def reset(self):
        """What power off, power on and a warm reset do alike."""
        self.df, self.ef = self.mf, None
        self.chosen = {}  # template: key
        self.rest = b""   # of the last answer
        self.passwords.lose_status()

    def answer(self, octets):
        """The response APDU."""
        try:
            command = apdu.parse(octets)
            data, word = self._execute(command)
        except Status as status:
            data, word = b"", status.word
        except Exception:  # a fault of this program must not end the card
            traceback.print_exc(file=sys.stderr)
            data, word = b"", apdu.INTERNAL
        if self.piece and len(data) > self.piece:
            data, self.rest = data[:self.piece], data[self.piece:]
            word = apdu.more(len(self.rest))
        return data + word.to_bytes(2, "big")

    def _execute(self, command):
        if command.cla & 0x1C not in (0,):
            raise Status(apdu.NO_CHAINING if command.cla & 0x10 else apdu.NO_SECURE_MESSAGING)
        if command.cla not in (0x00, 0x80):
            raise Status(apdu.NO_CLASS)
        if command.extended and self.profile.version == 2:
            raise Status(apdu.WRONG_LENGTH)
        run = self.commands.get((command.cla, command.ins))
        if not run:
            raise Status(apdu.NO_INSTRUCTION)
        if command.ins != 0xC0:
            self.rest = b""
        answer = run(command)
        if isinstance(answer, tuple):
            return answer
        if answer and command.le < len(answer):
            raise Status(apdu.exact_length(len(answer)) if command.le else apdu.WRONG_LENGTH)
        return answer, apdu.OK

    def _get_response(self, command):
        if not self.rest:
            raise Status(apdu.NO_CONDITIONS)
        data, self.rest = self.rest[:command.le], self.rest[command.le:]
        return data, apdu.more(len(self.rest)) if self.rest else apdu.OK

    # Files

    def _select(self, command):
        if command.p2 not in (0x04, 0x0C):
            raise Status(apdu.WRONG_P1_P2)
        file = self._find(command.p1, command.data)
        df, ef = (file, None) if isinstance(file, files.Dedicated) else (file.parent, file)
        if df is not self.df:
            self.chosen = {}
        self.df, self.ef = df, ef
        self.passwords.entered(df)
        return file.fcp() if command.p2 == 0x04 and command.le else b""

    def _find(self, how, name):
        if how == 0x03:
            if name or self.df.parent is None:
                raise Status(apdu.WRONG_LENGTH if name else apdu.NO_FILE)
            return self.df.parent
        if how == 0x00 and name in (b"", b"\x3f\x00"):
            return self.mf
        if how in (0x00, 0x01, 0x02):
            if len(name) != 2:
                raise Status(apdu.WRONG_LENGTH)
            file = self.df.walk(name)
            if how and isinstance(file, files.Dedicated) != (how == 0x01):
                raise Status(apdu.NO_FILE)
            return file
        if how == 0x04:
            if not 1 <= len(name) <= 16:
                raise Status(apdu.WRONG_LENGTH)
            return self.mf.by_name(name)
        if how == 0x08:
            return self.mf.walk(name)
        if how == 0x09:
            return self.df.walk(name)
        raise Status(apdu.WRONG_P1_P2)

    def _read_binary(self, command):
        if command.p1 & 0x80:  # by short identifier: no file here has one
            raise Status(apdu.NO_FILE)
        if self.ef is None:
            raise Status(apdu.NO_CURRENT_FILE)
        if command.data or not command.le:
            raise Status(apdu.WRONG_LENGTH)
        rest = self.ef.read(command.p1p2)
        if command.le <= len(rest) or command.le in (256, 65536):
            return rest[:command.le], apdu.OK
        if self.end_of_file == "6cxx":
            raise Status(apdu.exact_length(len(rest)))
        return rest, apdu.END_OF_FILE

    def _read_record(self, command):
        if command.p2 != 0x04:  # of the current EF, P1 is the record's number
            raise Status(apdu.WRONG_P1_P2)
        if self.ef is None:
            raise Status(apdu.NO_CURRENT_FILE)
        return self.ef.record(command.p1)

    def _list(self, command):
        """Identifiers of the DFs (P1 = 01) or EFs (02) in the current DF."""
        if command.p1 not in (1, 2) or command.p2:
            raise Status(apdu.WRONG_P1_P2)
        found = b"".join(child.fid.to_bytes(2, "big") for child in self.df.children
                         if isinstance(child, files.Dedicated) == (command.p1 == 1))
        if not found:
            raise Status(apdu.NO_FILE)
        return found

    # PINs

    def _verify(self, command):
        if command.p1:
            raise Status(apdu.WRONG_P1_P2)
        place = self.passwords.place(command.p2, self.df)
        if not command.data:
            self.passwords.status(place)
        self.passwords.verify(place, command.data)
        return b""

    def _change(self, command):
        place = self.passwords.place(command.p2, self.df)
        change = {0: self.passwords.change, 1: self.passwords.change_verified}.get(command.p1)
        if not change:
            raise Status(apdu.WRONG_P1_P2)
        if not command.data:
            raise Status(apdu.WRONG_LENGTH)
        change(place, command.data)
        return b""

    def _unblock(self, command):
        if command.p1 != 0x03:
            raise Status(apdu.WRONG_P1_P2)
        if command.data:
            raise Status(apdu.WRONG_LENGTH)
        self.passwords.unblock(self.passwords.place(command.p2, self.df))
        return b""

    # Keys

    def _choose_key(self, command):
        """MANAGE SECURITY ENVIRONMENT, SET."""
        if command.p1 != (0x41 if self.profile.version == 3 else 0xC1) \
                or command.p2 not in TEMPLATES:
            raise Status(apdu.WRONG_P1_P2)
        fields = dict(apdu.read_tlvs(command.data))
        if set(fields) != {0x84} or len(fields[0x84]) != 1:
            raise Status(apdu.WRONG_DATA)
        place = (self.df.fid, fields[0x84][0])
        if place not in self.table or TEMPLATES[command.p2] not in self.table[place].usage:
            raise Status(apdu.NO_REFERENCE)
        self.chosen[command.p2] = place
        return b""

    def _operate(self, command):
        """PERFORM SECURITY OPERATION."""
        if command.p1p2 == 0x9E9A:
            return self._sign(command)
        if command.p1p2 == 0x8086:
            return self._decipher(command)
        raise Status(apdu.WRONG_P1_P2)

    def _sign(self, command):
        """COMPUTE DIGITAL SIGNATURE; without MSE by the DF's signature key, as OpenSC uses it."""
        place = self.chosen.get(0xB6) or next(
            (place for place, key in self.table.items()
             if place[0] == self.df.fid and "sign" in key.usage), None)
        key = self._key(place)
        if not 1 <= len(command.data) <= CDS_MAXIMUM:
            raise Status(apdu.WRONG_LENGTH)
        return self._apply(key, pad_signature(command.data, key.octets))

    def _decipher(self, command):
        """The private-key operation for every purpose but CDS: deciphering, authentication."""
        key = self._key(self.chosen.get(0xB8))
        indicator, block = command.data[:1], command.data[1:]
        if len(block) != key.octets:
            raise Status(apdu.WRONG_LC if len(block) == 256 else apdu.WRONG_LENGTH)
        indicator = indicator[0]
        if self.profile.version == 2:
            if indicator == UNPADDED_BY_CARD:
                return unpad_message(self._apply(key, block))
            if indicator != PKCS1:
                raise Status(apdu.WRONG_DATA)
        elif indicator == PKCS1:
            if not is_signature_block(block):
                raise Status(apdu.WRONG_DATA)
        elif indicator != RAW:
            raise Status(apdu.WRONG_DATA)
        return self._apply(key, block)

    def _key(self, place):
        if place is None:
            raise Status(apdu.NO_CONDITIONS)
        if self.table[place].pin not in self.passwords.verified:
            raise Status(apdu.NOT_ALLOWED)
        return self.keys[place]

    def _apply(self, key, block):
        self.counters.operations += 1
        return key.apply(block)


def _tree(card):
    profile, stored = card.profile, card.stored
    mf = files.Dedicated(profiles.MF)
    mf.add(files.Transparent(profiles.GDO, tlv(0x5A, bytes.fromhex(stored.iccsn))))
    _add_pins(card, mf, profile.pins)
    for application in profile.applications:
        df = files.Dedicated(application.df, bytes.fromhex(application.aid))
        mf.add(df)
        for file in application.certificates:
            df.add(files.Transparent(file.file, stored.files[application.df, file.file]))
        _add_pins(card, df, application.pins)
        if profile.version == 3:
            records = [_key_record(key) for key in application.keys]
            df.add(files.Records(profiles.KEYD, lambda records=records: records))
        else:
            for key in application.keys:
                df.add(files.Elementary(key.file, files.TRANSPARENT, 0,
                                        lambda key=key: _key_attributes(key)))
    return mf


def _add_pins(card, df, pins):
    states = card.stored.pins
    if card.profile.version == 3:
        if pins:
            df.add(files.Records(profiles.PWDD, lambda: [
                _pin_record(pin, states[df.fid, pin.reference]) for pin in pins]))
        return
    for pin in pins:
        # netkey-tool reads: 01 80, reference without the local bit, tries left, tries.
        df.add(files.Elementary(
            pin.file, files.LINEAR_VARIABLE_TLV, 0, lambda pin=pin: bytes(
                (0x01, 0x80, pin.reference & ~profiles.LOCAL, states[df.fid, pin.reference].left,
                 states[df.fid, pin.reference].tries))))


def _pin_record(pin, state):
    """A0 { 83 reference, 90 tries, tries left }"""
    return tlv(0xA0, tlv(0x83, bytes((pin.reference,))), tlv(0x90, bytes((state.tries, state.left))))


def _key_record(key):
    """A0 { 83 reference } and the templates that may name it."""
    reference = bytes((key.reference,))
    return tlv(0xA0, tlv(0x83, reference)) + b"".join(
        tlv(template, tlv(0x84, reference)) for template, usage in TEMPLATES.items()
        if usage in key.usage)


def _key_attributes(key):
    """OpenSC reads the second byte: 04 deciphers, 08 signs."""
    return bytes((0x01, 0x04 * ("decipher" in key.usage) | 0x08 * ("sign" in key.usage)))
