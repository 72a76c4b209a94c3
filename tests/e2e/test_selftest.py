"""demailctl selftest leak: sees each table that is missing, and sends nothing."""

import json
import os
import shutil
import subprocess
import time

from harness import BUILD, EndToEnd, main
from daemons import RELAY_USER, find_program

TOWN = "town.example"  # not below de-mail.de; an operator has accepted it


class SelftestLeak(EndToEnd):
    @classmethod
    def prepare(cls):
        provider = cls.box.provider_json()
        provider["domains"]["list"].append(TOWN)
        cls.box.write_provider(provider)
        memory = cls.box.daemons.domains + ".memory"
        with open(memory, "w", encoding="ascii") as file:
            file.write(f"accepted {TOWN}\n")
        shutil.chown(memory, RELAY_USER)

    def selftest(self, *words):
        done = subprocess.run(
            [find_program(BUILD, "demailctl"), "--config", self.box.daemons.config_file,
             "selftest", "leak", *words], capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def with_maps(self, change):
        """Exit code and report by a Postfix whose transport_maps were changed."""
        etc = os.path.join(self.box.directory, "etc-without")
        shutil.rmtree(etc, ignore_errors=True)
        shutil.copytree(self.box.postfix.etc, etc)
        path = os.path.join(etc, "main.cf")
        maps = self.box.postfix.settings["transport_maps"]
        self.assertNotEqual(change(maps), maps)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(maps, change(maps)))
        os.utime(path, (time.time() - 10,) * 2)
        code, out, err = self.selftest("--json", "--postfix-config", etc)
        self.assertEqual(err, "")
        return code, json.loads(out)

    def without(self, table):
        """What would leave where the table is missing there."""
        code, report = self.with_maps(lambda maps: maps.replace(table, ""))
        self.assertEqual(code, 1)
        found = [one["address"] for one in report["probes"] if one["outcome"] == "leaves"]
        self.assertEqual(report["leaks"], len(found))
        return found

    def test_all_tables_there_none_would_leave(self):
        code, out, err = self.selftest()
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"\nNone of \d\d spellings would leave\.\n$")
        self.assertEqual(self.box.postfix.queue(), [])
        self.nothing_left()

    def test_without_strange_address_what_is_spelt_strangely_would_leave(self):
        found = self.without(f"regexp:{self.box.postfix.etc}/strange-address, ")
        self.assertIn("probe@leak-probe.de－mail.de", found)
        self.assertIn("probe%leak-probe.de-mail.de@relay.example", found)
        self.assertNotIn("probe@leak-probe.de-mail.de", found)
        self.assertGreater(len(found), 15)

    def test_without_the_table_of_hidden_ways_a_way_to_a_domain_elsewhere_would_leave(self):
        self.assertEqual(self.without(f"regexp:{self.box.daemons.domains}.hidden, "),
                         [f"probe%{TOWN}@relay.example", f'"probe@{TOWN}"@relay.example',
                          f"{TOWN}!probe@relay.example"])

    def test_without_the_index_the_plain_address_would_leave(self):
        maps = self.box.postfix.settings["transport_maps"]
        found = self.without(maps[maps.index(", pipemap:"):])
        self.assertIn("probe@leak-probe.de-mail.de", found)

    def test_a_table_that_does_not_answer_is_said(self):
        code, report = self.with_maps(lambda maps: maps.replace("pipemap:", "hash:/none, pipemap:"))
        self.assertEqual((code, report["leaks"]), (2, 0))
        self.assertGreater(report["unknown"], 0)

    def test_a_directory_without_postfix_is_said(self):
        code, out, err = self.selftest("--postfix-config", "/nonexistent")
        self.assertEqual((code, out), (69, ""))
        self.assertIn("postconf", err)


if __name__ == "__main__":
    main()
