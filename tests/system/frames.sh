#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Frames of real labs: who sent each, and when, is known, and Wireshark sees what was on the wire.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
pack_guests

# agrees TRACE FRAMES LEFT: at least so many frames; at most so many were for a guest that had ended.
agrees() {
	need_tshark
	expect 0 "$source_dir/tests/format/ttdump/pcapng_compare.py" "$bin/ttdump" "$dissector" "$1" "$3"
	at_least "$(sed -n 's/.* and \([0-9]*\) frames agree/\1/p' out)" "$2" "frames"
}

# With a delay that never changes it is said once for each pair of cards.
steady() {
	lab "$(guest 1 ping:2:20:1,tell:2,off)" "$(guest 2)"
	expect 0 record_lab
	agrees t.zst 40 1
	((2 == $(records t.zst sent))) || fail "$(records t.zst sent) sent records, expected 2"
	replays_all 2 t.zst
}

# Two networks, and nothing about them is steady; whoever is done leaves.
unsteady_lab() {
	local network='networks:
  - {name: lan, delay: 100us, jitter: 300us, loss: 0.2, reorder: 0.3, bandwidth: 1Mbit}
  - {name: far, delay: 5ms, jitter: 1ms}'
	local both='devices: [{net: lan}, {net: far}]'
	lab "$(guest 1 ping:2:20:1,wait "$both")" "$(guest 2)" "$(guest 3 wait "$both")"
}

# record_unsteady [OPTION]...: until the time is over.
record_unsteady() {
	expect 1 record_lab --limit-virtual 15s "$@"
	says err 'the limit of 15.0* s of virtual time was reached'
}

unsteady() {
	unsteady_lab
	record_unsteady
	agrees t.zst 40 8
	replays_all 3 t.zst
}

# The same whatever the number of CPUs.
windows() {
	local cpus
	unsteady_lab
	for cpus in 1 2; do
		record_unsteady --grant window --cpus "$cpus" --digest off
		agrees t.zst 40 8
		ttdump show --json t.zst | grep '"kind":"\(sent\|lost\|used\)"' >"frames$cpus"
	done
	cmp frames1 frames2
}

# A broadcast that only some have got: in the trace, in the numbers, and in what Wireshark is told.
lost_to_some() {
	local network='networks: [{name: lan, delay: 100us, loss: 0.2}]' lost
	lab "$(guest 1 ping:9:40:1,wait)" "$(guest 2 wait)" "$(guest 3 wait)"
	expect 1 record_lab --limit-virtual 50s
	ttdump show --op lost t.zst >lost
	says lost 'n1 -- lost +lan by the link to n[23] ARP'
	lost=$(grep -c ' lost ' lost)
	ttdump stat --json t.zst >stat.json
	says stat.json "\"lost_by_link\":$lost"
	ttdump export pcapng t.zst -o t.pcapng
	grep -aoE 'from n1 to [^;]*; record' t.pcapng >packets
	says packets 'n[23] \(100us\)'
	says packets '\(100us\).*lost: by the link|lost: by the link.*\(100us\)'
	replays_all 3 t.zst
}

proves "a broadcast that some did not get is lost to each of them" lost_to_some
proves "with a steady network a sender is said once" steady
proves "with jitter, loss and broadcasts all frames have their sender" unsteady
proves "senders are the same in windows, on one CPU and on two" windows
finish
