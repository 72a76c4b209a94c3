"""Figures of the journal and of several relays: bench.py --only journal, relays or recovery."""

import os
import socket
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from figures import interleaved, percentile, spread
from journal_rows import fill_postgresql, fill_sqlite
from postgresql import Postgresql
from process import Failure
from relay_hosts import PostgresqlJournal, RelayHost, SqliteJournal, submissions_per_second
from relay_load import WARM_UP
from sandbox import Sandbox
from slow_token import SlowToken

OPEN = 100_000
RELAYS = (1, 2, 4)
CARD = 300  # milliseconds for a signature


class Bench:
    """A context manager: token and provider of one sandbox, PostgreSQL, relays beside each other."""

    def __init__(self, build_directory, slow_token=False):
        self.build_directory, self.slow_token = build_directory, slow_token
        self.stack = ExitStack()

    def __enter__(self):
        try:
            # Not below a /tmp that may lie in memory: a commit is to wait for a disk.
            directory = tempfile.mkdtemp(prefix="demail-bench-", dir="/var/tmp")
            self.box = self.stack.enter_context(Sandbox(directory, self.build_directory))
            self.box.create()
            self.token = SlowToken(self.box, self.build_directory) if self.slow_token else None
            self.box.start_provider()
            self.box.token.start()
            self.server = Postgresql(self.box.directory)
            self.server.create()
            self.server.start()
            self.stack.callback(self.server.stop)
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def relay(self, name, database=None):
        """One that runs, with a journal in SQLite, or in that database of the server's."""
        host = RelayHost.beside(self.box, name, self.build_directory)
        host.use(PostgresqlJournal(self.server, database) if database else SqliteJournal(host.host))
        host.start()
        self.stack.callback(host.stop)
        return host


def fill(bench, host, rows, state=""):
    """While its relay is ended."""
    if isinstance(host.journal, SqliteJournal):
        fill_sqlite(host.journal.path, rows, state, host.host.name)
        host.journal.give_back()
    else:
        fill_postgresql(lambda text: bench.server.sql(text, host.journal.url), rows, state,
                        host.host.name)


def bench_journal(build_directory, options, table, notes):
    with Bench(build_directory) as bench:
        for name in options.stores:
            journal_of(bench, name, options, table, notes)


def journal_of(bench, store, options, table, notes):
    hosts = {}
    for name in ("empty", "filled"):
        hosts[name] = bench.relay(store[:2] + name, None if store == "sqlite" else name)
        hosts[name].submissions(WARM_UP)
    filled, empty = hosts["filled"], hosts["empty"]
    filled.stop()
    began, before = time.monotonic(), filled.journal.octets()
    fill(bench, filled, options.rows)
    octets = (filled.journal.octets() - before) / options.rows
    title = f"{filled.journal.name}, {options.rows:,} rows"
    notes.append(f"{title}: filled in {time.monotonic() - began:.0f} s")
    filled.start()
    for host in hosts.values():
        host.submissions(WARM_UP)
    size, done = empty.journal.octets(), 0

    def costs(host):
        nonlocal done
        done += options.submissions * (host is empty)
        return host.costs(options.submissions)
    found = interleaved(options.rounds, {name: lambda host=host: costs(host)
                                         for name, host in hosts.items()})
    grown = (empty.journal.octets() - size) / done
    took = {name: sum((one[0] for one in found[name]), []) for name in hosts}
    table.ratio(f"{title}: ms a submission: empty", took["filled"], took["empty"], 1.1)
    table.told("  p99, ms", *(percentile(took[name], 99) for name in ("filled", "empty")))
    for place, what in ((1, "relay"), (2, "database"))[:1 if store == "sqlite" else 2]:
        table.told(f"  CPU ms a submission, {what}", *(
            statistics.median(one[place] for one in found[name]) for name in ("filled", "empty")))
    rates = interleaved(max(1, options.rounds // 5), {
        name: lambda host=host: submissions_per_second([host], 2 * options.submissions)
        for name, host in hosts.items()})
    table.told("  submissions/s, 20 sessions", *(
        statistics.median(rates[name]) for name in ("filled", "empty")))
    table.told("  journal octets a submission", octets, grown)
    notes += [spread(f"{store} {name}", [statistics.median(one[0]) for one in found[name]])
              for name in hosts]
    for host in hosts.values():
        host.stop()


def bench_relays(build_directory, options, table, notes):
    """Each with a card of its own: the shim delays each process's signatures on their own."""
    with Bench(build_directory, slow_token=True) as bench:
        hosts = [bench.relay(f"relay{number}", "postgres") for number in range(max(RELAYS))]
        for host in hosts:
            host.submissions(10)
        limit = submissions_per_second(hosts, 3 * options.submissions)
        bench.token.delay(CARD)
        count = options.submissions
        found = interleaved(max(1, options.rounds // 5), {
            number: lambda number=number: submissions_per_second(hosts[:number], count)
            for number in RELAYS})
        one = statistics.median(found[1])
        for number in RELAYS[1:]:
            table.rate(f"{number} relays, card of {CARD} ms: submissions/s",
                       found[number], [number * one], 0.95)
        notes.append(f"relays: one submits {one:.2f} a second with a card of {CARD} ms; all "
                     f"{len(hosts)} with cards that take no time, {limit:.1f}: what this machine "
                     "has to give, provider and client included")
        notes += [spread(f"relays: {number}", figures) for number, figures in found.items()]
        bench.token.delay(0)


class Readiness:
    """sd_notify(3)'s socket: when the relay says that it is ready."""

    def __init__(self, host):
        self.host = host
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = os.path.join(host.host.box.directory, f"notify-{host.host.name}")
        self.socket.bind(path)
        os.chmod(path, 0o777)
        self.socket.settimeout(120)
        host.host.relay.environment["NOTIFY_SOCKET"] = path

    def wait(self):
        while b"READY=1" not in self.socket.recv(4096).split(b"\n"):
            pass

    def start(self):
        """Seconds from the relay's start to its readiness, and to the first De-Mail it has sent."""
        def first():
            self.wait()
            ready = time.monotonic()
            self.host.submissions(1)
            return ready - began, time.monotonic() - began
        with ThreadPoolExecutor(1) as waiting:
            began = time.monotonic()
            answer = waiting.submit(first)
            self.host.start()
            return answer.result()


def bench_recovery(build_directory, options, table, notes):
    with Bench(build_directory) as bench:
        for store in options.stores:
            host = bench.relay(f"{store[:2]}recover", None if store == "sqlite" else "recovery")
            host.submissions(20)
            readiness = Readiness(host)
            host.kill()
            fill(bench, host, OPEN, "submitting")
            found = []
            for _ in range(max(1, options.rounds // 5)):
                found.append(readiness.start())
                host.stop()
                states = host.journal.sql("select count(*) from submission where state = "
                                          "'uncertain'")
                told = host.journal.sql("select count(*) from history where state = 'uncertain'")
                if [int(states[0][0]), int(told[0][0])] != [OPEN, OPEN]:
                    raise Failure(f"{states} of {OPEN} are uncertain, {told} in the history")
                host.journal.write("update submission set state = 'submitting', changed = created "
                                   "where state = 'uncertain'",
                                   "delete from history where state = 'uncertain'")
            title = f"{host.journal.name}, {OPEN:,} open"
            ready, first = (statistics.median(one) for one in zip(*found))
            table.most(f"{title}: start to ready", ready, 2, "s")
            table.most(f"{title}: to the first De-Mail", first, 2, "s")
            notes += [spread(f"recovery: {store}", [one[1] for one in found])]
