#!/usr/bin/python3
"""The demo: starts a sandbox, sends a De-Mail as a user would, and shows what happens where."""

import argparse
import os
import re
import shutil
import signal
import sys
import textwrap

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import namespaces  # noqa: E402
from card_token import PIN, CardToken  # noqa: E402
from client import Refused, message  # noqa: E402
from console import Console  # noqa: E402
from process import Failure, wait_for  # noqa: E402
from sandbox import Sandbox, choose_directory  # noqa: E402
from softhsm import Token  # noqa: E402

ANNA, BOB, IDA = "anna@firm.example", "bob@other.de-mail.de", "ida@internet.example"
# Log lines and addresses are the program's own output, but a terminal shows only plain text.
CONTROL = re.compile(r"[^\x20-\x7e\u00a0-\uffff\n\t]")


def say(text):
    print("\n" + textwrap.fill(text, 96, initial_indent="==> ", subsequent_indent="    ",
                               break_long_words=False, break_on_hyphens=False), flush=True)


def show(text, limit=30):
    lines = CONTROL.sub("?", text.replace("\r\n", "\n")).rstrip().splitlines()
    for line in lines[:limit]:
        print(textwrap.indent(line if len(line) < 400 else line[:400] + " …", "    "))
    if len(lines) > limit:
        print(f"    … {len(lines) - limit} lines more")
    sys.stdout.flush()


def log_lines(text, *words):
    return "\n".join(line for line in text.splitlines() if all(word in line for word in words))


class LockedCard(CardToken):
    """A virtual TCOS card that a person unlocks before the relay starts."""

    def __init__(self, directory, build_directory):
        super().__init__(directory, build_directory, unlocked=False)
        self.demailctl = os.path.join(build_directory, "demailctl")

    def start(self):
        super().start()
        say("The machine was started, and demail-cardd has found the card; it signs nothing yet.")
        show(wait_for(lambda: log_lines(self.cardd.process.log(), 'state="here"'), 20, "the card"))
        say("A person unlocks it at the console: demailctl unlock")
        console = Console([self.demailctl, "unlock"], self.environment)
        # It shows the card first, and then asks.
        console.read_until("PIN2: ")
        console.type(f"{PIN}\n")
        code, text = console.end()
        show(text)
        if code:
            raise Failure(f"demailctl unlock ended with {code}")


def token():
    if namespaces.allowed():
        return LockedCard
    say("This container forbids namespaces of one's own, which the virtual card's pcscd needs: a "
        "software token is used.")
    return Token


def send(box):
    content = message(ANNA, [BOB, IDA], subject="The contract", text="Dear Bob,\nhere it is.\n")
    content = b"X-De-Mail-Confirmation-Of-Dispatch: yes\r\n" + content
    say(f"Anna signs in and hands a mail to Postfix, for {BOB} and {IDA}. She asks for a "
        "confirmation of dispatch.")
    show(content.decode())
    with box.client(login="anna") as client:
        reply = client.send(ANNA, [BOB, IDA], content)
    queue_id = re.search(r"queued as (\S+)", reply).group(1)
    show(f"Postfix: {reply}")
    say("demail-milter found that Anna may send De-Mail, and as whom. It sealed the message.")
    show(wait_for(lambda: log_lines(box.milter.log(), "event=sealed"), 20, "the seal"))
    return queue_id


def follow(box, queue_id):
    submission = wait_for(box.accepted, 60, "the provider's acceptance")[0]
    box.postfix.wait_empty(20)
    say("Postfix gave the De-Mail to demail-relay by LMTP. The relay checked the seal, signed with "
        "the card's key, and submitted over TLS with the card's certificate.")
    show(log_lines(box.relay.log(), "event=submitted"))
    say("The private keys cannot leave the card. What any program that speaks PKCS#11 sees:")
    show(box.token.tool("--list-objects", "--type", "pubkey").decode())
    if box.token.kind == CardToken.kind:
        say("demail-cardd wrote each signature down: who had it made, and by which key.")
        show(log_lines(box.token.cardd.process.log(), "event=signed"))
    say("Postfix logs where the De-Mail went, with the provider's message id.")
    show(log_lines(box.postfix.log(), queue_id, f"to=<{BOB}>"))
    say("The provider (a simulator that shares no code with the relay) checked certificate, "
        "signature, schema and metadata, and accepted:")
    show("\n".join(f"{name}: {submission[name]}" for name in
                   ("messageId", "privateId", "sender", "options", "acceptedAt", "bytes")))
    say("What it keeps:")
    show(submission["content"].decode("utf-8", "replace"))
    say(f"The copy for {IDA} left as ordinary mail, without a word of De-Mail.")
    copy = wait_for(lambda: box.kept(box.internet), 20, "the Internet copy")[0]
    show(copy["content"].decode("utf-8", "replace"))
    if b"de-mail-" in copy["content"].lower() or b"demail-seal" in copy["content"].lower():
        raise Failure("the Internet copy carries De-Mail fields")
    return submission


def refuse(box):
    say("Mallory, who signed in as himself, tries to write in Anna's name.")
    try:
        with box.client(login="mallory") as client:
            client.send(ANNA, [BOB], message(ANNA, [BOB]))
    except Refused as refused:
        show(f"Postfix: {refused.reply}")
        return
    raise Failure("Mallory was not refused")


def tour(box):
    say("Starting the sandbox: CA, smartcard, provider, Postfix, demail-cardd, demail-relay, "
        "demail-milter")
    box.create()
    box.start()
    show("\n".join([f"everything lies in {box.directory}",
                    f"Postfix listens on 127.0.0.1:{box.ports['smtp']}",
                    f"the provider on https://localhost:{box.ports['provider']}/demail",
                    "the relay fetched the provider's De-Mail domains:"]))
    with open(box.daemons.domains, encoding="utf-8") as file:
        show(file.read())
    submission = follow(box, send(box))
    refuse(box)
    say(f"Done: one De-Mail, accepted once, as {submission['messageId']}.")


def hints(box):
    here = os.path.dirname(os.path.abspath(__file__))
    tool = f"{here}/sandbox.py"
    say("It goes on running. Try:")
    show(f"""\
{tool} status {box.directory}
{tool} send {box.directory} --to bob@other.de-mail.de --subject Again
{tool} send {box.directory} --to nobody@other.de-mail.de     # the provider refuses: a bounce
MAIL_CONFIG={box.postfix.etc} postqueue -p
tail -f {box.directory}/postfix/log {box.directory}/log/*
ls {box.provider_directory}/accepted/ {box.directory}/mailboxes/messages/
Any mail program: SMTP at 127.0.0.1:{box.ports['smtp']}, after XCLIENT LOGIN=anna
To end it:
{tool} stop {box.directory} && rm -r {box.directory}""")


def clear(directory):
    """Ends a sandbox that an earlier --keep left there."""
    if os.path.exists(os.path.join(directory, "sandbox.json")):
        say("Ending the sandbox of an earlier run")
        Sandbox.attach(directory, directory).stop()
    shutil.rmtree(directory, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=os.path.realpath)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()

    def end(*_):
        raise SystemExit(1)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    directory = choose_directory(options.directory)
    try:
        clear(directory)
        box = Sandbox(directory, options.build, token=token())
        try:
            tour(box)
        except BaseException:
            box.__exit__()
            raise
        if options.keep:
            hints(box)
        else:
            box.__exit__()
            say("The sandbox is ended and removed.")
    except (Failure, Refused) as fault:
        print(f"\nThe demo failed: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
