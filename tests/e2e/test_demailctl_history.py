"""demailctl list, show and trace: the story of a De-Mail from each of its ids, while the relay runs
and while it does not."""

import json
import os
import re
import subprocess

from harness import ANNA, BOB, BUILD, DORA, EndToEnd, main, message, wait_for
from daemons import RELAY_USER, find_program

NOBODY = 65534


class History(EndToEnd):
    options = {"settings": {"minimal_backoff_time": "2s", "queue_run_delay": "2s"}}

    def ctl(self, *words, **identity):
        """(exit code, standard output, standard error)"""
        done = subprocess.run(
            [find_program(BUILD, "demailctl"), "--config", self.box.daemons.config_file, *words],
            capture_output=True, text=True, check=False, timeout=60,
            env={**os.environ, "TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}, **identity)
        for secret in ("Confidential", "file 4711"):
            if secret not in " ".join(words):
                self.assertNotIn(secret, done.stdout + done.stderr)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words):
        code, out, err = self.ctl(*words, "--json")
        self.assertEqual((code, err), (0, ""), words)
        return json.loads(out)

    def trace(self, clue):
        """The one submission of the one hand-over that the clue leads to."""
        story, = self.json("trace", clue)["found"]
        submission, = story["submissions"]
        return story["handOver"], submission

    def letter(self, recipients):
        content = message(ANNA, recipients, subject="Confidential")
        self.send(recipients, b"x-de-mail-private-id: file 4711\r\n" + content)
        mail_id = re.search(rb"Message-ID: (\S+)", content).group(1).decode()
        queue_id = wait_for(lambda: re.search(
            rf"postfix/cleanup\S* (\S+): message-id={re.escape(mail_id)}",
            self.box.postfix.log()), 20, "the queue id").group(1)
        return mail_id, queue_id

    def states(self, submission):
        return [one["state"] for one in submission["changes"]]

    def test_an_accepted_one_from_each_of_its_ids(self):
        mail_id, queue_id = self.letter([BOB])
        kept, = self.accepted(1)
        private_id = kept["privateId"]
        self.assertTrue(private_id.endswith(";file 4711"))
        hand_over, submission = self.trace(queue_id)
        for clue in (mail_id, mail_id.strip("<>"), kept["messageId"],
                     kept["messageId"].strip("<>"), private_id, private_id[:43], private_id[:11],
                     private_id[3:43], private_id[3:13]):
            with self.subTest(clue):
                self.assertEqual(self.trace(clue), (hand_over, submission))
        self.assertEqual((hand_over["account"], hand_over["sender"], hand_over["envelopeSender"],
                          hand_over["mailId"]), ("firm", "anna@firm.de-mail.de", ANNA, mail_id))
        self.assertLessEqual(hand_over["sealed"][:19], hand_over["firstBrought"][:19])
        self.assertEqual((submission["state"], submission["queueId"], submission["messageId"]),
                         ("accepted", queue_id, kept["messageId"]))
        self.assertEqual(submission["recipients"], [{"address": BOB, "field": "to", "reply": None}])
        self.assertEqual(self.states(submission), ["submitting", "accepted"])
        self.assertIn("nothing for you to do", submission["next"])
        self.assertEqual(submission["privateId"], private_id[:43])
        shown, = self.json("show", private_id[:11])["found"]
        self.assertEqual(shown["submissions"], [submission])
        # To a person: in one screen, by the clock on the wall.
        code, out, err = self.ctl("trace", queue_id)
        self.assertEqual((code, err), (0, ""))
        self.assertLess(len(out.splitlines()), 25)
        for part in (mail_id, queue_id, kept["messageId"], private_id[:43], BOB, "250 2.0.0",
                     "nothing for you to do", self.box.daemons.state + "/evidence/20"):
            self.assertIn(part, out)
        self.assertRegex(out, r"sealed +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d CES?T")

    def test_a_refused_one(self):
        _, queue_id = self.letter(["nobody@other.de-mail.de"])
        self.bounce()
        _, submission = self.trace(queue_id)
        self.assertEqual(self.states(submission), ["submitting", "refused"])
        self.assertEqual(submission["reply"]["code"], 550)
        self.assertEqual(submission["reply"]["enhanced"], "5.1.1")
        self.assertIn("returns the message to the sender", submission["next"])
        listed = self.json("list", "--state", "refused", "--since", "1h")["submissions"]
        self.assertEqual([one["queueId"] for one in listed], [queue_id])
        self.assertEqual(self.json("list", "--state", "refused", "--since", "0s")["submissions"],
                         [])

    def test_an_uncertain_one_that_is_found(self):
        self.box.faults({"operation": "Submit", "fault": "drop-after", "times": 1},
                        {"operation": "FindSubmission", "fault": "http-503"})
        self.addCleanup(self.box.faults)
        _, queue_id = self.letter([BOB])
        wait_for(lambda: "uncertain" in self.ctl("trace", queue_id)[1], 30, "it to be uncertain")
        _, submission = self.trace(queue_id)
        self.assertEqual(submission["state"], "uncertain")
        self.assertEqual(submission["reply"]["enhanced"], "4.4.2")
        self.assertIn("asks the provider again when Postfix brings", submission["next"])
        self.assertIn(f"postqueue -i {queue_id}", submission["next"])
        self.assertIn(queue_id, [one["queueId"] for one in
                                 self.json("list", "--state", "uncertain")["submissions"]])
        self.box.faults()
        kept, = self.accepted(1)
        _, submission = self.trace(kept["messageId"])
        self.assertEqual(self.states(submission), ["submitting", "uncertain", "accepted"])
        self.assertEqual(sorted(one["at"] for one in submission["changes"]),
                         [one["at"] for one in submission["changes"]])

    def test_a_list_has_the_latest_first_and_pages(self):
        ids = []
        for _ in range(3):
            ids.append(self.letter([BOB, DORA])[1])
        self.accepted(3)
        listed = self.json("list", "--limit", "2")
        self.assertEqual([one["queueId"] for one in listed["submissions"]], ids[:0:-1])
        self.assertTrue(listed["more"])
        one = listed["submissions"][0]
        self.assertEqual((one["sender"], one["recipientsInAll"]), ("anna@firm.de-mail.de", 2))
        self.assertEqual([entry["address"] for entry in one["recipients"]], [BOB, DORA])
        code, out, _ = self.ctl("list", "--limit", "2")
        self.assertEqual((code, len(out.splitlines())), (0, 4))
        self.assertIn("--limit", out.splitlines()[3])

    def test_what_is_not_there_and_what_is_no_word(self):
        for command in ("show", "trace"):
            code, out, err = self.ctl(command, "g1-" + "0" * 40)
            self.assertEqual((code, out), (1, ""))
            self.assertIn("knows no submission", err)
        code, _, err = self.ctl("trace", "g1-1234567")
        self.assertEqual(code, 1)
        self.assertIn("8 hex digits", err)
        for words in (("list", "--since", "yesterday"), ("list", "--state", "lost"),
                      ("list", "--limit", "0"), ("trace",), ("show",), ("trace", "x" * 4000)):
            self.assertEqual(self.ctl(*words)[0], 64, words)

    def test_while_the_relay_is_down_root_reads_the_journal(self):
        _, queue_id = self.letter([BOB])
        kept, = self.accepted(1)
        asked = (("trace", queue_id), ("show", kept["privateId"][:43]), ("list", "--limit", "3"))
        before = [self.json(*words) for words in asked]
        self.box.relay.stop()
        try:
            self.assertEqual([self.json(*words) for words in asked], before)
            code, out, err = self.ctl("trace", queue_id, user=NOBODY, group=NOBODY,
                                      extra_groups=[])
            self.assertEqual((code, out), (69, ""))
            self.assertIn("root can read the journal", err)
            for name in os.listdir(self.box.daemons.state):
                if name.startswith("journal.db"):
                    owner = os.stat(os.path.join(self.box.daemons.state, name)).st_uid
                    self.assertEqual(owner, RELAY_USER, name)
        finally:
            self.box.daemons.start_relay()
        self.send([BOB])
        self.accepted(2)

    def test_not_everybody_may_look(self):
        code, out, err = self.ctl("list", user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertEqual((code, out), (1, ""))
        self.assertIn("demail-view", err)


if __name__ == "__main__":
    main()
