#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Makes what of the corpus the project's own samples give: make_corpus.sh DIRECTORY-OF-PROGRAMS
set -euo pipefail

root=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
corpus=$root/tests/fuzz/corpus
sample=$1/format_make_sample
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# le32 NUMBER: its four bytes.
le32() {
	local i
	for i in 0 8 16 24; do
		# shellcheck disable=SC2059 # the format is the byte
		printf "\\x$(printf %02x $(($1 >> i & 255)))"
	done
}

make_traces() {
	"$sample" "$work/recording" 2 6
	"$sample" "$work/longer" 3 20
	"$sample" "$work/network" network 3 busy
	"$sample" "$work/stranger" stranger
	"$sample" "$work/markup" markup
	"$sample" "$work/escape" escape
}

store_traces() {
	local target trace
	for target in trace_chunks trace_records salvage; do
		mkdir -p "$corpus/$target"
		for trace in recording network markup; do
			cp "$work/$trace" "$corpus/$target"
		done
	done
	head -c 1500 "$work/recording" >"$corpus/salvage/cut"
}

store_pair() {
	mkdir -p "$corpus/compare"
	{
		le32 "$(stat -c %s "$work/$2")"
		cat "$work/$2" "$work/$3"
	} >"$corpus/compare/$1"
}

# One trace for each way of ttdump, in turn; the first byte says which.
store_ways() {
	local -a traces=(network recording markup stranger)
	local way trace
	mkdir -p "$corpus/ttdump"
	for way in {0..15}; do
		trace=${traces[way % 4]}
		((way != 12)) || trace=escape
		{
			# shellcheck disable=SC2059
			printf "\\x$(printf %02x "$way")"
			cat "$work/$trace"
		} >"$corpus/ttdump/$way-$trace"
	done
}

store_labs() {
	mkdir -p "$corpus/lab"
	cp "$root"/tests/recorder/lab/labs/*.yaml "$corpus/lab"
}

# A program without a library: with symbols, and without.
store_programs() {
	mkdir -p "$corpus/elf"
	echo 'int data[4] = { 1 }; int main(void) { return data[1]; } void _start(void) { main(); }' |
		"${CC:-cc}" -x c -O1 -nostdlib -static -fno-stack-protector -fcf-protection=none \
			-fno-asynchronous-unwind-tables -Wl,-N,--build-id=none - -o "$corpus/elf/symbols"
	strip "$corpus/elf/symbols" -o "$corpus/elf/stripped"
}

# Lines as fuzz_console takes them: what to watch for, then a head with the length, and the line.
store_console() {
	local name=$1 what=$2 line
	mkdir -p "$corpus/console"
	while IFS= read -r line; do
		line=${line:0:60}
		# shellcheck disable=SC2059
		printf "\\x$(printf %02x $(((${#line} + 1) << 2)))"
		echo "$line"
	done | cat <(printf %b "$what") - >"$corpus/console/$name"
}

make_traces
store_traces
store_pair same recording recording
store_pair longer recording longer
store_pair network network recording
store_ways
store_labs
store_programs
store_console panic '\x03' <<'END'
[    0.000000] Linux version 6.12
[    1.250000] Kernel panic - not syncing: VFS: Unable to mount
[    1.250000] ---[ end Kernel panic - not syncing: VFS ]---
END
store_console session '\x2b' <<'END'
debian login: 
# passed
a 1
FAIL: known
WARNING: at kernel/fork.c:1
[    2.000000] reboot: Restarting system
END
store_console program '\x1f' <<'END'
not ok - /race: exit status 3
not ok - /race: killed by signal 11
ok - /race
END
