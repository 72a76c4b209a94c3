"""Two hosts, each with its Postfix, milter and relay, and one journal in PostgreSQL: whatever is
stopped or killed, every De-Mail is accepted exactly once."""

import os
import re
import threading

from harness import ANNA, ANNA_DE_MAIL, BOB, Client, main, message, wait_for
from sealing import make_tags, read_key, with_seal
from two_hosts import TwoHosts


class TwoRelays(TwoHosts):
    def uncertain(self):
        """How often Postfix was told that a letter is being looked up."""
        return sum(host.postfix.log().count(" 451 4.4.2 ") for host in (self.one, self.two))

    def state_of(self, n):
        return self.database.sql(f"select state, relay from submission where n = '{n.hex()}'")

    def sealed(self, n):
        content = message(ANNA, [BOB])
        return with_seal(content, make_tags(content, read_key(self.one.daemons.key_file),
                                            ANNA_DE_MAIL, ANNA, [BOB], n=n))

    def test_forty_letters_while_the_database_is_stopped_restarted_and_killed(self):
        words = [f"letter-{number}" for number in range(40)]

        def send(begin, end):
            for number in range(begin, end):
                (self.one, self.two)[number % 2].send(words[number])

        send(0, 8)
        self.database.stop()
        send(8, 16)
        for host in (self.one, self.two):
            wait_for(lambda host=host: "451 4.3.1" in host.postfix.log(), 30, "a deferral")
        self.database.start()
        send(16, 20)
        sending = threading.Thread(target=send, args=(20, 28))
        sending.start()
        self.database.kill()  # amid the letters
        self.database.start()
        sending.join()
        wait_for(lambda: len(self.words()) == 28, 30, "what was sent so far")
        # The provider has these, the relays have not heard so, and cannot write it down.
        self.box.faults({"operation": "Submit", "times": 4, "fault": "delay-after", "seconds": 2})
        looked_up = len(self.box.requests("FindSubmission"))
        uncertain = self.uncertain()
        send(28, 32)
        wait_for(lambda: len(self.words()) == 32, 30, "four letters at the provider")
        self.database.kill()
        wait_for(lambda: self.uncertain() == uncertain + 4, 30, "their deferrals")
        self.database.start()
        send(32, 36)
        self.database.stop()
        self.database.start()
        send(36, 40)
        self.all_once(words)
        self.assertGreaterEqual(len(self.box.requests("FindSubmission")), looked_up + 4)
        taken = [entry["privateId"] for entry in self.box.accepted()[self.before["accepted"]:]]
        self.assertEqual(len(set(taken)), 40)
        self.assertEqual(self.database.sql(
            "select relay, state, count(*), count(distinct n) from submission where private_id = "
            f"any('{{{','.join(taken)}}}') group by 1, 2 order by 1"),
            [["one", "accepted", "20", "20"], ["two", "accepted", "20", "20"]])

    def test_one_hand_over_at_both_at_once(self):
        content = self.sealed(os.urandom(16))
        replies = self.lmtp_at_once(
            [host.postfix.lmtp_socket for host in (self.one, self.two) for _ in range(4)], content)
        for reply in replies:
            self.assertRegex(reply, r"^(250|451 4\.4\.2) ")
        self.assertIn("250", [reply[:3] for reply in replies])
        self.assertEqual(len(self.box.accepted()), self.before["accepted"] + 1)
        ids = {re.search(r"<[^>]+>", host.lmtp(content)).group() for host in (self.one, self.two)}
        self.assertEqual(len(ids), 1)
        self.assertEqual(len(self.box.accepted()), self.before["accepted"] + 1)

    def die_in_work(self, host, n):
        """The provider takes the letter, the relay dies before it hears so."""
        self.box.faults({"operation": "Submit", "times": 1, "fault": "delay-after", "seconds": 3})
        content = self.sealed(n)
        with Client(host.postfix.lmtp_socket, lmtp=True) as client:
            client.envelope(ANNA, [BOB])
            client.command("DATA")
            client.write(content + b".\r\n")
            wait_for(lambda: len(self.box.accepted()) > self.before["accepted"])
            host.relay.kill()
        self.box.faults()
        return content

    def test_what_a_dead_host_was_at_is_looked_up_by_the_other_after_its_lease(self):
        n = os.urandom(16)
        content = self.die_in_work(self.two, n)
        self.assertRegex(self.one.lmtp(content), r"^451 4\.4\.2 ")
        self.assertEqual(self.state_of(n), [["submitting", "two"]])
        self.database.sql("update claim set until = 1")  # time passes
        self.assertRegex(self.one.lmtp(content), r"^250 2\.0\.0 ")
        self.assertEqual(self.state_of(n), [["accepted", "one"]])
        self.assertEqual(len(self.box.accepted()), self.before["accepted"] + 1)

    def test_a_relay_that_comes_back_goes_on_with_its_own_at_once(self):
        n = os.urandom(16)
        content = self.die_in_work(self.two, n)
        self.two.daemons.start_relay()
        self.assertEqual(self.state_of(n), [["uncertain", "two"]])
        self.assertRegex(self.two.lmtp(content), r"^250 2\.0\.0 ")
        self.assertEqual(len(self.box.accepted()), self.before["accepted"] + 1)

    def test_a_start_settles_nothing_of_the_other_host(self):
        n = os.urandom(16)
        self.box.faults({"operation": "Submit", "times": 1, "fault": "delay-after", "seconds": 4})
        with Client(self.one.postfix.lmtp_socket, lmtp=True) as client:
            client.envelope(ANNA, [BOB])
            client.command("DATA")
            client.write(self.sealed(n) + b".\r\n")
            wait_for(lambda: len(self.box.accepted()) > self.before["accepted"])
            self.two.relay.kill()
            self.two.daemons.start_relay()
            self.assertEqual(self.state_of(n), [["submitting", "one"]])
            self.assertRegex(client.read_reply(), r"^250 2\.0\.0 ")
        self.assertEqual(self.state_of(n), [["accepted", "one"]])

    def test_one_host_dies_for_good_and_the_other_goes_on(self):
        self.die_in_work(self.two, os.urandom(16))
        self.two.postfix.stop()
        self.two.milter.stop()
        self.before["accepted"] = len(self.box.accepted())
        words = [f"alone-{number}" for number in range(5)]
        for word in words:
            self.one.send(word)
        wait_for(lambda: len(self.words()) >= len(words) and self.one.postfix.empty(), 30,
                 "the other host's letters")
        self.assertEqual(self.words(), words)

    def test_a_relay_that_starts_before_the_database_serves_when_it_is_there(self):
        self.one.relay.stop()
        self.database.stop()
        try:
            self.one.daemons.start_relay()
            self.one.send("early")
            wait_for(lambda: re.search(r"451 4\.3\.1", self.one.postfix.log()), 30, "a deferral")
            self.assertIn("event=journal", self.one.relay.log())
        finally:
            self.database.start()
        self.all_once(["early"], 30)


if __name__ == "__main__":
    main()
