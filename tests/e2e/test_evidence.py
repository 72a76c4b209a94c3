"""What was sent, byte for byte, and what came back: kept by the relay, for its own user alone."""

import json
import os
import stat
import subprocess

from harness import BOB, DORA, EndToEnd, main, wait_for


class Evidence(EndToEnd):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.box.faults)

    def lines(self, evidence):
        return [json.loads(line) for line in evidence["attempts.jsonl"].splitlines()]

    def test_each_submission_has_a_directory_of_its_own(self):
        self.send([BOB, DORA], b"From: anna@firm.example\r\nTo: " + BOB.encode() +
                  b"\r\nSubject: x\r\n\r\n8 bit: \xe4\r\n")
        for submission in self.accepted(2):
            evidence = self.evidence(submission)
            self.assertEqual(sorted(evidence), ["attempts.jsonl", "received.eml", "reply.xml",
                                                "request.xml", "submitted.eml"])
            self.assertEqual(evidence["submitted.eml"], submission["content"])
            self.assertIn(b"Demail-Seal:", evidence["received.eml"])
            self.assertTrue(evidence["received.eml"].endswith(b"\r\n\r\n8 bit: \xe4\r\n"))
            self.assertIn(submission["messageId"].strip("<>").encode(), evidence["reply.xml"])
            begun, ended = self.lines(evidence)
            self.assertEqual(begun["submission"]["privateId"], submission["privateId"])
            self.assertEqual((ended["state"], ended["messageId"]),
                             ("accepted", submission["messageId"]))

    def test_the_request_is_the_one_that_was_signed(self):
        """xmlsec1 is somebody else's program; the content's digest is another test's."""
        self.send([BOB])
        submission, = self.accepted(1)
        request = os.path.join(self.box.daemons.evidence_of(submission["privateId"]),
                               "request.xml")
        shown = subprocess.run(
            ["xmllint", "--noout", "--nonet", request], capture_output=True, check=False)
        self.assertEqual((shown.returncode, shown.stderr), (0, b""))
        with open(request, "rb") as file:
            text = file.read()
        self.assertIn(b"<ds:SignatureValue>", text)
        self.assertIn(submission["privateId"].partition(";")[0].encode(), text)

    def test_a_look_up_is_kept_beside_the_attempt(self):
        self.box.faults({"operation": "Submit", "times": 1, "fault": "drop-after"})
        self.send([BOB])
        submission, = self.accepted(1)
        evidence = self.evidence(submission)
        self.assertIn(b"FindSubmission", evidence["request-2.xml"])
        self.assertNotIn("reply.xml", evidence)
        self.assertIn(submission["messageId"].strip("<>").encode(), evidence["reply-2.xml"])
        self.assertEqual([line.get("state") for line in self.lines(evidence)],
                         [None, "uncertain", "accepted"])

    def test_nobody_else_may_read_it(self):
        self.send([BOB])
        submission, = self.accepted(1)
        directory = self.box.daemons.evidence_of(submission["privateId"])
        relay = os.stat(self.box.daemons.state).st_uid
        for path in (directory, *(os.path.join(directory, name) for name in os.listdir(directory))):
            status = os.stat(path)
            self.assertEqual(stat.S_IMODE(status.st_mode) & 0o077, 0, path)
            self.assertEqual(status.st_uid, relay, path)

    def test_what_cannot_be_kept_waits(self):
        """The evidence's disk is full: a file stands where the month's directory belongs."""
        root = os.path.join(self.box.daemons.state, "evidence")
        aside = root + ".aside"
        os.rename(root, aside)
        with open(root, "w", encoding="ascii"):
            pass
        log_before = len(self.box.postfix.log())
        try:
            self.send([BOB])
            wait_for(lambda: "451 4.3.1 " in self.box.postfix.log()[log_before:], 30, "a deferral")
            self.nothing_left()
        finally:
            os.unlink(root)
            os.rename(aside, root)
        self.accepted(1)


if __name__ == "__main__":
    main()
