"""A card's certificates end: it is said in time, and its successor takes over (demail-cardd(8),
RENEWAL)."""

import json
import os
import signal
import subprocess

from harness import ANNA, BOB, BUILD, CardToken, EndToEnd, main, message, wait_for

import pki
from cardd import unattended
from card_token import PIN
from virtual_card import VirtualCard


class OldCard(CardToken):
    """The card in the first reader ends in 29 days; a second reader waits for its successor."""

    readers = 2
    days_left = 29


class Renewal:
    token = OldCard

    def card_status(self):
        done = subprocess.run([os.path.join(BUILD, "demailctl"), "card", "status", "--json"],
                              capture_output=True, check=True,
                              env={**os.environ, **self.box.token.environment})
        return {card["card"]: card for card in json.loads(done.stdout)["cards"]}

    def new_card(self, **place):
        """What a person puts into a reader: a card that the provider knows beside the old one."""
        self.new = VirtualCard(self.box.directory, self.box.token.pcscd, name="new-card",
                               authority=self.box.token.card.authority, **place)
        self.new_iccsn = self.new.create().iccsn
        provider = self.box.provider_json()
        provider["accounts"][0]["certificates"] += [
            pki.sha256_of(self.new.certificate(role)) for role in ("auth", "sign")]
        self.box.write_provider(provider)
        self.box.provider.stop()
        self.box.start_provider()

    def name_in_cardd(self, *cards):
        """[(VirtualCard, ICCSN)…] are the cards of cardd.toml from now on."""
        cardd = self.box.token.cardd
        cardd.create("".join(unattended(card, cardd.write_pin(PIN, f"pin-{iccsn}"), iccsn)
                             for card, iccsn in cards), self.box.token.rules)
        os.kill(cardd.process.pid, signal.SIGHUP)

    def name_in_relay(self):
        daemons = self.box.daemons
        daemons.write_configuration(daemons.configuration().replace(
            self.box.token.iccsn[4:], self.new_iccsn[4:]))
        os.kill(self.box.relay.pid, signal.SIGHUP)

    def used(self, card):
        return card.control("counters")["operations"]

    def sends(self):
        self.before["accepted"] = len(self.box.accepted())
        self.send([BOB], message(ANNA, [BOB]))
        self.accepted(1, 60)

    def nothing_burnt(self):
        for card in (self.box.token.card, self.new):
            self.assertEqual(card.control("counters")["tries_burnt"], 0)


class TwoReaders(Renewal, EndToEnd):
    def test_the_end_is_said_and_the_next_card_takes_over_without_a_pause(self):
        token = self.box.token
        wait_for(lambda: "ends in 29 days: order the next card" in token.cardd.process.log(), 20,
                 "word of the certificate's end")
        self.sends()

        self.new_card(reader=1)
        self.new.start()
        self.addCleanup(self.new.stop)
        self.name_in_cardd((token.card, token.iccsn), (self.new, self.new_iccsn))
        wait_for(lambda: self.card_status().get(self.new_iccsn, {}).get("unlocked"), 20,
                 "the new card, unlocked")
        status = self.card_status()
        self.assertTrue(status[token.iccsn]["unlocked"])
        self.assertLess(status[token.iccsn]["firstEnd"], status[self.new_iccsn]["firstEnd"])
        self.sends()
        self.assertEqual(self.used(self.new), 0)

        self.name_in_relay()
        wait_for(lambda: self.used(self.new), 30, "a signature by the new card")
        old = self.used(token.card)
        self.sends()
        self.assertEqual(self.used(token.card), old)

        token.card.remove()
        self.name_in_cardd((self.new, self.new_iccsn))
        self.sends()
        self.assertNotIn("status=deferred", self.box.postfix.log())
        self.nothing_burnt()


class OneReader(Renewal, EndToEnd):
    def test_a_card_with_another_serial_number_in_its_place(self):
        token = self.box.token
        self.sends()
        self.new_card()
        verifies = token.card.control("counters")["verifies"]
        token.card.insert(self.new.path)
        before = len(self.box.accepted())
        self.send([BOB], message(ANNA, [BOB]))
        wait_for(lambda: "451 4.3.0" in self.box.postfix.log(), 60, "a deferral")
        self.assertEqual(len(self.box.accepted()), before)
        # A verified PIN of the old card was sent to no other.
        self.assertEqual(token.card.control("counters")["verifies"], verifies)

        self.name_in_cardd((token.card, self.new_iccsn))
        wait_for(lambda: self.card_status().get(self.new_iccsn, {}).get("unlocked"), 20,
                 "the new card, unlocked")
        self.name_in_relay()
        self.box.postfix.flush()
        self.accepted(2, 60)
        self.assertEqual(token.card.control("counters")["tries_burnt"], 0)


if __name__ == "__main__":
    main()
