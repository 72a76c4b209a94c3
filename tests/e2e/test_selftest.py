"""demailctl selftest leak: sees each table that is missing, and what becomes of its probes."""

import json
import os
import shutil
import subprocess
import time

from handing_back import Filter
from harness import BUILD, EndToEnd, main
from daemons import RELAY_USER, find_program
from sandbox import free_port

TOWN = "town.example"  # not below de-mail.de; an operator has accepted it


class SelftestLeak(EndToEnd):
    @classmethod
    def prepare(cls):
        provider = cls.box.provider_json()
        provider["domains"]["list"].append(TOWN)
        cls.box.write_provider(provider)
        cls.filter_port, cls.back_port = free_port(), free_port()
        cls.box.postfix.services += [
            f"127.0.0.1:{cls.back_port} inet n - n - - smtpd "
            "-o receive_override_options=no_milters -o content_filter=",
            "scan unix - - n - - smtp -o smtp_header_checks= -o smtp_nested_header_checks="]
        cls.box.postfix.configure({})
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
        code, out, err = self.selftest("--tables", "--json", "--postfix-config", etc)
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
        code, out, err = self.selftest("--tables")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"\nNone of \d\d would leave to the Internet\.\n$")
        self.assertNotIn("WAY IN", out)
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

    # The probes

    def probes(self):
        """Exit code and {way: report}; nothing of them stays in the queue."""
        code, out, err = self.selftest("--json")
        self.assertEqual(err, "")
        self.assertEqual(self.box.postfix.queue(), [])
        report = json.loads(out)
        self.assertEqual(report["leaks"],
                         sum(one["outcome"] == "leaves" for one in report["probes"]) +
                         sum(len(one["leaks"]) for one in report["ways"]))
        for one in report["ways"]:
            self.assertEqual(one["unknown"], "")
            self.assertGreaterEqual(one["probes"], 25)
        return code, {one["way"]: one for one in report["ways"]}

    def back(self):
        return f"smtpd 127.0.0.1:{self.back_port} inet"

    def changed(self, settings):
        before = {name: self.box.postfix.settings.get(name) for name in settings}
        self.addCleanup(self.box.postfix.reload)
        self.addCleanup(self.box.postfix.configure, before)
        self.box.postfix.configure(settings)
        self.box.postfix.reload()

    def test_none_of_the_probes_leaves(self):
        code, ways = self.probes()
        self.assertEqual(code, 0)
        by_milter = [f"smtpd 127.0.0.1:{self.box.ports['smtp']} inet", "smtpd demail-in unix"]
        self.assertEqual(sorted(ways), sorted([*by_milter, self.back(), "sendmail", "bounce"]))
        for name, way in ways.items():
            self.assertEqual((way["leaks"], way["waiting"], way["kept"]), ([], 0, 0), name)
            self.assertEqual(way["refused"] + way["bounced"], way["probes"], name)
            if name != self.back():
                self.assertEqual(way["refused" if name in by_milter else "bounced"],
                                 way["probes"], name)
        self.assertGreater(ways[self.back()]["bounced"], 0)
        self.nothing_left()

    def test_to_a_person(self):
        code, out, err = self.selftest()
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"\nsmtpd 127\.0\.0\.1:\d+ inet +(\d\d) +\1 refused\n")
        self.assertRegex(out, r"\nNone of \d\d\d left or would leave to the Internet\.\n$")

    def test_a_way_past_the_milter_and_without_the_tables_is_seen(self):
        maps = self.box.postfix.settings["transport_maps"]
        self.changed({"transport_maps": maps[maps.index("pipemap:"):]})
        code, ways = self.probes()
        self.assertEqual(code, 1)
        left = [one["address"] for one in ways[self.back()]["leaks"]]
        self.assertIn("probe%leak-probe.de-mail.de@relay.example", left)
        self.assertTrue(all(one["bounce"] for one in ways["bounce"]["leaks"]))
        self.assertGreater(len(ways["bounce"]["leaks"]), 5)
        self.assertEqual(ways["sendmail"]["leaks"], [])
        kept = self.box.kept(self.box.internet)[self.before["internet"]:]
        self.assertGreaterEqual(len(kept), 1)
        self.assertTrue(all(b"demailctl selftest" in one["content"] for one in kept))

    def test_the_milter_is_away(self):
        self.box.milter.stop()
        self.addCleanup(self.box.daemons.start_milter)
        code, ways = self.probes()
        self.assertEqual(code, 0)
        for name in ("sendmail", "bounce"):
            self.assertEqual(ways[name]["waiting"], ways[name]["probes"], name)
        self.nothing_left()

    def test_the_relay_is_away(self):
        self.box.relay.stop()
        self.addCleanup(self.box.daemons.start_relay)
        code, ways = self.probes()
        self.assertEqual(code, 0)
        self.assertGreater(ways[self.back()]["waiting"], 0)
        self.nothing_left()

    def test_by_a_content_filter(self):
        content_filter = Filter(self.filter_port, self.back_port)
        self.addCleanup(content_filter.close)
        self.changed({"content_filter": f"scan:[127.0.0.1]:{self.filter_port}"})
        code, ways = self.probes()
        self.assertEqual([one for way in ways.values() for one in way["leaks"]], [])
        self.assertEqual(code, 0)
        self.nothing_left()

    def test_a_log_that_cannot_be_read_is_said_and_nothing_is_sent(self):
        before = self.box.postfix.log()
        os.rename(self.box.postfix.log_file, self.box.postfix.log_file + ".away")
        try:
            code, out, err = self.selftest()
        finally:
            os.rename(self.box.postfix.log_file + ".away", self.box.postfix.log_file)
        self.assertEqual((code, out), (69, ""))
        self.assertIn(f"{self.box.postfix.log_file} cannot be read", err)
        self.assertEqual(self.box.postfix.log(), before)


if __name__ == "__main__":
    main()
