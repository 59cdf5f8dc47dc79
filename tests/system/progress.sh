#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Whatever a guest does or leaves undone, a recording goes on or ends, and hears signals and limits.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
pack_guests
rogue=$bin/rogue_kernel patience=30

# rogue_guest NODE ACTION...: a line of a lab file.
device='{net: lan}'
rogue_guest() {
	printf '  - {name: n%s, kernel: "%s", initrd: ./initrd.gz, memory: 64M, append: "does=%s", devices: [%s]}\n' \
		"$1" "$rogue" "$(actions "${@:2}")" "$device"
}

# Even one that is deaf to SIGTERM ends.
ttrec() {
	timeout -s KILL "$patience" "$bin/ttrec" "$@"
}

# within SECONDS STATUS COMMAND...: it ends with that status in that time.
within() {
	local begin=$EPOCHREALTIME
	expect "$2" "${@:3}"
	python3 -c "import sys; sys.exit($EPOCHREALTIME - $begin > $1)" || fail "took more than $1 s: ${*:3}"
}

# ---- Guests that end, or say nothing, before START ------------------------------------------------------

# The other one sends to it, and powers off.
others_go_on() {
	network="networks: [{name: lan, delay: $1}]"
	lab "$(rogue_guest 1 "${@:2}")" "$(guest 2 say:here,ping:1:1,off)"
	within 10 1 record_lab --limit-wall 9s
	failed_by guest-status 'n1 .* 3 '
	says <(console 1 t.zst) '^here'
	replays_all 1 --only n2 t.zst
}

hangs() {
	lab "$(rogue_guest 1 "$@")" "$(guest 2 sleep:1,off)"
	within 10 5 record_lab --hang-timeout 1s
	failed_by no-progress 'n1 .* 1.000 s'
}

hangs_alone() {
	within 10 5 ttrec run -q --hang-timeout 1s -o t.zst "$rogue" "does=$(actions "$@")"
	failed_by no-progress 'n1 .* 1.000 s'
}

# ---- Signals and limits --------------------------------------------------------------------------------------

# stopped_in MS COMMAND...: SIGTERM after that time ends it.
stopped_in() {
	local ms=$1
	shift
	within 4 143 survivors -k "15:$ms" "$@"
}

stopped_while_others_wait() {
	lab "$(rogue_guest 1 exit:3)" "$(guest 2 ping:1:100000:0.01,off)"
	stopped_in 1500 "$bin/ttrec" run -q -f lab.yaml -o t.zst
	whole t.zst
}

limited_while_others_wait() {
	lab "$(rogue_guest 1 exit:3)" "$(guest 2 ping:1:100000:0.01,off)"
	within 6 1 record_lab --limit-wall 2s
	says err 'the limit of 2.000 s of wall time was reached'
}

# A file that does not come: nothing of the recording has begun.
stopped_while_files_are_opened() {
	mkfifo kernel
	within 12 143 survivors -k 15:300 "$bin/ttrec" run -q -o t.zst "$PWD/kernel"
	says err 'SIGTERM not handled for 5 s'
	within 12 1 ttrec run -q --limit-wall 1s -o t.zst "$PWD/kernel"
	says err 'the limit of 1.000 s of wall time was reached, and not handled'
	[[ ! -s t.zst ]] || fail "a trace was left behind"
}

# ---- Memory that takes long to be found ------------------------------------------------------------------

many_mappings() {
	within 10 1 ttrec run -q -o t.zst "$rogue" mem=64M does=connect,start,maps:65000,files:900,wait
	says err 'all clients sleep forever'
	within 10 0 ttreplay t.zst
}

# ---- More console than is kept --------------------------------------------------------------------------

# costs SECONDS MIB COMMAND...: it stays below both.
costs() {
	local seconds bytes
	"$bin/bench_peak" cost "${@:3}" >/dev/null 2>err || :
	read -r seconds bytes <cost
	at_least "$2" $((bytes >> 20)) "MiB that may be used"
	at_least "$1" "${seconds%.*}" "seconds that may be taken"
}

flood() {
	costs 20 200 "$bin/ttrec" run -q -o t.zst "$rogue" mem=64M does=connect,start,print:2000,wait
	failed_by no-progress 'n1 printed more than 64.0 MiB'
	whole t.zst
	replays_identical t.zst
}

# What is printed between messages may be as much as it likes.
much_console() {
	expect 1 ttrec run -q -o t.zst "$rogue" mem=64M \
		does=connect,start,print:40,ticks:1,print:40,ticks:1,wait
	says err 'all clients sleep forever'
	replays_identical t.zst
}

# ---- More of a device than is kept ----------------------------------------------------------------------

# Frames wait for the end of a window, which does not come: no virtual time passes.
frames_without_end() {
	lab "$(rogue_guest 1 connect start attach frames:1000)" "$(guest 2 sleep:1,off)"
	costs 20 400 "$bin/ttrec" run -q -f lab.yaml -o t.zst
	failed_by no-progress 'n1 keeps sending: .* 256.0 MiB'
	whole t.zst
}

# On a network without a delay there are no windows: what a guest cannot take is lost, and of what it can take so much is kept.
frames_at_once() {
	network='networks: [{name: lan, delay: 0}]'
	lab "$(rogue_guest 1 connect start attach frames:8)" "$(guest 2 sleep:1,off)"
	costs 20 400 "$bin/ttrec" run -q -f lab.yaml -o t.zst
	whole t.zst
}

# Of one window, which does not end.
records_without_end() {
	local device='{console: null}' network=
	lab "$(rogue_guest 1 connect start attach output:1000)" "$(guest 2 sleep:1,off '')"
	costs 60 1500 "$bin/ttrec" run -q -f lab.yaml -o t.zst
	failed_by trace-not-written '1 GiB'
	whole t.zst
}

# It sends messages all the time, and asks for nothing: limits and signals end it.
kicks_without_end() {
	lab "$(rogue_guest 1 connect start attach kick:0)" "$(guest 2 sleep:1,off)"
	within 6 1 record_lab --limit-wall 2s
	failed_by limit-wall ' 2.000 s'
	replays_identical t.zst
	stopped_in 1500 "$bin/ttrec" run -q -f lab.yaml -o t.zst
	whole t.zst
}

proves "a guest that ends before START does not hold up others" others_go_on 100us exit:3
proves "the same where they share a partition" others_go_on 0 exit:3
proves "the same after it connected" others_go_on 100us connect,exit:3
proves "the same where they share a partition, after it connected" others_go_on 0 connect,exit:3
proves "a guest that connects and says nothing is found out" hangs connect pause
proves "a guest that leaves without ending is found out" hangs connect leave pause
proves "the same alone" hangs_alone connect leave pause
proves "SIGTERM is heard while guests wait for one that has ended" stopped_while_others_wait
proves "a limit is seen while guests wait for one that has ended" limited_while_others_wait
proves "SIGTERM and limits are seen while files are opened" stopped_while_files_are_opened
proves "65,000 mappings and 900 files do not stall the search for memory" many_mappings
proves "a flood of the console ends with a reason, and takes no memory" flood
proves "a guest that sends frames without end at one instant is named, and takes no more memory" frames_without_end
proves "on a network without a delay it takes no more than what is kept for a guest" frames_at_once
proves "records of a window without an end have a limit with a name" records_without_end
proves "a guest that kicks without end at one instant hears limits and signals" kicks_without_end
proves "80 MiB of console with messages in between are recorded and replayed" much_console
finish
