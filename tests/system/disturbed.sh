#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a host may do to the processes of a recording and of a replay: kill one, stop one for a while,
# interrupt its system calls, have no room in /dev/shm. What is in a trace when the recorder is killed is in
# stop.sh, full disks are in shortage.sh.
#
# TTREC_TEST_KILLS: how often a process is killed in each of the two (6; the long run has 500).
# TTREC_TEST_SEED: where the random numbers come from; a failure names the one it had.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12
kills=${TTREC_TEST_KILLS:-6}
seed=${TTREC_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}
# A run that ends by itself, and is the same each time: on one CPU, since what that says of itself is in
# the guest's memory.
cpu=$(sed -nE 's/^Cpus_allowed_list:\s*([0-9]+).*/\1/p' /proc/self/status)
short=(--cpu "$cpu" --digest every "$kernel" mem=32M initrd="$initrd" "do=tick:400,off")

# sleep_ms NUMBER
sleep_ms() {
	sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"
}

# processes_of PID: it and all that it has started.
processes_of() {
	local child
	echo "$1"
	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		processes_of "$child"
	done
}

# start COMMAND...: in the background; $pid is its process.
start() {
	"$@" >out 2>err &
	pid=$!
}

# ended WHAT: it ends soon; $status is how.
ended() {
	local tenths
	status=0
	for ((tenths = 0; tenths < 10 * patience; tenths++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	((tenths < 10 * patience)) || {
		kill -9 "$pid"
		fail "$1, seed $seed: still there after $patience s: $(cat err)"
	}
	wait "$pid" || status=$?
}

# killed MODE WITHIN COMMAND...: kills.py says what has to hold.
killed() {
	TTREC_TEST_BIN=$bin python3 "$source_dir/tests/system/kills.py" --kills "$kills" --seed "$seed" --within "$2" \
		"$1" "${@:3}" >report || fail "$(cat report)"
	cat report
}

record_killed() {
	killed record 700 "$bin/ttrec" run -q -o t.zst "$kernel" mem=32M initrd="$initrd" do=tick:0:1000000
}

replay_killed() {
	expect 0 ttrec run -q --digest every -o t.zst "$kernel" mem=32M initrd="$initrd" do=tick:300,off
	killed replay 1000 "$bin/ttreplay" t.zst
}

# pause_each: of $pid's processes, for a second, one after the other. Those that are a guest's user
# space are traced by its kernel, which takes the stop for a signal to them.
pause_each() {
	local process
	for process in $(processes_of "$pid"); do
		grep -q '^TracerPid:[[:space:]]*0$' "/proc/$process/status" 2>/dev/null || continue
		kill -STOP "$process" 2>/dev/null || continue
		sleep 1
		kill -CONT "$process" 2>/dev/null || :
	done
}

# Nothing of it is in the trace.
recording_paused() {
	expect 0 ttrec run -q -o a.zst "${short[@]}"
	start "$bin/ttrec" run -q -o b.zst "${short[@]}"
	sleep_ms 300
	pause_each
	ended "paused"
	((status == 0)) || fail "exit status $status: $(cat err)"
	expect 0 ttdump diff a.zst b.zst
	expect 0 ttreplay b.zst
	says out '^identical: '
}

replay_paused() {
	expect 0 ttrec run -q -o a.zst "${short[@]}"
	start "$bin/ttreplay" a.zst
	sleep_ms 100
	pause_each
	ended "paused"
	((status == 0)) || fail "exit status $status: $(cat out err)"
	says out '^identical: '
}

# Stopping and going on makes system calls end with EINTR: some hundred times.
interrupted() {
	local times=0
	expect 0 ttrec run -q -o a.zst "${short[@]}"
	start "$bin/ttrec" run -q -o b.zst "${short[@]}"
	while kill -STOP "$pid" 2>/dev/null; do
		kill -CONT "$pid" 2>/dev/null || :
		times=$((times + 1))
		sleep 0.001
	done
	ended "interrupted"
	((status == 0)) || fail "exit status $status: $(cat err)"
	at_least "$times" 50 "interruptions"
	expect 0 ttdump diff a.zst b.zst
}

# preloaded COMMAND...: with calls that end with EINTR, and a clock of the wall that shows another year each time.
preloaded() {
	FAIL_EINTR=3 FAIL_CLOCK=1 LD_PRELOAD="$bin/fail_call.so" "$@"
}

# Every third call that may wait ends so, in all of its processes.
storm() {
	expect 0 ttrec run -q -o a.zst "${short[@]}"
	expect 0 preloaded timeout --foreground "$patience" "$bin/ttrec" run -q -o b.zst "${short[@]}"
	expect 0 ttdump diff a.zst b.zst
	expect 0 preloaded timeout --foreground "$patience" "$bin/ttreplay" a.zst
	says out '^identical: '
}

# A container gives 64 MiB by default, or less: it works without, or says what there is not enough of.
tiny_shm() {
	unshare -mr true 2>/dev/null || skip "needs mount namespaces"
	local status=0
	unshare -mr bash -c 'mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "$@"' - \
		"$bin/ttrec" run -q -o t.zst "${short[@]}" >out 2>err || status=$?
	((status == 0 || status == 4)) || fail "exit status $status: $(cat err)"
	((status == 0)) || says err 'memory|space|shm'
	((status)) || expect 0 ttreplay t.zst
}

proves "kill -9 of a process of a recording, $kills times: it ends and says why, and its trace replays" record_killed
proves "kill -9 of a process of a replay, $kills times: it is called neither identical nor different" replay_killed
proves "a recording whose processes are stopped for a second each is the same" recording_paused
proves "a replay whose processes are stopped for a second each is identical" replay_paused
proves "a recorder whose system calls are interrupted makes the same trace" interrupted
proves "system calls that end with EINTR and a clock of the wall that jumps change nothing" storm
proves "with 64 KiB of /dev/shm a recording works, or says what is short" tiny_shm
finish
