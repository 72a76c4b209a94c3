"""The journal cannot be used: a clear sentence, the mail waits in Postfix, after repair it goes out
once."""

import errno
import glob
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing

from crash import AT, RELAY_USER, SOAK, Crash, chosen
from daemons import find_program
from harness import BUILD, main, wait_for
from namespaces import CLONE_NEWNS, MS_PRIVATE, MS_REC, _check, _libc


class Faults(Crash):
    """The journal has a directory of its own, a small file system where that is allowed."""

    own_mounts = False

    @classmethod
    def setUpClass(cls):
        try:
            _check(_libc.unshare(CLONE_NEWNS), "unshare")
            _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount")
            cls.own_mounts = True
        except OSError:
            pass
        super().setUpClass()

    @classmethod
    def prepare(cls):
        cls.directory = os.path.join(cls.box.daemons.state, "journal")
        os.mkdir(cls.directory)
        if cls.own_mounts:
            _check(_libc.mount(b"tmpfs", os.fsencode(cls.directory), b"tmpfs", 0,
                               b"mode=0755,size=6m"), "mount tmpfs")
            cls.addClassCleanup(_libc.umount2, os.fsencode(cls.directory), 2)
        os.chown(cls.directory, RELAY_USER, -1)
        cls.path = os.path.join(cls.directory, "journal.db")
        cls.settings = {**Crash.settings, "journal": f'"sqlite3://{cls.path}"'}
        super().prepare()
        cls.journal_file = cls.path

    def setUp(self):
        super().setUp()
        first = self.post()
        self.assertEqual(self.deliver([first]), [])
        self.log_before = len(self.box.relay.log())

    def said(self):
        return self.box.relay.log()[self.log_before:]

    def status(self):
        done = subprocess.run([find_program(BUILD, "demailctl"), "--config",
                               self.box.daemons.config_file, "status"], capture_output=True,
                              check=False, timeout=60)
        return done.returncode, (done.stdout + done.stderr).decode()

    def ends_with(self, pattern):
        """The relay does not come up with this journal, says why, and mail waits."""
        self.box.relay.start()
        self.assertEqual(self.box.relay.popen.wait(20), 69)
        self.assertRegex(self.said(), rf'event=ended .*reason="[^"]*{pattern}')
        code, text = self.status()
        self.assertEqual(code, 1)
        self.assertRegex(text, "demail-relay.*not running.*wait in Postfix's queue")
        letter = self.post("with a journal that cannot be used")
        wait_for(lambda: (self.read_postfix(), letter.deferred)[1], 20,
                 "the letter's deferral")
        return letter

    def goes_out_once(self, letter):
        self.assertEqual(self.deliver([letter]), [])
        self.check([letter])
        self.totals(self.id().rpartition("test_")[2], "letters")

    def stopped_with_copy(self):
        self.box.relay.stop()
        copy = os.path.join(self.box.directory, "copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.directory, copy)
        self.addCleanup(self.put_back, copy)
        return copy

    def put_back(self, copy):
        """Once: a cleanup does it where a test ended before."""
        if not os.path.exists(copy):
            return
        for path in glob.glob(os.path.join(self.directory, "*")):
            os.unlink(path)
        for name in os.listdir(copy):
            shutil.copy2(os.path.join(copy, name), self.directory)
            os.chown(os.path.join(self.directory, name), RELAY_USER, -1)
        shutil.rmtree(copy)

    def overwrite(self, begin, length):
        with open(self.path, "r+b") as file:
            file.seek(begin)
            file.write(b"\xa5" * length)

    def test_a_damaged_header(self):
        copy = self.stopped_with_copy()
        self.overwrite(0, 64)
        letter = self.ends_with("journal cannot be used: .*file is not a database")
        self.put_back(copy)
        self.goes_out_once(letter)

    def test_damaged_pages(self):
        copy = self.stopped_with_copy()
        self.overwrite(4096, os.path.getsize(self.path) - 4096)
        letter = self.ends_with("journal cannot be used: .*disk image is malformed")
        self.put_back(copy)
        self.goes_out_once(letter)

    def test_a_damaged_page_of_each_table(self):
        """What is read of it is not believed, whether the relay notices at its start or with the
        first letter."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as journal:
            pages = journal.execute("select name, rootpage from sqlite_master where rootpage > 0"
                                    ).fetchall()
        for name, page in pages:
            with self.subTest(name):
                copy = self.stopped_with_copy()
                self.overwrite((page - 1) * 4096, 4096)
                letter = self.post(f"with a damaged {name}")
                self.box.relay.start()
                try:
                    wait_for(lambda letter=letter: (
                        self.read_postfix(), letter.deferred or letter.removed)[1], 20, "an end")
                finally:
                    self.box.relay.kill()
                    self.put_back(copy)
                if name != "submission_open":  # nothing reads it while all is final
                    self.assertFalse(letter.removed)
                    self.assertEqual(self.deliver([letter]), [])
                    self.check([letter])
        self.totals("a damaged page of each table", "letters")

    def test_a_journal_that_may_not_be_written(self):
        self.box.relay.stop()
        for path in glob.glob(self.path + "*"):
            os.chown(path, 0, -1)
            os.chmod(path, 0o444)
        os.chown(self.directory, 0, -1)
        letter = self.ends_with("journal cannot be used: .*(readonly|unable to open)")
        os.chown(self.directory, RELAY_USER, -1)
        for path in glob.glob(self.path + "*"):
            os.chown(path, RELAY_USER, -1)
            os.chmod(path, 0o600)
        self.goes_out_once(letter)

    def test_a_journal_of_a_newer_version(self):
        self.box.relay.stop()
        with closing(sqlite3.connect(self.path)) as journal, journal:
            version, = journal.execute("select version from schema_version").fetchone()
            journal.execute("update schema_version set version = version + 1")
        letter = self.ends_with("journal was written by a newer version .*install the newer")
        with closing(sqlite3.connect(self.path)) as journal, journal:
            journal.execute("update schema_version set version = ?", (version,))
        self.goes_out_once(letter)

    def test_a_full_file_system(self):
        if not self.own_mounts:
            self.skipTest("mounts of one's own are not allowed here")
        filler = os.path.join(self.directory, "filler")
        self.addCleanup(lambda: os.path.exists(filler) and os.unlink(filler))
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError as full:
                self.assertEqual(full.errno, errno.ENOSPC)
        # What the write-ahead log has room for in blocks that it has already is still taken.
        letters = []
        while not letters or not letters[-1].deferred:
            self.assertLess(len(letters), 100)
            letters.append(self.post("on a full file system"))
            wait_for(lambda: (self.read_postfix(), letters[-1].statuses)[1], 30, "its delivery")
        self.assertRegex(self.said(), 'reason="the journal cannot be used: [^"]*disk is full')
        os.unlink(filler)
        self.assertEqual(self.deliver(letters), [])
        self.check(letters)
        self.totals("a full file system", "letters")

    def test_a_clock_that_goes_back_an_hour(self):
        self.shim.set(shift=3600)
        self.addCleanup(self.shim.set, shift=0)
        letter = self.post("with the clock an hour back")
        wait_for(lambda: (self.read_postfix(), letter.deferred)[1], 20,
                 "the letter's deferral")
        self.shim.set(shift=0)
        self.goes_out_once(letter)

    def test_a_clock_that_goes_back_while_a_letter_is_looked_up(self):
        self.box.faults({"operation": "Submit", "times": 1, "fault": "drop-before"})
        self.addCleanup(self.box.faults)
        submits = len(self.box.requests("Submit"))
        letter = self.post("looked up over a clock that goes back")
        asked = lambda count: wait_for(  # noqa: E731
            lambda: (self.box.postfix.flush(), len(self.box.requests("FindSubmission")) > count)[1],
            20, "a look-up", 0.3)
        asked(len(self.box.requests("FindSubmission")))
        # As far as a seal may be dated ahead: further, and it is not even looked up.
        self.shim.set(shift=240)
        self.addCleanup(self.shim.set, shift=0)
        for _ in range(4):
            asked(len(self.box.requests("FindSubmission")))
        self.assertEqual(len(self.box.requests("Submit")), submits + 1)
        self.assertFalse(letter.removed)
        self.shim.set(shift=0)
        self.goes_out_once(letter)


class DiskErrors(Crash):
    """From one act on, all that touches files fails: the relay goes on, the letter waits."""

    def fails_from(self, number, error):
        self.shim.arm(number, error)
        letter = self.post(f"{errno.errorcode[error]} from act {number} on")
        wait_for(lambda: (self.read_postfix(), letter.statuses)[1], 30, "an outcome")
        met = self.shim.get("count") >= number
        self.shim.disarm()
        self.assertFalse(self.relay_died())
        self.deliver([letter])
        self.check([letter], count=met)
        return met

    def matrix(self, error):
        self.deliver([self.post()])  # the first one makes files that are kept
        self.shim.acts()
        self.shim.arm()
        self.deliver([self.post()])
        self.shim.disarm()
        numbers = [act.number for act in self.shim.acts() if act.number and act.on_file]
        if AT:
            numbers = [AT]
        elif not SOAK:
            numbers = sorted(chosen(errno.errorcode[error]).sample(numbers, 12))
        for number in numbers:
            self.fails_from(number, error)
        self.totals(errno.errorcode[error], "acts")

    def test_a_disk_that_is_full_from_any_act_on(self):
        self.matrix(errno.ENOSPC)

    def test_a_disk_that_fails_from_any_act_on(self):
        self.matrix(errno.EIO)


if __name__ == "__main__":
    main()
