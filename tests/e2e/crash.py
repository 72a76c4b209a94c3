"""What the tests that kill the relay share: the preloaded library's control, and the books.

A letter is known by a word in its body that no other has. Four books are kept of it: what the
provider took, what reached the provider, what Postfix logged, what the journal says.

CRASH_SOAK in the environment: many more points, as `make soak-crash` sets it. CRASH_SEED: another
seed. CRASH_AT: this point of a matrix alone.
"""

import errno
import json
import mmap
import os
import random
import re
import secrets
import shutil
import sqlite3
import struct
import time
from contextlib import closing
from dataclasses import dataclass, field

from harness import ANNA, BOB, BUILD, EndToEnd, message, wait_for

from daemons import RELAY_USER  # noqa: F401

SOAK = bool(os.environ.get("CRASH_SOAK"))
SEED = int(os.environ.get("CRASH_SEED") or (secrets.randbelow(10**6) if SOAK else 1))
AT = int(os.environ.get("CRASH_AT") or 0)
SHIM = os.path.join(BUILD, "tests/shim/crash-shim.so")
WORDS = {"armed": 0, "count": 1, "at": 2, "failure": 3, "shift": 4}


def chosen(name):
    """A source of random choices, another one for each test and seed."""
    return random.Random(f"{name} {SEED}")


@dataclass
class Act:
    """One line of the library's log."""
    number: int  # 0: not counted
    kind: str
    path: str    # of the file, or "lmtp", "provider"
    inode: int
    offset: int
    length: int
    octets: bytes  # written; or the second path, of a rename

    @property
    def on_file(self):
        return self.path.startswith("/")


class Shim:
    """tests/shim/crash-shim.cpp in one relay."""

    def __init__(self, box, watched=("journal", "spool", "evidence")):
        self.directory = os.path.join(box.directory, "crash")
        self.state = box.daemons.state
        os.makedirs(self.directory)
        os.chown(self.directory, RELAY_USER, -1)
        self.control = os.path.join(self.directory, "control")
        self.log_file = os.path.join(self.directory, "acts")
        for path in (self.control, self.log_file):
            with open(path, "wb") as file:
                file.write(bytes(4096 if path == self.control else 0))
            os.chown(path, RELAY_USER, -1)
        with open(self.control, "r+b") as file:
            self.words = mmap.mmap(file.fileno(), 4096)
        self.read_to = 0
        self.environment = {
            "LD_PRELOAD": SHIM, "DEMAIL_CRASH_CONTROL": self.control,
            "DEMAIL_CRASH_LOG": self.log_file,
            "DEMAIL_CRASH_FILES": ":".join(os.path.join(self.state, name) for name in watched),
            # Bound under another name beside its own, then renamed.
            "DEMAIL_CRASH_LMTP": os.path.dirname(box.postfix.lmtp_socket) + "/",
            # A build with sanitizers wants its own library to be first.
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def set(self, **words):
        for name, value in words.items():
            struct.pack_into("=Q", self.words, 8 * WORDS[name], value)

    def get(self, name):
        return struct.unpack_from("=Q", self.words, 8 * WORDS[name])[0]

    def arm(self, at=0, failure=0):
        """Acts are counted from now on; the relay is killed just before number `at`, or this act
        and all further ones on files fail with the errno `failure`."""
        self.set(armed=0)
        self.set(count=0, at=at, failure=failure)
        self.set(armed=1)

    def disarm(self):
        self.set(armed=0, at=0, failure=0)

    def acts(self):
        """What was done since this was last asked."""
        with open(self.log_file, "rb") as file:
            file.seek(self.read_to)
            whole, _, _ = file.read().rpartition(b"\n")
        self.read_to += len(whole) + 1 if whole else 0
        return [self._act(line) for line in whole.split(b"\n") if line]

    @staticmethod
    def _act(line):
        number, kind, path, inode, offset, length, octets = line.split(b"\t")
        return Act(int(number), kind.decode(), path.decode(), int(inode), int(offset),
                   int(length), bytes.fromhex(octets.decode()))

    def table(self, acts):
        """For people: number, kind, file or peer, place and length."""
        lines = []
        for act in acts:
            if not act.number:
                continue
            name = act.path[len(self.state) + 1:] if act.on_file else act.path
            what = f"{act.offset}+{act.length}" if act.on_file and act.length else act.length or ""
            lines.append(f"{act.number:5}  {act.kind:16} {re.sub('#[0-9]+.*', '#', name):18} "
                         f"{what}")
        return "\n".join(lines)


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
                entry["words"] = re.findall(rb"^(w[0-9a-f]{24})\r$", file.read(), re.M)
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

    def totals(self, what, points="kill points"):
        tally = self.tally
        print(f"\n{what}: {tally.points} {points}, {len(tally.lost)} lost, {len(tally.twice)} twice, "
              f"{len(tally.wrong)} journals that are wrong (seed {SEED})", flush=True)
        self.assertGreater(tally.points, 0)
        self.assertEqual((tally.lost, tally.twice, tally.wrong), ([], [], []))


__all__ = ["AT", "Act", "Crash", "SEED", "SOAK", "Shim", "chosen", "errno"]
