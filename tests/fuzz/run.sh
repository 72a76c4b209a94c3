#!/bin/bash
# Builds the fuzz targets by clang in BUILDDIR/fuzzing and lets libFuzzer loose on each of them, as
# many at a time as there are cores; what it learns stays in BUILDDIR/fuzzing/corpus for the next run.
#
#   SRCDIR=… BUILDDIR=… FUZZ_SECONDS=20 FUZZ_SEED=1 tests/fuzz/run.sh [TARGET…|build]
#
# A short run always begins alike, so that a test of today fails tomorrow too; FUZZ_SEED=0 is another
# one each time.
#
# An input that breaks a target is kept in BUILDDIR/fuzzing/found. Mend the code, then put the input
# into tests/fuzz/corpus/TARGET under a name that says what it is.
set -euo pipefail
source_directory=$(cd "${SRCDIR-$(dirname "$0")/../..}" && pwd)
build_directory=$(cd "${BUILDDIR-.}" && pwd)/fuzzing
seconds=${FUZZ_SECONDS-20}
seed=${FUZZ_SEED-1}

compiler=$(command -v clang++ || command -v clang++-14) || {
	echo 'There is no clang++: nothing is fuzzed.'
	exit 77
}
mkdir -p "$build_directory/found"
cd "$build_directory"
unset MAKEFLAGS MAKELEVEL MFLAGS
if [ ! -e Makefile ]; then
	! command -v ccache >/dev/null || compiler="ccache $compiler"
	"$source_directory/configure" --quiet --enable-fuzzing \
		CXX="$compiler" CXXFLAGS='-O1 -g1'
fi
make -s -j"$(nproc)" tests/fuzz/fuzz

fuzz_one() {
	target=$1
	mkdir -p "corpus/$target"
	dictionary=$source_directory/tests/fuzz/$target.dict
	# No input that matters is larger: every parser has a limit of its own, tested elsewhere.
	if SRCDIR=$source_directory tests/fuzz/fuzz --target="$target" -max_total_time="$seconds" -seed="$seed" \
		-max_len=8192 -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
		-artifact_prefix="found/$target-" -dict="$dictionary" \
		"corpus/$target" "$source_directory/tests/fuzz/corpus/$target" >"found/$target.log" 2>&1; then
		printf '%-14s %s runs\n' "$target" \
			"$(sed -n 's/^stat::number_of_executed_units: *//p' "found/$target.log")"
	else
		printf '%-14s BROKEN, see %s\n' "$target" "$build_directory/found/$target.log"
		grep -h -e 'does not hold' -e 'ERROR:' -e 'runtime error' -e 'Test unit written' \
			"found/$target.log" || tail -n 5 "found/$target.log"
		return 1
	fi
}
export -f fuzz_one
export source_directory build_directory seconds seed

[ "${1-}" != build ] || exit 0
if [ $# = 0 ]; then
	cd "$source_directory/tests/fuzz/corpus"
	set -- *
	cd "$build_directory"
fi
printf '%s\n' "$@" | xargs -P"$(nproc)" -I{} bash -c 'fuzz_one {}'
