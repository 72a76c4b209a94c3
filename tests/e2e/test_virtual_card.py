#!/usr/bin/python3
"""The virtual TCOS card in a private pcscd: what every command answers, what each fault does, and
what OpenSC makes of it. Where no source says what a real card does, the sentence says "assumed" in
contrib/sandbox/tcos/.
"""
import hashlib
import os
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import card_bench  # noqa: E402
from card_bench import Bench, Connection, Failure, PcscError, connect  # noqa: E402

if card_bench.scard is not None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, utils
    from cryptography.exceptions import InvalidSignature

NKS = "DF01"
SHA256_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SHA1_DIGEST_INFO = bytes.fromhex("3021300906052b0e03021a05000414")
DIGEST = hashlib.sha256(b"a letter").digest()
bench = None


def setUpModule():
    global bench
    bench = Bench(readers=2)


def tearDownModule():
    bench.close()


def pkcs1(data, octets=256):
    return b"\0\1" + b"\xff" * (octets - len(data) - 3) + b"\0" + data


def der_of(content):
    """The certificate in a card's file."""
    if content[4] == 6:  # SEQUENCE { OID, Certificate }
        content = content[6 + content[5]:]
    return content[:4 + int.from_bytes(content[2:4], "big")]


class WithCard(unittest.TestCase):
    """A card of the profile for the class, as new before every test."""

    profile = "netkey-v3"

    @classmethod
    def setUpClass(cls):
        cls.card = bench.card(cls.profile)
        cls.addClassCleanup(cls.card.stop)
        cls.reader = cls.card.reader
        cls.initial = {name: {"left": pin["left"]} for name, pin in
                       cls.card.control("status")["pins"].items()}

    def setUp(self):
        self.control = self.card.control
        self.control("clear")
        for name in self.initial:
            value = "12345678" if name in ("3F00/01", "DF02/83") else "123456"
            self.control("set_pin", pin=name, value=value)
        self.control("behave", end_of_file="6282", piece=0)
        self.control("insert")
        self.control("wait", **{"for": "polled"})
        self.connection = connect(self.reader)
        self.addCleanup(lambda: self.connection.close())
        self.connection.reset()
        self.control("counters", reset=True)

    def send(self, *parts):
        return self.connection.send(*parts)

    def answer(self, expected, *parts):
        data, status = self.send(*parts)
        self.assertEqual(status, expected)
        return data

    def pin(self, name):
        return self.control("status")["pins"][name]

    def certificate(self, path):
        return x509.load_der_x509_certificate(der_of(self.connection.read(path)))

    def unlock(self, df=NKS, reference="83"):
        self.assertEqual(self.connection.select(df), "9000")
        self.assertEqual(self.connection.verify(reference), "9000")

    def fails(self, code):
        """A context in which PC/SC itself must report that error."""
        test = self

        class Expectation:
            def __enter__(self):
                return self

            def __exit__(self, kind, error, _):
                test.assertIs(kind, PcscError, error)
                test.assertIn(error.code, code if isinstance(code, tuple) else (code,))
                return True
        return Expectation()


class Files(WithCard):
    def test_the_atr_is_the_profiles(self):
        self.assertEqual(self.connection.atr(), "3BBFB6008131FE5D00640428030231C073F701D000900067")

    def test_ef_gdo_holds_the_serial_number(self):
        content = self.connection.read("2F02")
        self.assertEqual(content[:2], b"\x5a\x0a")
        self.assertEqual(content[2:].hex(), self.control("status")["iccsn"])

    def test_select_by_every_form(self):
        aid = "D2760000030102"
        for p1, name, selected in (("00", "", "3F00"), ("08", "DF01", "DF01"),
                                   ("03", "", "3F00"), ("00", "3F00", "3F00"),
                                   ("09", "DF01", "DF01"), ("09", "4371", "4371"),
                                   ("04", aid, "DF01"), ("08", "2F02", "2F02"),
                                   ("04", aid[:12], "DF01"), ("08", "DF01C500", "C500"),
                                   ("02", "4331", "4331"), ("03", "", "3F00"),
                                   ("01", "DF01", "DF01")):
            with self.subTest(p1=p1, name=name):
                length = f"{len(name) // 2:02X}" if name else ""
                self.answer("9000", "00A4", p1, "0C", length, name)
                self.assertEqual(self.control("status")["selected"], selected)

    def test_select_without_fcp_has_no_data_and_with_it_a_template(self):
        self.assertEqual(self.answer("9000", "00A4080C02DF01"), b"")
        fcp = self.answer("9000", "00A4080402DF0100")
        self.assertEqual(fcp.hex().upper(), "621082013883" "02DF018407" "D2760000030102")
        fcp = self.answer("9000", "00A40804022F0200")
        self.assertIn(bytes.fromhex("8102000C"), fcp)
        self.assertIn(bytes.fromhex("820101"), fcp)

    def test_select_says_what_is_wrong_and_keeps_what_was_selected(self):
        self.answer("9000", "00A4080C02DF01")
        for parts, status in (("00A4080C02DF09", "6A82"), ("00A4080C04DF01FFFF", "6A82"),
                              ("00A4040C05D276000099", "6A82"), ("00A4090C02DF01", "6A82"),
                              ("00A4070C02DF01", "6A86"), ("00A4080002DF01", "6A86"),
                              ("00A4080C042F020001", "6A82"), ("00A4020C02DF01", "6A82")):
            self.answer(status, parts)
        self.assertEqual(self.control("status")["selected"], "DF01")

    def test_a_certificate_is_followed_by_padding(self):
        content = self.connection.read("DF014371")
        self.assertEqual(len(content), 2048)
        der = der_of(content)
        self.assertEqual(content[:4], der[:4])
        self.assertEqual(content[len(der):], bytes(2048 - len(der)))
        self.assertEqual(x509.load_der_x509_certificate(der).subject.rfc4514_string(),
                         "CN=firm auth,O=De-Mail sandbox")

    def test_a_certificate_of_the_maker_has_an_oid_before_it(self):
        content = self.connection.read("DF01C500")
        self.assertEqual(content[4:9].hex(), "0603550424")
        self.assertEqual(int.from_bytes(content[2:4], "big") + 4, 9 + len(der_of(content)))
        self.assertEqual(self.certificate("DF01C500").public_key().public_numbers(),
                         self.certificate("DF014371").public_key().public_numbers())

    def test_an_empty_certificate_file_holds_zeros(self):
        self.assertEqual(self.connection.read("DF014372"), bytes(2048))

    def test_certificates_name_their_use(self):
        usage = lambda path: self.certificate(path).extensions.get_extension_for_class(  # noqa: E731
            x509.KeyUsage).value
        self.assertTrue(usage("DF014371").digital_signature)
        self.assertTrue(usage("DF014331").content_commitment)
        self.assertFalse(usage("DF014331").digital_signature)
        self.assertTrue(usage("DF0143B1").key_encipherment)
        extended = self.certificate("DF014371").extensions.get_extension_for_class(
            x509.ExtendedKeyUsage).value
        self.assertEqual({oid.dotted_string for oid in extended},
                         {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"})
        with self.assertRaises(x509.ExtensionNotFound):
            self.certificate("DF01C500").extensions.get_extension_for_class(x509.ExtendedKeyUsage)

    def test_the_sandbox_is_told_which_certificate_is_for_what(self):
        for role, path in (("auth", "DF014371"), ("sign", "DF014331"), ("enc", "DF0143B1")):
            self.assertEqual(x509.load_pem_x509_certificate(self.card.certificate(role)),
                             self.certificate(path))

    def test_certificates_are_the_authoritys(self):
        certificate = self.certificate("DF014371")
        bench.authority.key.public_key().verify(
            certificate.signature, certificate.tbs_certificate_bytes,
            card_bench.pki.ec.ECDSA(hashes.SHA256()))

    def test_read_binary_in_parts_and_past_the_end(self):
        self.connection.select("2F02")
        whole = self.answer("9000", "00B0000000")
        self.assertEqual(len(whole), 12)
        self.assertEqual(self.answer("9000", "00B0000204"), whole[2:6])
        self.answer("6B00", "00B0000C01")
        self.answer("6B00", "00B07FFF00")
        self.answer("6700", "00B00000")

    def test_read_binary_beyond_the_end_warns_or_names_the_length(self):
        self.connection.select("2F02")
        self.assertEqual(len(self.answer("6282", "00B0000A10")), 2)
        self.control("behave", end_of_file="6cxx")
        self.assertEqual(self.answer("6C02", "00B0000A10"), b"")
        self.assertEqual(len(self.answer("9000", "00B0000A02")), 2)

    def test_answers_in_pieces(self):
        self.control("behave", piece=200)
        self.connection.select("DF014371")
        first = self.answer("6138", "00B0000000")
        second = self.answer("9000", "00C0000038")
        self.assertEqual((len(first), len(second)), (200, 56))
        self.control("behave", piece=0)
        self.assertEqual(self.answer("9000", "00B0000000"), first + second)
        self.answer("6985", "00C0000038")

    def test_read_binary_needs_a_transparent_file(self):
        self.connection.select("DF01")
        self.answer("6986", "00B0000000")
        self.connection.select("DF015349")
        self.answer("6981", "00B0000000")

    def test_key_records_name_what_a_key_may(self):
        self.connection.select("DF015349")
        records = [self.answer("9000", f"00B20{number}0400").hex() for number in range(1, 5)]
        self.assertEqual(records, ["a003830180b603840180", "a003830181b803840181",
                                   "a003830182b803840182", "a003830183b803840183"])
        self.answer("6A83", "00B2050400")
        self.answer("6A83", "00B2000400")

    def test_pin_records_end_with_the_tries_left(self):
        self.connection.select("DF015049")
        self.assertEqual(self.answer("9000", "00B2020400").hex(), "a007830183" "90020303")
        self.assertEqual(self.connection.verify("83", b"000000"), "63C2")
        self.assertEqual(self.answer("9000", "00B2020400").hex(), "a007830183" "90020302")
        self.connection.select("5049")
        self.assertEqual(self.answer("9000", "00B2020400").hex(), "a007830101" "90020a0a")

    def test_too_short_an_le_names_the_length(self):
        self.connection.select("DF015349")
        self.answer("6C0A", "00B2010404")
        self.answer("6C12", "00A4080402DF0104")

    def test_what_the_card_does_not_know(self):
        for parts, status in (("00FE0000", "6D00"), ("80CA000000", "6D00"), ("A0A40000", "6E00"),
                              ("10A4080C02DF01", "6884"), ("0CA4080C02DF01", "6882"),
                              ("00A4080C03DF01", "6700")):
            self.answer(status, parts)

    def test_the_files_of_a_df_are_listed(self):
        self.assertEqual(self.answer("9000", "80AA010000").hex().upper(), "DF01")
        self.assertEqual(self.answer("9000", "80AA020000").hex().upper(), "2F025049")


class Pins(WithCard):
    def test_the_status_burns_no_try_and_a_pin_is_verified_once(self):
        for _ in range(5):
            self.assertEqual(self.connection.status("00"), "63C3")
        self.assertEqual(self.connection.verify("00"), "9000")
        self.assertEqual(self.connection.status("00"), "9000")
        self.assertEqual(self.control("counters")["verifies"], 1)
        self.assertEqual(self.control("counters")["tries_burnt"], 0)

    def test_wrong_pins_block_and_a_right_one_gives_the_tries_back(self):
        self.assertEqual(self.connection.verify("00", b"000000"), "63C2")
        self.assertEqual(self.connection.verify("00"), "9000")
        self.assertEqual(self.pin("3F00/00")["left"], 3)
        for expected in ("63C2", "63C1", "63C0", "6983", "6983"):
            self.assertEqual(self.connection.verify("00", b"000000"), expected)
        self.assertEqual(self.connection.verify("00"), "6983")
        self.assertEqual(self.connection.status("00"), "6983")
        self.assertEqual(self.control("counters")["tries_burnt"], 4)

    def test_a_wrong_pin_takes_the_status_away(self):
        self.connection.verify("00")
        self.connection.verify("00", b"1234567")
        self.assertEqual(self.connection.status("00"), "63C2")

    def test_a_local_pin_is_known_in_its_df_alone(self):
        self.assertEqual(self.connection.status("83"), "6A88")
        self.connection.select(NKS)
        self.assertEqual(self.connection.status("83"), "63C3")
        self.assertEqual(self.connection.status("82"), "6A88")
        self.assertEqual(self.connection.verify("83"), "9000")
        self.assertEqual(self.connection.status("81"), "63C3")

    def test_a_local_status_is_lost_outside_the_df_and_a_global_one_is_not(self):
        self.unlock()
        self.assertEqual(self.connection.verify("00"), "9000")
        self.connection.select("DF015349")
        self.assertEqual(self.connection.status("83"), "9000")
        self.connection.select("2F02")
        self.connection.select(NKS)
        self.assertEqual(self.connection.status("83"), "63C3")
        self.assertEqual(self.connection.status("00"), "9000")

    def test_a_reset_takes_every_status_away(self):
        for how in (card_bench.scard.SCARD_RESET_CARD, card_bench.scard.SCARD_UNPOWER_CARD):
            self.unlock()
            self.connection.verify("00")
            self.connection.reset(how)
            self.assertEqual(self.connection.status("00"), "63C3")
            self.connection.select(NKS)
            self.assertEqual(self.connection.status("83"), "63C3")

    def test_a_null_pin_is_said_and_set_once(self):
        self.control("null_pin", pin="3F00/00")
        self.assertEqual(self.connection.status("00"), "6985")
        self.assertEqual(self.connection.verify("00"), "6985")
        self.assertEqual(self.control("counters")["tries_burnt"], 0)
        set_pin = lambda old, new: self.send(  # noqa: E731
            "00240000", bytes((len(old + new),)), old, new)[1]
        self.assertEqual(set_pin(b"\0" * 5 + b"1", b"654321"), "6A80")
        self.assertEqual(set_pin(b"\0" * 6, b"65432"), "6700")
        self.assertEqual(set_pin(b"\0" * 6, b"654321"), "9000")
        self.assertEqual(self.connection.status("00"), "63C3")
        self.assertEqual(self.connection.verify("00", b"654321"), "9000")
        self.assertEqual(set_pin(b"\0" * 6, b"111111"), "63C2")

    def test_a_pin_is_changed_by_the_old_one(self):
        self.answer("63C2", "0024000008", b"99999988")
        self.answer("9000", "002400000C", b"123456", b"777777")
        self.assertEqual(self.connection.verify("00", b"777777"), "9000")

    def test_a_pin_is_changed_after_verify(self):
        self.connection.select(NKS)
        self.answer("6982", "0024018306", b"777777")
        self.connection.verify("83")
        self.answer("6700", "0024018305", b"77777")
        self.answer("9000", "0024018306", b"777777")
        self.assertEqual(self.connection.verify("83", b"777777"), "9000")

    def test_the_puk_unblocks_the_global_pin_and_keeps_its_value(self):
        self.control("block", pin="3F00/00")
        self.answer("6982", "002C0300")
        self.assertEqual(self.connection.verify("01", b"12345678"), "9000")
        self.answer("9000", "002C0300")
        self.assertEqual(self.connection.status("00"), "63C3")
        self.assertEqual(self.connection.verify("00"), "9000")

    def test_the_global_pin_unblocks_a_local_one(self):
        self.control("block", pin="DF01/83")
        self.connection.select(NKS)
        self.answer("6982", "002C0383")
        self.connection.verify("00")
        self.answer("9000", "002C0383")
        self.assertEqual(self.connection.verify("83"), "9000")

    def test_tries_and_a_new_pin_stay_when_the_card_is_put_in_again(self):
        self.connection.select(NKS)
        self.connection.verify("83")
        self.answer("9000", "0024018306", b"777777")
        self.connection.verify("00", b"000000")
        self.card.restart()
        self.connection.reset()
        self.assertEqual(self.connection.status("00"), "63C2")
        self.connection.select(NKS)
        self.assertEqual(self.connection.verify("83", b"777777"), "9000")


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


class Faults(WithCard):
    NOT_THERE = (0x80100069, 0x8010000C, 0x80100066)  # removed, no card, unresponsive
    BROKEN = (0x80100016, 0x80100069, 0x8010002F)     # not transacted, removed, comm data lost

    def seen(self, present):
        """pcscd's own view of the reader."""
        scard = card_bench.scard
        context = card_bench.checked(scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM))
        try:
            state = card_bench.checked(scard.SCardGetStatusChange(
                context, 0, [(self.reader, scard.SCARD_STATE_UNAWARE)]))[0][1]
        finally:
            scard.SCardReleaseContext(context)
        return bool(state & scard.SCARD_STATE_PRESENT) == present

    def wait_seen(self, present):
        end = time.monotonic() + 10
        while not self.seen(present):
            self.assertLess(time.monotonic(), end, f"present: {present}")
            time.sleep(0.02)

    def test_remove_and_insert(self):
        self.connection.verify("00")
        self.card.remove()
        self.wait_seen(False)
        with self.fails(self.NOT_THERE):
            self.connection.status("00")
        self.card.insert()
        with Connection(self.reader) as again:
            self.assertEqual(again.status("00"), "63C3")

    def test_a_card_back_at_once_is_still_seen_to_have_gone(self):
        self.control("remove")
        with self.fails((*self.BROKEN, *self.NOT_THERE)):  # vpcd learns of it, pcscd does not
            self.connection.status("00")
        self.card.insert()
        with self.fails(self.NOT_THERE):
            self.connection.status("00")

    def test_another_card(self):
        other = self.card.make(bench.path("other"), profile="idkey")
        self.card.insert(other.directory)
        self.addCleanup(self.card.insert, self.card.path)
        with Connection(self.reader) as connection:
            self.assertEqual(connection.read("2F02")[2:].hex(), other.iccsn)
            self.assertEqual(connection.atr(), other.atr.hex().upper())
            self.assertEqual(connection.select(NKS), "6A82")

    def test_a_dropped_connection_is_a_removal_however_short(self):
        self.connection.verify("00")
        self.control("drop")
        with self.fails((*self.BROKEN, *self.NOT_THERE)):
            self.connection.status("00")
        self.control("wait", **{"for": "seen"})
        with self.fails(self.NOT_THERE):
            self.connection.status("00")
        with connect(self.reader) as again:
            self.assertEqual(again.status("00"), "63C3")

    def test_a_connection_dropped_for_long(self):
        self.control("drop", seconds=2)
        self.wait_seen(False)
        self.wait_seen(True)
        with self.fails(self.NOT_THERE):
            self.connection.status("00")

    def test_a_connection_that_drops_in_an_operation(self):
        for execute, operations in ((False, 0), (True, 1)):
            self.unlock()
            self.connection.choose("82")
            self.control("counters", reset=True)
            self.control("fault", kind="drop", ins="2a", execute=execute)
            with self.fails(self.BROKEN):
                self.connection.operate("00", pkcs1(DIGEST))
            self.assertEqual(self.control("counters")["operations"], operations)
            self.control("wait", **{"for": "seen"})
            self.connection.close()
            self.connection = connect(self.reader)

    def test_a_lost_security_status(self):
        self.unlock()
        self.connection.choose("82")
        self.control("lose_status")
        self.assertEqual(self.connection.operate("00", pkcs1(DIGEST))[1], "6982")
        self.assertEqual(self.connection.verify("83"), "9000")
        self.assertEqual(self.connection.operate("00", pkcs1(DIGEST))[1], "9000")

    def test_a_status_that_is_lost_just_before_an_operation(self):
        self.unlock()
        self.connection.choose("82")
        self.control("fault", kind="forget", ins="2a")
        self.assertEqual(self.connection.status("83"), "9000")
        self.assertEqual(self.connection.operate("00", pkcs1(DIGEST))[1], "6982")

    def test_tries_left_blocked_and_null(self):
        self.control("set_tries", pin="3F00/00", left=1)
        self.assertEqual(self.connection.status("00"), "63C1")
        self.control("block", pin="3F00/00")
        self.assertEqual(self.connection.status("00"), "6983")
        self.control("null_pin", pin="3F00/00")
        self.assertEqual(self.connection.status("00"), "6985")

    def test_slow_apdus(self):
        self.control("slow", ms=150, ins="b0")
        self.connection.select("2F02")
        self.control("counters", reset=True)
        began = time.monotonic()
        self.answer("9000", "00B0000000")
        self.assertGreaterEqual(time.monotonic() - began, 0.15)
        self.assertGreaterEqual(self.control("counters")["busy_ms"], 150)
        self.control("slow", ms=0, ins="b0")
        began = time.monotonic()
        self.answer("9000", "00B0000000")
        self.assertLess(time.monotonic() - began, 0.1)

    def test_wrong_status_words_for_the_next_of_an_instruction(self):
        self.control("fault", kind="status", ins="20", word="6F81", count=2)
        self.assertEqual(self.connection.select("2F02"), "9000")
        self.assertEqual(self.connection.verify("00", b"000000"), "6F81")
        self.assertEqual(self.connection.status("00"), "6F81")
        self.assertEqual(self.connection.status("00"), "63C3", "the command was not done")
        self.control("fault", kind="status", ins="20", word="6F81", execute=True)
        self.assertEqual(self.connection.verify("00", b"000000"), "6F81")
        self.assertEqual(self.connection.status("00"), "63C2", "the command was done")

    def test_short_reads(self):
        self.connection.select("2F02")
        self.control("fault", kind="short", ins="b0", bytes=5)
        self.assertEqual(len(self.answer("9000", "00B0000000")), 7)
        self.assertEqual(len(self.answer("9000", "00B0000000")), 12)

    def test_a_hung_card_answers_when_it_is_told_to(self):
        self.control("fault", kind="hang", ins="20")
        asker = subprocess.Popen(["opensc-tool", "--reader", self.reader, "-s", "00200000"],
                                 stdout=subprocess.PIPE, text=True)
        self.control("wait", **{"for": "hung"})
        time.sleep(0.3)
        self.assertIsNone(asker.poll())
        self.control("resume")
        self.assertIn("SW1=0x63, SW2=0xC3", asker.communicate(timeout=10)[0])
        self.assertFalse(self.control("status")["hung"])

    def test_a_hang_ends_by_itself_or_by_removal(self):
        self.control("fault", kind="hang", ins="20", seconds=0.4)
        began = time.monotonic()
        self.assertEqual(self.connection.status("00"), "63C3")
        self.assertGreaterEqual(time.monotonic() - began, 0.4)
        self.control("fault", kind="hang", ins="20")
        asker = subprocess.Popen(["opensc-tool", "--reader", self.reader, "-s", "00200000"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.control("wait", **{"for": "hung"})
        self.control("remove")
        self.assertNotEqual(asker.wait(timeout=10), 0)
        asker.communicate()
        self.card.insert()

    def test_counters_and_the_log_hold_no_pin(self):
        self.connection.select("2F02")
        self.connection.verify("00", b"987654")
        self.connection.status("00")
        counters = self.control("counters")
        self.assertEqual((counters["apdus"], counters["verifies"], counters["tries_burnt"]),
                         (3, 1, 1))
        self.assertEqual(counters["by_ins"], {"a4": 1, "20": 2})
        log = self.control("log")["log"]
        self.assertEqual([(entry["header"], entry["bytes"], entry["status"]) for entry in log],
                         [("00a4080c", 7, "9000"), ("00200000", 11, "63c2"),
                          ("00200000", 4, "63c2")])
        self.assertNotIn(b"987654".hex(), str(log))
        self.control("counters", reset=True)
        self.assertEqual(self.control("counters")["apdus"], 0)

    def test_an_order_that_does_not_exist_is_refused_in_words(self):
        for do, arguments in (("fly", {}), ("_pin", {"name": "x"}), ("fault", {"kind": "odd"}),
                              ("block", {"pin": "DF99/00"}), ("insert", {"card": "/nowhere"})):
            with self.assertRaises(Failure):
                self.control(do, **arguments)
        self.assertEqual(self.connection.status("00"), "63C3")


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
        data, signature = bench.path("data"), bench.path("signature")
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
        cards = [bench.card(profile, reader) for reader, profile in
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
        card = bench.card("netkey-v3")
        self.addCleanup(card.stop)
        with Connection(card.reader) as connection:
            began = time.monotonic()
            for _ in range(50):
                connection.status("00")
            self.assertLess((time.monotonic() - began) / 50, 0.02)

    def test_the_card_is_found_again_by_a_pcscd_that_was_killed(self):
        card = bench.card("netkey-v3")
        self.addCleanup(card.stop)
        with Connection(card.reader) as connection:
            bench.pcscd.kill()
            with self.assertRaises(PcscError):
                connection.status("00")
        bench.pcscd.start()
        card.wait_until(lambda: card.control("status")["seen"], "the new pcscd sees it")
        with Connection(card.reader) as connection:
            self.assertEqual(connection.status("00"), "63C3")

    def test_a_shell_starts_tells_and_stops(self):
        program = os.path.join(card_bench.SOURCE, "contrib/sandbox/virtual_card.py")
        run = lambda verb, *more, **options: subprocess.run(  # noqa: E731
            [sys.executable, program, verb, bench.path("alone"), *more], text=True,
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
            self.assertEqual(os.listdir(bench.path("alone/run")), [])

    def test_nothing_of_the_host_is_touched(self):
        def listening():
            with open("/proc/net/tcp", encoding="ascii") as file:
                return {line.split()[1] for line in file if line.split()[3] == "0A"}
        self.assertNotIn(f"00000000:{bench.pcscd.port(0):04X}", listening())
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            self.assertNotIn(bench.directory, file.read())
        with open(f"/proc/{bench.pcscd.pid}/mountinfo", encoding="utf-8") as file:
            self.assertIn(" /run/pcscd ", file.read())
        host = "/run/pcscd/pcscd.pid"
        if os.path.exists(host):
            with open(host, encoding="ascii") as file:
                self.assertNotEqual(int(file.read()), bench.pcscd.pid)


if __name__ == "__main__":
    unittest.main(verbosity=2)
