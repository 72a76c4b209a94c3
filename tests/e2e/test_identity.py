"""Each hand-over once: replays, forged seals, cut connections, restarts at the worst time.

The relay is spoken to at its own socket, as root, with seals taken from the queue or made here.
"""

import os
import re
import time

from harness import (ANNA, ANNA_DE_MAIL, BOB, DORA, EMIL, Client, EndToEnd, body_of, main, message,
                     wait_for)
from sealing import (authenticator, b64, make_tags, read_key, read_seal, with_seal, without_seal)


class Identity(EndToEnd):
    def setUp(self):
        super().setUp()
        self.key = read_key(self.box.daemons.key_file)

    def lmtp(self, recipients, content, ident=None, sender=ANNA):
        """One transaction with the relay: a reply for each recipient."""
        with Client(self.box.postfix.lmtp_socket, lmtp=True) as client:
            if ident:
                client.command(f"XFORWARD IDENT={ident} SOURCE=REMOTE")
            return client.send(sender, recipients, content)

    def sealed(self, recipients, content=None, **changes):
        content = content or message(ANNA, recipients)
        return with_seal(content, make_tags(content, self.key, ANNA_DE_MAIL, ANNA, recipients,
                                            **changes))

    def caught(self, recipients, content=None):
        """What Postfix would hand to the relay for this message: taken out of its queue."""
        self.box.relay.stop()
        try:
            self.send(recipients, content)
            entry, = wait_for(self.box.postfix.queue)
            content = self.box.postfix.queued_content(entry["queue_id"])
            self.box.postfix.delete_all()
        finally:
            self.box.daemons.start_relay()
        return content.replace(b"\n", b"\r\n")

    def submissions(self, count):
        """Exactly so many since the test began, now."""
        found = self.box.accepted()[self.before["accepted"]:]
        self.assertEqual(len(found), count)
        return found

    def message_id(self, reply):
        self.assertRegex(reply, r"^250 2\.0\.0 ")
        return re.search(r"\S+@provider\.de-mail\.de", reply).group(0).strip("<>()")

    # Seals

    def test_a_seal_made_by_the_contract_alone_is_good(self):
        reply, = self.lmtp([BOB], self.sealed([BOB]))
        self.message_id(reply)
        submission, = self.submissions(1)
        self.assertEqual(submission["sender"], ANNA_DE_MAIL)

    def test_the_milters_seal_is_the_contracts(self):
        content = self.caught([BOB])
        tags = read_seal(content)
        self.assertEqual(list(tags), list("vktnaseordbh"))
        self.assertEqual(tags["h"], authenticator(tags, self.key[1]))
        plain = without_seal(content)
        again = make_tags(plain, self.key, ANNA_DE_MAIL, ANNA, [BOB])
        self.assertEqual((tags["d"], tags["b"]), (again["d"], again["b"]))
        self.assertEqual(len(tags["r"].split(",")), 4)
        self.assertEqual(tags["r"].split(","), sorted(tags["r"].split(",")))

    def expect(self, pattern, recipients, content):
        replies = self.lmtp(recipients, content)
        for reply in replies:
            self.assertRegex(reply, pattern)
        self.submissions(0)

    def test_no_seal(self):
        self.expect(r"^5\d\d 5\.7\.0 ", [BOB], message(ANNA, [BOB]))

    def test_two_seals(self):
        content = self.sealed([BOB])
        field = content.partition(b"\r\nFrom:")[0] + b"\r\n"
        self.expect(r"^5\d\d 5\.7\.0 ", [BOB], field + content)

    def test_a_seal_in_the_body_is_none(self):
        self.expect(r"^5\d\d 5\.7\.0 ", [BOB], message(ANNA, [BOB]) + self.sealed([BOB]))

    def test_a_changed_tag_is_forged(self):
        content = message(ANNA, [BOB])
        tags = make_tags(content, self.key, ANNA_DE_MAIL, ANNA, [BOB])
        for name, value in (("s", "boss@firm.de-mail.de"), ("o", "private"), ("a", "other"),
                            ("t", str(int(tags["t"]) + 1)), ("n", b64(os.urandom(16))),
                            ("e", "boss@firm.example"), ("h", b64(os.urandom(32)))):
            with self.subTest(tag=name):
                self.expect(r"^5\d\d 5\.7\.0 ", [BOB], with_seal(content, {**tags, name: value}))

    def test_another_hosts_key(self):
        stranger = ("stranger", os.urandom(32))
        content = message(ANNA, [BOB])
        tags = make_tags(content, stranger, ANNA_DE_MAIL, ANNA, [BOB])
        self.expect(r"^4\d\d 4\.7\.0 ", [BOB], with_seal(content, tags))
        # It calls itself by our key's name.
        tags = make_tags(content, (self.key[0], stranger[1]), ANNA_DE_MAIL, ANNA, [BOB])
        self.expect(r"^5\d\d 5\.7\.0 ", [BOB], with_seal(content, tags))

    def test_a_second_key_of_the_file_is_accepted(self):
        second = ("second", os.urandom(32))
        with open(self.box.daemons.key_file, "a", encoding="ascii") as file:
            file.write(f"{second[0]} {second[1].hex()}\n")
        self.box.relay.stop()
        self.box.daemons.start_relay()
        content = message(ANNA, [BOB])
        tags = make_tags(content, second, ANNA_DE_MAIL, ANNA, [BOB])
        self.message_id(self.lmtp([BOB], with_seal(content, tags))[0])

    def test_an_old_time(self):
        # maximal_queue_lifetime is 5 days; one more is allowed.
        old = int(time.time()) - 6 * 86400 - 60
        self.expect(r"^5\d\d 5\.7\.0 ", [BOB], self.sealed([BOB], t=str(old)))

    def test_a_time_ahead(self):
        ahead = int(time.time()) + 5 * 60 + 30
        self.expect(r"^4\d\d 4\.7\.0 ", [BOB], self.sealed([BOB], t=str(ahead)))

    def test_times_just_within(self):
        for shift in (-6 * 86400 + 60, 4 * 60):
            reply, = self.lmtp([BOB], self.sealed([BOB], t=str(int(time.time()) + shift)))
            self.message_id(reply)

    def test_another_body(self):
        content = self.caught([BOB])
        self.expect(r"^5\d\d 5\.7\.7 ", [BOB], content + b"One line more.\r\n")

    def test_another_subject(self):
        content = self.caught([BOB])
        self.expect(r"^5\d\d 5\.7\.7 ", [BOB],
                    content.replace(b"Subject: Hello", b"Subject: Other"))

    def test_a_second_from_field(self):
        content = self.caught([BOB])
        self.expect(r"^5\d\d 5\.7\.[17] ", [BOB], b"From: boss@firm.example\r\n" + content)

    def test_fields_that_hops_add_change_nothing(self):
        content = b"Received: from x by y\r\n" + self.caught([BOB])
        self.message_id(self.lmtp([BOB], content)[0])
        submission, = self.submissions(1)
        self.assertNotIn(b"Received:", submission["content"])

    def test_a_recipient_that_is_not_in_the_seal(self):
        content = self.caught([BOB])
        self.expect(r"^5\d\d 5\.7\.\d ", [DORA], content)
        replies = self.lmtp([DORA, BOB], content)
        self.assertRegex(replies[0], r"^5\d\d 5\.7\.\d ")
        self.message_id(replies[1])
        submission, = self.submissions(1)
        self.assertEqual([entry["address"] for entry in submission["recipients"]], [BOB])

    def test_a_sealed_sender_without_a_right(self):
        content = message("boss@evil.example", [BOB])
        tags = make_tags(content, self.key, "boss@firm.de-mail.de", "boss@evil.example", [BOB])
        self.expect(r"^5\d\d 5\.7\.1 ", [BOB], with_seal(content, tags))

    # Once

    def test_a_replay_gets_the_outcome_of_the_first(self):
        content = self.caught([BOB, DORA])
        first = self.lmtp([BOB, DORA], content)
        again = self.lmtp([BOB, DORA], content)
        self.assertEqual([self.message_id(reply) for reply in first],
                         [self.message_id(reply) for reply in again])
        self.submissions(1)

    def test_a_replay_with_a_forged_ident_gets_the_outcome_of_the_first(self):
        content = self.caught([BOB])
        first, = self.lmtp([BOB], content, ident="4abcdefghijklmn")
        again, = self.lmtp([BOB], content, ident="4zzzzzzzzzzzzzz")
        self.assertEqual(self.message_id(first), self.message_id(again))
        self.submissions(1)

    def test_a_retry_of_a_part_of_the_recipients_gets_their_outcome(self):
        content = self.caught([BOB, DORA, EMIL], message(ANNA, [BOB, DORA]))
        replies = self.lmtp([BOB, DORA, EMIL], content)
        ids = [self.message_id(reply) for reply in replies]
        self.assertEqual(ids[0], ids[1])
        self.assertNotEqual(ids[0], ids[2])
        for recipient, expected in zip([BOB, DORA, EMIL], ids):
            reply, = self.lmtp([recipient], content)
            self.assertEqual(self.message_id(reply), expected)
        self.submissions(2)

    def test_a_part_first_and_the_rest_later_gives_nobody_two(self):
        content = self.caught([BOB, DORA])
        first, = self.lmtp([BOB], content)
        both = self.lmtp([BOB, DORA], content)
        self.assertEqual(self.message_id(both[0]), self.message_id(first))
        given = [entry["address"] for submission in
                 self.box.accepted()[self.before["accepted"]:]
                 for entry in submission["recipients"]]
        self.assertEqual(sorted(given), sorted(set(given)))
        # DORA's letter is either given, or refused in words; never said to be given when it is not.
        self.assertEqual(DORA in given, both[1].startswith("250 "))

    def test_the_same_n_with_other_content(self):
        n = os.urandom(16)
        self.message_id(self.lmtp([BOB], self.sealed([BOB], n=n))[0])
        other = message(ANNA, [BOB], text="Something else.\n")
        reply, = self.lmtp([BOB], self.sealed([BOB], other, n=n))
        self.assertRegex(reply, r"^5\d\d 5\.7\.7 ")
        self.submissions(1)

    def test_cut_after_the_first_of_several_replies(self):
        everybody = [BOB, DORA, EMIL]
        content = self.caught(everybody, message(ANNA, [BOB]))
        with Client(self.box.postfix.lmtp_socket, lmtp=True) as client:
            client.envelope(ANNA, everybody)
            client.data(content)
            first = self.message_id(client.read_reply())
        # Postfix keeps the first 250 and comes back with the others.
        wait_for(lambda: len(self.box.accepted()) == self.before["accepted"] + 3)
        later = self.lmtp([DORA, EMIL], content)
        ids = {first, *(self.message_id(reply) for reply in later)}
        self.assertEqual(len(ids), 3)
        self.submissions(3)

    def test_cut_before_the_end_of_data(self):
        content = self.caught([BOB])
        with Client(self.box.postfix.lmtp_socket, lmtp=True) as client:
            client.envelope(ANNA, [BOB])
            client.command("DATA")
            client.write(content)
        time.sleep(0.5)
        self.submissions(0)
        self.message_id(self.lmtp([BOB], content)[0])
        self.submissions(1)

    def test_two_at_once(self):
        content = self.caught([BOB])
        replies = self.lmtp_at_once([self.box.postfix.lmtp_socket] * 4, content)
        # One did the work; the others hear its outcome or are told to come again.
        for reply in replies:
            self.assertRegex(reply, r"^(250|4\d\d) ")
        self.assertIn("250", [reply[:3] for reply in replies])
        self.submissions(1)
        self.message_id(self.lmtp([BOB], content)[0])
        self.submissions(1)

    def test_rcpt_without_data_is_a_probe(self):
        with Client(self.box.postfix.lmtp_socket, lmtp=True) as client:
            client.envelope("", [BOB])
            client.command("RSET")
            client.envelope("double-bounce@firm.example", [BOB])
            client.command("QUIT")
        self.submissions(0)

    def test_what_was_accepted_is_what_was_handed_over(self):
        content = self.caught([BOB])
        self.lmtp([BOB], content)
        submission, = self.submissions(1)
        self.assertEqual(body_of(submission["content"]), body_of(content))


if __name__ == "__main__":
    main()
