#!/bin/bash
# On a host that has booted with the packages installed: do the units run under systemd, with all
# that they forbid themselves? Does demailctl bring Postfix to De-Mail and see it in systemd's
# journal? Is a right from LDAP there, and gone again, within a minute? Root;
# contrib/check-package.sh boots a container for it. Ends in "OK" on the last line.
set -euo pipefail

fail() {
	printf 'FAILED: %s\n' "$*"
	journalctl --no-pager -n 60 -p info || true
	exit 1
}
wait_for() { # SECONDS COMMAND…
	for _ in $(seq "$1"); do
		! "${@:2}" >/dev/null 2>&1 || return 0
		sleep 1
	done
	fail "did not happen within $1 s: ${*:2}"
}

# The units

for unit in demail-milter.service demail-relay.service demail-purge.timer; do
	wait_for 30 systemctl is-active $unit
done
[ "$(systemctl is-enabled demail-directory.timer)" = disabled ] || fail 'demail-directory runs unasked'
wait_for 30 demailctl status
for unit in demail-milter demail-relay; do
	systemctl reload $unit || fail "$unit does not reload"
	systemctl is-active $unit >/dev/null || fail "$unit is gone after a reload"
done
systemctl start demail-purge.service || fail 'demail-purge fails'

# Postfix

demailctl setup --apply || fail 'setup --apply'
systemctl reload postfix
demailctl setup --print | grep -q 'Nothing is to be added' || fail 'lines are missing'
demailctl selftest leak || fail "selftest leak: $?"

# LDAP

directory=/var/lib/test-directory
mkdir -p $directory/data
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
	-keyout $directory/key.pem -out $directory/cert.pem 2>/dev/null
cat >$directory/slapd.conf <<EOF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile $directory/cert.pem
TLSCertificateKeyFile $directory/key.pem
database mdb
suffix "dc=firm,dc=example"
rootdn "cn=root,dc=firm,dc=example"
rootpw root
directory $directory/data
EOF
systemctl stop slapd
systemd-run --quiet --unit=test-slapd slapd -d 0 -f $directory/slapd.conf -h ldaps://127.0.0.1:10636
export LDAPTLS_CACERT=$directory/cert.pem
root=(-x -H ldaps://127.0.0.1:10636 -D cn=root,dc=firm,dc=example -w root)
cat >$directory/entries <<'EOF'
dn: dc=firm,dc=example
objectClass: dcObject
objectClass: organization
dc: firm
o: Firm

dn: uid=anna,dc=firm,dc=example
objectClass: account
uid: anna
host: anna@firm.example
description: anna@firm.de-mail.de
EOF
wait_for 20 ldapadd "${root[@]}" -c -f $directory/entries
install -o demail-directory -m 600 /dev/stdin /var/lib/demail-directory/password <<<root
install -m 644 $directory/cert.pem /etc/demail/ldap.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=provider -keyout /dev/null -out /etc/demail/provider.pem 2>/dev/null
cat >>/etc/demail/demail.toml <<'EOF'
[[provider]]
name = "fp"
profile = "reference"
endpoint = "https://127.0.0.1:9/demail"
ca_file = "/etc/demail/provider.pem"
reply_signer = ["/etc/demail/provider.pem"]
auth_key = "pkcs11:token=firm;object=demail-auth?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/demail/pin"

[[account]]
name = "firm"
provider = "fp"
domains = ["firm.de-mail.de"]
senders_file = "/var/lib/demail-directory/senders"
senders_max_age = 60

[directory]
account = "firm"
url = "ldaps://127.0.0.1:10636"
ca_file = "/etc/demail/ldap.pem"
bind_dn = "cn=root,dc=firm,dc=example"
password_file = "/var/lib/demail-directory/password"
base = "dc=firm,dc=example"
filter = "(objectClass=account)"
from = "host"
as = "description"
login = "uid"
EOF
systemctl enable --now demail-directory.timer
may() { demailctl test-address bob@other.de-mail.de --from anna@firm.example --login anna; }
may_not() { ! may; }
began=$SECONDS
wait_for 60 may
echo "A right from LDAP: there after $((SECONDS - began)) s"
systemctl reload demail-milter demail-relay || fail 'the daemons do not take the account'
ldapdelete "${root[@]}" uid=anna,dc=firm,dc=example
began=$SECONDS
wait_for 60 may_not
echo "Taken away: gone after $((SECONDS - began)) s"
[ "$(systemctl show -p NRestarts --value demail-milter demail-relay | sort -u | grep -v '^$')" = 0 ] ||
	fail 'a daemon was started again'
! journalctl --no-pager -o cat | grep -E 'SECCOMP|audit.*syscall' || fail 'a system call was forbidden'
echo OK
