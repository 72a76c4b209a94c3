"""The wire to a virtual reader (vsmartcard's vpcd): two bytes of length, big endian, and a message;
one byte is an order to the card, everything else an APDU. The reader listens, the card connects."""
import socket
import threading
import time

import namespaces

PORT = 0x8C7B
OFF, ON, RESET, GET_ATR = 0, 1, 2, 4
RETRY = 0.05
# Seconds. pcscd looks for the card every 0.4 s. One that is back before that it would not see to have
# gone; it would give it neither power nor, where a client's disconnect has failed, another client.
ABSENCE = 1.0


class Ended(Exception):
    """The connection is gone."""


class Link:
    """Keeps a card connected while it is inserted; one thread. `card` answers: power(order),
    atr() and transmit(octets), which may raise Ended.

    namespace_of: a file with the pid of the reader's pcscd, whose network is entered for each
    connection, so that a pcscd that was started again is found in its new one.
    """

    def __init__(self, card, host, port, namespace_of=None):
        self.card = card
        self.address = (host, port)
        self.namespace_of = namespace_of
        self.condition = threading.Condition()
        self.inserted = False
        self.connected = False
        self.not_before = 0.0
        self.socket = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def insert(self):
        with self.condition:
            self.inserted = True
            self.condition.notify_all()

    def remove(self):
        """Until insert()."""
        with self.condition:
            self.inserted = False
        self._shut()

    def drop(self, seconds=0.0, unseen=False):
        """The connection ends; the card is connected again after `seconds`, at least ABSENCE unless
        it may go `unseen`. To an APDU that had no answer vpcd makes one without a byte, status word
        included; to the next ones, until it has looked for the card, a transaction that failed."""
        self._shut()
        with self.condition:
            back = time.monotonic() + seconds
            self.not_before = back if unseen else max(self.not_before, back)

    def _shut(self):
        with self.condition:
            if self.socket is not None:
                try:
                    self.socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                self.socket = None
                self.not_before = max(self.not_before, time.monotonic() + ABSENCE)
            self.condition.notify_all()

    def wait_while(self, condition, seconds=None):
        """For the link's own thread: returns when condition() is false, raises Ended when the
        connection is not wanted any more."""
        mine = self.socket
        with self.condition:
            self.condition.wait_for(
                lambda: not condition() or not self._wanted(mine), seconds)
            if not self._wanted(mine):
                raise Ended

    def _wanted(self, mine):
        return mine is not None and self.socket is mine

    def notify(self):
        with self.condition:
            self.condition.notify_all()

    def _run(self):
        while True:
            with self.condition:
                self.condition.wait_for(lambda: self.inserted)
                pause = self.not_before - time.monotonic()
            if pause > 0:
                time.sleep(min(pause, RETRY))
                continue
            try:
                self._enter_namespace()
                connection = socket.create_connection(self.address, timeout=5)
            except (OSError, ValueError):
                time.sleep(RETRY)
                continue
            connection.settimeout(None)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.condition:
                wanted = self.inserted and time.monotonic() >= self.not_before
                if wanted:
                    self.socket = connection
                    self.connected = True
            try:
                if wanted:
                    self._serve(connection)
            except (Ended, OSError):
                pass
            finally:
                with self.condition:
                    self.socket = None
                    self.connected = False
                connection.close()
                self.card.power(OFF)

    def _enter_namespace(self):
        if not self.namespace_of:
            return
        with open(self.namespace_of, encoding="ascii") as file:
            pid = file.read().partition(" ")[0]  # being written: "", no number
        namespaces.enter_network(int(pid))

    def _serve(self, connection):
        while True:
            message = self._receive(connection)
            if len(message) != 1:
                answer = self.card.transmit(message)
            elif message[0] == GET_ATR:
                answer = self.card.atr()
            else:
                self.card.power(message[0])
                continue
            connection.sendall(len(answer).to_bytes(2, "big") + answer)

    @staticmethod
    def _receive(connection):
        def exactly(length):
            found = b""
            while len(found) < length:
                part = connection.recv(length - len(found))
                if not part:
                    raise Ended
                # Else the kernel waits up to 40 ms for data to send the acknowledgement with, and
                # the reader, with Nagle's algorithm, waits for the acknowledgement.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                found += part
            return found
        return exactly(int.from_bytes(exactly(2), "big"))
