"""What the tests share that count the spellings of De-Mail addresses which left to the Internet."""

import importlib.util
import os
import shutil
import time

from harness import EndToEnd, SOURCE, wait_for
from daemons import RELAY_USER
from spellings import DOMAINS, Reader, spellings
from ways_in import WaysIn, unaccounted

specification = importlib.util.spec_from_file_location(
    "make_strange_address", os.path.join(SOURCE, "contrib/postfix/make-strange-address.py"))
generator = importlib.util.module_from_spec(specification)
specification.loader.exec_module(generator)


class LeakCase(EndToEnd):
    """A sandbox with all the ways in."""

    step = 1  # each how manieth spelling is used where a message carries one alone

    @classmethod
    def prepare(cls):
        provider = cls.box.provider_json()
        provider["domains"]["list"] += DOMAINS[1:]
        cls.box.write_provider(provider)
        memory = cls.box.daemons.domains + ".memory"
        with open(memory, "w", encoding="ascii") as file:  # an operator has accepted them
            file.writelines(f"accepted {domain}\n" for domain in DOMAINS[1:])
        shutil.chown(memory, RELAY_USER)
        cls.spellings = spellings()
        cls.reader = Reader(generator.Icu())
        cls.ways = WaysIn(cls.box, cls.spellings, cls.step)
        cls.ways.prepare()
        cls.addClassCleanup(cls.ways.close)

    def setUp(self):
        super().setUp()
        self.log_before = len(self.box.postfix.log())
        self.ways.taken = self.ways.refused = 0

    def at_rest(self):
        """Every message is gone or waits for its next time, and that for three seconds: what a
        program handed in stays in maildrop where cleanup(8) may not take it."""
        listed = lambda: sorted((entry["queue_id"], entry["queue_name"])  # noqa: E731
                                for entry in self.box.postfix.queue())
        before = listed()
        if any(name not in ("deferred", "maildrop") for _, name in before):
            return False
        time.sleep(3)
        return listed() == before

    def through(self, names=WaysIn.names):
        """A letter to each spelling by each way, until Postfix has judged them all."""
        times = []
        for name in names:
            began = time.monotonic()
            getattr(self.ways, name)()
            times.append(f"{name} {time.monotonic() - began:.1f} s")
        wait_for(self.at_rest, 150, "Postfix to have judged every message", 0.3)
        print("\n    " + ", ".join(times))

    def left(self):
        """The recipients that the Internet got since the test began."""
        kept = self.box.kept(self.box.internet)[self.before["internet"]:]
        return [recipient for entry in kept for recipient in entry["recipients"]]

    def leaks(self):
        return sorted({one for one in self.left() if self.reader.leaks(one)})

    def no_leak(self, names=WaysIn.names):
        leaks = self.leaks()
        print(f"    {len(self.spellings)} spellings, {len(names)} ways, {self.ways.taken} taken, "
              f"{self.ways.refused} refused, {len(leaks)} leaks")
        self.assertEqual(leaks, [])
        self.assertEqual(unaccounted(self.box.postfix.log()[self.log_before:]), {})
