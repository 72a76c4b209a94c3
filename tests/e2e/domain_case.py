"""What tests of the domain list share: what the provider names, and where a domain stands then."""

import json
import subprocess

from harness import BUILD, EndToEnd, wait_for
from daemons import find_program


class DomainCase(EndToEnd):
    # A host whose mydestination has a domain, too.
    options = {"settings": {"mydestination": "home.example",
                            "local_transport": "$virtual_transport", "local_recipient_maps": ""}}
    version = 1

    @classmethod
    def provide(cls, names, version=None, full=False):
        cls.version += 1
        provider = cls.box.provider_json()
        provider["domains"] = {"version": version or str(cls.version), "list": names, "full": full}
        cls.box.write_provider(provider)
        return provider["domains"]["version"]

    def begin(self):
        super().setUp()
        self.before_submits = len(self.box.requests("Submit"))

    def ctl(self, *words):
        done = subprocess.run(
            [find_program(BUILD, "demailctl"), "--config", self.box.daemons.config_file, *words],
            capture_output=True, text=True, check=False, timeout=60)
        return done.stdout + done.stderr

    def domains(self):
        return json.loads(self.ctl("domains", "--json"))

    def text(self):
        """What the milter reads: {domain: state}"""
        with open(self.box.daemons.domains, encoding="ascii") as file:
            return dict(line.split() for line in file)

    def index(self):
        """What Postfix reads."""
        table = self.box.postfix.run("postconf", "-h", "default_database_type").decode().strip()
        lines = self.box.postfix.run("postmap", "-s", f"{table}:{self.box.daemons.domains}")
        return dict(line.split() for line in lines.decode().splitlines())

    def standing(self, name):
        """(state in the text, state in the index)"""
        return self.text().get(name.lower()), self.index().get(name.lower())

    def settle(self):
        """Postfix notices a new index within ten seconds, or now."""
        self.box.postfix.reload()

    def refresh(self, names, **how):
        """The provider sends this from now on; returns when the relay has judged it."""
        version = self.provide(names, **how)
        asked = len(self.box.requests("GetDomains"))
        self.ctl("domains", "--refresh")
        wait_for(lambda: len(self.box.requests("GetDomains")) > asked, 60, "the question")
        return version

    def goes_to(self, where, recipient):
        """An ordinary message to the address arrives there and nowhere else."""
        self.settle()
        self.begin()
        self.send([recipient])
        copy, = self.kept(where, 1)
        self.assertEqual(copy["recipients"], [recipient])
        self.assertEqual(len(self.box.accepted()), self.before["accepted"])
        self.assertEqual(len(self.box.requests("Submit")), self.before_submits)
