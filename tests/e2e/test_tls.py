#!/usr/bin/python3
"""Every key, every TLS: the simulator narrowed to what providers are known to speak, tokens that
can do less than SoftHSM, and the signatures checked by programs that are not ours.
"""
import base64
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)

from test_soap import BUILD, Provider, message, new_private_id  # noqa: E402
import pki  # noqa: E402
from softhsm import Token  # noqa: E402

SHIM = os.path.join(BUILD, "tests/shim/pkcs11-shim.so")
CKM_RSA_X_509, CKM_RSA_PKCS_PSS = 0x3, 0xD
KEYS = ("rsa", "rsa4096", "p256", "p384", "p521", "brainpoolP256r1")
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
SOAP, WSA = "http://www.w3.org/2003/05/soap-envelope", "http://www.w3.org/2005/08/addressing"


def narrowed(test, server_key="p256", **tls):
    """A provider with a client of every kind of key, its TLS narrowed."""
    provider = Provider()
    test.addCleanup(provider.close)
    pki.make_server(provider.directory, provider.ca, "server", server_key)
    for kind in KEYS:
        if kind not in provider.clients:
            client = pki.make_client(provider.directory, provider.ca, f"client-{kind}", kind)
            provider.clients[kind] = client
            provider.config["accounts"][0]["certificates"].append(client.sha256)
    provider.config["tls"].update(tls)
    provider.start()
    return provider


class EveryKey(unittest.TestCase):
    def submitted(self, provider, kind, **expected):
        with self.subTest(kind):
            answer = provider.submit(key=provider.key(kind))
            self.assertEqual(answer["outcome"], "reply", answer)
            tls = provider.log()[-1]["tls"]
            self.assertEqual({key: tls[key] for key in expected}, expected)

    def test_rsa_aes256_sha384_and_p_521_alone(self):
        provider = narrowed(self, "rsa", maximum="1.2", group="secp521r1",
                            ciphers="ECDHE-RSA-AES256-SHA384")
        for kind in ("rsa", "rsa4096", "p521"):  # others are on curves that this server has not
            self.submitted(provider, kind, version="TLSv1.2", cipher="ECDHE-RSA-AES256-SHA384")

    def test_tls_1_3_alone(self):
        provider = narrowed(self, minimum="1.3")
        for kind in KEYS[:-1]:
            self.submitted(provider, kind, version="TLSv1.3")
        answer = provider.submit(key=provider.key("brainpoolP256r1"))
        self.assertEqual(answer["outcome"], "not-sent")
        self.assertIn("none of our versions", answer["why"])

    def test_tls_1_2_alone(self):
        provider = narrowed(self, maximum="1.2")
        for kind in KEYS[:-1]:
            self.submitted(provider, kind, version="TLSv1.2")

    def test_brainpool(self):
        provider = narrowed(self, "rsa", group="brainpoolP256r1")
        self.submitted(provider, "brainpoolP256r1", version="TLSv1.2")


class SignaturesByOthers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.provider = Provider()
        cls.addClassCleanup(cls.provider.close)
        for kind in KEYS:
            if kind not in cls.provider.clients:
                cls.provider.clients[kind] = pki.make_client(
                    cls.provider.directory, cls.provider.ca, f"client-{kind}", kind)

    def request(self, kind, *before):
        """The request as it would go out, and its message."""
        content = message(new_private_id(), b"Gr\xc3\xbc\xc3\x9fe\r\n" * 100)
        envelope = os.path.join(self.provider.directory, f"envelope-{kind}.xml")
        eml = os.path.join(self.provider.directory, "content.eml")
        with open(eml, "wb") as file:
            file.write(content)
        self.provider.submit(content, before=[*before, "write", envelope], port=1,
                             key=self.provider.key(kind))
        return envelope, eml

    def by_hand(self, envelope, content, kind):
        return subprocess.run([os.path.join(HERE, "verify_by_hand.sh"), envelope, content,
                               self.provider.clients[kind].certificate],
                              capture_output=True, text=True, check=False)

    def test_openssl_and_a_shell(self):
        for kind, before, method in (*((kind, (), None) for kind in KEYS),
                                     ("rsa", ("pss",), "2007/05/xmldsig-more#sha256-rsa-MGF1"),
                                     ("rsa4096", ("pss",), "2007/05/xmldsig-more#sha256-rsa-MGF1")):
            with self.subTest(kind, before=before):
                envelope, content = self.request(kind, *before)
                done = self.by_hand(envelope, content, kind)
                self.assertEqual(done.returncode, 0, done.stderr)
                if method:
                    self.assertEqual(done.stdout.strip(), "http://www.w3.org/" + method)

    def test_the_shell_would_see_a_forgery(self):
        envelope, content = self.request("p256")
        with open(envelope, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("alice@", text)
        with open(envelope, "w", encoding="utf-8") as file:
            file.write(text.replace("alice@", "malice@"))
        self.assertIn("digest of infoset", self.by_hand(envelope, content, "p256").stderr)
        with open(envelope, "w", encoding="utf-8") as file:
            file.write(text)
        with open(content, "ab") as file:
            file.write(b".")
        self.assertIn("digest of infoset", self.by_hand(envelope, content, "p256").stderr)
        envelope, content = self.request("p256")
        self.provider.clients["other"] = pki.make_client(
            self.provider.directory, self.provider.ca, "other-p256", "p256")
        self.assertIn("does not hold", self.by_hand(envelope, content, "other").stderr)

    def test_xmlsec1(self):
        for kind in KEYS:  # it has no PSS
            with self.subTest(kind):
                envelope, content = self.request(kind)
                with open(envelope, encoding="utf-8") as file:
                    text = file.read()
                with open(content, "rb") as file:
                    inline = base64.b64encode(file.read()).decode()
                whole = re.sub("<xop:Include.*</xop:Include>", inline, text)
                self.assertNotEqual(whole, text)
                verdicts = []
                for document in (whole, whole.replace("alice@", "malice@")):
                    with open(envelope, "w", encoding="utf-8") as file:
                        file.write(document)
                    verdicts.append(subprocess.run(
                        ["xmlsec1", "--verify", "--pubkey-cert-pem",
                         self.provider.clients[kind].certificate,
                         *(word for name in (f"{SOAP}:Body", f"{WSU}:Timestamp", f"{WSA}:To",
                                             f"{WSA}:Action", f"{WSA}:MessageID")
                           for word in ("--id-attr:Id", name)), envelope],
                        capture_output=True, text=True, check=False))
                self.assertEqual(verdicts[0].returncode, 0, verdicts[0].stderr)
                self.assertNotEqual(verdicts[1].returncode, 0)


class WithShim(unittest.TestCase):
    """A token that the shim stands in front of: what it can do, and how often it is asked."""

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(SHIM):
            raise unittest.SkipTest(f"{SHIM} is not built")
        cls.provider = Provider()
        cls.addClassCleanup(cls.provider.close)
        directory = cls.provider.path("token")
        os.mkdir(directory)
        cls.token = Token(directory)
        cls.token.create()
        certificate = cls.token.make_key("key", "01", lambda pem: pki.issue_client(
            cls.provider.ca, pem, "token"), "rsa:2048")
        cls.provider.config["accounts"][0]["certificates"].append(pki.sha256_of(certificate))
        cls.provider.start()

    def submit(self, *control, before=()):
        """The answers, and the shim's log."""
        with tempfile.TemporaryDirectory(dir=self.provider.directory) as scratch:
            names = [os.path.join(scratch, name) for name in ("control", "log")]
            with open(names[0], "w", encoding="ascii") as file:
                file.write("".join(line + "\n" for line in control))
            uri = self.token.uri("key").replace(self.token.module, SHIM)
            answers = self.provider.submit(key=uri, before=before, environment={
                **self.token.environment, "DEMAIL_SHIM_MODULE": self.token.module,
                "DEMAIL_SHIM_CONTROL": names[0], "DEMAIL_SHIM_LOG": names[1],
                "DEMAIL_LOG": "stderr"})
            with open(names[1], encoding="ascii") as file:
                return answers, file.read().splitlines()

    def test_pkcs1_alone_means_tls_1_2(self):
        answer, _ = self.submit()
        self.assertEqual(answer["outcome"], "reply", answer)
        self.assertEqual(self.provider.log()[-1]["tls"]["version"], "TLSv1.3")
        answer, log = self.submit(f"hide {CKM_RSA_X_509}", f"hide {CKM_RSA_PKCS_PSS}")
        self.assertEqual(answer["outcome"], "reply", answer)
        self.assertEqual(self.provider.log()[-1]["tls"]["version"], "TLSv1.2")
        self.assertEqual(log.count("C_Sign CKR_OK"), 2)

    def test_pss_that_is_listed_and_refused_is_learnt_of(self):
        answers, _ = self.submit(f"hide {CKM_RSA_X_509}", f"refuse {CKM_RSA_PKCS_PSS}",
                                 before=["repeat", 2])
        self.assertEqual([one["outcome"] for one in answers], ["token-fault", "reply"], answers)
        self.assertEqual(self.provider.log()[-1]["tls"]["version"], "TLSv1.2")

    def test_a_series_costs_one_tls_signature(self):
        answers, log = self.submit(before=["repeat", 5])
        self.assertEqual([one["outcome"] for one in answers], ["reply"] + ["fault"] * 4)
        self.assertEqual(log.count("C_Sign CKR_OK"), 1 + 5)


if __name__ == "__main__":
    unittest.main()
