#!/usr/bin/python3
"""What comes back to a sender whose De-Mail was refused: why, in German where that is wanted, and
none of the letter's content."""

import email
import email.policy
import os

from harness import ANNA, BOB, SOURCE, EndToEnd, main, message

NOBODY = "nobody@other.de-mail.de"
SECRET = "Der Vergleich lautet auf 40 000 Euro."
TEMPLATE = os.path.join(SOURCE, "contrib/postfix/bounce.de")


class Bounces(EndToEnd):
    @classmethod
    def prepare(cls):
        cls.box.postfix.configure({"bounce_template_file": TEMPLATE})

    def parts(self):
        """The bounce's parts by their media types."""
        parsed = email.message_from_bytes(self.bounce().encode(), policy=email.policy.default)
        return {part.get_content_type(): part for part in parsed.iter_parts()}

    def test_a_de_mail_comes_back_without_its_content(self):
        for parameters in ("", " RET=FULL"):
            with self.subTest(parameters):
                self.setUp()
                self.send([NOBODY], message(ANNA, [NOBODY], text=SECRET), parameters=parameters)
                parts = self.parts()
                self.assertEqual(list(parts), ["text/plain", "message/delivery-status",
                                               "text/rfc822-headers"])
                header = parts["text/rfc822-headers"].get_content()
                self.assertIn("To: " + NOBODY, header)
                self.assertNotIn(SECRET, "".join(str(part) for part in parts.values()))

    def test_the_german_template_says_what_became_of_a_de_mail(self):
        self.send([NOBODY])
        text = self.parts()["text/plain"].get_content()
        for sentence in ("Eine Frist ist damit nicht gewahrt.",
                         "Zurück kommt nur der Kopf der De-Mail.", NOBODY, "550 5.1.1"):
            self.assertIn(sentence, text)

    def test_the_template_quotes_the_relay_as_it_speaks(self):
        # Elsewhere a letter of which nothing is known yet is told by these words.
        with open(TEMPLATE, encoding="utf-8") as file:
            quoted = "is being looked up; do not send again"
            self.assertIn(quoted, file.read())
        with open(os.path.join(SOURCE, "tests/data/outcomes/drop-before.txt"),
                  encoding="utf-8") as file:
            self.assertIn(quoted, file.read())


class RewrittenSender(EndToEnd):
    @classmethod
    def prepare(cls):
        postfix = cls.box.postfix
        canonical = postfix.index(os.path.join(postfix.etc, "canonical"),
                                  f"{ANNA} anna.new@firm.example\n")
        copies = postfix.index(os.path.join(postfix.etc, "bcc"),
                               "anna.new@firm.example kurt@firm.example\n")
        postfix.configure({"sender_canonical_maps": canonical,
                           "sender_canonical_classes": "envelope_sender",
                           "sender_bcc_maps": copies})

    def test_a_sender_that_postfix_rewrites_stays_as_rewritten(self):
        self.send([BOB])
        self.accepted(1)
        copy, = self.kept("mailboxes", 1)
        self.assertEqual((copy["sender"], copy["recipients"]),
                         ("anna.new@firm.example", ["kurt@firm.example"]))


if __name__ == "__main__":
    main()
