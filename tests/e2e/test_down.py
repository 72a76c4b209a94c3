"""One part is away: nothing is lost, nothing leaves as plain mail, ordinary mail flows."""

import os
import re
import time

from harness import ANNA, BOB, EndToEnd, Refused, main, message, wait_for

INTERNET = "ida@internet.example"


class Down(EndToEnd):
    def setUp(self):
        super().setUp()
        self.assertEqual(self.box.postfix.queue(), [])

    def deferred(self, pattern):
        """The reason that the queue shows for a De-Mail that waits."""
        def reason():
            for entry in self.box.postfix.queue():
                for recipient in entry["recipients"]:
                    found = re.search(pattern, recipient.get("delay_reason", ""))
                    if found:
                        return recipient["delay_reason"]
            return None
        return wait_for(reason, 30, f"a message deferred with {pattern}")

    def test_milter_down_is_a_temporary_failure_and_nothing_leaves(self):
        self.box.milter.stop()
        try:
            for recipient in (BOB, INTERNET):
                with self.assertRaises(Refused) as caught:
                    self.send([recipient])
                self.assertEqual(caught.exception.code // 100, 4)
            self.nothing_left()
        finally:
            self.box.daemons.start_milter()
        self.send([BOB])
        self.accepted(1)

    def test_relay_down_de_mails_wait_and_ordinary_mail_flows(self):
        self.box.relay.stop()
        try:
            self.send([BOB])
            self.send([INTERNET])
            self.kept("internet", 1)
            self.deferred("lmtp.sock")
            self.assertEqual(len(self.box.accepted()), self.before["accepted"])
        finally:
            self.box.daemons.start_relay()
        self.box.postfix.flush()
        self.accepted(1)

    def test_relay_killed_comes_back_on_its_stale_socket(self):
        self.box.relay.kill()
        self.send([BOB])
        self.box.daemons.start_relay()
        self.box.postfix.flush()
        self.accepted(1)

    def test_provider_down_de_mails_wait_with_the_reason(self):
        self.box.provider.stop()
        try:
            self.send([BOB])
            reason = self.deferred(r"451 4\.4\.1")
            self.assertRegex(reason, r"451 4\.4\.1 [A-Z].*[a-z]+ [a-z]+")
        finally:
            self.box.start_provider()
        self.box.postfix.flush()
        self.accepted(1)

    def test_all_survive_a_restart_of_everything(self):
        self.box.provider.stop()
        self.send([BOB])
        self.deferred(r"451 4\.4\.1")
        for part in (self.box.relay, self.box.milter, self.box.postfix):
            part.stop()
        self.box.start_provider()
        self.box.daemons.start_relay()
        self.box.daemons.start_milter()
        self.box.postfix.start()
        self.box.postfix.flush()
        self.accepted(1)

    def test_sigterm_ends_both_daemons_within_a_second(self):
        for process, start in ((self.box.milter, self.box.daemons.start_milter),
                               (self.box.relay, self.box.daemons.start_relay)):
            began = time.monotonic()
            process.stop()
            self.assertLess(time.monotonic() - began, 1.0, process.name)
            start()


class IndexMissing(EndToEnd):
    """The domain list's index is gone: all mail waits, none leaves as plain mail."""

    def test_nothing_leaves(self):
        base = self.box.daemons.domains
        away = []
        for name in os.listdir(os.path.dirname(base)):
            path = os.path.join(os.path.dirname(base), name)
            if path.startswith(base + ".") and path.endswith((".db", ".lmdb", ".dir", ".pag")):
                os.rename(path, path + ".away")
                away.append(path)
        self.assertEqual(len(away), 1)
        self.box.postfix.stop()
        self.box.postfix.start()
        try:
            with self.assertRaises(Refused) as caught:
                self.send([BOB], message(ANNA, [BOB]))
            self.assertEqual(caught.exception.code // 100, 4)
            # sendmail(1) meets no smtpd that would refuse: the message stays in maildrop.
            root = "root@firm.example"
            self.box.postfix.sendmail(message(root, [BOB]).replace(b"\r\n", b"\n"),
                                      "-f", root, BOB)
            wait_for(lambda: "milter-reject: END-OF-MESSAGE" in self.box.postfix.log(), 30,
                     "the milter's not-now")
            self.assertEqual([entry["queue_name"] for entry in self.box.postfix.queue()],
                             ["maildrop"])
            self.nothing_left()
        finally:
            for path in away:
                os.rename(path + ".away", path)
        # trivial-rewrite and pickup notice within their own time; a restart shortens the wait. The
        # milter looks once a second: a pickup that comes earlier comes again after a minute.
        time.sleep(1.1)
        self.box.postfix.stop()
        self.box.postfix.start()
        self.accepted(1)


if __name__ == "__main__":
    main()
