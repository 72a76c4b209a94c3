"""De-Mails into the relay's LMTP socket, sealed as the milter seals, and the floor beside it."""

import os
import subprocess

from client import Client, dot_stuffed, message
from daemons import RELAY_USER
from figures import cpu_seconds
from process import Failure
from sealing import make_tags, read_key, with_seal

ANNA, ANNA_DE_MAIL, BOB = "anna@firm.example", "anna@firm.de-mail.de", "bob@other.de-mail.de"
SIZE = 4096
# Until its first checkpoint the journal's log grows, and the file system works for that.
WARM_UP = 150


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
        """First submissions: the last is what the floor will post."""
        self.submit(self.sealed() for _ in range(WARM_UP))
        submission = self.box.accepted()[-1]
        content = os.path.join(self.box.directory, "bench-content")
        with open(content, "wb") as file:
            file.write(submission["content"])
        directory = os.path.join(self.box.directory, "state/bench")
        os.mkdir(directory, 0o700)
        os.chown(directory, RELAY_USER, RELAY_USER)
        self.floor = subprocess.Popen(
            [self.program, f"https://localhost:{self.box.ports['provider']}/demail",
             os.path.join(self.box.directory, "pki/ca.pem"),
             self.box.token.uri("demail-auth"), self.box.token.uri("demail-sign"), content,
             ANNA_DE_MAIL, BOB, directory],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            user=RELAY_USER, group=RELAY_USER, extra_groups=[],  # the token is the relay's
            env={**os.environ, **self.box.token.environment})

    def stop(self):
        if self.floor is not None:
            self.floor.communicate()  # it ends with its input

    def sealed(self):
        content = letter()
        return with_seal(content, make_tags(content, self.key, ANNA_DE_MAIL, ANNA, [BOB]))

    def submit(self, contents):
        """As Postfix does: a connection a message, commands pipelined, XFORWARD before them."""
        for number, content in enumerate(contents):
            with Client(self.box.postfix.lmtp_socket, lmtp=True) as client:
                client.command(f"XFORWARD NAME=client.example ADDR=192.0.2.44 IDENT=4X{number:06}")
                client.write(f"MAIL FROM:<{ANNA}> SIZE={len(content)}\r\nRCPT TO:<{BOB}>\r\n"
                             "DATA\r\n".encode())
                for command in ("MAIL", "RCPT", "DATA"):
                    client.expect(command)
                client.write(dot_stuffed(content) + b".\r\nQUIT\r\n")
                reply = client.read_reply()
                client.read_reply()
            if not reply.startswith("250 "):
                raise Failure(f"the relay answered {reply}")

    def relay(self, count):
        """Milliseconds of the relay's CPU for one submission."""
        contents = [self.sealed() for _ in range(count)]
        pid = self.box.relay.pid
        before = cpu_seconds(pid)
        self.submit(contents)
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

    def submit_and_keep_floor(self, count):
        """The same, with the evidence that the relay keeps."""
        return self._ask_floor("keep", count)

    def sign(self, count):
        """Milliseconds of CPU of one signature of the token."""
        return self._ask_floor("sign", count)

    def sign_wall(self, count):
        """Milliseconds on the clock that one signature of the token takes."""
        return self._ask_floor("wait", count)
