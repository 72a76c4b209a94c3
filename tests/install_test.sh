#!/bin/sh
# What "make install" gives: these files and no others, programs that run, an example
# configuration that both daemons take, as it is and with its comments opened.
set -eu

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() {
	printf '%s\n' "$*" >&2
	exit 1
}

# Not the jobserver of the make that runs the tests, nor its variables.
unset MAKEFLAGS MFLAGS MAKELEVEL
install_into() {
	make -s -C "$BUILDDIR" install DESTDIR="$root" prefix=/usr sysconfdir=/etc \
		bindir=/usr/bin sbindir=/usr/sbin datadir=/usr/share mandir=/usr/share/man \
		systemdsystemunitdir=/usr/lib/systemd/system >/dev/null
}
install_into

cat >"$root.expected" <<END
644 etc/demail/cardd.toml
644 etc/demail/demail.toml
755 usr/bin/demail-sandbox
755 usr/bin/demailctl
755 usr/lib/pkcs11/demail-tcos-pkcs11.so
644 usr/lib/systemd/system/demail-cardd.service
644 usr/lib/systemd/system/demail-directory.service
644 usr/lib/systemd/system/demail-directory.timer
644 usr/lib/systemd/system/demail-milter.service
644 usr/lib/systemd/system/demail-purge.service
644 usr/lib/systemd/system/demail-purge.timer
644 usr/lib/systemd/system/demail-relay.service
644 usr/lib/sysusers.d/demail-pkcs11.conf
644 usr/lib/sysusers.d/postfix-demail.conf
644 usr/lib/tmpfiles.d/postfix-demail.conf
755 usr/sbin/demail-cardd
755 usr/sbin/demail-directory
755 usr/sbin/demail-milter
755 usr/sbin/demail-relay
644 usr/share/man/man1/demail-sandbox.1
644 usr/share/man/man1/demailctl.1
644 usr/share/man/man5/cardd.toml.5
644 usr/share/man/man5/demail.toml.5
644 usr/share/man/man8/demail-cardd.8
644 usr/share/man/man8/demail-directory.8
644 usr/share/man/man8/demail-milter.8
644 usr/share/man/man8/demail-relay.8
644 usr/share/p11-kit/modules/demail-tcos.module
644 usr/share/polkit-1/rules.d/demail-cardd.rules
644 usr/share/postfix-demail/bounce.de
644 usr/share/postfix-demail/ended-providers.toml
644 usr/share/postfix-demail/strange-address
644 usr/share/postfix-demail/strip-seal
644 usr/share/postfix-demail/strip-seal-lines
644 usr/share/postfix-demail/xsd/provider.wsdl
644 usr/share/postfix-demail/xsd/provider.xsd
END
trap 'rm -rf "$root" "$root.expected"' EXIT
sandbox=usr/share/demail-sandbox
(cd "$root" && find . ! -type d ! -path "./$sandbox/*" -printf '%m %P\n' | sort -k 2) |
	diff "$root.expected" - || fail 'make install gives other files than it should (< expected).'
# The sandbox is installed as the tree that it is.
(cd "$SRCDIR" && find contrib/sandbox contrib/ended-providers.toml contrib/postfix/strange-address contrib/postfix/strip-seal \
	contrib/postfix/strip-seal-lines xsd/provider.xsd ! -type d \
	! -name '*.pyc' ! -name 'demail-sandbox*' | sort) >"$root.expected"
(cd "$root/$sandbox" && find . ! -type d -printf '%P\n' | sort) |
	diff "$root.expected" - || fail 'The installed sandbox is another than that of the source (< source).'

for daemon in demail-milter demail-relay demail-directory; do
	"$root/usr/sbin/$daemon" --version | grep -q "^$daemon [0-9]" || fail "$daemon --version"
	grep -q "^ExecStart=.*/sbin/$daemon$" "$root/usr/lib/systemd/system/$daemon.service" ||
		fail "$daemon.service does not start $daemon."
done
! grep -rI '@[a-z]*@' "$root/usr/lib" "$root/usr/bin" || fail 'A path was not filled in.'

# The example, with the files that it names below $root.
example=$root/etc/demail/demail.toml
(umask 077 && printf 'k1 %064d\n' 1 >"$root/etc/demail/seal.key" && echo 1234 >"$root/etc/demail/pin")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test \
	-keyout /dev/null -out "$root/etc/demail/provider-ca.pem" 2>/dev/null
cp "$root/etc/demail/provider-ca.pem" "$root/etc/demail/provider-signer.pem"
cp "$root/usr/share/postfix-demail/ended-providers.toml" "$root/etc/demail/"
sed "s|/etc/demail/|$root&|" "$example" >"$root/plain.toml"
# "#word" is a line of the example that is switched off, "# word" is talk.
sed 's|^#\([^ #]\)|\1|' "$root/plain.toml" >"$root/full.toml"
grep -q '^\[\[account.sender\]\]' "$root/full.toml" || fail 'The full example shows no sender.'
for daemon in demail-milter demail-relay; do
	for form in plain full; do
		"$root/usr/sbin/$daemon" --config "$root/$form.toml" --check-config >/dev/null ||
			fail "$daemon does not take the $form example."
	done
done

# A second installation keeps what the administrator wrote; so does uninstalling.
echo '# mine' >>"$example"
install_into
make -s -C "$BUILDDIR" uninstall DESTDIR="$root" prefix=/usr sysconfdir=/etc bindir=/usr/bin \
	sbindir=/usr/sbin datadir=/usr/share mandir=/usr/share/man \
	systemdsystemunitdir=/usr/lib/systemd/system >/dev/null
grep -q '^# mine' "$example" || fail 'The configuration was overwritten or removed.'
left=$(find "$root/usr" ! -type d)
[ -z "$left" ] || fail "make uninstall leaves $left"
