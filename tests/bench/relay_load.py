"""De-Mails into the relay's LMTP socket, sealed as the milter seals, and the floor beside it."""

import os
import subprocess

from client import Client, message
from daemons import RELAY_USER
from figures import cpu_seconds
from process import Failure
from sealing import make_tags, read_key, with_seal

ANNA, ANNA_DE_MAIL, BOB = "anna@firm.example", "anna@firm.de-mail.de", "bob@other.de-mail.de"
SIZE = 4096


def letter(size=SIZE):
    """A message of `size` octets, or a few less, before it is sealed."""
    line = "A line of the letter, as long as lines of letters are wont to be.\r\n"
    room = size - len(message(ANNA, [BOB], text=""))
    return message(ANNA, [BOB], text=line * (room // len(line)))


class RelayLoad:
    def __init__(self, box, build_directory):
        self.box = box
        self.program = os.path.join(build_directory, "tests/bench/floor-submit")
        self.key = read_key(box.daemons.key_file)
        self.floor = None

    def start(self):
        """A first submission: warms up the relay and is what the floor will post."""
        self._submit([self._sealed()])
        submission = self.box.accepted()[-1]
        content = os.path.join(self.box.directory, "bench-content")
        with open(content, "wb") as file:
            file.write(submission["content"])
        self.floor = subprocess.Popen(
            [self.program, f"https://localhost:{self.box.ports['provider']}/demail",
             os.path.join(self.box.directory, "pki/ca.pem"),
             self.box.token.uri("demail-auth"), self.box.token.uri("demail-sign"), content,
             ANNA_DE_MAIL, BOB, os.path.join(self.box.directory, "state/bench-sync")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            user=RELAY_USER, group=RELAY_USER, extra_groups=[],  # the token is the relay's
            env={**os.environ, **self.box.token.environment})

    def stop(self):
        if self.floor is not None:
            self.floor.communicate()  # it ends with its input

    def _sealed(self):
        content = letter()
        return with_seal(content, make_tags(content, self.key, ANNA_DE_MAIL, ANNA, [BOB]))

    def _submit(self, contents):
        # One connection a message: De-Mails come one at a time.
        for content in contents:
            with Client(self.box.postfix.lmtp_socket, lmtp=True) as client:
                reply, = client.send(ANNA, [BOB], content)
            if not reply.startswith("250 "):
                raise Failure(f"the relay answered {reply}")

    def relay(self, count):
        """Milliseconds of the relay's CPU for one submission."""
        contents = [self._sealed() for _ in range(count)]
        pid = self.box.relay.pid
        before = cpu_seconds(pid)
        self._submit(contents)
        return (cpu_seconds(pid) - before) * 1000 / count

    def _ask_floor(self, verb, count):
        try:
            self.floor.stdin.write(f"{verb} {count}\n")
            self.floor.stdin.flush()
            answer = self.floor.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise Failure("floor-submit ended; its reason stands above")
        return int(answer) / 1e6

    def submit_floor(self, count):
        return self._ask_floor("post", count)

    def sign(self, count):
        """Milliseconds of CPU of one signature of the token."""
        return self._ask_floor("sign", count)
