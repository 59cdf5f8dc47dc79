#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# From a fresh Debian to two leaders where one should be, in a lab of three guests: installs, builds,
# searches the seed that fails, records it, replays all guests and each alone.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
traces=$out/lab
passes="one leads, two follow"
readonly story='^n[0-9]\| [0-9.]+ s  n[0-9]  ' told=12

usage() {
	cat <<'END_OF_USAGE'
Usage: demo/lab.sh

Installs what is missing, builds ttrec and a User-Mode-Linux 6.12, then looks for
a seed with which three guests elect two leaders, because their network loses frames,
and replays that run ten times, and each guest alone. Traces of runs that failed are
left in build/demo/lab-N.zst. Takes some minutes the first time (the kernel), seconds
after that.

Environment:
  TTREC_KERNEL  use this User-Mode-Linux kernel, build none
END_OF_USAGE
}

find_seed() {
	title "The lab (demo/election.yaml)"
	grep -v '^#' demo/election.yaml
	title "Three guests elect a leader, silence is consent (demo/election.c): which seed elects two?"
	search -f demo/election.yaml
}

# What all guests said in the order of time, and what they said of it in the end.
tell_story() {
	title "What happened in there (ttreplay --console)"
	"$bin/ttreplay" --console "$trace" | tr -d '\r' >"$out/story"
	grep -E "$story" "$out/story" | cut -d ' ' -f 2- | sort -n | awk -v told="$told" -v red="$red" \
		-v plain="$plain" '/too$/ { $0 = red $0 plain } NR <= told; NR == told + 1 { print "..." }'
	sed -nE 's/^n[0-9]\| ((not )?ok 1 )/\1/p' "$out/story"
}

# virtual_time NAME WORDS: when that guest says this first, in seconds.
virtual_time() {
	sed -nE "s/^$1\\| ([0-9.]+) s  $1  $2.*/\\1/p" "$out/story" | head -n 1
}

# The second who leads has not heard of the first: which frame was it that did not arrive? It is the last
# one lost to it before it leads, and without losses the same seed elects one.
name_the_cause() {
	local first second
	title "The frame that was lost (ttdump show --op lost)"
	read -r first second < <(for guest in n1 n2 n3; do
		printf '%s %s\n' "$(virtual_time "$guest" 'hears no objection and leads')" "$guest"
	done | grep -v '^ ' | sort -n | awk '{ printf "%s ", $2 } END { print "" }')
	"$bin/ttdump" show --op lost --guest "$first" --grep "to $second " --color=never \
		--to "$(virtual_time "$second" 'hears no objection and leads')s" "$trace" | tail -n 1
	sed 's/loss: [0-9]*%/loss: 0%/' demo/election.yaml >demo/no-loss.yaml
	printf 'seed %2d  without losses: ' "${failing[0]}"
	if "$bin/ttrec" run --seed "${failing[0]}" --keep on-failure --quiet -o "$traces-no-loss.zst" \
		-f demo/no-loss.yaml >"$traces-no-loss.log" 2>&1; then
		say "$passes"
	else
		sed -n '2{s/^ *why: //; s/ \[[a-z-]*\]$//p}' "$traces-no-loss.log"
	fi
	rm -f demo/no-loss.yaml
}

replay_each() {
	local guest
	title "One guest alone, without the others and without a network (ttreplay --only)"
	for guest in n1 n2 n3; do
		printf '%s  ' "$guest"
		replay_once --only "$guest" "$trace"
	done
}

say_what_is_next() {
	title "Yours"
	cat <<-END_OF_TEXT
		The trace holds the kernels, initrds and libraries of all guests:

		    build/release/bin/ttreplay $trace
		    build/release/bin/ttreplay --only n3 --console $trace
		    build/release/bin/ttdump show --guest n3 $trace
		    build/release/bin/ttdump export html $trace -o build/demo/trace.html

		Repair demo/election.c (most of three is two), run this again, and see whether a seed
		still fails. What a lab can be: docs/ttrec-lab.5
	END_OF_TEXT
}

main() {
	take_no_arguments "$@"
	choose_colours
	prepare
	make_election
	find_seed
	tell_story
	name_the_cause
	replay_all
	replay_each
	say_what_is_next
}

main "$@"
