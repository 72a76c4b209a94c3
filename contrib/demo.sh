#!/bin/bash
# One command on a fresh Debian 12 or 13: installs, builds, starts the sandbox, sends a De-Mail.
#
#   contrib/demo.sh [--keep]     --keep leaves the sandbox running and says what to try
#
# All files are below build/demo in this checkout, or below /tmp where the checkout lies in a
# directory that is closed to Postfix's users (/root is). The host's own Postfix is not touched.
set -euo pipefail

case ${1-} in
'' | --keep) ;;
*)
	echo 'Usage: contrib/demo.sh [--keep]' >&2
	exit 64
	;;
esac
source_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build_directory=$source_directory/build/demo
. "$source_directory/contrib/packages.sh"

as_root
[ -x /usr/bin/apt-get ] || stop 'This needs Debian 12 or 13 (or a relative of it): apt-get is missing.'
# shellcheck disable=SC2086
install_packages $build_packages $run_packages

say 'Building (the first time takes some minutes)'
mkdir -p "$build_directory"
log=$build_directory/build.log
build() {
	cd "$source_directory"
	[ -x configure ] || autoreconf -fi
	cd "$build_directory"
	[ -f Makefile ] || "$source_directory/configure" CXXFLAGS='-O1'
	make -j"$(nproc)"
}
(build) </dev/null >"$log" 2>&1 || { tail -n 30 "$log" >&2; stop "The build failed; all of it is in $log."; }

exec /usr/bin/python3 -B "$source_directory/contrib/sandbox/tour.py" --build "$build_directory" \
	--directory "$build_directory/sandbox" "$@"
