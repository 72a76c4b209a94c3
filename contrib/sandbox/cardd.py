"""demail-cardd from a build directory, in front of the virtual cards of a private pcscd, and the
environment by which programs find it and its PKCS#11 module."""

import os

from daemons import give_away, listens
from process import Failure, Process

CARDD_USER = 61104  # beside those in daemons.py

PROGRAMS = ("demail-cardd", "pkcs11/broker/demail-cardd", "pkcs11/programs/demail-cardd")
MODULES = (".libs/demail-tcos-pkcs11.so", "demail-tcos-pkcs11.so",
           "pkcs11/module/.libs/demail-tcos-pkcs11.so")


def find(build_directory, candidates):
    for path in candidates:
        path = os.path.join(build_directory, path)
        if os.path.isfile(path):
            return path
    raise Failure(f"{candidates[0]} is not in {build_directory}; run make first")


class Cardd:
    """Below DIRECTORY/cardd. identity: as Process takes it; none: the caller's."""

    def __init__(self, directory, build_directory, pcscd, identity=None):
        self.directory = os.path.join(os.path.realpath(directory), "cardd")
        self.build_directory = build_directory
        self.identity = identity
        self.config_file = os.path.join(self.directory, "cardd.toml")
        self.state = os.path.join(self.directory, "state")
        self.run = os.path.join(self.directory, "run")
        self.socket = os.path.join(self.run, "socket")
        self.environment = {"DEMAIL_CARDD_SOCKET": self.socket}
        self.process = Process("demail-cardd", [], os.path.realpath(directory),
                               {**pcscd.environment, "DEMAIL_LOG": "stderr"}, identity)

    @property
    def program(self):
        return find(self.build_directory, PROGRAMS)

    @property
    def module(self):
        return find(self.build_directory, MODULES)

    def create(self, tokens="", rules=""):
        """`tokens`, `rules`: the [[token]] and [[allow]] tables of cardd.toml."""
        self._make_directories()
        with open(self.config_file, "w", encoding="utf-8") as file:
            file.write(f'[daemon]\nsocket = "{self.socket}"\nstate = "{self.state}"\n'
                       f"{tokens}{rules}")
        self._give()

    def _make_directories(self):
        for path, mode in ((self.directory, 0o755), (self.state, 0o700), (self.run, 0o755)):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, mode)

    def write_pin(self, pin, name="pin"):
        """A credential that the daemon may read; its path."""
        self._make_directories()
        path = os.path.join(self.directory, name)
        if os.path.exists(path):
            os.unlink(path)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o400), "w", encoding="ascii") as file:
            file.write(f"{pin}\n")
        self._give()
        return path

    def _give(self):
        if self.identity:
            give_away(self.directory, self.identity["user"])

    def start(self):
        self.process.command = [self.program, "--config", self.config_file]
        self.process.start()
        self.process.wait_until(lambda: listens(self.socket), "its socket")

    def stop(self):
        self.process.stop()


def unattended(card, pin_file, iccsn):
    """A [[token]] that unlocks itself: for one card in one reader. Without a PIN file: a person
    unlocks it."""
    return (f'[[token]]\nbackend = "tcos"\nreader = "{card.reader}"\nserial = "{iccsn}"\n'
            + (f'pin_file = "{pin_file}"\n' if pin_file else ""))
