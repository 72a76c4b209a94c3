"""Two Postfix instances of one host (postmulti(1)): one takes mail in and runs the milter, the other
sends it out. The seal survives the way between them; it is taken out where mail leaves."""

import os

from harness import ANNA, BOB, DORA, SOURCE, EndToEnd, fields_of, main, message, wait_for

from postfix import TRANSPORT_MAPS, Postfix
from sandbox import free_port

CARL = "carl@elsewhere.example"
NOBODY = "nobody@other.de-mail.de"


class Instances(EndToEnd):
    """The box's own Postfix is the one that takes mail in; `out` has the transport map."""

    @classmethod
    def prepare(cls):
        cls.port = free_port()
        taking = cls.box.postfix
        cls.out = Postfix(os.path.join(cls.box.directory, "out"),
                          os.path.join(SOURCE, "contrib/postfix"))
        # The relay's socket is where the other instance has its queue.
        maps = TRANSPORT_MAPS.format(etc=cls.out.etc, domains=cls.box.daemons.domains).replace(
            "demail-relay/lmtp.sock", taking.lmtp_socket)
        cls.out.create(cls.port, cls.box.ports["internet"], cls.box.ports["mailboxes"],
                       cls.box.daemons.domains,
                       settings={"transport_maps": maps, "smtpd_milters": "",
                                 "non_smtpd_milters": "", "multi_instance_name": "postfix-out"})
        # What it hands on to the other instance is not for the Internet yet.
        taking.configure({"relayhost": f"[127.0.0.1]:{cls.port}", "transport_maps": "",
                          "smtp_header_checks": "", "smtp_nested_header_checks": ""})
        cls.addClassCleanup(cls.out.stop)
        cls.out.start()

    def both_empty(self):
        wait_for(lambda: self.box.postfix.empty() and self.out.empty(), 30, "empty queues")

    def test_a_de_mail_goes_through_both_and_is_submitted_once(self):
        content = message(ANNA, [BOB])
        self.send([BOB], content)
        wait_for(lambda: len(self.box.accepted()) > self.before["accepted"], 30, "the submission")
        self.both_empty()
        submission, = self.accepted(1)
        self.check_content(submission, content.replace(ANNA.encode(), b"anna@firm.de-mail.de", 1),
                           {"to": [BOB]})

    def test_the_internets_copy_has_no_seal(self):
        self.send([BOB, CARL], message(ANNA, [BOB, CARL]))
        wait_for(lambda: len(self.box.accepted()) > self.before["accepted"], 30, "the submission")
        copy, = self.kept("internet", 1)
        self.assertEqual([name for name, _ in fields_of(copy["content"])
                          if "demail" in name.replace("-", "")], [])
        self.both_empty()

    def test_a_refusal_comes_back_to_the_sender(self):
        self.send([NOBODY], message(ANNA, [NOBODY]))
        self.assertRegex(self.bounce(), r"5\.1\.1")
        self.nothing_left()

    def test_where_the_first_one_strips_too_nothing_leaks_and_the_sender_is_told(self):
        taking = self.box.postfix
        strip = f"regexp:{taking.etc}/strip-seal"
        taking.configure({"smtp_header_checks": strip, "smtp_nested_header_checks": strip})
        taking.reload()
        self.addCleanup(taking.reload)
        self.addCleanup(taking.configure,
                        {"smtp_header_checks": "", "smtp_nested_header_checks": ""})
        self.send([DORA], message(ANNA, [DORA]))
        self.assertRegex(self.bounce(), r"5\.7\.0")
        self.nothing_left()


if __name__ == "__main__":
    main()
