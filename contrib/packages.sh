# Read by demo.sh and check.sh: what of Debian 12 or 13 they need, and how it comes on the host
# without starting anything there. POSIX shell; the caller has set -e.

build_packages='autoconf automake libtool autoconf-archive pkg-config g++ make
	libmilter-dev libcurl4-openssl-dev libssl-dev libxml2-dev libsoci-dev libboost-dev
	libsqlite3-dev libpq-dev libldap-dev libtomlplusplus-dev libcli11-dev libfmt-dev nlohmann-json3-dev libidn2-dev
	libp11-kit-dev libp11-dev libpcsclite-dev libpsl-dev libsystemd-dev libcmocka-dev'
run_packages='postfix softhsm2 opensc openssl pcscd vsmartcard-vpcd python3 python3-lxml
	python3-xmlsec python3-cryptography procps ca-certificates'
test_packages='cmake curl gnutls-bin libengine-pkcs11-openssl p11-kit python3-pykcs11
	python3-pyscard python3-gi gir1.2-gmime-3.0 libxml2-utils xmlsec1 xz-utils systemd clang libclang-rt-dev
	valgrind postgresql slapd ldap-utils dnsmasq-base opendkim dovecot-core python3-dkim python3-milter'

say() { printf '\n==> %s\n' "$*"; }
stop() { printf '%s\n' "$*" >&2; exit 1; }

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() {
	[ "$(id -u)" = 0 ] || stop 'This needs root: a private Postfix does. Run it by sudo.'
}

no_other_mta() {
	for mta in exim4-daemon-light exim4-daemon-heavy sendmail-bin opensmtpd nullmailer msmtp-mta \
		ssmtp dma courier-mta citadel-server; do
		if installed "$mta"; then
			stop "The mail server $mta is installed here; Debian would remove it for Postfix." \
				'Nothing was changed. Use another machine or a container.'
		fi
	done
}

# invoke-rc.d and deb-systemd-invoke ask policy-rc.d; 101 forbids. One that is there is the
# administrator's and stays.
install_packages() {
	missing=
	for package in "$@"; do
		installed "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	no_other_mta
	say "Installing:$missing"
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		trap 'exit 1' INT TERM HUP
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		ours=yes
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update
	case $missing in
	*' postfix'*) # no main.cf is written to /etc/postfix
		apt-get -qq install --no-install-recommends -y debconf >/dev/null
		echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
		;;
	esac
	# shellcheck disable=SC2086
	apt-get -qq install --no-install-recommends -y $missing </dev/null >/dev/null
	if [ "${ours-}" ]; then
		rm -f "$policy"
		trap - EXIT INT TERM HUP
	fi
}
