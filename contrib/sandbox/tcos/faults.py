"""How the card misbehaves, told at run time. Every entry but `slow` is used up: `count` times (1),
on APDUs with the instruction byte `ins` or, without it, on any.

    slow     ms more for every answer
    status   the answer is this word; the command is done only with `execute` (a lost answer)
    short    the answer has `bytes` fewer data and the same status word
    hang     no answer until told to resume, or for `seconds`
    drop     the connection ends instead of an answer and is there again after `seconds`; the command
             is not done, with `execute` it is
    forget   the security status is lost before the command is done
"""
from dataclasses import dataclass

KINDS = ("status", "short", "hang", "drop", "forget")


@dataclass
class Fault:
    kind: str
    ins: int = -1
    count: int = 1
    word: int = 0x6F00
    bytes: int = 1
    seconds: float = 0
    execute: bool = False


class Faults:
    def __init__(self):
        self.clear()

    def clear(self):
        self.slow = {}  # ins (-1: any): ms
        self.waiting = []

    def add(self, fault):
        self.waiting.append(fault)

    def take(self, ins):
        """What happens to this APDU: {kind: Fault}."""
        found = {}
        for fault in self.waiting:
            if fault.kind not in found and fault.ins in (-1, ins) and fault.count > 0:
                fault.count -= 1
                found[fault.kind] = fault
        self.waiting = [fault for fault in self.waiting if fault.count > 0]
        return found

    def delay(self, ins):
        """Seconds."""
        return self.slow.get(ins, self.slow.get(-1, 0)) / 1000
