#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Device programs of somebody else: recorded, and replayed without them.
#
#	program.sh [VERSION]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

version=${1:-6.12}
need_kernel "$version"
pack_guests

# one_guest PROGRAM [ACTIONS]: a lab of one guest with a source of random bytes; PROGRAM is options
# of the program.
one_guest() {
	local network="programs: [{name: dice, command: 'vhost_program rng {socket} $1', id: 4${timed:+, timed: true}}]"
	lab "$(guest 1 "${2:-rng:64,rng:100,interrupts}" 'devices: [{program: dice}]')"
}

# two_guests PROGRAM: guest 1 pings guest 2 over a hub.
two_guests() {
	local network="programs: [{name: hub, command: 'vhost_program net {socket} $1', id: 1${timed:+, timed: true}}]"
	lab "$(guest 1 '' 'devices: [{program: hub}]')" "$(guest 2 '' 'devices: [{program: hub}]')"
}

# What the guest got is other bytes each time, but the same in a replay.
random_bytes() {
	one_guest ''
	expect 0 record_lab --digest 20
	console 0 t.zst | sed -n 's/^rng 64: //p' >bytes
	expect 0 record_lab --digest 20
	! cmp -s bytes <(console 0 t.zst | sed -n 's/^rng 64: //p') || fail "the same bytes twice"
	at_least "$(records t.zst call 0)" 100 "interrupts in the trace"
	expect 0 ttreplay t.zst
	says out '^identical: '
	never_says out 'not compared'
}

in_time() {
	local timed=1 policy
	one_guest '--time {time} --delay 1000000'
	for policy in each window; do
		expect 0 record_lab --digest 20 --grant "$policy"
		expect 0 ttreplay t.zst
		says out '^identical: '
	done
}

# Each answer takes twice the program's delay of virtual time.
network_in_time() {
	local timed=1 policy
	two_guests '--time {time} --delay 5000000'
	for policy in each window; do
		expect 0 record_lab --digest 20 --grant "$policy"
		console 0 t.zst >n1
		says n1 '3 packets received'
		says n1 'min/avg/max = 10\.'
		replays_all 2 t.zst
		replays_all 1 --only n2 t.zst
	done
	# What a guest sent is recorded, whether or not it was received.
	ttdump show --guest n1 --op taken t.zst >sent
	says sent 'taken .* ICMP echo request'
	at_least "$(grep -c 'ICMP echo request' sent)" 3 "requests"
}

network_at_once() {
	two_guests ''
	expect 0 record_lab
	console 0 t.zst >n1
	says n1 '3 packets received'
	replays_all 2 t.zst
}

# The hub interrupts one guest by this machine's clock, while the other sends: neither waits for the other.
network_by_the_clock() {
	two_guests '--wall 2000000'
	expect 0 record_lab --hang-timeout 5s --limit-wall 50s
	never_says err 'lost a device'
	# It also writes to the memory of guests that run.
	says err 'a replay may diverge'
}

runs_already() {
	local server
	vhost_program rng "$PWD/dice" &
	server=$!
	network='programs: [{name: dice, socket: dice, id: 4}]' \
		lab "$(guest 1 rng:64 'devices: [{program: dice}]')"
	wait_for 10 test -S dice
	expect 0 record_lab
	kill "$server"
	expect 0 ttreplay t.zst
	says out '^identical: '
}

refused() {
	one_guest '--fault eventfd'
	expect 4 record_lab
	says err 'the program dice has no in-band notifications'
	says err '--allow program'
}

allowed() {
	one_guest '--fault eventfd' say:on
	expect 0 record_lab --allow program
	console 0 t.zst >n1
	says n1 '^on'
	! ttreplay t.zst >out 2>&1 || fail "it was replayed"
	says out 'cannot be replayed: the program dice has no in-band notifications'
}

# fault KIND WHY: the device is lost, the guest goes on, and all of it can be replayed.
fault() {
	one_guest "--fault $1 --at 20" rng:64,say:on
	expect 5 record_lab --hang-timeout 2s
	says err "n1 lost a device, dice \\(device 0\\): $2"
	console 0 t.zst >n1
	says n1 '^on'
}

fault_replayed() {
	fault "$@"
	expect 0 ttreplay t.zst
	says out '^identical: '
}

no_socket() {
	network='programs: [{name: dice, command: "exit 7 #{socket}", id: 4}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 4 record_lab
	says err 'the program dice \(line 1\) ended with exit status 7'
}

not_in_time() {
	local timed=1
	network='programs: [{name: dice, command: "exit 7 #{socket}{time}", id: 4, timed: true}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 4 record_lab
	says err 'the program dice ended with exit status 7 before it connected to its time socket'
}

not_found() {
	network='programs: [{name: dice, command: "exec no-such-program {socket}", id: 4}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 4 record_lab
	says err 'the program dice \(line 1\) ended with exit status 127'
	says err '^  hint: sh\(1\) has not found its command: install it, or give its path'
	network='programs: [{name: dice, command: "exec no-such-program {socket} {time}", id: 4, timed: true}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 4 record_lab
	says err '^  hint: sh\(1\) has not found its command: install it, or give its path'
}

# It never takes part in time, although it is to.
never_in_time() {
	network='programs: [{name: dice, command: "vhost_program rng {socket} #{time}", id: 4, timed: true}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 5 record_lab --hang-timeout 1s
	says err 'the program dice has not connected to its time socket'
	says err '^  hint: .*\{time\}'
}

# The guest's kernel has no driver for such a device; all the same it runs and can be replayed.
no_driver() {
	network='programs: [{name: dice, command: "vhost_program rng {socket}", id: 42}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 0 record_lab
	says err '^  device: n1 has no driver for its device 0, program dice \(virtio id 42\)'
	says err '^  hint: .*driver'
	expect 0 record_lab --json
	python3 -c 'import json; assert [f["code"] for f in json.load(open("out"))["findings"]] == ["device-unused"]'
	expect 0 ttreplay t.zst
	one_guest ''
	expect 0 record_lab
	never_says err 'driver'
}

# It answers a moment of this machine's time later.
untimed_medium() {
	network="programs: [{name: dice, command: 'vhost_program rng {socket} --wall 100000', id: 4}]" \
		lab "$(guest 1 tick:300:0.001 'devices: [{program: dice}]')"
	expect 0 record_lab
	says err '^  device: the program dice is not timed and has interrupted guests by the clock of this machine, [0-9,]+ times?'
	says err "^  hint: .*'timed: true'"
	network='programs: [{name: air, command: "vhost_program rng {socket}", id: 29}]' \
		lab "$(guest 1 say:on 'devices: [{program: air}]')"
	expect 0 record_lab
	says err "warning: .*the program 'air' \(line 1\) is the medium of radios and not timed"
}

# Whatever happens, the program does not outlive the lab.
ended() {
	network='programs: [{name: dice, command: "echo $$ >pid; exec vhost_program rng {socket}", id: 4}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 0 record_lab
	! kill -0 "$(cat pid)" 2>/dev/null || fail "it runs still"
}

# It gets SIGTERM while its sockets are open, and some time to end.
ended_in_order() {
	local timed=1
	network='programs: [{name: dice, id: 4, timed: true, command: "trap : TERM; vhost_program rng {socket} --time {time}; echo $? >status; sleep 0.3; echo all >capture"}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 0 record_lab
	[[ $(cat status) == 143 ]] || fail "it lost its sockets before SIGTERM came: exit status $(cat status)"
	[[ $(cat capture) == all ]] || fail "it had no time to end"
}

# One that does not end is killed.
stubborn() {
	local begin=$SECONDS
	network='programs: [{name: dice, id: 4, command: "trap \"\" TERM; echo $$ >pid; vhost_program rng {socket}; sleep 100"}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 0 record_lab
	! kill -0 "$(cat pid)" 2>/dev/null || fail "it runs still"
	((SECONDS - begin < 20)) || fail "it was waited for"
}

seeded() {
	network='programs: [{name: dice, id: 4, command: "echo {seed} >seed; exec vhost_program rng {socket}"}]' \
		lab "$(guest 1 say:on 'devices: [{program: dice}]')"
	expect 0 record_lab --seed 4711
	[[ $(cat seed) == 4711 ]] || fail "the seed is $(cat seed)"
	expect 0 record_lab
	[[ $(cat seed) == 1 ]] || fail "the seed is $(cat seed)"
}

proves "random bytes of a program: replayed without it" random_bytes
proves "a program takes part in virtual time, with each policy" in_time
proves "two guests on a program's network in virtual time" network_in_time
proves "two guests on a program's network that takes no time" network_at_once
proves "two guests on a program's network that follows the host's clock" network_by_the_clock
proves "a program that runs already" runs_already
proves "without in-band notifications: refused by name" refused
proves "without in-band notifications, allowed: marked in the trace" allowed
proves "a program that dies: the guest goes on" fault_replayed die 'it closed its connection'
proves "a program that does not reply: the guest goes on" fault_replayed mute 'no reply to VRING_KICK'
proves "a program that lies about a length loses its device" fault lie 'it used more than the size of a buffer'
proves "a program that ends at once: diagnosed" no_socket
proves "a timed program that ends at once: diagnosed" not_in_time
proves "a program whose command is not found: diagnosed, with a hint" not_found
proves "a timed program that never takes part in time: diagnosed" never_in_time
proves "a guest without the driver for a device: reported" no_driver
proves "an untimed medium: reported" untimed_medium
proves "a program ends with its lab" ended
proves "a program gets SIGTERM before its sockets close, and time to end" ended_in_order
proves "a program that does not end is killed" stubborn
proves "a program gets the seed of the run" seeded
finish
