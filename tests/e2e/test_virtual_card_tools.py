#!/usr/bin/python3
"""What Debian's OpenSC makes of the virtual TCOS card, and the card's readers and pcscd.
"""
import os
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import card_bench  # noqa: E402
from card_bench import Connection, PcscError  # noqa: E402
from card_case import NKS, WithCard, setUpModule, tearDownModule, x509  # noqa: E402,F401

if x509:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding


class Opensc(WithCard):
    """What Debian's OpenSC can do with the card, and what it cannot."""

    MODULES = ("/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
               "/usr/lib/aarch64-linux-gnu/opensc-pkcs11.so")

    def run_tool(self, *command, pin=None, check=True):
        self.connection.close()
        environment = {**os.environ, "CARD_PIN": pin or ""}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60,
                              env=environment)
        self.connection = Connection(self.reader)
        if check:
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def pkcs11(self, *arguments, pin="123456", check=True):
        module = next((path for path in self.MODULES if os.path.exists(path)), None)
        if not module:
            self.skipTest("opensc-pkcs11 is not installed")
        return self.run_tool("pkcs11-tool", "--module", module, *arguments, pin=pin, check=check)

    def test_it_knows_the_card_and_its_number(self):
        self.assertIn("TCOS", self.run_tool("opensc-tool", "--reader", self.reader, "--name"))
        output = self.run_tool("opensc-tool", "--reader", self.reader, "--serial")
        self.assertIn(" ".join(self.control("status")["iccsn"][at:at + 2]
                               for at in range(0, 20, 2)), output)

    def test_it_reads_keys_pins_and_the_certificates_with_a_prefix(self):
        self.control("set_tries", pin="DF01/83", left=2)
        output = self.run_tool("pkcs15-tool", "--reader", self.reader, "--dump")
        self.assertIn("PKCS#15 Card [NetKey V3 Card]", output)
        for key, usage in (("Signatur Schluessel", "[0x204], sign, nonRepudiation"),
                           ("Authentifizierungs Schluessel", "[0x07], encrypt, decrypt, sign")):
            self.assertRegex(output, rf"Private RSA Key \[{key}\]\n.*\n\s*Usage +: "
                             + usage.replace("[", r"\[").replace("]", r"\]"))
        self.assertRegex(output, r"PIN \[NetKey PIN2\](\n\t.*)*Tries left +: 2")
        self.assertRegex(output, r"X.509 Certificate \[Telesec Authentifizierungs Zertifikat\]"
                         r"(\n\t.*)*Path +: df01c500")

    def test_it_signs_with_the_authentication_key(self):
        public = self.certificate("DF014371").public_key()
        data, signature = WithCard.bench.path("data"), WithCard.bench.path("signature")
        with open(data, "wb") as file:
            file.write(b"a letter")
        slots = self.pkcs11("--list-slots")
        label = "NetKey V3 Card (NetKey PIN2)"
        self.assertIn(label, slots)
        self.pkcs11("--token-label", label, "--login", "--pin", "env:CARD_PIN", "--sign",
                    "--mechanism", "SHA256-RSA-PKCS", "--id", "47", "-i", data, "-o", signature)
        with open(signature, "rb") as file:
            public.verify(file.read(), b"a letter", padding.PKCS1v15(), hashes.SHA256())

    def test_its_wrong_pin_burns_one_try(self):
        self.pkcs11("--token-label", "NetKey V3 Card (NetKey PIN2)", "--login", "--pin",
                    "env:CARD_PIN", "--list-objects", pin="000000", check=False)
        self.assertEqual(self.pin("DF01/83")["left"], 2)


class NetkeyTool(Opensc):
    profile = "netkey-v2"
    test_it_knows_the_card_and_its_number = None
    test_it_reads_keys_pins_and_the_certificates_with_a_prefix = None
    test_it_signs_with_the_authentication_key = None
    test_its_wrong_pin_burns_one_try = None

    def test_it_shows_pins_and_certificates(self):
        self.control("set_tries", pin="DF01/80", left=2)
        self.control("block", pin="DF01/81")
        self.control("null_pin", pin="3F00/00")
        output = self.run_tool("netkey-tool")
        for line in (f"Serial-Number: {self.control('status')['iccsn'][:19]}",
                     "global PIN: 3 tries left, 3 tries max, NullPin",
                     "global PUK: 10 tries left, 10 tries max, not verified",
                     "local PIN0: 2 tries left, 3 tries max, not verified",
                     "local PIN1: 0 tries left, 3 tries max, blocked",
                     "Subject-CN: firm auth\n", "Subject-CN: firm auth (issuer)\n"):
            self.assertIn(line, output)
        self.assertEqual(self.control("counters")["tries_burnt"], 0)

    def test_it_sets_the_null_pin_once(self):
        self.control("null_pin", pin="3F00/00")
        self.assertIn("Setting initial PIN-value: OK", self.run_tool("netkey-tool", "nullpin",
                                                                     "654321"))
        self.assertEqual(self.connection.verify("00", b"654321"), "9000")

    def test_it_changes_and_unblocks(self):
        self.assertIn("Changing local PIN0 with local PIN0: OK", self.run_tool(
            "netkey-tool", "--pin0", "123456", "change", "pin0", "777777"))
        self.control("block", pin="3F00/00")
        self.assertIn("Unblocking global PIN with global PUK: OK", self.run_tool(
            "netkey-tool", "--puk", "31:32:33:34:35:36:37:38", "unblock", "pin"))
        self.assertEqual(self.pin("3F00/00")["left"], 3)
        self.connection.select(NKS)
        self.assertEqual(self.connection.verify("80", b"777777"), "9000")


class Readers(unittest.TestCase):
    def test_two_readers_hold_a_card_each(self):
        cards = [WithCard.bench.card(profile, reader) for reader, profile in
                 enumerate(("netkey-v3", "idkey"))]
        for card in cards:
            self.addCleanup(card.stop)
        for card in cards:
            self.assertIn(card.reader, card_bench.readers())
            with Connection(card.reader) as connection:
                self.assertEqual(connection.read("2F02")[2:].hex(),
                                 card.control("status")["iccsn"])
        cards[0].remove()
        with Connection(cards[1].reader) as connection:
            self.assertEqual(connection.status("00"), "63C3")

    def test_an_apdu_does_not_wait_for_an_acknowledgement(self):
        card = WithCard.bench.card("netkey-v3")
        self.addCleanup(card.stop)
        with Connection(card.reader) as connection:
            began = time.monotonic()
            for _ in range(50):
                connection.status("00")
            self.assertLess((time.monotonic() - began) / 50, 0.02)

    def test_the_card_is_found_again_by_a_pcscd_that_was_killed(self):
        card = WithCard.bench.card("netkey-v3")
        self.addCleanup(card.stop)
        with Connection(card.reader) as connection:
            WithCard.bench.pcscd.kill()
            with self.assertRaises(PcscError):
                connection.status("00")
        WithCard.bench.pcscd.start()
        card.wait_until(lambda: card.control("status")["seen"], "the new pcscd sees it")
        with Connection(card.reader) as connection:
            self.assertEqual(connection.status("00"), "63C3")

    def test_a_shell_starts_tells_and_stops(self):
        program = os.path.join(card_bench.SOURCE, "contrib/sandbox/virtual_card.py")
        run = lambda verb, *more, **options: subprocess.run(  # noqa: E731
            [sys.executable, program, verb, WithCard.bench.path("alone"), *more], text=True,
            capture_output=True, check=False, timeout=60, **options)
        for _ in range(2):  # the same card again
            started = run("start", "--profile", "idkey")
            self.addCleanup(run, "stop")
            self.assertEqual(started.returncode, 0, started.stderr)
            environment = {**os.environ, **dict([started.stdout.strip().split("=", 1)])}
            shown = subprocess.run(["opensc-tool", "-s", "00200000"], capture_output=True, text=True,
                                   env=environment, check=False)
            self.assertIn("SW1=0x63, SW2=0xC2" if _ else "SW1=0x63, SW2=0xC3", shown.stdout)
            told = run("tell", "set_tries", "pin=3F00/00", "left=2")
            self.assertEqual((told.returncode, told.stdout), (0, "{}\n"))
            self.assertEqual(run("tell", "fly").returncode, 1)
            self.assertEqual(run("start").returncode, 1)
            self.assertEqual(run("stop").returncode, 0)
            self.assertEqual(os.listdir(WithCard.bench.path("alone/run")), [])

    def test_nothing_of_the_host_is_touched(self):
        def listening():
            with open("/proc/net/tcp", encoding="ascii") as file:
                return {line.split()[1] for line in file if line.split()[3] == "0A"}
        self.assertNotIn(f"00000000:{WithCard.bench.pcscd.port(0):04X}", listening())
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            self.assertNotIn(WithCard.bench.directory, file.read())
        with open(f"/proc/{WithCard.bench.pcscd.pid}/mountinfo", encoding="utf-8") as file:
            self.assertIn(" /run/pcscd ", file.read())
        host = "/run/pcscd/pcscd.pid"
        if os.path.exists(host):
            with open(host, encoding="ascii") as file:
                self.assertNotEqual(int(file.read()), WithCard.bench.pcscd.pid)


if __name__ == "__main__":
    unittest.main(verbosity=2)
