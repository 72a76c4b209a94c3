"""demail-cardd with a real pcscd and a virtual card: signatures, and what they cost."""
import threading
import time
import unittest

from cardd_fixture import CarddTest, DIGEST, PIN, cardd_wire, check


class Signatures(CarddTest):
    def test_a_card_signs_after_unlock(self):
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


if __name__ == "__main__":
    unittest.main()
