"""No spelling of a De-Mail address leaves to the Internet, by whatever way the letter comes in, nor
while a part is missing."""

import importlib.util
import os
import shutil
import time

from harness import ANNA, BOB, EndToEnd, SOURCE, main, message, wait_for
from daemons import RELAY_USER
from spellings import DOMAINS, INNOCENT, Reader, spellings
from ways_in import WaysIn, unaccounted

specification = importlib.util.spec_from_file_location(
    "make_strange_address", os.path.join(SOURCE, "contrib/postfix/make-strange-address.py"))
generator = importlib.util.module_from_spec(specification)
specification.loader.exec_module(generator)


class Leaks(EndToEnd):
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
        cls.ways = WaysIn(cls.box, cls.spellings)
        cls.ways.prepare()
        cls.addClassCleanup(cls.ways.close)

    def setUp(self):
        super().setUp()
        self.log_before = len(self.box.postfix.log())
        self.ways.taken = self.ways.refused = 0

    def at_rest(self):
        """Every message is gone or waits for its next time."""
        rest = lambda: all(entry["queue_name"] in ("deferred", "maildrop")  # noqa: E731
                           for entry in self.box.postfix.queue())
        return rest() and rest()

    def through_all(self, names=WaysIn.names):
        times = []
        for name in names:
            began = time.monotonic()
            getattr(self.ways, name)()
            times.append(f"{name} {time.monotonic() - began:.1f} s")
        wait_for(self.at_rest, 150, "Postfix to have judged every message", 0.3)
        print("\n    ".join(["", *times]))

    def left(self):
        """The recipients that the Internet got since the test began."""
        kept = self.box.kept(self.box.internet)[self.before["internet"]:]
        return [recipient for entry in kept for recipient in entry["recipients"]]

    def no_leak(self, names=WaysIn.names):
        leaks = sorted(one for one in self.left() if self.reader.leaks(one))
        print(f"    {len(self.spellings)} spellings, {len(names)} ways, {self.ways.taken} taken, "
              f"{self.ways.refused} refused, {len(leaks)} leaks")
        self.assertEqual(leaks, [])
        self.assertEqual(unaccounted(self.box.postfix.log()[self.log_before:]), {})

    def test_the_table_holds_at_least_150_spellings_of_de_mail_addresses(self):
        self.assertGreaterEqual(len(self.spellings), 150)
        self.assertEqual([one for one in self.spellings if not self.reader.leaks(one)], [])
        self.assertEqual([one for one in INNOCENT if self.reader.leaks(one)], [])

    def test_no_spelling_leaves_by_any_way_in(self):
        self.through_all()
        self.no_leak()
        self.assertEqual(self.box.postfix.queue(), [])

    def test_innocent_addresses_leave(self):
        for address in INNOCENT:
            self.send([address], message(ANNA, ["ida@internet.example"]), parameters=" SMTPUTF8")
        kept = self.kept("internet", len(INNOCENT))
        self.assertEqual(sorted(entry["recipients"][0].lower() for entry in kept),
                         sorted(one.lower() for one in INNOCENT))


if __name__ == "__main__":
    main()
