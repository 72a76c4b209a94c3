#!/usr/bin/python3
"""A virtual TCOS card in a reader of a private pcscd. From a shell:

    virtual_card.py start DIR [--profile netkey-v3] [--ca CA]   leaves both running; prints the
                                                                environment for programs
    virtual_card.py tell DIR VERB [NAME=VALUE…]                 tcos/control.py says what there is
    virtual_card.py stop DIR                                    DIR and the card stay

From Python:

    reader = Pcscd(directory, readers=1)                        # pcscd.py
    reader.create(); reader.start()
    card = VirtualCard(directory, reader, "netkey-v3", authority)
    card.create(); card.start()                                 # returns when pcscd has seen it
    … programs with the environment reader.environment …
    card.control("fault", kind="hang", ins="2a")
    card.stop(); reader.stop()
"""
import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pcscd import Pcscd  # noqa: E402
from process import Failure, Process  # noqa: E402
from tcos import personalise, profiles, store  # noqa: E402
from tcos.control import Control  # noqa: E402

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "demail-virtual-card")


class VirtualCard(Process):
    """The card lies in DIRECTORY/NAME. authority: pki.Authority, or a directory that has or shall
    have one."""

    def __init__(self, directory, pcscd, profile="netkey-v3", authority=None, reader=0,
                 name="card"):
        self.directory = os.path.realpath(directory)
        self.path = os.path.join(self.directory, name)
        self.socket = os.path.join(self.directory, f"{name}.control")
        self.profile = profile
        self.authority = authority or os.path.join(self.directory, "pki")
        self.reader = pcscd.readers[reader]
        self.control = Control(self.socket)
        super().__init__(name, [
            sys.executable, PROGRAM, "run", self.path, "--control", self.socket,
            "--port", str(pcscd.port(reader)), "--namespace-of", pcscd.process.pid_file],
            self.directory)

    def create(self, **options):
        """A new card; options as personalise.make has them."""
        return self.make(self.path, **options)

    def certificate(self, role):
        """PEM of the certificate for "auth", "sign" or "enc"."""
        return personalise.certificate(store.load(self.path), role)

    def make(self, path, profile=None, **options):
        """Another card beside it, for control("insert", card=path)."""
        return personalise.make(path, profile or self.profile, self.authority, **options)

    def start(self, seen=True):
        super().start()
        self.wait_until(lambda: os.path.exists(self.socket), "its control socket")
        if seen:
            self.wait_until(lambda: self.control("status")["seen"], "the reader sees it")

    def insert(self, path=None):
        """And waits until pcscd has seen it."""
        new = self.control("insert", **({"card": path} if path else {}))["new"]
        self.control("wait", **{"for": "seen" if new else "polled"})

    def remove(self):
        self.control("remove")


def start(directory, options):
    reader = Pcscd(directory)
    card = VirtualCard(directory, reader, options.profile, options.ca)
    if reader.pid or card.pid:
        raise Failure(f"{directory}: it runs already")
    reader.create()
    if not os.path.exists(card.path):
        card.create()
    reader.start()
    try:
        card.start()
    except BaseException:
        stop(directory, options)
        raise
    for name, value in reader.environment.items():
        print(f"{name}={value}")


def tell(directory, options):
    arguments = dict(word.split("=", 1) for word in options.arguments)
    card = VirtualCard(directory, Pcscd(directory))
    print(json.dumps(card.control(options.order, **arguments), indent=1))


def stop(directory, _):
    reader = Pcscd(directory)
    VirtualCard(directory, reader).stop()
    reader.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("start", "tell", "stop"))
    parser.add_argument("directory")
    parser.add_argument("order", nargs="?", default="status", help="of tell")
    parser.add_argument("arguments", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--profile", default="netkey-v3", choices=sorted(profiles.PROFILES))
    parser.add_argument("--ca", help="a directory that has a CA, or where one is made")
    options = parser.parse_args()
    try:
        {"start": start, "tell": tell, "stop": stop}[options.verb](
            os.path.realpath(options.directory), options)
    except (Failure, OSError, ValueError) as fault:
        print(f"virtual_card: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
