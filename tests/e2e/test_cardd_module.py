"""The back end `module`: SoftHSM behind the shim (tests/shim), which makes it fail as a test says."""
import os
import shutil
import tempfile
import threading
import time
import unittest

from cardd_fixture import ALLOW_ROOT, BUILD, Cardd, DIGEST, cardd_wire, check, wait_for
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from softhsm import Token
import pki

SHIM = os.path.join(BUILD, "tests/shim/pkcs11-shim.so")


class NoPcscd:
    environment = {"PCSCLITE_CSOCK_NAME": "/nonexistent/pcscd"}


class ModuleTest(unittest.TestCase):
    wrong = "00000000"

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(SHIM):
            raise AssertionError(f"{SHIM} is not there; run make check")
        cls.pattern = tempfile.mkdtemp(prefix="cardd-module-", dir="/tmp")
        cls.addClassCleanup(shutil.rmtree, cls.pattern, True)
        authority = pki.make_ca(cls.pattern)

        def issue(public):
            return pki.issue_for_card(
                authority, load_pem_public_key(public), "firm auth", "auth"
            ).public_bytes(Encoding.PEM)
        cls.token = Token(cls.pattern)
        cls.token.create()
        cls.token.make_key("demail-auth", "01", issue)

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="cardd-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.directory, True)
        part = lambda name: os.path.join(self.directory, name)  # noqa: E731
        self.control, self.calls_file, self.versions = part("control"), part("calls"), 0
        open(self.calls_file, "w", encoding="ascii").close()
        self.cardd = Cardd(self.directory, NoPcscd)
        self.cardd.environment.update(
            self.token.environment, DEMAIL_SHIM_MODULE=self.token.module,
            DEMAIL_SHIM_CONTROL=self.control, DEMAIL_SHIM_LOG=self.calls_file)
        self.addCleanup(self.cardd.stop)
        self.does()
        self.configure()

    def configure(self, more=""):
        self.cardd.configure(ALLOW_ROOT + f'[[token]]\nbackend = "module"\nmodule = "{SHIM}"\n'
                             f'call_limit = 3\n{more}')

    def does(self, *lines):
        """From the next call on (tests/shim/pkcs11-shim.cpp)."""
        self.versions += 1
        with open(self.control + ".part", "w", encoding="ascii") as file:
            file.write("\n".join((f"# {self.versions}", *lines, "")))
        os.rename(self.control + ".part", self.control)

    def calls(self, function):
        with open(self.calls_file, encoding="ascii") as file:
            return sum(line.startswith(function + " ") for line in file)

    def start(self, unlock=True):
        self.cardd.start()
        return self.arrived(unlock)

    def arrived(self, unlock=True):
        def there():
            with self.cardd.connection() as one:
                return [token for token in one.tokens() if token["present"]]
        [token] = wait_for(there, 10, "the token")
        self.serial = token["serial"]
        if unlock:
            with self.cardd.connection() as one:
                one.unlock(self.token.pin)
        return token

    def key(self, connection):
        [key] = connection.objects(self.serial)["keys"]
        self.assertEqual(key["label"], "demail-auth")
        return key

    def sign(self, deadline=20):
        with self.cardd.connection() as one:
            key = self.key(one)
            check(key, one.sign(self.serial, key["id"], DIGEST, deadline))


class Work(ModuleTest):
    def test_a_foreign_module_signs_behind_the_same_doors(self):
        token = self.start(unlock=False)
        self.assertEqual(token["label"], self.token.label)
        with self.cardd.connection() as one:
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(self.serial, self.key(one)["id"], DIGEST)
            self.assertEqual(refused.exception.rv, cardd_wire.USER_NOT_LOGGED_IN)
            one.unlock(self.token.pin)
            key = self.key(one)
            check(key, one.sign(self.serial, key["id"], DIGEST))
            check(key, one.sign(self.serial, key["id"], DIGEST, pss=True), pss=True)
            self.assertEqual(self.calls("C_Login"), 1)

    def test_the_daemon_itself_loads_no_module(self):
        self.start()
        with open(f"/proc/{self.cardd.pid}/maps", encoding="ascii") as maps:
            self.assertNotIn("pkcs11-shim", maps.read())

    def test_a_pin_file_unlocks_the_named_token_alone(self):
        token = self.start(unlock=False)
        self.cardd.stop()
        path = os.path.join(self.directory, "pin")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(self.token.pin + "\n")
        self.configure(f'reader = "{token["reader"]}"\nserial = "{token["serial"]}"\n'
                       f'pin_file = "{path}"\n')
        self.start(unlock=False)
        self.sign()


class Faults(ModuleTest):
    def test_a_module_that_answers_general_error_is_started_anew_without_notice(self):
        self.start()
        for function in ("C_Sign", "C_SignInit", "C_FindObjectsInit"):
            began = self.calls(function)
            self.does(f"return {function} CKR_GENERAL_ERROR")

            def mend(function=function, began=began):
                wait_for(lambda: self.calls(function) > began, 10, function, pause=0.01)
                self.does()
            mender = threading.Thread(target=mend)
            mender.start()
            self.sign()
            mender.join()
        self.assertGreaterEqual(self.calls("C_Initialize"), 4)

    def test_a_pulled_card_heals_when_it_is_back(self):
        self.start()
        self.does("pulled")
        threading.Timer(2, self.does, ["card 2"]).start()
        self.sign()

    def test_a_module_that_hangs_is_killed_and_others_are_answered_meanwhile(self):
        self.start()
        self.does("hang 60")
        with self.cardd.connection() as one:
            key = self.key(one)["id"]
            began = time.monotonic()
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.sign(self.serial, key, DIGEST, deadline=1)
            self.assertLess(time.monotonic() - began, 1.5)
            self.assertEqual(refused.exception.rv, cardd_wire.DEVICE_ERROR)
            began = time.monotonic()
            one.status()
            self.assertLess(time.monotonic() - began, 0.5)
        self.does()
        self.sign()
        began = time.monotonic()
        self.does("hang 60")
        with self.cardd.connection() as one:
            one.send_sign(self.serial, key, DIGEST)
            time.sleep(0.5)
            began = time.monotonic()
            self.cardd.stop()
            self.assertLess(time.monotonic() - began, 1.5)

    def test_a_module_that_hangs_before_anybody_used_it_is_killed_too(self):
        self.does("hang 60 C_GetTokenInfo")
        self.cardd.start()
        wait_for(lambda: self.calls("C_Initialize") >= 2, 15, "a second start of the module")
        self.does()
        self.arrived()
        self.sign()

    def test_a_wrong_pin_costs_one_login_over_restarts(self):
        token = self.start(unlock=False)
        self.cardd.stop()
        path = os.path.join(self.directory, "pin")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(self.wrong + "\n")
        self.configure(f'reader = "{token["reader"]}"\nserial = "{token["serial"]}"\n'
                       f'pin_file = "{path}"\n')
        for _ in range(4):
            self.start(unlock=False)
            with self.assertRaises(cardd_wire.Refused):
                self.sign()
            self.cardd.stop()
        self.assertEqual(self.calls("C_Login"), 1)
        self.start()
        self.sign()

    def test_a_login_that_ends_in_general_error_is_not_repeated(self):
        self.start(unlock=False)
        self.does("return C_Login CKR_GENERAL_ERROR")
        with self.cardd.connection() as one:
            for _ in range(3):
                with self.assertRaises(cardd_wire.Refused):
                    one.login(self.serial, self.token.pin)
        self.assertEqual(self.calls("C_Login"), 1)

    def test_few_tries_are_left_to_a_person(self):
        self.does("flags 0x10000")  # CKF_USER_PIN_COUNT_LOW
        self.start(unlock=False)
        with self.cardd.connection() as one:
            with self.assertRaises(cardd_wire.Refused) as refused:
                one.login(self.serial, self.token.pin)
            self.assertEqual(refused.exception.rv, cardd_wire.PIN_LOCKED)
            self.assertEqual(self.calls("C_Login"), 0)
            one.unlock(self.token.pin)

    def test_a_module_that_is_none_is_said(self):
        module = os.path.join(self.directory, "none.so")
        shutil.copyfile("/etc/hostname", module)
        os.chmod(module, 0o644)
        self.cardd.configure(f'{ALLOW_ROOT}[[token]]\nbackend = "module"\nmodule = "{module}"\n')
        self.cardd.start()
        with self.cardd.connection() as one:
            self.assertEqual(one.tokens(), [])


if __name__ == "__main__":
    unittest.main()
