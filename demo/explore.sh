#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# From a fresh Debian to what is wrong with an election: installs, builds, and lets ttrec explore find it.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
found=$out/found

usage() {
	cat <<'END_OF_USAGE'
Usage: demo/explore.sh

Installs what is missing, builds ttrec and a User-Mode-Linux 6.12, then runs a lab of
three guests, which elect a leader on a network that loses frames, with 100 seeds:
each kind of failure that they have is kept in build/demo/found. Takes some minutes the
first time (the kernel), about one after that.

Environment:
  TTREC_KERNEL  use this User-Mode-Linux kernel, build none
END_OF_USAGE
}

search_seeds() {
	local status=0
	title "Three guests elect a leader (demo/election.c), 100 times (ttrec explore)"
	rm -rf "$found"
	"$bin/ttrec" explore -f demo/election.yaml --runs 100 -o "$found" || status=$?
	((status == 1)) || die "nothing was found (status $status): is the guest's program fixed?"
	trace=$(echo "$found"/*/trace.zst | cut -d ' ' -f 1)
}

# The guests that lead, and those that hear of a second leader, in the order of time.
tell_story() {
	title "What happened in one of them (ttreplay --console)"
	"$bin/ttreplay" --console "$trace" | tr -d '\r' | grep -E '^n[0-9]\| [0-9.]+ s  n[0-9]  ' |
		cut -d ' ' -f 2- | sort -n | grep -E ' leads|follows' | awk 'NR <= 10'
}

say_what_is_next() {
	title "Yours"
	cat <<-END_OF_TEXT
		Each directory has a trace, the lab file with its seed, and a page for a browser:

		    build/release/bin/ttreplay $trace
		    build/release/bin/ttrec run -f ${trace%/*}/lab.yaml
		    ${trace%/*}/report.html

		Explore a lab or a program of your own: ttrec explore -f lab.yaml, ttrec explore ./program
	END_OF_TEXT
}

main() {
	take_no_arguments "$@"
	choose_colours
	prepare
	make_election
	search_seeds
	tell_story
	replay_all
	say_what_is_next
}

main "$@"
