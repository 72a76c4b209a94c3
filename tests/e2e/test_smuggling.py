"""SMTP smuggling: a line end that is not CRLF ends no message, for Postfix and for our LMTP server.

https://sec-consult.com/blog/detail/smtp-smuggling-spoofing-e-mails-worldwide/
"""

from harness import ANNA, BOB, DORA, Client, EndToEnd, main, message

ENDS = {
    "lf_dot_lf": b"\n.\n",
    "lf_dot_crlf": b"\n.\r\n",
    "crlf_dot_lf": b"\r\n.\n",
    "cr_dot_cr": b"\r.\r",
    "lf_dot_cr": b"\n.\r",
    "cr_dot_crlf": b"\r.\r\n",
    "crlf_dot_cr": b"\r\n.\r",
    "nul": b"\r\n\0.\r\n",
}
OTTO = "otto@netz.example"
# What an attacker wants to be taken as a second transaction, of a sender whom a rule entitles.
SECOND = (b"MAIL FROM:<boss@netz.example>\r\nRCPT TO:<" + DORA.encode() + b">\r\nDATA\r\n"
          b"From: boss@netz.example\r\nTo: " + DORA.encode() + b"\r\nSubject: smuggled\r\n\r\nx")


def replies(connection, patience=3):
    """All that the server says until it is silent, or gone."""
    connection.settimeout(patience)
    got = b""
    try:
        while chunk := connection.recv(65536):
            got += chunk
            if got.rstrip().rsplit(b"\n", 1)[-1].startswith((b"221", b"421")):
                break
    except OSError:
        pass
    return got.decode("utf-8", "replace")


class ThroughPostfix(EndToEnd):
    def send_with(self, end):
        """From a client in $mynetworks, entitled by its address alone."""
        with self.box.client(address="10.1.2.3") as client:
            client.envelope(OTTO, [BOB])
            client.command("DATA")
            client.write(message(OTTO, [BOB]).rstrip() + end + SECOND + b"\r\n.\r\nQUIT\r\n")
            replies(client.socket)
        self.box.postfix.wait_empty()

    def test_the_attack_works_where_a_message_does_end(self):
        self.send_with(b"\r\n.\r\n")
        senders = [submission["sender"] for submission in self.accepted(2)]
        self.assertEqual(sorted(senders), ["boss@firm.de-mail.de", "otto@firm.de-mail.de"])

    def check(self, end):
        log = len(self.box.postfix.log())
        self.send_with(end)
        self.assertNotIn("boss@netz.example", self.box.postfix.log()[log:])
        for submission in self.box.accepted()[self.before["accepted"]:]:
            self.assertEqual([entry["address"] for entry in submission["recipients"]], [BOB])
            self.assertEqual(submission["sender"], "otto@firm.de-mail.de")


class ThroughLmtp(EndToEnd):
    def check(self, end):
        with Client(self.box.postfix.lmtp_socket, lmtp=True) as client:
            client.envelope(ANNA, [BOB])
            client.command("DATA")
            client.write(b"From: a@b.example\r\n\r\none" + end + b"NOOP\r\n")
            # Not ended: the server waits for more.
            self.assertEqual(replies(client.socket, 0.5), "")
            client.socket.settimeout(20)
            client.write(b"\r\n.\r\n")
            self.assertRegex(client.read_reply(), r"^5\d\d 5\.6\.0 ")
            client.command("NOOP")


def _add_tests():
    for cls in (ThroughPostfix, ThroughLmtp):
        for name, end in ENDS.items():
            def test(self, end=end):
                self.check(end)
            setattr(cls, f"test_{name}", test)


_add_tests()


if __name__ == "__main__":
    main()
