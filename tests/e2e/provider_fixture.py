"""Starts the simulated provider on loopback, in a directory of its own, for tests."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import uuid
from pathlib import Path

sys.dont_write_bytecode = True
SOURCE = Path(os.environ.get("SRCDIR", Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(SOURCE / "contrib" / "sandbox"))

import pki  # noqa: E402
from provider_client import Client, element  # noqa: E402

OPTIONS = ("confirmation-of-dispatch", "confirmation-of-receipt", "confirmation-of-retrieve",
           "authoritative", "private")
SENDER = "alice@firm.de-mail.de"
BOB, CARLA, NOBODY = (f"{name}@other.de-mail.de" for name in ("bob", "carla", "nobody"))


class Simulator:
    """The running provider, its certificates, and what it wrote."""

    def __init__(self, key_type="rsa", signer_type="rsa", pss=False):
        self._temporary = tempfile.TemporaryDirectory(prefix="demail-provider-")
        self.directory = Path(self._temporary.name)
        ca = pki.make_ca(self.directory)
        self.ca = ca.file
        pki.make_server(self.directory, ca)
        self.signer = pki.make_signer(self.directory, ca, "signer", signer_type)
        self.other = pki.make_signer(self.directory, ca, "other")
        self.firm = pki.make_client(self.directory, ca, "firm", key_type)
        self.rival = pki.make_client(self.directory, ca, "rival")
        self.stranger = pki.make_client(self.directory, ca, "stranger")
        outside = self.directory / "outside"
        outside.mkdir()
        self.outsider = pki.make_client(outside, pki.make_ca(outside), "firm")
        self.key_type = key_type
        account = {"holder": "Firm GmbH", "authLevel": "high", "rights": list(OPTIONS),
                   "maxMessageBytes": 48 << 20}
        self.config = {
            "endpoint": "https://localhost:{port}/demail",
            "listen": {"address": "127.0.0.1", "port": 0},
            "tls": {"certificate": "server.pem", "key": "server.key", "ca": "ca.pem"},
            "signer": {"certificate": "signer.pem", "key": "signer.key", "pss": pss},
            "other_signer": {"certificate": "other.pem", "key": "other.key"},
            "accounts": [
                {**account, "name": "firm", "certificates": [self.firm.sha256],
                 "domains": ["firm.de-mail.de"]},
                {**account, "name": "rival", "certificates": ["sha256:" + self.rival.sha256],
                 "domains": ["rival.de-mail.de"], "authLevel": "normal", "maxMessageBytes": 2000,
                 "addresses": ["max@rival.de-mail.de"], "messagesPerDay": 2,
                 "rights": ["confirmation-of-dispatch", "authoritative"]}],
            "domains": {"version": "7", "list": ["firm.de-mail.de", "other.de-mail.de"]},
            "recipients": {"unknown": [NOBODY], "normal": [CARLA]}}
        self.write("provider.json", self.config)
        self.start()

    def write(self, name, value):
        temporary = self.directory / f".{name}"
        temporary.write_text(json.dumps(value), "utf-8")
        temporary.rename(self.directory / name)

    def start(self):
        self.process = subprocess.Popen(
            [SOURCE / "contrib" / "sandbox" / "demail-provider", "--directory", self.directory])
        deadline = time.monotonic() + 30
        while not (self.directory / "port").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the simulated provider does not start")
            time.sleep(0.02)
        port = int((self.directory / "port").read_text())
        self.endpoint = f"https://localhost:{port}/demail"

    def stop(self):
        """Seconds until it had ended."""
        begin = time.monotonic()
        self.process.terminate()
        if self.process.wait(timeout=10) != 0:
            raise RuntimeError("the simulated provider did not end well")
        return time.monotonic() - begin

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        if self.process.poll() is None:
            self.stop()
        self._temporary.cleanup()

    def client(self, identity=None, key_type=None):
        return Client(self.endpoint, self.ca, identity or self.firm,
                      key_type or (self.key_type if identity in (None, self.firm) else "rsa"),
                      self.signer.sha256)

    def faults(self, *entries):
        self.write("faults.json", list(entries))

    def requests(self):
        path = self.directory / "requests.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def accepted(self):
        """[(submission.json, content.eml)]"""
        return [(json.loads((entry / "submission.json").read_text()),
                 (entry / "content.eml").read_bytes())
                for entry in sorted((self.directory / "accepted").iterdir())]


class ProviderTest(unittest.TestCase):
    """One simulator for the tests of a class."""
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.simulator = Simulator(**cls.settings)
        cls.addClassCleanup(cls.simulator.close)

    def setUp(self):
        self.client = self.simulator.client()
        self.addCleanup(self.simulator.faults)


def submit(private_id=None, sender=SENDER, recipients=((BOB, "to"),), options=()):
    """A Submit element, its content left empty."""
    return element("Submit", ("privateId", private_id or new_id()), ("sender", sender),
                   *(("recipient", address, {"field": field}) for address, field in recipients),
                   *(("option", option) for option in options), ("content", None))


def new_id():
    return "g1-" + uuid.uuid4().hex + "00000000"


def content_for(request, body=b"Hello\r\n", **changes):
    """The message that agrees with a Submit element. changes: field name with _ for -; None leaves
    the field out, a list repeats it."""
    def texts(name):
        return [node for node in request.iter(f"{{*}}{name}")]
    by_field = {}
    for node in texts("recipient"):
        by_field.setdefault(node.get("field"), []).append(node.text)
    options = [node.text for node in texts("option")]
    sender = texts("sender")[0].text
    fields = {f"x-de-mail-{option}": "yes" if option in options else "no" for option in OPTIONS}
    fields |= {
        "x-de-mail-sender": sender,
        "x-de-mail-chosen-recipient": ";".join(
            f"{field}={','.join(addresses)}" for field, addresses in by_field.items()),
        "x-de-mail-private-id": texts("privateId")[0].text,
        "From": f"Alice <{sender}>", "Subject": "Greetings",
        "To": ", ".join(by_field.get("to", ["Erika <erika@example.org>"]))}
    if "cc" in by_field:
        fields["Cc"] = ", ".join(by_field["cc"])
    names = {name.lower(): name for name in fields}
    for name, value in changes.items():
        name = name.replace("_", "-")
        fields[names.get(name.lower(), name)] = value
    lines = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                lines.append(f"{name}: {one}\r\n")
    return "".join(lines).encode("utf-8") + b"\r\n" + body
