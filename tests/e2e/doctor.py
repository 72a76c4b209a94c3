"""demailctl doctor as the tests call it."""

import json
import os
import subprocess

from harness import BUILD, EndToEnd, wait_for
from daemons import find_program


class Doctor(EndToEnd):
    @classmethod
    def prepare(cls):
        cls.environment = {**os.environ, **cls.box.token.environment}

    def doctor(self, *words, user=None):
        command = [find_program(BUILD, "demailctl"), "--config", self.box.daemons.config_file,
                   "doctor", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60,
                              env=self.environment, user=user, group=user,
                              extra_groups=[] if user else None)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def report(self, *words, **options):
        code, out = self.doctor("--json", *words, **options)
        report = json.loads(out)
        self.assertEqual(code, {"good": 0, "bad": 1, "unknown": 2}[report["verdict"]], out)
        return report

    def not_good(self, report):
        return [one for one in report["checks"] if one["result"] != "good"]

    def named(self, report, name, result, found="", remedy=""):
        """The one check that is not good; all others are."""
        checks = self.not_good(report)
        self.assertEqual([(one["name"], one["result"]) for one in checks], [(name, result)], checks)
        self.assertRegex(checks[0]["found"], found)
        self.assertRegex(checks[0]["remedy"], remedy)
        return checks[0]

    def wait_good(self):
        wait_for(lambda: self.report()["verdict"] == "good", 30, "a host that is good", pause=0.5)
