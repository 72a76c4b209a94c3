"""Programs that sign without pause do not notice what happens to card, pcscd and daemon."""
import os
import re
import subprocess
import sys
import time
import unittest

from cardd_fixture import ALLOW_ROOT, PIN, CarddTest

CLIENTS = 4
SIGNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pkcs11_signer.py")


class Healing(CarddTest):
    def setUp(self):
        super().setUp()
        self.cardd.configure(self.unattended(PIN) + ALLOW_ROOT)
        self.start(unlock=False)
        self.cardd.wait_for_card(self.serial, held=True)
        self.stop_file = os.path.join(self.directory, "stop")
        environment = {**os.environ, "DEMAIL_CARDD_SOCKET": self.cardd.socket}
        self.signers = [subprocess.Popen([sys.executable, SIGNER, self.stop_file],
                                         env=environment, stdout=subprocess.PIPE, text=True)
                        for _ in range(CLIENTS)]
        self.addCleanup(lambda: [one.kill() for one in self.signers])
        for signer in self.signers:
            self.assertEqual(signer.stdout.readline(), "begun\n")

    def check_that_nobody_noticed(self):
        time.sleep(1)
        with open(self.stop_file, "w", encoding="ascii"):
            pass
        for signer in self.signers:
            said, _ = signer.communicate(timeout=90)
            self.assertNotIn("error", said)
            self.assertGreater(int(re.search(r"signatures (\d+)", said).group(1)), 3, said)
        self.assertEqual(self.tries(), 3)

    def test_the_card_is_pulled_and_put_back(self):
        self.card.remove()
        time.sleep(2)
        self.card.insert()
        self.check_that_nobody_noticed()

    def test_pcscd_is_killed_and_started(self):
        self.pcscd.kill()
        time.sleep(1)
        self.pcscd.start()
        self.check_that_nobody_noticed()

    def test_the_daemon_is_killed_and_started(self):
        self.cardd.kill()
        time.sleep(1)
        self.cardd.start()
        self.check_that_nobody_noticed()


if __name__ == "__main__":
    unittest.main()
