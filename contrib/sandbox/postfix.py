"""A private Postfix instance under one directory, with De-Mail's lines in it.

Nothing of the host's own instance is read or changed. It needs root, as Postfix does.
"""

import json
import os
import pwd
import shutil
import subprocess
import time

from process import Failure, end_pid, start_time, wait_for

TRANSPORT_MAPS = (
    "regexp:{etc}/strange-address, regexp:{domains}.hidden, "
    "pipemap:{{$default_database_type:{domains}, static:{{demail:unix:demail-relay/lmtp.sock}}}}")
TABLES = ("strip-seal", "strip-seal-lines", "strange-address")
DEMAIL_OPTIONS = ("lmtp_send_xforward_command=yes", "lmtp_line_length_limit=0",
                  "lmtp_header_checks=", "lmtp_generic_maps=", "lmtp_fallback_relay=")
SERVICES = """\
pickup    unix  n - n 60    1 pickup
cleanup   unix  n - n -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
rewrite   unix  - - n -     - trivial-rewrite
bounce    unix  - - n -     0 bounce
defer     unix  - - n -     0 bounce
trace     unix  - - n -     0 bounce
verify    unix  - - n -     1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -     - proxymap
proxywrite unix - - n -     1 proxymap
smtp      unix  - - n -     - smtp
relay     unix  - - n -     - smtp
showq     unix  n - n -     - showq
error     unix  - - n -     - error
retry     unix  - - n -     - error
discard   unix  - - n -     - discard
local     unix  - n n -     - local
virtual   unix  - n n -     - virtual
lmtp      unix  - - n -     - lmtp
anvil     unix  - - n -     1 anvil
scache    unix  - - n -     1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`directory` becomes DIRECTORY/{etc,spool,data,log}.

    internet_port: an SMTP server that gets all Internet mail. mailbox_port: an LMTP server that
    gets the mail of `mailbox_domains`. domains: the relay's domain list. settings: main.cf lines
    over ours, None removes one. services: more lines for master.cf; {free} in one becomes a free
    port, found again in `ports` by the line's first word.
    """

    def __init__(self, directory, tables):
        """tables: where the tables lie that our lines name (contrib/postfix)."""
        self.directory = directory
        self.tables = tables
        self.etc, self.spool, self.data = (os.path.join(directory, name)
                                           for name in ("etc", "spool", "data"))
        self.log_file = os.path.join(directory, "log")
        self.milter_socket = os.path.join(self.spool, "demail-milter/milter.sock")
        self.lmtp_socket = os.path.join(self.spool, "demail-relay/lmtp.sock")
        self.settings, self.services = {}, []

    def create(self, port, internet_port, mailbox_port, domains,
               mailbox_domains=("firm.example", "netz.example"), settings=None, services=()):
        if os.geteuid() != 0:
            raise Failure("a private Postfix needs root")
        postfix = pwd.getpwnam("postfix")
        for path in (self.etc, self.spool, self.data):
            os.makedirs(path)
        os.chown(self.data, postfix.pw_uid, -1)
        # One directory for each daemon's socket; the group lets Postfix in, setgid hands it on.
        for path in (self.milter_socket, self.lmtp_socket):
            os.makedirs(os.path.dirname(path))
            os.chown(os.path.dirname(path), -1, postfix.pw_gid)
            os.chmod(os.path.dirname(path), 0o2750)
        for name in TABLES:
            shutil.copy(os.path.join(self.tables, name), os.path.join(self.etc, name))
        open(os.path.join(self.etc, "aliases"), "w", encoding="ascii").close()
        self.settings = {
            "compatibility_level": "3.6",
            "queue_directory": self.spool,
            "data_directory": self.data,
            "maillog_file": self.log_file,
            "maillog_file_prefixes": self.directory,
            "myhostname": "mail.firm.example",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8 10.0.0.0/8",
            "myorigin": "firm.example",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "all",
            "alias_maps": "",
            "smtp_host_lookup": "native",
            "smtp_dns_support_level": "disabled",
            "smtpd_peername_lookup": "no",
            "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject",
            "smtpd_authorized_xclient_hosts": "127.0.0.1",
            "smtpd_client_connection_count_limit": "0",
            "smtputf8_enable": "yes",
            "biff": "no",
            "relayhost": f"[127.0.0.1]:{internet_port}",
            "virtual_mailbox_domains": ", ".join(mailbox_domains),
            "virtual_transport": f"lmtp:inet:127.0.0.1:{mailbox_port}",
            "lmtp_host_lookup": "native",
            # A test has no day to wait for a retry.
            "queue_run_delay": "2s",
            "minimal_backoff_time": "2s",
            "maximal_backoff_time": "4s",
            "transport_retry_time": "2s",
            # contracts.md, "Postfix, the whole of it":
            "enable_long_queue_ids": "yes",
            "smtpd_forbid_bare_newline": "yes",
            "smtpd_forbid_bare_newline_exclusions": "",
            "message_size_limit": "47185920",
            "smtpd_milters": "{ unix:demail-milter/milter.sock, default_action=tempfail }",
            "non_smtpd_milters": "$smtpd_milters",
            "transport_maps": TRANSPORT_MAPS.format(etc=self.etc, domains=domains),
            "demail_destination_recipient_limit": "0",
            "smtp_header_checks": f"regexp:{self.etc}/strip-seal",
            "smtp_nested_header_checks": f"regexp:{self.etc}/strip-seal",
            "smtp_body_checks": f"regexp:{self.etc}/strip-seal-lines",
        }
        self.services = [
            f"127.0.0.1:{port} inet n - n - - smtpd",
            "demail unix - - n - - lmtp " + " ".join(f"-o {option}" for option in DEMAIL_OPTIONS),
            "demail-in unix n - n - - smtpd -o "
            "{ smtpd_milters={ unix:demail-milter/milter.sock, default_action=tempfail } }",
            *services,
        ]
        self.configure(settings or {})

    def configure(self, settings):
        """Writes main.cf and master.cf; needs reload() where Postfix runs. None removes a line."""
        self.settings.update(settings)
        main_cf, master_cf = (os.path.join(self.etc, name) for name in ("main.cf", "master.cf"))
        with open(main_cf, "w", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in self.settings.items()
                            if value is not None)
        with open(master_cf, "w", encoding="utf-8") as file:
            file.write("\n".join(self.services) + "\n" + SERVICES)
        # Postfix waits for two seconds where main.cf is younger than that.
        past = time.time() - 10
        os.utime(main_cf, (past, past))

    def run(self, *command, **options):
        done = subprocess.run(command, capture_output=True, check=False,
                              env={**os.environ, "MAIL_CONFIG": self.etc}, **options)
        if done.returncode:
            raise Failure(f"{' '.join(command)}: "
                          f"{(done.stderr + done.stdout).decode(errors='replace').strip()}\n"
                          f"{self.log()[-1500:]}")
        return done.stdout

    def index(self, path, text=None):
        """Writes the table's text, if given, and indexes it by postmap(1)."""
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.run("postmap", path)
        database = self.run("postconf", "-h", "default_database_type").decode().strip()
        return f"{database}:{path}"

    @property
    def pid(self):
        try:
            with open(os.path.join(self.spool, "pid/master.pid"), encoding="ascii") as file:
                pid = int(file.read())
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return pid if b"master" in file.read() and start_time(pid) else None
        except (OSError, ValueError):
            return None

    def start(self):
        self.run("postfix", "-c", self.etc, "start")
        wait_for(lambda: self.pid, what="Postfix's master")

    def reload(self):
        self.run("postfix", "-c", self.etc, "reload")

    def stop(self):
        pid = self.pid
        if pid:
            try:
                self.run("postfix", "-c", self.etc, "stop")
            finally:
                end_pid(pid)
        for child in self.children():
            end_pid(child)

    def children(self):
        """Postfix's processes that work in our queue directory."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                cwd = os.readlink(f"/proc/{name}/cwd")
                executable = os.path.basename(os.readlink(f"/proc/{name}/exe"))
            except OSError:
                continue
            if cwd == os.path.realpath(self.spool) and executable != "python3":
                found.append(int(name))
        return found

    def sendmail(self, content, *arguments):
        """Hands a message in by sendmail(1), as a program on this host would."""
        self.run("sendmail", "-C", self.etc, *arguments, input=content)

    def queue(self):
        """The messages in the queue, as postqueue -j shows them; each once, though it lists one
        that moves to a directory which it reads later twice."""
        lines = self.run("postqueue", "-c", self.etc, "-j").decode().splitlines()
        return list({entry["queue_id"]: entry for entry in map(json.loads, lines)}.values())

    def empty(self):
        """Whether the queue is empty: two listings say so, for a message that moves from one of
        its directories to another meanwhile is missed by one."""
        return not self.queue() and not self.queue()

    def queued_content(self, queue_id):
        """Header and body of a message in the queue, LF line ends, as postcat shows them."""
        return self.run("postcat", "-c", self.etc, "-bhq", queue_id)

    def flush(self):
        self.run("postqueue", "-c", self.etc, "-f")

    def delete_all(self):
        self.run("postsuper", "-c", self.etc, "-d", "ALL")

    def log(self):
        try:
            with open(self.log_file, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def wait_empty(self, timeout=30):
        wait_for(self.empty, timeout, "an empty queue")
