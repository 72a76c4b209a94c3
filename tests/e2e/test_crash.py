"""The relay is killed just before each of its acts in a letter's life: it is sent once.

CRASH_AT=N runs one point of each matrix.
"""

from crash import AT, SOAK, Crash, chosen
from harness import main


class Matrix(Crash):
    def points(self, name, every):
        """1, 2, 3 … in soak; each `every`-th from a seeded one on in CI."""
        if AT:
            return iter([AT])
        every = 1 if SOAK else every
        first = 1 + chosen(name).randrange(every)
        return iter(range(first, 10000, every))

    def record(self, name):
        """One letter without a kill; its acts."""
        self.shim.acts()
        self.shim.arm()
        letter = self.post()
        self.assertEqual(self.deliver([letter]), [])
        self.shim.disarm()
        acts = [act for act in self.shim.acts() if act.number]
        self.check([letter], count=False)
        print(f"\n{name}\n{self.shim.table(acts)}", flush=True)
        return acts

    def kill_before(self, number):
        """Whether the letter's life had so many acts; its books are checked."""
        self.shim.acts()
        self.shim.arm(number)
        letter = self.post()
        killed = self.killed([letter])
        self.shim.disarm()
        if killed:
            act = [act for act in self.shim.acts() if act.kind.startswith("killed")][-1]
            letter.point = f"{number} {act.kind} {act.path.rpartition('/')[2]}"
        self.deliver([letter])
        self.check([letter], count=killed)
        return killed

    def test_each_act_of_a_letter_s_life(self):
        acts = self.record("the acts of one letter's life")
        self.assertGreater(len([act for act in acts if act.path == "provider"]), 5)
        self.assertGreater(len([act for act in acts if "sync" in act.kind]), 1)
        for number in self.points("life", 1):
            if not self.kill_before(number):
                break
        self.totals("a letter's life")


if __name__ == "__main__":
    main()
