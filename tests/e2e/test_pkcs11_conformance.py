"""google/pkcs11test and OpenSC's p11test over an unlocked virtual card, each case of the former in a
process of its own. Neither is packaged: PKCS11TEST and P11TEST name the built programs; without them
there is nothing to run. As a program it lists how each case ended."""
import os
import re
import shutil
import subprocess
import sys
import unittest

from cardd_fixture import PIN, CarddTest
from pkcs11_programs import MODULE

PKCS11TEST = os.environ.get("PKCS11TEST") or shutil.which("pkcs11test")
P11TEST = os.environ.get("P11TEST") or shutil.which("p11test")

# What a card that signs and decrypts with the keys it has does not do.
UNFIT = {
    "makes keys": r"SecretKeyTest\.|HmacTest\.|DualSecretKeyTest\.|KeyPairTest\.|SignTest\."
                  r"|SetLatchingAttribute|FindObjectSubset|Tookan|PublicExponent4Bytes|ExtractKeys"
                  r"|AsymmetricTokenKeyPair|DigestTest\.DigestKey|CreateSecretKeyAttributes"
                  r"|SecretKeyTestVectors|HmacTestVectors|CreateKeyPairObjects|SignVerifyRecover"
                  r"|WrapUnwrap|WrapInvalid|UnwrapInvalid",
    "makes objects": r"DataObjectTest\.|CreateCopyDestroyObject",
    "has a security officer": r"RWSOSessionTest\.",
}


def unfit(case):
    return next((why for why, pattern in UNFIT.items() if re.search(pattern, case)), None)


class Conformance(CarddTest):
    def setUp(self):
        super().setUp()
        self.start()

    def run_program(self, *command):
        return subprocess.run(command, env={**os.environ, "DEMAIL_CARDD_SOCKET": self.cardd.socket},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
                              check=False)

    def pkcs11test(self, *options):
        return self.run_program(PKCS11TEST, "-m", os.path.basename(MODULE), "-l",
                                os.path.dirname(MODULE), "-u", PIN, "-X", *options)

    def outcome(self, case):
        done = self.pkcs11test(f"--gtest_filter={case}")
        if done.returncode < 0 or done.returncode > 1:
            return "CRASHED"
        if done.returncode:
            return "FAILED"
        return "skipped itself" if "were skipped because" in done.stderr else "ok"

    @unittest.skipUnless(PKCS11TEST, "no pkcs11test")
    def test_pkcs11test_fails_in_nothing_that_a_card_can_do(self):
        cases, group = [], ""
        for line in self.pkcs11test("--gtest_list_tests").stdout.splitlines():
            if line.startswith("  "):
                cases.append(group + line.split()[0])
            else:
                group = line.split()[0]
        self.assertGreater(len(cases), 200)
        outcomes = {case: self.outcome(case) for case in cases}
        for case, outcome in outcomes.items():
            print(f"{outcome:14} {unfit(case) or '':22} {case}", file=sys.stderr)
        # What a card does not do may fail, but no case may end the program.
        self.assertEqual([case for case, outcome in outcomes.items() if outcome == "CRASHED"
                          or outcome == "FAILED" and not unfit(case)], [])
        self.assertEqual(self.tries(), 3)

    @unittest.skipUnless(P11TEST, "no p11test")
    def test_p11test_fails_in_nothing(self):
        done = self.run_program(P11TEST, "-m", MODULE, "-p", PIN)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-1000:])
        self.assertIn("[  PASSED  ]", done.stdout + done.stderr)


if __name__ == "__main__":
    if not PKCS11TEST and not P11TEST:
        sys.exit(77)
    unittest.main()
