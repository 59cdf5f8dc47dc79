#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the fuzz targets and runs them, two at a time.
set -euo pipefail

root=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
programs=$root/build/fuzz/fuzz
findings=$root/build/fuzz/findings
jobs_max=2
memory_mb=1500

usage() {
	cat <<'END'
Usage: tests/fuzz/run.sh [--keep] [SECONDS] [TARGET]...

Builds the fuzz targets and runs each of them, or those that are named, for SECONDS (20), beginning with
its corpus: tests/fuzz/corpus/TARGET. Prints a line for each as TAP has it. What made one fail is kept
in build/fuzz/findings, and so is the end of what it said:

  build/fuzz/fuzz/fuzz_TARGET build/fuzz/findings/TARGET-...

does it again. --keep: what is found on the way, and covers more, is added to build/fuzz/corpus/TARGET and used
from then on.
END
}

targets() {
	local file
	for file in "$root"/tests/fuzz/fuzz_*.c; do
		file=${file##*/fuzz_}
		echo "${file%.c}"
	done
}

# run_target NAME: one line, "ok" or "not ok" with the name.
run_target() {
	local name=$1 status=0 corpus=$work/$1
	local -a options=(-max_total_time="$seconds" -max_len=16384 -len_control=10 -timeout=60 -rss_limit_mb="$memory_mb"
		-print_final_stats=1 -artifact_prefix="$findings/$name-")
	[[ ! -e $root/tests/fuzz/$name.dict ]] || options+=(-dict="$root/tests/fuzz/$name.dict")
	# The same inputs at each run, so that CI is about the change; --keep looks for others.
	[[ -n $keep ]] || options+=(-seed=1)
	[[ -z $keep ]] || corpus=$root/build/fuzz/corpus/$name
	mkdir -p "$corpus" "$work/tmp-$name"
	TMPDIR=$work/tmp-$name "$programs/fuzz_$name" "${options[@]}" "$corpus" \
		"$root/tests/fuzz/corpus/$name" >"$findings/$name.log" 2>&1 || status=$?
	if ((status)); then
		tail -n 40 "$findings/$name.log" >&2
		echo "not ok - fuzz $name"
		return
	fi
	echo "ok - fuzz $name: $(said "$name" number_of_executed_units) inputs, $(covered "$name") edges covered"
	rm "$findings/$name.log"
}

# said NAME KEY: a number of its final statistics.
said() {
	sed -n "s/^stat::$2: *//p" "$findings/$1.log" | tail -n 1
}

covered() {
	sed -n 's/.*DONE *cov: \([0-9]*\).*/\1/p' "$findings/$1.log"
}

keep=''
seconds=20
while [[ ${1-} == -* ]]; do
	case $1 in
	--keep) keep=yes ;;
	-h | --help) usage; exit ;;
	*) echo "run.sh: unknown option $1, see --help" >&2; exit 2 ;;
	esac
	shift
done
if [[ ${1-} =~ ^[0-9]+$ ]]; then
	seconds=$1
	shift
fi
(($#)) || mapfile -t all < <(targets)
(($#)) || set -- "${all[@]}"
for name; do
	[[ -e $root/tests/fuzz/fuzz_$name.c ]] || {
		echo "run.sh: no target $name; there are: $(targets | paste -sd' ')" >&2
		exit 2
	}
done

cd "$root"
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz >&2
mkdir -p "$findings"
# In memory where it can be: a target writes a file or two for each input.
work=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$work"' EXIT
# What was freed is kept for this long only: the file format works in buffers of megabytes.
export ASAN_OPTIONS=quarantine_size_mb=16:malloc_context_size=8${ASAN_OPTIONS:+:$ASAN_OPTIONS}

echo "1..$#"
for name; do
	while (($(jobs -rp | wc -l) >= jobs_max)); do
		wait -n
	done
	run_target "$name" >"$work/$name.line" &
done
wait
failed=0
for name; do
	cat "$work/$name.line"
	! grep -q '^not ok' "$work/$name.line" || failed=1
done
exit "$failed"
