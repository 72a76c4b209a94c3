"""demailctl block: a sender sends no De-Mail from this moment on, from the queue neither."""

import json
import os
import subprocess
import threading

from harness import ANNA, ANNA_DE_MAIL, BOB, BUILD, DORA, EndToEnd, main, message, wait_for
from daemons import find_program

BEA = "bea@firm.example"
INTERNET = "ida@internet.example"


class Blocks(EndToEnd):
    def ctl(self, *words, code=0, user=None):
        """Standard output and standard error."""
        done = subprocess.run(
            [find_program(BUILD, "demailctl"), "--config", self.box.daemons.config_file, *words],
            capture_output=True, text=True, check=False, timeout=60, user=user,
            extra_groups=[] if user else None)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return done.stdout + done.stderr

    def blocked(self):
        return [one["value"] for one in json.loads(self.ctl("block", "--json"))["blocks"]]

    def setUp(self):
        super().setUp()
        self.addCleanup(self.free)

    def free(self):
        if os.path.exists(self.box.daemons.blocks):
            os.unlink(self.box.daemons.blocks)

    def wait_in_queue(self, **words):
        """A De-Mail that waits there since the relay is stopped."""
        self.box.relay.stop()
        self.send([BOB], **words)
        wait_for(lambda: any("lmtp.sock" in recipient.get("delay_reason", "")
                             for entry in self.box.postfix.queue()
                             for recipient in entry["recipients"]), 30, "a De-Mail in the queue")

    def go_on(self):
        self.box.daemons.start_relay()
        self.box.postfix.flush()


class AtTheMilter(Blocks):
    def test_a_block_counts_for_the_next_letter_and_the_unblocking_too(self):
        for name in (ANNA, ANNA_DE_MAIL, "Anna@FIRM.example"):
            self.ctl("block", name)
            reply = self.refused([BOB])
            self.assertEqual(reply, "550 5.7.1 Not sent as De-Mail: this sender is blocked from "
                                    "sending De-Mail for now; ask the administrator")
            self.send([INTERNET])
            self.send([BOB], sender=BEA, login="bea")
            self.ctl("unblock", name)
        self.send([BOB])
        self.accepted(4)

    def test_an_account_and_everybody_can_be_blocked(self):
        for words, sentence in ((("--account", "firm"), "the De-Mail account of this sender"),
                                (("--all",), "sending De-Mail is blocked at this gateway")):
            self.ctl("block", *words)
            self.assertIn(sentence, self.refused([BOB]))
            self.ctl("unblock", *words)
        self.send([BOB])
        self.accepted(1)

    def test_a_damaged_list_makes_mail_wait(self):
        self.ctl("block", BEA)
        with open(self.box.daemons.blocks, encoding="utf-8") as file:
            whole = file.read()
        for text in (whole[:-8], "", whole.replace("bea", "b\tea")):
            with open(self.box.daemons.blocks, "w", encoding="utf-8") as file:
                file.write(text)
            self.assertRegex(self.refused([BOB]), "^451 4.3.0 .*list of blocks cannot be read")
            self.assertIn("damaged", self.ctl("block", ANNA, code=69))
        self.send([INTERNET])
        self.nothing_left_as_de_mail()
        with open(self.box.daemons.blocks, "w", encoding="utf-8") as file:
            file.write(whole)
        os.chmod(self.box.daemons.blocks, 0o666)
        self.assertRegex(self.refused([BOB]), "^451 4.3.0 ")
        os.chmod(self.box.daemons.blocks, 0o644)
        self.send([BOB])
        self.accepted(1)

    def nothing_left_as_de_mail(self):
        self.assertEqual(len(self.box.accepted()), self.before["accepted"])


class InTheQueue(Blocks):
    def refused_from_the_queue(self, sentence):
        bounce = self.bounce()
        self.assertIn(f"550 5.7.1 {sentence}", " ".join(bounce.split()))
        self.assertIn(BOB, bounce)
        self.assertNotIn("left the firm", bounce)
        self.nothing_left()
        self.assertEqual(self.box.postfix.queue(), [])

    def test_a_block_while_a_letter_waits_bounces_it(self):
        self.wait_in_queue()
        self.ctl("block", ANNA_DE_MAIL, "--reason", "left the firm")
        self.go_on()
        self.refused_from_the_queue("Not sent as De-Mail: this sender is blocked from sending "
                                    "De-Mail for now; ask the administrator")
        self.ctl("unblock", ANNA_DE_MAIL)
        self.send([BOB])
        self.accepted(1)

    def test_account_and_everybody_bounce_too(self):
        self.wait_in_queue()
        self.ctl("block", "--account", "firm")
        self.go_on()
        self.refused_from_the_queue("Not sent as De-Mail: the De-Mail account of this sender is "
                                    "blocked for now; ask the administrator")

    def test_a_damaged_list_keeps_the_letter_waiting(self):
        self.wait_in_queue()
        with open(self.box.daemons.blocks, "w", encoding="utf-8") as file:
            file.write("demail-blocks 1\n")
        self.go_on()
        wait_for(lambda: "451 4.3.0 It cannot be told now whether this sender is blocked" in
                 self.box.postfix.log(), 30, "the letter to be put off")
        self.nothing_left()
        self.free()
        self.box.postfix.flush()
        self.accepted(1)

    def test_an_uncertain_one_is_looked_up_all_the_same(self):
        finds = len(self.box.requests("FindSubmission"))
        self.box.faults({"operation": "Submit", "times": 1, "fault": "drop-after"})
        self.addCleanup(self.box.faults)
        self.send([BOB])
        wait_for(lambda: len(self.box.accepted()) > self.before["accepted"])
        self.ctl("block", "--all")
        self.box.postfix.flush()
        submission, = self.accepted(1)
        self.assertIn(submission["messageId"].strip("<>"), self.box.postfix.log())
        self.assertGreater(len(self.box.requests("FindSubmission")), finds)
        self.assertEqual(len(self.box.kept(self.box.mailboxes)), self.before["mailboxes"])

    def test_one_that_was_put_off_is_refused_and_the_journal_says_so(self):
        self.box.faults({"operation": "Submit", "times": 1, "fault": "unavailable",
                         "retryAfterSeconds": 1})
        self.addCleanup(self.box.faults)
        self.send([DORA])
        wait_for(lambda: "451 4.3.2" in self.box.postfix.log(), 30, "the letter to be put off")
        self.ctl("block", ANNA)
        self.box.postfix.flush()
        self.assertIn("this sender is blocked", " ".join(self.bounce().split()))
        self.assertEqual(len(self.box.accepted()), self.before["accepted"])
        latest = json.loads(self.ctl("list", "--limit", "1", "--json"))
        self.assertIn('"refused"', json.dumps(latest))

    def test_what_comes_from_sendmail_is_bounced_for_its_de_mail_recipients_alone(self):
        root = "root@firm.example"
        self.ctl("block", "system@firm.de-mail.de")
        self.box.postfix.sendmail(message(root, [BOB, INTERNET]).replace(b"\r\n", b"\n"),
                                  "-f", root, BOB, INTERNET)
        self.kept("internet", 1)
        self.assertIn("this sender is blocked", " ".join(self.bounce().split()))
        self.assertEqual(len(self.box.accepted()), self.before["accepted"])


class ByDemailctl(Blocks):
    def test_the_list_says_who_when_and_why(self):
        self.ctl("block", ANNA, "--reason", "left the firm")
        self.ctl("block", "--all", "--reason", "Schlüssel verloren")
        text = self.ctl("block")
        self.assertRegex(text, r"(?m)^BLOCKED +SINCE +BY +REASON$")
        self.assertRegex(text, rf"(?m)^{ANNA} +20\d\d-.* UTC +\S+ +left the firm$")
        self.assertRegex(text, r"(?m)^everybody .* Schlüssel verloren$")
        found = json.loads(self.ctl("block", "--json"))
        self.assertEqual(found["file"], self.box.daemons.blocks)
        self.assertEqual([(one["what"], one["value"], one["reason"]) for one in found["blocks"]],
                         [("all", "", "Schlüssel verloren"), ("address", ANNA, "left the firm")])
        # Blocked again it stays as it was.
        self.assertIn("left the firm", self.ctl("block", ANNA, "--reason", "other"))
        self.assertIn("left the firm", self.ctl("block"))

    def test_status_and_test_address_name_it(self):
        ask = ("test-address", BOB, "--from", ANNA, "--login", "anna")
        self.assertIn("nobody is blocked", self.ctl("status"))
        self.ctl(*ask)
        self.ctl("block", ANNA_DE_MAIL, "--reason", "left the firm")
        self.assertIn(f"{ANNA_DE_MAIL} blocked", self.ctl("status"))
        text = self.ctl(*ask, code=1)
        self.assertIn("blocked from sending De-Mail for now", text)
        self.assertRegex(text, rf"(?m)^blocked +{ANNA_DE_MAIL} is blocked since .*: left the firm$")
        answer = json.loads(self.ctl(*ask, "--json", code=1))
        self.assertEqual((answer["verdict"], answer["block"]["value"]), ("refused", ANNA_DE_MAIL))
        local = self.ctl("test-address", BOB, "--from", "root@firm.example", "--local")
        self.assertNotIn("blocked", local)
        self.ctl("block", "--all")
        self.assertIn("demail-relay bounces it", self.ctl(
            "test-address", BOB, "--from", "root@firm.example", "--local", code=1))
        with open(self.box.daemons.blocks, "w", encoding="utf-8"):
            pass
        self.assertIn("damaged", self.ctl("status", code=1))
        self.ctl(*ask, code=75)
        self.ctl("block", code=1)

    def test_what_is_no_name_is_said(self):
        for words in (("block", "anna"), ("block", "--account", "nobody"), ("unblock",),
                      ("block", ANNA, "--all"), ("block", ANNA, "--reason", "a\nb")):
            self.ctl(*words, code=64)
        self.assertIn("was not blocked", self.ctl("unblock", ANNA, code=1))
        self.assertIn("whether the address is right", self.ctl("block", "anna@fimr.example"))
        self.assertEqual(self.blocked(), ["anna@fimr.example"])

    def test_only_who_may_write_there_blocks(self):
        self.ctl("block", ANNA)
        self.assertIn("demail-admin", self.ctl("block", BEA, code=69, user=65534))
        self.assertIn(ANNA, self.ctl("block", user=65534))
        self.assertEqual(self.blocked(), [ANNA])

    def test_many_at_once_lose_nothing(self):
        names = [f"p{i:02}@firm.example" for i in range(30)]
        threads = [threading.Thread(target=self.ctl, args=("block", name)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.blocked(), names)
        threads = [threading.Thread(target=self.ctl, args=("unblock", name)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.blocked(), [])


if __name__ == "__main__":
    main()
