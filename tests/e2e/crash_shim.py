"""The library that is preloaded into the relay (tests/shim/crash-shim.cpp), from a test's side."""

import mmap
import os
import re
import struct
from dataclasses import dataclass

from harness import BUILD

from daemons import RELAY_USER

SHIM = os.path.join(BUILD, "tests/shim/crash-shim.so")
WORDS = {"armed": 0, "count": 1, "at": 2, "failure": 3, "shift": 4}


@dataclass
class Act:
    """One line of the library's log."""
    number: int  # 0: not counted
    kind: str
    path: str    # of the file, or "lmtp", "provider"
    inode: int
    offset: int
    length: int
    octets: bytes  # written; or the second path, of a rename

    @property
    def on_file(self):
        return self.path.startswith("/")


class Shim:
    """tests/shim/crash-shim.cpp in one relay."""

    def __init__(self, box, watched=("journal", "spool", "evidence")):
        self.directory = os.path.join(box.directory, "crash")
        self.state = box.daemons.state
        os.makedirs(self.directory)
        os.chown(self.directory, RELAY_USER, -1)
        self.control = os.path.join(self.directory, "control")
        self.log_file = os.path.join(self.directory, "acts")
        for path in (self.control, self.log_file):
            with open(path, "wb") as file:
                file.write(bytes(4096 if path == self.control else 0))
            os.chown(path, RELAY_USER, -1)
        with open(self.control, "r+b") as file:
            self.words = mmap.mmap(file.fileno(), 4096)
        self.read_to = 0
        self.environment = {
            "LD_PRELOAD": SHIM, "DEMAIL_CRASH_CONTROL": self.control,
            "DEMAIL_CRASH_LOG": self.log_file,
            "DEMAIL_CRASH_FILES": ":".join(os.path.join(self.state, name) for name in watched),
            # Bound under another name beside its own, then renamed.
            "DEMAIL_CRASH_LMTP": os.path.dirname(box.postfix.lmtp_socket) + "/",
            # A build with sanitizers wants its own library to be first.
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def set(self, **words):
        for name, value in words.items():
            struct.pack_into("=Q", self.words, 8 * WORDS[name], value)

    def get(self, name):
        return struct.unpack_from("=Q", self.words, 8 * WORDS[name])[0]

    def arm(self, at=0, failure=0):
        """Acts are counted from now on; the relay is killed just before number `at`, or this act
        and all further ones on files fail with the errno `failure`."""
        self.set(armed=0)
        self.set(count=0, at=at, failure=failure)
        self.set(armed=1)

    def disarm(self):
        self.set(armed=0, at=0, failure=0)

    def acts(self):
        """What was done since this was last asked."""
        with open(self.log_file, "rb") as file:
            file.seek(self.read_to)
            whole, _, _ = file.read().rpartition(b"\n")
        self.read_to += len(whole) + 1 if whole else 0
        return [self._act(line) for line in whole.split(b"\n") if line]

    @staticmethod
    def _act(line):
        number, kind, path, inode, offset, length, octets = line.split(b"\t")
        return Act(int(number), kind.decode(), path.decode(), int(inode), int(offset),
                   int(length), bytes.fromhex(octets.decode()))

    def table(self, acts):
        """For people: number, kind, file or peer, place and length."""
        lines = []
        for act in acts:
            if not act.number:
                continue
            name = act.path[len(self.state) + 1:] or "." if act.on_file else act.path
            what = f"{act.offset}+{act.length}" if act.on_file and act.length else act.length or ""
            lines.append(f"{act.number:5}  {act.kind:16} {re.sub('#[0-9]+.*', '#', name):18} "
                         f"{what}")
        return "\n".join(lines)
