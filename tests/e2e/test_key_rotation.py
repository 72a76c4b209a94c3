"""A new seal key on two hosts, in the three steps of demail.toml(5), while letters whose outcome is
not known wait in both queues: none is lost, none is sent twice."""

import os
import secrets
import shutil
import signal

from harness import main, wait_for
from two_hosts import TwoHosts


class KeyRotation(TwoHosts):
    def keys(self, host, *lines):
        """The key file of that host from now on, in the order given."""
        path = host.daemons.key_file
        new = path + ".new"
        shutil.copyfile(path, new)
        status = os.stat(path)
        os.chmod(new, status.st_mode & 0o777)
        os.chown(new, status.st_uid, status.st_gid)
        with open(new, "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in lines)
        os.rename(new, path)
        for process in (host.milter, host.relay):
            os.kill(process.pid, signal.SIGHUP)
        # Both say nothing of it; a letter that they seal and take is the sign.

    def sealed_by(self, word):
        """The key that the evidence of this letter's submission names."""
        for submission in self.box.accepted():
            if submission["content"].endswith(f"\r\n\r\n{word}\r\n".encode()):
                for host in (self.one, self.two):
                    try:
                        directory = host.daemons.evidence_of(submission["privateId"])
                    except Exception:  # the other host's
                        continue
                    with open(os.path.join(directory, "received.eml"), "rb") as file:
                        return file.read().partition(b" k=")[2].partition(b";")[0].decode()
        return None

    def test_three_steps(self):
        with open(self.one.daemons.key_file, encoding="ascii") as file:
            old = file.read().strip()
        new = f"next {secrets.token_hex(32)}"
        hosts, words = (self.one, self.two), []

        def post(host, word):
            words.append(word)
            host.send(word)

        # The provider took some of these and not the others, and nobody can ask it.
        for fault in ("drop-after", "drop-before"):
            for host in hosts:
                self.box.faults({"operation": "Submit", "times": 1, "fault": fault},
                                {"operation": "FindSubmission", "fault": "http-503"})
                told = host.postfix.log().count(" 451 4.4.2 ")
                post(host, f"{fault}-{host.name}")
                wait_for(lambda: host.postfix.log().count(" 451 4.4.2 ") > told, 30,  # noqa: B023
                         "an uncertain letter")
        self.box.faults({"operation": "FindSubmission", "fault": "http-503"})

        for step, lines in (("one", (old, new)), ("two", (new, old))):
            for host in hosts:
                self.keys(host, *lines)
                for each in hosts:
                    post(each, f"step-{step}-at-{host.name}-by-{each.name}")
        wait_for(lambda: len(self.words()) >= len(words) - 2, 60, "the letters of both steps")
        self.assertFalse(self.one.postfix.empty() or self.two.postfix.empty())
        self.assertEqual(self.sealed_by("step-one-at-two-by-one"), old.split()[0])
        self.assertEqual(self.sealed_by("step-two-at-two-by-one"), "next")

        self.box.faults()
        self.all_once(words)

        # Too early: a letter that the old key has sealed is still here. It waits.
        self.box.provider.stop()
        self.keys(self.one, old, new)
        post(self.one, "late")
        wait_for(lambda: self.one.postfix.queue(), 10, "the letter in the queue")
        for host in hosts:
            self.keys(host, new)
        self.box.start_provider()
        wait_for(lambda: "451 4.7.0 The De-Mail seal was made with a key" in
                 self.one.postfix.log(), 30, "the reason")
        self.keys(self.one, new, old)
        self.all_once(words)
        post(self.two, "last")
        self.all_once(words)
        self.assertEqual(self.sealed_by("last"), "next")


if __name__ == "__main__":
    main()
