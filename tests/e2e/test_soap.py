#!/usr/bin/python3
"""milter/soap against the simulated provider, without mail: every way in which an answer comes, or
does not, gives the outcome of contracts.md. The other side is an implementation of its own.
"""
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.realpath(os.environ.get("SRCDIR") or
                          os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.realpath(os.environ.get("BUILDDIR") or os.getcwd())
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "contrib/sandbox"))

import pki  # noqa: E402
from process import Process, wait_for  # noqa: E402
from softhsm import Token  # noqa: E402

PROBE = os.path.join(BUILD, "tests/e2e/soap_probe")
SENDER = "alice@firm.de-mail.de"
BOB = "bob@other.de-mail.de"
OPTIONS = ("confirmation-of-dispatch", "confirmation-of-receipt", "confirmation-of-retrieve",
           "authoritative", "private")


def new_private_id():
    return "g1-" + secrets.token_hex(20)


def message(private_id, body=b"Good day.\r\n", to=(BOB,), options=()):
    lines = [f"x-de-mail-{name}: {'yes' if name in options else 'no'}" for name in OPTIONS]
    lines += [f"x-de-mail-sender: {SENDER}", f"x-de-mail-chosen-recipient: to={','.join(to)}",
              f"x-de-mail-private-id: {private_id}", f"From: Alice <{SENDER}>",
              f"To: {', '.join(to)}", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
              "Date: Fri, 02 Jan 2026 12:00:00 +0100", "Message-ID: <1@firm.example>"]
    return "".join(line + "\r\n" for line in lines).encode() + b"\r\n" + body


class Provider:
    """The simulator with its own CA under one directory."""

    def __init__(self, tls=None, signer_type="rsa", pss=False, certificates=()):
        self.directory = tempfile.mkdtemp(prefix="demail-soap-", dir="/tmp")
        self.ca = pki.make_ca(self.directory)
        self.tls = pki.make_server(self.directory, self.ca)
        self.signer = pki.make_signer(self.directory, self.ca, "signer", signer_type)
        pki.make_signer(self.directory, self.ca, "other", signer_type)
        self.clients = {kind: pki.make_client(self.directory, self.ca, f"client-{kind}", kind)
                        for kind in ("rsa", "p256", "p384", "p521")}
        self.config = {
            "endpoint": "https://localhost:{port}/demail",
            "listen": {"address": "127.0.0.1", "port": 0},
            "tls": {"certificate": "server.pem", "key": "server.key", "ca": "ca.pem", **(tls or {})},
            "signer": {"certificate": "signer.pem", "key": "signer.key", "pss": pss},
            "other_signer": {"certificate": "other.pem", "key": "other.key"},
            "accounts": [{
                "name": "firm", "holder": "Firm & Söhne <GmbH>", "authLevel": "high",
                "certificates": [*(client.sha256 for client in self.clients.values()),
                                 *certificates],
                "domains": ["firm.de-mail.de"], "rights": list(OPTIONS),
                "maxMessageBytes": 50 << 20}],
            "domains": {"version": "7", "list": ["firm.de-mail.de", "other.de-mail.de"]},
            "recipients": {"unknown": ["nobody@other.de-mail.de"]},
        }
        self.process = Process("provider", [
            "/usr/bin/python3", os.path.join(SOURCE, "contrib/sandbox/demail-provider"),
            "--directory", self.directory], self.directory)

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        with open(self.path("provider.json"), "w", encoding="utf-8") as file:
            json.dump(self.config, file)
        self.process.start()
        wait_for(lambda: os.path.exists(self.path("port")), what="the provider's port")
        with open(self.path("port"), encoding="ascii") as file:
            self.port = int(file.read())

    def close(self):
        self.process.stop()
        shutil.rmtree(self.directory)

    def fault(self, *entries):
        with open(self.path("faults.new"), "w", encoding="utf-8") as file:
            json.dump(entries, file)
        os.replace(self.path("faults.new"), self.path("faults.json"))

    def log(self, name="requests"):
        try:
            with open(self.path(f"{name}.jsonl"), encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def probe(self, *command, key=None, signer=None, port=None, environment=None):
        """Each answer's line, one where the command asks for one."""
        client = self.clients["rsa"]
        done = subprocess.run(
            [PROBE, f"https://localhost:{port or self.port}/demail", self.path("ca.pem"),
             signer or "sha256:" + self.signer.sha256, os.path.join(SOURCE, "xsd"),
             key or f"{client.key},{client.certificate}", *map(str, command)],
            capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, **(environment or {})})
        if done.returncode:
            raise AssertionError(f"soap_probe: {done.returncode} {done.stderr}")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[0] if len(lines) == 1 else lines

    def key(self, kind):
        client = self.clients[kind]
        return f"{client.key},{client.certificate}"

    def submit(self, content=None, private_id=None, before=(), to=(BOB,), **keywords):
        private_id = private_id or new_private_id()
        with tempfile.NamedTemporaryFile(dir=self.directory) as file:
            file.write(content or message(private_id, to=to))
            file.flush()
            return self.probe(*before, "submit", file.name, private_id, SENDER,
                              *(f"to={address}" for address in to), **keywords)


class WithProvider(unittest.TestCase):
    options = {}

    @classmethod
    def setUpClass(cls):
        cls.provider = Provider(**cls.options)
        cls.addClassCleanup(cls.provider.close)
        cls.provider.start()

    def setUp(self):
        self.provider.fault()

    def assertOutcome(self, answer, outcome, words=""):
        self.assertEqual(answer["outcome"], outcome, answer)
        self.assertIn(words, answer.get("why", ""))


class Operations(WithProvider):
    def test_the_account_is_read(self):
        answer = self.provider.probe("account")
        self.assertEqual(answer["reply"], {
            "holder": "Firm & Söhne <GmbH>", "high": True, "domains": ["firm.de-mail.de"],
            "rights": ",".join(OPTIONS), "maxMessageBytes": 50 << 20}, answer)

    def test_the_domains_are_read_and_not_sent_twice(self):
        answer = self.provider.probe("domains")["reply"]
        self.assertEqual(answer["domains"], ["firm.de-mail.de", "other.de-mail.de"])
        answer = self.provider.probe("domains", answer["version"])["reply"]
        self.assertEqual((answer["unchanged"], answer["domains"]), (True, []))

    def test_a_submission_arrives_byte_for_byte(self):
        private_id = new_private_id()
        body = bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n.\r\n \r\n\r\n"
        for length in range(3):  # each remainder of base64's three bytes
            private_id = new_private_id()
            content = message(private_id, body + b"x" * length)
            answer = self.provider.submit(content, private_id)
            self.assertOutcome(answer, "reply")
            self.assertEqual(answer["reply"]["privateId"], private_id)
            accepted = max(os.listdir(self.provider.path("accepted")))
            with open(self.provider.path(f"accepted/{accepted}/content.eml"), "rb") as file:
                self.assertEqual(file.read(), content)

    def test_a_private_id_with_the_users_own_value_is_escaped(self):
        private_id = new_private_id() + ";<&>\"'"
        self.assertOutcome(self.provider.submit(private_id=private_id), "reply")
        found = self.provider.probe("find", private_id)["reply"]
        self.assertEqual((found["privateId"], found["state"]), (private_id, "accepted"))

    def test_what_became_of_a_submission_is_found(self):
        self.assertEqual(self.provider.probe("find", new_private_id())["reply"]["state"], "unknown")
        private_id = new_private_id()
        accepted = self.provider.submit(private_id=private_id)["reply"]
        found = self.provider.probe("find", private_id)["reply"]
        self.assertEqual((found["state"], found["messageId"]), ("accepted", accepted["messageId"]))
        self.assertOutcome(self.provider.submit(private_id=private_id), "fault")

    def test_some_recipients_rejected(self):
        nobody = "nobody@other.de-mail.de"
        answer = self.provider.submit(to=(BOB, nobody))
        self.assertOutcome(answer, "reply")
        self.assertEqual([one[:2] for one in answer["reply"]["rejected"]],
                         [[nobody, "unknown-recipient"]])

    def test_a_signed_fault_is_a_fault(self):
        self.provider.fault({"operation": "*", "fault": "unavailable", "retryAfterSeconds": 7,
                             "reason": "back <soon>"})
        answer = self.provider.submit()
        self.assertOutcome(answer, "fault", "back <soon>")
        self.assertEqual((answer["code"], answer["retryAfterSeconds"]), ("unavailable", 7))
        self.provider.fault({"operation": "*", "fault": "too-large"})
        answer = self.provider.submit()
        self.assertEqual((answer["code"], answer.get("retryAfterSeconds")), ("too-large", None))

    def test_every_kind_of_signing_key(self):
        for kind in ("rsa", "p256", "p384", "p521"):
            with self.subTest(kind):
                self.assertOutcome(self.provider.submit(key=self.provider.key(kind)), "reply")
        self.assertOutcome(self.provider.submit(before=["pss"]), "reply")

    def test_a_large_submission_takes_no_memory(self):
        small = self.provider.submit()
        body = (b"0123456789" * 7 + b"\r\n") * ((45 << 20) // 72)
        private_id = new_private_id()
        large = self.provider.submit(message(private_id, body), private_id)
        self.assertOutcome(large, "reply")
        self.assertLess(large["peakKiB"] - small["peakKiB"], 2 << 10)

    def fetch(self, content, name="1.eml"):
        with open(self.provider.path(f"inbox/{name}"), "wb") as file:
            file.write(content)
        target = self.provider.path("fetched")
        answer = self.provider.probe("fetch", name, target)
        with open(target, "rb") as file:
            return answer, file.read()

    def test_a_message_out_of_the_mailbox_comes_as_it_lies_there(self):
        for content in (b"", b"Subject: x\r\n\r\n\xff\0\r\r\n.\r\n--part-\r\n", b"abc" * 20000):
            answer, fetched = self.fetch(content)
            self.assertOutcome(answer, "reply")
            self.assertEqual(answer["reply"], {"id": "1.eml", "bytes": len(content)})
            self.assertEqual(fetched, content)

    def test_a_large_message_out_of_the_mailbox_takes_no_memory(self):
        small, _ = self.fetch(b"small")
        large, fetched = self.fetch(b"0123456789abcde\n" * (45 << 16))
        self.assertOutcome(large, "reply")
        self.assertEqual(len(fetched), 45 << 20)
        self.assertLess(large["peakKiB"] - small["peakKiB"], 2 << 10)

    def test_a_message_whose_reply_is_not_signed_as_it_must_be_does_not_count(self):
        for fault in ("unsigned", "bad-signature", "changed-body", "other-signer",
                      "body-not-signed", "truncate"):
            with self.subTest(fault):
                self.provider.fault({"operation": "FetchMessage", "fault": fault})
                answer, _ = self.fetch(b"a letter")
                self.assertOutcome(answer, "no-answer")

    def test_a_new_connection_resumes_the_tls_session(self):
        self.provider.submit(before=["repeat", 1])
        before = len(self.provider.log())
        answers = self.provider.submit(before=["repeat", 3])  # the last two are repetitions
        self.assertEqual([one["outcome"] for one in answers], ["reply", "fault", "fault"])
        records = self.provider.log()[before:]
        self.assertEqual([record["tls"]["resumed"] for record in records], [False, True, True])

    def test_requests_without_content_share_a_connection(self):
        before = len(self.provider.log("connections"))
        self.provider.probe("repeat", 3, "account")
        self.assertEqual(len(self.provider.log("connections")) - before, 1)


class Doubts(WithProvider):
    """Whatever is not a signed, correlated reply leaves the outcome unknown."""

    def test_the_reply_does_not_count(self):
        for fault, words in (
                ("unsigned", "Security"), ("bad-signature", "does not hold"),
                ("changed-body", "Body was changed"), ("other-signer", "not the provider's"),
                ("body-not-signed", "Body is not signed"),
                ("timestamp-not-signed", "Timestamp is not signed"),
                ("action-not-signed", "Action is not signed"),
                ("relatesto-not-signed", "RelatesTo is not signed"),
                ("wrong-relatesto", "another request"), ("stale", "too old"),
                ("future", "of the future"), ("wrapping-header", "Body is not signed"),
                ("wrapping-same-id", "same Id"), ("wrapping-second-body", "one Body"),
                ("wrapping-timestamp", "Timestamp is not signed"),
                ("wrapping-relatesto", "RelatesTo is not signed"), ("doctype", "DOCTYPE"),
                ("attributes", "attributes"), ("deep", "nested deeper"),
                ("http-503", "503"), ("http-status", "429"), ("html", "Content-Type"),
                ("redirect", "307"), ("empty", "XML"), ("wrong-content-type", "Content-Type")):
            for operation, command in (("Submit", None), ("GetAccount", "account")):
                with self.subTest(fault=fault, operation=operation):
                    self.provider.fault({"operation": operation, "fault": fault})
                    answer = (self.provider.probe(command) if command
                              else self.provider.submit())
                    self.assertOutcome(answer, "no-answer", words)

    def test_the_reply_is_about_another_letter(self):
        self.provider.fault({"operation": "*", "fault": "other-private-id"})
        self.assertOutcome(self.provider.submit(), "no-answer", "another privateId")
        self.assertOutcome(self.provider.probe("find", "g1-" + "1" * 40), "no-answer",
                           "another privateId")

    def test_the_reply_is_longer_than_it_may_be(self):
        self.provider.fault({"operation": "*", "fault": "oversized", "bytes": 8 << 20})
        self.assertOutcome(self.provider.submit(), "no-answer", "longer than")

    def test_the_connection_ends_before_the_reply_does(self):
        for fault in ("drop-before", "drop-after", "truncate"):
            with self.subTest(fault):
                before = len(self.provider.log("connections"))
                self.provider.fault({"operation": "Submit", "fault": fault})
                self.assertOutcome(self.provider.submit(), "no-answer", "No reply")
                self.assertEqual(len(self.provider.log("connections")) - before, 1)

    def test_the_reply_does_not_come_in_time(self):
        self.provider.fault({"operation": "Submit", "fault": "delay", "seconds": 6})
        self.assertOutcome(self.provider.submit(before=["patience", 2]), "no-answer", "No reply")
        self.provider.fault({"operation": "Submit", "fault": "drip", "bytesPerSecond": 5})
        self.assertOutcome(self.provider.submit(before=["patience", 1]), "no-answer", "No reply")


class Signers(unittest.TestCase):
    def test_every_kind_of_reply_signer(self):
        for kind, pss in (("rsa", False), ("rsa", True), ("p256", False), ("p384", False),
                          ("p521", False)):
            with self.subTest(kind=kind, pss=pss):
                provider = Provider(signer_type=kind, pss=pss)
                self.addCleanup(provider.close)
                provider.start()
                self.assertEqual(provider.probe("account")["outcome"], "reply")
                both = f"sha256:{'0' * 64},{provider.path('signer.pem')}"
                self.assertEqual(provider.probe("account", signer=both)["outcome"], "reply")


class Tls(WithProvider):
    def test_nobody_listens(self):
        answer = self.provider.submit(port=1)
        self.assertOutcome(answer, "not-sent", "cannot be reached")
        self.assertFalse(answer["loginRefused"])

    def test_a_server_of_another_ca_gets_nothing(self):
        other = Provider()
        self.addCleanup(other.close)
        shutil.copy(self.provider.path("ca.pem"), other.path("ca2.pem"))
        other.config["tls"]["ca"] = "ca2.pem"
        other.start()
        before = len(other.log())
        self.assertOutcome(self.provider.submit(port=other.port), "not-sent", "certificate")
        self.assertEqual(len(other.log()), before)

    def test_a_certificate_that_the_provider_does_not_know(self):
        # TLS 1.3 tells us after our Finished: the request is on its way by then.
        stranger = pki.make_ca(tempfile.mkdtemp(dir=self.provider.directory))
        client = pki.make_client(self.provider.directory, stranger, "stranger")
        answer = self.provider.submit(key=f"{client.key},{client.certificate}")
        self.assertIn(answer["outcome"], ("not-sent", "no-answer"))
        self.assertEqual([record for record in self.provider.log()], [])


class WithToken(unittest.TestCase):
    def test_key_and_certificate_of_a_pkcs11_token(self):
        provider = Provider()
        self.addCleanup(provider.close)
        directory = provider.path("token")
        os.mkdir(directory)
        token = Token(directory)
        token.create()
        for number, key_type in enumerate(("rsa:2048", "EC:prime256v1"), 1):
            label = f"demail-auth-{number}"
            certificate = token.make_key(label, f"0{number}", lambda pem: pki.issue_client(
                provider.ca, pem, "token"), key_type)
            provider.config["accounts"][0]["certificates"].append(pki.sha256_of(certificate))
        provider.start()
        for label in ("demail-auth-1", "demail-auth-2"):
            with self.subTest(label):
                answer = provider.submit(key=token.uri(label), environment=token.environment)
                self.assertEqual(answer["outcome"], "reply", answer)


if __name__ == "__main__":
    unittest.main()
