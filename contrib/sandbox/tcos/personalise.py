"""A new card: its keys, and the certificates that an authority gives them."""
import os
import secrets

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

import pki

from . import store
from .apdu import tlv
from .profiles import PROFILES, keys_of

# Certificate files that the card's maker wrote hold SEQUENCE { OID, Certificate }; which OID is
# assumed: 2.5.4.36, userCertificate.
OID = bytes.fromhex("0603550424")


def make(directory, profile, authority, name="firm", iccsn=None, atr=None, days_left=None):
    """Writes a card of the profile (a name) into the new DIRECTORY and returns it. `authority`
    (pki.Authority) signs the certificates; its directory may be given instead, where a CA is made
    when none is there. The PINs are the profile's. days_left: until the certificates end."""
    profile = PROFILES[profile]
    if isinstance(authority, (str, os.PathLike)):
        os.makedirs(authority, exist_ok=True)
        there = os.path.exists(os.path.join(authority, "ca.key"))
        authority = pki.load_ca(authority) if there else pki.make_ca(authority)
    # 89 49 017: issuer identifier of TeleSec's cards.
    iccsn = iccsn or f"8949017{secrets.randbelow(10**13):013d}"
    card = store.new(directory, profile, iccsn, atr)
    for place, key in keys_of(profile).items():
        card.keys[place] = rsa.generate_private_key(65537, key.bits)
    for application in profile.applications:
        roles = {key.reference: key.role for key in application.keys}
        for file in application.certificates:
            content = b""
            if file.key:
                public = card.keys[application.df, file.key].public_key()
                content = _certificate(authority, public, roles[file.key], file, name, days_left)
            card.files[application.df, file.file] = content.ljust(file.size, b"\0")
    card.save_all()
    return card


def certificate(card, role):
    """PEM of the card's (store.Stored) certificate for "auth", "sign" or "enc": what a provider is
    told of its customer."""
    keys = keys_of(card.profile)
    for application in card.profile.applications:
        for file in application.certificates:
            if file.key and not file.issuer and not file.expired \
                    and keys[application.df, file.key].role == role:
                content = card.files[application.df, file.file]
                der = content[4 + len(OID):] if file.prefix else content
                length = 4 + int.from_bytes(der[2:4], "big")  # they have 256 octets and more
                return x509.load_der_x509_certificate(der[:length]).public_bytes(Encoding.PEM)
    raise ValueError(f"a {card.profile.name} card has no certificate for {role}")


def _certificate(authority, public, role, file, name, days_left):
    kind = "issuer" if file.issuer else role
    common_name = f"{name} {role} (issuer)" if file.issuer else f"{name} {role}"
    der = pki.issue_for_card(authority, public, common_name, kind,
                             -365 if file.expired else days_left).public_bytes(Encoding.DER)
    return tlv(0x30, OID, der) if file.prefix else der
