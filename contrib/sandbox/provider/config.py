"""DIR/provider.json: what the simulated provider is and whom it knows.

    {
      "endpoint": "https://localhost:{port}/demail",         {port}: the one that is listened on
      "listen": {"address": "127.0.0.1", "port": 0},         0: any; it is written to DIR/port
      "tls": {"certificate": "server.pem", "key": "server.key", "ca": "ca.pem",
              "minimum": "1.2", "maximum": "1.3", "ciphers": "…", "group": "secp521r1"},  optional
      "signer": {"certificate": "signer.pem", "key": "signer.key", "pss": false},
      "other_signer": {"certificate": "other.pem", "key": "other.key"},   for the fault of that name
      "accounts": [{
        "name": "firm", "holder": "Firm GmbH", "authLevel": "high",
        "certificates": ["64 hex digits, SHA-256 of the DER", …],         TLS and signing
        "domains": ["firm.de-mail.de"],
        "addresses": ["alice@firm.de-mail.de"],               optional: the only sender addresses
        "rights": ["confirmation-of-dispatch", …],
        "maxMessageBytes": 20971520,
        "messagesPerDay": 100                                 optional
      }],
      "domains": {"version": "1", "list": ["firm.de-mail.de", "other.de-mail.de", …],
                  "full": false},                          true: never "unchanged", whatever is known
      "recipients": {
        "unknown": ["nobody@other.de-mail.de"],               every other address at a listed domain exists
        "normal": ["carla@other.de-mail.de"]                  these have level normal: nothing private for them
      }
    }

File names are relative to DIR. domains and recipients are read again with every request, so that a
test can change them; the rest is read once.
"""
import json
from dataclasses import dataclass, field
from pathlib import Path

OPTIONS = ("confirmation-of-dispatch", "confirmation-of-receipt", "confirmation-of-retrieve",
           "authoritative", "private")


@dataclass(frozen=True)
class Account:
    name: str
    holder: str
    auth_level: str
    certificates: frozenset
    domains: tuple
    addresses: tuple
    rights: tuple
    max_message_bytes: int
    messages_per_day: int = 0

    def owns(self, address):
        """May this account send as this address?"""
        address = address.lower()
        if self.addresses:
            return address in self.addresses
        return self.owns_domain_of(address)

    def owns_domain_of(self, address):
        return address.lower().rpartition("@")[2] in self.domains


@dataclass(frozen=True)
class Signer:
    certificate: Path
    key: Path
    pss: bool = False


@dataclass
class Directory:
    """Who exists in the simulated world of De-Mail."""
    version: str
    domains: tuple
    full: bool = False
    unknown: frozenset = field(default_factory=frozenset)
    normal: frozenset = field(default_factory=frozenset)

    def exists(self, address):
        address = address.lower()
        local, _, domain = address.rpartition("@")
        return bool(local) and domain in self.domains and address not in self.unknown

    def level(self, address):
        return "normal" if address.lower() in self.normal else "high"


class Config:
    def __init__(self, directory):
        self.directory = Path(directory)
        raw = self._read()
        self.endpoint = raw["endpoint"]
        self.address = raw["listen"]["address"]
        self.port = raw["listen"]["port"]
        tls = raw["tls"]
        self.tls_certificate = self.directory / tls["certificate"]
        self.tls_key = self.directory / tls["key"]
        self.ca = self.directory / tls["ca"]
        self.tls_limits = {key: tls[key] for key in ("minimum", "maximum", "ciphers", "group")
                           if key in tls}
        self.signer = self._signer(raw["signer"])
        other = raw.get("other_signer")
        self.other_signer = self._signer(other) if other else None
        self.accounts = [_account(entry) for entry in raw["accounts"]]
        self.schema = Path(raw["schema"]) if "schema" in raw else _schema()

    def account_of(self, fingerprint):
        """The account to which a certificate belongs (SHA-256 of its DER in hex), or None."""
        for account in self.accounts:
            if fingerprint in account.certificates:
                return account
        return None

    def world(self):
        raw = self._read()
        recipients = raw.get("recipients", {})
        return Directory(str(raw["domains"]["version"]),
                         tuple(name.lower() for name in raw["domains"]["list"]),
                         bool(raw["domains"].get("full")),
                         frozenset(a.lower() for a in recipients.get("unknown", ())),
                         frozenset(a.lower() for a in recipients.get("normal", ())))

    def _read(self):
        return json.loads((self.directory / "provider.json").read_text("utf-8"))

    def _signer(self, raw):
        return Signer(self.directory / raw["certificate"], self.directory / raw["key"],
                      raw.get("pss", False))


def _account(raw):
    level = raw.get("authLevel", "high")
    rights = tuple(raw.get("rights", ()))
    unknown = [right for right in rights if right not in OPTIONS]
    if level not in ("normal", "high") or unknown:
        raise ValueError(f"account {raw['name']}: authLevel {level}, unknown rights {unknown}")
    return Account(
        raw["name"], raw.get("holder", raw["name"]), level,
        frozenset(_fingerprint(value) for value in raw["certificates"]),
        tuple(name.lower() for name in raw["domains"]),
        tuple(name.lower() for name in raw.get("addresses", ())),
        rights, int(raw.get("maxMessageBytes", 20 << 20)), int(raw.get("messagesPerDay", 0)))


def _fingerprint(value):
    text = value.lower().removeprefix("sha256:").replace(":", "")
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ValueError(f"not the SHA-256 of a certificate: {value}")
    return text


def _schema():
    """In the source tree, else where the package was installed with it."""
    here = Path(__file__).resolve()
    for candidate in (here.parents[3] / "xsd" / "provider.xsd", here.parent / "provider.xsd"):
        if candidate.exists():
            return candidate
    raise FileNotFoundError("provider.xsd: neither in the source tree nor beside the simulator")
