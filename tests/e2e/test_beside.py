"""Beside other programs: milters before ours that sign and that change the body, and a content
filter that hands messages back."""

import base64
import grp
import os
import sys
import unittest

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from handing_back import Filter
from harness import ANNA, BOB, Client, EndToEnd, SOURCE, body_of, fields_of, main, message, wait_for

from daemons import listens
from process import Process
from sandbox import free_port

try:
    import dkim
except ImportError:
    dkim = None

OPENDKIM = "/usr/sbin/opendkim"
OURS = "{ unix:demail-milter/milter.sock, default_action=tempfail }"
LINE = b"Registered at Musterstadt, HRB 1.\r\n"
CARL = "carl@elsewhere.example"


class Milters(EndToEnd):
    """A disclaimer, then OpenDKIM's signature, ours last."""

    @classmethod
    def prepare(cls):
        if dkim is None or not os.access(OPENDKIM, os.X_OK):
            raise unittest.SkipTest("opendkim, python3-dkim or python3-milter is not installed")
        postfix = cls.box.postfix
        sockets = os.path.join(postfix.spool, "beside")
        os.makedirs(sockets)
        os.chown(sockets, -1, grp.getgrnam("postfix").gr_gid)
        os.chmod(sockets, 0o2750)
        cls.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key_file = os.path.join(cls.box.directory, "dkim.key")
        with open(key_file, "wb") as file:
            os.chmod(key_file, 0o600)
            file.write(cls.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption()))
        conf = os.path.join(cls.box.directory, "opendkim.conf")
        opendkim, disclaimer = (os.path.join(sockets, name) for name in ("dkim", "disclaimer"))
        with open(conf, "w", encoding="ascii") as file:
            file.write(f"Mode s\nSocket local:{opendkim}\nDomain firm.example\nSelector s\n"
                       f"KeyFile {key_file}\nSyslog no\nUMask 007\n"
                       "RequireSafeKeys no\n")
        program = os.path.join(SOURCE, "tests/e2e/disclaimer_milter.py")
        for name, command, socket in (
                ("opendkim", [OPENDKIM, "-f", "-x", conf], opendkim),
                ("disclaimer", [sys.executable, program, disclaimer, LINE.decode().strip()], disclaimer)):
            process = Process(name, command, cls.box.directory)
            before = os.umask(0o007)
            process.start()
            os.umask(before)
            cls.addClassCleanup(process.stop)
            process.wait_until(lambda socket=socket: listens(socket), "its socket")
        postfix.configure({"smtpd_milters": "{ unix:beside/disclaimer, default_action=tempfail }, "
                                            "{ unix:beside/dkim, default_action=tempfail }, " + OURS,
                           "non_smtpd_milters": OURS})

    def test_the_de_mail_has_what_the_first_added_and_not_what_the_second_signed(self):
        content = message(ANNA, [BOB])
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.assertEqual(body_of(submission["content"]), body_of(content) + LINE)
        self.assertNotIn("dkim-signature", [name for name, _ in fields_of(submission["content"])])

    def test_the_internets_copy_keeps_a_signature_that_holds_and_loses_the_seal(self):
        self.send([BOB, CARL], message(ANNA, [BOB, CARL]))
        self.accepted(1)
        copy, = self.kept("internet", 1)
        names = [name for name, _ in fields_of(copy["content"])]
        self.assertIn("dkim-signature", names)
        self.assertEqual([name for name in names if "demail" in name.replace("-", "")], [])
        public = base64.b64encode(self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))
        self.assertTrue(dkim.verify(copy["content"],
                                    dnsfunc=lambda *_, **__: b"v=DKIM1; k=rsa; p=" + public))


class WithContentFilter(EndToEnd):
    """Behind the queue; hands back to an smtpd with these options."""

    back = ""

    @classmethod
    def prepare(cls):
        postfix = cls.box.postfix
        cls.ports = {name: free_port() for name in ("filter", "back")}
        cls.filter = Filter(cls.ports["filter"], cls.ports["back"])
        cls.addClassCleanup(cls.filter.close)
        postfix.services += [
            f"127.0.0.1:{cls.ports['back']} inet n - n - - smtpd -o content_filter= "
            f"-o smtpd_authorized_xclient_hosts= {cls.back}",
            # What is for the Internet loses its seal; what is for the filter keeps it.
            "scan unix - - n - - smtp -o smtp_header_checks= -o smtp_nested_header_checks="]
        postfix.configure({"content_filter": f"scan:[127.0.0.1]:{cls.ports['filter']}"})
    def change(self, change):
        self.filter.change = change
        self.addCleanup(setattr, self.filter, "change", bytes)


class FilterBesideTheMilter(WithContentFilter):
    """Its smtpd runs no milter: the relay alone looks at the seal."""

    back = "-o receive_override_options=no_milters"

    def test_a_de_mail_comes_back_with_its_seal(self):
        content = message(ANNA, [BOB])
        self.change(lambda octets: b"X-Virus-Scanned: yes\r\n" + octets)
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.assertEqual(body_of(submission["content"]), body_of(content))

    def test_what_the_filter_changed_bounces_with_the_reason(self):
        self.change(lambda octets: octets + b"Scanned by all means.\r\n")
        self.send([BOB])
        self.assertRegex(self.bounce(), r"5\.7\.7 [^<]*changed after the De-Mail\s+gateway")
        self.nothing_left()


class ContentFilter(WithContentFilter):
    """Its smtpd runs our milter again."""

    @classmethod
    def prepare(cls):
        super().prepare()
        daemons = cls.box.daemons
        daemons.write_configuration(daemons.configuration().replace(
            "[milter]\n", '[milter]\nreinjection = ["127.0.0.1"]\n', 1))

    def test_a_de_mail_comes_back_with_its_seal(self):
        content = message(ANNA, [BOB])
        self.change(lambda octets: b"X-Virus-Scanned: yes\r\n" + octets)
        self.send([BOB], content)
        submission, = self.accepted(1)
        self.assertEqual(body_of(submission["content"]), body_of(content))
        self.assertIn("event=reinjected", self.box.milter.log())

    def test_both_recipients_of_a_mixed_message_get_it(self):
        self.send([BOB, CARL], message(ANNA, [BOB, CARL]))
        self.accepted(1)
        copy, = self.kept("internet", 1)
        self.assertNotIn(b"demail-seal", copy["content"].lower())

    def test_what_the_filter_changed_bounces_with_the_reason(self):
        self.change(lambda octets: octets + b"Scanned by all means.\r\n")
        self.send([BOB])
        self.assertRegex(self.bounce(), r"5\.7\.7 [^<]*changed after the De-Mail\s+gateway")
        self.nothing_left()

    def test_nobody_else_is_helped_by_the_port(self):
        """No right, and no seal or somebody else's: refused."""
        self.send([BOB], message(ANNA, [BOB]))
        submission, = self.accepted(1)
        received = self.evidence(submission)["received.eml"]
        with Client(self.ports["back"]) as client:
            client.envelope("eve@elsewhere.example", [BOB])
            client.command("DATA")
            client.write(message("eve@elsewhere.example", [BOB]) + b".\r\n")
            self.assertRegex(client.read_reply(), r"^550 5\.7\.1 ")
        seal, = (octets for name, octets in fields_of(received) if name == "demail-seal")
        with Client(self.ports["back"]) as client:
            client.envelope("eve@elsewhere.example", [BOB])
            client.command("DATA")
            client.write(seal + b"\r\n" + message("eve@elsewhere.example", [BOB]) + b".\r\n")
            self.assertRegex(client.read_reply(), r"^550 5\.7\.7 ")
        # The very message once more is the letter that went out: nothing goes twice.
        with Client(self.ports["back"]) as client:
            client.send(ANNA, [BOB], received)
        wait_for(self.box.postfix.empty, 30, "an empty queue")
        self.assertEqual(len(self.box.accepted()), self.before["accepted"] + 1)


if __name__ == "__main__":
    main()
