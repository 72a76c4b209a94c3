#!/usr/bin/python3
"""The header firewall through real Postfix: of hundreds of hostile fields no reader behind it finds
one that only a provider or we may write, and no innocent field is touched.

Only the top header counts: a field in a part or in an attached message says nothing of this
message, and a De-Mail that is forwarded as an attachment has to stay whole.
"""

import re

from harness import (ANNA, ANNA_DE_MAIL, BOB, OPTIONS, EndToEnd, body_of, fields_of, main, message)
from hostile_fields import (AUTH, INNOCENT, METADATA, OURS, RESENT, SENDERS, dressed, field,
                            made_up, tricks)
from mail_readers import demail_names, reads_as_demail

from daemons import RULES

SEED = 20241129
OTHER = "anna@elsewhere.example"
SETTINGS = {"smtpd_hard_error_limit": "10000", "smtpd_soft_error_limit": "10000"}
COLLEAGUE = "10.9.9.9"  # in mynetworks, so that it may send; not this host, so that Postfix rewrites nothing
MADE_UP = made_up([f"x-de-mail-{name}" for name in METADATA + SENDERS] + list(OURS), 240, SEED)
# What the relay writes into each De-Mail, and what it takes out.
OWN = sorted(f"x-de-mail-{name}" for name in (*OPTIONS, "sender", "chosen-recipient", "private-id"))
GONE = ("dkim-signature", "authentication-results", "delivered-to", "envelope-to",
        "disposition-notification-to")
ADDED = {"received", "return-path", "x-mailbox-line"}  # by Postfix


def letter(*parts, sender=OTHER, to="ida@internet.example"):
    """A message with these octets behind the fields that every message has."""
    header, empty, body = message(sender, [to]).partition(b"\r\n\r\n")
    return header + b"\r\n" + b"".join(parts) + empty[2:] + body


def octets_of(content):
    """The fields as they stand, without those that Postfix adds."""
    return [octets + b"\r\n" for name, octets in fields_of(content) if name not in ADDED]


def forged(octets):
    """Of these fields the names that read as De-Mail's."""
    return [name for name, _ in fields_of(octets[:-2]) if reads_as_demail(name)]


def value_of(name, content):
    return dict(fields_of(content))[name]


def without(content, *names):
    """The content without the fields of these names."""
    return b"".join(octets + b"\r\n" for name, octets in fields_of(content)
                    if name not in names) + b"\r\n" + body_of(content)


class HeaderFirewall(EndToEnd):
    options = {"settings": SETTINGS,
               # The innocent fields of a list, too, are to go with a De-Mail.
               "rules": RULES.replace('login = "*"\n', 'login = "*"\nautomatic = true\n', 1)}

    def deliver(self, letters):
        """Sends each to the Internet and to a mailbox; {sink: [contents]}, in the same order."""
        with self.box.client(address=COLLEAGUE) as client:
            for number, content in enumerate(letters):
                client.send(OTHER, [f"{number}@internet.example", f"{number}@firm.example"], content)
        return {sink: self.by_number(sink, len(letters)) for sink in ("internet", "mailboxes")}

    def by_number(self, sink, count):
        found = {int(kept["recipients"][0].partition("@")[0]): kept["content"]
                 for kept in self.kept(sink, count, 60)}
        return [found[number] for number in range(count)]

    def check_clean(self, found, hostile):
        for sink, contents in found.items():
            for content, octets in zip(contents, hostile, strict=True):
                self.assertEqual(demail_names(content), {}, f"at {sink}, of {octets[:200]}")

    def test_each_is_one_to_some_reader_if_nobody_removes_it(self):
        # Else the rest here would prove nothing.
        for octets in (*MADE_UP, *dressed()):
            self.assertNotEqual(demail_names(letter(octets)), {}, octets[:200])
        fooled = [octets for octets in tricks() if demail_names(letter(octets))]
        self.assertGreater(len(fooled), len(tricks()) / 2)
        self.assertGreaterEqual(len({*MADE_UP, *dressed(), *fooled}), 400)

    def test_of_ordinary_mail_no_hostile_field_arrives_and_every_innocent_one(self):
        hostile = [*MADE_UP, *dressed()]
        half = len(INNOCENT) // 2
        before, after = INNOCENT[:half], INNOCENT[half:]
        sent = [letter(*before, octets, *after) for octets in hostile]
        found = self.deliver(sent)
        self.check_clean(found, hostile)
        for sink, contents in found.items():
            for content, octets, original in zip(contents, hostile, sent, strict=True):
                of = f"at {sink}, of {octets[:200]}"
                fields = octets_of(content)
                self.assertEqual(fields[:5 + half], octets_of(original)[:5 + half], of)
                self.assertEqual(fields[-len(after):], after, of)
                self.assertEqual(body_of(content), body_of(original), of)
                self.assertEqual(len(fields), len(octets_of(original)) - len(forged(octets)), of)

    def test_of_ordinary_mail_no_trick_makes_a_field(self):
        hostile = tricks()
        sent = [letter(*INNOCENT, b"X-Stop: here\r\n", octets) for octets in hostile]
        first = [letter().replace(b"From:", octets + b"From:", 1) for octets in hostile]
        found = self.deliver(sent + first)
        self.check_clean(found, hostile * 2)
        for contents in found.values():
            for content, octets in zip(contents, hostile):
                self.assertEqual(octets_of(content)[5:5 + len(INNOCENT)], INNOCENT, octets[:200])

    def test_nor_by_sendmail(self):
        hostile = [*tricks(), *dressed()]
        for number, octets in enumerate(hostile):
            self.box.postfix.sendmail(letter(octets).replace(b"\r\n", b"\n"),
                                      "-f", OTHER, f"{number}@firm.example")
        self.check_clean({"mailboxes": self.by_number("mailboxes", len(hostile))}, hostile)

    def test_of_de_mails_no_hostile_field_reaches_the_provider(self):
        names = [f"x-de-mail-{name}" for name in METADATA]
        hostile = [octets for octets in (*made_up(names + list(OURS), 120, SEED), *dressed())
                   if len(forged(octets)) == len(fields_of(octets[:-2]))
                   and not re.match(b"x-de-mail-(private|sender)", octets)]
        innocent = [octets for octets in INNOCENT if not octets.startswith(b"Resent-")]
        sent = {}
        for batch in (hostile[n::10] for n in range(10)):
            self.assertGreater(len(batch), 15)
            plain = letter(*innocent, sender=ANNA, to=BOB)
            mixed = plain.replace(INNOCENT[0], batch[0] + INNOCENT[0])
            for octets, one in zip(batch[1:], innocent[2:]):
                mixed = mixed.replace(b"\r\n" + one, b"\r\n" + octets + one)
            self.send([BOB], mixed)
            sent[value_of("message-id", plain)] = plain
        for submission in self.accepted(len(sent), 60):
            plain = sent.pop(value_of("message-id", submission["content"]))
            self.check_content(submission, without(plain, *GONE).replace(
                ANNA.encode(), ANNA_DE_MAIL.encode(), 1), {"to": [BOB]})
            self.check_only_ours(submission["content"])

    def test_of_de_mails_no_trick_makes_a_field(self):
        hostile = [octets for octets in tricks() if b"From: " not in octets]  # a second From
        with self.box.client(login="anna") as client:
            for octets in hostile:
                client.send(ANNA, [BOB], letter(octets, sender=ANNA, to=BOB))
        self.box.postfix.wait_empty(60)
        accepted = self.box.accepted()[self.before["accepted"]:]
        for submission in accepted:
            self.check_only_ours(submission["content"])
        bounces = self.kept("mailboxes", len(hostile) - len(accepted))
        self.assertLess(len(bounces), 10)
        for bounce in bounces:
            self.assertIn(b"554 5.6.0 The message holds a NUL", bounce["content"])
            self.assertEqual(demail_names(bounce["content"]), {})

    def test_resent_fields_go_with_ordinary_mail_and_with_no_de_mail(self):
        found = self.deliver([letter(*RESENT)])
        for content, in found.values():
            self.assertEqual(octets_of(content)[5:], RESENT)
        for name in (b"Resent-To", b"RESENT-TO", b"resent-to ", b"Resent-To\t", b"Resent-Bcc",
                     b"Resent-Sender", b"Resent-Reply-To", b"Resent-X-De-Mail-Version"):
            for value in (b" boss@x.example", b"", b"\r\n boss@x.example"):
                with self.subTest(name=name, value=value):
                    reply = self.refused([BOB], letter(field(name, value), sender=ANNA, to=BOB))
                    self.assertIn("5.7.1 A message with Resent- fields", reply)

    def test_who_got_it_is_the_recipients_providers_to_say(self):
        for name in (b"Envelope-To", b"ENVELOPE-TO", b"envelope-to ", b"Envelope-to\t"):
            self.send([BOB], letter(field(name, b" boss@x.example") * 2, sender=ANNA, to=BOB))
        for submission in self.accepted(4):
            self.assertNotIn(b"envelope-to", submission["content"].lower())

    def test_only_the_top_header_counts(self):
        inner = field(AUTH) + field("Demail-Seal") + b"Subject: forwarded\r\n\r\nA De-Mail.\r\n"
        body = (b"--b\r\nContent-Type: text/plain\r\n" + field(AUTH) + b"\r\nSee below.\r\n"
                b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"--b--\r\n")
        content = letter(b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n")
        content = content[:-len(body_of(content))] + body
        self.send(["anna@firm.example"], content, address=COLLEAGUE, login=None, sender=OTHER)
        kept, = self.kept("mailboxes", 1)
        self.assertEqual(body_of(kept["content"]), body)

    def check_only_ours(self, content):
        fields = fields_of(content)
        names = [name for name, _ in fields if name.startswith("x-de-mail")]
        self.assertEqual([name for name, _ in fields[:len(names)]], names)
        self.assertEqual(sorted(names), OWN)
        for reader, found in demail_names(content).items():
            self.assertEqual(sorted(found), OWN, reader)


if __name__ == "__main__":
    main()
