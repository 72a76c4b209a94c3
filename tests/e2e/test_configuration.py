"""Faults of demail.toml: all at once, each with file, line, column and a sentence; exit 78."""

import os
import re
import subprocess
import tempfile
import unittest

from harness import BUILD, main  # first: it finds the sandbox's modules
import pki
from daemons import find_program

PROGRAMS = ("demail-milter", "demail-relay")


class Configuration(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="demail-e2e-")
        self.addCleanup(scratch.cleanup)
        self.directory = scratch.name
        self.file = os.path.join(self.directory, "demail.toml")

    def check(self, program, text):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([find_program(BUILD, program), "--config", self.file,
                               "--check-config"], capture_output=True, text=True, check=False,
                              timeout=20)
        return done.returncode, done.stdout + done.stderr

    def faults(self, program, text):
        code, said = self.check(program, text)
        self.assertEqual(code, 78, said)
        return said

    def good(self):
        pki.make_ca(self.directory)
        for name, mode in (("seal.key", 0o640), ("pin", 0o600)):
            path = os.path.join(self.directory, name)
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, mode), "w",
                      encoding="ascii") as file:
                file.write("k " + "0" * 64 + "\n" if name == "seal.key" else "123456\n")
        for name in ("spool", "evidence"):
            os.makedirs(os.path.join(self.directory, name), exist_ok=True)
        return f"""\
[relay]
domains = "{self.directory}/domains"
spool = "{self.directory}/spool"
evidence = "{self.directory}/evidence"
journal = "sqlite3://{self.directory}/journal.db"
[seal]
key_file = "{self.directory}/seal.key"
[[provider]]
name = "p"
profile = "reference"
endpoint = "https://localhost:1/demail"
ca_file = "{self.directory}/ca.pem"
reply_signer = ["sha256:{'0' * 64}"]
auth_key = "pkcs11:token=t;object=demail-auth?pin-source=file:{self.directory}/pin"
[[account]]
name = "firm"
provider = "p"
domains = ["firm.de-mail.de"]
[[account.sender]]
from = "*@firm.example"
as = "*@firm.de-mail.de"
login = "*"
"""

    def test_every_fault_at_once_with_line_and_column(self):
        text = self.good().replace('login = "*"', 'logn = "*"').replace(
            "endpoint = \"https:", "endpoint = \"http:").replace('provider = "p"\n',
                                                                 'provider = "q"\n')
        for program in PROGRAMS:
            with self.subTest(program):
                said = self.faults(program, text)
                places = re.findall(rf"^{re.escape(self.file)}:(\d+):(\d+): (.+)$", said, re.M)
                lines = text.splitlines()
                named = {lines[int(line) - 1].split(" ")[0] for line, _, _ in places}
                self.assertLessEqual({"logn", "endpoint", "provider"}, named, said)
                for _, column, sentence in places:
                    self.assertGreaterEqual(int(column), 1)
                    self.assertRegex(sentence, r"[a-z]+ [a-z]+.*\.$")

    def test_an_unknown_key_names_the_nearest(self):
        said = self.faults("demail-milter", self.good().replace("login", "logn"))
        self.assertIn("login", said.replace('"logn"', ""))

    def test_no_toml_at_all(self):
        for program in PROGRAMS:
            said = self.faults(program, "mode = \n")
            self.assertIn(f"{self.file}:1:", said)

    def test_a_missing_file_is_named(self):
        for program in PROGRAMS:
            done = subprocess.run([find_program(BUILD, program), "--config", "/nonexistent/x.toml"],
                                  capture_output=True, text=True, check=False, timeout=20)
            self.assertEqual(done.returncode, 78)
            self.assertIn("/nonexistent/x.toml", done.stderr)

    def test_an_unreadable_key_or_ca_is_named(self):
        text = self.good()
        os.unlink(os.path.join(self.directory, "seal.key"))
        os.unlink(os.path.join(self.directory, "ca.pem"))
        self.assertIn("seal.key", self.faults("demail-milter", text))
        said = self.faults("demail-relay", text)
        self.assertIn("seal.key", said)
        self.assertIn("ca.pem", said)

    def test_a_secret_that_everybody_may_read_is_a_fault(self):
        text = self.good()
        os.chmod(os.path.join(self.directory, "seal.key"), 0o644)
        for program in PROGRAMS:
            self.assertIn("seal.key", self.faults(program, text))

    def test_a_good_file_is_good(self):
        for program in PROGRAMS:
            code, said = self.check(program, self.good())
            self.assertEqual(code, 0, said)

    def test_usage(self):
        for program in PROGRAMS:
            path = find_program(BUILD, program)
            run = lambda *words: subprocess.run(  # noqa: E731
                [path, *words], capture_output=True, text=True, check=False, timeout=20)
            self.assertEqual(run("--nonsense").returncode, 64)
            self.assertEqual(run("--help").returncode, 0)
            self.assertRegex(run("--version").stdout, r"\d+\.\d+")


if __name__ == "__main__":
    main()
