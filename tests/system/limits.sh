#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# How much a replay takes is the choice of who replays, not of the trace.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12
rogue=$bin/rogue_kernel

# rogue_trace MEMORY ACTION...: what it does, into t.zst.
rogue_trace() {
	"$bin/ttrec" run -q -o t.zst --limit-wall 20s "$rogue" "mem=$1" "does=$(actions "${@:2}")" >/dev/null 2>&1 || :
	[[ -s t.zst ]] || fail "no trace was recorded"
}

asks_for_too_much() {
	rogue_trace 16T connect start ticks:1 exit:0
	expect 4 ttreplay t.zst
	says err 'n1 may take 32\.0 TiB of memory, and the replay '
	says err '\-\-max-memory'
}

less_is_allowed() {
	rogue_trace 64M connect start ticks:1 exit:0
	replays_identical t.zst
	replays_identical --max-memory 1G t.zst
	expect 4 ttreplay --max-memory 100M t.zst
	says err 'n1 may take 256\.0 MiB of memory, and the replay 100\.0 MiB'
	expect 2 ttreplay --max-memory much t.zst
	says err "invalid --max-memory 'much'"
}

takes_too_long() {
	rogue_trace 64M connect start sleep:4000 ticks:1 exit:0
	expect 4 ttreplay --max-wall 1s t.zst
	says err 'the limit of 1\.000 s of wall time was reached'
}

proves "a trace that asks for 16 TiB is refused" asks_for_too_much
proves "who replays chooses how much memory that may take" less_is_allowed
proves "who replays chooses how long that may take" takes_too_long
finish
