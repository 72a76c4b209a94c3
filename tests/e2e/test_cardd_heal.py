"""What happens to a card happens without its clients noticing: four sign without pause."""
import os
import socket
import subprocess
import threading
import time
import unittest

from cardd_fixture import ALLOW_ROOT, CarddTest, DIGEST, PIN, cardd_wire, check, wait_for


class Crowd:
    """Clients that sign without pause; what went wrong is kept."""

    def __init__(self, test, clients=4, deadline=20):
        self.test, self.deadline = test, deadline
        self.errors, self.signed, self.stopped = [], 0, False
        with test.cardd.connection() as one:
            self.key = test.key(one)
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def connect(self):
        """Like the module: a daemon that restarts is waited for."""
        end = time.monotonic() + 10
        while True:
            try:
                return self.test.cardd.connection()
            except (OSError, ConnectionError):
                if self.stopped or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def run(self):
        one = self.connect()
        while not self.stopped:
            try:
                signature = one.sign(self.test.serial, self.key["id"], DIGEST, self.deadline)
                check(self.key, signature)
                self.signed += 1
            except cardd_wire.Refused as refused:
                self.errors.append(refused)
            except (OSError, ConnectionError) as error:
                one.close()
                try:
                    one = self.connect()
                except (OSError, ConnectionError):
                    self.errors.append(error)
                    return
        one.close()

    def goes_on(self, timeout=15):
        before = self.signed
        wait_for(lambda: self.errors or self.signed >= before + 8, timeout, "signatures")

    def stop(self):
        self.stopped = True
        for thread in self.threads:
            thread.join(30)


class Heal(CarddTest):
    def setUp(self):
        super().setUp()
        self.cardd.configure(ALLOW_ROOT + self.unattended(PIN))

    def survives(self, *faults):
        self.start(unlock=False)
        self.cardd.wait_for_card(self.serial, held=True)
        crowd = Crowd(self)
        try:
            crowd.goes_on()
            for fault in faults:
                fault()
                crowd.goes_on()
        finally:
            crowd.stop()
        self.assertEqual(crowd.errors, [])
        self.assertEqual(self.counters()["tries_burnt"], 0)
        self.assertEqual(self.tries(), 3)

    def test_removal_and_reinsertion(self):
        def out_and_in():
            self.card.remove()
            time.sleep(0.5)
            self.card.insert()
        self.survives(out_and_in, out_and_in)

    def test_a_dropped_connection_of_the_reader(self):
        self.survives(lambda: self.card.control("drop", seconds=1))

    def test_a_restart_of_pcscd(self):
        def restart():
            self.pcscd.kill()
            time.sleep(0.5)
            self.pcscd.start()
        self.survives(restart)

    def test_a_lost_security_status(self):
        self.survives(*[lambda: self.card.control("lose_status")] * 3)

    def test_a_restart_of_the_daemon_by_signal_and_by_kill(self):
        self.survives(self.cardd.restart, lambda: (self.cardd.kill(), self.cardd.start()))

    def test_a_card_that_answers_nonsense_once(self):
        self.survives(lambda: self.card.control("fault", kind="drop", ins="2a"),
                      lambda: self.card.control("fault", kind="short", ins="2a", bytes=1))

    def test_no_other_process_can_use_the_card_while_its_pin_is_verified(self):
        self.start(unlock=False)
        self.cardd.wait_for_card(self.serial, held=True)
        done = subprocess.run(
            ["opensc-tool", "--reader", self.card.reader, "--send-apdu", "00a40000023f00"],
            env={**os.environ, **self.pcscd.environment}, capture_output=True, text=True,
            check=False, timeout=20)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        with self.cardd.connection() as one:
            one.sign(self.serial, self.key(one)["id"], DIGEST)
            one.lock()
        done = subprocess.run(
            ["opensc-tool", "--reader", self.card.reader, "--send-apdu", "00a40000023f00"],
            env={**os.environ, **self.pcscd.environment}, capture_output=True, text=True,
            check=False, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)


class Loss(CarddTest):
    def test_a_hung_card_holds_up_nobody_beyond_the_deadline(self):
        self.start()
        with self.cardd.connection() as one:
            key = self.key(one)["id"]
            self.card.control("fault", kind="hang", ins="2a")
            began = time.monotonic()
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(self.serial, key, DIGEST, deadline=1)
            self.assertLess(time.monotonic() - began, 1.3)
            self.assertEqual(refused.exception.rv, cardd_wire.DEVICE_ERROR)
            # What asks for no card is answered meanwhile.
            began = time.monotonic()
            one.status()
            self.assertLess(time.monotonic() - began, 0.5)
            self.card.control("resume")
            check(self.key(one), one.sign(self.serial, key, DIGEST, deadline=20))

    def test_a_card_that_is_away_is_said_after_a_while_and_is_back_by_itself(self):
        self.start()
        with self.cardd.connection() as one:
            key = self.key(one)["id"]
            self.card.remove()
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(self.serial, key, DIGEST, deadline=60)
            self.assertEqual(refused.exception.rv, cardd_wire.TOKEN_NOT_PRESENT)
            self.assertIn("no card", refused.exception.sentence)
            began = time.monotonic()
            with self.assertRaises(cardd_wire.Refused):
                one.sign(self.serial, key, DIGEST, deadline=60)
            self.assertLess(time.monotonic() - began, 1)
            generation = one.ask(cardd_wire.LIST_TOKENS)["generation"]
            self.card.insert()
            one.wait(generation, 10)
            one.sign(self.serial, key, DIGEST)

    def test_another_card_drops_the_pin_and_gets_no_verify(self):
        self.start()
        other = os.path.join(self.directory, "other")
        self.card.make(other)
        self.card.remove()
        self.counters(reset=True)
        self.card.insert(other)
        serial = self.card.control("status")["iccsn"]
        self.cardd.wait_for_card(serial)
        with self.cardd.connection() as one:
            with self.assertRaises(cardd_wire.Refused):
                one.sign(self.serial, b"\x47", DIGEST)
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(serial, b"\x47", DIGEST)
            self.assertEqual(refused.exception.rv, cardd_wire.USER_NOT_LOGGED_IN)
            self.assertEqual(self.counters()["verifies"], 0)
            # And back: the first one must be unlocked anew.
            self.card.remove()
            self.card.insert(os.path.join(self.directory, "card", "card"))
            self.cardd.wait_for_card(self.serial)
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(self.serial, b"\x47", DIGEST)
            self.assertEqual(refused.exception.rv, cardd_wire.USER_NOT_LOGGED_IN)
            one.unlock(PIN, self.serial)
            one.sign(self.serial, b"\x47", DIGEST)

    def test_a_client_that_hangs_up_is_not_signed_for(self):
        self.start()
        with self.cardd.connection() as one:
            key = self.key(one)["id"]
            one.sign(self.serial, key, DIGEST)
            self.counters(reset=True)
            self.card.control("slow", ms=700, ins="2a")
            one.send_sign(self.serial, key, DIGEST)
            time.sleep(0.2)
            gone = self.cardd.connection()
            gone.send_sign(self.serial, key, DIGEST)
            gone.close()
            one.receive()
            one.sign(self.serial, key, DIGEST)
            self.assertEqual(self.counters()["operations"], 2)

    def test_an_idle_card_loses_its_power_and_not_its_pin(self):
        self.cardd.configure(ALLOW_ROOT + "[[token]]\nidle = 1\n")
        self.start()
        self.card.control("wait", **{"for": "unpowered", "timeout": 8})
        with self.cardd.connection() as one:
            one.sign(self.serial, self.key(one)["id"], DIGEST)

    def test_nonsense_on_the_socket_ends_that_connection_alone(self):
        self.start()
        for octets in (b"GET / HTTP/1.0\r\n\r\n", b"\0\0\0\x06\0\0\0\1\0\0", b"\xff" * 5000,
                       b"\0\0\0\0", os.urandom(300)):
            with socket.socket(socket.AF_UNIX) as raw:
                raw.settimeout(10)
                raw.connect(self.cardd.socket)
                raw.sendall(octets)
                raw.shutdown(socket.SHUT_WR)
                try:
                    while raw.recv(4096):
                        pass
                except ConnectionError:
                    pass
        with self.cardd.connection() as one:
            one.sign(self.serial, self.key(one)["id"], DIGEST)


class TwoCards(CarddTest):
    readers = 2

    def test_a_hung_card_does_not_stop_the_other_and_each_has_its_slot(self):
        from virtual_card import VirtualCard  # pylint: disable=import-outside-toplevel
        second = VirtualCard(os.path.join(self.directory, "second"), self.pcscd, "idkey", reader=1)
        second.create()
        second.start()
        self.undo.callback(second.stop)
        serial = second.control("status")["iccsn"]
        self.start(unlock=False)
        self.cardd.wait_for_card(serial)
        with self.cardd.connection() as one:
            slots = {token["serial"]: token["slot"] for token in one.tokens()}
            self.assertEqual(len(set(slots.values())), 2)
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.unlock(PIN)
            self.assertIn("several", refused.exception.sentence)
            one.unlock(PIN, self.serial)
            one.unlock(PIN, serial[-6:])
            mine = self.key(one)["id"]
            keys = {key["label"]: key for key in one.objects(serial)["keys"]}
            self.card.control("fault", kind="hang", ins="2a")
            with self.cardd.connection() as stuck:
                stuck.send_sign(self.serial, mine, DIGEST, deadline=3)
                self.card.control("wait", **{"for": "hung"})
                for label in ("demail-auth", "demail-sign"):
                    began = time.monotonic()
                    check(keys[label], one.sign(serial, keys[label]["id"], DIGEST))
                    self.assertLess(time.monotonic() - began, 2)
                with self.assertRaises(cardd_wire.Refused):
                    stuck.receive()
            self.card.control("resume")
        self.cardd.restart()
        self.cardd.wait_for_card(serial)
        self.cardd.wait_for_card(self.serial)
        with self.cardd.connection() as one:
            self.assertEqual(slots, {token["serial"]: token["slot"] for token in one.tokens()})


if __name__ == "__main__":
    unittest.main()
