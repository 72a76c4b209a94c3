#!/bin/bash
# Installs what the tests need, builds in build/check and runs them all by make check. Says at the
# end what each step took.
#
#   contrib/check.sh             QUICK=1: without the tests that build again (fuzz, packaging) and
#                                those of the virtual card, which need namespaces of their own
#                                SANITIZERS=1: the unit tests with sanitizers too
#                                FULL=1: that and make distcheck
set -euo pipefail

source_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build_directory=$source_directory/build/check
. "$source_directory/contrib/packages.sh"

as_root
# shellcheck disable=SC2086
install_packages $build_packages $run_packages $test_packages

exec </dev/null
jobs=$(nproc)
# End-to-end tests wait most of their time: for Postfix, for a pause, for a card.
tests_at_once=$((2 * jobs))
compiler=g++
! command -v ccache >/dev/null || compiler='ccache g++'
export PYTHONDONTWRITEBYTECODE=1
export CCACHE_BASEDIR=$source_directory CCACHE_NOHASHDIR=1

# What runs threads side by side: under TSan, which finds nothing in the rest.
threaded_tests='breaker broker_turns daemon filter_domain_list given_up journal journal_hosts
	journal_outage lmtp_server lmtp_session pkcs11_process pkcs11_token soap_https soap_tls submitter
	token_faults token_hang token_pin token_recovery token_tls wire_client'

table=
step() {
	say "$1"
	step_name=$1 step_began=$SECONDS
}
ended() {
	table="$table$(printf '%5.1f min  %s' "$(((SECONDS - step_began) * 10 / 60))e-1" "$step_name")
"
}

configured_in() { # DIRECTORY OPTION…
	mkdir -p "$1"
	cd "$1"
	"$source_directory/configure" --quiet CXX="$compiler" "${@:2}"
}

step 'Building'
cd "$source_directory"
autoreconf -fi
configured_in "$build_directory" --enable-werror CXXFLAGS='-O1 -g0'
make -s -j"$jobs" all
ended

step 'make check'
# A test that passes only the second time is shown as such: the machine may be busy.
flags="-j $tests_at_once --repeat until-pass:2"
[ -z "${QUICK-}" ] || flags="$flags -LE 'fuzz|packaging' -E 'e2e/(demailctl_)?(card|cardd|pkcs11|tcos|virtual)'"
make -s -j"$jobs" check CTESTFLAGS="$flags"
ended

if [ "${SANITIZERS-}${FULL-}" ]; then
	step 'Unit tests with ASan and UBSan'
	configured_in "$build_directory-sanitizers" --enable-sanitizers CXXFLAGS='-O1 -g1'
	make -s -j"$jobs" check CTESTFLAGS="-j $jobs -L unit --repeat until-pass:2"
	ended

	step 'Unit tests of threads with TSan'
	configured_in "$build_directory-threads" --enable-sanitizers=thread CXXFLAGS='-O1 -g1'
	# Kernels of today leave TSan no room with a random layout of memory; a container may forbid to
	# ask for another.
	fixed_layout='setarch -R'
	$fixed_layout true 2>/dev/null || fixed_layout=
	programs=
	for name in $threaded_tests; do programs="$programs tests/unit/${name}_test"; done
	# shellcheck disable=SC2086
	make -s -j"$jobs" $programs tests/shim/pkcs11-shim.so
	for program in $programs; do
		echo "$program"
		# One test forks amid threads.
		TSAN_OPTIONS=die_after_fork=0 SRCDIR=$source_directory BUILDDIR=$PWD \
			$fixed_layout "$program" >"$program.log" 2>&1 ||
			{ tail -n 60 "$program.log" >&2; stop "$program failed under TSan."; }
	done
	ended
fi

if [ "${FULL-}" ]; then
	step 'make distcheck'
	cd "$build_directory"
	make -s -j"$jobs" distcheck CTESTFLAGS="-j $jobs -L 'unit|packaging'" \
		DISTCHECK_CONFIGURE_FLAGS="CXX='$compiler' CXXFLAGS='-O1 -g0'"
	ended
fi

say "All of it is good."
printf '%s' "$table"
