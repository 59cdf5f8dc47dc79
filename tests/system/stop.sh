#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# However a recording is stopped: nothing is left behind, and what was recorded is there.
#
# TTREC_TEST_KILLS: at how many moments it is killed (20).
. "$(dirname "$0")/lib.sh"

need_kernel 6.12
kills=${TTREC_TEST_KILLS:-20}
forever=(mem=32M initrd="$initrd" do=tick:0:1000000)

# What a recording could leave on the machine, one thing a line. Other recordings come and go.
belongings() {
	find /tmp /dev/shm -maxdepth 1 \( -name 'ttrec-??????' -o -name 'vm_file-*' \) 2>/dev/null || :
	find /dev/shm -maxdepth 1 -type f 2>/dev/null || :
	grep -E ' /tmp/ttrec-|^room ' /proc/self/mounts || :
	awk '$8 ~ /ttrec|\/run\/tt$/ { print "socket " $8 }' /proc/net/unix
	ls ~/.uml 2>/dev/null || :
}

# What is there now and was not in the list BEFORE.
new_belongings() {
	comm -13 <(sort -u "$1") <(belongings | sort -u)
}

# clean BEFORE: whatever is new belongs to others and goes.
clean() {
	local wait
	for ((wait = 0; wait < 200; wait++)); do
		[[ -n $(new_belongings "$1") ]] || return 0
		sleep 0.05
	done
	fail "left behind: $(new_belongings "$1")"
}

# ran STATUS COMMAND...: it ends with that status, no process and nothing else of it is left.
ran() {
	belongings >before
	expect "$1" timeout 60 survivors "${@:2}"
	clean before
}

ends_by_itself() {
	ran 0 ttrec run -q -o t.zst "$kernel" mem=32M initrd="$initrd" do=tick:10,off
	ran 0 ttreplay t.zst
	ran 0 ttrec run -q --seal=none -o t.zst "$kernel" mem=32M initrd="$initrd" do=tick:10,off
}

fails() {
	ran 1 ttrec run -q -o t.zst "$kernel" mem=32M
	ran 5 ttrec run -q --hang-timeout 1s -o t.zst "$kernel" mem=32M initrd="$initrd" do=spin
	ran 1 ttrec run -q --isolation=none --limit-virtual 100ms -o t.zst "$kernel" "${forever[@]}"
	ran 2 ttrec run -q -o t.zst "$kernel" mem=32M ubd0=disk
}

# stopped SIGNAL-NUMBER [OPTION]...: ended in order.
stopped() {
	ran $((128 + $1)) survivors -k "$1:700" "$bin/ttrec" run -q "${@:2}" -o t.zst "$kernel" "${forever[@]}"
	whole t.zst
	at_least "$(fact messages t.zst)" 300 "messages"
	[[ $(fact note t.zst) == 'stopped by SIG'* ]] || fail "the trace does not say why"
}

stopped_replays() {
	stopped "$@"
	expect 0 timeout 100 ttreplay t.zst
	says out '^identical: '
	says out 'the recording ended with: stopped by SIG'
}

stopped_early() {
	local ms status
	for ms in 0 1 2 5 10 20 40; do
		belongings >before
		status=0
		timeout 60 survivors -k "15:$ms" "$bin/ttrec" run -q -o t.zst "$kernel" "${forever[@]}" >out 2>err || status=$?
		((status == 143)) || fail "exit status $status after $ms ms"
		clean before
		[[ ! -s t.zst ]] || fact verify t.zst | grep -qE 'whole|ends early' || fail "$(fact verify t.zst)"
		[[ ! -e t.zst.part ]] || fail "a part was left behind"
		rm -f t.zst
	done
}

replay_stopped() {
	expect 0 timeout 60 ttrec run -q --digest every -o t.zst "$kernel" mem=32M initrd="$initrd" do=tick:3000,off
	ran 130 survivors -k 2:300 "$bin/ttreplay" t.zst
	ran 137 survivors -k 9:300 "$bin/ttreplay" t.zst
}

serve_stopped() {
	local signal
	for signal in 2 15; do
		belongings >before
		survivors -k "$signal:700" "$bin/ttrec" serve --socket s --clients 1 -o t.zst >serve.out 2>serve.err &
		wait_for 10 test -S s
		rogue_client s 1 steady >one
		says one 'has ended the connection'
		status=0
		wait $! || status=$?
		((status == 128 + signal)) || fail "exit status $status: $(cat serve.err)"
		[[ ! -e s ]] || fail "the socket was left behind"
		whole t.zst
		clean before
	done
}

# Killed at a random moment: what standard output showed a quarter of a second before is in the trace.
killed_once() {
	local ms=$((RANDOM % 600)) shown status=0
	: >console
	# Not through survivors, which waits: the size of the output is looked at in between.
	survivors "$bin/ttrec" run "$@" -o t.zst "$kernel" "${forever[@]}" >console 2>err &
	local pid=$!
	sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
	shown=$(stat -c %s console)
	sleep 0.25
	# The command is the only child of survivors.
	kill -9 "$(cat "/proc/$pid/task/$pid/children")"
	wait "$pid" || status=$?
	((status == 137)) || fail "exit status $status: $(cat err)"
	[[ ! -e t.zst ]] || fail "an unfinished recording has the name of a finished one"
	if [[ ! -s t.zst.part ]]; then
		((shown == 0)) || fail "nothing is in the trace"
		return 0
	fi
	mv t.zst.part t.zst
	[[ $(fact verify t.zst) == 'ends early' ]] || fail "$(fact verify t.zst)"
	trace_facts -c t.zst >recorded
	at_least "$(stat -c %s recorded)" "$shown" "bytes of console in the trace, killed after $ms ms"
	cmp -s -n "$shown" recorded console || fail "the trace has another console"
	((shown)) || return 0
	expect 3 timeout 100 ttreplay t.zst
	# Files are embedded beside the recording: on a busy machine not all of them are in yet.
	! grep -q 'the trace does not contain all of /' err || return 0
	replayed=$((replayed + 1))
	says out '^identical as far as the trace goes: '
}

killed() {
	local i replayed=0
	belongings >before
	for ((i = 0; i < kills; i++)); do
		killed_once "$@"
		rm -f t.zst t.zst.part
	done
	clean before
	at_least "$replayed" $((kills / 2)) "traces that could be replayed"
}

# Its directory stays: nobody is left to remove it.
killed_not_isolated() {
	belongings >before
	expect 137 survivors -k 9:700 "$bin/ttrec" run -q --isolation=none -o t.zst "$kernel" "${forever[@]}"
	new_belongings before | grep -xE '(/tmp|/dev/shm)/ttrec-.{6}' | xargs -r rm -rf
}

proves "a recording and a replay that end by themselves leave nothing" ends_by_itself
proves "a recording that fails leaves nothing" fails
proves "SIGINT ends a recording in order, its trace replays" stopped_replays 2
proves "SIGTERM ends a recording in order, its trace replays" stopped_replays 15 --digest every
proves "SIGHUP ends a recording in order" stopped 1
proves "SIGTERM ends a recording without isolation in order" stopped 15 --isolation=none
proves "SIGTERM in the first moments leaves nothing" stopped_early
proves "a replay that is stopped leaves nothing" replay_stopped
proves "SIGINT and SIGTERM end a scheduler in order" serve_stopped
proves "kill -9 at $kills random moments: at most 250 ms are lost, the rest replays" killed
proves "kill -9 of a recording without isolation leaves no process" killed_not_isolated
finish
