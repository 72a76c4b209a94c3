"""Hints from DNS: a domain that DNS alone names as De-Mail is refused rather than leaked, until DNS
or the administrator takes it back; no silence of DNS and no broken file does."""

import os
import signal
import subprocess
import time

from harness import ANNA, BUILD, main, message, wait_for
from daemons import find_program, give_away
from dns_server import DnsServer
from domain_case import DomainCase

DIRECTORY_USER = 61105  # beside those in daemons.py
TOWN, CITY = "town.example", "city.example"
WHY = "DNS names this domain as a De-Mail domain, but no De-Mail provider of ours lists it"
HINTED, NONE = ("hinted", "hinted"), (None, None)


class Hints(DomainCase):
    @classmethod
    def prepare(cls):
        cls.state = os.path.join(cls.box.directory, "directory")
        cls.watched = os.path.join(cls.box.directory, "watched-domains")
        cls.file = os.path.join(cls.state, "hinted-domains")
        os.makedirs(cls.state, 0o755)
        give_away(cls.state, DIRECTORY_USER)
        os.chown(cls.state, DIRECTORY_USER, DIRECTORY_USER)
        cls.dns = DnsServer(cls.box.directory)
        cls.dns.create()
        cls.addClassCleanup(cls.dns.end)
        postfix = cls.box.postfix
        alias = postfix.index(os.path.join(postfix.etc, "virtual"),
                              f"secretary@firm.example ida@{TOWN}\n")
        postfix.configure({"virtual_alias_maps": alias})
        cls.box.daemons.write_configuration(f"""\
{cls.box.daemons.configuration()}
[hints]
watched = "{cls.watched}"
file = "{cls.file}"
refresh = 3600
""")

    def setUp(self):
        self.dns.serve(TOWN)
        self.watch(TOWN)
        if os.path.exists(self.file):
            os.unlink(self.file)
        self.run_it()
        self.take_up()
        wait_for(lambda: self.standing(TOWN) == HINTED, 20, "the hint in the list")
        self.settle()
        self.begin()

    def watch(self, *domains):
        """Asks for these at the next run, whatever the file's age."""
        with open(self.watched, "w", encoding="utf-8") as file:
            file.write("# partners\n" + "".join(f"{domain}\n" for domain in domains))
        os.chmod(self.watched, 0o644)

    def run_it(self, code=0):
        """One run of the job, with the test's DNS; what it said."""
        identity = ("setpriv", f"--reuid={DIRECTORY_USER}", f"--regid={DIRECTORY_USER}",
                    "--clear-groups")
        done = subprocess.run(
            self.dns.inside(*identity, find_program(BUILD, "demail-directory"), "--config",
                            self.box.daemons.config_file),
            capture_output=True, text=True, check=False, timeout=60,
            env={**os.environ, "DEMAIL_LOG": "stderr"})
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def take_up(self):
        """The relay looks now and not within its half minute."""
        self.ctl("domains", "--refresh")

    def hinted(self):
        with open(self.file, encoding="ascii") as file:
            return file.read().split()

    def queries(self):
        return self.dns.server.log().count("query[SRV]")

    def refused_here(self, recipient=f"ida@{TOWN}"):
        self.assertRegex(self.refused([recipient]), rf"^550 5\.7\.1 {WHY}")
        self.nothing_left()

    def is_ordinary_again(self, timeout):
        wait_for(lambda: self.standing(TOWN) == NONE, timeout, "the hint to go")
        wait_for(lambda: "ordinary mail" in self.ctl(
            "test-address", f"ida@{TOWN}", "--from", ANNA, "--login", "anna"), 10)
        time.sleep(1.1)  # the milter looks once a second
        self.goes_to("internet", f"ida@{TOWN}")

    def test_a_hinted_domain_is_refused_with_the_reason(self):
        self.refused_here()
        self.refused_here(f"ida@{TOWN.upper()}.")
        self.assertRegex(self.refused([f"ida%{TOWN}@internet.example"]), r"^550 5\.1\.3 ")
        self.assertRegex(self.ctl("domains"), rf"(?m)^{TOWN} +hinted +its mail is refused: DNS ")
        one, = (each for each in self.domains()["domains"] if each["domain"] == TOWN)
        self.assertEqual((one["state"], one["where"]), ("hinted", "both"))
        answer = self.ctl("test-address", f"ida@{TOWN}", "--from", ANNA, "--login", "anna")
        self.assertIn(f"550 5.7.1 {WHY}", answer)
        self.assertIn("its state in demailctl domains is hinted", answer)
        self.assertIn("named as De-Mail by DNS: take it from the file",
                      self.ctl("domains", "forget", TOWN))
        self.assertEqual(self.standing(TOWN), HINTED)

    def test_an_alias_leads_no_letter_to_the_internet(self):
        self.send(["secretary@firm.example"])
        self.assertIn(WHY, " ".join(self.bounce().split()))
        self.nothing_left()

    def test_a_letter_by_sendmail_does_not_leave(self):
        content = message(ANNA, [f"ida@{TOWN}"]).replace(b"\r\n", b"\n")
        self.box.postfix.sendmail(content, "-f", ANNA, "--", f"ida@{TOWN}")
        self.assertIn(WHY, " ".join(self.bounce().split()))
        self.nothing_left()

    def test_dns_is_asked_when_the_time_has_come_and_not_each_half_minute(self):
        time.sleep(1.1)
        self.run_it()
        before = self.queries()
        self.run_it()
        self.assertEqual(self.queries(), before)
        old = time.time() - 3600
        os.utime(self.file, (old, old))
        self.run_it()
        self.assertEqual(self.queries(), before + 1)
        self.assertGreater(os.stat(self.file).st_mtime, time.time() - 60)

    def stays(self):
        self.assertEqual(self.hinted(), [TOWN])
        self.take_up()
        time.sleep(2)
        self.assertEqual(self.standing(TOWN), HINTED)
        self.refused_here()

    def test_a_hint_stays_while_dns_is_down(self):
        self.dns.stop()
        self.watch(TOWN)
        self.assertIn("DNS does not answer, for town.example for one", self.run_it(75))
        self.stays()

    def test_a_hint_stays_while_dns_hangs(self):
        os.kill(self.dns.server.pid, signal.SIGSTOP)
        try:
            self.watch("a.example", "b.example", "c.example", "d.example", TOWN)
            began = time.monotonic()
            self.assertIn("DNS does not answer", self.run_it(75))
            self.assertLess(time.monotonic() - began, 15)
        finally:
            os.kill(self.dns.server.pid, signal.SIGCONT)
        self.stays()

    def test_a_hint_stays_where_a_server_says_that_it_cannot_tell(self):
        # dnsmasq answers REFUSED for what is not below .example.
        with open(self.file, "a", encoding="ascii") as file:
            file.write("other.invalid\n")
        self.watch(TOWN, "other.invalid", "third.invalid")
        self.assertIn('not_known="2"', self.run_it())
        self.assertEqual(self.hinted(), ["other.invalid", TOWN])

    def test_a_hint_goes_when_the_record_has_gone_and_the_relay_sees_it_itself(self):
        self.dns.serve()
        self.watch(TOWN)
        self.assertIn("is no De-Mail domain", self.run_it())
        self.assertEqual(self.hinted(), [])
        self.is_ordinary_again(70)

    def test_another_port_is_no_hint(self):
        self.dns.serve(TOWN, port=25)
        self.watch(TOWN)
        self.run_it()
        self.assertEqual(self.hinted(), [])

    def test_what_is_watched_no_more_is_ordinary_again(self):
        self.watch()
        self.run_it()
        self.take_up()
        self.is_ordinary_again(20)

    def test_our_own_domains_are_never_taken(self):
        self.dns.serve(TOWN, "firm.example", "home.example")
        self.watch(TOWN, "firm.example", "home.example", "gmx.de")
        self.run_it()
        self.assertEqual(self.hinted(), ["firm.example", "home.example", TOWN])
        self.take_up()
        wait_for(lambda: "home.example: one of our own domains" in self.box.relay.log(), 20)
        self.assertEqual(self.standing("firm.example"), NONE)
        self.assertEqual(self.standing(TOWN), HINTED)
        self.goes_to("mailboxes", "kurt@firm.example")
        self.goes_to("mailboxes", "kurt@home.example")

    def test_a_broken_file_is_an_alarm_and_takes_no_hint_back(self):
        for break_it, words in ((lambda: self.put("<html>\n"), "line 1 is no domain"),
                                (lambda: os.chmod(self.file, 0o666), "lets others write"),
                                (lambda: os.unlink(self.file), "No such file")):
            break_it()
            self.take_up()
            wait_for(lambda words=words: words in self.domains()["relay"]["hintsAlarm"], 20, words)
            self.assertIn(words, self.ctl("domains"))
            # A new start knows no more than the list says.
            self.box.relay.stop()
            self.box.daemons.start_relay()
            wait_for(lambda words=words: words in self.domains()["relay"]["hintsAlarm"], 20, words)
            self.assertEqual(self.standing(TOWN), HINTED)
            self.refused_here()
        self.assertRegex(self.ctl("doctor"), r"(?s)bad: hints .*is not there.*demail-directory")
        self.run_it()
        self.take_up()
        wait_for(lambda: self.domains()["relay"]["hintsAlarm"] == "", 20, "the end of the alarm")

    def put(self, text):
        with open(self.file, "w", encoding="ascii") as file:
            file.write(text)

    def test_doctor_says_that_the_file_is_old(self):
        self.assertRegex(self.ctl("doctor"), r"(?m)^hints +is as new as")
        old = time.time() - 3600 - 3700
        os.utime(self.file, (old, old))
        self.assertRegex(self.ctl("doctor"), r"(?s)bad: hints .*is older than the 3600 s")

    def test_a_broken_watched_file_takes_no_hint_back(self):
        self.watch("*.example")
        self.assertIn("line 2 is no domain", self.run_it(75))
        self.stays()
        self.assertIn("line 2 is no domain", self.ctl("doctor"))

    def test_a_provider_that_lists_the_domain_makes_it_de_mail(self):
        self.dns.serve(TOWN, CITY)
        self.watch(TOWN, CITY)
        self.run_it()
        self.take_up()
        wait_for(lambda: self.standing(CITY) == HINTED, 20, "the hint in the list")
        self.ctl("domains", "accept", CITY)
        self.refresh(["firm.de-mail.de", "other.de-mail.de", CITY])
        wait_for(lambda: self.standing(CITY) == ("active", "active"), 30, "it in the list")
        self.settle()
        self.begin()
        self.send([f"ida@{CITY}"])
        self.accepted(1)


if __name__ == "__main__":
    main()
