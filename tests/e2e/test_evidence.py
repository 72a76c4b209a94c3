"""What was sent, byte for byte, and what came back: kept by the relay, for its own user alone."""

import json
import os
import stat
import subprocess
import tempfile

from harness import BOB, DORA, EndToEnd, main, wait_for

HERE = os.path.dirname(os.path.realpath(__file__))


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

    def verified(self, submission):
        """By openssl and a shell, from what lies in the directory and the key's certificate."""
        directory = self.box.daemons.evidence_of(submission["privateId"])
        certificate = os.path.join(self.box.directory, "sign.pem")
        token = self.box.token
        with tempfile.NamedTemporaryFile() as der:
            token.tool("--read-object", "--type", "cert", "--label", "demail-sign", "-o", der.name)
            subprocess.run(["openssl", "x509", "-inform", "DER", "-in", der.name, "-out",
                            certificate], check=True)
        return subprocess.run(
            [os.path.join(HERE, "verify_by_hand.sh"),
             *(os.path.join(directory, name) for name in ("request.xml", "submitted.eml")),
             certificate], capture_output=True, text=True, check=False)

    def test_what_is_kept_verifies_without_us(self):
        self.send([BOB])
        submission, = self.accepted(1)
        done = self.verified(submission)
        self.assertEqual(done.returncode, 0, done.stderr)
        path = os.path.join(self.box.daemons.evidence_of(submission["privateId"]),
                            "submitted.eml")
        with open(path, "ab") as file:
            file.write(b".")
        self.assertIn("digest of infoset", self.verified(submission).stderr)

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
