"""demail-directory: rights from LDAP, in full or not at all, and gone again within a minute."""

import os
import shutil
import socket
import subprocess
import threading
import time

from harness import ANNA, BOB, BUILD, SOURCE, EndToEnd, Refused, main, wait_for
import pki
from daemons import find_program, give_away
from sandbox import free_port
from slapd import PASSWORD, READER, SUFFIX, Slapd, ldif, person

DIRECTORY_USER = 61105  # beside those in daemons.py
BEA = "bea@firm.example"


class Directory(EndToEnd):
    options = {"rules": ""}
    limits = "sizelimit unlimited"

    @classmethod
    def prepare(cls):
        cls.state = os.path.join(cls.box.directory, "directory")
        cls.file = os.path.join(cls.state, "senders")
        cls.password = os.path.join(cls.state, "password")
        os.makedirs(cls.state, 0o755)
        with open(os.open(cls.password, os.O_CREAT | os.O_WRONLY, 0o600), "w",
                  encoding="ascii") as file:
            file.write(PASSWORD + "\n")
        give_away(cls.state, DIRECTORY_USER)
        os.chown(cls.state, DIRECTORY_USER, DIRECTORY_USER)
        cls.slapd = Slapd(cls.box.directory)
        cls.slapd.create(pki.load_ca(os.path.join(cls.box.directory, "pki")), cls.limits)
        cls.slapd.start()
        cls.addClassCleanup(cls.slapd.stop)
        plain = cls.box.daemons.configuration()
        cls.plain = plain.replace(
            'domains = ["firm.de-mail.de"]\n',
            f'domains = ["firm.de-mail.de"]\nsenders_file = "{cls.file}"\nsenders_max_age = 60\n')
        cls.configure()

    # By its number: libldap takes localhost for the host's own name.
    @classmethod
    def configure(cls, url=None, ca_file=None, more=""):
        cls.box.daemons.write_configuration(f"""\
{cls.plain}
[directory]
account = "firm"
url = "{url or f'ldaps://127.0.0.1:{cls.slapd.tls}'}"
ca_file = "{ca_file or os.path.join(cls.box.directory, 'pki/ca.pem')}"
bind_dn = "{READER}"
password_file = "{cls.password}"
base = "ou=people,{SUFFIX}"
filter = "(&(objectClass=deMailUser)(!(uid=%a)))"
from = "deMailFrom"
as = "deMailAddress"
login = "deMailLogin"
allow_attribute = "deMailOption"
timeout = 5
{more}""")

    def setUp(self):
        super().setUp()
        self.slapd.add(person("anna", deMailOption=["private"]), person("bea"))
        self.addCleanup(self.slapd.delete, "anna", "bea", "eve")
        self.run_it()

    def run_it(self, code=0, **environment):
        """One run; what it said."""
        done = subprocess.run(
            [find_program(BUILD, "demail-directory"), "--config", self.box.daemons.config_file],
            capture_output=True, text=True, check=False, timeout=60, user=DIRECTORY_USER,
            group=DIRECTORY_USER, extra_groups=[],
            env={**os.environ, "DEMAIL_LOG": "stderr", **environment})
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def kept(self, sink=None, *arguments):
        """Of the file where no sink is named."""
        if sink:
            return super().kept(sink, *arguments)
        with open(self.file, encoding="utf-8") as file:
            return file.read()

    def fails(self, words, **environment):
        """A run says so, and the file stays as it is."""
        before, age = self.kept(), os.stat(self.file).st_mtime
        self.assertIn(words, self.run_it(75, **environment))
        self.assertEqual((self.kept(), os.stat(self.file).st_mtime), (before, age))


class Rights(Directory):
    def test_entries_become_rights(self):
        self.assertEqual(self.kept(),
                         "anna@firm.example anna@firm.de-mail.de login=anna allow=private\n"
                         "bea@firm.example bea@firm.de-mail.de login=bea\n")
        self.assertEqual(os.stat(self.file).st_mode & 0o7777, 0o644)
        time.sleep(1.1)
        self.send([BOB])
        self.accepted(1)
        self.assertIn("5.7.1", self.refused([BOB], login="bea"))
        self.assertIn("5.7.1", self.refused([BOB], sender="eve@firm.example", login="eve"))

    def test_who_leaves_the_directory_sends_no_more(self):
        self.box.relay.stop()
        time.sleep(1.1)
        self.send([BOB])
        began = time.monotonic()
        self.slapd.delete("anna")
        self.run_it()
        wait_for(lambda: "550 5.7.1" in self.reply_to(ANNA, "anna"), 10, "the right to be gone")
        # What the timer adds.
        with open(os.path.join(SOURCE, "milter/units/demail-directory.timer"),
                  encoding="ascii") as file:
            self.assertRegex(file.read(), r"(?m)^OnCalendar=\*:\*:0/30$")
        self.assertLess(time.monotonic() - began, 25)
        self.box.daemons.start_relay()
        self.box.postfix.flush()
        self.assertIn("may no longer send De-Mail", " ".join(self.bounce().split()))
        self.send([BOB], sender=BEA, login="bea")
        self.accepted(1)

    def reply_to(self, sender, login):
        try:
            with self.box.client(login=login) as client:
                client.envelope(sender, [BOB])
                client.command("RSET")
        except Refused as refused:
            return refused.reply
        return "250"

    def test_while_the_server_is_away_the_last_answer_counts_until_it_is_too_old(self):
        self.slapd.stop()
        try:
            self.fails("cannot be reached")
            time.sleep(1.1)
            self.send([BOB])
            self.accepted(1)
            old = time.time() - 61
            os.utime(self.file, (old, old))
            wait_for(lambda: "451 4.3.0" in self.reply_to(ANNA, "anna"), 10, "451")
        finally:
            self.slapd.start()
        # The same answer makes the file new again.
        inode = os.stat(self.file).st_ino
        self.run_it()
        self.assertEqual(os.stat(self.file).st_ino, inode)
        wait_for(lambda: self.reply_to(ANNA, "anna") == "250", 10, "the right to be back")

    def test_check_config_tells_what_is_wrong(self):
        program = find_program(BUILD, "demail-directory")
        check = [program, "--check-config", "--config", self.box.daemons.config_file]
        self.assertEqual(subprocess.run(check, capture_output=True, check=False).returncode, 0)
        self.addCleanup(self.configure)
        for url in ("ldap:/127.0.0.1", "http://127.0.0.1", "ldaps://a ldap://b", "ldaps://a/b?c"):
            self.configure(url=url)
            done = subprocess.run(check, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 78)
            self.assertIn("url in [directory] must be", done.stderr)
        self.configure(more='filtre = "x"')
        self.assertEqual(subprocess.run(check, capture_output=True, check=False).returncode, 78)


class Tls(Directory):
    def tearDown(self):
        self.configure()

    def test_start_tls_does_as_well(self):
        self.slapd.add(person("eve"))
        self.configure(url=f"ldap://127.0.0.1:{self.slapd.plain}")
        self.run_it()
        self.assertIn("eve@firm.example", self.kept())

    def test_a_server_of_another_authority_is_refused(self):
        other = os.path.join(self.box.directory, "other")
        os.makedirs(other, exist_ok=True)
        self.addCleanup(shutil.rmtree, other)
        pki.make_ca(other)
        for url in (f"ldaps://127.0.0.1:{self.slapd.tls}", f"ldap://127.0.0.1:{self.slapd.plain}"):
            self.configure(url=url, ca_file=os.path.join(other, "ca.pem"))
            self.fails("certificate is not one that ca_file vouches for")
            # Nothing of the environment opens a way.
            self.fails("certificate is not one", LDAPTLS_REQCERT="never", LDAPNOINIT="",
                       LDAPTLS_CACERT=os.path.join(self.box.directory, "pki/ca.pem"))

    def test_a_server_of_another_name_is_refused(self):
        self.configure(url=f"ldaps://127.0.0.2:{self.slapd.tls}")
        port = free_port()
        listener = socket.create_server(("127.0.0.2", port))
        self.addCleanup(listener.close)

        def forward():
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", self.slapd.tls))
            back = threading.Thread(target=pump, args=(server, client))
            back.start()
            pump(client, server)
            back.join()
        thread = threading.Thread(target=forward)
        thread.start()
        self.configure(url=f"ldaps://127.0.0.2:{port}")
        self.fails("certificate is not one")
        thread.join()

    def test_without_tls_no_password_leaves(self):
        heard = []
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def refuse():
            client, _ = listener.accept()
            with client:
                heard.append(client.recv(4096))
                # ExtendedResponse, protocolError
                client.sendall(bytes.fromhex("300c02010178070a010204000400"))
                client.settimeout(5)
                try:
                    heard.append(client.recv(4096))
                except OSError:
                    pass
        thread = threading.Thread(target=refuse)
        thread.start()
        self.configure(url=f"ldap://127.0.0.1:{listener.getsockname()[1]}")
        self.fails("TLS with the directory could not be started")
        thread.join()
        self.assertIn(b"1.3.6.1.4.1.1466.20037", heard[0])
        self.assertNotIn(PASSWORD.encode(), b"".join(heard))
        self.assertNotIn(b"reader", b"".join(heard))

    def test_a_wrong_password_is_said_and_not_shown(self):
        with open(self.password, "w", encoding="ascii") as file:
            file.write("guessed\n")
        try:
            self.fails("refuses the login")
            self.assertNotIn("guessed", self.run_it(75))
        finally:
            with open(self.password, "w", encoding="ascii") as file:
                file.write(PASSWORD + "\n")


def pump(source, target):
    try:
        while octets := source.recv(65536):
            target.sendall(octets)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Hostile(Directory):
    def test_no_value_makes_a_rule_of_its_own(self):
        evil = "eve@firm.example eve@firm.de-mail.de login=any"
        for values in ({"deMailFrom": f"eve@firm.example\n{evil}"},
                       {"deMailFrom": f"{evil} x"},
                       {"deMailFrom": "*@firm.example"},
                       {"deMailFrom": '"eve eve"@firm.example'},
                       {"deMailFrom": b"eve@firm.example\0"},
                       {"deMailFrom": b"eve\xff@firm.example"},
                       {"deMailAddress": f"eve@firm.de-mail.de login=any\n{evil}"},
                       {"deMailAddress": "eve@other.de-mail.de"},
                       {"deMailLogin": "any"}, {"deMailLogin": "*"},
                       {"deMailLogin": "eve network=0.0.0.0/0"}, {"deMailLogin": "eve\r\n" + evil},
                       {"deMailOption": "private,authoritative"}, {"deMailOption": "private\n"},
                       {"deMailLogin": "x" * 5000}):
            with self.subTest(values):
                self.slapd.add(person("eve", **values))
                self.fails("the entry uid=eve,")
                self.slapd.delete("eve")
        self.run_it()

    def test_exactly_one_value_and_one_entry(self):
        for values, words in (
                ({"deMailFrom": ["eve@firm.example", "e@firm.example"]}, "more than one sender"),
                ({"deMailAddress": ["a@firm.de-mail.de", "b@firm.de-mail.de"]}, "more than one De-"),
                ({"deMailLogin": ["eve", "anna"]}, "more than one login"),
                ({"deMailLogin": []}, "has no login"),
                ({"deMailFrom": "ANNA@firm.example"}, "as another"),
                ({"deMailAddress": "Bea@FIRM.de-mail.de"}, "as another")):
            with self.subTest(values):
                self.slapd.add(person("eve", **values))
                self.fails(words)
                self.slapd.delete("eve")

    def test_a_referral_is_not_the_whole(self):
        name = f"ou=elsewhere,ou=people,{SUFFIX}"
        self.slapd.add(ldif(name, objectClass=["referral", "extensibleObject"], ou="elsewhere",
                            ref="ldap://other.example/dc=x"))
        try:
            self.fails("refers to another one")
        finally:
            subprocess.run(["ldapdelete", "-x", "-M", "-H", self.slapd.local, "-D",
                            f"cn=root,{SUFFIX}", "-w", "root", name], check=True,
                           capture_output=True)

    def test_the_account_in_the_filter_is_a_value(self):
        # (!(uid=firm)) in the filter
        self.slapd.add(person("firm"))
        self.addCleanup(self.slapd.delete, "firm")
        self.run_it()
        self.assertNotIn("firm@firm.example", self.kept())

    def test_nobody_left_is_an_answer_too(self):
        self.slapd.delete("anna", "bea")
        self.assertIn('entries="0"', self.run_it().replace("entries=0", 'entries="0"'))
        self.assertEqual(self.kept(), "")


class Many(Directory):
    def test_all_pages_are_read(self):
        self.slapd.stop()
        self.slapd.load("".join(person(f"p{i}") for i in range(2500)))
        self.slapd.start()
        self.run_it()
        lines = self.kept().splitlines()
        self.assertEqual(len(lines), 2502)
        self.assertIn("p2499@firm.example p2499@firm.de-mail.de login=p2499", lines)


class Limited(Directory):
    limits = "sizelimit 500"  # slapd's own

    def test_a_limit_that_was_reached_is_not_the_whole(self):
        self.slapd.stop()
        self.slapd.load("".join(person(f"p{i}") for i in range(2500)))
        self.slapd.start()
        self.fails("not answered in full")


if __name__ == "__main__":
    main()
