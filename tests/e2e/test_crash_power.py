"""The power fails just before an act of the relay's: whatever of the unsynced is on the disk, each
letter is sent once.

The relay is killed, its journal, spool and evidence are replaced by what the disk may show
(disk.py), it starts again, Postfix tries again. The provider keeps what it has.
"""

import os
import sqlite3
from contextlib import closing

from crash import AT, RELAY_USER, SOAK, Crash, chosen
from disk import MODES, Disk
from harness import main, wait_for


class Power(Crash):
    @classmethod
    def prepare(cls):
        super().prepare()
        cls.disk = Disk(cls.box.daemons.state)

    def follow(self):
        """Takes what was done since the last time onto the disk; the acts."""
        acts = self.shim.acts()
        self.disk.apply(acts)
        return acts

    def cut(self, mode, choice):
        """The relay is dead: what the disk shows is put in place, and the relay started."""
        self.box.relay.kill()
        self.disk.replace(self.disk.after_cut(mode, choice), RELAY_USER,
                          choice.choice([None, bytes(32768), choice.randbytes(32768)]))
        self.box.daemons.start_relay()

    def cut_before(self, number, mode, choice):
        """False where the letter's life has not so many acts."""
        self.follow()
        self.shim.arm(number)
        letter = self.post()
        killed = self.killed([letter])
        self.shim.disarm()
        act = self.follow()[-1]
        if killed:
            letter.point = (f"{number} {act.kind} {os.path.basename(act.path)}, on the disk: "
                            f"{mode} of {len(self.disk.pending)}")
            self.cut(mode, choice)
        self.deliver([letter])
        self.check([letter], count=killed)
        return killed

    def recorded(self):
        self.follow()
        self.shim.arm()
        letter = self.post()
        self.assertEqual(self.deliver([letter]), [])
        self.shim.disarm()
        return [act for act in self.follow() if act.number]

    def interesting(self, acts):
        """Before and after each sync, before each word to or from others."""
        numbers = set()
        for act in acts:
            if "sync" in act.kind:
                numbers |= {act.number, act.number + 1}
            elif act.kind in ("send", "receive", "connect", "rename", "link", "unlink"):
                numbers.add(act.number)
        return sorted(numbers)

    def accounted_for(self):
        files, directories = self.disk.now()
        there, there_directories = {}, set()
        for path in self.disk._found():
            if os.path.isdir(path):
                there_directories.add(path)
            else:
                with open(path, "rb") as file:
                    there[path] = file.read()
        self.assertEqual(sorted(files), sorted(there))
        for path, content in there.items():
            self.assertTrue(files[path] == content, f"{path} is not what the log says")
        self.assertEqual(directories, there_directories)

    def test_1_the_log_accounts_for_each_byte_on_the_disk(self):
        letters = [self.post() for _ in range(3)]
        self.assertEqual(self.deliver(letters), [])
        self.check(letters, count=False)
        self.follow()
        self.accounted_for()
        self.assertGreater(sum(len(content) for content in self.disk.now()[0].values()), 10000)

    def test_2_a_cut_around_each_sync_and_each_word_to_others(self):
        choice = chosen("power")
        points = [(number, mode) for number in self.interesting(self.recorded())
                  for mode in MODES]
        if AT:
            points = [(AT, mode) for mode in MODES]
        elif not SOAK:
            points = sorted(choice.sample(points, min(45, len(points))))
        for number, mode in points:
            self.cut_before(number, mode, choice)
        self.totals("the power in a letter's life", "cuts")

    def test_3_a_cut_within_a_checkpoint(self):
        """The write-ahead log is full: the next commit moves its pages into the database."""
        choice = chosen("checkpoint")
        self.fill_log()
        acts = self.recorded()
        moved = [act.number for act in acts if act.path.endswith("journal.db")]
        self.assertGreater(len(moved), 2, "there was a checkpoint")
        numbers = range(moved[0] - 1, moved[-1] + 2)
        points = [(number, mode) for number in numbers for mode in MODES]
        if not SOAK:
            points = sorted(choice.sample(points, min(12, len(points))))
        for number, mode in points:
            self.fill_log()
            self.cut_before(number, mode, choice)
        self.totals("the power in a checkpoint", "cuts")

    def fill_log(self):
        """A thousand frames of other transactions in the journal's write-ahead log."""
        self.follow()
        path = os.path.join(self.box.daemons.state, "journal.db")
        with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as journal:
            journal.execute("pragma wal_autocheckpoint = 0")
            journal.execute("create table if not exists filler (x)")
            for at in range(1100):
                journal.execute("update filler set x = ?" if at else
                                "insert into filler values (?)", (at,))
        self.disk.read()

    def test_4_a_cut_in_the_first_letter_of_a_new_host(self):
        choice = chosen("new")
        points = [(number, mode) for number in range(8, 58, 2) for mode in MODES]
        for number, mode in points if SOAK else choice.sample(points, 12):
            self.new_host()
            self.box.daemons.start_relay()
            self.cut_before(number, mode, choice)
        self.totals("the power in a new host's first letter", "cuts")

    def new_host(self):
        self.box.relay.stop()
        self.disk.replace(({}, set(self.disk.directories)), RELAY_USER)
        self.shim.acts()

    def test_6_a_cut_in_the_first_start_of_a_new_host(self):
        choice = chosen("first start")
        self.new_host()
        self.shim.arm()
        self.box.daemons.start_relay()
        self.shim.disarm()
        acts = [act for act in self.follow() if act.number and act.on_file]
        print(f"\nthe acts of the first start\n{self.shim.table(acts)}")
        points = [(act.number, mode) for act in acts for mode in MODES]
        for number, mode in points if SOAK else choice.sample(points, 20):
            self.new_host()
            self.shim.arm(number)
            self.box.relay.start()
            wait_for(self.relay_died, 10, "the relay's end", 0.01)
            self.shim.disarm()
            self.follow()
            self.cut(mode, choice)
            letter = self.post(f"{number} of the first start, on the disk: {mode}")
            self.deliver([letter])
            self.check([letter])
        self.totals("the power in a new host's first start", "cuts")

    def test_5_a_cut_after_a_restart_that_trusted_the_page_cache(self):
        """Killed before the sync of the outcome, started again: what the journal then tells
        Postfix must be on the disk."""
        self.recorded()
        of_journal = lambda act: "sync" in act.kind and "/journal" in act.path  # noqa: E731
        number = [act.number for act in self.recorded() if of_journal(act)][-1]
        for _ in range(10):  # a letter more or less has a page more or less
            self.shim.arm(number)
            letter = self.post()
            killed = self.killed([letter])
            self.shim.disarm()
            acts = self.follow()
            done = sum(of_journal(act) for act in acts if not act.kind.startswith("killed"))
            if killed and of_journal(acts[-1]) and done == 1:
                break
            number += 1 if done < 2 else -1
            self.deliver([letter])
            self.follow()
        self.assertTrue(killed and of_journal(acts[-1]))
        self.deliver([letter])
        self.box.relay.kill()
        self.follow()
        letter.point = "killed before the last sync, then cut"
        self.cut("nothing", chosen("cache"))
        self.check([letter])
        self.totals("the power after a restart", "cut")


if __name__ == "__main__":
    main()
