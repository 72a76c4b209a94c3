"""A PostgreSQL of the test's own: below one directory, at a Unix socket alone. The host's clusters
are neither read nor used."""

import glob
import os
import pwd
import signal
import subprocess
import unittest

from process import Failure, Process, wait_for


class Postgresql(Process):
    """Below DIRECTORY/postgresql; any user may connect as "demail"."""

    def __init__(self, directory):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not found:
            raise unittest.SkipTest("PostgreSQL is not installed")
        self.programs = found[-1]
        self.directory = os.path.join(directory, "postgresql")
        owner = pwd.getpwnam("postgres")  # it refuses to run as root
        super().__init__("postgresql", [
            self._program("postgres"), "-D", os.path.join(self.directory, "data"), "-k",
            self.directory, "-c", "listen_addresses="], directory, {"LC_ALL": "C"}, {
                "user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []})
        self.url = f"postgresql://demail@{self.directory.replace('/', '%2F')}/postgres"

    def _program(self, name):
        return os.path.join(self.programs, name)

    def create(self):
        os.makedirs(self.directory)
        os.chown(self.directory, self.identity["user"], self.identity["group"])
        done = subprocess.run(
            [self._program("initdb"), "-D", os.path.join(self.directory, "data"), "-U", "demail",
             "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"], capture_output=True,
            check=False, cwd=self.directory, **self.identity)
        if done.returncode:
            raise Failure(f"initdb: {done.stderr.decode(errors='replace')}")

    def start(self):
        """After a kill the server waits until its old children have noticed."""
        def serves():
            if self.pid is None:
                super(Postgresql, self).start()
            return not subprocess.run([self._program("pg_isready"), "-q", "-d", self.url],
                                      check=False).returncode
        wait_for(serves, 30, "PostgreSQL to serve", 0.2)

    def stop(self):
        """Ends the connections too (SIGTERM would wait for them)."""
        self._end(signal.SIGINT)

    def sql(self, text, url=None):
        """The rows, as lists of text."""
        done = subprocess.run([self._program("psql"), "-AtX", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                               "-d", url or self.url, "-c", text], capture_output=True, check=False)
        if done.returncode:
            raise Failure(f"psql: {done.stderr.decode(errors='replace')}")
        return [line.split("\t") for line in done.stdout.decode().splitlines()]
