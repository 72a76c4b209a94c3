"""Several hosts with one seal key, one provider and one journal in PostgreSQL."""

import os
import re
import shutil

from harness import ANNA, BOB, BUILD, SOURCE, Client, EndToEnd, message, wait_for
from postgresql import Postgresql

from daemons import Daemons
from postfix import Postfix
from sandbox import free_port


class Host:
    """One host's parts, under the names that a sandbox has for them."""

    def __init__(self, name, box, postfix, daemons, port):
        self.name, self.postfix, self.daemons, self.port = name, postfix, daemons, port
        self.relay, self.milter = daemons.relay, daemons.milter
        self.box = box

    @classmethod
    def beside(cls, box, name):
        """A further one, with a seal key, token and provider in common."""
        directory = os.path.join(box.directory, name)
        os.makedirs(directory, mode=0o755)
        postfix = Postfix(os.path.join(directory, "postfix"),
                          os.path.join(SOURCE, "contrib/postfix"))
        daemons = Daemons(directory, BUILD, SOURCE, box.token, postfix)
        port = free_port()
        postfix.create(port, box.ports["internet"], box.ports["mailboxes"], daemons.domains)
        signer = re.search(r'reply_signer = \["sha256:([0-9a-f]+)"', box.daemons.configuration())
        daemons.create(f"https://localhost:{box.ports['provider']}/demail",
                       os.path.join(box.directory, "pki/ca.pem"), signer.group(1))
        shutil.copyfile(box.daemons.key_file, daemons.key_file)  # owner and mode stay
        return cls(name, box, postfix, daemons, port)

    def use_journal(self, url):
        text = re.sub(r'^journal = .*$', f'journal = "{url}"\nname = "{self.name}"',
                      self.daemons.configuration(), flags=re.M)
        self.daemons.write_configuration(text)

    def start(self):
        self.daemons.start_relay()
        self.relay.wait_until(self._has_domains, "the provider's domains in the list")
        self.daemons.start_milter()
        self.postfix.start()

    def _has_domains(self):
        try:
            with open(self.daemons.domains, encoding="utf-8") as file:
                return "other.de-mail.de" in file.read()
        except FileNotFoundError:
            return False

    def stop(self):
        for end in (self.postfix.stop, self.milter.stop, self.relay.stop):
            end()

    def send(self, word):
        content = message(ANNA, [BOB], text=f"{word}\n")
        with Client(self.port, login="anna") as client:
            client.send(ANNA, [BOB], content)

    def lmtp(self, content):
        with Client(self.postfix.lmtp_socket, lmtp=True) as client:
            return client.send(ANNA, [BOB], content)[0]


class TwoHosts(EndToEnd):
    """self.one is the sandbox's own host, self.two stands beside it."""

    @classmethod
    def prepare(cls):
        cls.database = Postgresql(cls.box.directory)
        cls.database.create()
        cls.database.start()
        cls.addClassCleanup(cls.database.stop)
        cls.one = Host("one", cls.box, cls.box.postfix, cls.box.daemons, cls.box.ports["smtp"])
        cls.two = Host.beside(cls.box, "two")
        for host in (cls.one, cls.two):
            host.use_journal(cls.database.url)
        cls.addClassCleanup(cls.two.stop)

    @classmethod
    def show_logs(cls):
        super().show_logs()
        for part in ("database", "two"):
            if hasattr(cls, part):
                log = cls.database.log() if part == "database" else \
                    cls.two.postfix.log()[-3000:] + cls.two.relay.log()
                print(f"--- {part}\n{log[-4000:]}")

    def setUp(self):
        super().setUp()
        self.addCleanup(self.box.faults)
        if not self.two.relay.pid:
            self.two.start()

    def words(self):
        """The words of the letters that the provider took since the test began."""
        return sorted(entry["content"].partition(b"\r\n\r\n")[2].decode().strip()
                      for entry in self.box.accepted()[self.before["accepted"]:])

    def all_once(self, words, timeout=60):
        wait_for(lambda: len(self.words()) >= len(words) and self.one.postfix.empty() and
                 self.two.postfix.empty(), timeout, f"{len(words)} submissions and empty queues")
        self.assertEqual(self.words(), sorted(words))
