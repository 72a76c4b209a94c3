"""A card on disk: DIRECTORY/card.json (profile, ICCSN, PINs), keys/DF-REF.pem, files/DF-FID. As in
the plastic one, nothing in it is protected by anything but the card's program: mode 0700."""
import json
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization

from .profiles import PROFILES, pins_of


@dataclass
class PinState:
    value: str
    left: int
    tries: int
    null: bool = False


@dataclass
class Stored:
    directory: str
    profile: object
    iccsn: str                      # 20 digits
    atr: bytes
    pins: dict                      # (DF, reference): PinState
    keys: dict = field(default_factory=dict)   # (DF, reference): private key
    files: dict = field(default_factory=dict)  # (DF, FID): bytes

    def save(self):
        """The changing part; a power cut leaves the old or the new."""
        path = os.path.join(self.directory, "card.json")
        descriptor = os.open(path + ".part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump({"profile": self.profile.name, "iccsn": self.iccsn, "atr": self.atr.hex(),
                       "pins": {f"{df:04X}/{reference:02X}": vars(state)
                                for (df, reference), state in self.pins.items()}}, file, indent=1)
        os.rename(path + ".part", path)

    def save_all(self):
        for name in ("", "keys", "files"):
            os.makedirs(os.path.join(self.directory, name), mode=0o700, exist_ok=True)
        for (df, reference), key in self.keys.items():
            self._write("keys", f"{df:04X}-{reference:02X}.pem", key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()))
        for (df, fid), content in self.files.items():
            self._write("files", f"{df:04X}-{fid:04X}", content)
        self.save()

    def _write(self, kind, name, content):
        path = os.path.join(self.directory, kind, name)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)


def new(directory, profile, iccsn, atr=None):
    """Without keys and certificates."""
    return Stored(directory, profile, iccsn, bytes.fromhex(atr or profile.atr),
                  {place: PinState(pin.value, pin.tries, pin.tries)
                   for place, pin in pins_of(profile).items()})


def load(directory):
    with open(os.path.join(directory, "card.json"), encoding="ascii") as file:
        content = json.load(file)
    place = lambda text, by: tuple(int(part, 16) for part in text.split(by))  # noqa: E731
    card = Stored(directory, PROFILES[content["profile"]], content["iccsn"],
                  bytes.fromhex(content["atr"]),
                  {place(name, "/"): PinState(**state) for name, state in content["pins"].items()})
    for name in os.listdir(os.path.join(directory, "keys")):
        with open(os.path.join(directory, "keys", name), "rb") as file:
            card.keys[place(name.removesuffix(".pem"), "-")] = (
                serialization.load_pem_private_key(file.read(), None))
    for name in os.listdir(os.path.join(directory, "files")):
        with open(os.path.join(directory, "files", name), "rb") as file:
            card.files[place(name, "-")] = file.read()
    return card
