"""demail-milter and demail-relay from a build directory, and the configuration that they read."""

import glob
import grp
import os
import secrets
import socket

from process import Failure, Process

# Users of their own, as the packages have them; numbers that no distribution gives away
# (systemd's UIDS-GIDS: 60578-61183 are unused), so that the host's user list stays as it is.
MILTER_USER, RELAY_USER, SEAL_GROUP = 61101, 61102, 61103
RULES = """\
[[account.sender]]
from = "*@firm.example"
as = "*@firm.de-mail.de"
login = "*"
allow = ["confirmation-of-dispatch", "confirmation-of-receipt", "private", "authoritative"]
[[account.sender]]
from = "*@netz.example"
as = "*@firm.de-mail.de"
network = ["10.0.0.0/8"]
defaults = ["confirmation-of-dispatch"]
[[account.sender]]
from = "root@firm.example"
as = "system@firm.de-mail.de"
local = true
"""


def find_program(build_directory, name):
    for path in (name, f"milter/programs/{name}"):
        path = os.path.join(build_directory, path)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    raise Failure(f"{name} is not in {build_directory}; run make first")


def listens(path):
    """Whether somebody accepts connections at the Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def give_away(path, user):
    """The directory and what is in it; groups stay."""
    for base, directories, files in os.walk(path):
        for name in ("", *directories, *files):
            os.chown(os.path.join(base, name), user, -1)


class Daemons:
    """The milter, the relay and DIRECTORY/demail.toml."""

    def __init__(self, directory, build_directory, source_directory, token, postfix):
        self.directory = directory
        self.build_directory = build_directory
        self.schemas = os.path.join(source_directory, "xsd")
        self.ended_providers = os.path.join(source_directory, "contrib/ended-providers.toml")
        self.token = token
        self.postfix = postfix
        self.config_file = os.path.join(directory, "demail.toml")
        self.key_file = os.path.join(directory, "seal.key")
        self.state = os.path.join(directory, "state")
        self.domains = os.path.join(self.state, "domains")
        self.blocks = os.path.join(self.state, "blocks", "blocked")
        self.control_socket = os.path.join(self.state, "control.sock")
        log = {"DEMAIL_LOG": "stderr"}
        identity = lambda user: {"user": user, "group": user,  # noqa: E731
                                 "extra_groups": [SEAL_GROUP]}
        self.milter = Process("demail-milter", [], directory, log, identity(MILTER_USER))
        relay = identity(RELAY_USER)
        # Postfix's public sockets are open to that group.
        relay["extra_groups"] = [*relay["extra_groups"], grp.getgrnam("postdrop").gr_gid]
        self.relay = Process("demail-relay", [], directory, {**log, **token.environment}, relay)

    def evidence_of(self, private_id):
        """The directory with what the relay keeps of a submission."""
        digits = private_id[len("g1-"):].partition(";")[0]
        found = glob.glob(os.path.join(self.state, "evidence", "*", "*", digits))
        if len(found) != 1:
            raise Failure(f"{len(found)} directories with evidence of {digits}")
        return found[0]

    def create(self, endpoint, ca_file, reply_signer, rules=RULES, extra=""):
        for name, mode in (("", 0o755), ("blocks", 0o755), ("evidence", 0o700), ("spool", 0o700)):
            os.makedirs(os.path.join(self.state, name), mode=mode)
        with open(os.open(self.key_file, os.O_CREAT | os.O_WRONLY, 0o640), "w",
                  encoding="ascii") as file:
            file.write(f"sandbox {secrets.token_hex(32)}\n")
        os.chown(self.key_file, -1, SEAL_GROUP)
        self.postfix.index(self.domains, "")
        open(self.domains + ".hidden", "w", encoding="ascii").close()
        # As in the packages: what each may touch is its own. Postfix reads the index.
        for path, user in ((self.state, RELAY_USER), (self.token.directory, RELAY_USER),
                           (os.path.dirname(self.postfix.lmtp_socket), RELAY_USER),
                           (os.path.dirname(self.postfix.milter_socket), MILTER_USER)):
            give_away(path, user)
        self.write_configuration(f"""\
mode = "enforce"
[milter]
socket = "{self.postfix.milter_socket}"
[relay]
lmtp = "{self.postfix.lmtp_socket}"
deliver_to = "unix:{self.postfix.spool}/public/demail-in"
domains = "{self.domains}"
evidence = "{self.state}/evidence"
spool = "{self.state}/spool"
refused_pins = "{self.state}/refused-pins"
journal = "sqlite3://{self.state}/journal.db"
control_socket = "{self.control_socket}"
schema_directory = "{self.schemas}"
postfix_configuration = "{self.postfix.etc}"
domains_settle = 1
lookup_pause = 2
[seal]
key_file = "{self.key_file}"
[policy]
mixed_recipients = "allow"
blocks = "{self.blocks}"
shipped_ended_providers = "{self.ended_providers}"
[[provider]]
name = "sandbox"
profile = "reference"
endpoint = "{endpoint}"
ca_file = "{ca_file}"
reply_signer = ["sha256:{reply_signer}"]
auth_key = "{self.token.uri('demail-auth')}"
sign_key = "{self.token.uri('demail-sign')}"
[[account]]
name = "firm"
provider = "sandbox"
domains = ["firm.de-mail.de"]
{rules}{extra}""")

    def write_configuration(self, text):
        with open(self.config_file, "w", encoding="utf-8") as file:
            file.write(text)

    def configuration(self):
        with open(self.config_file, encoding="utf-8") as file:
            return file.read()

    def _start(self, process, socket_path):
        process.command = [find_program(self.build_directory, process.name),
                           "--config", self.config_file]
        # The group "postfix" of the socket's directory may connect to what is made in it.
        before = os.umask(0o007)
        try:
            process.start()
        finally:
            os.umask(before)
        process.wait_until(lambda: listens(socket_path), "its socket")

    def start_milter(self):
        self._start(self.milter, self.postfix.milter_socket)

    def start_relay(self):
        self._start(self.relay, self.postfix.lmtp_socket)
