"""CPU time of a process, medians of interleaved rounds, and the table that `make bench` prints."""

import statistics
import time

CPUCLOCK_SCHED = 2  # clock_getcpuclockid(3): user and system time of all threads, ended ones too


def cpu_seconds(pid):
    """CPU time that the process has used, in seconds, to the nanosecond of the scheduler."""
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


def interleaved(rounds, loads):
    """Runs each load once to warm up, then all of them in turn, `rounds` times over, and each round
    in another order. loads: {name: function that returns one figure}. Returns {name: [figures]}."""
    names = list(loads)
    for name in names:
        loads[name]()
    found = {name: [] for name in names}
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            found[name].append(loads[name]())
    return found


def percentile(figures, percent):
    """The figure that so many of a hundred do not exceed."""
    return sorted(figures)[max(0, -(-len(figures) * percent // 100) - 1)]


class Table:
    """Rows of ours against another's; `missed` counts the aims that were not reached."""

    LINE = "{:52} {:>8} {:>8} {:>7}  {:10} {}"

    def __init__(self, print_line=print):
        self.print, self.missed = print_line, 0
        self.print(self.LINE.format("figure", "ours", "other", "ratio", "aim", ""))

    def ratio(self, name, ours, other, aim, less=0.0):
        """Medians of milliseconds; `less` is taken off both."""
        mine, its = statistics.median(ours) - less, statistics.median(other) - less
        self._row(name, f"{mine:.3f}", f"{its:.3f}", mine / its, aim)

    def growth(self, name, large, small, aim):
        """Mebibytes from KiB: how far `large` is above `small`."""
        self._row(name, f"{large / 1024:.2f}", f"{small / 1024:.2f}", (large - small) / 1024, aim,
                  "+{:.2f}", "MiB")

    def rate(self, name, ours, other, aim):
        """Medians of something a second: at least `aim` of the other."""
        mine, its = statistics.median(ours), statistics.median(other)
        self._row(name, f"{mine:.2f}", f"{its:.2f}", mine / its, aim, least=True)

    def most(self, name, ours, aim, unit):
        self._row(name, f"{ours:.3f}", "", ours, aim, "{:.3f}", unit)

    def figure(self, name, ours, other, aim, form="{:.2f}", unit=""):
        """At most `aim`, whatever the other has."""
        self._row(name, form.format(ours), form.format(other), ours, aim, unit=unit,
                  ratio=ours / other)

    def told(self, name, ours, other):
        """Without an aim."""
        self.print(self.LINE.format(name, f"{ours:.2f}", f"{other:.2f}", f"{ours / other:.2f}", "",
                                    "").rstrip())

    def _row(self, name, ours, other, value, aim, form="{:.2f}", unit="", least=False,
             ratio=None):
        reached = value >= aim if least else value <= aim
        self.missed += not reached
        shown = form.format(value if ratio is None else ratio)
        self.print(self.LINE.format(name, ours, other, shown,
                                    f"{'>=' if least else '<='} {aim:g} {unit}".strip(),
                                    "" if reached else "MISSED"))


def spread(name, figures):
    """A line on how far apart the rounds of one figure were."""
    middle = statistics.median(figures)
    least, most = min(figures), max(figures)
    noise = (most - least) / middle
    return (f"{name:18} median {middle:.3f}  min {least:.3f}  max {most:.3f}  "
            f"spread {noise:4.0%}{'  noisy' if noise > 0.25 else ''}")
