"""The socket by which a test speaks to the card: one JSON object a line, one back. Its "do" is a
method of Verbs; what is wrong comes back as {"error": a sentence}.

    status                              where the card is, its PINs (never their values)
    remove, insert [card=DIRECTORY]     by hand; another card or the same
    drop [seconds=0] [unseen=true]      the connection ends and comes back, unseen: at once
    lose_status                         every PIN must be given again
    set_tries pin=DF/REF left=N         3F00/00 is the global PIN, DF01/81 NetKey's PIN1
    null_pin pin=, block pin=, set_pin pin= value=
    slow ms=N [ins=20]                  0: as quick as it can
    fault kind=status|short|hang|drop|forget [ins=] [count=] [word=6982] [bytes=] [seconds=]
          [execute=true]                see faults
    resume                              ends a hang
    behave [end_of_file=6282|6cxx] [piece=N]
                                        what an Le beyond the end is answered; answers above N
                                        octets come by GET RESPONSE (0: whole)
    clear                               no faults any more
    counters [reset=true], log          what was seen since the last reset
    wait for=polled|seen|powered|unpowered|hung|apdus|operations [count=] [timeout=20]
"""
import json
import os
import socket
import socketserver
import time

from process import Failure

from . import faults


class Verbs:
    def __init__(self, slot):
        self.slot = slot

    def status(self):
        slot = self.slot
        with slot.lock:
            card = slot.card
            found = {"inserted": slot.link.inserted, "connected": slot.link.connected,
                     "polled": slot.polled,
                     "seen": slot.seen, "powered": slot.powered, "hung": slot.hung}
            if card:
                found.update(
                    profile=card.profile.name, iccsn=card.stored.iccsn,
                    atr=card.stored.atr.hex(), directory=card.stored.directory,
                    selected=f"{(card.ef or card.df).fid:04X}",
                    verified=sorted(_name(place) for place in card.passwords.verified),
                    pins={_name(place): {"left": state.left, "tries": state.tries,
                                         "null": state.null}
                          for place, state in card.stored.pins.items()})
            return found

    def remove(self):
        self.slot.remove()

    def insert(self, card=None):
        return {"new": self.slot.insert(card)}

    def drop(self, seconds=0, unseen=False):
        self.slot.link.drop(float(seconds), unseen in (True, "true"))

    def lose_status(self):
        self.slot.card.passwords.lose_status()

    def set_tries(self, pin, left):
        self._pin(pin).left = int(left)
        self.slot.card.stored.save()

    def null_pin(self, pin):
        state = self._pin(pin)
        state.null, state.left = True, state.tries
        self.slot.card.passwords.lose_status()
        self.slot.card.stored.save()

    def block(self, pin):
        self.set_tries(pin, 0)
        self.slot.card.passwords.lose_status()

    def set_pin(self, pin, value):
        state = self._pin(pin)
        state.value, state.null, state.left = value, False, state.tries
        self.slot.card.stored.save()

    def _pin(self, name):
        for place, state in self.slot.card.stored.pins.items():
            if _name(place) == name.upper():
                return state
        raise ValueError(f"{name}: this card has no such PIN")

    def slow(self, ms, ins=None):
        if float(ms):
            self.slot.faults.slow[_ins(ins)] = float(ms)
        else:
            self.slot.faults.slow.pop(_ins(ins), None)

    def fault(self, kind, ins=None, count=1, word="6f00", seconds=0, execute=False, **rest):
        if kind not in faults.KINDS:
            raise ValueError(f"{kind}: no such fault")
        self.slot.faults.add(faults.Fault(
            kind, _ins(ins), int(count), int(word, 16), int(rest.pop("bytes", 1)), float(seconds),
            execute in (True, "true")))
        if rest:
            raise ValueError(f"{', '.join(rest)}: no such argument")

    def resume(self):
        self.slot.resume()

    def behave(self, end_of_file=None, piece=None):
        if end_of_file not in (None, "6282", "6cxx"):
            raise ValueError("end_of_file is 6282 or 6cxx")
        self.slot.card.end_of_file = end_of_file or self.slot.card.end_of_file
        self.slot.card.piece = self.slot.card.piece if piece is None else int(piece)

    def clear(self):
        self.slot.faults.clear()

    def counters(self, reset=False):
        found = self.slot.counters.report()
        if reset in (True, "true"):
            self.slot.counters.clear()
        return found

    def log(self):
        return {"log": list(self.slot.counters.log)}


def wait(slot, what, count, timeout):
    """Without the slot's lock, which the card needs to get there."""
    conditions = {"polled": lambda: slot.polled, "seen": lambda: slot.seen,
                  "powered": lambda: slot.powered, "unpowered": lambda: not slot.powered,
                  "hung": lambda: slot.hung,
                  "apdus": lambda: slot.counters.apdus >= int(count),
                  "operations": lambda: slot.counters.operations >= int(count)}
    if what not in conditions:
        raise ValueError(f"{what}: nothing to wait for")
    end = time.monotonic() + float(timeout)
    while not conditions[what]():
        if time.monotonic() > end:
            raise ValueError(f"{what}: not within {timeout} s")
        time.sleep(0.005)


def _name(place):
    return f"{place[0]:04X}/{place[1]:02X}"


def _ins(text):
    return -1 if text is None else int(text, 16)


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(json.dumps(self.server.obey(line)).encode() + b"\n")


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path, slot):
        if os.path.exists(path):
            os.unlink(path)
        before = os.umask(0o177)
        try:
            super().__init__(path, _Conversation)
        finally:
            os.umask(before)
        self.slot = slot
        self.verbs = Verbs(slot)

    def obey(self, line):
        try:
            order = json.loads(line)
            verb = order.pop("do")
            if verb == "wait":
                wait(self.slot, order.pop("for"), order.pop("count", 1), order.pop("timeout", 20))
                return {}
            method = getattr(self.verbs, verb, None)
            if verb.startswith("_") or method is None:
                raise ValueError(f"{verb}: no such order")
            with self.slot.lock:
                return method(**order) or {}
        except (ValueError, TypeError, KeyError, AttributeError, OSError) as fault:
            return {"error": f"{type(fault).__name__}: {fault}"}


class Control:
    """The client: control("fault", kind="hang", ins="2a"). Raises Failure with the card's sentence."""

    def __init__(self, path):
        self.path = path

    def __call__(self, do, **arguments):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(float(arguments.get("timeout", 20)) + 10)
            connection.connect(self.path)
            connection.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            with connection.makefile("rb") as file:
                answer = json.loads(file.readline() or b'{"error": "the card has ended"}')
        if "error" in answer:
            raise Failure(f"{do}: {answer['error']}")
        return answer
