"""A gateway whose users really log in, with two accounts at two providers, for tables of cases.

The rules are tests/data/rights/rules.toml; the users are whom it names, and a few strangers.
"""

import base64
import json
import os
import shutil

from harness import SOURCE, EndToEnd, wait_for
from sasl import Dovecot

import pki
from daemons import RELAY_USER, give_away
from process import Process
from sandbox import free_port

TABLES = os.path.join(SOURCE, "tests/data/rights")
PASSWORD = "correct horse"
USERS = ("anna", "ANNA", "anna@firm.example", "carl", "mallory", "paul", "rose", "shop", "otto",
         "nobody", "fax", "eve")
# Addresses for documentation and inside nets: Postfix relays for all of them, so that what refuses
# a De-Mail is the milter.
NETWORKS = "127.0.0.0/8 10.0.0.0/7 172.16.0.0/12 192.168.0.0/16 192.0.2.0/24 [2001:db8::]/32 [::1]/128"


class SecondProvider:
    """Another provider, with one account "shop" of level normal and few rights."""

    def __init__(self, box):
        self.box = box
        self.directory = os.path.join(box.directory, "provider2")
        self.port = free_port()
        self.process = Process("provider2", [*box.provider.command[:-1], self.directory],
                               box.directory)

    def create(self):
        box = self.box
        os.makedirs(self.directory)
        authority = pki.load_ca(os.path.join(box.directory, "pki"))
        certificate = box.token.make_key(
            "shop-auth", "03", lambda public: pki.issue_client(authority, public, "shop"))
        pki.make_server(self.directory, authority)
        signer = pki.make_signer(self.directory, authority, "signer")
        shutil.copy(authority.file, os.path.join(self.directory, "ca.pem"))
        content = box.provider_json()
        content["listen"]["port"] = self.port
        content.pop("other_signer")
        content["accounts"] = [{
            "name": "shop", "holder": "Shop AG", "authLevel": "normal",
            "certificates": [pki.sha256_of(certificate)], "domains": ["shop.de-mail.de"],
            "rights": ["confirmation-of-dispatch", "confirmation-of-receipt"],
            "maxMessageBytes": 20000}]
        with open(os.path.join(self.directory, "provider.json"), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
        return f"""\
[[provider]]
name = "second"
profile = "reference"
endpoint = "https://localhost:{self.port}/demail"
ca_file = "{authority.file}"
reply_signer = ["sha256:{signer.sha256}"]
auth_key = "{box.token.uri('shop-auth')}"
"""

    def accepted(self):
        base = os.path.join(self.directory, "accepted")
        found = []
        for name in sorted(os.listdir(base)) if os.path.isdir(base) else ():
            if not name.startswith("."):
                with open(os.path.join(base, name, "submission.json"), encoding="utf-8") as file:
                    entry = json.load(file)
                with open(os.path.join(base, name, "content.eml"), "rb") as file:
                    found.append({**entry, "content": file.read()})
        return found


class RightsWorld(EndToEnd):
    """cls.second is the second provider; `policy` (lines of [policy]) may change between groups of
    cases by use_policy()."""

    @classmethod
    def prepare(cls):
        box = cls.box
        world = box.provider_json()
        world["domains"]["list"].append("shop.de-mail.de")
        box.write_provider(world)
        cls.second = SecondProvider(box)
        provider = cls.second.create()
        give_away(box.token.directory, RELAY_USER)  # the new key was made by root
        cls.senders = os.path.join(box.directory, "senders")
        shutil.copy(os.path.join(TABLES, "senders"), cls.senders)
        os.chmod(cls.senders, 0o644)
        with open(os.path.join(TABLES, "rules.toml"), encoding="utf-8") as file:
            rules = file.read().replace('"senders"', f'"{cls.senders}"')
        text = box.daemons.configuration()
        cls.base = text[:text.index("[[account]]")] + provider + rules
        cls.write_policy("")
        cls.dovecot = Dovecot(box.directory, box.postfix.spool,
                              dict.fromkeys(USERS, PASSWORD))
        cls.dovecot.create()
        box.postfix.configure({
            **Dovecot.SETTINGS, "mynetworks": NETWORKS,
            # XCLIENT does not change that Postfix sees one of its own addresses there.
            "local_header_rewrite_clients": "",
            "virtual_mailbox_domains": "firm.example, netz.example, shop.example"})
        for process in (cls.second.process, cls.dovecot):
            cls.addClassCleanup(process.stop)
            process.start()
        cls.second.process.wait_until(
            lambda: os.path.exists(os.path.join(cls.second.directory, "port")), "its port")

    @classmethod
    def write_policy(cls, lines):
        cls.box.daemons.write_configuration(cls.base.replace(
            '[policy]\nmixed_recipients = "allow"\n', "[policy]\n" + lines))

    @classmethod
    def use_policy(cls, lines):
        """Has the milter read it."""
        cls.write_policy(lines)
        milter = cls.box.milter
        said = lambda: milter.log().count("has been read again")  # noqa: E731
        before = said()
        os.kill(milter.pid, 1)
        wait_for(lambda: said() > before, 10, "the milter to read its configuration again")

    def log_in(self, client, login, password=PASSWORD):
        words = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
        return client.command(f"AUTH PLAIN {words}")
