"""Postfix gives a De-Mail up while nobody knows whether the provider has it: it is looked up all
the same, and its sender is told the truth by mail."""

import re

from harness import BOB, EndToEnd, main, wait_for


class GivenUp(EndToEnd):
    options = {"settings": {"maximal_queue_lifetime": "6s", "bounce_queue_lifetime": "6s"}}

    @classmethod
    def prepare(cls):
        daemons = cls.box.daemons
        daemons.write_configuration(daemons.configuration().replace(
            "lookup_pause = 2\n", "lookup_pause = 2\ngiven_up_after = 15\n"))

    def setUp(self):
        super().setUp()
        self.addCleanup(self.box.faults)

    def given_up(self, fault):
        """A De-Mail that met this fault and was bounced with its outcome open; the mails."""
        self.box.faults({"operation": "Submit", "times": 1, "fault": fault},
                        {"operation": "FindSubmission", "fault": "http-503"})
        self.send([BOB])
        bounce, = self.kept("mailboxes", 1, 40)
        self.assertIn("do not send again", bounce["content"].decode())
        self.box.faults()
        mails = self.kept("mailboxes", 2, 40)
        return mails[1]

    def told(self, mail, words):
        text = mail["content"].decode()
        self.assertEqual((mail["sender"], mail["recipients"]), ("", ["anna@firm.example"]))
        self.assertIn(words, text)
        self.assertIn(BOB, text)
        self.assertRegex(text, r"(?m)^Auto-Submitted: auto-replied\r?$")
        self.assertRegex(text, r"(?m)^In-Reply-To: <[^>]+>\r?$")
        self.assertRegex(text, r"g1-[0-9a-f]{40}")

    def test_one_that_the_provider_has(self):
        mail = self.given_up("drop-after")
        self.told(mail, "Do not send it again")
        submission, = self.accepted(1)
        self.assertIn(submission["messageId"], mail["content"].decode())
        self.assertTrue(re.search(r'event=told .*text="accepted"', self.box.relay.log()))

    def test_one_that_the_provider_does_not_know(self):
        mail = self.given_up("drop-before")
        self.told(mail, "It was not sent")
        self.nothing_left()
        wait_for(lambda: 'text="abandoned"' in self.box.relay.log(), 10, "the log's line")


if __name__ == "__main__":
    main()
