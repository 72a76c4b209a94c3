#!/bin/bash
# Installs what the tests need, builds in build/check and runs them all by make check.
#
#   contrib/check.sh             FULL=1: with the tests that build again (fuzz, packaging), a sanitizer
#                                build of the unit tests and make distcheck
set -euo pipefail

source_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build_directory=$source_directory/build/check
. "$source_directory/contrib/packages.sh"

as_root
# shellcheck disable=SC2086
install_packages $build_packages $run_packages $test_packages

exec </dev/null
jobs=$(nproc)
compiler=g++
! command -v ccache >/dev/null || compiler='ccache g++'
export PYTHONDONTWRITEBYTECODE=1
export CCACHE_BASEDIR=$source_directory CCACHE_NOHASHDIR=1

say 'Building'
cd "$source_directory"
autoreconf -fi
mkdir -p "$build_directory"
cd "$build_directory"
"$source_directory/configure" --quiet --enable-werror CXX="$compiler" CXXFLAGS='-O1 -g0'
make -s -j"$jobs" all

say 'make check'
# A test that passes only the second time is shown as such: the machine may be busy.
flags="-j $jobs --repeat until-pass:2"
[ "${FULL-}" ] || flags="$flags -LE 'fuzz|packaging'"
make -s -j"$jobs" check CTESTFLAGS="$flags"

if [ "${FULL-}" ]; then
	say 'Unit tests with sanitizers'
	mkdir -p "$build_directory-sanitizers"
	cd "$build_directory-sanitizers"
	"$source_directory/configure" --quiet --enable-sanitizers CXX="$compiler" CXXFLAGS='-O1 -g1'
	make -s -j"$jobs" check CTESTFLAGS="-j $jobs -L unit"

	say 'make distcheck'
	cd "$build_directory"
	make -s -j"$jobs" distcheck CTESTFLAGS="-j $jobs -L 'unit|packaging'" \
		DISTCHECK_CONFIGURE_FLAGS="CXX='$compiler' CXXFLAGS='-O1 -g0'"
fi
