#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# From a fresh Debian to a race that fails the same way every time: installs, builds, searches the
# seed that fails, records it, replays it. What is there already is not done again.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
traces=$out/seed
passes="every deposit is there"
readonly story='^[0-9.]+ s  (ada|ben)  |^(not )?ok 1 '

usage() {
	cat <<'END_OF_USAGE'
Usage: demo/run.sh

Installs what is missing, builds ttrec and a User-Mode-Linux 6.12, then looks for
a seed with which a guest program loses money, and replays that run ten times.
Traces of runs that failed are left in build/demo/seed-N.zst. Takes some minutes the first
time (the kernel), seconds after that.

Environment:
  TTREC_KERNEL  use this User-Mode-Linux kernel, build none
END_OF_USAGE
}

make_program() {
	quietly "$out/program.log" gcc -O2 -Wall -o "$out/bank" demo/bank.c
}

find_seed() {
	title "Two tellers, one account, no lock (demo/bank.c): which seed loses money?"
	search --kernel "$kernel" "$out/bank"
}

# Two lines in a row that read the same balance: the second overwrote the first.
mark_lost() {
	awk -v red="$red" -v plain="$plain" '
		$4 == "read" && $5 == last { print red $0 "   <- so did the other: a deposit is lost" plain; next }
		{ last = $5; print }'
}

tell_story() {
	title "What happened in there (ttreplay --console)"
	"$bin/ttreplay" --console "$trace" | tr -d '\r' | grep -E "$story" | mark_lost
}

say_what_is_next() {
	title "Yours"
	cat <<-END_OF_TEXT
		The trace holds kernel, initrd and libraries; take it to another machine and replay it:

		    build/release/bin/ttreplay $trace
		    build/release/bin/ttdump stat $trace
		    build/release/bin/ttdump show $trace
		    build/release/bin/ttdump export html $trace -o build/demo/trace.html

		Repair demo/bank.c, run this again, and see whether a seed still fails.
		Three guests on a network that loses frames: demo/lab.sh
		What to do with it, step by step: man -l docs/ttrec-tutorial.7
		What else there is: README.md, docs/architecture.md
	END_OF_TEXT
}

main() {
	take_no_arguments "$@"
	choose_colours
	prepare
	make_program
	find_seed
	tell_story
	replay_all
	say_what_is_next
}

main "$@"
