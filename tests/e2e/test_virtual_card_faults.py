#!/usr/bin/python3
"""What each fault of the virtual TCOS card looks like to a program that uses PC/SC.
"""
import os
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import card_bench  # noqa: E402
from card_bench import Connection, Failure, connect  # noqa: E402
from card_case import DIGEST, NKS, WithCard, pkcs1, setUpModule, tearDownModule  # noqa: E402,F401


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
        other = self.card.make(WithCard.bench.path("other"), profile="idkey")
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
