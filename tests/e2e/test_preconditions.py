"""What is known before a De-Mail goes out keeps it from going: the account's rights and limit, the
provider's directory. No Submit reaches the provider, and the sender reads why."""

from harness import ANNA, BOB, EndToEnd, main, message

CARLA, NOBODY = "carla@other.de-mail.de", "nobody@other.de-mail.de"
UNAVAILABLE = {"operation": "LookupRecipient", "fault": "unavailable"}


class Preconditions(EndToEnd):
    options = {"provider": {"rights": ["confirmation-of-dispatch", "private"],
                            "maxMessageBytes": 100000}}
    look_ups = None  # the default

    @classmethod
    def prepare(cls):
        if cls.look_ups:
            daemons = cls.box.daemons
            daemons.write_configuration(daemons.configuration().replace(
                "auth_key =", f'lookup_recipients = "{cls.look_ups}"\nauth_key =', 1))

    def setUp(self):
        super().setUp()
        self.addCleanup(self.box.faults)
        self.asked = {name: len(self.box.requests(name)) for name in ("Submit", "LookupRecipient")}

    def requests(self, name):
        return len(self.box.requests(name)) - self.asked[name]

    def letter(self, to, *options, text="A letter.\n"):
        fields = "".join(f"x-de-mail-{option}: yes\r\n" for option in options)
        self.send([to], fields.encode() + message(ANNA, [to], text=text))

    def bounced(self):
        words = " ".join(self.bounce().split())
        self.assertEqual(self.requests("Submit"), 0)
        self.nothing_left()
        return words


class ByDefault(Preconditions):
    def test_an_option_that_the_account_has_no_right_to(self):
        self.letter(BOB, "authoritative")
        self.assertIn("550 5.7.1 The De-Mail provider sandbox does not permit the option "
                      "authoritative of this De-Mail, since the account firm has no right to it; "
                      "send it without the option or ask the administrator", self.bounced())

    def test_more_bytes_than_the_account_may_send(self):
        self.letter(BOB, text="a line of the letter\n" * 6000)
        self.assertRegex(self.bounced(), r"550 5\.3\.4 The De-Mail has \d{6} bytes, more than the "
                                         "100000 that the De-Mail provider sandbox takes")

    def test_private_to_a_recipient_of_level_normal(self):
        self.letter(CARLA, "private")
        self.assertIn("550 5.7.1 The recipient has not signed up at the level", self.bounced())
        self.assertEqual(self.requests("LookupRecipient"), 1)

    def test_private_to_nobody(self):
        self.letter(NOBODY, "private")
        self.assertIn("550 5.1.1 The De-Mail provider sandbox does not know", self.bounced())

    def test_several_to_one_recipient_ask_once(self):
        to = "emil@other.de-mail.de"  # whom no other test asks for
        for _ in range(3):
            self.letter(to, "private")
            self.box.postfix.wait_empty()
        self.accepted(3)
        self.assertEqual(self.requests("LookupRecipient"), 1)

    def test_without_an_option_that_asks_for_a_level_nobody_is_asked(self):
        self.letter(BOB, "confirmation-of-dispatch")
        self.accepted(1)
        self.assertEqual(self.requests("LookupRecipient"), 0)

    def test_a_directory_that_cannot_be_used_now_defers(self):
        to = "frieda@other.de-mail.de"
        self.box.faults({**UNAVAILABLE, "times": 1})
        self.letter(to, "private")
        self.accepted(1)
        self.assertEqual(self.requests("LookupRecipient"), 2)
        self.assertIn("The De-Mail provider sandbox cannot take De-Mails now",
                      self.box.postfix.log())


class Always(Preconditions):
    look_ups = "always"

    def test_an_unknown_recipient(self):
        self.letter(NOBODY)
        self.assertIn("550 5.1.1 The De-Mail provider sandbox does not know", self.bounced())

    def test_one_of_two_is_unknown(self):
        self.send([BOB, NOBODY])
        self.accepted(1)
        self.assertRegex(self.bounce(), r"550[ -]5\.1\.1")

    def test_with_a_directory_that_does_not_answer_as_it_should_the_letter_goes(self):
        # The last test here: the directory is left alone for a minute then.
        for fault in ("invalid-message", "html"):
            with self.subTest(fault):
                self.setUp()
                to = f"{fault}@other.de-mail.de"
                self.box.faults({"operation": "LookupRecipient", "fault": fault})
                self.letter(to, "private")
                self.accepted(1)
                self.assertEqual((self.requests("LookupRecipient"), self.requests("Submit")),
                                 (1, 1))


class Never(Preconditions):
    look_ups = "never"

    def test_the_provider_refuses_what_it_is_given(self):
        self.letter(CARLA, "private")
        self.assertRegex(self.bounce(), r"550[ -]5\.7\.1")
        self.assertEqual((self.requests("LookupRecipient"), self.requests("Submit")), (0, 1))
        self.nothing_left()


if __name__ == "__main__":
    main()
