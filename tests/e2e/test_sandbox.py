"""The sandbox itself: it leaves nothing behind, and touches nothing of the host's."""

import hashlib
import os
import subprocess
import sys
import tempfile
import unittest

from harness import BUILD, SOURCE, main
from process import Failure, start_time
from sandbox import Sandbox, fits

TOOL = os.path.join(SOURCE, "contrib/sandbox/sandbox.py")


def processes_below(directory):
    """Pids of processes that work in the directory or name it."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            cwd = os.readlink(f"/proc/{pid}/cwd")
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read()
        except OSError:
            continue
        if int(pid) != os.getpid() and (directory in cwd or directory.encode() in words):
            found.append(int(pid))
    return [pid for pid in found if start_time(pid)]


def digest_of(directory):
    """Names, times and content of all files below."""
    total = hashlib.sha256()
    for base, directories, files in os.walk(directory):
        directories.sort()
        for name in sorted(files):
            path = os.path.join(base, name)
            status = os.lstat(path)
            total.update(f"{path} {status.st_mode} {status.st_uid} {status.st_mtime_ns}".encode())
    return total.hexdigest()


class ASandbox(unittest.TestCase):
    def new_directory(self):
        directory = tempfile.mkdtemp(prefix="demail-e2e-", dir="/tmp")
        os.chmod(directory, 0o755)
        self.addCleanup(subprocess.run, ["rm", "-rf", directory], check=False)
        return directory

    def test_leaves_no_process_and_no_file(self):
        directory = self.new_directory()
        host = [digest_of(path) for path in ("/etc/postfix", "/var/lib/postfix", "/etc/pkcs11")]
        with Sandbox(directory, BUILD) as box:
            box.create()
            box.start()
            # Two sinks, the provider, two daemons; Postfix's master, and soon its others.
            self.assertGreaterEqual(len(processes_below(directory)), 6)
            # One that died meanwhile is no obstacle.
            box.relay.kill()
        self.assertEqual(processes_below(directory), [])
        self.assertFalse(os.path.exists(directory))
        self.assertEqual(host, [digest_of(path) for path in ("/etc/postfix", "/var/lib/postfix",
                                                             "/etc/pkcs11")])

    def test_is_started_and_stopped_by_two_commands(self):
        directory = os.path.join(self.new_directory(), "box")
        run = lambda *words: subprocess.run(  # noqa: E731
            [sys.executable, TOOL, *words, "--build", BUILD], cwd="/", check=False, timeout=120,
            capture_output=True, text=True)
        started = run("start", directory)
        try:
            self.assertEqual(started.returncode, 0, started.stderr)
            self.assertRegex(run("send", directory).stdout, "^250 ")
            self.assertNotIn("not running", run("status", directory).stdout)
        finally:
            stopped = run("stop", directory)
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        self.assertEqual(processes_below(directory), [])

    def test_a_start_that_fails_leaves_no_process(self):
        directory = self.new_directory()
        with self.assertRaisesRegex(Failure, "demail-relay is not in"), \
                Sandbox(directory, "/nonexistent") as box:
            box.create()
            box.start()
        self.assertEqual(processes_below(directory), [])

    def test_a_directory_that_postfix_cannot_use_is_named_at_once(self):
        closed = os.path.join(self.new_directory(), "box")
        os.chmod(os.path.dirname(closed), 0o700)
        self.assertFalse(fits(closed))
        with self.assertRaisesRegex(Failure, closed):
            Sandbox(closed, BUILD)
        self.assertFalse(fits("/tmp/" + "x" * 80))


if __name__ == "__main__":
    main()
