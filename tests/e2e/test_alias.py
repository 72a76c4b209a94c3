"""Addresses that Postfix changes after the milter has seen the message."""

import os

from harness import ANNA, BOB, DORA, EndToEnd, main, message


class Alias(EndToEnd):
    @classmethod
    def prepare(cls):
        # These maps work in cleanup(8), after the milter has been told of the recipients.
        postfix = cls.box.postfix
        alias = postfix.index(os.path.join(postfix.etc, "virtual"),
                              f"secretary@firm.example {BOB}\n"
                              f"team@firm.example {BOB}, kurt@firm.example\n"
                              f"dora@other.de-mail.de dora@other.de-mail.de, {BOB}\n")
        postfix.configure({"virtual_alias_maps": alias})

    def test_an_alias_into_de_mail_bounces_with_a_sentence(self):
        self.send(["secretary@firm.example"])
        bounce = self.bounce()
        self.assertIn(BOB, bounce)
        self.assertRegex(bounce, r"5\.7\.0 .*[a-z]+ [a-z]+ [a-z]+")
        self.nothing_left()

    def test_an_alias_of_two_reaches_the_mailbox_and_bounces_the_de_mail(self):
        self.send(["team@firm.example"])
        kept = self.kept("mailboxes", 2)
        self.assertEqual(sorted(entry["sender"] for entry in kept), ["", ANNA])
        delivered, = (entry for entry in kept if entry["sender"])
        self.assertEqual(delivered["recipients"], ["kurt@firm.example"])
        self.nothing_left()

    def test_a_sealed_message_gains_no_recipient_by_an_alias(self):
        self.send([DORA])
        submission, = self.accepted(1)
        self.assertEqual([entry["address"] for entry in submission["recipients"]], [DORA])
        bounce = self.bounce()
        self.assertIn(BOB, bounce)
        self.assertIn("5.7.", bounce)


class CanonicalSender(EndToEnd):
    @classmethod
    def prepare(cls):
        # Envelope alone: classes that rewrite the header, too, are seen by the milter as they are.
        postfix = cls.box.postfix
        canonical = postfix.index(os.path.join(postfix.etc, "canonical"),
                                  f"{ANNA} srs0=abc=anna@relay.example\n")
        postfix.configure({"sender_canonical_maps": canonical,
                           "sender_canonical_classes": "envelope_sender"})

    def test_the_sender_is_the_one_that_the_milter_saw(self):
        content = message(ANNA, [BOB])
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.assertIn("from=<srs0=abc=anna@relay.example>", self.box.postfix.log())
        self.check_content(submission, content.replace(b"@firm.example\r\n",
                                                       b"@firm.de-mail.de\r\n", 1),
                           {"to": [BOB]})


class CanonicalHeader(EndToEnd):
    @classmethod
    def prepare(cls):
        postfix = cls.box.postfix
        canonical = postfix.index(os.path.join(postfix.etc, "canonical"),
                                  "a.muster@firm.example anna@firm.example\n")
        postfix.configure({"sender_canonical_maps": canonical,
                           "local_header_rewrite_clients": "permit_mynetworks"})

    def test_a_rewritten_from_field_is_what_the_milter_seals(self):
        content = message("a.muster@firm.example", [BOB])
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.check_content(submission, content.replace(b"a.muster@firm.example",
                                                       b"anna@firm.de-mail.de", 1),
                           {"to": [BOB]})


if __name__ == "__main__":
    main()
