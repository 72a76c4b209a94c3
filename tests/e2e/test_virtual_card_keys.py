#!/usr/bin/python3
"""The virtual TCOS card's keys, by every profile.
"""
import hashlib
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from card_case import (DIGEST, NKS, SHA1_DIGEST_INFO, SHA256_DIGEST_INFO, WithCard,  # noqa: E402
                       pkcs1, setUpModule, tearDownModule, x509)  # noqa: F401

if x509:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, utils


class Keys(WithCard):
    def test_mse_says_which_keys_there_are(self):
        self.connection.select(NKS)
        self.assertEqual(self.connection.choose("82"), "9000")
        self.assertEqual(self.connection.choose("80", template="B6"), "9000")
        self.assertEqual(self.connection.choose("84"), "6A88")
        self.assertEqual(self.connection.choose("80"), "6A88", "it signs, by CDS alone")
        self.assertEqual(self.connection.choose("82", template="B6"), "6A88")
        self.assertEqual(self.connection.choose("82", p1="C1"), "6A86")
        self.assertEqual(self.connection.choose("82", template="A4"), "6A86")

    def test_mse_refuses_an_algorithm(self):
        self.connection.select(NKS)
        self.answer("6A80", "002241B806", "800110", "840182")
        self.answer("6A80", "002241B804", "84020082")
        self.answer("6A80", "002241B803", "840282")

    def test_the_private_key_operation_on_a_block_that_we_padded(self):
        public = self.certificate("DF014371").public_key()
        self.unlock()
        self.assertEqual(self.connection.choose("82"), "9000")
        for indicator in ("00", "02"):
            signature, status = self.connection.operate(
                indicator, pkcs1(SHA256_DIGEST_INFO + DIGEST))
            self.assertEqual(status, "9000")
            public.verify(signature, DIGEST, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
            with self.assertRaises(InvalidSignature):
                public.verify(signature, DIGEST[::-1], padding.PKCS1v15(),
                              utils.Prehashed(hashes.SHA256()))
        self.assertEqual(self.control("counters")["operations"], 2)

    def test_a_block_of_another_padding_goes_by_indicator_00_alone(self):
        self.unlock()
        self.connection.choose("82")
        block = b"\x5a" * 256  # as PSS looks: anything below the modulus
        signature, status = self.connection.operate("00", block)
        self.assertEqual(status, "9000")
        numbers = self.certificate("DF014371").public_key().public_numbers()
        self.assertEqual(pow(int.from_bytes(signature, "big"), numbers.e, numbers.n),
                         int.from_bytes(block, "big"))
        self.unlock()
        self.connection.choose("82")
        self.assertEqual(self.connection.operate("02", block)[1], "6A80")
        self.assertEqual(self.connection.operate("01", block)[1], "6A80")
        self.assertEqual(self.connection.operate("00", b"\xff" * 256)[1], "6A80",
                         "not below the modulus")

    def test_no_operation_without_pin_or_key(self):
        self.connection.select(NKS)
        block = pkcs1(DIGEST)
        self.assertEqual(self.connection.operate("00", block)[1], "6985")
        self.connection.choose("82")
        self.assertEqual(self.connection.operate("00", block)[1], "6982")
        self.connection.verify("81")
        self.assertEqual(self.connection.operate("00", block)[1], "6982", "another key's PIN")
        self.connection.verify("83")
        self.assertEqual(self.connection.operate("00", block)[1], "9000")

    def test_the_chosen_key_stays_within_its_df(self):
        self.unlock()
        self.connection.choose("82")
        for _ in range(2):
            self.assertEqual(self.connection.operate("00", pkcs1(DIGEST))[1], "9000")
        self.connection.select("DF015349")
        self.assertEqual(self.connection.operate("00", pkcs1(DIGEST))[1], "9000")
        self.connection.select("2F02")
        self.unlock()
        self.assertEqual(self.connection.operate("00", pkcs1(DIGEST))[1], "6985")

    def test_a_key_of_1024_bits_refuses_256_bytes_and_takes_128(self):
        self.unlock()
        self.assertEqual(self.connection.choose("83"), "9000")
        self.assertEqual(self.connection.operate("00", pkcs1(DIGEST))[1], "6A87")
        self.assertEqual(self.connection.operate("00", pkcs1(DIGEST)[:255])[1], "6700")
        self.assertEqual(len(self.answer("9000", "002A808681", "00", pkcs1(DIGEST, 128), "80")),
                         128)

    def test_cds_by_the_signature_key_takes_48_bytes(self):
        public = self.certificate("DF014331").public_key()
        self.unlock(reference="81")
        digest = hashlib.sha1(b"a letter").digest()
        signature = self.answer("9000", "002A9E9A23", SHA1_DIGEST_INFO, digest, "00")
        public.verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1()))
        self.answer("9000", "002A9E9A30", bytes(48), "00")
        self.answer("6700", "002A9E9A31", bytes(49), "00")
        self.answer("6700", "002A9E9A33", SHA256_DIGEST_INFO, DIGEST, "00")

    def test_cds_needs_the_signature_keys_own_pin(self):
        self.unlock(reference="83")
        self.answer("6982", "002A9E9A23", SHA1_DIGEST_INFO, bytes(20), "00")

    def test_the_encryption_key_deciphers(self):
        sealed = self.certificate("DF0143B1").public_key().encrypt(
            b"content key", padding.PKCS1v15())
        self.unlock()
        self.assertEqual(self.connection.choose("81"), "9000")
        block, status = self.connection.operate("00", sealed)
        self.assertEqual(status, "9000")
        self.assertEqual((block[:2], block[-12:]), (b"\0\2", b"\0content key"))


class IdKey(WithCard):
    profile = "idkey"

    def test_two_applications_share_the_global_pin(self):
        self.assertEqual(self.connection.verify("00"), "9000")
        for df, key, file in (("DF07", "84", "4331"), ("DF07", "85", "4332"),
                              ("DF08", "81", "4331")):
            with self.subTest(key=key, df=df):
                public = self.certificate(df + file).public_key()
                self.connection.select(df)
                self.assertEqual(self.connection.choose(key), "9000")
                signature, status = self.connection.operate(
                    "02", pkcs1(SHA256_DIGEST_INFO + DIGEST))
                self.assertEqual(status, "9000")
                public.verify(signature, DIGEST, padding.PKCS1v15(),
                              utils.Prehashed(hashes.SHA256()))

    def test_every_key_of_the_layout_is_there(self):
        for df, keys in (("DF07", range(0x84, 0x8A)), ("DF08", range(0x81, 0x84))):
            self.connection.select(df)
            for key in keys:
                self.assertEqual(self.connection.choose(f"{key:02X}"), "9000")
            self.assertEqual(self.connection.choose(f"{keys[-1] + 1:02X}"), "6A88")

    def test_the_certificate_of_the_signature_key_has_a_prefix(self):
        self.assertEqual(x509.load_pem_x509_certificate(self.card.certificate("sign")),
                         self.certificate("DF074331"))
        self.assertEqual(self.connection.read("DF074331")[4:9].hex(), "0603550424")

    def test_an_old_encryption_certificate_has_expired(self):
        old, new = (self.certificate(f"DF08{file}") for file in ("4332", "4331"))
        self.assertLess(old.not_valid_after, new.not_valid_before)


class NetKey2(WithCard):
    profile = "netkey-v2"

    def test_keys_and_pins_are_files_that_their_fcp_describes(self):
        for path, proprietary in (("5000", "850501800003" "03"), ("5001", "85050180010A0A"),
                                  ("DF015080", "85050180000303"), ("DF015081", "85050180010303"),
                                  ("DF015331", "85020108"), ("DF015371", "85020104")):
            fcp = self.answer("9000", "00A40804", f"{len(path) // 2:02X}", path, "00")
            self.assertIn(bytes.fromhex(proprietary), fcp, path)
            self.answer("6981", "00B0000000")

    def test_keys_of_1024_bits_are_chosen_by_c1(self):
        public = self.certificate("DF014371").public_key()
        self.unlock(reference="80")
        self.assertEqual(self.connection.choose("82"), "6A86")
        self.assertEqual(self.connection.choose("82", p1="C1"), "9000")
        signature = self.answer("9000", "002A808681", "02",
                                pkcs1(SHA256_DIGEST_INFO + DIGEST, 128), "80")
        public.verify(signature, DIGEST, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))

    def test_the_card_unpads_with_indicator_81(self):
        sealed = self.certificate("DF0143B1").public_key().encrypt(b"key", padding.PKCS1v15())
        self.unlock(reference="80")
        self.connection.choose("81", p1="C1")
        self.assertEqual(self.answer("9000", "002A808681", "81", sealed, "80"), b"key")
        self.assertEqual(self.answer("9000", "002A808681", "02", sealed, "80")[:2], b"\0\2")
        self.answer("6A80", "002A808681", "81", b"\1" * 128, "80")

    def test_extended_apdus_are_not_known(self):
        self.answer("6700", "00A4080C", "000002", "DF01")


class SigG(WithCard):
    profile = "sigg"

    def test_the_qualified_key_signs_by_its_own_pin(self):
        public = self.certificate("DF02C000").public_key()
        self.answer("9000", "00A4040C06", "D27600006601")
        self.assertEqual(self.connection.verify("81"), "9000")
        digest = hashlib.sha1(b"a letter").digest()
        signature = self.answer("9000", "002A9E9A23", SHA1_DIGEST_INFO, digest, "00")
        public.verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1()))

    def test_a_pin_of_the_same_reference_elsewhere_is_another(self):
        self.unlock(NKS, "81")
        self.connection.select("DF02")
        self.assertEqual(self.connection.status("81"), "63C3")
        self.assertEqual(self.connection.verify("81", b"000000"), "63C2")
        self.assertEqual(self.pin("DF01/81")["left"], 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
