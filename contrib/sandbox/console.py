"""A program at a terminal of its own, and the person who sits there."""

import os
import pty
import select
import time

from process import Failure


class Console:
    def __init__(self, command, environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            try:
                os.execve(command[0], command, {**os.environ, **environment})
            finally:
                os._exit(127)
        self.text = ""

    def read_until(self, words, timeout=20):
        """All that was on the screen until then."""
        end = time.monotonic() + timeout
        while words not in self.text:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise Failure(f"{words!r} did not come: {self.text}")
            try:
                self.text += os.read(self.terminal, 4096).decode()
            except OSError as error:
                raise Failure(f"{words!r} did not come: {self.text}") from error
        return self.text

    def type(self, text):
        os.write(self.terminal, text.encode())

    def end(self):
        """(exit code, all that was on the screen)"""
        while True:
            try:
                part = os.read(self.terminal, 4096)
            except OSError:
                break
            if not part:
                break
            self.text += part.decode()
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), self.text.replace("\r", "")
