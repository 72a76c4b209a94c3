"""The relay is killed just before each of its acts in a letter's life: it is sent once.

CRASH_AT=N runs one point of each matrix.
"""

from crash import AT, SOAK, Crash, chosen
from harness import BOB, DORA, EMIL, main, wait_for

NOBODY = "nobody@other.de-mail.de"


class Matrix(Crash):
    def points(self, name, every):
        """1, 2, 3 … in soak; each `every`-th from a seeded one on in CI."""
        if AT:
            return iter([AT])
        every = 1 if SOAK else every
        first = 1 + chosen(name).randrange(every)
        return iter(range(first, 10000, every))

    def record(self, name, **letter):
        """One letter without a kill; its acts."""
        self.shim.acts()
        self.shim.arm()
        letter = self.post(**letter)
        self.assertEqual(self.deliver([letter]), [])
        self.shim.disarm()
        acts = [act for act in self.shim.acts() if act.number]
        self.check([letter], count=False)
        if name:
            print(f"\n{name}\n{self.shim.table(acts)}", flush=True)
        return acts

    def kill_before(self, number, first=None, **letter):
        """Whether the letter's life had so many acts; its books are checked. `first`: a fault of
        the provider's (faults.py) that the letter met before, acts are counted from the next
        attempt on."""
        self.shim.acts()
        if first:
            self.box.faults({"operation": "Submit", "times": 1, "fault": first})
            letter = self.post(**letter)
            wait_for(lambda: (self.read_postfix(), letter.deferred)[1], 20, "a deferral", 0.01)
            self.shim.arm(number)
        else:
            self.shim.arm(number)
            letter = self.post(**letter)
        killed = self.killed([letter], flush=bool(first))
        self.shim.disarm()
        if killed:
            act = [act for act in self.shim.acts() if act.kind.startswith("killed")][-1]
            letter.point = f"{number} {act.kind} {act.path.rpartition('/')[2]}"
        self.deliver([letter])
        self.check([letter], count=killed)
        return killed

    def start_killed_before(self, number, half_sent):
        """A letter is cut off in the middle, the next start and what it does for the letter too."""
        self.shim.arm(half_sent)
        letter = self.post()
        self.assertTrue(self.killed([letter]))
        self.shim.acts()
        self.box.relay.kill()
        self.mend_token()
        self.shim.arm(number)
        self.box.relay.start()
        killed = self.killed([letter], flush=True)
        self.shim.disarm()
        if killed:
            act = [act for act in self.shim.acts() if act.kind.startswith("killed")][-1]
            letter.point = (f"{half_sent}, then {number} of the start {act.kind} "
                            f"{act.path.rpartition('/')[2]}")
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
        self.assertGreater(self.tally.points, 0 if AT else 30)

    def test_each_act_in_the_life_of_a_letter_that_is_two_submissions(self):
        letter = {"to": [BOB, EMIL], "bcc": [DORA]}
        self.record("the acts of a letter with a Bcc", **letter)
        for number in self.points("two", 5):
            if not self.kill_before(number, **letter):
                break
        self.totals("two submissions")

    def test_each_act_in_the_life_of_a_letter_that_is_refused(self):
        """Postfix bounces it, and the provider has none."""
        for number in self.points("refused", 6):
            if not self.kill_before(number, to=[NOBODY]):
                break
        self.totals("a refused letter")

    def test_each_act_in_the_life_of_a_letter_that_is_refused_to_one_of_two(self):
        """The look-up, too, says to whom it did not go."""
        for number in self.points("one of two", 3):
            if not self.kill_before(number, to=[BOB, NOBODY]):
                break
        self.totals("a letter to one of two")

    def test_each_act_of_the_second_attempt_for_a_letter_that_was_put_off(self):
        for number in self.points("put off", 7):
            if not self.kill_before(number, "unavailable"):
                break
        self.totals("a letter that was put off")

    def test_each_act_for_a_letter_that_is_looked_up_and_sent_again(self):
        for number in self.points("looked up", 9):
            if not self.kill_before(number, "drop-before"):
                break
        self.totals("a letter that is looked up")

    def test_each_act_of_the_start_after_a_kill(self):
        """The letter is out, its outcome is not in the journal."""
        self.record(None)
        acts = self.record(None)
        sent = max(act.number for act in acts if act.kind == "send" and act.path == "provider" and
                   act.length > 1000)
        for number in self.points("start", 5):
            if not self.start_killed_before(number, sent + 1):
                break
        self.totals("a start")


if __name__ == "__main__":
    main()
