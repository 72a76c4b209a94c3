#!/usr/bin/python3
"""The virtual TCOS card in a private pcscd: what its files and its PINs answer. Where no source says
what a real card does, contrib/sandbox/tcos/ says "assumed".
"""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import card_bench  # noqa: E402
from card_case import NKS, WithCard, der_of, setUpModule, tearDownModule, x509  # noqa: E402,F401

if x509:
    from cryptography.hazmat.primitives import hashes


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
        WithCard.bench.authority.key.public_key().verify(
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
