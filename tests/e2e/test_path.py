"""Through smtpd: De-Mails to the provider, all else to where it goes anyway."""

from harness import ANNA, BOB, DORA, EMIL, EndToEnd, fields_of, main, message

INTERNET = "ida@internet.example"
FROM_BEFORE = b"From: anna@firm.example\r\n"
FROM_AFTER = b"From: anna@firm.de-mail.de\r\n"


def as_submitted(content):
    assert content.startswith(FROM_BEFORE)
    return content.replace(FROM_BEFORE, FROM_AFTER, 1)


def without_received(content):
    """Less the one Received field that our Postfix put on top."""
    name, octets = fields_of(content)[0]
    assert name == "received"
    return content[len(octets) + 2:]


class Path(EndToEnd):
    def test_one_recipient(self):
        content = message(ANNA, [BOB])
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.check_content(submission, as_submitted(content), {"to": [BOB]})
        self.assertIn(f"to=<{BOB}>", self.box.postfix.log())
        self.assertIn(submission["messageId"], self.box.postfix.log())
        self.nothing_on_the_internet()

    def nothing_on_the_internet(self):
        self.assertEqual(self.box.kept(self.box.internet)[self.before["internet"]:], [])

    def test_each_bcc_recipient_is_a_submission_that_nobody_else_sees(self):
        content = message(ANNA, [BOB], cc=[DORA])
        secret = ["fritz@other.de-mail.de", EMIL]
        self.send([BOB, DORA, *secret], content)
        submissions = self.accepted(3)
        by_class = {tuple(sorted(entry["address"] for entry in submission["recipients"])):
                    submission for submission in submissions}
        self.assertEqual(set(by_class), {(BOB, DORA), (secret[0],), (EMIL,)})
        self.check_content(by_class[(BOB, DORA)], as_submitted(content),
                           {"to": [BOB], "cc": [DORA]})
        for one in secret:
            self.check_content(by_class[(one,)], as_submitted(content), {"bcc": [one]})
            for other in set(secret) - {one}:
                self.assertNotIn(other.encode(), by_class[(one,)]["content"])
            self.assertNotIn(one.encode(), by_class[(BOB, DORA)]["content"])
        self.assertEqual(len({submission["privateId"] for submission in submissions}), 3)

    def test_a_bcc_field_does_not_travel(self):
        content = message(ANNA, [BOB])
        with_field = content.replace(b"Subject:", b"Bcc: " + EMIL.encode() + b"\r\nSubject:", 1)
        self.send([BOB, EMIL], with_field)
        visible, = (entry for entry in self.accepted(2)
                    if entry["recipients"][0]["address"] == BOB)
        self.check_content(visible, as_submitted(content), {"to": [BOB]})

    def test_the_internet_copy_of_a_mixed_message_says_nothing_of_de_mail(self):
        content = message(ANNA, [BOB, INTERNET])
        asked = b"X-De-Mail-Confirmation-Of-Dispatch: yes\r\n"
        self.send([BOB, INTERNET], asked + content)
        submission, = self.accepted(1)
        self.check_content(submission, as_submitted(content), {"to": [BOB]},
                           options=["confirmation-of-dispatch"])
        copy, = self.kept("internet", 1)
        self.assertEqual(copy["recipients"], [INTERNET])
        self.assertEqual(without_received(copy["content"]), content)

    def test_120_recipients_are_one_submission(self):
        everybody = sorted(f"person{number}@other.de-mail.de" for number in range(120))
        self.send(everybody, content := message(ANNA, everybody).replace(b", ", b",\r\n "))
        submission, = self.accepted(1)
        self.check_content(submission, as_submitted(content), {"to": everybody})
        self.assertEqual(sorted(entry["address"] for entry in submission["recipients"]),
                         everybody)

    def test_capitals_in_an_address_are_the_same_recipient(self):
        content = message(ANNA, ["Bob@Other.De-Mail.de"])
        self.send(["BOB@other.DE-mail.de"], content)
        submission, = self.accepted(1)
        self.check_content(submission, as_submitted(content), {"to": [BOB]})


class Bytes(EndToEnd):
    """Every byte that is not ours to change arrives as it was sent, by both ways."""

    bodies = {
        "an_ordinary_body": b"One line.\r\n",
        "an_empty_body": b"",
        "one_empty_line": b"\r\n",
        "trailing_blanks_and_empty_lines": b"blanks  \t \r\n \r\n\r\n\r\n\r\n",
        "lines_of_dots": b".\r\n..\r\n...three\r\n.\r\n",
        "eight_bit_octets": b"Gr\xfc\xdfe, \xe2\x82\xac, \x80\xff\x01\x7f\r\n",
        "a_line_of_70000_octets": b"x" * 70000 + b"\r\n" + b"y" * 999 + b"\r\n",
        "lines_that_look_like_fields": b"From: mallory@evil.example\r\nFrom mallory\r\n",
        "what_mime_and_xml_use_as_marks": b"--MIMEBoundary--\r\n]]></Body>&amp;<!--\r\n",
        "no_line_end_at_the_end": b"the end",
    }

    def check(self, content):
        self.send([BOB, "ida@internet.example"], content)
        submission, = self.accepted(1)
        sent = content if content.endswith(b"\r\n") else content + b"\r\n"
        self.check_content(submission, as_submitted(sent), {"to": [BOB]})
        copy, = self.kept("internet", 1)
        got = without_received(copy["content"])
        if max(map(len, sent.split(b"\r\n"))) > 998:
            # smtp(8) folds long lines on the way to the Internet: not ours.
            self.assertEqual(got.replace(b"\r\n ", b""), sent)
        else:
            self.assertEqual(got, sent)

    def test_folded_fields(self):
        content = message(ANNA, [BOB])
        self.check(content.replace(b"Subject: Hello", b"Subject: Hello\r\n\t folded \t\r\n  and "
                                   b"again\t\r\nX-Empty:\r\nX-Folded:\r\n a\r\nX-NoBlank:x"))

    def test_raw_eight_bit_fields(self):
        self.check(message(ANNA, [BOB]).replace(b"Hello", b"Gr\xc3\xbc\xc3\x9fe \xfc"))

    def test_a_display_name_is_kept(self):
        content = message(ANNA, [BOB]).replace(FROM_BEFORE,
                                               b"From: Anna Example <anna@firm.example>\r\n")
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.check_content(submission, content.replace(b"@firm.example>", b"@firm.de-mail.de>", 1),
                           {"to": [BOB]})


def _add_body_tests():
    for name, octets in Bytes.bodies.items():
        def test(self, octets=octets):
            header = message(ANNA, [BOB]).partition(b"\r\n\r\n")[0]
            self.check(header + b"\r\n\r\n" + octets)
        setattr(Bytes, f"test_body_{name}", test)


_add_body_tests()


class OrdinaryMail(EndToEnd):
    def passes(self, sent, expected):
        self.send(["ida@internet.example", "kurt@firm.example"], sent)
        for sink in ("internet", "mailboxes"):
            copy, = self.kept(sink, 1)
            self.assertEqual(without_received(copy["content"]), expected)
        self.nothing_accepted()

    def nothing_accepted(self):
        self.assertEqual(len(self.box.accepted()), self.before["accepted"])

    def test_passes_bit_for_bit(self):
        content = message(ANNA, ["ida@internet.example"]) + b".dot \r\n\xfc\t\r\n\r\n"
        self.passes(content, content)

    def test_loses_what_only_a_provider_may_say(self):
        content = message(ANNA, ["ida@internet.example"])
        forged = [b"X-De-Mail-Auth-Level: high", b"x-de-mail-integrity: v=1;\r\n b=x",
                  b"X-DE-MAIL-AUTH-LEVEL: high", b"x-demail-message-type: normal",
                  b"X_De_Mail_Version: 1.8", b"X-De-Mail-Auth-Level : high",
                  b"Demail-Seal: v=1; k=x", b"Demail-Results: valid", b"DE-MAIL-ORIGIN: x"]
        for field in forged:
            forged_content = field + b"\r\n" + content
            with self.subTest(field=field):
                self.setUp()
                self.passes(forged_content, content)
        with self.subTest("all at once, and twice"):
            self.setUp()
            self.passes(b"\r\n".join(forged * 2) + b"\r\n" + content, content)

    def test_keeps_fields_that_only_look_alike(self):
        content = b"X-Mail: a\r\nX-Email-De: b\r\nX-D: c\r\n" + message(
            ANNA, ["ida@internet.example"])
        self.passes(content, content)


if __name__ == "__main__":
    main()
