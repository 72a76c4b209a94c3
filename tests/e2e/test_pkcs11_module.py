"""Programs that know nothing of us use a virtual TCOS card by the PKCS#11 module: OpenSC's and
GnuTLS's tools, OpenSSL's engine, curl."""
import os
import re
import ssl
import subprocess
import unittest

from cardd_fixture import PIN, WRONG, CarddTest, pattern
from pkcs11_programs import ENGINE, KEY, MODULE, TlsServer

VERSIONS = (ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")


class ProgramTest(CarddTest):

    def environment(self, **more):
        return {**os.environ, "DEMAIL_CARDD_SOCKET": self.cardd.socket, "LC_ALL": "C",
                "HOME": self.directory, **more}

    def run_program(self, *command, stdin="", good=True, **environment):
        done = subprocess.run(command, input=stdin, env=self.environment(**environment),
                              capture_output=True, text=True, timeout=60, check=False)
        if good is not None:
            self.assertEqual(done.returncode == 0, good,
                             f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def file(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(content)
        return path


class Programs(ProgramTest):
    def setUp(self):
        super().setUp()
        self.start()

    def certificate(self):
        return self.file("auth.pem", self.card.certificate("auth").decode())

    def server(self, version):
        authority = os.path.join(os.path.dirname(pattern(self.profile)), "pki", "ca.pem")
        server = TlsServer(self.directory, authority, version)
        self.addCleanup(server.stop)
        return server

    def test_pkcs11_tool_finds_no_errors(self):
        said = self.run_program("pkcs11-tool", "--module", MODULE, "--login", "--test")
        self.assertIn("No errors", said)
        self.assertNotIn("ERR", said)
        self.assertRegex(said, r"(?s)Signatures.*SHA256-RSA-PKCS: OK.*Verify.*OK.*Decryption.*OAEP")
        self.assertEqual(self.tries(), 3)

    def test_p11tool_lists_the_whole_token(self):
        said = self.run_program("p11tool", "--provider", MODULE, "--login", "--list-all")
        found = set(re.findall(r"object=(demail-[a-z]+);type=([a-z]+)", said))
        for label in ("demail-auth", "demail-enc"):
            for kind in ("cert", "public", "private"):
                self.assertIn((label, kind), found)

    def test_openssl_s_client_proves_itself_by_the_engine(self):
        configuration = self.file("engine.cnf", ENGINE)
        for version, name in VERSIONS:
            server = self.server(version)
            # Its exit status minds that Python's server ends without a close_notify.
            said = self.run_program(
                "openssl", "s_client", "-engine", "pkcs11", "-keyform", "engine", "-key", KEY,
                "-cert", self.certificate(), "-CAfile", server.certificate,
                "-connect", f"127.0.0.1:{server.port}", "-quiet", "-ign_eof", "-verify_return_error",
                stdin="GET / HTTP/1.0\r\n\r\n", good=None, OPENSSL_CONF=configuration)
            self.assertIn(f"{name} firm auth", said)

    def test_curl_proves_itself_by_the_engine(self):
        configuration = self.file("engine.cnf", ENGINE)
        for version, name in VERSIONS:
            server = self.server(version)
            said = self.run_program(
                "curl", "-sS", "--engine", "pkcs11", "--key-type", "ENG", "--key", KEY,
                "--cert", self.certificate(), "--cacert", server.certificate,
                f"https://localhost:{server.port}/", OPENSSL_CONF=configuration)
            self.assertEqual(said, f"{name} firm auth\n")

    def test_gnutls_cli_takes_key_and_certificate_from_the_card(self):
        for version, name in VERSIONS:
            server = self.server(version)
            said = self.run_program(
                "gnutls-cli", "--provider", MODULE, "--x509cafile", server.certificate,
                "--x509certfile", KEY.replace("private", "cert"), "--x509keyfile", KEY,
                "--port", str(server.port), "localhost", stdin="GET / HTTP/1.0\r\n\r\n")
            self.assertIn(f"{name} firm auth", said)

    def test_p11_kit_finds_the_module_by_its_file(self):
        file = self.file("demail-tcos.module", f"module: {MODULE}\n")
        modules = "/usr/share/p11-kit/modules"
        said = self.run_program(
            "unshare", "--mount", "sh", "-c",
            f"mount -t tmpfs none {modules} && cp {file} {modules} && p11-kit list-modules")
        self.assertRegex(said, r"(?s)demail-tcos:.*De-Mail for Postfix.*NetKey")

    def test_a_key_with_a_pin_of_its_own_shows_when_that_is_held(self):
        def private_keys():
            said = self.run_program("p11tool", "--provider", MODULE, "--login", "--list-all")
            return set(re.findall(r"id=(%..);object=[^;]*;type=private", said))
        self.assertNotIn("%45", private_keys())
        self.assertIn("%47", private_keys())
        with self.cardd.connection() as one:
            one.unlock(PIN, name="pin1")
        self.assertIn("%45", private_keys())


class LockedCard(ProgramTest):
    def setUp(self):
        super().setUp()
        self.start(unlock=False)

    def list_objects(self, *options, good=True):
        return self.run_program("pkcs11-tool", "--module", MODULE, "-O", *options, good=good,
                                DEMAIL_LOG="stderr")

    def test_certificates_are_seen_without_a_pin(self):
        said = self.list_objects()
        self.assertIn("demail-auth", said)
        self.assertNotIn("Private Key Object", said)
        self.assertEqual(self.tries(), 3)

    def test_a_program_s_pin_unlocks_the_card_for_all(self):
        self.assertIn("Private Key Object", self.list_objects("--login", "--pin", PIN))
        said = self.run_program("pkcs11-tool", "--module", MODULE, "-L")
        self.assertIn("PIN pad present", said)

    def test_a_wrong_pin_costs_one_try_and_another_program_none(self):
        self.assertIn("CKR_PIN_INCORRECT", self.list_objects("--login", "--pin", WRONG, good=False))
        self.assertEqual(self.tries(), 2)
        for _ in range(3):
            self.list_objects("--login", "--pin", WRONG, good=False)
        self.assertEqual(self.tries(), 2)


if __name__ == "__main__":
    unittest.main()
