"""demailctl against a whole host: what works, what is away, what Postfix lacks, who may send."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from harness import BOB, BUILD, EndToEnd, main, wait_for
from daemons import find_program

TOWN = "town.example"  # named by the provider, not below de-mail.de, without an SRV record


class Demailctl(EndToEnd):
    @classmethod
    def prepare(cls):
        provider = cls.box.provider_json()
        provider["domains"]["list"].append(TOWN)
        cls.box.write_provider(provider)

    def ctl(self, *words):
        """(exit code, standard output, standard error)"""
        done = subprocess.run(
            [find_program(BUILD, "demailctl"), "--config", self.box.daemons.config_file, *words],
            capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def json(self, *words):
        code, out, err = self.ctl(*words, "--json")
        self.assertEqual(err, "")
        return code, json.loads(out)

    def finding(self, report, name):
        found = [one for one in report["findings"] if one["name"] == name]
        self.assertEqual(len(found), 1, report["findings"])
        return found[0]

    def wait_good(self):
        def good():
            code, _, _ = self.ctl("status")
            return code == 0
        wait_for(good, 30, "demailctl status to be good", pause=0.5)


class Status(Demailctl):
    def test_a_host_that_works_is_good(self):
        self.wait_good()
        self.send([BOB])
        self.accepted(1)
        code, report = self.json("status")
        self.assertEqual((code, report["verdict"]), (0, "good"), report)
        self.assertEqual({one["verdict"] for one in report["findings"]}, {"good"})
        self.assertGreaterEqual(report["relay"]["submissions"]["accepted"], 1)
        self.assertEqual(report["relay"]["accounts"],
                         [{"name": "firm", "provider": "sandbox", "suspended": None,
                           "resting": None}])

    def test_text_comes_in_columns_without_colours(self):
        code, out, err = self.ctl("status")
        self.assertEqual((code, err), (0, ""))
        self.assertNotIn("\x1b", out)
        starts = {line.index(" good") for line in out.splitlines() if " good" in line}
        self.assertEqual(len(starts), 1, out)

    def test_a_relay_that_is_stopped_is_said(self):
        self.wait_good()
        self.box.relay.stop()
        try:
            code, report = self.json("status")
            self.assertEqual((code, report["verdict"]), (1, "bad"))
            relay = self.finding(report, "demail-relay")
            self.assertEqual(relay["verdict"], "bad")
            self.assertIn("not running", relay["sentence"])
            self.assertEqual(self.finding(report, "LMTP socket")["verdict"], "bad")
            self.assertEqual(self.finding(report, "demail-milter")["verdict"], "good")
            # The files are still told of.
            code, report = self.json("domains")
            self.assertEqual((code, report["verdict"]), (2, "unknown"))
            self.assertIn("other.de-mail.de", [one["domain"] for one in report["domains"]])
            for words in (("resume", "firm"), ("domains", "--refresh"),
                          ("domains", "accept", TOWN)):
                code, out, err = self.ctl(*words)
                self.assertEqual((code, out), (69, ""), words)
                self.assertIn("not running", err)
        finally:
            self.box.daemons.start_relay()
        self.wait_good()

    def test_a_milter_that_is_stopped_is_said(self):
        self.box.milter.stop()
        try:
            code, report = self.json("status")
            self.assertEqual(code, 1)
            self.assertEqual(self.finding(report, "demail-milter")["verdict"], "bad")
            self.assertIn("451", self.finding(report, "demail-milter")["sentence"])
        finally:
            self.box.daemons.start_milter()

    def test_a_suspended_account_is_said_and_resumed(self):
        self.wait_good()
        code, _, err = self.ctl("resume", "nobody")
        self.assertEqual(code, 1)
        self.assertIn("nobody", err)
        self.box.faults({"operation": "Submit", "fault": "not-authorised", "times": 1})
        try:
            self.send([BOB])
            code, report = wait_for(
                lambda: (lambda said: said[0] and said)(self.json("status")), 20,
                "the account to be suspended")
            account = self.finding(report, "account firm")
            self.assertEqual((code, account["verdict"]), (1, "bad"))
            self.assertIn("demailctl resume firm", account["sentence"])
        finally:
            self.box.faults()
            code, _, err = self.ctl("resume", "firm")
        self.assertEqual((code, err), (0, ""))
        self.box.postfix.flush()
        self.accepted(1)
        self.wait_good()

    def test_usage_and_configuration_faults(self):
        self.assertEqual(self.ctl()[0], 64)
        self.assertEqual(self.ctl("status", "--nonsense")[0], 64)
        self.assertEqual(self.ctl("setup")[0], 64)
        self.assertEqual(self.ctl("--config", "/nonexistent/x.toml", "status")[0], 64)
        self.assertEqual(self.ctl("--check-config")[0], 0)
        self.assertEqual(self.ctl("--help")[0], 0)
        self.assertRegex(self.ctl("--version")[1], r"^demailctl \d+\.\d+")
        done = subprocess.run([find_program(BUILD, "demailctl"), "--config", "/nonexistent/x.toml",
                               "status"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 78)
        self.assertIn("/nonexistent/x.toml", done.stderr)


class Domains(Demailctl):
    def index_files(self):
        base = self.box.daemons.domains
        return [base + end for end in (".db", ".lmdb", ".cdb") if os.path.exists(base + end)]

    def test_1_a_domain_that_nothing_confirms_waits_until_it_is_accepted(self):
        self.wait_good()
        code, report = self.json("domains")
        self.assertEqual(code, 0, report)
        self.assertEqual(report["relay"]["waiting"], [TOWN])
        self.assertNotIn(TOWN, [one["domain"] for one in report["domains"]])
        self.assertRegex(self.ctl("domains")[1], rf"(?m)^{TOWN}  +waiting ")
        code, _, err = self.ctl("domains", "accept", TOWN)
        self.assertEqual((code, err), (0, ""))
        entry = {"domain": TOWN, "state": "active", "where": "both"}
        wait_for(lambda: entry in self.json("domains")[1]["domains"], 30, "the domain in the list")

    def test_2_what_cannot_be_done_is_refused_with_the_reason(self):
        for domain in ("no domain", "a\nb", ""):
            self.assertEqual(self.ctl("domains", "accept", domain)[0], 64)
        code, _, err = self.ctl("domains", "accept", "com")
        self.assertEqual(code, 1)
        self.assertRegex(err, r"^demailctl: com .+\n$")
        code, _, err = self.ctl("domains", "forget", "other.de-mail.de")
        self.assertEqual(code, 1)
        self.assertIn("always De-Mail", err)

    def test_3_a_missing_index_is_said_and_made_again(self):
        self.wait_good()
        index, = self.index_files()
        os.unlink(index)
        for command in ("status", "domains"):
            with self.subTest(command):
                code, report = self.json(command)
                self.assertEqual((code, report["verdict"]), (1, "bad"))
                sentence = self.finding(report, "domain index")["sentence"]
                self.assertIn(index + " is missing", sentence)
                self.assertIn("451 for all mail", sentence)
                self.assertIn("demailctl domains --refresh", sentence)
                code, out, _ = self.ctl(command)
                self.assertEqual(code, 1)
                self.assertIn("451 for all mail", out)
        # What the sentence says helps.
        self.assertEqual(self.ctl("domains", "--refresh")[0], 0)
        self.wait_good()
        self.assertEqual(self.index_files(), [index])

    def test_4_a_damaged_index_is_not_called_good(self):
        index, = self.index_files()
        shutil.move(index, index + ".away")
        try:
            for content in (b"", b"\0" * 12288):
                with open(index, "wb") as file:
                    file.write(content)
                done = subprocess.run(
                    [find_program(BUILD, "demailctl"), "--config",
                     self.box.daemons.config_file, "status", "--json"],
                    capture_output=True, text=True, check=False, timeout=60)
                self.assertEqual(done.returncode, 1)
                finding = self.finding(json.loads(done.stdout), "domain index")
                self.assertEqual(finding["verdict"], "bad")
                self.assertIn("postmap", finding["sentence"])
        finally:
            os.rename(index + ".away", index)

    def test_5_a_domain_in_one_text_alone_is_named(self):
        base = self.box.daemons.domains
        self.box.relay.stop()
        try:
            for file, where in ((base, "text"), (base + ".indexed", "index")):
                with open(file, encoding="ascii") as old:
                    before = old.read()
                with open(file, "a", encoding="ascii") as more:
                    more.write("zz.example active\n")
                try:
                    _, report = self.json("domains")
                    self.assertIn({"domain": "zz.example", "state": "active", "where": where},
                                  report["domains"])
                    self.assertRegex(self.ctl("domains")[1],
                                     rf"(?m)^zz\.example  +active  +in {re.escape(file)} alone: ")
                finally:
                    with open(file, "w", encoding="ascii") as old:
                        old.write(before)
            os.rename(base, base + ".away")
            try:
                code, report = self.json("domains")
                self.assertEqual(code, 1)
                self.assertIn(base, self.finding(report, "domain list")["sentence"])
            finally:
                os.rename(base + ".away", base)
        finally:
            self.box.daemons.start_relay()


class Setup(Demailctl):
    def copy(self):
        """Postfix's configuration in a directory of its own."""
        scratch = tempfile.TemporaryDirectory(prefix="demail-e2e-")
        self.addCleanup(scratch.cleanup)
        etc = os.path.join(scratch.name, "etc")
        shutil.copytree(self.box.postfix.etc, etc)
        return etc

    def read(self, *path):
        with open(os.path.join(*path), encoding="utf-8") as file:
            return file.read()

    def write(self, text, *path):
        path = os.path.join(*path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        # Postfix waits for two seconds where main.cf is younger than that.
        os.utime(path, (time.time() - 10,) * 2)

    def test_the_sandbox_has_every_line(self):
        code, report = self.json("setup", "--print")
        self.assertEqual(code, 0)
        missing = [one for file in ("main.cf", "master.cf") for one in report[file]
                   if not one["stands"]]
        self.assertEqual(missing, [])
        self.assertIs(report["complete"], True)
        self.assertEqual(report["directory"], self.box.postfix.etc)

    def without_us(self):
        """A copy that lacks our lines and has others of their names; {file: text}."""
        etc = self.copy()
        own = {one["name"] for one in self.json("setup", "--print")[1]["main.cf"]}
        kept = [line for line in self.read(etc, "main.cf").splitlines()
                if line.split(" = ")[0] not in own]
        mine = ["smtpd_milters = inet:127.0.0.1:8891, { unix:x.sock, default_action=accept }",
                "transport_maps = inline:{ {a.example=smtp:[b]:25} }",
                "smtp_header_checks = regexp:/etc/postfix/mine"]
        self.write("\n".join(kept + mine) + "\n", etc, "main.cf")
        master = self.read(etc, "master.cf").splitlines()
        self.write("\n".join(line for line in master if not line.startswith("demail")) + "\n",
                   etc, "master.cf")
        return etc, {name: self.read(etc, name) for name in ("main.cf", "master.cf")}

    def test_a_postfix_without_us_becomes_complete_by_what_is_printed(self):
        etc, before = self.without_us()
        words = ("setup", "--print", "--postfix-config", etc)
        code, out, err = self.ctl(*words)
        self.assertEqual((code, err), (0, ""))
        self.assertIs(self.json(*words)[1]["complete"], False)
        self.assertEqual({name: self.read(etc, name) for name in before}, before, "it changed")
        for name in before:
            self.assertIn(f"# {etc}/{name}\n", out)
        self.assertIn("smtpd_milters = inet:127.0.0.1:8891, { unix:x.sock, default_action=accept "
                      "}, { unix:demail-milter/milter.sock, default_action=tempfail }\n", out)

        # Taken over as it is: what had the same name goes, comments are comments.
        main_cf, _, master_cf = out.partition(f"# {etc}/master.cf\n")
        printed = {line.split(" =")[0] for line in main_cf.splitlines()}
        rest = [line for line in before["main.cf"].splitlines()
                if line.split(" =")[0] not in printed]
        self.write("\n".join(rest) + "\n" + main_cf, etc, "main.cf")
        self.write(before["master.cf"] + master_cf, etc, "master.cf")
        code, report = self.json(*words)
        self.assertEqual(code, 0)
        self.assertEqual([one for file in before for one in report[file] if not one["stands"]], [])
        code, out, _ = self.ctl(*words)
        self.assertEqual([line for line in out.splitlines() if line and line[0] != "#"], [])

    def test_it_writes_what_is_missing_and_keeps_the_files_as_they_were(self):
        etc, before = self.without_us()
        code, out, err = self.ctl("setup", "--apply", "--postfix-config", etc)
        self.assertEqual((code, err), (0, ""))
        self.assertIn(f"Postfix uses it after: postfix -c {etc} reload\n", out)
        self.assertEqual({name: self.read(etc, name + ".before-demail") for name in before},
                         before)
        report = self.json("setup", "--print", "--postfix-config", etc)[1]
        self.assertIs(report["complete"], True)
        self.assertIn("smtpd_milters = inet:127.0.0.1:8891, { unix:x.sock, default_action=accept "
                      "}, { unix:demail-milter/milter.sock, default_action=tempfail }\n",
                      self.read(etc, "main.cf"))
        self.box.postfix.run("postfix", "-c", etc, "check")

        written = {name: self.read(etc, name) for name in before}
        code, out, _ = self.ctl("setup", "--apply", "--postfix-config", etc)
        self.assertEqual(code, 0)
        self.assertNotIn("reload", out)
        self.assertEqual({name: self.read(etc, name) for name in before}, written)
        self.assertEqual(self.read(etc, "main.cf.before-demail"), before["main.cf"])

    def test_what_cannot_be_written_is_said(self):
        etc, before = self.without_us()
        os.mkdir(os.path.join(etc, "main.cf.before-demail"))
        code, out, err = self.ctl("setup", "--apply", "--postfix-config", etc)
        self.assertEqual((code, out), (69, ""))
        self.assertIn("nothing was changed", err)
        self.assertEqual({name: self.read(etc, name) for name in before}, before)

    def test_a_directory_without_postfix_is_said(self):
        for what in ("--print", "--apply"):
            code, out, err = self.ctl("setup", what, "--postfix-config", "/nonexistent")
            self.assertEqual((code, out), (69, ""))
            self.assertIn("/nonexistent", err)


class TestAddress(Demailctl):
    CASES = (
        # words after the recipient, exit code, the answer's keys
        (BOB, ("--from", "anna@firm.example", "--login", "anna"), 0,
         {"verdict": "may", "account": "firm", "rule": 1, "sender": "anna@firm.de-mail.de"}),
        (BOB, ("--from", "eva@netz.example", "--client", "10.1.2.3"), 0,
         {"verdict": "may", "rule": 2, "sender": "eva@firm.de-mail.de",
          "defaults": "confirmation-of-dispatch"}),
        (BOB, ("--from", "root@firm.example", "--local"), 0,
         {"verdict": "may", "rule": 3, "sender": "system@firm.de-mail.de"}),
        (BOB, ("--from", "anna@firm.example", "--login", "bert"), 1, {"verdict": "refused"}),
        (BOB, ("--from", ""), 1, {"verdict": "refused"}),
        (BOB, ("--from", "anna@firm.example", "--local"), 1, {"verdict": "refused"}),
        ("bob@other.de-mail。de", ("--from", "anna@firm.example", "--login", "anna"), 1,
         {"verdict": "refused"}),
        ("ida@internet.example", ("--from", "anna@firm.example"), 2, {"verdict": "not-de-mail"}),
    )

    def test_the_answer_and_the_rule_that_decides(self):
        for recipient, words, expected, keys in self.CASES:
            with self.subTest(recipient=recipient, words=words):
                code, answer = self.json("test-address", recipient, *words)
                self.assertEqual(code, expected, answer)
                self.assertEqual({key: answer[key] for key in keys}, keys)
                self.assertEqual(self.ctl("test-address", recipient, *words)[0], expected)

    def test_a_refusal_is_in_the_milters_own_words(self):
        _, answer = self.json("test-address", BOB, "--from", "anna@firm.example",
                              "--login", "bert")
        reply = answer["reply"]
        said = self.refused([BOB], sender="anna@firm.example", login="bert")
        self.assertIn(f"{reply['code']} {reply['enhanced']} {reply['text']}", said)

    def test_a_list_that_is_away_is_not_known_now(self):
        base = self.box.daemons.domains
        os.rename(base + ".indexed", base + ".away")
        try:
            code, answer = self.json("test-address", BOB, "--from", "anna@firm.example",
                                     "--login", "anna")
            self.assertEqual((code, answer["verdict"], answer["reply"]["code"]),
                             (75, "not-now", 451))
        finally:
            os.rename(base + ".away", base + ".indexed")

    def test_usage(self):
        self.assertEqual(self.ctl("test-address", BOB)[0], 64)
        self.assertEqual(self.ctl("test-address", BOB, "--from", "a@b.example", "--local",
                                  "--login", "a")[0], 64)


if __name__ == "__main__":
    main()
