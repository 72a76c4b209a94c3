"""A virtual TCOS card in a reader of a private pcscd.

    reader = Pcscd(directory, readers=1)                       # pcscd.py
    reader.create(); reader.start()
    card = VirtualCard(directory, reader, profile="netkey-v3", authority=ca)
    card.create(); card.start()                                # returns when pcscd has seen it
    ... programs with the environment reader.environment ...
    card.control("fault", kind="hang", ins="2a")               # tcos/control.py
    card.stop(); reader.stop()
"""
import os
import sys

from process import Process
from tcos import personalise
from tcos.control import Control

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
        """A new card; options as personalise.make has them. Its certificates: certificates()."""
        return self.make(self.path, **options)

    def make(self, path, profile=None, **options):
        """Another card beside it, for control("insert", card=path)."""
        return personalise.make(path, profile or self.profile, self.authority, **options)

    def start(self, seen=True):
        super().start()
        self.wait_until(lambda: os.path.exists(self.socket), "its control socket")
        if seen:
            self.wait_until(lambda: self.control("status")["powered"], "the reader sees it")

    def insert(self, path=None):
        """And waits until pcscd has seen it."""
        self.control("insert", **({"card": path} if path else {}))
        self.control("wait", **{"for": "powered"})

    def remove(self):
        self.control("remove")
