"""valgrind over a program that signs by the PKCS#11 module: SIGNATURES of them (300), and nothing is
lost or read where it should not be."""
import os
import shutil
import subprocess
import sys
import unittest

from cardd_fixture import BUILD, PIN, CarddTest
from pkcs11_programs import MODULE

VALGRIND = shutil.which("valgrind")
SIGNATURES = int(os.environ.get("SIGNATURES", "300"))
SIGNER = os.path.join(os.path.realpath(BUILD), "tests/e2e/card_signer")
OPTIONS = ("--leak-check=full", "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite",
           "--keep-debuginfo=yes", "--error-exitcode=9")


def sanitized():
    """valgrind and a sanitizer do not go together."""
    with open(MODULE, "rb") as file:
        content = file.read()
    return b"__asan_init" in content or b"__tsan_init" in content


class Leaks(CarddTest):
    def valgrind(self, *orders):
        return subprocess.run(
            [VALGRIND, *OPTIONS, SIGNER, MODULE, "", "47"], input="\n".join((*orders, "end", "")),
            env={**os.environ, "DEMAIL_CARDD_SOCKET": self.cardd.socket}, capture_output=True,
            text=True, timeout=600 + SIGNATURES, check=False)

    def test_nothing_is_lost_over_many_signatures(self):
        self.start(unlock=False)
        done = self.valgrind("start", f"login {PIN}", f"sign {SIGNATURES}")
        self.assertEqual(done.returncode, 0, done.stderr[-4000:])
        self.assertRegex(done.stderr, r"definitely lost: 0 bytes|All heap blocks were freed")
        self.assertIn("ERROR SUMMARY: 0 errors", done.stderr)
        self.assertEqual(len(done.stdout.split("\n")[2].split()), 2 * SIGNATURES)
        self.assertGreaterEqual(self.counters()["operations"], SIGNATURES)


if __name__ == "__main__":
    if not VALGRIND:
        print("valgrind is not installed: nothing was looked at.")
        sys.exit(77)
    if sanitized():
        print("The module is built with a sanitizer: valgrind cannot run it.")
        sys.exit(77)
    unittest.main()
