"""Ordinary mail through a private Postfix to each of four milters: ours, the empty one, OpenDKIM, and
ours again with a hundred thousand sender rules.

All get one and the same message, signed by DKIM so that OpenDKIM verifies it, by a key from a file
instead of DNS. One connection a message, as most of the Internet's mail comes.
"""

import base64
import email.utils
import grp
import hashlib
import os
import re
import subprocess

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from client import Client
from figures import cpu_seconds
from process import Failure, Process
from daemons import find_program, listens

SIZE = 4096
RULES = 100_000
SENDER, DOMAIN, SELECTOR = "ida@internet.example", "internet.example", "bench"
RECIPIENT = "otto@elsewhere.example"
SIGNED = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")
OPENDKIM = "/usr/sbin/opendkim"
OPENDKIM_CONF = """\
Mode v
Socket local:{socket}
TestPublicKeys {keys}
InternalHosts {nobody}
Syslog no
UMask 007
"""


def fields():
    """A header as a mail program and two hops write it."""
    return [
        ("Received", "from relay.internet.example (relay.internet.example [192.0.2.7])\r\n"
                     "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
                     "\tby mx.internet.example (Postfix) with ESMTPS id 4Xk2Qz3Fw1z9sT\r\n"
                     "\tfor <otto@elsewhere.example>; Mon, 3 Feb 2025 09:14:07 +0100 (CET)"),
        ("Received", "from [192.0.2.44] (unknown [192.0.2.44])\r\n"
                     "\tby relay.internet.example (Postfix) with ESMTPSA id 4Xk2Qy1Bb2z3pM;\r\n"
                     "\tMon, 3 Feb 2025 09:14:06 +0100 (CET)"),
        ("Message-ID", "<6f1f8a0e-38b1-4f07-a2a6-2a8f2d6f7c55@internet.example>"),
        ("Date", email.utils.formatdate()),
        ("MIME-Version", "1.0"),
        ("User-Agent", "Mozilla Thunderbird"),
        ("Subject", "Minutes of the meeting on Thursday"),
        ("To", f"Otto Example <{RECIPIENT}>"),
        ("References", "<20250130141500.3F1B2A@elsewhere.example>"),
        ("From", f"Ida Example <{SENDER}>"),
        ("In-Reply-To", "<20250130141500.3F1B2A@elsewhere.example>"),
        ("Content-Type", "text/plain; charset=UTF-8; format=flowed"),
        ("Content-Transfer-Encoding", "8bit"),
    ]


def relaxed(name, value):
    """RFC 6376 3.4.2."""
    value = re.sub(r"[ \t]+", " ", value.replace("\r\n", "")).strip()
    return f"{name.lower()}:{value}"


def signed_message(key):
    """SIZE octets with a DKIM signature (relaxed/simple, rsa-sha256), CRLF line ends."""
    header = fields()
    block = "".join(f"{name}: {value}\r\n" for name, value in header)
    line = "A line of ordinary text, as long as lines of letters are wont to be.\r\n"
    body = line * 64
    body = body[:SIZE - 2 - len(block) - 640].rpartition("\r\n")[0] + "\r\n"
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    unsigned = (f"v=1; a=rsa-sha256; c=relaxed/simple; d={DOMAIN}; s={SELECTOR};\r\n"
                f"\th={':'.join(SIGNED)};\r\n\tbh={digest};\r\n\tb=")
    by_name = {name.lower(): (name, value) for name, value in header}
    text = "".join(relaxed(*by_name[name]) + "\r\n" for name in SIGNED)
    text += relaxed("DKIM-Signature", unsigned)
    value = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    signature = unsigned + "\r\n\t ".join(re.findall(".{1,70}", value))
    return f"DKIM-Signature: {signature}\r\n{block}\r\n{body}"


class MilterLoad:
    """`ports`: {milter: port} of Postfix's listeners, one for each milter."""

    def __init__(self, box, build_directory, ports):
        self.box, self.ports = box, ports
        self.directory = os.path.join(box.directory, "bench")
        self.sockets = os.path.join(box.postfix.spool, "bench")
        self.message = os.path.join(self.directory, "message")
        self.empty = Process("empty-milter", [
            os.path.join(build_directory, "tests/bench/empty-milter"), self.socket("empty")],
            box.directory)
        self.opendkim = Process("opendkim", [
            OPENDKIM, "-f", "-x", os.path.join(self.directory, "opendkim.conf")], box.directory)
        self.rules = Process("demail-milter-rules", [
            find_program(build_directory, "demail-milter"), "--config",
            os.path.join(self.directory, "rules.toml")], box.directory, {"DEMAIL_LOG": "stderr"})
        self.processes = {"demail": box.milter, "empty": self.empty, "opendkim": self.opendkim,
                          "rules": self.rules}

    def socket(self, name):
        if name == "demail":
            return self.box.postfix.milter_socket
        return os.path.join(self.sockets, f"{name}.sock")

    @staticmethod
    def services(ports):
        """master.cf's lines: for the sandbox's creation."""
        sockets = {"demail": "demail-milter/milter.sock", "empty": "bench/empty.sock",
                   "opendkim": "bench/opendkim.sock", "rules": "bench/rules.sock"}
        return [f"127.0.0.1:{port} inet n - n - - smtpd -o "
                f"{{ smtpd_milters={{ unix:{sockets[name]}, default_action=tempfail }} }}"
                for name, port in ports.items()]

    def create(self):
        if not os.access(OPENDKIM, os.X_OK):
            raise Failure("opendkim is not installed: apt-get install opendkim")
        os.makedirs(self.directory)
        os.makedirs(self.sockets)
        os.chown(self.sockets, -1, grp.getgrnam("postfix").gr_gid)
        os.chmod(self.sockets, 0o2750)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = base64.b64encode(key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()
        self._write("keys", f"{SELECTOR}._domainkey.{DOMAIN} v=DKIM1; k=rsa; p={public}\n")
        self._write("nobody", "192.0.2.255\n")
        self._write("opendkim.conf", OPENDKIM_CONF.format(
            socket=self.socket("opendkim"), keys=os.path.join(self.directory, "keys"),
            nobody=os.path.join(self.directory, "nobody")))
        self._create_rules()
        message = signed_message(key)
        # smtp-source ends each line with CRLF itself.
        self._write("message", message.replace("\r\n", "\n"))

    def _create_rules(self):
        self._write("senders", "".join(
            f"person{i}@firm.example person{i}@firm.de-mail.de login=person{i}\n"
            for i in range(RULES)))
        domains = 'domains = ["firm.de-mail.de"]\n'
        file = os.path.join(self.directory, "senders")
        self._write("rules.toml", self.box.daemons.configuration().replace(
            self.box.postfix.milter_socket, self.socket("rules")).replace(
            domains, f'{domains}senders_file = "{file}"\n'))

    def _write(self, name, text):
        with open(os.path.join(self.directory, name), "w", encoding="ascii") as file:
            file.write(text)

    def start(self):
        before = os.umask(0o007)
        try:
            for process, name in ((self.empty, "empty"), (self.opendkim, "opendkim"),
                                  (self.rules, "rules")):
                process.start()
                process.wait_until(lambda name=name: listens(self.socket(name)), "its socket")
        finally:
            os.umask(before)

    def stop(self):
        self.empty.stop()
        self.opendkim.stop()
        self.rules.stop()

    def check_verification(self):
        """OpenDKIM must do what it is measured at: its verdict is in what it lets pass."""
        before = len(self.box.kept(self.box.mailboxes))
        self.send("opendkim", 1, "otto@firm.example")
        self.box.postfix.wait_empty()
        kept = self.box.kept(self.box.mailboxes)[before:]
        if len(kept) != 1 or b"dkim=pass" not in kept[0]["content"]:
            raise Failure("OpenDKIM did not verify the message: "
                          f"{kept and kept[0]['content'][:600]}")

    def check_rules(self):
        """They are in force, read and in memory: the last of them lets somebody send."""
        with Client(self.ports["rules"], login=f"person{RULES - 1}") as client:
            client.envelope(f"person{RULES - 1}@firm.example", ["bob@other.de-mail.de"])

    def send(self, name, count, recipient=RECIPIENT):
        subprocess.run(["smtp-source", "-s", "2", "-m", str(count), "-F", self.message, "-f",
                        SENDER, "-t", recipient, f"127.0.0.1:{self.ports[name]}"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.directory)

    def load(self, name, count):
        """Milliseconds of CPU of the milter for one message."""
        pid = self.processes[name].pid
        before = cpu_seconds(pid)
        self.send(name, count)
        return (cpu_seconds(pid) - before) * 1000 / count
