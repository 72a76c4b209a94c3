#!/usr/bin/python3
"""The card engine (pkcs11/tcos) on virtual cards of every profile, over a real pcscd. The card counts
the APDUs, the tries and the key operations.
"""
import hashlib
import json
import os
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import card_bench  # noqa: E402
from card_bench import Bench, PcscError, connect  # noqa: E402

if card_bench.scard is not None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, utils

BUILD = os.path.realpath(os.environ.get("BUILDDIR") or os.getcwd())
PROGRAM = os.path.join(BUILD, "tests/e2e/tcos_probe")
DIGEST = hashlib.sha256(b"a letter").digest()
DIGEST_INFO = (bytes.fromhex("3031300d060960864801650304020105000420") + DIGEST).hex()
SHA1 = hashlib.sha1(b"a letter").digest()
SHA1_INFO = (bytes.fromhex("3021300906052b0e03021a05000414") + SHA1).hex()
bench = None


def setUpModule():
    global bench
    bench = Bench(readers=2)


def tearDownModule():
    bench.close()


class Engine:
    """A process of tests/e2e/tcos_probe; engine("verify pin2 123456") returns what it says."""

    def __init__(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**os.environ, **bench.pcscd.environment})

    def __call__(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise AssertionError(f"{line}: the probe ended")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class WithCard(unittest.TestCase):
    profile = "netkey-v3"

    @classmethod
    def setUpClass(cls):
        cls.card = bench.card(cls.profile)
        cls.addClassCleanup(cls.card.stop)
        cls.control = cls.card.control

    def setUp(self):
        self.control("clear")
        for name in self.control("status")["pins"]:
            value = "12345678" if name in ("3F00/01", "DF02/83") else "123456"
            self.control("set_pin", pin=name, value=value)
        self.control("behave", end_of_file="6282", piece=0)
        self.control("insert")
        self.control("wait", **{"for": "polled"})
        self.engine = Engine()
        self.addCleanup(self.engine.close)
        self.connect()
        self.known = self.engine("identify")
        self.control("counters", reset=True)

    def connect(self, limit=""):
        """As soon as pcscd, which looks every 0.4 s, has seen the card."""
        end = time.monotonic() + 10
        while True:
            answer = self.engine(f'connect "{self.card.reader}" {limit}')
            if "atr" in answer:
                return answer
            self.assertLess(time.monotonic(), end, answer)
            time.sleep(0.05)

    def back(self, limit=""):
        """After a loss. The reader may be found before the card is in it again."""
        end = time.monotonic() + 10
        while True:
            self.connect(limit)
            answer = self.engine("resume")
            if "lost" not in answer:
                return answer
            self.assertLess(time.monotonic(), end, answer)

    def certificates(self):
        """{id: the first certificate of each key}"""
        found = {}
        for one in self.engine("certificates")["certificates"]:
            if "der" in one:
                found.setdefault(one["id"], x509.load_der_x509_certificate(
                    bytes.fromhex(one["der"])))
        return found

    def signs(self, key, certificate, digest_info=DIGEST_INFO, digest=DIGEST,
              algorithm=hashes.SHA256 if card_bench.scard else None):
        bits = certificate.public_key().key_size
        answer = self.engine(f"sign {key:02x} {digest_info} {bits}")
        self.assertIn("result", answer)
        certificate.public_key().verify(bytes.fromhex(answer["result"]), digest,
                                        padding.PKCS1v15(), utils.Prehashed(algorithm()))
        return answer

    def counted(self):
        """APDUs, as the card saw them."""
        return self.control("counters")["apdus"]

    def tries(self, name):
        return self.control("status")["pins"][name]["left"]


class NetKey(WithCard):
    def test_the_card_is_known(self):
        self.assertEqual(self.known["serial"], self.control("status")["iccsn"])
        self.assertEqual(self.known["applications"], ["NetKey"])
        self.assertEqual(self.known["keys"], [0x45, 0x46, 0x47, 0x48])
        self.assertEqual(self.known["apdus"], 5)

    def test_its_certificates_are_read_in_every_form_in_few_apdus(self):
        answer = self.engine("certificates")
        found = [one for one in answer["certificates"] if "der" in one]
        self.assertEqual(sorted({one["id"] for one in found}), [0x45, 0x46, 0x47])
        self.assertEqual(len(found), 6)  # the holder's and, with an OID before it, Telesec's
        for one in answer["certificates"]:
            if "der" not in one:
                self.assertEqual(one["why"], "empty")
        self.assertLessEqual(answer["apdus"], 1 + 3 * 10)
        self.assertEqual(self.counted(), answer["apdus"])

    def test_five_apdus_until_the_first_signature_then_one_each(self):
        certificate = self.certificates()[0x47]
        self.engine("release")
        self.back()
        self.control("counters", reset=True)
        self.assertEqual(self.engine("status pin2"), {"tries": 3, "apdus": 2})
        self.assertEqual(self.engine("verify pin2 123456"), {"done": True, "apdus": 1})
        self.assertEqual(self.signs(0x47, certificate)["apdus"], 2)
        self.assertEqual(self.counted(), 5)
        answer = self.engine(f"repeat 50 sign 47 {DIGEST_INFO}")
        self.assertIn("result", answer)
        self.assertEqual(answer["apdus"], 50)
        self.assertEqual(self.counted(), 55)

    def test_a_pss_block_is_signed_as_it_is(self):
        key = self.certificates()[0x47].public_key()
        self.engine("verify pin2 123456")
        # EMSA-PSS by hand: cryptography has no raw operation to take it from.
        salt = b"s" * 32
        h = hashlib.sha256(bytes(8) + DIGEST + salt).digest()
        db = bytes(256 - 2 * 32 - 2) + b"\1" + salt
        mask = b"".join(hashlib.sha256(h + i.to_bytes(4, "big")).digest() for i in range(8))
        masked = bytearray(a ^ b for a, b in zip(db, mask))
        masked[0] &= 0x7F
        answer = self.engine(f"block 47 {(bytes(masked) + h + bytes([0xbc])).hex()}")
        key.verify(bytes.fromhex(answer["result"]), DIGEST,
                   padding.PSS(padding.MGF1(hashes.SHA256()), 32),
                   utils.Prehashed(hashes.SHA256()))

    def test_what_was_encrypted_is_deciphered(self):
        key = self.certificates()[0x46].public_key()
        self.engine("verify pin2 123456")
        cryptogram = key.encrypt(b"session key", padding.PKCS1v15())
        block = bytes.fromhex(self.engine(f"decipher 46 {cryptogram.hex()}")["result"])
        self.assertTrue(block.startswith(b"\0\2"))
        self.assertTrue(block.endswith(b"\0session key"))

    def test_the_signature_key_signs_sha1_and_says_why_not_sha256(self):
        certificate = self.certificates()[0x45]
        self.engine("verify pin1 123456")
        self.signs(0x45, certificate, SHA1_INFO, SHA1, hashes.SHA1)
        self.assertEqual(self.signs(0x45, certificate, SHA1_INFO, SHA1, hashes.SHA1)["apdus"], 1)
        answer = self.engine(f"sign 45 {DIGEST_INFO}")
        self.assertIn("48 bytes", answer["notPossible"])
        self.assertEqual(answer["apdus"], 0)

    def test_without_a_pin_a_key_says_so(self):
        self.assertIn("statusLost", self.engine(f"sign 47 {DIGEST_INFO}"))
        self.engine("verify pin1 123456")  # another key's
        self.assertIn("statusLost", self.engine(f"sign 47 {DIGEST_INFO}"))

    def test_a_wrong_pin_costs_one_try_and_is_said(self):
        self.assertEqual(self.engine("verify pin2 654321")["wrong"], 2)
        self.assertEqual(self.tries("DF01/83"), 2)
        self.assertEqual(self.engine("status pin2")["tries"], 2)
        self.assertEqual(self.engine("verify pin2 654321")["wrong"], 1)
        self.assertEqual(self.engine("verify pin2 654321")["wrong"], 0)
        self.assertIn("blocked", self.engine("status pin2"))
        self.assertIn("blocked", self.engine("verify pin2 123456"))
        self.assertIn("done", self.engine("unblock pin2 123456"))  # by the global PIN
        self.assertEqual(self.tries("DF01/83"), 3)
        self.assertIn("done", self.engine("verify pin2 123456"))

    def test_asking_for_a_status_costs_no_try(self):
        for name in ("pin", "puk", "pin1", "pin2"):
            for _ in range(5):
                self.assertIn("tries", self.engine(f"status {name}"))
        self.assertEqual(self.control("counters")["tries_burnt"], 0)
        self.assertEqual(self.control("counters")["verifies"], 0)

    def test_a_null_pin_is_said_and_can_be_set(self):
        self.control("null_pin", pin="DF01/83")
        self.assertIn("null", self.engine("status pin2"))
        self.assertIn("null", self.engine("verify pin2 123456"))
        self.assertIn("done", self.engine("set pin2 222222"))
        self.assertIn("done", self.engine("verify pin2 222222"))
        self.assertIn("notPossible", self.engine("set pin2 333333"))

    def test_a_pin_is_changed(self):
        self.assertIn("done", self.engine("change pin2 123456 222222"))
        self.assertIn("wrong", self.engine("verify pin2 123456"))
        self.assertIn("done", self.engine("verify pin2 222222"))

    def test_a_blocked_pin_is_unblocked_by_the_puk(self):
        self.control("block", pin="3F00/00")
        self.assertIn("blocked", self.engine("status pin"))
        self.assertIn("done", self.engine("unblock pin 12345678"))
        self.assertEqual(self.engine("status pin")["tries"], 3)

    def test_the_security_status_lost_is_said(self):
        certificate = self.certificates()[0x47]
        self.engine("verify pin2 123456")
        self.signs(0x47, certificate)
        self.control("lose_status")
        self.assertIn("statusLost", self.engine(f"sign 47 {DIGEST_INFO}"))
        self.assertEqual(self.engine("verify pin2 123456")["apdus"], 2)
        self.assertEqual(self.signs(0x47, certificate)["apdus"], 2)
        self.assertEqual(self.control("counters")["tries_burnt"], 0)

    def test_files_are_read_whatever_the_end_of_file_and_in_pieces(self):
        whole = self.engine("certificates")["certificates"]
        self.control("behave", end_of_file="6cxx")
        self.assertEqual(self.engine("certificates")["certificates"], whole)
        self.control("behave", end_of_file="6282", piece=100)
        self.assertEqual(self.engine("certificates")["certificates"], whole)

    def test_a_wrong_status_word_amid_a_batch_is_healed(self):
        certificate = self.certificates()[0x47]
        self.engine("verify pin2 123456")
        self.signs(0x47, certificate)
        self.control("fault", kind="status", ins="2a", word="6985")
        self.assertEqual(self.signs(0x47, certificate)["apdus"], 4)
        self.control("fault", kind="status", ins="2a", word="6f00", count=2)
        self.assertEqual(self.engine(f"sign 47 {DIGEST_INFO}")["refused"], "6F00, no diagnosis")

    def test_a_short_signature_is_a_loss(self):
        self.engine("verify pin2 123456")
        self.control("fault", kind="short", ins="2a")
        self.assertIn("no sense", self.engine(f"sign 47 {DIGEST_INFO}")["lost"])
        self.assertEqual(self.back()["same"], True)
        self.assertIn("statusLost", self.engine(f"sign 47 {DIGEST_INFO}"))

    def test_records_are_read(self):
        records = self.engine("records")["records"]
        self.assertIn([0xDF01, 0x5049, "a0078301839002" "0303"], records)
        self.assertTrue(any(file == 0x5349 for _, file, _ in records))

    def test_where_verify_does_not_tell_the_tries_the_record_does(self):
        self.control("set_tries", pin="DF01/83", left=2)
        self.control("fault", kind="status", ins="20", word="6a86")
        self.assertEqual(self.engine("status pin2")["tries"], 2)


class Losses(WithCard):
    def test_the_card_is_held_exclusively_and_given_back_without_power(self):
        self.engine("verify pin2 123456")
        with self.assertRaises(PcscError):
            connect(self.card.reader, timeout=0.3)
        self.assertTrue(self.control("status")["verified"])
        self.engine("release")
        self.control("wait", **{"for": "unpowered"})
        with connect(self.card.reader) as other:
            other.select("DF01")
            self.assertEqual(other.status("83"), "63C3")

    def test_a_card_that_another_program_holds_is_said(self):
        self.engine("release")
        with connect(self.card.reader):
            answer = self.engine(f'connect "{self.card.reader}"')
            self.assertIn("another program", answer["notConnected"])
        self.assertEqual(self.back()["same"], True)

    def test_a_removed_card_is_said_and_known_again(self):
        self.engine("verify pin2 123456")
        self.card.remove()
        self.assertIn("lost", self.engine(f"sign 47 {DIGEST_INFO}"))
        self.assertIn("lost", self.engine("status pin2"))
        self.card.insert()
        answer = self.back()
        self.assertEqual((answer["same"], answer["apdus"]), (True, 2))
        self.assertEqual(self.engine("status pin2")["tries"], 3)
        self.assertIn("done", self.engine("verify pin2 123456"))
        self.assertIn("result", self.engine(f"sign 47 {DIGEST_INFO}"))

    def test_a_dropped_connection_heals(self):
        self.engine("verify pin2 123456")
        for place in ("20", "2a"):
            self.control("fault", kind="drop", ins=place)
            self.assertIn("lost", self.engine(
                "verify pin2 123456" if place == "20" else f"sign 47 {DIGEST_INFO}"))
            self.assertEqual(self.back()["same"], True)
            self.assertIn("done", self.engine("verify pin2 123456"))
            self.assertIn("result", self.engine(f"sign 47 {DIGEST_INFO}"))
        self.assertEqual(self.control("counters")["tries_burnt"], 0)

    def lose_sight(self):
        """What SCardDisconnect makes of a card that is away for just that moment (pcscd 1.9.9)."""
        self.engine("release")
        for _ in range(30):
            other = connect(self.card.reader)
            self.engine("readers")
            self.control("drop", seconds=0.1, unseen=True)
            other.close(card_bench.scard.SCARD_UNPOWER_CARD)
            self.control("wait", **{"for": "polled"})
            try:
                connect(self.card.reader, timeout=1).close()
            except PcscError as error:
                self.assertEqual(error.code, 0x8010000C)  # SCARD_E_NO_SMARTCARD
                self.assertTrue(self.control("status")["connected"])
                return
        self.skipTest("pcscd has seen it every time")

    def test_a_card_that_pcscd_has_lost_sight_of_is_found_by_connecting(self):
        self.lose_sight()
        self.assertEqual(self.back()["same"], True)
        self.assertIn("done", self.engine("verify pin2 123456"))
        self.assertIn("result", self.engine(f"sign 47 {DIGEST_INFO}"))

    def test_a_card_that_pcscd_has_lost_sight_of_is_found_by_watching(self):
        self.lose_sight()
        reader = next(one for one in self.engine("readers")["readers"]
                      if one["name"] == self.card.reader)
        self.assertTrue(reader["card"])

    def test_another_card_is_noticed(self):
        other = bench.path("another")
        if not os.path.exists(other):
            self.card.make(other)
        self.addCleanup(self.control, "insert", card=self.card.path)
        self.card.remove()
        self.assertIn("lost", self.engine("status pin2"))
        self.card.insert(other)
        self.assertEqual(self.back()["same"], False)

    def test_a_card_that_hangs_is_given_up_after_the_limit(self):
        self.engine("release")
        self.back(limit=500)
        self.engine("verify pin2 123456")
        self.control("fault", kind="hang", ins="2a")
        began = time.monotonic()
        self.assertIn("in time", self.engine(f"sign 47 {DIGEST_INFO}")["lost"])
        self.assertLess(time.monotonic() - began, 5)
        self.control("resume")
        self.assertEqual(self.back()["same"], True)
        self.assertIn("done", self.engine("verify pin2 123456"))
        self.assertIn("result", self.engine(f"sign 47 {DIGEST_INFO}"))

    def test_readers_are_watched(self):
        self.engine("release")
        self.control("wait", **{"for": "unpowered"})
        names = lambda answer: {one["name"]: one["card"] for one in answer["readers"]}  # noqa: E731
        self.assertTrue(names(self.engine("readers"))[self.card.reader])
        self.card.remove()
        end = time.monotonic() + 10
        while names(self.engine("wait 5000"))[self.card.reader]:
            self.assertLess(time.monotonic(), end)
        began = time.monotonic()
        self.card.control("insert")
        end = began + 10
        while not names(self.engine("wait 5000"))[self.card.reader]:
            self.assertLess(time.monotonic(), end)


    def test_waiting_for_readers_can_be_ended(self):
        for after in (0, 300):
            self.engine("readers")
            began = time.monotonic()
            self.assertIn("readers", self.engine(f"cancel {after}"))
            self.assertLess(time.monotonic() - began, 5)


class PcscdRestart(WithCard):
    """Last: every other connection to that pcscd ends with it."""

    def test_a_new_pcscd_is_found(self):
        self.engine("verify pin2 123456")
        self.engine("readers")
        bench.pcscd.kill()
        self.assertIn("pcscd", self.engine(f"sign 47 {DIGEST_INFO}")["lost"])
        self.assertIn("pcscd", self.engine("readers")["lost"])
        self.assertIn("pcscd", self.engine("wait 1000")["lost"])
        self.assertIn("pcscd", self.engine(f'connect "{self.card.reader}"')["notConnected"])
        bench.pcscd.start()
        self.assertEqual(self.back()["same"], True)
        self.assertIn("readers", self.engine("readers"))
        self.assertIn("done", self.engine("verify pin2 123456"))
        self.assertIn("result", self.engine(f"sign 47 {DIGEST_INFO}"))
        self.assertEqual(self.control("counters")["tries_burnt"], 0)


class IDKey(WithCard):
    profile = "idkey"

    def test_both_directories_are_used(self):
        self.assertEqual(self.known["applications"], ["IDKey"])
        certificates = self.certificates()
        self.assertEqual(self.engine("status pin"), {"tries": 3, "apdus": 1})
        self.control("counters", reset=True)
        self.engine("status pin")
        self.engine("verify pin 123456")
        self.signs(0x45, certificates[0x45])
        self.assertEqual(self.counted(), 5)
        self.signs(0x46, certificates[0x46])
        cryptogram = certificates[0x4B].public_key().encrypt(b"session key", padding.PKCS1v15())
        block = bytes.fromhex(self.engine(f"decipher 4b {cryptogram.hex()}")["result"])
        self.assertTrue(block.endswith(b"\0session key"))
        self.assertEqual(self.signs(0x45, certificates[0x45])["apdus"], 3)


class SigG(WithCard):
    profile = "sigg"

    def test_its_key_stands_beside_netkeys(self):
        self.assertEqual(self.known["applications"], ["NetKey", "SigG"])
        certificates = self.certificates()
        self.assertIn("done", self.engine("verify sigg-pin 123456"))
        self.signs(0x49, certificates[0x49])
        self.assertIn("done", self.engine("verify pin2 123456"))
        self.signs(0x47, certificates[0x47])


class NetKey2(WithCard):
    profile = "netkey-v2"

    def test_1024_bit_keys_sign_and_decipher_by_short_apdus(self):
        self.assertEqual(self.known["applications"], ["NetKey"])
        certificates = self.certificates()
        self.assertEqual(self.engine("status pin0")["tries"], 3)
        self.assertIn("done", self.engine("verify pin0 123456"))
        self.signs(0x47, certificates[0x47])
        cryptogram = certificates[0x46].public_key().encrypt(b"session key", padding.PKCS1v15())
        block = bytes.fromhex(self.engine(f"decipher 46 {cryptogram.hex()} 1024")["result"])
        self.assertTrue(block.endswith(b"\0session key"))
        self.assertIn("done", self.engine("verify pin1 123456"))
        self.signs(0x45, certificates[0x45], SHA1_INFO, SHA1, hashes.SHA1)


class SigG2(WithCard):
    profile = "sigg-v2"

    def test_its_key_signs_sha1(self):
        self.assertEqual(self.known["applications"], ["NetKey", "SigG"])
        certificates = self.certificates()
        self.assertIn("done", self.engine("verify sigg-pin 123456"))
        self.signs(0x49, certificates[0x49], SHA1_INFO, SHA1, hashes.SHA1)


class Unknown(unittest.TestCase):
    def test_an_atr_that_is_not_in_the_table_is_probed_or_said(self):
        for atr, expected in (("3B9F968131FE9D006405A0030431C073F701D000900028", "elliptic"),
                              ("3BBFB6008131FE5D00640428020331C073F701D000900067", None)):
            with self.subTest(atr=atr):
                card = bench.card("netkey-v3", reader=1, atr=atr)
                engine = Engine()
                try:
                    end = time.monotonic() + 10
                    while "atr" not in engine(f'connect "{card.reader}"'):
                        self.assertLess(time.monotonic(), end)
                        time.sleep(0.05)
                    answer = engine("identify")
                    self.assertEqual(answer["serial"], card.control("status")["iccsn"])
                    if expected:
                        self.assertIn(expected, answer["unknownCard"])
                    else:
                        self.assertEqual(answer["applications"], ["NetKey"])
                finally:
                    engine.close()
                    card.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
