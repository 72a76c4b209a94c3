"""Options of a De-Mail by whom a sender can reach: fields and subject flags, through real Postfix."""

import email.charset
import email.header

from harness import ANNA, BOB, EndToEnd, body_of, fields_of, main, message

INTERNET = "ida@internet.example"
UMLAUTS = "Grüße, schöne Straße"


def with_subject(subject, to=(BOB,), more=b""):
    """`subject`: the octets behind "Subject: "."""
    return more + message(ANNA, list(to), subject="@").replace(b"Subject: @",
                                                               b"Subject: " + subject, 1)


def subject_of(content):
    """The field as it stands, behind "Subject:"."""
    subject, = (octets for name, octets in fields_of(content) if name == "subject")
    return subject.partition(b":")[2]


def shown(octets):
    """As a mail program shows it."""
    text = octets.decode("utf-8").replace("\r\n", "").strip()
    return str(email.header.make_header(email.header.decode_header(text)))


def encoded(text, charset, encoding):
    """By Python's library, in several encoded words where it is long."""
    charset = email.charset.Charset(charset)
    charset.header_encoding = email.charset.QP if encoding == "q" else email.charset.BASE64
    made = email.header.Header(text, charset, maxlinelen=60, header_name="Subject")
    return made.encode(linesep="\r\n").encode("ascii")


class SubjectFlags(EndToEnd):
    def sent_as(self, subject, options, more=b""):
        """Sends it to BOB; the Subject that the provider got."""
        content = with_subject(subject, more=more)
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.assertEqual(submission["options"], list(options))
        values = {name: octets.partition(b":")[2].strip() for name, octets in
                  fields_of(submission["content"]) if name.startswith("x-de-mail-")}
        for option in options:
            self.assertEqual(values["x-de-mail-" + option], b"yes")
        self.assertEqual(body_of(submission["content"]), body_of(content))
        return subject_of(submission["content"])

    def test_every_flag_in_both_languages(self):
        pairs = {"confirmation-of-dispatch": ("Versandbestätigung", "Delivery confirmation"),
                 "confirmation-of-receipt": ("Eingangsbestätigung", "Receipt confirmation"),
                 "authoritative": ("Absenderbestätigt", "Confirmed by sender"),
                 "private": ("Persönlich", "Personal")}
        for option, words in pairs.items():
            for word in words:
                with self.subTest(word):
                    self.setUp()
                    sent = encoded(f"[{word}] Hello", "utf-8", "q")
                    self.assertEqual(shown(self.sent_as(sent, [option])), "Hello")

    def test_in_every_encoding_and_charset_the_rest_reads_the_same(self):
        for charset in ("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"):
            for encoding in "qb":
                for text, rest in ((f"[Persönlich] {UMLAUTS}", UMLAUTS),
                                   (f"{UMLAUTS} und noch viel mehr davon [Absenderbestätigt]"
                                    "[Persönlich, Versandbestätigung]",
                                    f"{UMLAUTS} und noch viel mehr davon")):
                    with self.subTest(f"{charset} {encoding}: {text}"):
                        self.setUp()
                        options = [name for name, word in (
                            ("confirmation-of-dispatch", "Versand"),
                            ("authoritative", "Absender"), ("private", "Pers")) if word in text]
                        got = self.sent_as(encoded(text, charset, encoding), options)
                        self.assertEqual(shown(got), rest)

    def test_raw_octets_of_the_rest_stay(self):
        self.assertEqual(self.sent_as("[Persönlich] Grüße  \r\n\t und".encode() + b" \xfc",
                                      ["private"]), " Grüße  \r\n\t und".encode() + b" \xfc")

    def test_a_folded_subject(self):
        self.assertEqual(self.sent_as(b"Hello\r\n there\r\n [Personal]\r\n [Receipt\r\n confirmation]",
                                      ["confirmation-of-receipt", "private"]),
                         b" Hello\r\n there")

    def test_nothing_but_a_flag(self):
        self.assertEqual(self.sent_as(b"[Personal]", ["private"]).strip(), b"")

    def test_joined_with_a_field(self):
        self.assertEqual(self.sent_as(b"[Personal] Hello", ["authoritative", "private"],
                                      b"X-De-Mail-Authoritative: yes\r\n"), b" Hello")

    def test_what_is_no_flag_stays(self):
        for subject in (b"[Ticket 123] Hello", b"Re: [Personal] Hello", b"the [Personal] file"):
            with self.subTest(subject):
                self.setUp()
                self.assertEqual(self.sent_as(subject, []), b" " + subject)

    def test_by_sendmail_without_leave_it_is_refused(self):
        sent = with_subject(b"[Personal] Hello").replace(ANNA.encode(), b"root@firm.example")
        self.box.postfix.sendmail(sent.replace(b"\r\n", b"\n"), "-f", "root@firm.example", "--",
                                  BOB)
        self.assertIn("may not use the De-Mail option private", " ".join(self.bounce().split()))
        self.nothing_left()

    def test_the_internet_copy_of_a_mixed_message_has_no_flag_either(self):
        self.send([BOB, INTERNET], with_subject(b"[Personal] Hello", (BOB, INTERNET)))
        submission, = self.accepted(1)
        self.assertEqual(submission["options"], ["private"])
        copy, = self.kept("internet", 1)
        self.assertEqual(subject_of(copy["content"]), b" Hello")

    def test_ordinary_mail_keeps_its_subject(self):
        self.send([INTERNET], with_subject(b"[Personal] Hello", (INTERNET,)))
        copy, = self.kept("internet", 1)
        self.assertEqual(subject_of(copy["content"]), b" [Personal] Hello")

    def test_refusals_name_the_option(self):
        for subject, words in (
                (b"[Abholbest\xc3\xa4tigung] Hello", "confirmation-of-retrieve.*take "
                                                     r"\[Abholbestaetigung\]"),
                (b"[Personal, urgent] Hello", r"\[Personal\] and something that is no option"),
                (b"[Versandbestatigung] Hello", r"\[Versandbestaetigung\], but it is not spelt so")):
            with self.subTest(subject):
                reply = self.refused([BOB], with_subject(subject))
                self.assertRegex(reply.replace("\n", " "), "^550 5.7.1 .*" + words)
                self.assertNotIn("urgent", self.box.milter.log())
        self.nothing_left()


class SwitchedOff(EndToEnd):
    @classmethod
    def prepare(cls):
        daemons = cls.box.daemons
        daemons.write_configuration(daemons.configuration().replace(
            "[policy]\n", "[policy]\nsubject_flags = false\n"))

    def test_the_subject_says_nothing(self):
        self.send([BOB], with_subject(b"[Personal] Hello"))
        submission, = self.accepted(1)
        self.assertEqual(submission["options"], [])
        self.assertEqual(subject_of(submission["content"]), b" [Personal] Hello")


class Observing(EndToEnd):
    @classmethod
    def prepare(cls):
        daemons = cls.box.daemons
        daemons.write_configuration(daemons.configuration().replace('"enforce"', '"observe"', 1))

    def test_nothing_is_changed(self):
        self.send([BOB, INTERNET], with_subject(b"[Personal] Hello", (BOB, INTERNET)))
        copy, = self.kept("internet", 1)
        self.assertEqual(subject_of(copy["content"]), b" [Personal] Hello")


if __name__ == "__main__":
    main()
