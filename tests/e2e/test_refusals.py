"""Who and what is refused, where, and in which words."""

import os
import signal
import subprocess

from harness import (ANNA, BOB, BUILD, EndToEnd, Refused, body_of, main, message,
                     wait_for)
from daemons import find_program

OTTO = "otto@netz.example"
INTERNET = "ida@internet.example"


def with_field(field, content=None):
    return field.encode() + b"\r\n" + (content or message(ANNA, [BOB]))


class AtTheDoor(EndToEnd):
    """The milter's refusals: 5xx in the dialogue, a sentence, nothing leaves."""

    # Postfix itself refuses none of these clients and adds no From field for one that XCLIENT made.
    options = {"settings": {"mynetworks": "0.0.0.0/0 [::]/0", "local_header_rewrite_clients": ""}}

    def check_refused(self, code, recipients=(BOB,), **options):
        reply = self.refused(list(recipients), **options)
        self.assertRegex(reply, rf"^5\d\d {code} .*[a-z]+ [a-z]+ [a-z]+")
        self.assertNotIn("access denied", reply.lower())  # Postfix's own words
        self.assertTrue(reply.isascii())
        self.assertEqual(self.box.postfix.queue(), [])
        self.nothing_left()
        return reply

    # Who

    def test_no_login(self):
        self.check_refused(r"5\.7\.1", login=None)

    def test_somebody_elses_login(self):
        self.check_refused(r"5\.7\.1", login="mallory")

    def test_a_sender_without_a_rule(self):
        self.check_refused(r"5\.7\.1", sender="anna@evil.example")

    def test_the_null_sender(self):
        self.check_refused(r"5\.7\.1", sender="", content=message(ANNA, [BOB]))

    def test_a_client_outside_the_network(self):
        self.check_refused(r"5\.7\.1", sender=OTTO, login=None, address="192.0.2.1")
        self.check_refused(r"5\.7\.1", sender=OTTO, login=None, address="IPV6:2001:db8::1")

    def test_a_client_in_the_network_by_either_form_of_its_address(self):
        for address in ("10.1.2.3", "IPV6:::ffff:10.1.2.3"):
            with self.subTest(address):
                self.setUp()
                self.send([BOB], sender=OTTO, login=None, address=address)
                submission, = self.accepted(1)
                self.assertEqual(submission["sender"], "otto@firm.de-mail.de")
                self.assertEqual(submission["options"], ["confirmation-of-dispatch"])

    def test_a_local_rule_is_none_over_smtp(self):
        self.check_refused(r"5\.7\.1", sender="root@firm.example", login=None)

    def test_a_login_compares_without_case(self):
        self.send([BOB], sender="Anna@Firm.Example", login="ANNA")
        submission, = self.accepted(1)
        self.assertEqual(submission["sender"], "anna@firm.de-mail.de")

    def test_the_same_sender_may_write_to_the_internet(self):
        self.send([INTERNET], sender="anna@evil.example")
        self.kept("internet", 1)

    # The header

    def test_from_is_somebody_else(self):
        for other in ("boss@firm.example", "anna@evil.example", "boss@firm.de-mail.de",
                      "Anna <boss@firm.example>", '"anna@firm.example" <boss@firm.example>'):
            with self.subTest(other):
                self.check_refused(r"5\.7\.1", content=message(other, [BOB]))

    def test_from_is_not_exactly_one_mailbox(self):
        plain = message(ANNA, [BOB])
        for content in (plain.replace(b"From: anna@firm.example\r\n", b"", 1),
                        message(f"{ANNA}, boss@firm.example", [BOB]),
                        with_field("From: anna@firm.example"),
                        message("undisclosed:;", [BOB])):
            with self.subTest(content[:60]):
                self.assertIn(" From field", self.check_refused(r"5\.7\.1", content=content))

    def test_the_de_mail_address_itself_is_a_good_from(self):
        self.send([BOB], message("anna@firm.de-mail.de", [BOB]))
        self.accepted(1)

    def test_sender_and_reply_to_must_map(self):
        for field in ("Sender: boss@firm.example", "Reply-To: anna@gmail.example",
                      "Reply-To: anna@firm.example, x@y.example"):
            with self.subTest(field):
                self.check_refused(r"5\.7\.1", content=with_field(field))
        self.setUp()
        self.send([BOB], with_field("Reply-To: anna@firm.example"))
        submission, = self.accepted(1)
        self.assertIn(b"Reply-To: anna@firm.de-mail.de\r\n", submission["content"])

    def test_resent_fields(self):
        for name in ("From", "To", "Date", "Message-ID"):
            self.check_refused(r"5\.7\.1", content=with_field(f"Resent-{name}: x"))

    def test_options_that_are_none(self):
        for field in ("X-De-Mail-Confirmation-Of-Dispach: yes",
                      "X-De-Mail-Confirmation-Of-Dispatch: YES",
                      "X-De-Mail-Confirmation-Of-Dispatch: please",
                      "X-De-Mail-Confirmation-Of-Retrieve: yes",
                      "X-De-Mail-Sender: boss@firm.de-mail.de"):
            with self.subTest(field):
                self.check_refused(r"5\.7\.1", content=with_field(field))

    def test_a_provider_only_field_is_removed_and_the_rest_goes(self):
        self.send([BOB], with_field("X-De-Mail-Auth-Level: high"))
        submission, = self.accepted(1)
        self.assertNotIn(b"auth-level", submission["content"].lower())

    def test_no_switches_a_default_off(self):
        content = with_field("x-de-mail-confirmation-of-dispatch: no", message(OTTO, [BOB]))
        self.send([BOB], content, sender=OTTO, login=None, address="10.1.2.3")
        submission, = self.accepted(1)
        self.assertEqual(submission["options"], [])

    def test_the_topmost_of_two_options_counts(self):
        content = with_field("x-de-mail-authoritative: yes",
                             with_field("x-de-mail-authoritative: no"))
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.assertEqual(submission["options"], ["authoritative"])

    def test_a_private_id_of_the_users_own_is_carried(self):
        for name in ("x-de-mail-private-id", "X-de-mail-privat-id"):
            with self.subTest(name):
                self.setUp()
                self.send([BOB], with_field(f"{name}: file 4711"))
                submission, = self.accepted(1)
                self.assertRegex(submission["privateId"], r"^g1-[0-9a-f]{40};file 4711$")

    # Recipients

    def test_what_is_not_an_address(self):
        for address in ("bob@@other.de-mail.de", "@other.de-mail.de", "bob@.de-mail.de"):
            with self.subTest(address):
                with self.assertRaises(Refused) as caught:
                    self.send([address], message(ANNA, [BOB]))
                self.assertEqual(caught.exception.code // 100, 5)
                self.nothing_left()

    def test_an_address_longer_than_a_de_mail_address_can_be(self):
        # TR-01201 2.1: local part 64, domain 189, whole 253.
        for address in ("b" * 65 + "@other.de-mail.de",
                        "bob@" + ".".join(["d" * 60] * 3) + ".de-mail.de"):
            with self.subTest(address):
                self.check_refused(r"5\.1\.[13]", [address], content=message(ANNA, [BOB]))

    def test_what_a_later_stage_could_read_as_de_mail_is_sealed_or_refused(self):
        for address in ("bob@other.de-mail.de.", '"bob"@other.de-mail.de',
                        "@relay.example:bob@other.de-mail.de", "bob @other.de-mail.de",
                        "bob@other。de-mail.de", "bob@other.de-mail.ｄｅ",
                        "bob@other.de-\u00admail.de", "bob%other.de-mail.de@firm.example"):
            parameters = "" if address.isascii() else " SMTPUTF8"
            with self.subTest(address):
                self.setUp()
                try:
                    self.send([address], message(ANNA, [BOB]), parameters=parameters)
                except Refused as refused:
                    self.assertEqual(refused.code // 100, 5)
                self.box.postfix.wait_empty()
                self.assertEqual(len(self.box.kept(self.box.internet)), self.before["internet"])
                for submission in self.box.accepted()[self.before["accepted"]:]:
                    self.assertEqual([entry["address"] for entry in submission["recipients"]],
                                     [BOB])


class EndedProviders(EndToEnd):
    """A provider that has ended: refused at once, by name, and kept from the Internet."""

    GONE = "gone.example"  # outside de-mail.de, and nobody's list has it

    @classmethod
    def prepare(cls):
        provider = cls.box.provider_json()
        provider["domains"]["list"].append("left.de-mail.de")
        cls.box.write_provider(provider)
        postfix, daemons = cls.box.postfix, cls.box.daemons
        postfix.configure({"virtual_alias_maps": postfix.index(
            os.path.join(postfix.etc, "virtual"), "secretary@firm.example bob@webde.de-mail.de\n")})
        cls.own = os.path.join(cls.box.directory, "ended.toml")
        cls.write_own("")
        daemons.write_configuration(daemons.configuration().replace(
            "[policy]\n", f'[policy]\nended_providers = "{cls.own}"\n'))

    @classmethod
    def write_own(cls, more):
        with open(cls.own, "w", encoding="utf-8") as file:
            file.write(f"""{more}
[[ended]]
provider = "Old Post"
domains = ["{cls.GONE}", "left.de-mail.de"]
date = "2022-08-31"
source = "a letter of theirs"
""")

    def ctl(self, *words):
        done = subprocess.run(
            [find_program(BUILD, "demailctl"), "--config", self.box.daemons.config_file, *words],
            capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def at_rcpt(self, address):
        with self.box.client(login="anna") as client:
            client.command(f"MAIL FROM:<{ANNA}>")
            with self.assertRaises(Refused) as caught:
                client.command(f"RCPT TO:<{address}>")
        self.nothing_left()
        return caught.exception.reply

    def test_one_of_the_shipped_list(self):
        self.assertRegex(self.at_rcpt("bob@webde.de-mail.de"),
                         r"550 5\.1\.2 .*WEB\.DE .* ended its service in May 2025, .*write a letter")

    def test_one_of_the_operators_that_the_provider_still_names(self):
        self.assertRegex(self.at_rcpt("bob@left.de-mail.de"),
                         r"550 5\.1\.2 .*Old Post, ended its service on 31 August 2022; ")
        self.assertRegex(self.ctl("domains")[1], r"(?m)^left\.de-mail\.de +ended ")

    def test_one_outside_de_mail(self):
        self.assertIn("Old Post", self.at_rcpt(f"bob@{self.GONE}"))

    def bounced(self, name, address):
        bounce = self.bounce()
        self.assertIn(f"<{address}>", bounce)
        self.assertRegex(bounce.replace("\n    ", " ").replace("\r", ""), rf"5\.1\.2.*{name}")
        self.box.postfix.wait_empty()
        self.nothing_left()

    def test_from_sendmail_it_bounces_and_never_leaves(self):
        for address in (f"bob@{self.GONE}", "bob@left.de-mail.de"):
            with self.subTest(address):
                self.setUp()
                content = message("root@firm.example", [address]).replace(b"\r\n", b"\n")
                self.box.postfix.sendmail(content, "-f", "root@firm.example", "--", address)
                self.bounced("Old Post", address)

    def test_behind_an_alias_it_bounces_with_the_reason(self):
        self.send(["secretary@firm.example"])
        self.bounced(r"WEB\.DE", "bob@webde.de-mail.de")

    def test_others_are_sent_to(self):
        self.send([BOB])
        self.accepted(1)

    def test_demailctl_knows_and_does_not_forget(self):
        code, said = self.ctl("test-address", "bob@left.de-mail.de", "--from", ANNA,
                              "--login", "anna")
        self.assertEqual(code, 1)
        self.assertIn("Old Post", said)
        for verb in ("accept", "forget"):
            code, said = self.ctl("domains", verb, self.GONE)
            self.assertEqual(code, 1)
            self.assertIn(f"{self.GONE} is in the list of ended providers (Old Post, 2022-08-31)",
                          said)

    def test_a_fault_in_the_file_stops_a_start_and_not_a_reload(self):
        self.write_own("dates = 1")
        try:
            for program in ("demail-milter", "demail-relay", "demailctl"):
                done = subprocess.run(
                    [find_program(BUILD, program), "--config", self.box.daemons.config_file,
                     "--check-config"], capture_output=True, text=True, check=False, timeout=60)
                self.assertEqual(done.returncode, 78, done.stderr)
                self.assertIn(f"{self.own}:1:1: unknown key \"dates\"", done.stderr)
            os.kill(self.box.milter.pid, signal.SIGHUP)
            os.kill(self.box.relay.pid, signal.SIGHUP)
            self.assertIn("Old Post", self.at_rcpt(f"bob@{self.GONE}"))
        finally:
            self.write_own("")

    def test_the_operator_says_that_one_is_still_there(self):
        self.write_own('still_active = ["webde.de-mail.de"]')
        try:
            os.kill(self.box.milter.pid, signal.SIGHUP)
            os.kill(self.box.relay.pid, signal.SIGHUP)
            wait_for(lambda: "webde.de-mail.de" not in self.ctl("domains")[1], 30,
                     "the domain to be as any other below de-mail.de")
            self.send(["bob@webde.de-mail.de"])
            self.assertIn("no such De-Mail address", self.bounce())  # the provider's own words
        finally:
            self.write_own("")
            os.kill(self.box.milter.pid, signal.SIGHUP)
            os.kill(self.box.relay.pid, signal.SIGHUP)
            wait_for(lambda: "webde.de-mail.de" in self.ctl("domains")[1], 30, "the list as it was")


class ByTheProvider(EndToEnd):
    """The provider's refusals reach the sender as a bounce with the provider's words."""

    options = {"provider": {"maxMessageBytes": 100000}}

    def test_an_unknown_recipient(self):
        self.send(["nobody@other.de-mail.de"])
        bounce = self.bounce()
        self.assertIn("nobody@other.de-mail.de", bounce)
        self.assertRegex(bounce, r"550[ -]5\.1\.1")
        self.nothing_left()

    def test_one_good_one_unknown(self):
        self.send([BOB, "nobody@other.de-mail.de"])
        self.accepted(1)
        bounce = self.bounce()
        self.assertRegex(bounce, r"550[ -]5\.1\.1")
        self.assertNotIn(f"<{BOB}>:", bounce)

    def test_a_private_letter_to_level_normal(self):
        self.send(["carla@other.de-mail.de"],
                  with_field("x-de-mail-private: yes", message(ANNA, ["carla@other.de-mail.de"])))
        self.assertRegex(self.bounce(), r"550[ -]5\.7\.1")
        self.nothing_left()

    def test_over_the_accounts_limit_before_a_byte_goes_out(self):
        submits = len(self.box.requests("Submit"))
        self.send([BOB], message(ANNA, [BOB], text="a line of the letter\n" * 6000))
        self.assertIn("5.3.4", self.bounce())
        self.assertEqual(len(self.box.requests("Submit")), submits)
        self.nothing_left()

    def test_just_within_the_limit(self):
        content = message(ANNA, [BOB], text="a line of the letter\n" * 4000)
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.assertEqual(body_of(submission["content"]), body_of(content))


class BounceToTheInternet(EndToEnd):
    """The envelope sender's mailbox is forwarded: its bounces leave by smtp(8)."""

    @classmethod
    def prepare(cls):
        postfix = cls.box.postfix
        postfix.configure({"virtual_alias_maps": postfix.index(
            os.path.join(postfix.etc, "virtual"), f"{ANNA} {INTERNET}\n")})

    def test_a_bounce_shows_no_seal(self):
        self.send(["nobody@other.de-mail.de"],
                  with_field("X-De-Mail-Confirmation-Of-Dispatch: yes"))
        bounce, = self.kept("internet", 1)
        self.assertEqual(bounce["recipients"], [INTERNET])
        self.assertIn(b"Message-ID:", bounce["content"])
        self.assertNotIn(b"demail-seal", bounce["content"].lower())
        self.assertNotRegex(bounce["content"].lower(), rb"\bh=[a-z0-9_-]{43}")
        self.assertNotIn(b"\r\nx-de-mail", bounce["content"].lower())


if __name__ == "__main__":
    main()
