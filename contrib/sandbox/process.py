"""One process of the sandbox: started into a log file, known by its pid, ended by its pid.

The pid is kept on disk with the process's start time, so that another run of the sandbox can stop
it and never stops a stranger that was given the same number.
"""

import os
import signal
import subprocess
import time


class Failure(Exception):
    """Something of the sandbox did not work; the text is a sentence for a person."""


def wait_for(condition, timeout=20, what="what was waited for", pause=0.05):
    """Returns the first true value of condition(); Failure after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"{what}: did not happen within {timeout} s")
        time.sleep(pause)


def start_time(pid):
    """The kernel's start time of the process, or None when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def end_pid(pid, began=None, number=signal.SIGTERM):
    """The signal, wait, SIGKILL. `began`: only when the process is still the one that began then."""
    if began is not None and start_time(pid) != began:
        return
    for number, patience in ((number, 10), (signal.SIGKILL, 5)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        end = time.monotonic() + patience
        while time.monotonic() < end:
            now = start_time(pid)
            if now is None or (began is not None and now != began):
                return
            time.sleep(0.02)


class Process:
    """A process in the foreground whose output goes to DIRECTORY/log/NAME.

    identity: {"user": uid, "group": gid, "extra_groups": [gid…]}; none: the caller's.
    """

    def __init__(self, name, command, directory, environment=None, identity=None):
        self.name = name
        self.command = command
        self.environment = environment or {}
        self.identity = identity or {}
        self.pid_file = os.path.join(directory, "run", name)
        self.log_file = os.path.join(directory, "log", name)
        self.popen = None

    def start(self):
        for path in (self.pid_file, self.log_file):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(self.log_file, "ab") as log:
            self.popen = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, **self.environment},
                **self.identity)
        with open(self.pid_file, "w", encoding="ascii") as file:
            file.write(f"{self.popen.pid} {start_time(self.popen.pid)}\n")

    def _known(self):
        try:
            with open(self.pid_file, encoding="ascii") as file:
                pid, began = file.read().split()
        except (OSError, ValueError):
            return None
        return int(pid), began

    @property
    def pid(self):
        """The pid while the process lives, else None."""
        if self.popen is not None:
            self.popen.poll()
        known = self._known()
        return known[0] if known and start_time(known[0]) == known[1] else None

    def _end(self, number=signal.SIGTERM):
        if self.popen is not None:
            # Ours: it stays in the process table until it is waited for, so its pid is its own.
            for number in (number, signal.SIGKILL):
                self.popen.send_signal(number)
                try:
                    self.popen.wait(10)
                    break
                except subprocess.TimeoutExpired:
                    pass
            self.popen = None
        else:
            known = self._known()
            if known:
                end_pid(*known, number)
        if os.path.exists(self.pid_file):
            os.unlink(self.pid_file)

    def stop(self):
        self._end()

    def kill(self):
        """SIGKILL at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def restart(self):
        self.stop()
        self.start()

    def log(self):
        try:
            with open(self.log_file, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_until(self, condition, what, timeout=20):
        """Like wait_for, but says at once when the process has ended, with its last words."""
        def look():
            if self.pid is None:
                raise Failure(f"{self.name} ended at its start; its last words: "
                              f"{self.log()[-2000:].strip()}")
            return condition()
        return wait_for(look, timeout, f"{self.name}: {what}")

    def peak_rss(self):
        """Highest resident size so far, in KiB (VmHWM)."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
        raise Failure(f"{self.name}: no VmHWM")
