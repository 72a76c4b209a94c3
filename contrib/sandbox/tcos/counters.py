"""What the card saw since the last time the counters were set back. APDUs are kept as their headers
alone: data may hold PINs."""
import collections
import time

LOG = 10000  # APDUs


class Counters:
    def __init__(self):
        self.clear()

    def clear(self):
        self.apdus = 0
        self.by_ins = collections.Counter()
        self.verifies = 0     # VERIFY with a PIN
        self.tries_burnt = 0
        self.operations = 0   # with a private key
        self.powered = 0      # cold and warm resets
        self.busy = 0.0       # seconds in the card, waits that a fault made included
        self.log = collections.deque(maxlen=LOG)

    def note(self, octets, answer, seconds):
        self.apdus += 1
        self.by_ins[f"{octets[1]:02x}" if len(octets) > 1 else "?"] += 1
        self.busy += seconds
        self.log.append({"time": round(time.time(), 6), "header": octets[:4].hex(),
                         "bytes": len(octets), "answer": max(0, len(answer) - 2),
                         "status": answer[-2:].hex(), "ms": round(seconds * 1000, 3)})

    def report(self):
        return {"apdus": self.apdus, "by_ins": dict(self.by_ins), "verifies": self.verifies,
                "tries_burnt": self.tries_burnt, "operations": self.operations,
                "powered": self.powered, "busy_ms": round(self.busy * 1000, 2)}
