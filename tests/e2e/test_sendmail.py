"""Through sendmail(1): only a local rule lets a program on this host send De-Mail."""

from harness import ANNA, BOB, EndToEnd, body_of, main, message

ROOT = "root@firm.example"


class Sendmail(EndToEnd):
    def hand_in(self, sender, to, content):
        self.box.postfix.sendmail(content.replace(b"\r\n", b"\n"), "-f", sender, "--", *to)

    def test_a_local_rule_lets_a_program_send(self):
        content = message(ROOT, [BOB])
        self.hand_in(ROOT, [BOB], content)
        submission, = self.accepted(1)
        self.check_content(
            submission,
            content.replace(b"root@firm.example", b"system@firm.de-mail.de", 1),
            {"to": [BOB]}, sender="system@firm.de-mail.de")

    def test_the_body_is_what_the_program_wrote(self):
        content = message(ROOT, [BOB]) + b"..\r\n.\r\n\xfc \t\r\n" + b"z" * 5000 + b"\r\n\r\n"
        self.box.postfix.sendmail(content.replace(b"\r\n", b"\n"), "-i", "-f", ROOT, "--", BOB)
        submission, = self.accepted(1)
        self.assertEqual(body_of(submission["content"]), body_of(content))

    def test_without_a_local_rule_it_bounces_with_the_reason(self):
        self.hand_in(ANNA, [BOB], message(ANNA, [BOB]))
        bounce = self.bounce()
        self.assertIn(f"<{BOB}>", bounce)
        self.assertIn("5.7.0", bounce)
        self.nothing_left()

    def test_a_network_rule_is_none_for_a_program(self):
        self.hand_in("otto@netz.example", [BOB], message("otto@netz.example", [BOB]))
        self.assertIn("5.7.0", self.bounce())
        self.nothing_left()

    def test_ordinary_mail_flows(self):
        content = message(ANNA, ["ida@internet.example"])
        self.hand_in(ANNA, ["ida@internet.example"], content)
        copy, = self.kept("internet", 1)
        self.assertTrue(copy["content"].endswith(content))

    def test_addresses_that_only_look_like_internet_addresses_never_leave(self):
        for address in ("bob@other。de-mail.de", "bob@other.de-mail.ｄｅ",
                        "bob@other.de-mail.de.", "bob@other.de-\u00admail.de"):
            with self.subTest(address=address):
                self.setUp()
                try:
                    self.hand_in(ANNA, [address], message(ANNA, [BOB]))
                except Exception as refused:  # sendmail(1) may say it at once
                    self.assertNotIn("Traceback", str(refused))
                self.box.postfix.wait_empty()
                self.nothing_left()


if __name__ == "__main__":
    main()
