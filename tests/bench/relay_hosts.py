"""Relays beside each other: each with a journal, evidence and LMTP socket of its own, seal key and
provider in common."""

import glob
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from daemons import RELAY_USER
from figures import cpu_seconds
from relay_load import RelayLoad
from two_hosts import Host

SESSIONS = 20  # default_destination_concurrency_limit of postconf(5)


class SqliteJournal:
    name = "SQLite"

    def __init__(self, host):
        self.path = os.path.join(host.daemons.state, "journal.db")
        self.url = f"sqlite3://{self.path}"

    def _run(self, *statements):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as database:
            rows = [database.execute(one).fetchall() for one in statements]
        self.give_back()
        return rows[-1]

    def give_back(self):
        """What the bench's own user has made, to the relay's."""
        for path in glob.glob(self.path + "*"):
            os.chown(path, RELAY_USER, -1)

    def sql(self, text):
        return self._run(text)

    def write(self, *statements):
        self._run(*statements, "pragma wal_checkpoint(truncate)")

    def octets(self):
        self._run("pragma wal_checkpoint(truncate)")
        return os.path.getsize(self.path)

    def servers_cpu(self):
        return 0.0


class PostgresqlJournal:
    """A database of that name."""

    name = "PostgreSQL"

    def __init__(self, server, database):
        self.server, self.database = server, database
        if database != "postgres":
            server.sql(f"create database {database}")
        self.url = server.url.rpartition("/")[0] + "/" + database

    def sql(self, text):
        return self.server.sql(text, self.url)

    def write(self, *statements):
        for one in (*statements, "vacuum analyze"):
            self.sql(one)

    def octets(self):
        return int(self.sql("select pg_database_size(current_database())")[0][0])

    def servers_cpu(self):
        """Of the processes that serve this database."""
        pids = self.sql("select pid from pg_stat_activity where datname = current_database() and "
                        "pid <> pg_backend_pid()")
        return sum(cpu_seconds(int(pid)) for pid, in pids)


class RelayHost:
    """A host whose relay alone runs, fed by a client of LMTP's."""

    def __init__(self, host, build_directory):
        self.host, self.load = host, RelayLoad(host, build_directory)
        self.journal = None

    @classmethod
    def beside(cls, box, name, build_directory):
        return cls(Host.beside(box, name), build_directory)

    def use(self, journal):
        self.journal = journal
        self.host.use_journal(journal.url)

    def start(self):
        self.host.daemons.start_relay()

    def stop(self):
        self.host.relay.stop()

    def kill(self):
        self.host.relay.kill()

    def submissions(self, count):
        """One after the other; the milliseconds of each."""
        took = []
        for _ in range(count):
            content = self.load.sealed()
            began = time.monotonic()
            self.load.submit([content])
            took.append((time.monotonic() - began) * 1000)
        return took

    def costs(self, count):
        """(milliseconds of each, of CPU for one: the relay's, the database's)."""
        relay, server = cpu_seconds(self.host.relay.pid), self.journal.servers_cpu()
        took = self.submissions(count)
        per = 1000 / count
        return (took, (cpu_seconds(self.host.relay.pid) - relay) * per,
                (self.journal.servers_cpu() - server) * per)


def submissions_per_second(hosts, count):
    """By as many sessions to each as Postfix opens to one destination; `count` at each."""
    work = [(host.load, host.load.sealed()) for _ in range(count) for host in hosts]
    with ThreadPoolExecutor(SESSIONS * len(hosts)) as sessions:
        began = time.monotonic()
        for done in [sessions.submit(load.submit, [content]) for load, content in work]:
            done.result()
        return len(work) / (time.monotonic() - began)
