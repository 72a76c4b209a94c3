#!/bin/bash
# On a host where the packages were just installed, without a running systemd: do both daemons work
# as the users and groups of their units, and can those reach them, and only those, who should?
# Root; contrib/check-package.sh runs it in a chroot.
set -euo pipefail

fail() {
	printf 'FAILED: %s\n' "$*" >&2
	exit 1
}
# is FILE MODE OWNER GROUP
is() {
	[ "$(stat -c '%a %U %G' "$1")" = "$2 $3 $4" ] || fail "$1 is $(stat -c '%a %U %G' "$1"), not ${*:2}"
}
wait_for() {
	for _ in $(seq 100); do
		! "$@" || return 0
		sleep 0.1
	done
	fail "did not happen within 10 s: $*"
}
# as USER GROUPS COMMAND…, with no privilege and no capability
exec=
as() {
	$exec setpriv --reuid="$1" --regid="$(id -g "$1")" --groups="$2" --no-new-privs --inh-caps=-all \
		--bounding-set=-all -- "${@:3}"
}

# The files

is /etc/demail/demail.toml 644 root root
is /etc/demail/seal.key 640 root demail-seal
grep -Eqx 'k1 [0-9a-f]{64}' /etc/demail/seal.key || fail 'seal.key has not the form of a key'
is /var/spool/postfix/demail-milter 2750 demail-milter postfix
is /var/spool/postfix/demail-relay 2750 demail-relay postfix
is /var/lib/demail 755 demail-relay demail-relay
is /var/lib/demail/spool 700 demail-relay demail-relay
is /var/lib/demail/evidence 700 demail-relay demail-relay
is /var/lib/demail/blocks 2775 demail-relay demail-admin
is /var/lib/demail-directory 755 demail-directory demail-directory
is /var/lib/demail/domains 644 demail-relay demail-relay
database=$(postconf -h default_database_type):/var/lib/demail/domains
[ "$(as nobody nogroup postmap -q de-mail.de "$database")" = active ] || fail 'the index does not name de-mail.de'
! as nobody nogroup postmap -q gmail.com "$database" || fail 'the index names a stranger'
! grep -q demail /etc/postfix/main.cf /etc/postfix/master.cf || fail "Postfix's configuration was changed"
postfix_says=$(postfix check 2>&1 || true)
[[ $postfix_says != *demail* ]] || fail "postfix check: $postfix_says"

# The daemons, as the units have them

unit_value() { sed -n "s/^$2=//p" /lib/systemd/system/"$1".service; }
pids=()
start() {
	local groups
	groups=$(unit_value "$1" Group),$(unit_value "$1" SupplementaryGroups | tr ' ' ,)
	exec=exec DEMAIL_LOG=stderr as "$(unit_value "$1" User)" "$groups" \
		sh -c "umask $(unit_value "$1" UMask) && exec $(unit_value "$1" ExecStart)" </dev/null &
	pids+=($!)
}
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT

for daemon in demail-milter demail-relay; do
	$daemon --check-config >/dev/null || fail "$daemon does not take the configuration as installed"
done
install -d -o demail-relay -g demail-relay /run/demail-relay # RuntimeDirectory=
milter=/var/spool/postfix/demail-milter/milter.sock
lmtp=/var/spool/postfix/demail-relay/lmtp.sock
control=/run/demail-relay/control.sock
start demail-relay
start demail-milter
wait_for test -S $milter
wait_for test -S $lmtp
wait_for test -S $control
wait_for test -e /var/lib/demail/domains.indexed # the relay ran postconf and postmap
is $milter 660 demail-milter postfix
is $lmtp 660 demail-relay postfix
is $control 666 demail-relay demail-relay
is /var/lib/demail/journal.db 600 demail-relay demail-relay
for index in /var/lib/demail/domains.*db; do
	is "$index" 644 demail-relay demail-relay
done

# ask SOCKET [WORDS]: connects, says WORDS, prints what comes first.
ask() {
	perl -MIO::Socket::UNIX -e '
		$SIG{ALRM} = sub { exit 3 };
		$SIG{PIPE} = "IGNORE"; # a stranger gets the answer before the question is read
		alarm 5;
		my $socket = IO::Socket::UNIX->new(Peer => shift) or exit 4;
		print $socket "@ARGV\n" if @ARGV;
		$socket->flush;
		print scalar(<$socket>) // ""' "$@"
}
may_not_connect() {
	local code=0
	ask_as "$@" >/dev/null || code=$?
	[ $code = 4 ] || fail "$1 with groups $2 can connect to $3"
}
ask_as() {
	as "$1" "$2" bash -c "$(declare -f ask)"'; ask "$@"' - "${@:3}"
}

[[ $(ask_as postfix postfix $lmtp) == 220* ]] || fail 'the relay does not greet Postfix'
[[ $(ask_as demail-milter postfix $lmtp) == 421* ]] || fail 'the relay greets a peer that is not Postfix'
may_not_connect nobody nogroup $lmtp
may_not_connect nobody nogroup $milter
may_not_connect demail-relay demail-seal $milter
may_not_connect demail-milter demail-seal $lmtp
ask_as postfix postfix $milter >/dev/null && fail 'the milter spoke first' || [ $? = 3 ] ||
	fail 'Postfix cannot connect to the milter'

[[ $(ask_as nobody demail-view $control status) == *submissions* ]] || fail 'demail-view may not look'
[[ $(ask_as nobody demail-view $control domains-refresh) == *'may look but not act'* ]] ||
	fail 'demail-view may act'
[[ $(ask_as nobody demail-admin $control domains-refresh) == *done* ]] || fail 'demail-admin may not act'
[[ $(ask_as nobody nogroup $control status) == *'may not ask'* ]] || fail 'a stranger may look'

# What is secret stays so, on both sides.
for user in nobody demail-milter; do
	! as $user nogroup cat /var/lib/demail/journal.db >/dev/null 2>&1 || fail "$user can read the journal"
done
! as nobody nogroup cat /etc/demail/seal.key >/dev/null 2>&1 || fail 'nobody can read the seal key'
! as demail-milter demail-seal touch /var/lib/demail/domains 2>/dev/null ||
	fail 'the milter can write the domain list'

for pid in "${pids[@]}"; do
	kill "$pid"
	wait "$pid" || fail "a daemon ended with $? at SIGTERM"
done
pids=()
echo 'The installed daemons work as their users.'
