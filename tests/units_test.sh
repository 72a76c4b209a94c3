#!/bin/sh
# The systemd units: systemd understands all of them, and they are shut as far as they should be.
set -eu

command -v systemd-analyze >/dev/null || exit 77
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

for daemon in demail-milter demail-relay demail-purge demail-directory demail-cardd; do
	unit=$directory/$daemon.service
	# A program that is there: the daemons may not be installed on this host.
	sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$BUILDDIR"/*/units/"$daemon.service" >"$unit"
	said=$(systemd-analyze verify --man=no --recursive-errors=no "$unit" 2>&1 |
		grep -F "$daemon" || true)
	if [ -n "$said" ]; then
		printf '%s\n' "$said" >&2
		exit 1
	fi
	# 20: an exposure of 2.0 on systemd's scale of 10.
	if ! systemd-analyze security --no-pager --offline=yes --threshold=20 "$unit" >"$unit.report"; then
		cat "$unit.report" >&2
		exit 1
	fi
	# It would make every peer at the sockets 65534, and all of them would be refused.
	if grep -q '^PrivateUsers=yes' "$unit"; then
		echo "$daemon.service: PrivateUsers= must stay off." >&2
		exit 1
	fi
done
