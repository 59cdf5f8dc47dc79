#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The scheduler alone: clients that break the protocol or disappear are named, the others end cleanly.
. "$(dirname "$0")/lib.sh"

# serve OPTION...: in the background, ready when it returns; $serve_pid.
serve() {
	timeout --foreground 60 "$bin/ttrec" serve --socket s -o t.zst "$@" >serve.out 2>serve.err &
	serve_pid=$!
	wait_for 10 test -S s
}

# served STATUS: it ends with that status and takes its socket with it.
served() {
	local status=0
	wait "$serve_pid" || status=$?
	((status == $1)) || fail "exit status of serve is $status, expected $1: $(cat serve.err)"
	[[ ! -e s ]] || fail "the socket was left behind"
	empty serve.out
}

# A client that keeps to the protocol beside one that does not.
beside_a_good_one() {
	serve --clients 2 --hang-timeout 2s "${serve_options[@]}"
	rogue_client s 1 steady >good 2>&1 &
	good=$!
	wait_for 10 grep -q connected good
	rogue_client s 7 "$1" >rogue 2>&1 || fail "the rogue client was not let go: $(cat rogue)"
}

# breaks SCENARIO REGEX: the deed is named with the client's id, where, and what was expected.
breaks() {
	beside_a_good_one "$1"
	served 5
	failed_by protocol "client (7|without an id) .* at record [0-9]+, t=[0-9]+\.[0-9]{9} s.*: .*($2)" serve.err
	says serve.err 'expected'
	wait "$good" || fail "the good client was not ended: $(cat good)"
	says good 'client 1: the scheduler has ended the connection'
	whole t.zst
	[[ $(fact note t.zst) == client*'broke the protocol'* ]] || fail "the trace does not say why"
}

# Who asked for nothing may go; so may who runs, which is how a guest ends.
leaves_in_order() {
	serve --clients 2
	rogue_client s 1 short >one &
	rogue_client s 7 leave-idle
	wait $!
	served 0
	whole t.zst
}

# The simulator of a medium has no id and waits for those that it serves: they have powered off.
simulator_is_left() {
	serve --clients 2
	rogue_client s 0xffffffffffffffff never >simulator 2>&1 &
	rogue_client s 1 short >one
	served 0
	wait
	says simulator 'has ended the connection'
	whole t.zst
}

hangs() {
	beside_a_good_one silent
	served 5
	failed_by no-progress 'client 7 .* 2\.000 s' serve.err
	wait "$good" || fail "the good client was not ended"
	whole t.zst
}

# No client starts time, and that is not a success.
never_starts() {
	serve --clients 2
	rogue_client s 7 leave-connected
	served 5
	failed_by protocol 'client .* it left before START' serve.err
}

not_enough_clients() {
	serve --clients 2 --limit-wall 1s
	rogue_client s 1 steady >good 2>&1 || fail "the client was not ended"
	served 1
	failed_by limit-wall ' 1\.000 s' serve.err
}

all_good() {
	local pids=() pid
	serve --clients 3
	for id in 3 1 2; do
		rogue_client s "$id" short &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	served 0
	says serve.err '^recorded: [0-9,]+ messages'
	whole t.zst
}

same_whoever_comes_first() {
	all_good
	mv t.zst first.zst
	all_good
	# The trace as a whole: who started when leaves no mark.
	[[ $(fact hash t.zst) == "$(fact hash first.zst)" ]] || fail "the messages differ"
}

forever() {
	serve --clients 2
	rogue_client s 1 never >one 2>&1 &
	rogue_client s 2 never >two 2>&1 &
	served 1
	failed_by all-asleep '' serve.err
	wait
	says one 'has ended the connection'
	says two 'has ended the connection'
	whole t.zst
}

limit() {
	serve --clients 1 --limit-virtual 1s
	rogue_client s 1 steady >good
	served 1
	failed_by limit-virtual ' 1\.0* s' serve.err
	whole t.zst
}

no_program_in_it() {
	all_good
	expect 4 ttreplay t.zst
	says err '^ttreplay: '
}

real_guest() {
	need_kernel 6.12
	serve --clients 1
	expect 0 timeout 60 "$kernel" mem=32M initrd="$initrd" con0=null,fd:1 con=null \
		time-travel=ext:5:"$PWD/s" do=say:hello,tick:10,off
	says out '^tick 10'
	served 0
	ttdump show t.zst >shown
	says shown 'join +id 5\b'
	whole t.zst
}

# native NODE OPTION...: a guest of the lab's, started without ttrec, into nNODE.
native() {
	local node=$1
	shift
	timeout 60 setarch -R "$kernel" mem=64M initrd="$work/initrd.gz" node="$node" con0=null,fd:1 con=null \
		time-travel=ext:"$node:$PWD/s" "$@" >"n$node" 2>&1 </dev/null
}

# Guests that other scripts start, on a network of serve, as under the controller of usfstl.
on_a_network() {
	need_kernel 6.12
	"$source_dir/tests/system/lab_initramfs.sh" "$work/initrd.gz"
	serve --clients 2 --net "$PWD/net" --net-delay 5ms
	wait_for 10 test -S net
	native 2 virtio_uml.device="$PWD/net:1" &
	expect 0 native 1 virtio_uml.device="$PWD/net:1"
	served 0
	says n1 '3 packets transmitted, 3 packets received'
	says n1 'min/avg/max = 10\.'
	[[ ! -e net ]] || fail "the network's socket was left behind"
	whole t.zst
	ttdump show t.zst >shown
	says shown "guest 0 -- join +id 0xffffffffffffffff"
	mv t.zst first.zst
	serve --clients 2 --net "$PWD/net" --net-delay 5ms
	native 2 virtio_uml.device="$PWD/net:1" &
	native 1 virtio_uml.device="$PWD/net:1"
	served 0
	says n1 '3 packets transmitted, 3 packets received'
}

no_network() {
	expect 2 ttrec serve --socket s --clients 1 --net-delay 1ms
	says err -- '--net-delay requires --net PATH'
	expect 2 ttrec serve --socket s --clients 1 --net nowhere/net
	says err 'cannot listen at nowhere/net'
	says err '^  hint: '
}

# ---- The socket ----------------------------------------------------------------------------------------

path_too_long() {
	local path
	path=$(printf '%0120d' 0)
	expect 4 ttrec serve --socket "$path" --clients 1 -o t.zst
	says err 'is too long: a UNIX socket takes 107 bytes'
	says err 'hint: choose a shorter path'
	[[ ! -e t.zst && ! -e $path ]]
}

path_in_use() {
	serve --clients 1
	expect 4 ttrec serve --socket s --clients 1 -o other.zst
	says err 'the socket path s is in use'
	[[ ! -e other.zst ]] || fail "a trace was left behind"
	rogue_client s 1 short
	served 0
}

path_is_a_file() {
	echo precious >s
	expect 4 ttrec serve --socket s --clients 1 -o t.zst
	says err 'the socket path s is in use'
	[[ $(cat s) == precious ]] || fail "the file was overwritten"
	expect 2 ttrec serve --socket nowhere/s --clients 1 -o t.zst
	says err 'cannot listen at nowhere/s: No such file'
}

trace_unwritable() {
	expect 2 ttrec serve --socket s --clients 1 -o nowhere/t.zst
	says err 'cannot write the trace nowhere/t.zst'
	[[ ! -e s ]] || fail "the socket was left behind"
}

# Here, unlike for a guest's sandbox, a limit of file size can be reached.
file_size_limit() {
	serve_pid='' serve_options=()
	timeout --foreground 60 prlimit --fsize=20000 "$bin/ttrec" serve --socket s -o t.zst --clients 2 \
		>serve.out 2>serve.err &
	serve_pid=$!
	wait_for 10 test -S s
	rogue_client s 1 steady >one 2>&1 &
	rogue_client s 2 steady >two 2>&1 &
	served 4
	failed_by trace-not-written 'File too large' serve.err
	wait
	says one 'has ended the connection'
	says two 'has ended the connection'
	[[ $(fact verify t.zst) == 'ends early' ]]
	at_least "$(fact messages t.zst)" 1000 "messages that were saved"
}

serve_options=()
proves "clients that keep to the protocol end it" all_good
proves "the order of arrival leaves no mark" same_whoever_comes_first
proves "a real guest is served" real_guest
proves "guests on the network of serve --net ping each other" on_a_network
proves "a network that cannot be: named" no_network
proves "half a message" breaks half '7 bytes of a message'
proves "an unknown operation" breaks unknown 'operation 17 is unknown'
proves "RUN from a client" breaks run "RUN is sent only by the controller"
proves "WAIT while waiting" breaks wait-twice 'WAIT from a waiting client'
proves "a REQUEST in the past" breaks past-request 'REQUEST of 0\.001000000 is in the past'
proves "an UPDATE into the past" breaks past-update 'UPDATE of 0\.001000000 is in the past'
proves "two STARTs" breaks start-twice 'a second START'
proves "no START" breaks no-start 'GET before START'
proves "an ACK of nothing" breaks ack 'ACK of seq 4711'
proves "a client that runs and says nothing" hangs
proves "a client that disappears before its START" breaks leave-connected 'left before START'
# One more is waited for, so that nobody answers it before it has gone.
serve_options=(--clients 3)
proves "a client that disappears before the ACK of its START" breaks leave-starting 'its START is not answered'
serve_options=()
proves "a client that disappears while it waits for its time" breaks leave-waiting 'left while waiting'
proves "a client that disappears when it is told to run" breaks leave-told 'left before the ACK of RUN'
proves "a client that has nothing to wait for may leave" leaves_in_order
proves "guests leave, the simulator that served them stays" simulator_is_left
proves "the only client disappears before its START" never_starts
proves "clients that never come" not_enough_clients
proves "all clients sleep forever" forever
proves "a limit of virtual time" limit
proves "a trace without a program is not replayed" no_program_in_it
proves "a socket path that is too long" path_too_long
proves "a socket path in use" path_in_use
proves "a socket path that is a file, or nowhere" path_is_a_file
proves "a trace that cannot be written" trace_unwritable
proves "a limit of file size ends the recording, what was written is valid" file_size_limit
finish
