#!/bin/bash
# Builds the Debian packages from a copy of the checkout, looks at them with lintian, installs them
# into a fresh Debian in a directory of its own and tries them there: the daemons as their users,
# the sandbox's demo, a boot under systemd, removal.
#
#   contrib/check-package.sh [RELEASE]     bookworm by default
#
# All of it lies in build/package, the packages too. It needs root, and a network for Debian's
# packages.
set -euo pipefail

release=${1-bookworm}
source_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
work=$source_directory/build/package/$release
. "$source_directory/contrib/packages.sh"

# The work is done in `builder`, which has compilers, and in `host`, which has not: a dependency
# that is missing shows.
inside() { DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$work/$1" "${@:2}" </dev/null; }
open_root() {
	mkdir -p "$work/$1/build"
	mount -t proc proc "$work/$1/proc"
	mount --rbind --make-rslave /dev "$work/$1/dev"
	mount --bind "$work/share" "$work/$1/build"
}
close_roots() {
	for root in builder host booted; do
		for directory in build dev proc; do
			! mountpoint -q "$work/$root/$directory" || umount -Rl "$work/$root/$directory"
		done
	done
}
install_quietly() { # ROOT PACKAGE…
	inside "$1" apt-get -qq install --no-install-recommends -y "${@:2}" >"$work/install.log" 2>&1 ||
		{ cat "$work/install.log" >&2; stop "Not installed in $1: ${*:2}"; }
}

as_root
install_packages debootstrap git systemd-container
close_roots
rm -rf "$work"
mkdir -p "$work/share/source"
trap close_roots EXIT

say "A fresh $release"
debootstrap --variant=minbase --include=ca-certificates "$release" "$work/host" >"$work/debootstrap.log" ||
	stop "debootstrap failed; see $work/debootstrap.log."
printf '#!/bin/sh\nexit 101\n' >"$work/host/usr/sbin/policy-rc.d" # dpkg starts nothing
chmod 755 "$work/host/usr/sbin/policy-rc.d"
cp -a "$work/host" "$work/builder"
open_root builder
open_root host

say 'Building the packages'
(cd "$source_directory" && git ls-files -z | tar --null -T - -c) | tar -x -C "$work/share/source"
install_quietly builder build-essential lintian
inside builder apt-get -qq build-dep -y /build/source >"$work/install.log" 2>&1 ||
	{ cat "$work/install.log" >&2; stop 'The packages to build with are not to be had.'; }
inside builder sh -c 'cd /build/source && dpkg-buildpackage -us -uc -b' >"$work/build.log" 2>&1 ||
	{ tail -n 30 "$work/build.log" >&2; stop "The build failed; all of it is in $work/build.log."; }

say 'lintian'
inside builder sh -c 'lintian --allow-root --fail-on error,warning /build/*.changes'

say 'Installing them, and starting the daemons as their users'
mkdir "$work/share/install"
for package in postfix-demail demail-pkcs11 demailctl demail-sandbox; do
	mv "$work"/share/"$package"_*.deb "$work/share/install"
done
cp "$source_directory/tests/package_test.sh" "$work/host/tmp"
inside host sh -c "echo 'postfix postfix/main_mailer_type select Local only' | debconf-set-selections"
inside host apt-get -qq update
packages=("$work"/share/install/*.deb)
install_quietly host "${packages[@]/#$work\/share/\/build}"
inside host bash /tmp/package_test.sh

say "The sandbox's demo with the installed daemons"
inside host demail-sandbox demo >"$work/demo.log" 2>&1 ||
	{ tail -n 40 "$work/demo.log" >&2; stop "The demo failed; all of it is in $work/demo.log."; }
tail -n 3 "$work/demo.log"

say 'Booting a host with them: the units under systemd'
mkdir "$work/booted"
tar -C "$work/host" --one-file-system -c . | tar -C "$work/booted" -x
open_root booted
install_quietly booted systemd systemd-sysv dbus slapd ldap-utils openssl
rm "$work/booted/usr/sbin/policy-rc.d"
cp "$source_directory/tests/package_systemd_test.sh" "$work/booted/root"
cat >"$work/booted/etc/systemd/system/package-test.service" <<'EOF'
[Unit]
After=postfix.service demail-milter.service demail-relay.service slapd.service
[Service]
Type=oneshot
ExecStart=/bin/bash /root/package_systemd_test.sh
ExecStopPost=systemctl poweroff --no-block
StandardOutput=file:/root/package_systemd_test.log
StandardError=inherit
EOF
# Without an id it would be a first boot, which enables all units.
systemd-machine-id-setup --root="$work/booted" >/dev/null 2>&1
inside booted systemctl --quiet add-wants multi-user.target package-test.service
close_roots
timeout 600 systemd-nspawn --quiet --register=no --keep-unit --directory="$work/booted" --boot \
	>"$work/boot.log" 2>&1 </dev/null || true
cat "$work/booted/root/package_systemd_test.log"
[ "$(tail -n 1 "$work/booted/root/package_systemd_test.log")" = OK ] ||
	stop "It failed; what the host said as it booted is in $work/boot.log."
open_root host

say 'Installing them again keeps key and configuration; removal leaves journal and evidence alone'
inside host sh -ec '
	echo "# mine" >>/etc/demail/demail.toml
	before=$(sha256sum /etc/demail/* /var/lib/demail/domains)
	dpkg -i /build/install/*.deb >/dev/null
	test "$before" = "$(sha256sum /etc/demail/* /var/lib/demail/domains)"
	dpkg --purge demail-sandbox demailctl postfix-demail demail-pkcs11
	test ! -e /etc/demail
	test ! -e /var/spool/postfix/demail-milter
	test ! -e /var/spool/postfix/demail-relay
	test "$(ls -A /var/lib/demail | tr "\\n" " ")" = "evidence journal.db "' || stop 'It was not so.'
say "All of it is good. The packages are in $work/share/install."
