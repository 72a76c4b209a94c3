#!/usr/bin/python3
"""The project's figures, ours beside a floor or a peer, by medians of interleaved rounds.

    make bench                              all of them, about seven minutes; needs root
    make bench BENCHFLAGS="--only milter"   milter, rules, relay, memory, wire, token, card, journal,
                                            relays or recovery
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

SOURCE = os.path.realpath(os.environ.get("SRCDIR") or
                          os.path.join(os.path.dirname(__file__), "../.."))
for directory in ("contrib/sandbox", "tests/e2e"):
    sys.path.insert(0, os.path.join(SOURCE, directory))

from card_load import CardBench  # noqa: E402
from figures import Table, interleaved, spread  # noqa: E402
from journal_bench import bench_journal, bench_recovery, bench_relays  # noqa: E402
from milter_load import MilterLoad  # noqa: E402
from process import Failure  # noqa: E402
from relay_load import BOB, RelayLoad, letter  # noqa: E402
from sandbox import Sandbox, free_port  # noqa: E402
from slow_token import SESSIONS, SlowToken  # noqa: E402

BUILD = os.path.realpath(os.environ.get("BUILDDIR") or os.getcwd())
CHOICES = ("wire", "rules", "token", "card", "milter", "relay", "memory", "journal", "relays", "recovery")
LIMIT = 47185920  # message_size_limit of contracts.md


def bench_milter(box, ports, options, table, notes):
    load = MilterLoad(box, BUILD, ports)
    load.create()
    try:
        load.start()
        load.check_verification()
        load.check_rules()
        found = interleaved(options.rounds, {
            name: lambda name=name: load.load(name, options.messages) for name in ports})
    finally:
        load.stop()
    table.ratio("milter, CPU ms a message: empty milter", found["demail"], found["empty"], 1.0)
    table.ratio("milter, CPU ms a message: OpenDKIM", found["demail"], found["opendkim"], 0.35)
    # Beside the example's three rules: what a hundred thousand cost those who send no De-Mail.
    table.ratio("milter, 100 000 rules, CPU ms a message: empty", found["rules"], found["empty"],
                1.0)
    table.ratio("milter, 100 000 rules, CPU ms a message: 3 rules", found["rules"],
                found["demail"], 1.1)
    notes += [spread(f"milter: {name}", figures) for name, figures in found.items()]


def bench_relay(box, options, table, notes):
    load = RelayLoad(box, BUILD)
    try:
        load.start()
        found = interleaved(options.rounds, {
            "relay": lambda: load.relay(options.submissions),
            "floor": lambda: load.submit_floor(options.submissions),
            "evidence": lambda: load.submit_and_keep_floor(options.submissions),
            "token": lambda: load.sign(options.submissions)})
    finally:
        load.stop()
    signing = statistics.median(found["token"])
    for name, floor in (("floor", "floor"), ("floor with evidence", "evidence")):
        table.ratio(f"relay, CPU ms a submission: {name}", found["relay"], found[floor], 1.5,
                    signing)
    notes.append(f"relay: {signing:.3f} ms of the token's own signing are taken off each; as "
                 f"measured: ours {statistics.median(found['relay']):.3f}, floor "
                 f"{statistics.median(found['floor']):.3f}")
    notes += [spread(f"relay: {name}", figures) for name, figures in found.items()]


def reset_peak(process):
    with open(f"/proc/{process.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def peaks(box, content):
    """Peak RSS in KiB of milter and relay while this De-Mail goes through Postfix and them."""
    for process in (box.milter, box.relay):
        reset_peak(process)
    before = len(box.accepted())
    with box.client(login="anna") as client:
        client.send("anna@firm.example", [BOB], content)
    box.postfix.wait_empty(120)
    if len(box.accepted()) != before + 1:
        raise Failure("a De-Mail of the memory bench did not reach the provider")
    return box.milter.peak_rss(), box.relay.peak_rss()


def bench_memory(box, table):
    peaks(box, letter())
    milter, relay = peaks(box, letter())
    large_milter, large_relay = peaks(box, letter(LIMIT - 8192))  # room for Received and the seal
    table.growth("relay, peak RSS MiB: 45 MiB over 4 KiB", large_relay, relay, 2)
    table.growth("milter, peak RSS MiB: 45 MiB over 4 KiB", large_milter, milter, 1)


def bench_wire(table):
    program = os.path.join(BUILD, "tests/bench/wire")

    def figures(*arguments):
        done = subprocess.run([program, *arguments], check=True, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, env={**os.environ, "SRCDIR": SOURCE})
        return [float(word) for word in done.stdout.split()]
    envelope, key = figures("envelope", "3000")
    table.most("envelope of 1 KiB, CPU ms less the key's", (envelope - key) / 1000, 0.15, "ms")
    ours, floor = figures("large", "20", "25")
    table.rate("20 MiB submissions, MiB/s: floor", [ours], [floor], 0.9)


def bench_rules(table, notes):
    done = subprocess.run([os.path.join(BUILD, "tests/bench/rules")], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    few, *many = ([float(word) for word in line.split()] for line in done.stdout.splitlines())
    for count, *costs, read in many:
        for what, mine, its in zip(("RCPT, may", "RCPT, may not", "relay's question"), costs,
                                   few[1:]):
            table.ratio(f"{what}, us: {count:.0f} rules over 10", [mine], [its], 2.0)
        notes.append(f"rules: a file of {count:.0f} is read in {read:.0f} ms")


def bench_token(options, table):
    with Sandbox(tempfile.mkdtemp(prefix="demail-bench-", dir="/tmp"), BUILD) as box:
        box.create()
        token = SlowToken(box, BUILD)
        box.start()
        token.load.start()
        try:
            for delay, count in ((20, 200), (300, 40)):
                token.delay(delay)
                found = interleaved(max(1, options.rounds // 5), {
                    "relay": lambda n=count: token.submissions_per_second(n),
                    "token": lambda n=count: token.signatures_per_second(n // 4)})
                table.rate(f"{SESSIONS} sessions, token of {delay} ms: submissions/s",
                           found["relay"], found["token"], 0.98)
        finally:
            token.delay(0)
            token.load.stop()


def bench_card(options, table, notes):
    rounds = max(1, options.rounds // 3)
    with CardBench(BUILD) as bench:
        ours, opensc = bench.ours, bench.opensc
        mine, its = ours.first_signature(), opensc.first_signature()
        table.figure("card, APDUs: VERIFY to first signature", mine[1], its[1], 5, "{:.0f}")
        notes.append(f"card: APDUs from a program's start to its first signature: ours {mine[0]}, "
                     f"OpenSC {its[0]}")
        table.figure("card, APDUs a signature: in a row", ours.apdus(options.signatures),
                     opensc.apdus(options.signatures), 1.1)
        mine, its = ours.touched(), opensc.touched()
        table.figure("card, APDUs a signature: touched between", mine[0], its[0], 3)
        notes.append("card: another program of PC/SC got at it between two signatures: ours "
                     f"{mine[1]:.0%} of the times, OpenSC {its[1]:.0%}")
        found = interleaved(rounds, {
            side.name: lambda side=side: side.overheads(options.signatures // rounds)
            for side in (ours, opensc)})
        mine, its = (statistics.median(sum(found[side.name], [])) for side in (ours, opensc))
        table.figure("card, ms a signature above the card's", mine, its, 0.5, "{:.3f}", "ms")
        notes += [spread(f"card: {name}", [statistics.median(one) for one in figures])
                  for name, figures in found.items()]
        mine, its = ours.shares(options.seconds), opensc.shares(options.seconds)
        table.figure("card, two programs: one's over other's", mine[1] / max(mine[0], 1),
                     its[1] / max(its[0], 1), 1.2)
        notes.append(f"card: two programs signed for {options.seconds} s: ours {mine[1]} and "
                     f"{mine[0]} times, OpenSC {its[1]} and {its[0]}")


def run(options):
    notes = []
    table = Table()
    wanted = options.only or CHOICES
    if "wire" in wanted:
        bench_wire(table)
    if "rules" in wanted:
        bench_rules(table, notes)
    if "token" in wanted:
        bench_token(options, table)
    if "card" in wanted:
        bench_card(options, table, notes)
    if {"milter", "relay", "memory"} & set(wanted):
        bench_daemons(options, wanted, table, notes)
    for name, bench in (("journal", bench_journal), ("relays", bench_relays),
                        ("recovery", bench_recovery)):
        if name in wanted:
            bench(BUILD, options, table, notes)
    print(f"\n{options.rounds} rounds in turn, of {options.messages} messages or "
          f"{options.submissions} submissions; load average {os.getloadavg()[0]:.1f} on "
          f"{os.cpu_count()} processors")
    print("\n".join(notes))
    return 1 if table.missed else 0


def bench_daemons(options, wanted, table, notes):
    ports = {name: free_port() for name in ("demail", "empty", "opendkim", "rules")}
    with Sandbox(tempfile.mkdtemp(prefix="demail-bench-", dir="/tmp"), BUILD) as box:
        box.create(settings={"default_transport": "discard:"},
                   services=MilterLoad.services(ports))
        box.start()
        if "milter" in wanted:
            bench_milter(box, ports, options, table, notes)
        if "relay" in wanted:
            bench_relay(box, options, table, notes)
        if "memory" in wanted:
            bench_memory(box, table)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=CHOICES)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--messages", type=int, default=150, help="a round, to each milter")
    parser.add_argument("--submissions", type=int, default=20, help="a round")
    parser.add_argument("--signatures", type=int, default=400, help="of a card, by each module")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the filled journal")
    parser.add_argument("--stores", nargs="+", choices=("sqlite", "postgresql"),
                        default=("sqlite", "postgresql"), help="where the journals lie")
    parser.add_argument("--seconds", type=int, default=5, help="for two programs at one card")
    try:
        return run(parser.parse_args())
    except Failure as fault:
        print(f"bench: {fault}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
