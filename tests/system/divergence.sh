#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A replay that differs says so, where, and what to do next.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flip_lib.sh"

ram_named() {
	local record
	record=$(record_after_digests 20)
	expect 1 ttreplay --flip-bit "$record:0:0x1000000:3" "$trace"
	says out '^DIVERGED at record [0-9,]+, guest n1, t=0\.[0-9]{9} s: expected the recorded memory, got other memory$'
	says out 'memory first differs in the digest at record [0-9,]+, .*: ram, page 4096 '
	says out '^next: ttdump show '
	# The flip came after this record, and the very next digest found it.
	[[ $(sed -nE 's/^DIVERGED at record ([0-9]+).*/\1/p' out) -lt $(record_after_digests 21) ]]
}

symbol_named() {
	local address
	address=$(symbol_address __log_buf)
	[[ -n $address ]] || skip "the kernel has no symbols"
	expect 1 ttreplay --flip-bit "$(record_after_digests 20):1:$(printf %#x $((address + 8192))):0" "$trace"
	says out '^DIVERGED at record [0-9,]+, guest n1'
	says out ': data\+bss, .*__log_buf\+0x'
}

every_bit() {
	local bit
	for bit in 0 1 2 3 4 5 6 7; do
		expect 1 ttreplay --flip-bit "$(record_after_digests 3):0:$((0x1800fff)):$bit" "$trace"
		says out ': ram, page 6144 '
	done
}

next_command() {
	expect 1 ttreplay --flip-bit "$(record_after_digests 20):0:0x1000000:3" "$trace"
	local -a next
	read -ra next < <(sed -n 's/^next: //p' out)
	local record
	record=$(sed -nE 's/^DIVERGED at record ([0-9]+).*/\1/p' out)
	expect 0 "${next[@]}"
	says out "^# *$record |^ *$record "
}

no_flip_no_success() {
	expect 2 ttreplay --flip-bit 9999999:0:0x1000000:3 "$trace"
	expect 2 ttreplay --flip-bit 1:0:0x1000000:3 "$trace"
	expect 2 ttreplay --flip-bit "$(record_after_digests 3):0:0x100000000:3" "$trace"
	expect 2 ttreplay --flip-bit "$(record_after_digests 3):0:0x1000:8" "$trace"
}

keeps_going() {
	expect 1 ttreplay --keep-going --json --flip-bit "$(record_after_digests 20):0:0x1000000:3" "$trace"
	python3 - <<-'END'
		import json
		verdict = json.load(open("out"))
		assert verdict["verdict"] == "diverged" and verdict["status"] == 1, verdict
		assert verdict["memory"]["region"] == "ram", verdict
		assert verdict["memory"]["address"] == 0x1000000, verdict
		assert verdict["divergences"] > 1, verdict
	END
	[[ $(python3 -c 'import json; print(json.load(open("out"))["messages"])') == "$(fact messages "$trace")" ]]
}

stops_on_demand() {
	expect 0 ttreplay --until 500 "$trace"
	says out '^identical up to where it was stopped: '
	says out 'stopped before record 500'
	expect 0 ttreplay --until 0.05s "$trace"
	says out '^identical up to where it was stopped: '
}

json_verdict() {
	expect 0 ttreplay --json "$trace"
	empty err
	python3 - "$(fact messages "$trace")" "$(fact digests "$trace")" <<-'END'
		import json, sys
		verdict = json.load(open("out"))
		assert verdict["verdict"] == "identical" and verdict["status"] == 0, verdict
		assert verdict["complete"] is True, verdict
		assert [verdict["messages"], verdict["digests"]] == list(map(int, sys.argv[1:])), verdict
	END
}

console_shown() {
	expect 0 ttreplay "$trace"
	never_says out '^tick'
	expect 0 ttreplay --console "$trace"
	says out '^tick 30'
}

proves "one flipped bit of guest RAM is found at the next digest, and its page named" ram_named
proves "one flipped bit of kernel data is found and its symbol named" symbol_named
proves "each bit of a byte counts" every_bit
proves "the command the verdict proposes shows the place" next_command
proves "a bit that cannot be flipped is an error, not an identical replay" no_flip_no_success
proves "a replay can go on after a difference and count them" keeps_going
proves "a replay can stop early, and says so" stops_on_demand
proves "the verdict as JSON" json_verdict
proves "the replayed console is shown on demand" console_shown
finish
