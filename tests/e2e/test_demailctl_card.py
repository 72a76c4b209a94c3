"""demailctl at a console, for the card: what it says before anything happens, what then happens."""
import json
import os
import subprocess
import unittest

from cardd_fixture import BUILD, CarddTest, DIGEST, PIN, WRONG, cardd_wire
from console import Console

DEMAILCTL = os.path.join(BUILD, "demailctl")


class CardCommands(CarddTest):
    def setUp(self):
        super().setUp()
        self.start(unlock=False)

    def console(self, *words):
        return Console([DEMAILCTL, *words], {"DEMAIL_CARDD_SOCKET": self.cardd.socket})

    def ctl(self, *words, pins=None):
        """(exit code, standard output, standard error); PINs by --pin-fd."""
        fds = ()
        if pins is not None:
            reading, writing = os.pipe()
            os.write(writing, "".join(pin + "\n" for pin in pins).encode())
            os.close(writing)
            words, fds = (*words, "--pin-fd", str(reading)), (reading,)
        done = subprocess.run([DEMAILCTL, *words], capture_output=True, text=True, check=False,
                              timeout=60, pass_fds=fds, stdin=subprocess.DEVNULL,
                              start_new_session=True,
                              env={**os.environ, "DEMAIL_CARDD_SOCKET": self.cardd.socket})
        for fd in fds:
            os.close(fd)
        for secret in pins or ():
            self.assertNotIn(secret, done.stdout + done.stderr)
        return done.returncode, done.stdout, done.stderr

    def sign(self):
        with self.cardd.connection() as one:
            return one.sign(self.serial, self.key(one)["id"], DIGEST)

    def verifies(self):
        return self.counters()["verifies"]


class Unlock(CardCommands):
    def test_at_a_terminal_all_is_said_before_and_nothing_is_shown_of_the_pin(self):
        console = self.console("unlock")
        said = console.read_until("NetKey PIN2: ")
        self.assertIn(self.serial, said)
        self.assertIn("3 tries are left", said)
        self.assertIn("sent to the card once", said)
        self.assertIn("until \"demailctl lock\"", said.replace("\r\n", " "))
        self.assertEqual(self.verifies(), 0)
        console.type("12x\x7f3456\r")  # a slip of the finger
        code, text = console.end()
        self.assertEqual(code, 0, text)
        self.assertNotIn("3456", text)
        self.assertIn("accepted", text)
        self.sign()
        self.assertEqual(self.verifies(), 1)

    def test_a_person_who_thinks_better_of_it_leaves_the_card_untouched(self):
        for keys in ("\x03", "1234\x03", "\x04", "\r"):
            console = self.console("unlock")
            console.read_until("NetKey PIN2: ")
            console.type(keys)
            code, text = console.end()
            self.assertEqual(code, 1, text)
            self.assertIn("was not touched", text)
        self.assertEqual(self.verifies(), 0)

    def test_a_wrong_pin_is_said_with_the_tries_left(self):
        code, _, err = self.ctl("unlock", pins=[WRONG])
        self.assertEqual(code, 1)
        self.assertIn("2 tries are left", err)
        code, out, _ = self.ctl("unlock", pins=[PIN])
        self.assertEqual(code, 0)
        self.assertIn("demailctl, run by uid 0", out)  # who was refused before
        code, out, _ = self.ctl("unlock", pins=[PIN])
        self.assertEqual(code, 0)
        self.assertIn("already", out)
        self.assertEqual(self.verifies(), 2)

    def test_the_last_try_needs_its_word(self):
        self.card.control("set_tries", pin=self.main_pin, left=1)
        code, _, err = self.ctl("unlock", pins=[PIN])
        self.assertEqual(code, 1)
        self.assertIn("--last-try", err)
        self.assertEqual(self.verifies(), 0)
        code, out, _ = self.ctl("unlock", "--last-try", pins=[PIN])
        self.assertEqual(code, 0)
        self.assertIn("LAST TRY", out)

    def test_without_a_terminal_and_a_descriptor_nothing_is_asked(self):
        code, _, err = self.ctl("unlock")
        self.assertEqual(code, 1)
        self.assertIn("--pin-fd", err)
        self.assertEqual(self.verifies(), 0)

    def test_without_the_daemon_it_says_so(self):
        self.cardd.stop()
        code, _, err = self.ctl("unlock", pins=[PIN])
        self.assertEqual(code, 69)
        self.assertIn("does not run", err)

    def test_lock_ends_it(self):
        self.assertEqual(self.ctl("unlock", pins=[PIN])[0], 0)
        code, out, _ = self.ctl("lock")
        self.assertEqual(code, 0)
        self.assertIn("locked and without power", out)
        with self.assertRaises(cardd_wire.Refused):
            self.sign()
        self.card.control("wait", **{"for": "unpowered", "timeout": 5})


class Pins(CardCommands):
    def status(self):
        code, out, err = self.ctl("pin", "status", "--json")
        self.assertEqual(code, 0, err)
        return {pin["name"]: pin for pin in json.loads(out)["pins"]}

    def test_status_tells_all_pins_and_costs_no_try(self):
        pins = self.status()
        self.assertEqual({name: pin["triesLeft"] for name, pin in pins.items()},
                         {"pin": 3, "puk": 10, "pin1": 3, "pin2": 3})
        self.assertEqual([name for name, pin in pins.items() if pin["guardsKeys"]], ["pin2"])
        code, out, _ = self.ctl("pin", "status")
        self.assertEqual(code, 0)
        self.assertIn("the keys' PIN", out)
        self.assertEqual(self.verifies(), 0)

    def test_set_is_for_a_pin_that_was_never_set(self):
        code, _, err = self.ctl("pin", "set", pins=["246810"])
        self.assertEqual(code, 1)
        self.assertIn("once in a card's life", err)
        self.card.control("null_pin", pin=self.main_pin)
        self.assertEqual(self.status()["pin2"]["condition"], "null-pin")
        code, _, err = self.ctl("unlock", pins=[PIN])
        self.assertEqual(code, 1)
        self.assertIn("pin set", err)
        console = self.console("pin", "set")
        console.read_until("New NetKey PIN2: ")
        console.type("246810\r")
        console.read_until("again: ")
        console.type("246811\r")
        code, text = console.end()
        self.assertEqual(code, 1)
        self.assertIn("not alike", text)
        self.assertEqual(self.status()["pin2"]["condition"], "null-pin")
        console = self.console("pin", "set")
        self.assertIn("no way back", console.read_until("New NetKey PIN2: ").replace("\r\n", " "))
        console.type("246810\r")
        console.read_until("again: ")
        console.type("246810\r")
        self.assertEqual(console.end()[0], 0)
        self.assertEqual(self.ctl("unlock", pins=["246810"])[0], 0)

    def test_change_says_what_it_will_do_and_does_it(self):
        code, out, err = self.ctl("pin", "change", pins=[PIN, "246810"])
        self.assertEqual(code, 0, err)
        self.assertIn("First the old", out)
        self.assertEqual(self.ctl("unlock", pins=[PIN])[0], 1)
        self.assertEqual(self.ctl("unlock", pins=["246810"])[0], 0)
        # A PIN that is held is changed too, and goes on to serve.
        self.assertEqual(self.ctl("pin", "change", pins=["246810", "135790"])[0], 0)
        self.sign()
        self.card.control("lose_status")
        self.sign()
        # Another PIN than the keys' one.
        self.assertEqual(self.ctl("pin", "change", "--pin", "pin1", pins=[PIN, "111111"])[0], 0)
        self.assertEqual(self.ctl("pin", "change", "--pin", "pin9", pins=[PIN, "111111"])[0], 1)
        self.sign()

    def test_unblock_names_whose_tries_it_costs(self):
        self.card.control("block", pin=self.main_pin)
        code, _, err = self.ctl("unlock", pins=[PIN])
        self.assertEqual(code, 1)
        self.assertIn("blocked", err)
        code, out, err = self.ctl("pin", "unblock", pins=[WRONG])
        self.assertEqual(code, 1)
        self.assertIn("global PIN", out)
        self.assertIn("2 tries", err)
        self.assertEqual(self.ctl("pin", "unblock", pins=[PIN])[0], 0)
        self.assertEqual(self.ctl("unlock", pins=[PIN])[0], 0)


class Looking(CardCommands):
    def test_probe_writes_what_needs_no_pin(self):
        code, out, _ = self.ctl("card", "probe")
        self.assertEqual(code, 0)
        for word in (self.serial, self.card.control("status")["atr"], "NetKey", "DF DF01 5349",
                     "DF DF01 4371 of key 82", "RSA, 2048 bits", "3 tries left"):
            self.assertIn(word, out)
        self.assertEqual(self.verifies(), 0)
        self.assertEqual(self.ctl("unlock", pins=[PIN])[0], 0)
        self.assertEqual(self.ctl("card", "probe")[0], 0)
        self.sign()

    def test_status_tells_of_cards_and_the_audit_log(self):
        self.assertEqual(self.ctl("unlock", pins=[PIN])[0], 0)
        self.sign()
        code, out, _ = self.ctl("card", "status", "--json")
        self.assertEqual(code, 0)
        report = json.loads(out)
        [card] = report["cards"]
        self.assertEqual((card["card"], card["present"], card["unlocked"], card["signatures"]),
                         (self.serial, True, True, 1))
        code, out, _ = self.ctl("card", "audit", "--json", "--state", self.cardd.state)
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(out)["head"], report["auditHead"])
        code, out, _ = self.ctl("card", "status")
        self.assertIn("unlocked", out)


if __name__ == "__main__":
    unittest.main()
