"""PINs: no program burns a try that a person would miss. The virtual card counts."""
import os
import stat
import unittest

from cardd_fixture import ALLOW_ROOT, CarddTest, DIGEST, PIN, PUK, WRONG, cardd_wire, wait_for


class PinTest(CarddTest):
    def refused(self, function, *arguments, **named):
        with self.assertRaises(cardd_wire.Refused) as refused:
            function(*arguments, **named)
        return refused.exception

    def verifies(self):
        return self.counters()["verifies"]

    def latches(self):
        directory = os.path.join(self.cardd.state, "latches")
        return [os.path.join(directory, name) for name in os.listdir(directory)]


class Unattended(PinTest):
    def test_ten_restarts_with_a_wrong_pin_file_cost_one_try(self):
        self.cardd.configure(ALLOW_ROOT + self.unattended(WRONG))
        for _ in range(10):
            self.cardd.start()
            self.cardd.wait_for_card(self.serial, locked=True)
            with self.cardd.connection() as one:
                error = self.refused(one.sign, self.serial, self.key(one)["id"], DIGEST)
                self.assertNotEqual(error.rv, cardd_wire.OK)
                self.assertIn("refused", error.sentence)
            self.cardd.stop()
        self.assertEqual(self.tries(), 2)
        self.assertEqual(self.counters()["tries_burnt"], 1)
        # What stays of it: which card, which PIN, when, which file; nothing of the PIN.
        [path] = self.latches()
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, encoding="ascii") as file:
            text = file.read()
        self.assertIn(self.serial, path)
        self.assertIn(os.path.join(self.directory, "pin"), text)
        self.assertNotIn(WRONG, text)
        # A person may, and the latch is gone.
        self.cardd.start()
        self.cardd.wait_for_card(self.serial)
        with self.cardd.connection() as one:
            one.unlock(PIN)
            one.sign(self.serial, self.key(one)["id"], DIGEST)
        self.assertEqual(self.latches(), [])
        self.assertEqual(self.tries(), 3)

    def test_kills_amid_the_verify_cost_one_try_too(self):
        self.cardd.configure(ALLOW_ROOT + self.unattended(WRONG))
        self.card.control("slow", ms=400, ins="20")
        for _ in range(4):
            # The status queries are slow as well; killed at some point of them or of the verify.
            self.cardd.start()
            before = self.verifies()
            try:
                wait_for(lambda: self.verifies() > before, 3, "a verify")
            except Exception:  # pylint: disable=broad-except
                pass
            self.cardd.kill()
        self.assertEqual(self.counters()["tries_burnt"], 1)

    def test_the_right_pin_file_unlocks_without_a_person(self):
        self.cardd.configure(ALLOW_ROOT + self.unattended(PIN))
        self.start(unlock=False)
        self.cardd.wait_for_card(self.serial, held=True)
        with self.cardd.connection() as one:
            one.sign(self.serial, self.key(one)["id"], DIGEST)
            # A lock by a person holds although the file is there.
            one.lock()
            self.assertEqual(self.refused(one.sign, self.serial, self.key(one)["id"], DIGEST).rv,
                             cardd_wire.USER_NOT_LOGGED_IN)
            one.unlock(PIN)
            one.sign(self.serial, self.key(one)["id"], DIGEST)

    def test_too_few_tries_are_left_to_a_person(self):
        self.card.control("set_tries", pin=self.main_pin, left=2)
        self.cardd.configure(ALLOW_ROOT + self.unattended(PIN))
        self.start(unlock=False)
        wait_for(lambda: "reserve_tries" in self.cardd.log(), 5, "the guard")
        with self.cardd.connection() as one:
            self.assertEqual(self.refused(one.login, self.serial, PIN).rv, cardd_wire.PIN_LOCKED)
            self.assertEqual(self.verifies(), 0)
            one.unlock(PIN)
        self.assertEqual(self.verifies(), 1)

    def test_another_card_gets_no_pin_and_the_old_one_must_be_given_anew(self):
        self.cardd.configure(ALLOW_ROOT + self.unattended(PIN))
        self.start(unlock=False)
        self.cardd.wait_for_card(self.serial, held=True)
        other = os.path.join(self.directory, "other")
        self.card.make(other)
        self.card.remove()
        self.counters(reset=True)
        self.card.insert(other)
        wait_for(lambda: "not-ours" in self.cardd.log(), 10, "the other card to be seen")
        self.assertEqual(self.verifies(), 0)
        with self.cardd.connection() as one:
            self.assertFalse(one.tokens()[0]["present"])
            self.assertFalse(one.tokens()[0]["held"])

    def test_a_pin_file_that_others_may_read_is_a_fault_of_the_configuration(self):
        self.cardd.configure(ALLOW_ROOT + self.unattended(PIN))
        os.chmod(os.path.join(self.directory, "pin"), 0o644)
        with self.assertRaises(Exception):
            self.cardd.start()
        self.assertIn("0640", self.cardd.log())


class Persons(PinTest):
    def test_a_null_pin_is_said_in_words_without_a_try(self):
        self.card.control("null_pin", pin=self.main_pin)
        self.cardd.configure(ALLOW_ROOT + self.unattended(PIN))
        self.start(unlock=False)
        self.cardd.wait_for_card(self.serial, null_pin=True)
        with self.cardd.connection() as one:
            for function in (one.unlock, lambda pin: one.login(self.serial, pin)):
                error = self.refused(function, PIN)
                self.assertEqual(error.rv, cardd_wire.USER_PIN_NOT_INITIALIZED)
                self.assertIn("never set", error.sentence)
            self.assertEqual(self.verifies(), 0)
            one.set_pin("246810")
            one.unlock("246810")
            one.sign(self.serial, self.key(one)["id"], DIGEST)
            # It can be done once.
            self.assertNotEqual(self.refused(one.set_pin, "111111").rv, cardd_wire.OK)
        self.assertEqual(self.counters()["tries_burnt"], 0)

    def test_the_last_try_needs_its_word(self):
        self.card.control("set_tries", pin=self.main_pin, left=1)
        self.start(unlock=False)
        with self.cardd.connection() as one:
            error = self.refused(one.unlock, PIN)
            self.assertIn("--last-try", error.sentence)
            self.assertEqual(self.verifies(), 0)
            one.unlock(PIN, last_try=True)
        self.assertEqual(self.tries(), 3)

    def test_a_blocked_pin_is_not_tried_and_is_unblocked(self):
        self.card.control("block", pin=self.main_pin)
        self.start(unlock=False)
        with self.cardd.connection() as one:
            error = self.refused(one.unlock, PIN, last_try=True)
            self.assertEqual(error.rv, cardd_wire.PIN_LOCKED)
            self.assertIn("blocked", error.sentence)
            self.assertEqual(self.verifies(), 0)
            one.unblock_pin(PIN)  # NetKey's PIN2 by the global PIN
            one.unlock(PIN)
            one.sign(self.serial, self.key(one)["id"], DIGEST)

    def test_a_wrong_length_is_not_tried(self):
        self.start(unlock=False)
        with self.cardd.connection() as one:
            self.assertEqual(self.refused(one.unlock, "12345").rv, cardd_wire.PIN_LEN_RANGE)
        self.assertEqual(self.verifies(), 0)

    def test_what_a_person_mistypes_is_said_with_the_tries_left(self):
        self.start(unlock=False)
        with self.cardd.connection() as one:
            error = self.refused(one.unlock, WRONG)
            self.assertEqual(error.rv, cardd_wire.PIN_INCORRECT)
            self.assertIn("2 tries", error.sentence)
            pins = {pin["name"]: pin for pin in error.body["pins"]}
            self.assertEqual(pins["pin2"]["tries"], 2)
            self.assertTrue(pins["pin2"]["latched"])
            # From then on a program needs a person, though it might know better.
            self.assertEqual(self.refused(one.login, self.serial, PIN).rv, cardd_wire.PIN_LOCKED)
            one.unlock(PIN)
            one.login(self.serial)
        self.assertEqual(self.counters()["tries_burnt"], 1)

    def test_a_change_is_taken_over_and_an_old_pin_file_is_not_tried(self):
        self.cardd.configure(ALLOW_ROOT + self.unattended(PIN))
        self.start(unlock=False)
        self.cardd.wait_for_card(self.serial, held=True)
        with self.cardd.connection() as one:
            one.change_pin(PIN, "987654")
            self.assertIn("PIN file", one.sentence)
            one.sign(self.serial, self.key(one)["id"], DIGEST)
            self.card.control("lose_status")
            one.sign(self.serial, self.key(one)["id"], DIGEST)
        self.cardd.stop()
        self.counters(reset=True)
        self.start(unlock=False)
        self.cardd.wait_for_card(self.serial, locked=True)
        self.assertEqual(self.verifies(), 0)
        with self.cardd.connection() as one:
            one.unlock("987654")


class Programs(PinTest):
    def test_a_login_with_the_pin_serves_until_it_is_locked(self):
        self.start(unlock=False)
        with self.cardd.connection() as one:
            self.assertEqual(self.refused(one.login, self.serial).rv,
                             cardd_wire.FUNCTION_CANCELED)
            one.login(self.serial, PIN)
            one.login(self.serial)
            one.sign(self.serial, self.key(one)["id"], DIGEST)
            one.lock()
            # Locked by a person: a program does not undo that.
            self.assertEqual(self.refused(one.login, self.serial, PIN).rv, cardd_wire.PIN_LOCKED)
        self.assertEqual(self.verifies(), 1)

    def test_a_wrong_login_while_the_pin_is_held_costs_no_try_and_cannot_guess(self):
        self.start()
        with self.cardd.connection() as one:
            answers = [self.refused(one.login, self.serial, f"{number:06}").rv
                       for number in range(5)]
            self.assertEqual(answers[:3], [cardd_wire.PIN_INCORRECT] * 3)
            self.assertEqual(answers[3:], [cardd_wire.PIN_LOCKED] * 2)
            one.sign(self.serial, self.key(one)["id"], DIGEST)
        self.assertEqual(self.counters()["tries_burnt"], 0)

    def test_a_wrong_login_costs_one_try_however_often_it_is_repeated(self):
        self.start(unlock=False)
        with self.cardd.connection() as one:
            for _ in range(5):
                self.refused(one.login, self.serial, WRONG)
        self.assertEqual(self.counters()["tries_burnt"], 1)


if __name__ == "__main__":
    unittest.main()
