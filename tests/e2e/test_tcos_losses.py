#!/usr/bin/python3
"""What the card engine makes of a card, a reader or a pcscd that goes away."""
import os
import time
import unittest

import card_bench
import tcos_engine
from card_bench import PcscError, connect
from tcos_engine import DIGEST_INFO, WithCard, setUpModule, tearDownModule  # noqa: F401


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
        other = tcos_engine.bench.path("another")
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
        tcos_engine.bench.pcscd.kill()
        self.assertIn("pcscd", self.engine(f"sign 47 {DIGEST_INFO}")["lost"])
        self.assertIn("pcscd", self.engine("readers")["lost"])
        self.assertIn("pcscd", self.engine("wait 1000")["lost"])
        self.assertIn("pcscd", self.engine(f'connect "{self.card.reader}"')["notConnected"])
        tcos_engine.bench.pcscd.start()
        self.assertEqual(self.back()["same"], True)
        self.assertIn("readers", self.engine("readers"))
        self.assertIn("done", self.engine("verify pin2 123456"))
        self.assertIn("result", self.engine(f"sign 47 {DIGEST_INFO}"))
        self.assertEqual(self.control("counters")["tries_burnt"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
