"""No signed, correlated reply: the letter is looked up, never sent again blindly."""

import re

from harness import BOB, EndToEnd, main, wait_for


class Uncertain(EndToEnd):
    def setUp(self):
        super().setUp()
        self.find_before = len(self.box.requests("FindSubmission"))
        self.submit_before = len(self.box.requests("Submit"))
        self.addCleanup(self.box.faults)

    def reason(self, pattern):
        """Waits until a De-Mail is deferred with these words."""
        return wait_for(lambda: re.search(pattern, self.box.postfix.log()[self.log_before:]), 30,
                        f"a deferral with {pattern}")

    def send_with(self, **fault):
        self.box.faults({"operation": "Submit", "times": 1, **fault})
        self.log_before = len(self.box.postfix.log())
        self.send([BOB])

    def looked_up_and_found(self, **fault):
        self.send_with(**fault)
        self.reason(r"status=deferred .*451 4\.4\.2 .*do not send again")
        self.accepted(1)
        self.assertGreater(len(self.box.requests("FindSubmission")), self.find_before)
        self.assertEqual(len(self.box.requests("Submit")), self.submit_before + 1)

    def test_unknown_twice_is_sent_again_a_pause_later(self):
        self.send_with(fault="drop-before")
        self.reason(r"status=deferred .*451 4\.4\.2 ")
        self.accepted(1)
        self.assertGreaterEqual(len(self.box.requests("FindSubmission")), self.find_before + 2)
        self.assertEqual(len(self.box.requests("Submit")), self.submit_before + 2)

    def test_the_relay_killed_between_reply_and_journal(self):
        self.send_with(fault="delay-after", seconds=6)
        wait_for(lambda: len(self.box.accepted()) > self.before["accepted"])
        self.box.relay.kill()
        self.box.faults()
        self.box.daemons.start_relay()
        self.box.postfix.flush()
        submission, = self.accepted(1)
        self.assertIn(submission["messageId"].strip("<>"), self.box.postfix.log())
        # The simulator writes the first one down when its delay is over.
        wait_for(lambda: len(self.box.requests("Submit")) > self.submit_before)
        self.assertEqual(len(self.box.requests("Submit")), self.submit_before + 1)

    def test_the_provider_killed_after_it_accepted(self):
        self.send_with(fault="delay-after", seconds=6)
        wait_for(lambda: len(self.box.accepted()) > self.before["accepted"])
        self.box.provider.kill()
        self.box.faults()
        self.box.start_provider()
        self.accepted(1)
        # The one that was cut off by the kill is not in the log.
        self.assertEqual(len(self.box.requests("Submit")), self.submit_before)
        self.assertGreater(len(self.box.requests("FindSubmission")), self.find_before)

    def test_an_unavailable_provider_is_asked_again_when_it_said(self):
        self.send_with(fault="unavailable", retryAfterSeconds=3, reason="we tidy up")
        self.reason(r"status=deferred .*451 4\.3\.2 .*we tidy up")
        self.accepted(1)
        first, second = self.box.requests("Submit")[self.submit_before:]
        self.assertLess(first["time"], second["time"])


def _add_tests():
    faults = [("cut", {"fault": "drop-after"}),
              ("cut_within_the_reply", {"fault": "truncate"}),
              ("http_503", {"fault": "http-503", "process": True}),
              ("html", {"fault": "html", "process": True}),
              ("empty", {"fault": "empty", "process": True}),
              *((name, {"fault": name}) for name in (
                  "unsigned", "bad-signature", "changed-body", "other-signer", "body-not-signed",
                  "wrong-relatesto", "stale", "wrapping-header", "wrapping-same-id",
                  "wrapping-second-body", "doctype", "wrong-content-type"))]
    for name, fault in faults:
        def test(self, fault=fault):
            self.looked_up_and_found(**fault)
        setattr(Uncertain, f"test_{name.replace('-', '_')}", test)


_add_tests()


class Suspended(EndToEnd):
    def test_a_refused_login_suspends_the_provider(self):
        self.box.faults({"operation": "Submit", "times": 1, "fault": "not-authorised"})
        self.send([BOB])
        wait_for(lambda: re.search(r"status=deferred .*451 4\.7\.0 ", self.box.postfix.log()))
        count = len(self.box.requests("Submit"))
        self.send([BOB])
        wait_for(lambda: self.box.postfix.log().count("451 4.7.0 ") >= 3)
        self.assertEqual(len(self.box.requests("Submit")), count)
        # A person acts.
        self.box.relay.restart()
        self.box.postfix.flush()
        self.accepted(2)


if __name__ == "__main__":
    main()
