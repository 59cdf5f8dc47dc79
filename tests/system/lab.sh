#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Several guests, their network and devices: recorded, and replayed together or one alone.
#
#	lab.sh [VERSION]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

version=${1:-6.12}
need_kernel "$version"
pack_guests

# ---- The smallest lab ---------------------------------------------------------------------------------

smallest() {
	local grant
	place_files
	cp "$source_dir/tests/system/labs/smallest.yaml" lab.yaml
	expect 0 ttrec run -f lab.yaml
	says out '3 packets transmitted, 3 packets received, 0% packet loss'
	whole trace.zst
	replays_all 2 trace.zst
	says out '^n1: identical: '
	says out '^n2: identical: '
	replays_all 1 --only n1 trace.zst
	replays_all 1 --only n2 trace.zst
	never_says out 'n1:'
	for grant in each window; do
		expect 0 record_lab --grant "$grant"
		replays_all 2 t.zst
	done
}

# Everything the guests print is in the trace and comes again.
consoles() {
	lab "$(guest 1)" "$(guest 2 say:hello,wait)"
	expect 0 record_lab
	console 0 t.zst >n1
	console 1 t.zst >n2
	says n1 '3 packets received'
	says n2 '^hello'
	never_says n1 '^hello'
	expect 0 ttreplay --console --only n2 t.zst
	says out '^hello'
	never_says out 'packets received'
}

digests() {
	local guest
	lab "$(guest 1 ping:2:100:1,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab --digest 20
	for guest in 0 1; do
		at_least "$(records t.zst digest "$guest")" 40 "digests of guest $guest"
	done
	replays_all 2 t.zst
	never_says out 'not compared'
}

# On one CPU: its number reaches memory through CPUID, and so the digests in the history.
equal_seeds() {
	lab "$(guest 1 ping:2:20:0.1,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab --cpu 0 --seed 7
	mv t.zst first.zst
	expect 0 record_lab --cpu 0 --seed 7
	same_history t.zst first.zst
	expect 0 record_lab --cpu 0 --seed 8
	! cmp -s <(chains t.zst) <(chains first.zst) || fail "another seed, the same history"
	replays_all 2 first.zst
	replays_all 2 t.zst
}

# Where guests run leaves its mark in memory (CPUID), and nowhere else.
two_cpus() {
	(($(nproc) > 1)) || skip "one CPU"
	lab "$(guest 1 ping:2:50:0.01,busy:3:2000:0.001,wait)" "$(guest 2 busy:3:3000:0.002,ping:3:50:0.01,tell:1)" \
		"$(guest 3 busy:20:1000:0.001,ping:1:20:0.1,sleep:5)"
	expect 0 record_lab --digest off --grant window --cpus 1
	mv t.zst first.zst
	expect 0 record_lab --digest off --grant window --cpus 2
	same_history t.zst first.zst
	expect 0 record_lab --digest 20 --grant window --cpus 2
	replays_all 3 t.zst
	replays_all 1 --only n3 t.zst
}

# What the guests see is the same, it takes fewer messages.
windows() {
	lab "$(guest 1 ping:2:50:0.1,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab --grant each
	mv t.zst each.zst
	expect 0 record_lab --grant window
	at_least "$(($(fact messages each.zst) - $(fact messages t.zst)))" 1 "messages saved by the window"
	cmp <(console 0 t.zst | grep -v '^\[') <(console 0 each.zst | grep -v '^\[')
	replays_all 2 each.zst
	replays_all 2 t.zst
}

# ---- The network -----------------------------------------------------------------------------------------

stream() {
	lab "$(guest 1 stream:2:2)" "$(guest 2 sink)"
	expect 0 record_lab
	console 0 t.zst >n1
	console 1 t.zst >n2
	says n1 '^stream: [0-9a-f]{32}'
	[[ $(sed -n 's/^stream: //p' n1) == $(sed -n 's/^sink: //p' n2) ]] || fail "other bytes arrived"
	replays_all 2 t.zst
}

# As many answers as questions, each 200 us and a little later.
delay() {
	local network='networks: [{name: lan, delay: 5ms}]'
	lab "$(guest 1 ping:2:20,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab
	console 0 t.zst >n1
	says n1 '20 packets received'
	says n1 'min/avg/max = 10\.'
	replays_all 2 t.zst
}

loss() {
	local network='networks: [{name: lan, delay: 100us, loss: 0.2}]'
	lab "$(guest 1 ping:2:100:0.1,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab --cpu 0 --seed 3
	console 0 t.zst >n1
	says n1 '100 packets transmitted, [4-8][0-9] packets received'
	mv t.zst first.zst
	expect 0 record_lab --cpu 0 --seed 3
	same_history t.zst first.zst
	at_least "$(records t.zst lost)" 10 "lost frames in the trace"
	replays_all 2 t.zst
}

# A partition, and a link that is slow: frames are lost and late while they last, two CPUs or one.
faults() {
	lab "$(guest 1 ping:2:20:0.5,tell:2)" "$(guest 2 wait)"
	cat >>lab.yaml <<-'END'
		faults:
		  - {at: 2s, for: 3s, partition: n1 | n2}
		  - {at: 6s, for: 2s, link: n1, delay: 30ms}
		  - {at: 1h, for: 2s, partition: n2}
	END
	expect 0 record_lab --cpus 1
	console 0 t.zst >n1
	says n1 '20 packets transmitted, 14 packets received'
	says n1 'min/avg/max = 0\.2[0-9]*/.*/60\.'
	ttdump show --op fault,lost t.zst >shown
	says shown ' 2\.000000000 .* fault +0 begins: "partition n1 | n2"'
	says shown ' 5\.000000000 .* fault +0 ends: "partition n1 | n2"'
	says shown ' 8\.000000000 .* fault +1 ends: "link n1, delay 0\.030 s"'
	never_says shown 'fault +2'
	at_least "$(grep -c 'lost .*partition to n2' shown)" 6 "frames lost by the partition"
	replays_all 2 t.zst
	mv t.zst first.zst
	expect 0 record_lab --cpus 2
	same_history t.zst first.zst
	expect 0 ttrec run -q --rerecord first.zst -o t.zst
	same_history t.zst first.zst
}

# Every interrupt that the guest counted is in the trace.
interrupts() {
	local counted found
	lab "$(guest 1 flood:2:1000,interrupts,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab
	console 0 t.zst >n1
	says n1 '1000 packets received'
	counted=$(awk '/^ *[0-9]+: .* virtio/ { sum += $2 } END { print sum + 0 }' n1)
	found=$(records t.zst call 0)
	at_least "$counted" 1000 "interrupts that the guest counted"
	# A few more come after it looked.
	((found >= counted && found <= counted + 50)) || fail "$counted interrupts, $found calls in the trace"
	replays_all 2 t.zst
}

# A router between two networks, which has two cards.
two_networks() {
	local network='networks: [{name: west, delay: 100us}, {name: east, delay: 1ms}]'
	lab "$(guest 1 ping:2:5,tell:2 'devices: [{net: west}]')" \
		"$(guest 2 wait 'devices: [{net: west}, {net: east}]')" \
		"$(guest 3 sleep:1 'devices: [{net: east}]')"
	expect 0 record_lab
	console 0 t.zst >n1
	says n1 '5 packets received'
	replays_all 3 t.zst
}

# A network with nobody else, a guest with no device, one that goes early.
loners() {
	lab "$(guest 1 ping:9:2:0.1 )" "$(guest 2 tick:5:0.1 'devices: []')" "$(guest 3 off)"
	expect 0 record_lab
	console 0 t.zst >n1
	says n1 '2 packets transmitted, 0 packets received'
	replays_all 3 t.zst
	replays_all 1 --only n2 t.zst
}

sixteen() {
	local i
	local -a guests=()
	for ((i = 1; i <= 16; i++)); do
		guests+=("$(guest "$i" "ping:$((i % 16 + 1)):5:1,sleep:10")")
	done
	lab "${guests[@]}"
	expect 0 record_lab
	for ((i = 0; i < 16; i++)); do
		console "$i" t.zst >"n$i"
		says "n$i" '5 packets received'
	done
	replays_all 16 t.zst
	replays_all 1 --only n16 t.zst
}

# ---- Devices ----------------------------------------------------------------------------------------------

disk() {
	local before
	head -c 8M /dev/urandom >disk.img
	before=$(md5sum <disk.img)
	lab "$(guest 1 sum:vda,disk:vda:4,sum:vda 'devices: [{disk: ./disk.img}]')"
	expect 0 record_lab
	console 0 t.zst >n1
	says n1 "^sum vda: 16384 sectors, $before"
	says n1 '^disk vda: 4 MiB as written'
	[[ $(grep -c '^sum vda' n1) == 2 && $(grep '^sum vda' n1 | sort -u | wc -l) == 2 ]]
	[[ $(md5sum <disk.img) == "$before" ]] || fail "the image was written to"
	# The disk is not needed any more.
	rm disk.img
	replays_all 1 t.zst
}

read_only_disk() {
	head -c 1M /dev/urandom >disk.img
	lab "$(guest 1 refused:vda,sum:vda 'devices: [{disk: ./disk.img, read-only: true}]')"
	expect 0 record_lab
	console 0 t.zst >n1
	says n1 '^refused vda: yes'
	says n1 "^sum vda: 2048 sectors, $(md5sum <disk.img)"
	replays_all 1 t.zst
}

# A request takes its time, in virtual time.
slow_disk() {
	head -c 1M /dev/urandom >disk.img
	lab "$(guest 1 sum:vda,uptime 'devices: [{disk: ./disk.img, latency: 1s}]')"
	expect 0 record_lab
	console 0 t.zst >n1
	at_least "$(sed -nE 's/^uptime: ([0-9]+).*/\1/p' n1)" 2 "seconds for slow requests"
	replays_all 1 t.zst
}

# uptime_of CONSOLE: in ms.
uptime_of() {
	sed -nE 's/^uptime: ([0-9]+)\.([0-9]{2}).*/\1\2/p' "$1" | sed -E 's/^0*(.)/\1/; s/$/0/'
}

# What the file does not say takes the time of a drive, and none only if it says so.
usual_disk() {
	local none usual
	lab "$(guest 1 sum:vda,uptime 'devices: [{disk: null, size: 64M, latency: 0}]')"
	expect 0 record_lab
	console 0 t.zst >n1
	none=$(uptime_of n1)
	lab "$(guest 1 sum:vda,uptime 'devices: [{disk: null, size: 64M}]')"
	expect 0 record_lab
	console 0 t.zst >n1
	usual=$(uptime_of n1)
	# A request is for 224 KiB at the most, so these are at least 293 requests of 100 us.
	(((usual - none) >= 20 && (usual - none) <= 2000)) ||
		fail "reading 64 MiB took $((usual - none)) ms longer than from a disk without latency"
	replays_all 1 t.zst
	says <(ttdump show t.zst) 'disk-model=1'
}

random() {
	lab "$(guest 1 rng:64 'devices: [rng]')" "$(guest 2 rng:64 'devices: [rng]')"
	expect 0 record_lab --cpu 0
	console 0 t.zst >n1
	console 1 t.zst >n2
	says n1 '^rng 64: [0-9a-f]{32}'
	says n2 '^rng 64: [0-9a-f]{32}'
	! cmp -s <(grep '^rng' n1) <(grep '^rng' n2) || fail "two guests with the same random bytes"
	mv t.zst first.zst
	expect 0 record_lab --cpu 0
	same_history t.zst first.zst
	replays_all 2 t.zst
}

# shellcheck disable=SC2016 # not for us
typed() {
	lab "$(guest 1 console:hvc0 'devices: [{console: ["at 2s send \"hello\\n\"", "expect /you said: hello/ then send \"end\\n\""]}]')"
	expect 0 record_lab
	console 0 t.zst >n1
	says n1 '^console: hello'
	says n1 '^console: end'
	replays_all 1 t.zst
}

everything() {
	local all='devices: [{net: lan}, {disk: ./disk.img}, rng, {console: ["at 1s send \"end\\n\""]}]'
	head -c 1M /dev/urandom >disk.img
	lab "$(guest 1 rng:16,sum:vda,console:hvc0,ping:2:5:0.1,tell:2 "$all")" \
		"$(guest 2 sum:vda,rng:16,console:hvc0,wait "$all")"
	expect 0 record_lab --digest 20
	replays_all 2 t.zst
	replays_all 1 --only n1 t.zst
}

# ---- How it is judged ---------------------------------------------------------------------------------------

one_fails() {
	lab "$(guest 1 'say:notok,sleep:1')" "$(guest 2 tick:5:0.1)"
	expect 1 record_lab --fail-on '^notok'
	failed_by console-line notok
	says err 'n1'
	replays_all 2 t.zst
}

# A kernel that finds no init panics; the others go with it.
one_panics() {
	lab "$(guest 1 tick:20:0.1)" '  - {name: n2, kernel: ./linux, memory: 64M, append: node=2, devices: [{net: lan}]}'
	expect 1 record_lab
	failed_by console-line 'Kernel panic'
	says err 'n2'
	whole t.zst
	replays_all 2 t.zst
}

expectations() {
	lab "$(guest 1 tick:3:0.1 'expect: "^tick 3"')" "$(guest 2 tick:2:0.1 'expect: "^tick 2"')"
	expect 0 record_lab
	lab "$(guest 1 tick:3:0.1 'expect: "^tick 3"')" "$(guest 2 tick:2:0.1 'expect: "^tick 3"')"
	expect 1 record_lab
	failed_by line-missing 'n2 .*\^tick 3'
}

limits() {
	lab "$(guest 1 tick:1000:1)" "$(guest 2 tick:1000:1)"
	expect 1 record_lab --limit-virtual 3s
	failed_by limit-virtual ' 3\.0* s'
	replays_all 2 t.zst
	echo 'limits: {virtual: 2s}' >>lab.yaml
	expect 1 record_lab
	failed_by limit-virtual ' 2\.0* s'
}

spinning() {
	lab "$(guest 1 busy:1:2000000000:0)" "$(guest 2 tick:3:0.1)"
	expect 5 record_lab --hang-timeout 2s
	says err 'n1'
	replays_all 2 t.zst
}

who_diverged() {
	local record
	lab "$(guest 1 tick:20:0.1)" "$(guest 2 tick:20:0.1)"
	expect 0 record_lab --digest every
	record=$(ttdump show --json t.zst | python3 -c '
import json, sys
mine = [r for r in map(json.loads, sys.stdin) if r.get("guest") == 1]
digests = [i for i, r in enumerate(mine) if r["kind"] == "digest"]
print(next(r["number"] for r in mine[digests[len(digests) // 2]:] if r["kind"] != "digest"))')
	expect 1 ttreplay --flip-bit "$record:0:0x1000000:3" --only n2 t.zst
	says out '^DIVERGED at record [0-9,]+, guest n2'
	expect 1 ttreplay --flip-bit "$record:0:0x1000000:3" t.zst
	says out '^n1: identical: '
	says out '^DIVERGED at record [0-9,]+, guest n2'
}

no_such_guest() {
	lab "$(guest 1 off)"
	expect 0 record_lab
	expect 2 ttreplay --only n9 t.zst
	says err "n9"
	says err "n1"
}

ordinary_user() {
	local -a run_by=(as_user)
	as_user unshare -U true 2>/dev/null || skip "user namespaces are refused here"
	publish_commands
	lab "$(guest 1 ping:2:5,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab
	never_says err 'not isolated'
	expect 0 as_user ttreplay t.zst
	[[ $(grep -c ': identical: ' out) == 2 ]]
}

# ---- All ---------------------------------------------------------------------------------------------------

proves "$version: the smallest lab records, replays, and each guest alone" smallest
proves "$version: memory is the same at every digest" digests
proves "$version: frames carry what was sent" stream
proves "$version: every device at once" everything
proves "$version: every interrupt is in the trace" interrupts
if [[ $version == 6.12 ]]; then
	proves "consoles are the guests' own" consoles
	proves "equal seeds give equal labs" equal_seeds
	proves "two CPUs give the same trace as one" two_cpus
	proves "windows save messages and change nothing" windows
	proves "a network's delay is what a ping takes" delay
	proves "frames are lost by the seed" loss
	proves "a partition and a slow link hold for their time" faults
	proves "a guest may be on two networks" two_networks
	proves "guests may be alone, without devices, or go early" loners
	proves "sixteen guests" sixteen
	proves "a disk is read and written, its image is not" disk
	proves "a disk can be read-only" read_only_disk
	proves "a disk takes its time" slow_disk
	proves "a disk has the latency of a drive unless it is switched off" usual_disk
	proves "random bytes come from the seed" random
	proves "a script types at a console" typed
	proves "what one guest says fails the lab" one_fails
	proves "a panic of one guest ends the lab, all of it replays" one_panics
	proves "a guest is held to what is expected of it" expectations
	proves "a lab has limits" limits
	proves "a guest that spins is named" spinning
	proves "the guest that differs is named" who_diverged
	proves "a guest that is not there is named" no_such_guest
	proves "an ordinary user records and replays a lab" ordinary_user
fi
finish
