"""demail-cardd with a real pcscd and a virtual card: signatures, what they cost, who may have them."""
import hashlib
import multiprocessing
import os
import re
import signal
import subprocess
import threading
import time
import unittest

from cryptography.hazmat.primitives.asymmetric import padding

from cardd_fixture import (ALLOW_ROOT, BUILD, CarddTest, DIGEST, PIN, cardd_wire, check,
                           public_key, wait_for)


def sign_in_a_loop(path, serial, key, seconds, ready, begin, count):
    """A client of its own: another process."""
    with cardd_wire.Connection(path) as one:
        one.sign(serial, key, DIGEST)
        ready.release()
        begin.wait()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            one.sign(serial, key, DIGEST)
            count.value += 1


def as_user(uid, group, function):
    """What the function returns or raises as another user, as text."""
    queue = multiprocessing.get_context("fork").Queue()

    def run():
        os.setgroups([])
        os.setgid(group)
        os.setuid(uid)
        try:
            queue.put(function())
        except Exception as error:  # pylint: disable=broad-except
            queue.put(error)

    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    answer = queue.get(timeout=20)
    child.join()
    return answer


class Signatures(CarddTest):
    def test_a_card_signs_after_unlock_with_few_apdus(self):
        self.start(unlock=False)
        with self.cardd.connection() as one:
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(self.serial, self.key(one)["id"], DIGEST)
            self.assertEqual(refused.exception.rv, cardd_wire.USER_NOT_LOGGED_IN)
            self.assertIn("demailctl unlock", refused.exception.sentence)
            one.unlock(PIN)
            self.counters(reset=True)
            key = self.key(one)
            check(key, one.sign(self.serial, key["id"], DIGEST))
            self.assertLessEqual(self.counters()["apdus"], 5)
            check(key, one.sign(self.serial, key["id"], DIGEST, pss=True), pss=True)
            self.counters(reset=True)
            for _ in range(20):
                one.sign(self.serial, key["id"], DIGEST)
            self.assertLessEqual(self.counters()["apdus"], 22)

    def test_a_program_s_login_asks_the_card_for_nothing_that_nobody_reads(self):
        self.start(unlock=False)
        with self.cardd.connection() as one:
            self.counters(reset=True)
            one.login(self.serial, PIN)
            # Which card it is, the PIN's directory, its counter and the PIN.
            self.assertEqual(self.counters()["by_ins"], {"a4": 2, "b0": 1, "20": 2})
            one.sign(self.serial, self.key(one)["id"], DIGEST)
            self.assertEqual(self.counters()["apdus"], 7)

    def test_what_is_encrypted_for_the_card_is_decrypted(self):
        self.start()
        with self.cardd.connection() as one:
            key = self.key(one, "demail-enc")
            cryptogram = public_key(key).encrypt(b"a letter", padding.PKCS1v15())
            self.assertEqual(one.decrypt(self.serial, key["id"], cryptogram), b"a letter")
            # The key of signatures does not decrypt, nor the other way round.
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.decrypt(self.serial, self.key(one)["id"], cryptogram)
            self.assertEqual(refused.exception.rv, cardd_wire.KEY_FUNCTION_NOT_PERMITTED)
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(self.serial, key["id"], DIGEST)
            self.assertEqual(refused.exception.rv, cardd_wire.KEY_FUNCTION_NOT_PERMITTED)

    def test_a_digest_of_another_length_never_reaches_the_card(self):
        self.start()
        with self.cardd.connection() as one:
            key = self.key(one)
            one.sign(self.serial, key["id"], DIGEST)
            self.counters(reset=True)
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(self.serial, key["id"], DIGEST[:20])
            self.assertEqual(refused.exception.rv, cardd_wire.DATA_LEN_RANGE)
            self.assertEqual(self.counters()["apdus"], 0)

    def test_two_clients_in_a_loop_get_the_same(self):
        self.start()
        self.card.control("slow", ms=10, ins="2a")
        with self.cardd.connection() as one:
            key = self.key(one)["id"]
        context = multiprocessing.get_context("fork")
        ready, begin = context.Semaphore(0), context.Event()
        counts = [context.Value("i", 0) for _ in range(2)]
        clients = [context.Process(target=sign_in_a_loop, args=(
            self.cardd.socket, self.serial, key, 4, ready, begin, count)) for count in counts]
        for client in clients:
            client.start()
        for _ in clients:
            ready.acquire()
        begin.set()
        for client in clients:
            client.join()
        low, high = sorted(count.value for count in counts)
        self.assertGreater(low, 20)
        self.assertLess(high, low * 1.2, f"{low} and {high} signatures")

    def test_a_client_with_many_connections_gets_no_more_than_one_with_one(self):
        self.start()
        self.card.control("slow", ms=10, ins="2a")
        with self.cardd.connection() as one:
            key = self.key(one)["id"]
        context = multiprocessing.get_context("fork")
        ready, begin = context.Semaphore(0), context.Event()
        count = context.Value("i", 0)
        other = context.Process(target=sign_in_a_loop, args=(
            self.cardd.socket, self.serial, key, 3, ready, begin, count))
        other.start()
        ready.acquire()
        mine = [0] * 6

        def loop(at):
            with self.cardd.connection() as one:
                end = time.monotonic() + 3
                while time.monotonic() < end:
                    one.sign(self.serial, key, DIGEST)
                    mine[at] += 1

        threads = [threading.Thread(target=loop, args=(at,)) for at in range(len(mine))]
        begin.set()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        other.join()
        self.assertGreater(count.value * 1.3, sum(mine), f"{count.value} and {mine}")

    def test_a_request_past_its_deadline_does_not_touch_the_card(self):
        self.start()
        with self.cardd.connection() as one, self.cardd.connection() as two:
            key = self.key(one)["id"]
            one.sign(self.serial, key, DIGEST)
            self.card.control("slow", ms=1500, ins="2a")
            self.counters(reset=True)
            one.send_sign(self.serial, key, DIGEST)
            self.card.control("wait", **{"for": "apdus", "count": 0})
            time.sleep(0.3)
            began = time.monotonic()
            with self.assertRaises(cardd_wire.Refused) as refused:
                two.sign(self.serial, key, DIGEST, deadline=0.5)
            self.assertEqual(refused.exception.rv, cardd_wire.DEVICE_ERROR)
            self.assertLess(time.monotonic() - began, 0.9)
            one.receive()
            one.sign(self.serial, key, DIGEST)
            self.assertEqual(self.counters()["operations"], 2)

    def test_every_signature_is_checked_before_it_leaves(self):
        self.start()
        with self.cardd.connection() as one:
            key = self.key(one)
            # The block for PSS is another one each time; a card that signs another is caught.
            self.card.control("fault", kind="short", ins="2a", bytes=1)
            try:
                check(key, one.sign(self.serial, key["id"], DIGEST))
            except cardd_wire.Refused as refused:
                self.assertEqual(refused.rv, cardd_wire.DEVICE_ERROR)
            check(key, one.sign(self.serial, key["id"], DIGEST))


class Accounting(CarddTest):
    def audit(self):
        done = subprocess.run([os.path.join(BUILD, "demailctl"), "card", "audit", "--state",
                               self.cardd.state], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_each_operation_is_a_line_of_a_chain_that_shows_a_change(self):
        self.start()
        with self.cardd.connection() as one:
            key = self.key(one)["id"]
            for _ in range(3):
                one.sign(self.serial, key, DIGEST)
        self.cardd.stop()
        self.start()
        self.cardd.stop()
        path = os.path.join(self.cardd.state, "audit.log")
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        signed = [line for line in lines if 'act="sign"' in line]
        self.assertEqual(len(signed), 3)
        for word in (f'card="{self.serial}"', 'key="demail-auth"', 'uid="0"', 'result="ok"',
                     'mechanism="rsa-pkcs1 sha256"', f'pid="{os.getpid()}"',
                     f'input="{hashlib.sha256(DIGEST).hexdigest()}"'):
            self.assertIn(word, signed[0])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        code, said = self.audit()
        self.assertEqual(code, 0, said)
        # The journal knows the head.
        self.assertIn(re.search(r"hash is ([0-9a-f]{64})", said)[1], self.cardd.log())
        for change in (lambda: [lines[0].replace('uid="0"', 'uid="1"'), *lines[1:]],
                       lambda: lines[1:], lambda: [*lines[:2], *lines[3:]],
                       lambda: [lines[1], lines[0], *lines[2:]]):
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(change()) + "\n")
            code, said = self.audit()
            self.assertEqual(code, 1, said)
            self.assertRegex(said, r"line \d+")

    def test_without_room_for_the_log_nothing_is_signed(self):
        os.mkdir(self.cardd.state, 0o700)
        os.symlink("/dev/full", os.path.join(self.cardd.state, "audit.log"))
        with self.assertRaises(Exception):
            self.cardd.start()
        self.assertIn("audit.log", self.cardd.log())


class Access(CarddTest):
    def test_only_those_that_cardd_toml_names_may_sign_and_only_as_often(self):
        nobody, group = 65534, 65534
        self.cardd.configure('[[allow]]\nkey = "demail-auth"\nuser = "nobody"\nper_minute = 3\n')
        self.start()
        with self.cardd.connection() as one:
            auth, enc = self.key(one)["id"], self.key(one, "demail-enc")["id"]
            # Root administers; it signs where it is allowed to.
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(self.serial, auth, DIGEST)
            self.assertEqual(refused.exception.rv, cardd_wire.KEY_FUNCTION_NOT_PERMITTED)
        os.chmod(self.directory, 0o755)

        def sign(key):
            with self.cardd.connection() as one:
                return one.sign(self.serial, key, DIGEST)

        def keys():
            with self.cardd.connection() as one:
                return [key["label"] for key in one.objects(self.serial)["keys"]]

        def lock():
            with self.cardd.connection() as one:
                return one.lock()

        self.assertEqual(as_user(nobody, group, keys), ["demail-auth"])
        for _ in range(3):
            self.assertEqual(len(as_user(nobody, group, lambda: sign(auth))), 256)
        answers = (as_user(nobody, group, lambda: sign(auth)),
                   as_user(nobody, group, lambda: sign(enc)), as_user(nobody, group, lock),
                   as_user(1, 1, keys))
        for answer, rv in zip(answers, (cardd_wire.FUNCTION_REJECTED,
                                        cardd_wire.KEY_FUNCTION_NOT_PERMITTED,
                                        cardd_wire.FUNCTION_REJECTED,
                                        cardd_wire.FUNCTION_REJECTED)):
            self.assertIsInstance(answer, cardd_wire.Refused)
            self.assertEqual(answer.rv, rv, answer)

    def test_a_reload_changes_rights_and_keeps_connections_and_pins(self):
        self.start()
        with self.cardd.connection() as one:
            key = self.key(one)["id"]
            one.sign(self.serial, key, DIGEST)
            self.counters(reset=True)
            self.cardd.configure('[[allow]]\nkey = "demail-enc"\nuser = "root"\n')
            os.kill(self.cardd.pid, signal.SIGHUP)

            def refused():
                try:
                    one.sign(self.serial, key, DIGEST)
                    return False
                except cardd_wire.Refused as error:
                    return error.rv == cardd_wire.KEY_FUNCTION_NOT_PERMITTED
            wait_for(refused, 5, "the reload")
            self.cardd.configure("[[allow]]\nkye = 1\n")
            os.kill(self.cardd.pid, signal.SIGHUP)
            wait_for(lambda: "reload failed" in self.cardd.log(), 5, "the fault")
            self.cardd.configure(ALLOW_ROOT)
            os.kill(self.cardd.pid, signal.SIGHUP)

            def signs():
                try:
                    return one.sign(self.serial, key, DIGEST)
                except cardd_wire.Refused:
                    return None
            wait_for(signs, 5, "the second reload")
            self.assertEqual(self.counters()["verifies"], 0)


class Process(CarddTest):
    def test_it_has_no_core_and_ends_within_a_second(self):
        self.start()
        with open(f"/proc/{self.cardd.pid}/limits", encoding="ascii") as limits:
            self.assertRegex(limits.read(), r"Max core file size +0 +0 ")
        began = time.monotonic()
        with self.cardd.connection():
            self.cardd.stop()
        self.assertLess(time.monotonic() - began, 1)
        self.assertFalse(os.path.exists(self.cardd.socket))
        # Its end takes the card's power, and with it what was verified.
        self.card.control("wait", **{"for": "unpowered", "timeout": 5})
        self.assertEqual(self.card.control("status")["verified"], [])

    def test_it_ends_within_a_second_while_the_card_hangs(self):
        self.start()
        with self.cardd.connection() as one:
            key = self.key(one)["id"]
            self.card.control("fault", kind="hang", ins="2a")
            one.send_sign(self.serial, key, DIGEST)
            self.card.control("wait", **{"for": "hung"})
            began = time.monotonic()
            self.cardd.stop()
            self.assertLess(time.monotonic() - began, 1.5)
            self.card.control("resume")


if __name__ == "__main__":
    unittest.main()
