"""A TCP proxy on this host that cuts one connection after so many bytes."""

import selectors
import socket
import struct
import threading


class CuttingProxy:
    def __init__(self, port, target):
        self.target = target
        self.lock = threading.Lock()
        self.plan = None     # (direction, bytes, hard) of the next connection
        self.cuts = 0        # how many were made
        self.passed = []     # (bytes to the provider, bytes from it) of each connection that ended
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self, direction, after, hard):
        """The next connection is cut after so many bytes in `direction` ("request", "reply");
        `hard`: by a reset."""
        with self.lock:
            self.plan = (direction, after, hard)

    def forget(self):
        with self.lock:
            self.plan = None

    def close(self):
        self.listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                plan, self.plan = self.plan, None
            threading.Thread(target=self._pass, args=(client, plan), daemon=True).start()

    def _pass(self, client, plan):
        counts = {"request": 0, "reply": 0}
        try:
            provider = socket.create_connection(("127.0.0.1", self.target), 10)
        except OSError:
            client.close()
            return
        with client, provider, selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, ("request", provider))
            ready.register(provider, selectors.EVENT_READ, ("reply", client))
            try:
                while True:
                    for key, _ in ready.select():
                        direction, other = key.data
                        room = 65536
                        if plan and direction == plan[0]:
                            room = min(room, plan[1] - counts[direction])
                        octets = key.fileobj.recv(room)
                        if not octets:
                            return
                        other.sendall(octets)
                        counts[direction] += len(octets)
                        if plan and counts[plan[0]] >= plan[1]:
                            self._cut(client, provider, plan[2])
                            return
            except OSError:
                return
            finally:
                self.passed.append((counts["request"], counts["reply"]))

    def _cut(self, client, provider, hard):
        with self.lock:
            self.cuts += 1
        if hard:
            for one in (client, provider):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
