"""An LDAP server of the test's own: OpenLDAP's slapd below one directory, by TLS at a port and at a
Unix socket for the test. The host's is neither read nor used."""

import base64
import os
import shutil
import subprocess
import unittest

import pki
from daemons import listens
from process import Failure, Process
from sandbox import free_port

SUFFIX = "dc=firm,dc=example"
READER, PASSWORD = f"cn=reader,{SUFFIX}", "not for others"
ROOT = ("-D", f"cn=root,{SUFFIX}", "-w", "root")


def ldif(name, **values):
    """An entry; each value a text, bytes, or a list of them."""
    lines = [f"dn: {name}"]
    for key, some in values.items():
        for value in some if isinstance(some, list) else [some]:
            value = value.encode() if isinstance(value, str) else value
            lines.append(f"{key}:: {base64.b64encode(value).decode()}")
    return "\n".join(lines) + "\n\n"


def person(uid, **values):
    """Somebody who may send, unless `values` say other things."""
    return ldif(f"uid={uid},ou=people,{SUFFIX}", **{
        "objectClass": ["account", "deMailUser"], "uid": uid, "deMailLogin": uid,
        "deMailFrom": f"{uid}@firm.example", "deMailAddress": f"{uid}@firm.de-mail.de", **values})


class Slapd(Process):
    def __init__(self, directory):
        self.program = shutil.which("slapd", path="/usr/sbin:/usr/bin")
        if self.program is None:
            raise unittest.SkipTest("slapd is not installed")
        self.directory = os.path.join(directory, "slapd")
        self.tls, self.plain = free_port(), free_port()
        self.socket = os.path.join(self.directory, "ldapi")
        self.local = f"ldapi://{self.socket.replace('/', '%2F')}"
        super().__init__("slapd", [
            self.program, "-d", "0", "-f", os.path.join(self.directory, "slapd.conf"), "-h",
            f"ldaps://127.0.0.1:{self.tls} ldap://127.0.0.1:{self.plain} {self.local}"], directory)

    def create(self, authority, limits="sizelimit unlimited"):
        os.makedirs(os.path.join(self.directory, "data"))
        pki.make_server(self.directory, authority)
        with open(os.path.join(self.directory, "slapd.conf"), "w", encoding="ascii") as file:
            file.write(f"""\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
# Values as an octet string: whatever a directory may hold.
attributetype ( 1.3.6.1.4.1.55555.1 NAME 'deMailFrom' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
attributetype ( 1.3.6.1.4.1.55555.2 NAME 'deMailAddress' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
attributetype ( 1.3.6.1.4.1.55555.3 NAME 'deMailLogin' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
attributetype ( 1.3.6.1.4.1.55555.4 NAME 'deMailOption' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.55555.5 NAME 'deMailUser' SUP top AUXILIARY MAY ( deMailFrom $ deMailAddress $ deMailLogin $ deMailOption ) )
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {self.directory}/server.pem
TLSCertificateFile {self.directory}/server.pem
TLSCertificateKeyFile {self.directory}/server.key
pidfile {self.directory}/pid
{limits}
database mdb
suffix "{SUFFIX}"
rootdn "cn=root,{SUFFIX}"
rootpw root
directory {self.directory}/data
dbnosync
maxsize 1073741824
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{READER}" read by * none
""")
        self.load(ldif(SUFFIX, objectClass=["dcObject", "organization"], dc="firm", o="Firm")
                  + ldif(READER, objectClass=["device", "simpleSecurityObject"], cn="reader",
                         userPassword=PASSWORD)
                  + ldif(f"ou=people,{SUFFIX}", objectClass="organizationalUnit", ou="people"))

    def load(self, entries):
        """While it does not run."""
        self._run([self.program, "-Tadd", "-q", "-f", os.path.join(self.directory, "slapd.conf")],
                  entries)

    def start(self):
        super().start()
        self.wait_until(lambda: listens(self.socket), "its socket")

    def change(self, text):
        self._run(["ldapmodify", "-x", "-H", self.local, *ROOT], text)

    def add(self, *entries):
        self._run(["ldapmodify", "-a", "-x", "-H", self.local, *ROOT], "".join(entries))

    def delete(self, *names):
        """Those of the people that are there."""
        for name in names:
            subprocess.run(["ldapdelete", "-x", "-M", "-H", self.local, *ROOT,
                            f"uid={name},ou=people,{SUFFIX}"], capture_output=True, check=False)

    def _run(self, command, text):
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False,
                              env={**os.environ, "LDAPNOINIT": "1"})
        if done.returncode:
            raise Failure(f"{command[0]}: {done.stderr.decode(errors='replace')}")
