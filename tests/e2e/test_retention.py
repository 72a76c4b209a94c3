"""demailctl evidence export and purge: content is taken out or removed on record, by root, while the
relay runs."""

import glob
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess

from crash_shim import Shim
from harness import BOB, BUILD, EndToEnd, main
from daemons import RELAY_USER, find_program

NOBODY = 65534


class Retention(EndToEnd):
    def demailctl(self, *words, environment=(), **identity):
        """(exit code, standard output, what stands on record and the errors)"""
        done = subprocess.run(
            [find_program(BUILD, "demailctl"), "--config", self.box.daemons.config_file, *words],
            capture_output=True, text=True, check=False, timeout=60,
            env={**os.environ, "DEMAIL_LOG": "stderr", **dict(environment)}, **identity)
        return done.returncode, done.stdout, done.stderr

    def ctl(self, *words, **how):
        return self.demailctl("evidence", *words, **how)

    def letter(self):
        """(what the provider took, its evidence's directory)"""
        self.before["accepted"] = len(self.box.accepted())
        self.send([BOB])
        taken, = self.accepted(1)
        return taken, self.box.daemons.evidence_of(taken["privateId"])

    @staticmethod
    def octets(directory, name):
        with open(os.path.join(directory, name), "rb") as file:
            return file.read()

    def age(self, directory):
        """As if it had been sent in January 2015; where it lies then."""
        path = os.path.join(directory, "attempts.jsonl")
        with open(path, encoding="ascii") as file:
            lines = file.read()
        with open(path, "w", encoding="ascii") as file:
            file.write(re.sub(r"\b20\d\d-\d\d-\d\dT", "2015-01-31T", lines))
        month = os.path.join(self.box.daemons.state, "evidence/2015/01")
        os.makedirs(month, mode=0o700, exist_ok=True)
        for made in (month, os.path.dirname(month)):
            os.chown(made, RELAY_USER, -1)
        aged = os.path.join(month, os.path.basename(directory))
        os.rename(directory, aged)
        return aged

    def test_old_content_goes_and_its_hashes_stay(self):
        _, young = self.letter()
        taken, directory = self.letter()
        private_id = taken["privateId"][:43]
        old = self.age(directory)
        kept = {}
        for name in os.listdir(old):
            with open(os.path.join(old, name), "rb") as file:
                kept[name] = file.read()
        code, out, err = self.ctl("purge", "--dry-run", "--json")
        self.assertEqual((code, err), (0, ""))
        told, = json.loads(out)["submissions"]
        self.assertEqual((told["privateId"], told["account"], told["state"], told["files"]),
                         (private_id, "firm", "accepted", len(kept)))
        self.assertEqual(len(os.listdir(old)), len(kept))
        code, out, err = self.ctl("purge", "--account", "firm")
        self.assertEqual(code, 0)
        self.assertIn("1 submissions purged", out)
        self.assertRegex(err, rf'^demailctl: event=purged private_id="{private_id}" '
                              r'account="firm" .*uid="\d+"\n$')
        self.assertEqual(os.listdir(old), ["purged.json"])
        path = os.path.join(old, "purged.json")
        self.assertEqual((os.stat(path).st_uid, stat.S_IMODE(os.stat(path).st_mode)),
                         (RELAY_USER, 0o600))
        with open(path, encoding="ascii") as file:
            left = json.load(file)
        self.assertEqual({one["name"]: (one["size"], one["sha256"]) for one in left["files"]},
                         {name: (len(octets), hashlib.sha256(octets).hexdigest())
                          for name, octets in kept.items()})
        self.assertEqual(left["ended"][:10], "2015-01-31")
        self.assertGreater(len(os.listdir(young)), 3)
        os.rename(old, directory)  # where it was sent
        code, out, _ = self.demailctl("show", private_id)
        self.assertEqual(code, 0)
        self.assertRegex(out, r"evidence +removed on 20.*/purged\.json")
        code, out, err = self.ctl("export", private_id, os.path.join(self.box.directory, "none"))
        self.assertEqual((code, out), (1, ""))
        self.assertIn("its content was removed on 20", err)
        self.assertNotIn("content_read", err)

    def test_a_purge_is_killed_before_each_of_its_acts(self):
        """The list of what there was is whole before the first file goes, and the next purge
        leaves nothing else."""
        _, directory = self.letter()
        old = self.age(directory)
        kept = {name: hashlib.sha256(self.octets(old, name)).hexdigest()
                for name in os.listdir(old)}
        aside = os.path.join(self.box.directory, "aside")
        shutil.copytree(old, aside)
        shim = Shim(self.box, watched=("evidence",))
        killed = 0
        while True:
            shutil.rmtree(old)
            shutil.copytree(aside, old)
            for path in (old, *glob.glob(os.path.join(old, "*"))):
                os.chown(path, RELAY_USER, RELAY_USER)
            shim.arm(at=killed + 1)
            code, _, err = self.ctl("purge", environment=shim.environment)
            shim.disarm()
            if code == 0:
                break
            self.assertEqual(code, -signal.SIGKILL, err)
            killed += 1
            there = set(os.listdir(old))
            if not there >= set(kept):
                left = json.loads(self.octets(old, "purged.json"))
                self.assertEqual({one["name"]: one["sha256"] for one in left["files"]}, kept)
            code, _, err = self.ctl("purge")
            self.assertEqual((code, os.listdir(old)), (0, ["purged.json"]), err)
        self.assertEqual(os.listdir(old), ["purged.json"])
        self.assertGreater(killed, len(kept) + 3)  # a removal each, the list and its syncs

    def test_export_copies_one_and_is_on_record(self):
        taken, directory = self.letter()
        private_id = taken["privateId"][:43]
        to = os.path.join(self.box.directory, "exported")
        code, out, err = self.ctl("export", private_id[:15], to, "--json")
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out), {"privateId": private_id, "directory": to, "files": 5})
        self.assertRegex(err, rf'^demailctl: event=content_read private_id="{private_id}" '
                              r'uid="\d+"\n$')
        self.assertEqual(stat.S_IMODE(os.stat(to).st_mode), 0o700)
        for path in glob.glob(os.path.join(directory, "*")):
            with open(path, "rb") as original, \
                    open(os.path.join(to, os.path.basename(path)), "rb") as copy:
                self.assertEqual(copy.read(), original.read())
        code, out, err = self.ctl("export", private_id, to)
        self.assertEqual((code, out), (69, ""))
        self.assertIn("File exists", err)
        for words, expected in ((("export", "g1-" + "0" * 40, to + "2"), 1),
                                (("export", "g1-123", to + "2"), 64), (("export", private_id), 64),
                                (("purge", "--account", "nobody"), 64), ((), 64)):
            self.assertEqual(self.ctl(*words)[0], expected, words)
        self.assertFalse(os.path.exists(to + "2"))

    def test_it_is_not_for_everybody(self):
        _, directory = self.letter()
        old = self.age(directory)
        self.addCleanup(shutil.rmtree, old)
        count = len(os.listdir(old))
        for words in (("purge",), ("export", os.path.basename(old), "/tmp/never-made"),
                      ("rebuild",)):
            code, out, _ = self.ctl(*words, user=NOBODY, group=NOBODY, extra_groups=[])
            self.assertIn(code, (1, 69), words)
            self.assertEqual(out, "")
        self.assertEqual(len(os.listdir(old)), count)


if __name__ == "__main__":
    main()
