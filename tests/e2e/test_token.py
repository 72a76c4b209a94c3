"""A token that is pulled out, comes back, hangs or refuses its PIN: De-Mails wait, nothing else
does, and no try of a card is lost."""

import json
import os
import re
import signal
import socket
import threading
import time

from harness import BOB, EndToEnd, main, message, wait_for
from daemons import RELAY_USER, RULES
from token_shim import ShimmedToken

DEADLINE = 3  # seconds
# A second account whose key is on the same SoftHSM token, but not behind the shim.
OTHER_ACCOUNT = """\
[[account]]
name = "other"
provider = "sandbox"
domains = ["firm.de-mail.de"]
auth_key = "{uri}"
[[account.sender]]
from = "*@netz.example"
as = "*@firm.de-mail.de"
network = ["10.0.0.0/8"]
"""
FIRST_RULE = RULES.split("[[account.sender]]")[1]
HIDE_COUNT = "flags 0 0x10000"  # CKF_USER_PIN_COUNT_LOW is not shown, as by many cards


class Token(EndToEnd):
    options = {"rules": "[[account.sender]]" + FIRST_RULE}

    @classmethod
    def prepare(cls):
        daemons = cls.box.daemons
        cls.token = ShimmedToken(cls.box)
        daemons.write_configuration(daemons.configuration().replace(
            "auth_key =", f"token_timeout = {DEADLINE}\nauth_key =", 1)
            + OTHER_ACCOUNT.format(uri=cls.box.token.uri("demail-auth")))

    def setUp(self):
        super().setUp()
        self.addCleanup(self.token.does)
        self.submits = len(self.box.requests("Submit"))
        self.log_before = len(self.box.postfix.log())
        self.relay_log_before = len(self.box.relay.log())

    def deferral(self):
        """The words with which Postfix keeps the De-Mail."""
        words = wait_for(lambda: re.search(r"status=deferred .*", self.box.postfix.log()[
            self.log_before:]), 30, "a deferral").group()
        self.assertRegex(words, r"451 4\.3\.0 The De-Mail smartcard cannot sign now")
        return words

    def relay_says(self, words):
        wait_for(lambda: words in self.box.relay.log()[self.relay_log_before:], 20,
                 f"the relay's log to say {words}")

    def ask(self, command):
        """The relay's answer to a command on its control socket, and how long it took."""
        began = time.monotonic()
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(self.box.daemons.control_socket)
            line.sendall(command.encode() + b"\n")
            answer = line.makefile().readline()
        return json.loads(answer), time.monotonic() - began


class Removal(Token):
    def test_a_pulled_card_keeps_de_mails_until_it_is_back(self):
        logins = self.token.calls("C_Login")
        self.token.does("pulled")
        self.send([BOB])
        self.deferral()
        self.relay_says("is not there")
        self.assertEqual(len(self.box.requests("Submit")), self.submits)
        self.nothing_left()
        self.assertEqual(self.token.calls("C_Login"), logins)
        self.token.does("card 1")
        self.box.postfix.flush()
        self.accepted(1)
        self.assertEqual(len(self.box.requests("Submit")), self.submits + 1)
        self.assertEqual(self.token.calls("C_Login"), logins + 1)

    def test_a_card_that_was_out_and_is_back_is_not_noticed(self):
        self.send([BOB])
        self.accepted(1)
        self.setUp()
        logins = self.token.calls("C_Login")
        self.token.does("card again")
        self.send([BOB])
        self.accepted(1)
        self.assertEqual(self.token.calls("C_Login"), logins + 1)
        self.assertNotIn("status=deferred", self.box.postfix.log()[self.log_before:])

    def test_another_card_gets_no_pin(self):
        logins = self.token.calls("C_Login")
        self.token.does("card 2", "serial 0815")
        self.send([BOB])
        self.deferral()
        self.relay_says("serial 0815")
        self.nothing_left()
        self.assertEqual(self.token.calls("C_Login"), logins)
        self.token.does("card 3")
        self.box.postfix.flush()
        self.accepted(1)


class Hang(Token):
    def hang(self):
        """Sends a De-Mail into a token that hangs; returns when C_Sign does."""
        before = self.token.calls("C_SignInit")
        self.token.does("hang 60")
        self.send([BOB])
        wait_for(lambda: self.token.calls("C_SignInit") > before, what="C_SignInit")
        self.hung = time.monotonic()

    def test_a_token_that_hangs_stops_nothing_else(self):
        self.hang()
        status, took = self.ask("status")
        self.assertIn("accounts", status)
        self.assertLess(took, 1.5)
        # Ordinary mail, and a De-Mail of an account whose token works.
        self.send(["carl@elsewhere.example"])
        self.kept("internet", 1)
        self.send([BOB], message("otto@netz.example", [BOB]), sender="otto@netz.example",
                  login=None, address="10.1.2.3")
        wait_for(lambda: len(self.box.accepted()) > self.before["accepted"], DEADLINE,
                 "the other account's De-Mail")
        self.deferral()
        self.assertLess(time.monotonic() - self.hung, DEADLINE + 2)
        self.relay_says("does not answer")
        self.assertEqual(len(self.box.requests("Submit")), self.submits + 1)
        # The next one does not wait for its deadline: the token is known to hang.
        self.log_before = len(self.box.postfix.log())
        began = time.monotonic()
        self.send([BOB])
        self.deferral()
        self.assertLess(time.monotonic() - began, DEADLINE - 0.5)
        self.token.does()
        self.box.postfix.flush()
        self.accepted(3)

    def test_a_slow_token_is_waited_for(self):
        self.token.does("delay 700")
        self.send([BOB])
        self.accepted(1)
        self.assertNotIn("status=deferred", self.box.postfix.log()[self.log_before:])

    def test_the_relay_ends_at_once_while_its_token_hangs(self):
        self.hang()
        began = time.monotonic()
        self.box.relay.stop()
        self.assertLess(time.monotonic() - began, 2.5)
        self.token.does()
        self.box.daemons.start_relay()
        self.box.postfix.flush()
        self.accepted(1)


class ManyAndReload(Token):
    def test_eight_deliveries_at_once_share_one_login(self):
        self.token.does("delay 100")
        logins = self.token.calls("C_Login")
        threads = [threading.Thread(target=self.send, args=([BOB],)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.accepted(8, 60)
        self.assertEqual(self.token.calls("C_Login"), logins)
        self.assertEqual(len(self.box.requests("Submit")), self.submits + 8)
        self.assertNotIn("status=deferred", self.box.postfix.log()[self.log_before:])

    def reload(self):
        lists = len(self.box.requests("GetDomains"))
        os.kill(self.box.relay.pid, signal.SIGHUP)
        return lists

    def test_keys_are_usable_while_and_after_the_relay_reloads(self):
        before = self.token.calls("C_SignInit")
        self.token.does("delay 1000")
        self.send([BOB])
        wait_for(lambda: self.token.calls("C_SignInit") > before, what="C_SignInit")
        lists = self.reload()
        self.accepted(1)
        self.assertEqual(len(self.box.requests("Submit")), self.submits + 1)
        self.assertNotIn("status=deferred", self.box.postfix.log()[self.log_before:])
        self.token.does()
        wait_for(lambda: len(self.box.requests("GetDomains")) > lists, 20, "the reload's question")
        for _ in range(3):
            self.setUp()
            self.reload()
            self.send([BOB])
            self.accepted(1)
            self.assertNotIn("status=deferred", self.box.postfix.log()[self.log_before:])


class WrongPin(Token):
    """The token does not show that it has counted a wrong PIN."""

    def write_pin(self, pin):
        path = self.box.token.pin_file
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(pin + "\n")
        os.chmod(path + ".new", 0o600)
        os.chown(path + ".new", RELAY_USER, -1)
        os.rename(path + ".new", path)

    def test_a_wrong_pin_costs_one_try_over_ten_restarts(self):
        right = self.box.token.pin
        self.box.relay.stop()
        self.token.does(HIDE_COUNT)
        self.write_pin("0" + right)
        logins = self.token.calls("C_Login")
        for _ in range(11):
            self.relay_log_before = len(self.box.relay.log())
            self.box.daemons.start_relay()
            # It logs in at once, to ask for the domain list.
            self.relay_says("event=card")
            self.box.relay.stop()
        self.assertIn("is not tried again", self.box.relay.log()[self.relay_log_before:])
        self.assertEqual(self.token.calls("C_Login"), logins + 1)
        notes = os.path.join(self.box.daemons.state, "refused-pins")
        note, = os.listdir(notes)
        with open(os.path.join(notes, note), encoding="utf-8") as file:
            self.assertNotIn(right, file.read())
        # Deliveries do not try it either; the log has no PIN.
        self.box.daemons.start_relay()
        self.send([BOB])
        self.deferral()
        self.box.postfix.flush()
        time.sleep(1)
        self.assertEqual(self.token.calls("C_Login"), logins + 1)
        self.assertNotIn(right, self.box.relay.log())
        # A person mends the file.
        self.box.relay.stop()
        self.write_pin(right)
        self.box.daemons.start_relay()
        self.box.postfix.flush()
        self.accepted(1)
        self.assertEqual(self.token.calls("C_Login"), logins + 2)
        self.assertEqual(os.listdir(notes), [])


if __name__ == "__main__":
    main()
