"""demailctl doctor on a host: one that is as it should be is good; daemons that are away, modes, files
and the configuration are named with what to do."""

import os
import time

from doctor import Doctor
from harness import main


class Host(Doctor):
    def test_1_a_host_as_it_should_be_is_good(self):
        self.wait_good()
        report = self.report()
        self.assertEqual(self.not_good(report), [])
        self.assertEqual({one["group"] for one in report["checks"]},
                         {"configuration", "postfix", "files", "daemons", "token"})
        self.assertGreater(len(report["checks"]), 50)
        code, out = self.doctor()
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", out)
        self.assertRegex(out, r"\n0 bad, 0 cannot be told, \d+ good\.\n$")

    def test_2_a_relay_that_is_stopped_is_named(self):
        self.wait_good()
        self.box.relay.stop()
        try:
            report = self.report()
            named = {one["name"]: one for one in self.not_good(report)}
            self.assertEqual(set(named), {"demail-relay", "LMTP socket", "journal",
                                          "seal key for demail-relay"}, named)
            self.assertIn("systemctl start demail-relay", named["demail-relay"]["remedy"])
            self.assertIn("De-Mails wait in Postfix's queue", named["demail-relay"]["found"])
        finally:
            self.box.daemons.start_relay()
        self.wait_good()

    def test_3_a_milter_that_is_stopped_is_named(self):
        self.box.milter.stop()
        try:
            named = {one["name"]: one for one in self.not_good(self.report())}
            self.assertEqual(set(named), {"demail-milter", "seal key for demail-milter"})
            self.assertIn("451", named["demail-milter"]["found"])
            self.assertIn("systemctl start demail-milter", named["demail-milter"]["remedy"])
        finally:
            self.box.daemons.start_milter()

    def test_4_modes_are_looked_at(self):
        self.wait_good()
        state, key = self.box.daemons.state, self.box.daemons.key_file
        for path, mode, name, found, remedy in (
                (os.path.join(state, "evidence"), 0o750, "evidence", "0750", "chmod 0700"),
                (os.path.join(state, "spool"), 0o711, "spool", "0711", "chmod 0700"),
                (key, 0o644, "named files", "0644", "."),
                (key, 0o400, "seal key for demail-milter", "may not read", "chmod 0640")):
            with self.subTest(name, mode=oct(mode)):
                before = os.stat(path).st_mode & 0o7777
                os.chmod(path, mode)
                try:
                    report = self.report()
                    found_one = [one for one in self.not_good(report) if one["name"] == name]
                    self.assertEqual(len(found_one), 1, report)
                    self.assertEqual(found_one[0]["result"], "bad")
                    self.assertRegex(found_one[0]["found"], found)
                    self.assertRegex(found_one[0]["remedy"], remedy)
                finally:
                    os.chmod(path, before)

    def test_5_the_list_and_its_index_must_agree(self):
        self.wait_good()
        base = self.box.daemons.domains
        os.utime(base + ".indexed")
        index, = (base + end for end in (".db", ".lmdb", ".cdb") if os.path.exists(base + end))
        past = time.time() - 3600
        before = os.stat(index).st_mtime
        os.utime(index, (past, past))
        try:
            self.named(self.report(), "index and list", "bad", "older", "domains --refresh")
        finally:
            os.utime(index, (time.time(), time.time()))
        os.rename(index, index + ".away")
        try:
            self.named(self.report(), "domain index", "bad", "451 for all mail", ".")
        finally:
            os.rename(index + ".away", index)
        self.assertLess(before, os.stat(index).st_mtime + 1)

    def test_6_a_configuration_with_a_fault_is_named_with_its_line(self):
        daemons = self.box.daemons
        text = daemons.configuration()
        try:
            daemons.write_configuration(text.replace("key_file =", "keyfile =", 1))
            report = self.report()
            self.assertEqual({one["name"] for one in report["checks"]}, {"demail.toml"})
            self.assertRegex(report["checks"][0]["found"], r"demail\.toml:\d+:\d+: .*key_file")
            daemons.write_configuration(text.replace('"enforce"', '"observe"', 1))
            self.named(self.report(), "mode", "bad", "bounces", "enforce")
            daemons.write_configuration(text.replace("object=demail-auth", "object=nobody"))
            self.assertIn("see demailctl cert list",
                          [one["remedy"] for one in self.not_good(self.report())])
        finally:
            daemons.write_configuration(text)

    def test_7_somebody_with_fewer_rights_is_told_what_cannot_be_told(self):
        self.wait_good()
        report = self.report(user=65534)
        self.assertEqual(report["verdict"], "unknown")
        named = self.not_good(report)
        self.assertEqual({one["result"] for one in named}, {"unknown"}, named)
        self.assertIn("demail-relay", {one["name"] for one in named})
        self.assertEqual({one["remedy"] for one in named}, {"try it as root"})
        file = self.box.daemons.config_file
        before = os.stat(file).st_mode & 0o7777
        os.chmod(file, 0o600)
        try:
            self.named(self.report(user=65534), "demail.toml", "unknown", "denied", "as root")
        finally:
            os.chmod(file, before)

    def test_8_nothing_is_changed(self):
        def all_files():
            found = {}
            for base, _, names in os.walk(self.box.directory):
                for name in names:
                    # SoftHSM notes that somebody has looked at its token.
                    if name.endswith("log") or name == "generation":
                        continue
                    status = os.lstat(os.path.join(base, name))
                    found[os.path.join(base, name)] = (status.st_mtime_ns, status.st_size,
                                                       status.st_mode, status.st_uid)
            return found
        self.wait_good()
        before = all_files()
        self.doctor()
        self.assertEqual({name: (before.get(name), now) for name, now in all_files().items()
                          if before.get(name) != now}, {})


if __name__ == "__main__":
    main()
