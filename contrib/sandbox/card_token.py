"""A virtual TCOS card behind demail-cardd and its PKCS#11 module, in the place of SoftHSM's token
(softhsm.py): what the sandbox asks of a token, with the card's own keys."""

import os

from cardd import CARDD_USER, Cardd, unattended
from pcscd import Pcscd
from softhsm import run
from tcos import profiles
from virtual_card import VirtualCard

PIN = "123456"


class CardToken:
    """Below DIRECTORY: pcscd, card, cardd. `environment` is what a user of the token must have.
    unlocked: demail-cardd gets the PIN from a file; else a person has to unlock the card."""

    kind = "card"
    readers = 1
    days_left = None  # until the card's certificates end

    def __init__(self, directory, build_directory, profile="netkey-v3", unlocked=True):
        self.unlocked = unlocked
        self.base = os.path.realpath(directory)
        self.directory = os.path.join(self.base, "token")  # the relay's; empty
        self.pcscd = Pcscd(self.base, self.readers)
        self.card = VirtualCard(self.base, self.pcscd, profile)
        # demailctl gives a PIN to root or to the host's user demail-cardd alone.
        self.cardd = Cardd(self.base, build_directory, self.pcscd, {
            "user": CARDD_USER, "group": CARDD_USER, "extra_groups": []} if unlocked else None)
        self.environment = self.cardd.environment
        # The signature key of a NetKey card takes no SHA-256; its authentication key does.
        self.signs_with = "demail-auth" if profile.startswith("netkey") else "demail-sign"

    def create(self, authority, relay_user):
        os.makedirs(self.directory, exist_ok=True)
        self.card.authority = authority
        self.iccsn = self.card.create(days_left=self.days_left).iccsn
        self.pcscd.create()
        self.cardd.create()  # the directories
        pin_file = self.cardd.write_pin(PIN) if self.unlocked else None
        self.rules = f'[[allow]]\nkey = "demail-*"\nuser = "{relay_user}"\n'
        self.cardd.create(unattended(self.card, pin_file, self.iccsn), self.rules)

    def make_key(self, label, *_):
        """The certificate of a key that was on the card from the beginning."""
        return self.card.certificate(label.removeprefix("demail-"))

    def uri(self, label):
        label = self.signs_with if label == "demail-sign" else label
        return f"pkcs11:serial={self.iccsn[4:]};object={label}?module-path={self.cardd.module}"

    def tool(self, *arguments):
        """pkcs11-tool with demail-cardd's module."""
        return run(["pkcs11-tool", "--module", self.cardd.module, *arguments],
                   {**os.environ, **self.environment})

    @property
    def parts(self):
        return [self.pcscd.process, self.card, self.cardd.process]

    def start(self):
        self.pcscd.start()
        self.card.start()
        self.cardd.start()

    def stop(self):
        for part in (self.cardd, self.card, self.pcscd):
            part.stop()
