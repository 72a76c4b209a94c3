"""The outcome table as a user meets it: fault, journal, reply to Postfix, text of the bounce.

One file a case in tests/data/outcomes/. Where a sentence was changed on purpose, write them anew
and look at the difference before it is committed:

    cd BUILD && UPDATE_OUTCOMES=1 SRCDIR=… BUILDDIR=$PWD python3 …/tests/e2e/test_outcomes.py
"""

import email
import email.policy
import json
import os
import re
import socket
import sqlite3

from harness import ANNA, BOB, SOURCE, EndToEnd, main, message, wait_for
from provider.faults import TABLE
from token_shim import ShimmedToken

GOLDEN = os.path.join(SOURCE, "tests/data/outcomes")
NOBODY = "nobody@other.de-mail.de"
ANSWER_TIMEOUT = 6
# What a fault needs besides its name. The look-ups of a slow one fail at once.
PARAMETERS = {"delay": {"seconds": 60}, "delay-after": {"seconds": 60},
              **{code: {"reason": f"words of the provider about {code}", "retryAfterSeconds": 0}
                 for code in ("not-authorised", "option-not-permitted", "unknown-recipient",
                              "recipient-level", "too-large", "malware", "daily-limit",
                              "invalid-message", "private-id-in-use", "unavailable")}}
SLOW = ("delay", "delay-after", "drip")
# What differs from run to run, and libraries' words, which differ from version to version.
VARIABLE = ((r"<\d{6}\.[0-9a-f]{16}@", "<ID@"), (r"\(serial \w+\)", "(serial …)"),
            (r"expires \d{4}-\d\d-\d\d", "expires …"), (r"sha256:[0-9a-f]{64}", "sha256:…"),
            (r"/tmp/demail-e2e-\w+/", ""), (r"https://localhost:\d+/demail", "URL"),
            (r"(the journal cannot be used): .*", r"\1: …"),
            (r"(URL cannot be reached|No reply from URL): .*", r"\1: …"))


def settled(text):
    for pattern, instead in VARIABLE:
        text = re.sub(pattern, instead, text)
    return text


class Outcomes(EndToEnd):
    @classmethod
    def prepare(cls):
        daemons = cls.box.daemons
        cls.token = ShimmedToken(cls.box)
        daemons.write_configuration(daemons.configuration().replace(
            "auth_key =", f"answer_timeout = {ANSWER_TIMEOUT}\npatience = 3600\nauth_key =", 1))

    def setUp(self):
        super().setUp()
        if not self.before["accepted"]:
            # From then on what the provider says of the account is known.
            self.send([BOB])
            self.accepted(1)
            super().setUp()
        self.relay_log_before = len(self.box.relay.log())
        self.addCleanup(self.mend)

    def mend(self):
        self.box.faults()
        self.token.does()
        self.box.postfix.delete_all()
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self.box.daemons.control_socket)
            line.sendall(b"resume firm\n")
            line.makefile().readline()

    # What came of it

    def first_replies(self, queue_id, recipients):
        """[(recipient, reply to Postfix, Postfix's word for it)]"""
        def found():
            log = self.box.postfix.log()
            replies = []
            for recipient in recipients:
                line = re.search(rf"{queue_id}: to=<{recipient}>, .*status=(\w+) \((.*)\)\n", log)
                if line is None:
                    return None
                reply = re.search(r"(?:said: |^)(\d{3} .*?)(?: \(in reply to .*\))?$",
                                  line.group(2))
                replies.append((recipient, reply.group(1) if reply else line.group(2),
                                line.group(1)))
            return replies
        return wait_for(found, 60, "a delivery attempt")

    def journal(self):
        """State and reply of the newest submission, or None."""
        base = sqlite3.connect(f"file:{self.box.daemons.state}/journal.db?mode=ro", uri=True)
        try:
            return base.execute("select state, code || ' ' || enhanced || ' ' || reply from "
                                "submission where created >= ? order by created desc limit 1",
                                (self.began,)).fetchone()
        finally:
            base.close()

    def reasons(self):
        """Why, in the relay's log, without repeats."""
        reasons = []
        for line in self.box.relay.log()[self.relay_log_before:].splitlines():
            event = re.search(r'event="?(uncertain|deferred|refused|suspended|card)"?(?= |$)', line)
            reason = re.search(r'reason="((?:[^"\\]|\\.)*)"', line)
            if event and reason:
                words = settled(reason.group(1).replace('\\"', '"'))
                text = f"{event.group(1)}: {words}"
                if text not in reasons:
                    reasons.append(text)
        return reasons

    def what_the_sender_reads(self):
        report = email.message_from_bytes(self.kept("mailboxes", 1, 60)[0]["content"],
                                          policy=email.policy.default)
        words, status = list(report.walk())[1:3]
        text = words.get_payload(decode=True).decode("ascii").replace("\r\n", "\n")
        status = "\n".join(f"{name}: {part[name]}" for part in list(status.walk())[2:]
                           for name in ("Final-Recipient", "Action", "Status"))
        return text[text.index("<"):].strip() + "\n" + status

    def story(self, recipients=(BOB,)):
        """Sends one De-Mail, and has Postfix give it up where it waits."""
        base = sqlite3.connect(f"file:{self.box.daemons.state}/journal.db?mode=ro", uri=True)
        self.began, = base.execute("select max(created) + 1 from submission").fetchone()
        base.close()
        queue_id = self.send(recipients, message(ANNA, recipients)).rpartition(" ")[2]
        replies = self.first_replies(queue_id, recipients)
        journal = self.journal()
        reasons = self.reasons()
        lines = []
        for recipient, reply, status in replies:
            lines.append(f"{recipient}: {status}: {settled(reply)}")
        lines.append("journal: " + (f"{journal[0]}: {settled(journal[1])}" if journal else "nothing"))
        lines += [f"log: {reason}" for reason in reasons]
        if any(status == "deferred" for _, _, status in replies):
            self.box.postfix.run("postsuper", "-c", self.box.postfix.etc, "-f", queue_id)
            lines.append("\nWhere it stays like this until Postfix gives up, the sender reads:")
            lines.append(self.what_the_sender_reads())
        elif any(status == "bounced" for _, _, status in replies):
            lines.append("\nThe sender reads:")
            lines.append(self.what_the_sender_reads())
        return "\n".join(lines) + "\n"

    def golden(self, name, story):
        path = os.path.join(GOLDEN, name + ".txt")
        if os.environ.get("UPDATE_OUTCOMES"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(story)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(story, file.read(), path)

    # What is no fault of the simulator's

    def test_accepted(self):
        self.golden("accepted", self.story())

    def test_rejected_recipient(self):
        self.golden("rejected-recipient", self.story((BOB, NOBODY)))

    def test_provider_away(self):
        self.box.provider.stop()
        self.addCleanup(self.box.start_provider)
        self.golden("provider-away", self.story())

    def test_login_refused_by_tls(self):
        provider = self.box.provider_json()

        def with_tls(tls):
            self.box.provider.stop()
            self.box.write_provider({**provider, "tls": tls})
            self.box.start_provider()

        # A CA that is not the one of our certificate.
        with_tls({**provider["tls"], "ca": "server.pem", "maximum": "1.2"})
        self.addCleanup(with_tls, provider["tls"])
        self.golden("login-refused-by-tls", self.story())

    def test_card_away(self):
        self.token.does("pulled")
        self.golden("card-away", self.story())

    def test_spool_not_writable(self):
        spool = os.path.join(self.box.daemons.state, "spool")
        self.box.relay.stop()  # which may hold a file there that it writes again
        self.addCleanup(os.chmod, spool, 0o700)
        os.chmod(spool, 0o500)
        self.box.daemons.start_relay()
        self.golden("spool-not-writable", self.story())

    def test_journal_not_writable(self):
        base = sqlite3.connect(os.path.join(self.box.daemons.state, "journal.db"),
                               isolation_level=None)
        self.addCleanup(base.close)
        base.execute("begin exclusive")
        self.golden("journal-not-writable", self.story())

    def test_every_row_of_the_table_has_its_file(self):
        with open(os.path.join(SOURCE, "milter/relay/outcome.cpp"), encoding="utf-8") as file:
            rows = re.findall(r'\{"([a-z-]+)", State::', file.read())
        self.assertGreaterEqual(len(rows), 9)
        others = {"accepted", "rejected-recipient", "provider-away", "login-refused-by-tls",
                  "card-away", "spool-not-writable", "journal-not-writable"}
        self.assertEqual({name[:-4] for name in os.listdir(GOLDEN)},
                         {*TABLE, *rows} | others)


def _add_tests():
    for fault in TABLE:
        def test(self, fault=fault):
            entry = {"fault": fault, **PARAMETERS.get(fault, {})}
            look_up = {"fault": "drop-before"} if fault in SLOW else entry
            self.box.faults({"operation": "Submit", **entry},
                            {"operation": "FindSubmission", **look_up})
            self.golden(fault, self.story())
        setattr(Outcomes, f"test_{fault.replace('-', '_')}", test)


_add_tests()

if __name__ == "__main__":
    main()
