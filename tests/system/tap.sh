#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Guests that another scheduler runs: recorded by ttrec tap, replayed without the scheduler.
#
#	tap.sh [VERSION]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

version=${1:-6.12}
need_kernel "$version"
pack_guests

# schedule CLIENTS: somebody else's scheduler, at ./clock.
schedule() {
	timeout 60 "$bin/ttrec" serve -q --socket clock --clients "$1" -o clock.zst &
	scheduler=$!
	wait_for 10 test -S clock
}

tap() {
	ttrec tap -q --upstream clock -o t.zst "$@"
}

two_guests() {
	local network='limits: {wall: 1m}'
	lab "$(guest 1 tick:5:0.1,busy:3:500:0.01 'seed: 3')" "$(guest 2 tick:7:0.07 'seed: 4')"
	schedule 2
	expect 0 tap -f lab.yaml --digest 20
	wait
	replays_all 2 t.zst
	never_says out 'not compared'
	replays_all 1 --only n2 t.zst
	# The scheduler heard all that was said, and said all that was heard.
	(($(fact messages t.zst) == $(fact messages clock.zst))) || fail "other messages than the scheduler's"
}

one_kernel() {
	schedule 1
	expect 0 tap "$kernel" mem=64M "initrd=$work/initrd.gz" node=1 do=say:hello
	console 0 t.zst >n1
	says n1 '^hello'
	expect 0 ttreplay t.zst
}

# A device of the scheduler, or of whoever: calls and RUNs come on different sockets.
program() {
	local network='programs: [{name: hub, command: "vhost_program net {socket}", id: 1}]'
	lab "$(guest 1 '' 'devices: [{program: hub}]')" "$(guest 2 '' 'devices: [{program: hub}]')"
	schedule 2
	expect 0 tap -f lab.yaml --digest 20
	console 0 t.zst >n1
	says n1 '3 packets received'
	replays_all 2 t.zst
}

# The simulator of a medium has no id. The guest powers off, and no event is left: the scheduler ends.
simulator() {
	local sim
	schedule 2
	tap --socket s "$kernel" mem=64M "initrd=$work/initrd.gz" node=1 do=say:hello >out 2>err &
	sim=$!
	wait_for 10 test -S s
	rogue_client s 0xffffffffffffffff never >simulator 2>&1
	wait "$sim" || fail "exit status $?: $(cat err)"
	says simulator 'has ended the connection'
	whole t.zst
	expect 0 ttreplay t.zst
}

# One with an id may be a guest that still has something to do.
sleeper() {
	local tapping status=0
	schedule 2
	tap --socket s "$kernel" mem=64M "initrd=$work/initrd.gz" node=1 do=say:hello >out 2>err &
	tapping=$!
	wait_for 10 test -S s
	rogue_client s 7 never >client 2>&1
	wait "$tapping" || status=$?
	((status == 5)) || fail "exit status $status"
	says err 'the scheduler at clock closed its connection to a client'
}

built_in() {
	lab "$(guest 1)"
	expect 2 tap -f lab.yaml
	says err 'tap supports only device programs'
}

nobody() {
	expect 4 tap "$kernel" mem=64M
	says err 'cannot connect to the scheduler at clock'
}

abandoned() {
	local network='limits: {wall: 1m}'
	lab "$(guest 1 tick:100000:0.01 'seed: 3')"
	schedule 1
	(sleep 2 && kill "$scheduler") &
	expect 5 tap -f lab.yaml
	says err 'the scheduler at clock closed its connection to n1'
	expect 0 ttreplay t.zst
}

proves "two guests of another scheduler are replayed without it" two_guests
proves "one guest of another scheduler" one_kernel
proves "guests with a program's devices" program
proves "only a simulator without an id is left: a good end" simulator
proves "a client with an id that is left asleep: diagnosed" sleeper
proves "devices that need a calendar are refused" built_in
proves "no scheduler: diagnosed" nobody
proves "the scheduler ends first: diagnosed, replayed up to there" abandoned
finish
