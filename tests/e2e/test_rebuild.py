"""The journal is lost: the relay learns from the evidence what was sent, and sends nothing twice."""

import glob
import json
import os
import re
import sqlite3
import subprocess
from contextlib import closing

from crash import AT, RELAY_USER, SOAK, Crash, chosen
from daemons import find_program
from harness import ANNA, BOB, BUILD, DORA, Client, main, wait_for

NOBODY = "nobody@other.de-mail.de"


class Rebuild(Crash):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.box.faults)
        self.journal_path = os.path.join(self.box.daemons.state, "journal.db")
        self.log_before = len(self.box.relay.log())

    def ctl(self, *words):
        done = subprocess.run(
            [find_program(BUILD, "demailctl"), "--config", self.box.daemons.config_file, *words],
            capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def counts(self):
        return json.loads(self.ctl("status", "--json")[1])["relay"]["submissions"]

    def lose_journal(self):
        """As after a crash, not only after a clean stop."""
        self.box.relay.kill()
        self.mend_token()
        for path in glob.glob(self.journal_path + "*"):
            os.unlink(path)

    def said(self):
        return self.box.relay.log()[self.log_before:]

    def uncertain(self, word):
        """The provider took it, and does not answer."""
        self.box.faults({"operation": "Submit", "fault": "drop-after", "times": 1},
                        {"operation": "FindSubmission", "fault": "http-503"})
        letter = self.post(word)
        wait_for(lambda: (self.read_postfix(), letter.deferred)[1], 20, "a deferral")
        return letter

    def over_lmtp(self, recipients, content):
        """Postfix brings the same message once more."""
        with Client(self.box.postfix.lmtp_socket, lmtp=True) as client:
            return client.send(ANNA, recipients, content)

    def test_what_was_sent_is_known_again(self):
        accepted = self.post("accepted", to=[BOB, DORA])
        refused = self.post("refused", to=[NOBODY])
        self.assertEqual(self.deliver([accepted, refused]), [])
        self.read_provider()
        taken = [one for one in self.submissions.values()
                 if accepted.word.encode() in one["words"]]
        received = self.evidence(taken[0])["received.eml"]
        unanswered = self.uncertain("uncertain")
        before = self.counts()
        submits = len(self.box.requests("Submit"))

        self.lose_journal()
        self.box.daemons.start_relay()
        self.assertRegex(self.said(), rf'event=rebuilt count="{sum(before.values())}" known="0" '
                                      r'unreadable="0"')
        self.assertEqual(self.counts(), before)
        code, out, _ = self.ctl("show", taken[0]["privateId"].partition(";")[0])
        self.assertEqual(code, 0)
        self.assertIn("restored from the evidence", out)
        # Postfix did not hear the 250, and comes again.
        for reply in self.over_lmtp([BOB, DORA], received):
            self.assertIn("250 2.0.0", reply)
            self.assertIn(taken[0]["messageId"].strip("<>"), reply)
        self.box.faults()
        self.assertEqual(self.deliver([unanswered]), [])
        self.assertEqual(unanswered.statuses[BOB], "sent")
        self.assertEqual(len(self.box.requests("Submit")), submits)
        self.check([accepted, refused, unanswered])
        self.totals("a lost journal", "letters")
        # The next start has nothing to rebuild.
        self.log_before = len(self.box.relay.log())
        self.restart_relay()
        self.assertNotIn("rebuilt", self.said())

    def test_without_evidence_that_can_be_read_nothing_is_sent(self):
        """The relay does not start without its tree; with a directory of it that it may not read it
        does, and mail waits."""
        letter = self.uncertain("with its evidence away")
        self.box.faults()
        self.lose_journal()
        root = os.path.join(self.box.daemons.state, "evidence")
        year = glob.glob(os.path.join(root, "2*"))[0]
        aside = os.path.join(self.box.daemons.state, "aside")
        os.rename(root, aside)
        os.symlink("/nowhere", root)
        try:
            submits = len(self.box.requests("Submit"))
            self.box.relay.start()
            self.assertEqual(self.box.relay.popen.wait(20), 69)
            self.assertRegex(self.said(), "event=ended .*evidence")
        finally:
            os.unlink(root)
            os.rename(aside, root)
        os.rename(year, year + ".aside")
        os.chmod(root, 0o700)
        os.mkdir(year, 0o000)  # another user's
        try:
            self.box.daemons.start_relay()
            self.assertRegex(self.said(), "event=journal .*evidence cannot be read.*Permission")
            self.box.postfix.flush()
            wait_for(lambda: "451 4.3.1" in self.box.postfix.log().rpartition(
                letter.queue_id)[2], 20, "the deferral")
            self.assertEqual(len(self.box.requests("Submit")), submits)
        finally:
            os.rmdir(year)
            os.rename(year + ".aside", year)
        self.assertEqual(self.deliver([letter]), [])
        self.assertEqual(len(self.box.requests("Submit")), submits)
        self.check([letter])
        self.totals("evidence that is away", "letters")

    def test_the_journal_is_lost_with_each_crash(self):
        """The relay is killed before each act of a letter's life, and the journal is gone."""
        every = 1 if SOAK else 4
        first = 1 + chosen("lost").randrange(every)
        for number in [AT] if AT else range(first, 10000, every):
            self.shim.acts()
            self.shim.arm(number)
            letter = self.post(str(number))
            killed = self.killed([letter])
            self.shim.disarm()
            if not killed:
                break
            act = [act for act in self.shim.acts() if act.kind.startswith("killed")][-1]
            letter.point = f"{number} {act.kind} {act.path.rpartition('/')[2]}"
            self.lose_journal()
            self.deliver([letter])
            self.check([letter])
        self.totals("the journal lost with each crash")
        self.assertGreater(self.tally.points, 0 if AT else 30 // every)

    def test_the_rebuild_is_killed_before_each_of_its_acts(self):
        every = 1 if SOAK else 9
        for number in [AT] if AT else range(1 + chosen("rebuild").randrange(every), 10000, every):
            letter = self.uncertain(f"rebuild killed before {number}")
            self.box.faults()
            self.lose_journal()
            self.shim.arm(number)
            self.box.relay.start()
            listening = lambda: (  # noqa: E731
                self.relay_died() or "event=rebuilt" in self.said())
            wait_for(listening, 20, "the rebuild", 0.01)
            self.shim.disarm()
            last = not self.relay_died()
            self.deliver([letter])
            self.check([letter])
            self.log_before = len(self.box.relay.log())
            if last:
                break
        self.totals("a rebuild")
        self.assertGreater(self.tally.points, 0 if AT else 50 // every)

    def test_by_hand_after_an_old_copy_was_put_back(self):
        first = self.post("before the copy")
        self.assertEqual(self.deliver([first]), [])
        self.box.relay.stop()
        copy = os.path.join(self.box.directory, "copy.db")
        with closing(sqlite3.connect(self.journal_path)) as old, \
                closing(sqlite3.connect(copy)) as new:
            old.backup(new)
        os.chown(self.journal_path, RELAY_USER, -1)
        self.box.daemons.start_relay()
        second = self.uncertain("after the copy")
        before = self.counts()
        code, out, err = self.ctl("evidence", "rebuild")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("stop the relay", err)
        self.lose_journal()
        os.rename(copy, self.journal_path)
        os.chown(self.journal_path, RELAY_USER, -1)
        code, out, err = self.ctl("evidence", "rebuild", "--json")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(json.loads(out)["restored"], 1)
        self.assertEqual(json.loads(out)["unreadable"], 0)
        code, out, err = self.ctl("evidence", "rebuild")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^0 submissions brought in")
        for path in glob.glob(self.journal_path + "*"):
            self.assertEqual(os.stat(path).st_uid, RELAY_USER, path)
        self.box.daemons.start_relay()
        self.assertEqual(self.counts(), before)
        submits = len(self.box.requests("Submit"))
        self.box.faults()
        self.assertEqual(self.deliver([second]), [])
        self.assertEqual(len(self.box.requests("Submit")), submits)
        self.check([first, second])
        self.totals("an old copy", "letters")


if __name__ == "__main__":
    main()
