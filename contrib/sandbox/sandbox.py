#!/usr/bin/python3
"""A whole De-Mail host under one directory: Postfix, token, provider, mail sinks, our daemons.

    sandbox.py start DIR [--build BUILD]    leaves it running
    sandbox.py status DIR
    sandbox.py send DIR --to ADDRESS…       hands a mail in as a user would
    sandbox.py stop DIR                     ends all its processes; DIR stays
"""

import argparse
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pki  # noqa: E402
from card_token import CardToken  # noqa: E402
from client import Client, message  # noqa: E402
from daemons import RELAY_USER, RULES, Daemons  # noqa: E402
from postfix import Postfix  # noqa: E402
from process import Failure, Process, wait_for  # noqa: E402
from softhsm import Token  # noqa: E402

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# sun_path holds 107 bytes; the longest socket in DIR has this tail.
LONGEST_SOCKET = "/postfix/spool/demail-milter/milter.sock"


def free_port():
    """Below the range from which the kernel gives ports to clients (ip(7)), so that none of them
    takes it before the server that it is for."""
    while True:
        port = 15000 + secrets.randbelow(15000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def fits(directory):
    """Can Postfix's own users reach it, and are the sockets' names short enough?"""
    if len(directory.encode()) + len(LONGEST_SOCKET) > 107:
        return False
    parent = directory
    while parent != "/":
        parent = os.path.dirname(parent)
        if os.path.exists(parent) and not os.stat(parent).st_mode & 0o001:
            return False
    return True


def choose_directory(wanted):
    """`wanted` where Postfix can work there, else a new directory below /tmp."""
    wanted = os.path.realpath(wanted)
    return wanted if fits(wanted) else tempfile.mkdtemp(prefix="demail-", dir="/tmp")


class Sandbox:
    """A context manager; everything is ended and, unless `keep`, removed at its end.

    Parts: postfix, token, provider, internet, mailboxes (Process each), daemons, milter, relay.
    """

    def __init__(self, directory, build_directory, keep=False, token=Token):
        """`token`: softhsm.Token, or card_token.CardToken for a virtual card."""
        self.directory = os.path.realpath(directory)
        self.keep = keep
        if not fits(self.directory):
            raise Failure(f"{self.directory}: the path is too long for a socket, or a directory "
                          "above it is closed to others; choose another, /tmp/demail for example")
        part = lambda name: os.path.join(self.directory, name)  # noqa: E731
        self.token = token(self.directory, os.path.realpath(build_directory))
        self.postfix = Postfix(part("postfix"), os.path.join(SOURCE, "contrib/postfix"))
        self.daemons = Daemons(self.directory, os.path.realpath(build_directory), SOURCE,
                               self.token, self.postfix)
        self.milter, self.relay = self.daemons.milter, self.daemons.relay
        here = os.path.dirname(os.path.abspath(__file__))
        self.provider_directory = part("provider")
        self.provider = Process("provider", [
            os.path.join(here, "demail-provider"), "--directory", self.provider_directory],
            self.directory)
        self.internet, self.mailboxes = (
            Process(name, [sys.executable, os.path.join(here, "sink.py"),
                           "--directory", part(name), *flags], self.directory)
            for name, flags in (("internet", []), ("mailboxes", ["--lmtp"])))
        self.parts = [self.internet, self.mailboxes, self.provider, self.relay, self.milter]

    # Making it

    def create(self, rules=RULES, extra="", key_type="rsa:2048", provider=None, **postfix):
        """Writes all files. `rules`, `extra`: lines of demail.toml; `provider`: changes of
        provider.json's first account; the rest goes to Postfix.create."""
        os.makedirs(self.directory, exist_ok=True)
        os.chmod(self.directory, 0o755)
        for name in ("pki", "token", "provider", "internet", "mailboxes"):
            os.makedirs(os.path.join(self.directory, name))
        self.ports = {"smtp": free_port(), "provider": free_port()}
        for sink in (self.internet, self.mailboxes):
            sink.start()
        for sink in (self.internet, self.mailboxes):
            self.ports[sink.name] = int(sink.wait_until(
                lambda name=sink.name: self._read(name, "port"), "its port"))
        with open(os.path.join(self.directory, "sandbox.json"), "w", encoding="utf-8") as file:
            json.dump({"ports": self.ports, "token": self.token.kind}, file)
        signer = self._create_provider(key_type, provider or {})
        self.postfix.create(self.ports["smtp"], self.ports["internet"], self.ports["mailboxes"],
                            self.daemons.domains, **postfix)
        self.daemons.create(f"https://localhost:{self.ports['provider']}/demail",
                            os.path.join(self.directory, "pki/ca.pem"), signer.sha256,
                            rules, extra)

    def _read(self, *path):
        try:
            with open(os.path.join(self.directory, *path), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def _create_provider(self, key_type, changes):
        authority = pki.make_ca(os.path.join(self.directory, "pki"))
        certificates = []
        self.token.create(authority, RELAY_USER)
        for label, object_id in (("demail-auth", "01"), ("demail-sign", "02")):
            certificates.append(pki.sha256_of(self.token.make_key(
                label, object_id, lambda public, name=label: pki.issue_client(
                    authority, public, f"firm {name}"), key_type)))
        pki.make_server(self.provider_directory, authority)
        signer = pki.make_signer(self.provider_directory, authority, "signer")
        pki.make_signer(self.provider_directory, authority, "other")
        shutil.copy(authority.file, os.path.join(self.provider_directory, "ca.pem"))
        account = {
            "name": "firm", "holder": "Firm GmbH", "authLevel": "high",
            "certificates": certificates, "domains": ["firm.de-mail.de"],
            "rights": ["confirmation-of-dispatch", "confirmation-of-receipt", "authoritative",
                       "private"],
            "maxMessageBytes": 48 << 20, **changes}
        self.write_provider({
            "endpoint": "https://localhost:{port}/demail",
            "listen": {"address": "127.0.0.1", "port": self.ports["provider"]},
            "tls": {"certificate": "server.pem", "key": "server.key", "ca": "ca.pem"},
            "signer": {"certificate": "signer.pem", "key": "signer.key"},
            "other_signer": {"certificate": "other.pem", "key": "other.key"},
            "accounts": [account],
            "domains": {"version": "1", "list": ["firm.de-mail.de", "other.de-mail.de"]},
            "recipients": {"unknown": ["nobody@other.de-mail.de"],
                           "normal": ["carla@other.de-mail.de"]}})
        return signer

    def write_provider(self, content):
        with open(os.path.join(self.provider_directory, "provider.json"), "w",
                  encoding="utf-8") as file:
            json.dump(content, file, indent=2)

    def provider_json(self):
        return json.loads(self._read("provider", "provider.json"))

    def faults(self, *entries):
        """How the provider misbehaves from now on (contrib/sandbox/provider/faults.py)."""
        path = os.path.join(self.provider_directory, "faults.json")
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump(entries, file)
        os.rename(path + ".part", path)

    def requests(self, operation):
        """The requests of that name which reached the provider, oldest first."""
        lines = self._read("provider", "requests.jsonl").splitlines()
        return [entry for entry in map(json.loads, lines) if entry["operation"] == operation]

    # Running it

    def start_provider(self):
        port = os.path.join(self.provider_directory, "port")
        if os.path.exists(port):
            os.unlink(port)
        self.provider.start()
        self.provider.wait_until(lambda: self._read("provider", "port"), "its port")

    def start(self):
        """Starts what create() made (the sinks run already) and waits for the domain list."""
        self.start_provider()
        self.token.start()
        self.daemons.start_relay()
        self.relay.wait_until(lambda: "other.de-mail.de" in self._read("state", "domains"),
                              "the provider's domains in the list")
        self.daemons.start_milter()
        self.postfix.start()

    def stop(self):
        faults = []
        for end in (self.postfix.stop, *(part.stop for part in reversed(self.parts)),
                    self.token.stop):
            try:
                end()
            except (Failure, OSError) as fault:
                faults.append(str(fault))
        if faults:
            raise Failure("; ".join(faults))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if not self.keep:
            shutil.rmtree(self.directory, ignore_errors=True)

    @classmethod
    def attach(cls, directory, build_directory):
        """A sandbox that another run started."""
        try:
            with open(os.path.join(directory, "sandbox.json"), encoding="utf-8") as file:
                known = json.load(file)
        except FileNotFoundError as none:
            raise Failure(f"{directory}: no sandbox is there") from none
        token = CardToken if known["token"] == CardToken.kind else Token
        sandbox = cls(directory, build_directory, keep=True, token=token)
        sandbox.ports = known["ports"]
        return sandbox

    # Using it

    def client(self, **identity):
        """An SMTP client at Postfix; identity: login, address (XCLIENT)."""
        return Client(self.ports["smtp"], **identity)

    def accepted(self):
        """What the provider took: [{…submission.json, "content": bytes}], oldest first."""
        base = os.path.join(self.provider_directory, "accepted")
        found = []
        for name in sorted(os.listdir(base)) if os.path.isdir(base) else ():
            path = os.path.join(base, name)
            if name.startswith("."):  # on its way into place
                continue
            with open(os.path.join(path, "submission.json"), encoding="utf-8") as file:
                entry = json.load(file)
            with open(os.path.join(path, "content.eml"), "rb") as file:
                entry["content"] = file.read()
            found.append(entry)
        return found

    def kept(self, sink):
        """What a sink took: [{"sender", "recipients", "helo", "content"}], oldest first."""
        base = os.path.join(self.directory, sink.name, "messages")
        found = []
        for name in sorted(os.listdir(base)) if os.path.isdir(base) else ():
            if name.endswith(".eml"):
                with open(os.path.join(base, name[:-4] + ".json"), encoding="utf-8") as file:
                    entry = json.load(file)
                with open(os.path.join(base, name), "rb") as file:
                    entry["content"] = file.read()
                found.append(entry)
        return found


def send(sandbox, options):
    login = options.login
    content = message(f"{login}@firm.example", options.to, options.subject, options.text)
    with sandbox.client(login=login) as client:
        reply = client.send(f"{login}@firm.example", options.to, content)
    print(reply)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("start", "status", "send", "stop"))
    parser.add_argument("directory")
    parser.add_argument("--build", default=os.getcwd(), help="where demail-milter was built")
    parser.add_argument("--to", nargs="+", default=["bob@other.de-mail.de"])
    parser.add_argument("--login", default="anna")
    parser.add_argument("--subject", default="Hello")
    parser.add_argument("--text", default="A letter from the sandbox.\n")
    options = parser.parse_args()
    try:
        if options.verb == "start":
            sandbox = Sandbox(options.directory, options.build, keep=True)
            try:
                sandbox.create()
                sandbox.start()
            except BaseException:
                sandbox.stop()
                raise
            return 0
        sandbox = Sandbox.attach(options.directory, options.build)
        if options.verb == "send":
            send(sandbox, options)
        elif options.verb == "stop":
            sandbox.stop()
        else:
            for part in (sandbox.postfix, *sandbox.token.parts, *sandbox.parts):
                name = getattr(part, "name", "postfix")
                print(f"{name:14} {'pid ' + str(part.pid) if part.pid else 'not running'}")
            print(f"{'SMTP port':14} {sandbox.ports['smtp']}")
            print(f"{'accepted':14} {len(sandbox.accepted())} submissions")
        return 0
    except Failure as fault:
        print(f"sandbox: {fault}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
