#!/usr/bin/python3
"""Four programs sign without pause through the PKCS#11 module while the card, its reader, pcscd or
demail-cardd fail. No program sees an error that it need not see; no PIN try is ever lost, which the
card itself counts.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

import card_bench  # noqa: E402
from card_bench import Bench, Failure, PcscError, connect  # noqa: E402
from cardd import Cardd, unattended  # noqa: E402
from process import wait_for  # noqa: E402

BUILD = os.path.realpath(os.environ.get("BUILDDIR") or os.getcwd())
CLIENTS = 4
CARD_MS = 20     # what a signature takes in the card
HEALS = 25       # seconds in which everything must have healed; the module waits 30 for a card
NOT_PRESENT, NOT_LOGGED_IN, DEVICE_ERROR = (
    "CKR_TOKEN_NOT_PRESENT (0x000000E0)", "CKR_USER_NOT_LOGGED_IN (0x00000101)",
    "CKR_DEVICE_ERROR (0x00000030)")
ALLOW = '[[allow]]\nkey = "demail-*"\nuser = "root"\nper_minute = 0\n'
bench = None


def setUpModule():
    global bench
    bench = Bench()


def tearDownModule():
    bench.close()


class Client:
    """card_client.py as a process; its lines are read by a thread."""

    def __init__(self, module, environment, pause=0.0):
        self.lines = []
        self.complaint = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "card_client.py"), module, "demail-auth",
             str(pause)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.complaint,
            env={**os.environ, **environment}, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def signed(self):
        return sum(line["error"] is None for line in self.lines)

    def errors(self):
        return [line["error"] for line in self.lines if line["error"]]

    def end(self):
        self.process.stdin.close()
        try:
            code = self.process.wait(timeout=70)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.complaint.seek(0)
        said = self.complaint.read().decode(errors="replace")
        self.complaint.close()
        return code, said


class WithDaemon(unittest.TestCase):
    """A card with its PIN in a credential, and a daemon of its own for every test."""

    profile = "netkey-v3"
    pin_name = "DF01/83"

    @classmethod
    def setUpClass(cls):
        try:
            import PyKCS11  # noqa: F401 (card_client.py does)
        except ImportError:
            raise unittest.SkipTest("python3-pykcs11 is not installed") from None
        cls.bench = bench
        cls.card = cls.bench.card(cls.profile)
        cls.addClassCleanup(cls.card.stop)
        cls.iccsn = cls.card.control("status")["iccsn"]
        cls.cardd = Cardd(cls.bench.directory, BUILD, cls.bench.pcscd)
        try:
            cls.module, _ = cls.cardd.module, cls.cardd.program
        except Failure as missing:
            raise unittest.SkipTest(str(missing)) from None
        cls.pin_file = cls.cardd.write_pin("123456")

    def setUp(self):
        self.control = self.card.control
        self.control("clear")
        self.control("slow", ms=CARD_MS, ins="2a")
        self.card.insert(None if self.control("status")["directory"] == self.card.path
                         else self.card.path)
        self.addCleanup(self.control, "clear")
        shutil.rmtree(self.cardd.state, ignore_errors=True)  # latches of the test before
        self.cardd.create(unattended(self.card, self.pin_file, self.iccsn), ALLOW)
        self.addCleanup(self.cardd.stop)
        self.control("counters", reset=True)
        self.cardd.start()
        self.clients = []

    def run(self, result=None):
        self.logged = len(self.cardd.process.log())
        bad = lambda: len(result.failures) + len(result.errors) if result else 0  # noqa: E731
        before = bad()
        super().run(result)
        if bad() > before:
            said = [line[:300] for line in self.cardd.process.log()[self.logged:].splitlines()
                    if "event=signed" not in line or 'result="ok"' not in line]
            print("--- demail-cardd", *said[-15:], "--- the card", self.control("status"),
                  self.control("log")["log"][-5:], self.card.log()[-2000:],
                  "--- pcscd", bench.pcscd.log()[-500:], sep="\n", file=sys.stderr)

    def start_clients(self, count=CLIENTS, **options):
        for _ in range(count):
            client = Client(self.module, self.cardd.environment, **options)
            self.clients.append(client)
            self.addCleanup(client.process.kill)
        self.signing(5)

    def signing(self, more=5, timeout=HEALS, clients=None):
        """Every client makes so many signatures from now on."""
        clients = clients or self.clients
        goals = [(client, client.signed() + more) for client in clients]
        end = time.monotonic() + timeout
        while any(client.signed() < goal for client, goal in goals):
            for client, _ in goals:
                if client.process.poll() is not None:
                    self.fail(f"a client ended: {client.end()}")
            if time.monotonic() > end:
                self.fail(f"not signing again within {timeout} s: " + "; ".join(
                    f"{client.signed()} of {goal}, {client.lines[-1:]}" for client, goal in goals))
            time.sleep(0.02)

    def finish(self, errors=()):
        """Ends the clients; they saw no error but those, and every signature held. Returns what
        the card counted."""
        ends = [client.end() for client in self.clients]
        self.assertEqual([code for code, _ in ends], [0] * len(ends), ends)
        seen = sorted({error for client in self.clients for error in client.errors()})
        self.assertEqual([error for error in seen if error not in errors], [])
        counters = self.control("counters")
        self.assertEqual(counters["tries_burnt"], 0)
        self.assertEqual(self.control("status")["pins"][self.pin_name]["left"], 3)
        return counters

    def healed(self, times, errors=()):
        """The card was given its PIN at the beginning and each time that it had come back; twice
        where pcscd resets a card that it has just found under the hands of its first client."""
        verifies = self.finish(errors)["verifies"]
        self.assertGreaterEqual(verifies, 1 + times)
        self.assertLessEqual(verifies, 1 + 2 * times)

    def wait_for_error(self, error):
        end = time.monotonic() + HEALS
        while not all(error in client.errors() for client in self.clients):
            self.assertLess(time.monotonic(), end, [client.lines[-1:] for client in self.clients])
            time.sleep(0.05)

    def slowest(self):
        return max(line["seconds"] for client in self.clients for line in client.lines)


class Faults(WithDaemon):
    def test_nothing_fails(self):
        self.start_clients()
        self.signing(20)
        self.assertEqual(self.finish()["verifies"], 1)

    def test_another_program_wants_to_reset_the_card(self):
        """The card is held exclusively: another program gets no hand on it."""
        self.start_clients()
        for exclusive in (False, True):
            with self.assertRaises(PcscError) as refused:
                card_bench.Connection(self.card.reader, exclusive)
            self.assertEqual(refused.exception.code, 0x8010000B)  # SCARD_E_SHARING_VIOLATION
        self.signing()
        self.finish()

    def test_the_card_is_removed_and_inserted(self):
        self.start_clients()
        for seconds in (0, 1.5):
            self.control("remove")
            time.sleep(seconds)
            self.card.insert()
            self.signing()
        self.healed(2)

    def test_the_connection_to_the_card_drops(self):
        self.start_clients()
        for order in (("drop",), ("fault", {"kind": "drop", "ins": "2a"}),
                      ("fault", {"kind": "drop", "ins": "2a", "execute": True}),
                      ("drop", {"seconds": 1})):
            self.control(order[0], **(order[1] if len(order) > 1 else {}))
            time.sleep(0.2)
            self.signing()
        self.healed(4)

    def test_pcscd_is_killed_and_started_again(self):
        self.start_clients()
        for seconds in (0, 2):
            self.bench.pcscd.kill()
            time.sleep(seconds)
            self.bench.pcscd.start()
            self.signing()
        self.healed(2)

    def test_the_daemon_is_killed_and_started_again(self):
        self.start_clients()
        for _ in range(2):
            self.cardd.process.kill()
            self.cardd.start()
            self.signing()
        self.healed(2)

    def test_a_daemon_that_comes_back_without_a_pin_says_so(self):
        self.start_clients()
        self.cardd.process.kill()
        self.cardd.create(unattended(self.card, "", self.iccsn), ALLOW)
        self.cardd.start()
        self.wait_for_error(NOT_LOGGED_IN)
        self.assertEqual(self.finish(errors=(NOT_LOGGED_IN, NOT_PRESENT))["verifies"], 1)

    def test_another_card_gets_no_pin(self):
        other = self.card.make(self.bench.path(f"other-{self.id()}"))
        self.start_clients()
        self.card.insert(other.directory)
        time.sleep(2)
        self.assertEqual(self.control("counters")["verifies"], 1, "the first card's")
        signed = [client.signed() for client in self.clients]
        time.sleep(0.5)
        self.assertEqual([client.signed() for client in self.clients], signed)
        self.card.insert(self.card.path)
        self.signing()
        self.healed(1, errors=(NOT_PRESENT,))

    def test_the_security_status_is_lost(self):
        self.start_clients()
        for _ in range(3):
            self.control("lose_status")
            self.signing(3)
        self.control("fault", kind="forget", ins="2a")
        self.signing(3)
        self.assertEqual(self.finish()["verifies"], 5)

    def test_the_card_hangs_and_comes_round(self):
        self.start_clients()
        self.control("fault", kind="hang", ins="2a")
        self.control("wait", **{"for": "hung"})
        time.sleep(3)
        self.control("resume")
        self.signing()
        self.finish()

    def test_the_card_hangs_for_good_and_the_deadline_holds(self):
        self.start_clients()
        self.control("fault", kind="hang", ins="2a")
        self.control("wait", **{"for": "hung"})
        end = time.monotonic() + 45
        while not all(client.errors() for client in self.clients):
            self.assertLess(time.monotonic(), end, "a client waits beyond its deadline")
            time.sleep(0.1)
        self.assertLess(self.slowest(), 35)
        self.card.remove()  # by hand, as a person would
        self.card.insert()
        self.signing()
        # Away for longer than 10 s: whoever asks now is told at once.
        self.finish(errors=(DEVICE_ERROR, NOT_PRESENT))

    def test_odd_status_words_and_short_answers(self):
        self.start_clients()
        for fault in ({"kind": "status", "word": "6f00"}, {"kind": "status", "word": "6985"},
                      {"kind": "short", "bytes": 1}):
            self.control("fault", ins="2a", **fault)
            self.signing(3)
        self.finish()


class Thrift(WithDaemon):
    """How often the card is asked, and whose turn it is."""

    def test_five_apdus_until_the_first_signature_and_one_for_each_after_it(self):
        self.start_clients(1)
        self.signing(20)
        self.finish()
        log = [entry["header"][2:4] for entry in self.control("log")["log"]]
        verified = max(at for at, ins in enumerate(log) if ins == "20")
        first = log.index("2a")
        self.assertLessEqual(first - verified, 5, log[:first + 1])
        batch = log[first:]
        self.assertLessEqual(len(batch) / batch.count("2a"), 1.1, batch)

    def test_two_programs_get_within_a_fifth_of_each_other(self):
        self.start_clients(2)
        self.signing(50)
        self.finish()
        counts = sorted(client.signed() for client in self.clients)
        self.assertGreaterEqual(counts[0] / counts[1], 0.8, counts)


class Beginning(WithDaemon):
    """Faults that are there before the daemon has the card."""

    def setUp(self):
        super().setUp()
        self.cardd.stop()

    def test_another_process_holds_a_transaction(self):
        with connect(self.card.reader) as holder:
            holder.begin()
            self.cardd.start()
            time.sleep(1)
            holder.end()
        self.start_clients()
        self.signing()
        self.finish()

    def card_seen(self, before):
        wait_for(lambda: 'state="here"' in self.cardd.process.log()[before:], 20,
                 "the card, seen by the daemon")

    def test_the_card_comes_after_the_daemon(self):
        before = len(self.cardd.process.log())
        self.card.remove()
        self.cardd.start()
        time.sleep(1)
        self.card.insert()
        self.card_seen(before)
        self.start_clients()
        self.finish()

    def test_pcscd_comes_after_the_daemon(self):
        before = len(self.cardd.process.log())
        self.bench.pcscd.stop()
        self.cardd.start()
        time.sleep(1)
        self.bench.pcscd.start()
        self.card.insert()
        self.card_seen(before)
        self.start_clients()
        self.finish()

    def test_a_wrong_pin_and_ten_restarts_cost_one_try(self):
        self.control("counters", reset=True)
        self.cardd.write_pin("654321")
        self.addCleanup(self.cardd.write_pin, "123456")
        self.addCleanup(self.control, "set_pin", pin=self.pin_name, value="123456")
        for _ in range(10):
            self.cardd.start()
            client = Client(self.module, self.cardd.environment)
            self.assertNotEqual(client.end()[0], 0)
            self.cardd.stop()
        self.assertEqual(self.control("counters")["tries_burnt"], 1)
        self.assertEqual(self.control("counters")["verifies"], 1)

    def test_a_null_pin_is_never_tried(self):
        self.control("counters", reset=True)
        self.control("null_pin", pin=self.pin_name)
        self.addCleanup(self.control, "set_pin", pin=self.pin_name, value="123456")
        self.cardd.start()
        client = Client(self.module, self.cardd.environment)
        code, said = client.end()
        self.assertNotEqual(code, 0)
        self.assertIn("CKR_USER_PIN_NOT_INITIALIZED", said)
        self.assertEqual(self.control("counters")["verifies"], 0)


class OnIdKey(WithDaemon):
    """A card whose keys are in two applications under the global PIN."""

    profile = "idkey"
    pin_name = "3F00/00"
    test_nothing_fails = Faults.test_nothing_fails
    test_the_card_is_removed_and_inserted = Faults.test_the_card_is_removed_and_inserted
    test_the_security_status_is_lost = Faults.test_the_security_status_is_lost
    test_odd_status_words_and_short_answers = Faults.test_odd_status_words_and_short_answers


if __name__ == "__main__":
    unittest.main(verbosity=2)
