"""The whole path with the key on a card: Postfix, relay, our PKCS#11 module, demail-cardd, pcscd."""

from functools import partial

from harness import ANNA, BOB, CardToken, EndToEnd, main, message, wait_for

LIMITS = "[provider.tls]\nminimum = \"{0}\"\nmaximum = \"{0}\"\n"


class CardPath:
    profile, version = "netkey-v3", "1.2"

    @classmethod
    def setUpClass(cls):
        cls.token = partial(CardToken, profile=cls.profile)
        super().setUpClass()

    @classmethod
    def prepare(cls):
        daemons = cls.box.daemons
        daemons.write_configuration(daemons.configuration().replace(
            "[[account]]", LIMITS.format(cls.version) + "[[account]]", 1))

    def card(self):
        return self.box.token.card.control

    def test_a_de_mail_is_signed_by_the_card(self):
        before = self.card()("counters")["operations"]
        self.send([BOB], message(ANNA, [BOB]))
        self.accepted(1)
        self.assertGreater(self.card()("counters")["operations"], before)


class NetKeyTls12(CardPath, EndToEnd):
    def test_de_mails_wait_for_a_card_that_is_out(self):
        self.box.token.card.remove()
        self.send([BOB], message(ANNA, [BOB]))
        wait_for(lambda: "451 4.3.0" in self.box.postfix.log(), 60, "a deferral")
        self.nothing_left()
        self.box.token.card.insert()
        self.box.postfix.flush()
        self.accepted(1)
        self.assertEqual(self.card()("counters")["tries_burnt"], 0)


class NetKeyTls13(CardPath, EndToEnd):
    version = "1.3"


class IdKeyTls12(CardPath, EndToEnd):
    profile = "idkey"


class IdKeyTls13(CardPath, EndToEnd):
    profile, version = "idkey", "1.3"


if __name__ == "__main__":
    main()
