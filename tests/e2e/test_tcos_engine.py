#!/usr/bin/python3
"""The card engine on virtual cards of every profile: what each can. The card counts the APDUs, the
tries and the key operations.
"""
import hashlib
import time
import unittest

import card_bench
import tcos_engine
from card_bench import connect
from tcos_engine import (  # noqa: F401
    DIGEST, DIGEST_INFO, SHA1, SHA1_INFO, Engine, WithCard, setUpModule, tearDownModule)

if card_bench.scard is not None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, utils


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
                card = tcos_engine.bench.card("netkey-v3", reader=1, atr=atr)
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
