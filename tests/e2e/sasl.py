"""Dovecot as the SASL server of a private Postfix: real logins, by name and password.

It runs below a directory of its own, with a configuration of its own, and is ended by its pid;
nothing of a Dovecot on the host is read or touched. Postfix asks it at private/auth below its queue
directory (SASL_README, "Configuring Dovecot SASL").
"""

import os
import pwd
import shutil
import subprocess

from process import Failure, Process, end_pid, start_time

CONFIGURATION = """\
{versions}
base_dir = {run}
state_dir = {run}
instance_name = demail-test-{pid}
log_path = /dev/stderr
protocols =
ssl = no
auth_mechanisms = plain login
{cleartext}
auth_username_format = %u
auth_failure_delay = 0
default_internal_user = dovecot
default_login_user = dovenull
{passdb}
service auth {{
  chroot =
  unix_listener {socket} {{
    mode = 0660
    user = {postfix}
    group = {postfix}
  }}
}}
"""
# Dovecot 2.4 has other names for the same things.
OLD = {"versions": "", "cleartext": "disable_plaintext_auth = no",
       "passdb": "passdb {{\n  driver = passwd-file\n"
                 "  args = scheme=PLAIN username_format=%u {users}\n}}"}
NEW = {"versions": "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0",
       "cleartext": "auth_allow_cleartext = yes",
       "passdb": "passdb passwd-file {{\n  passwd_file_path = {users}\n"
                 "  default_password_scheme = PLAIN\n}}"}


def find_dovecot():
    found = shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if found is None:
        raise Failure("dovecot was not found; install dovecot-core")
    return found


class Dovecot(Process):
    """`passwords`: {login: password}. start() waits until it answers at Postfix's socket."""

    # smtpd(8)'s lines in main.cf.
    SETTINGS = {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot",
                "smtpd_sasl_path": "private/auth", "smtpd_sasl_security_options": "noanonymous"}

    def __init__(self, directory, postfix_spool, passwords):
        self.program = find_dovecot()
        self.base = os.path.join(directory, "dovecot")
        self.socket = os.path.join(postfix_spool, "private/auth")
        self.passwords = passwords
        super().__init__("dovecot", [self.program, "-F", "-c", self._file("conf")], directory)

    def _file(self, name):
        return os.path.join(self.base, name)

    def create(self):
        for path in (self.base, self._file("run")):
            os.makedirs(path, mode=0o755)
        os.makedirs(os.path.dirname(self.socket), mode=0o700, exist_ok=True)
        # As Postfix makes it; Dovecot finds it there.
        os.chown(os.path.dirname(self.socket), pwd.getpwnam("postfix").pw_uid, -1)
        with open(os.open(self._file("users"), os.O_CREAT | os.O_WRONLY, 0o640), "w",
                  encoding="ascii") as file:
            file.writelines(f"{login}:{{PLAIN}}{password}\n"
                            for login, password in self.passwords.items())
        os.chown(self._file("users"), -1, pwd.getpwnam("dovecot").pw_gid)
        version = subprocess.run([self.program, "--version"], capture_output=True, text=True,
                                 check=True).stdout
        words = NEW if tuple(map(int, version.split()[0].split(".")[:2])) >= (2, 4) else OLD
        with open(self._file("conf"), "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(
                run=self._file("run"), pid=os.getpid(), socket=self.socket, postfix="postfix",
                versions=words["versions"], cleartext=words["cleartext"],
                passdb=words["passdb"].format(users=self._file("users"))))

    def start(self):
        super().start()
        self.wait_until(lambda: os.path.exists(self.socket), "its socket")

    def stop(self):
        """Its children are of its session; one that still has a client would stay."""
        session = self.pid
        super().stop()
        for pid, began in _members(session) if session else ():
            end_pid(pid, began)


def _members(session):
    """[(pid, start time)] of the processes in a session."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(name)) == session:
                found.append((int(name), start_time(int(name))))
        except OSError:
            continue
    return found
