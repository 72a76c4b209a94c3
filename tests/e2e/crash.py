"""What the tests that kill the relay share: the preloaded library's control, and the books.

A letter is known by a word in its body that no other has. Five books are kept of it: what the
provider took, what reached the provider, what Postfix logged, what the journal and the evidence
say.

CRASH_SOAK in the environment: many more points, as `make soak-crash` sets it. CRASH_SEED: another
seed. CRASH_AT: this point of a matrix alone.
"""

import json
import os
import random
import re
import secrets
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field

from crash_shim import Shim
from daemons import RELAY_USER
from harness import ANNA, BOB, EndToEnd, Failure, message, wait_for

SOAK = bool(os.environ.get("CRASH_SOAK"))
SEED = int(os.environ.get("CRASH_SEED") or (secrets.randbelow(10**6) if SOAK else 1))
AT = int(os.environ.get("CRASH_AT") or 0)


def chosen(name):
    """A source of random choices, another one for each test and seed."""
    return random.Random(f"{name} {SEED}")


@dataclass
class Letter:
    word: str
    queue_id: str
    recipients: list
    point: str  # where the relay was killed, for people
    statuses: dict = field(default_factory=dict)  # by recipient, the last one of Postfix's log
    removed: bool = False

    @property
    def deferred(self):
        return "deferred" in self.statuses.values()


@dataclass
class Tally:
    points: int = 0
    lost: list = field(default_factory=list)
    twice: list = field(default_factory=list)
    wrong: list = field(default_factory=list)  # the books disagree
    mended: int = 0  # files of SoftHSM's


class Lines:
    """A file that grows, by its whole lines."""

    def __init__(self, path):
        self.path, self.at = path, 0

    def new(self):
        try:
            with open(self.path, "rb") as file:
                file.seek(self.at)
                whole, _, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        if not whole:
            return []
        self.at += len(whole) + 1
        return whole.decode("utf-8", "replace").split("\n")


class Crash(EndToEnd):
    """One sandbox whose relay has the library loaded."""

    settings = {"lookup_pause": 1}
    journal_file = None  # where it is not the sandbox's

    @classmethod
    def prepare(cls):
        cls.shim = Shim(cls.box)
        cls.box.relay.environment.update(cls.shim.environment)
        text = cls.box.daemons.configuration()
        for name, value in cls.settings.items():
            text, count = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.M)
            if not count:
                text = text.replace("[seal]\n", f"{name} = {value}\n[seal]\n", 1)
        cls.box.daemons.write_configuration(text)
        cls.box.postfix.configure({"minimal_backoff_time": "1s", "maximal_backoff_time": "1s",
                                   "queue_run_delay": "1s"})
        cls.postfix_log = Lines(cls.box.postfix.log_file)
        cls.request_log = Lines(os.path.join(cls.box.provider_directory, "requests.jsonl"))
        cls.letters, cls.by_queue_id = [], {}
        cls.submissions, cls.submits = {}, []

    def setUp(self):
        super().setUp()
        self.tally = Tally()
        self.addCleanup(self.shim.disarm)

    # One letter

    def post(self, point="", text="A letter.\n", to=(BOB,), bcc=()):
        word = "w" + secrets.token_hex(12)
        content = message(ANNA, list(to), text=f"{word}\n{text}")
        with self.box.client(login="anna") as client:
            reply = client.send(ANNA, [*to, *bcc], content)
        letter = Letter(word, re.search(r"queued as (\w+)", reply).group(1), [*to, *bcc], point)
        self.letters.append(letter)
        self.by_queue_id[letter.queue_id] = letter
        return letter

    def relay_died(self):
        popen = self.box.relay.popen
        return popen is None or popen.poll() is not None

    def restart_relay(self):
        self.box.relay.kill()
        self.mend_token()
        self.box.daemons.start_relay()

    def mend_token(self):
        """SoftHSM writes a token's file anew with each login, in place: what is killed meanwhile
        leaves none. A card has no such moment."""
        tokens = os.path.join(self.box.token.directory, "tokens")
        copy = os.path.join(self.box.directory, "tokens-copy")
        if not os.path.exists(copy):
            shutil.copytree(tokens, copy)
        for base, _, files in os.walk(copy):
            for name in files:
                path = os.path.join(base, name)
                now = os.path.join(tokens, os.path.relpath(path, copy))
                if not os.path.exists(now) or os.path.getsize(now) != os.path.getsize(path):
                    shutil.copyfile(path, now)
                    os.chown(now, RELAY_USER, -1)
                    self.tally.mended += 1

    def read_postfix(self):
        for line in self.postfix_log.new():
            found = re.search(r"\]: (\w+): (?:removed$|to=<(.*?)>, .* status=(\w+))", line)
            letter = self.by_queue_id.get(found.group(1)) if found else None
            if letter is None:
                continue
            if found.group(3):
                letter.statuses[found.group(2)] = found.group(3)
            else:
                letter.removed = True

    def killed(self, letters, timeout=30, flush=False):
        """Waits until the relay is dead (True) or all letters have gone. `flush`: Postfix is to try
        again and again."""
        flushed = time.monotonic()

        def ended():
            nonlocal flushed
            if flush and time.monotonic() - flushed > 0.3:
                flushed = time.monotonic()
                self.box.postfix.flush()
            self.read_postfix()
            return self.relay_died() or all(letter.removed for letter in letters)
        wait_for(ended, timeout, "the relay's end or the letter's", 0.01)
        return self.relay_died()

    def deliver(self, letters, timeout=45):
        """Postfix tries again and again, until all have gone; those that have not."""
        end, flushed = time.monotonic() + timeout, 0
        while time.monotonic() < end:
            self.read_postfix()
            waiting = [letter for letter in letters if not letter.removed]
            if not waiting:
                return []
            if self.relay_died():
                self.restart_relay()
            if time.monotonic() - flushed > 0.4:
                flushed = time.monotonic()
                self.box.postfix.flush()
            time.sleep(0.02)
        return waiting

    # The books

    def read_provider(self):
        base = os.path.join(self.box.provider_directory, "accepted")
        for name in sorted(os.listdir(base)) if os.path.isdir(base) else ():
            if name.startswith(".") or name in self.submissions:
                continue
            with open(os.path.join(base, name, "submission.json"), encoding="utf-8") as file:
                entry = json.load(file)
            with open(os.path.join(base, name, "content.eml"), "rb") as file:
                entry["content"] = file.read()
            entry["words"] = re.findall(rb"^(w[0-9a-f]{24})\r$", entry["content"], re.M)
            self.submissions[name] = entry
        for line in self.request_log.new():
            entry = json.loads(line)
            if entry["operation"] == "Submit":
                self.submits.append(entry)

    def journal(self, letter):
        """[(state, message id)] of the letter's submissions."""
        path = self.journal_file or os.path.join(self.box.daemons.state, "journal.db")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as journal:
            return sorted(journal.execute("select state, message_id from submission where "
                                          "queue_id = ?", (letter.queue_id,)).fetchall())

    def check(self, letters, count=True):
        """The books of each letter; what is wrong goes to the tally."""
        self.read_postfix()
        self.read_provider()
        for letter in letters:
            if count:
                self.tally.points += 1
            self._check(letter)
        if len(self.tally.lost + self.tally.twice + self.tally.wrong) > 5:
            self.totals("given up here")

    def _check(self, letter):
        taken = [entry for entry in self.submissions.values()
                 if letter.word.encode() in entry["words"]]
        said = f"{letter.point}: {letter.queue_id}, Postfix says {letter.statuses}"
        for recipient in letter.recipients:
            times = sum(recipient in (one["address"] for one in entry["recipients"]) and
                        recipient not in (one["address"] for one in entry["rejected"])
                        for entry in taken)
            if times > 1:
                self.tally.twice.append(f"{said}, {times} times with the provider")
            if not letter.removed or letter.statuses.get(recipient) != (
                    "sent" if times else "bounced"):
                self.tally.lost.append(f"{said}, {times} times with the provider, in the queue: "
                                       f"{not letter.removed}")
        # The provider would notice here; another might not.
        if any(entry["outcome"] == "private-id-in-use" and
               entry["privateId"] in {one["privateId"] for one in taken}
               for entry in self.submits):
            self.tally.twice.append(f"{said}, submitted again when the provider had it")
        written = self.journal(letter)
        expected = sorted(("accepted", one["messageId"]) for one in taken) or [("refused", "")]
        if letter.removed and written != expected:
            self.tally.wrong.append(f"{said}, journal {written}, provider {expected}")
        for entry in taken:
            wrong = self.wrong_evidence(entry)
            if wrong:
                self.tally.wrong.append(f"{said}, evidence: {wrong}")

    def wrong_evidence(self, entry):
        """What the evidence of an accepted submission does not show, or None."""
        try:
            evidence = self.evidence(entry)
        except Failure as failure:
            return str(failure)
        copies = [content for name, content in evidence.items() if name.startswith("submitted")]
        if entry["content"] not in copies:
            return f"none of {sorted(evidence)} is what the provider took"
        ends = []
        for line in evidence.get("attempts.jsonl", b"").splitlines():
            try:
                ends.append(json.loads(line))
            except ValueError:  # cut off
                continue
        last = ends[-1] if ends else {}
        if (last.get("state"), last.get("messageId")) != ("accepted", entry["messageId"]):
            return f"attempts.jsonl ends with {last}"
        return None

    def totals(self, what, points="kill points"):
        tally = self.tally
        print(f"\n{what}: {tally.points} {points}, {len(tally.lost)} lost, "
              f"{len(tally.twice)} twice, {len(tally.wrong)} books that disagree (seed {SEED})",
              flush=True)
        self.assertGreater(tally.points, 0)
        self.assertEqual((tally.lost, tally.twice, tally.wrong), ([], [], []))

