"""What the end-to-end tests share: one sandbox for each test class, and the words they use.

BUILDDIR says where the daemons were built (default: the current directory).
"""

import os
import re
import sys
import tempfile
import unittest

SOURCE = os.path.realpath(os.environ.get("SRCDIR") or
                          os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, os.path.join(SOURCE, "contrib/sandbox"))

from card_token import CardToken  # noqa: E402,F401
from client import Client, Refused, message  # noqa: E402,F401
from process import Failure, wait_for  # noqa: E402,F401
from sandbox import Sandbox  # noqa: E402
from softhsm import Token  # noqa: E402

BUILD = os.path.realpath(os.environ.get("BUILDDIR") or os.getcwd())
BOB = "bob@other.de-mail.de"
DORA = "dora@other.de-mail.de"
EMIL = "emil@other.de-mail.de"
ANNA = "anna@firm.example"
ANNA_DE_MAIL = "anna@firm.de-mail.de"

OPTIONS = ("confirmation-of-dispatch", "confirmation-of-receipt", "confirmation-of-retrieve",
           "authoritative", "private")


def body_of(content):
    return content.partition(b"\r\n\r\n")[2]


def fields_of(content):
    """The header's fields as they stand, folding kept: [(name in lower case, whole bytes)]."""
    fields = []
    for line in content.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        if line[:1] in b" \t" and fields:
            name, octets = fields[-1]
            fields[-1] = (name, octets + b"\r\n" + line)
        else:
            fields.append((line.partition(b":")[0].decode("latin-1").strip().lower(), line))
    return fields


class EndToEnd(unittest.TestCase):
    """setUpClass starts a sandbox from `options` (Sandbox.create); tests share it."""

    options = {}
    token = Token
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="demail-e2e-", dir="/tmp")
        keep = bool(os.environ.get("KEEP"))
        cls.box = Sandbox(directory, BUILD, keep=keep, token=cls.token)
        cls.addClassCleanup(cls.box.__exit__)
        try:
            cls.box.create(**cls.options)
            cls.prepare()
            cls.box.start()
        except Exception:
            cls.show_logs()
            raise

    @classmethod
    def prepare(cls):
        """Between create() and start()."""

    @classmethod
    def show_logs(cls):
        print(f"--- {cls.box.directory}", file=sys.stderr)
        for name, text in (("postfix", cls.box.postfix.log()),
                           *((part.name, part.log()) for part in cls.box.parts)):
            print(f"--- {name}\n{text[-3000:]}", file=sys.stderr)

    def run(self, result=None):
        bad = lambda: len(result.failures) + len(result.errors) if result else 0  # noqa: E731
        before = bad()
        super().run(result)
        if bad() > before:
            self.show_logs()

    def setUp(self):
        self.before = {"accepted": len(self.box.accepted()),
                       "internet": len(self.box.kept(self.box.internet)),
                       "mailboxes": len(self.box.kept(self.box.mailboxes))}

    # Since the test began:

    def accepted(self, count, timeout=30):
        """Exactly `count` submissions, the queue empty; sorted by their first recipient."""
        new = lambda: self.box.accepted()[self.before["accepted"]:]  # noqa: E731
        wait_for(lambda: len(new()) >= count and self.box.postfix.empty(), timeout,
                 f"{count} submissions and an empty queue")
        found = new()
        self.assertEqual(len(found), count)
        return found

    def kept(self, sink, count, timeout=30):
        sink = getattr(self.box, sink)
        new = lambda: self.box.kept(sink)[self.before[sink.name]:]  # noqa: E731
        wait_for(lambda: len(new()) >= count, timeout, f"{count} messages at {sink.name}")
        self.assertEqual(len(new()), count)
        return new()

    def bounce(self, timeout=30):
        """The one bounce that reached a mailbox: its content as text."""
        kept = self.kept("mailboxes", 1, timeout)[0]
        self.assertEqual(kept["sender"], "")
        return kept["content"].decode("utf-8", "replace")

    def nothing_left(self):
        """Neither the provider nor the Internet got anything in this test."""
        self.assertEqual(len(self.box.accepted()), self.before["accepted"])
        self.assertEqual(len(self.box.kept(self.box.internet)), self.before["internet"])

    def send(self, to, content=None, sender=ANNA, login="anna", address=None, parameters=""):
        content = content if content is not None else message(sender, to)
        with self.box.client(login=login, address=address) as client:
            return client.send(sender, to, content, parameters)

    def lmtp_at_once(self, sockets, content):
        """One hand-over of ANNA's to BOB by a client at each socket, the last dots together; the
        replies."""
        clients = [Client(socket, lmtp=True) for socket in sockets]
        for client in clients:
            client.envelope(ANNA, [BOB])
            client.command("DATA")
        for client in clients:
            client.write(content + b".\r\n")
        replies = [client.read_reply() for client in clients]
        for client in clients:
            client.__exit__()
        return replies

    def refused(self, *arguments, **options):
        """Sends and expects a refusal; its text."""
        with self.assertRaises(Refused) as caught:
            self.send(*arguments, **options)
        return caught.exception.reply

    def check_content(self, submission, sent, recipients, options=(), sender=ANNA_DE_MAIL):
        """The provider keeps what contracts.md says: the metadata by `recipients`
        ({"to": [address…], "cc": …, "bcc": …}) and `options`, else `sent` byte for byte (with
        From as it shall be, without the fields that shall go)."""
        content = submission["content"]
        fields = fields_of(content)
        metadata = [(name, octets) for name, octets in fields if name.startswith("x-de-mail")]
        self.assertEqual(fields[:len(metadata)], metadata, "metadata come first")
        values = {name: octets.partition(b":")[2].replace(b"\r\n", b"").decode("ascii").strip()
                  for name, octets in metadata}
        self.assertEqual(len(values), len(metadata), "a metadata field stands twice")
        self.assertEqual(read_chosen(values.pop("x-de-mail-chosen-recipient")), recipients)
        self.assertRegex(values["x-de-mail-private-id"], r"^g1-[0-9a-f]{40}(;|$)")
        self.assertEqual(values.pop("x-de-mail-private-id"), submission["privateId"])
        self.assertEqual(values.pop("x-de-mail-sender"), sender)
        self.assertEqual(values, {f"x-de-mail-{name}": "yes" if name in options else "no"
                                  for name in OPTIONS})
        rest = b"".join(octets + b"\r\n" for name, octets in fields[len(metadata):])
        self.assertEqual(rest + b"\r\n" + body_of(content), sent)
        self.assertEqual(self.evidence(submission)["submitted.eml"], content)

    def evidence(self, submission):
        """What the relay keeps of it: {file's name: bytes}."""
        directory = self.box.daemons.evidence_of(submission["privateId"])
        found = {}
        for name in os.listdir(directory):
            with open(os.path.join(directory, name), "rb") as file:
                found[name] = file.read()
        return found


def read_chosen(text):
    """x-de-mail-chosen-recipient: {"to": [addresses, sorted], …}."""
    found = {}
    for part in re.sub(r"\s", "", text).split(";"):
        field, _, addresses = part.partition("=")
        if field in found:
            raise AssertionError(f"{field} stands twice in {text}")
        found[field] = sorted(addresses.split(","))
    return found


def main():
    unittest.main(verbosity=2)
