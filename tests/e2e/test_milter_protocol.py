#!/usr/bin/python3
"""demail-milter against peers that no good MTA is: it goes on, and nobody gets a right by it."""

import os
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True

from harness import BUILD  # noqa: E402
from daemons import find_program  # noqa: E402
from milter_peer import ALL_ACTIONS, CHANGE_SENDER, Gone, Peer, strings  # noqa: E402

ANNA = "<anna@firm.example>"
BOB = "<bob@x.de-mail.de>"
FROM_ANNA = ("From", " Anna <anna@firm.example>")
LIST = "de-mail.de active\n.de-mail.de active\n"

CONFIGURATION = """\
[milter]
socket = "{0}/milter.sock"
[relay]
domains = "{0}/domains"
[seal]
key_file = "{0}/seal.key"
[[provider]]
name = "p"
profile = "reference"
endpoint = "https://provider.example/demail"
ca_file = "{0}/ca.pem"
reply_signer = ["sha256:{1}"]
auth_key = "pkcs11:token=t;object=demail-auth"
[[account]]
name = "firm"
provider = "p"
domains = ["firm.de-mail.de"]
[[account.sender]]
from = "*@firm.example"
as = "*@firm.de-mail.de"
login = "*"
"""


class MilterProtocol(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="demail-milter-")
        self.addCleanup(scratch.cleanup)
        self.directory = scratch.name
        self.write("demail.toml", CONFIGURATION.format(self.directory, "0" * 64))
        self.write("seal.key", "k1 " + "a" * 64 + "\n", 0o640)
        for name, text in (("domains", LIST), ("domains.indexed", LIST), ("domains.db", "")):
            self.write(name, text)
        self.path = os.path.join(self.directory, "milter.sock")
        self.start()

    def write(self, name, text, mode=0o644):
        with open(os.open(os.path.join(self.directory, name),
                          os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w",
                  encoding="ascii") as file:
            file.write(text)

    def start(self):
        self.milter = subprocess.Popen(
            [find_program(BUILD, "demail-milter"), "--config",
             os.path.join(self.directory, "demail.toml")],
            env=dict(os.environ, DEMAIL_LOG="stderr"), stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.end, self.milter)
        for _ in range(100):
            try:
                Peer(self.path).close()
                return
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        self.fail("the milter does not listen")

    @staticmethod
    def end(milter):
        if milter.poll() is None:
            milter.kill()
        milter.wait()
        milter.stderr.close()

    def peer(self, **options):
        peer = Peer(self.path, **options)
        self.addCleanup(peer.close)
        return peer

    def assert_lives(self):
        self.assertIsNone(self.milter.poll())
        self.assert_seals(self.peer())

    def assert_seals(self, peer):
        peer.mail(ANNA, login="anna")
        self.assertEqual(peer.recipient(BOB), "continue")
        peer.header(FROM_ANNA)
        self.assertEqual(peer.end_of_header(), "continue")
        self.assertEqual(peer.body(b"Good day.\r\n"), "continue")
        changes, verdict = peer.end_of_message()
        self.assertEqual(verdict, "continue")
        self.assertEqual([(index, name) for index, name, _ in changes], [(0, "Demail-Seal")])

    def test_a_de_mail_is_sealed(self):
        self.assert_lives()

    def test_no_bounce_of_a_de_mail_has_its_body(self):
        peer = self.peer()
        self.assert_seals(peer)
        self.assertEqual(peer.sender, (ANNA, "RET=HDRS"))

    def test_a_peer_that_cannot_change_the_sender_is_served(self):
        peer = self.peer(actions=ALL_ACTIONS & ~CHANGE_SENDER)
        self.assert_seals(peer)
        self.assertIsNone(peer.sender)

    def test_the_socket_is_for_owner_and_group(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o660)

    def test_ordinary_mail_is_let_go_at_the_end_of_its_header(self):
        peer = self.peer()
        peer.mail("<x@elsewhere.example>")
        self.assertEqual(peer.recipient("<y@elsewhere.example>"), "continue")
        peer.header(("From", " x@elsewhere.example"))
        self.assertEqual(peer.end_of_header(), "accept")

    def test_forged_fields_go_the_highest_index_first_and_the_body_is_skipped(self):
        peer = self.peer()
        peer.mail("<x@elsewhere.example>")
        self.assertEqual(peer.recipient("<y@elsewhere.example>"), "continue")
        peer.header(("X-De-Mail-Version", " 1"), ("Subject", " x"), ("x-de-mail-version", " 2"))
        self.assertEqual(peer.end_of_header(), "continue")
        self.assertEqual(peer.body(b"x" * 65535), "skip")
        changes, verdict = peer.end_of_message()
        self.assertEqual(verdict, "continue")
        self.assertEqual(changes, [(2, "x-de-mail-version", ""), (1, "X-De-Mail-Version", "")])
        self.assertIsNone(peer.sender)

    def test_a_login_does_not_outlive_its_message(self):
        peer = self.peer()
        self.assert_seals(peer)
        peer.mail(ANNA)
        self.assertTrue(peer.recipient(BOB).startswith("550 5.7.1 "))

    def test_nothing_of_an_aborted_message_is_left(self):
        peer = self.peer()
        peer.mail(ANNA, login="anna")
        self.assertEqual(peer.recipient(BOB), "continue")
        peer.header(FROM_ANNA, ("Demail-Seal", " v=1"))
        peer.abort()
        peer.mail("<x@elsewhere.example>")
        self.assertEqual(peer.recipient("<y@elsewhere.example>"), "continue")
        peer.header(("From", " x@elsewhere.example"))
        self.assertEqual(peer.end_of_header(), "accept")
        self.assert_seals(peer)

    def test_steps_out_of_order_open_nothing(self):
        # libmilter drops them without a reply.
        peer = self.peer()
        peer.packet("R", strings(BOB))
        peer.header(FROM_ANNA)
        peer.packet("N")
        peer.packet("B", b"x")
        peer.packet("E")
        peer.mail(ANNA)
        self.assertTrue(peer.recipient(BOB).startswith("550 5.7.1 "))
        self.assert_seals(peer)

    def test_empty_packets_hurt_nobody(self):
        for command in "DCHMRLNBEKQUXx":
            peer = self.peer()
            try:
                peer.packet(command)
                peer.packet(command, b"\0")
                peer.packet(command, b"no end")
                peer.packet("Q")
                while True:
                    peer.reply()
            except (Gone, BrokenPipeError, ConnectionResetError):
                pass
            peer.close()
        self.assert_lives()

    def test_empty_arguments_of_mail_and_rcpt_give_no_right(self):
        peer = self.peer()
        peer.macros("M", client_addr="192.0.2.7", daemon_port="587")
        peer.packet("M", b"\0")
        peer.packet("R", b"\0")
        self.assertIn(peer.verdict(), ("continue", "tempfail"))
        self.assertTrue(peer.recipient(BOB).startswith("550 5.7.1 "))
        self.assert_lives()

    def test_a_message_without_macros_has_no_right(self):
        peer = self.peer()
        peer.packet("M", strings(ANNA))
        self.assertTrue(peer.recipient(BOB).startswith("550 5.7.1 "))

    def test_a_peer_that_cannot_change_headers_is_turned_away(self):
        with self.assertRaises(Gone):
            Peer(self.path, actions=0x2)
        self.assert_lives()

    def test_an_old_peer_that_wants_every_reply_is_served(self):
        peer = self.peer(actions=0x3f, steps=0x7f)
        peer.macros("M", client_addr="192.0.2.7", daemon_port="587", auth_authen="anna")
        peer.packet("M", strings(ANNA))
        self.assertEqual(peer.verdict(), "continue")
        self.assertEqual(peer.recipient(BOB), "continue")
        peer.header(FROM_ANNA)
        self.assertEqual(peer.verdict(), "continue")
        self.assertEqual(peer.end_of_header(), "continue")
        changes, verdict = peer.end_of_message()
        self.assertEqual((len(changes), verdict), (1, "continue"))

    def test_a_hang_up_in_the_middle_hurts_nobody(self):
        for _ in range(20):
            peer = self.peer()
            peer.mail(ANNA, login="anna")
            peer.packet("R", strings(BOB))
            peer.close()
        self.assert_lives()

    def test_a_packet_of_two_gigabytes_is_not_read(self):
        peer = self.peer()
        peer.socket.sendall(struct.pack("!I", 0x7fffffff) + b"M")
        with self.assertRaises(Gone):
            peer.reply()
        self.assert_lives()

    def test_a_reload_disturbs_no_running_message(self):
        peer = self.peer()
        peer.mail(ANNA, login="anna")
        self.assertEqual(peer.recipient(BOB), "continue")
        self.write("demail.toml", CONFIGURATION.format(self.directory, "0" * 64).replace(
            "*@firm.example", "*@other.example"))
        self.milter.send_signal(signal.SIGHUP)
        self.wait_for_line("read again")
        peer.header(FROM_ANNA)
        self.assertEqual(peer.end_of_header(), "continue")
        changes, _ = peer.end_of_message()
        self.assertEqual(len(changes), 1)
        peer.mail(ANNA, login="anna")
        self.assertTrue(peer.recipient(BOB).startswith("550 5.7.1 "))

    def test_a_reload_with_a_fault_keeps_what_was(self):
        self.write("demail.toml", "[milterr]\n")
        self.milter.send_signal(signal.SIGHUP)
        self.assertIn("milterr", self.wait_for_line("reload failed"))
        self.assert_lives()

    def wait_for_line(self, part):
        while line := self.milter.stderr.readline():
            if part in line:
                return line
        return self.fail(f"the milter ended without a line with {part}")

    def test_it_stops_in_under_a_second(self):
        idle = self.peer()
        start = time.monotonic()
        self.milter.send_signal(signal.SIGTERM)
        self.assertEqual(self.milter.wait(5), 0)
        self.assertLess(time.monotonic() - start, 1)
        idle.close()

    def test_it_starts_over_the_socket_of_one_that_was_killed(self):
        self.milter.kill()
        self.milter.wait()
        self.assertTrue(os.path.exists(self.path))
        self.start()
        self.assert_lives()


if __name__ == "__main__":
    unittest.main()
