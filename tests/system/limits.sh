#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# How much a replay takes is the choice of who replays, not of the trace.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12
rogue=$bin/rogue_kernel

# rogue_trace MEMORY ACTION...: what it does, into t.zst.
rogue_trace() {
	"$bin/ttrec" run -q -o t.zst --limit-wall 60s "$rogue" "mem=$1" "does=$(actions "${@:2}")" >/dev/null 2>&1 || :
	[[ -s t.zst ]] || fail "no trace was recorded"
}

asks_for_too_much() {
	rogue_trace 16T connect start ticks:1 exit:0
	expect 4 ttreplay t.zst
	says err 'n1 may use 32\.0 TiB of memory; the replay.s limit is '
	says err '\-\-max-memory'
}

rerecorded() {
	rogue_trace 16T connect start ticks:1 exit:0
	expect 4 ttrec run -q --rerecord t.zst -o u.zst
	says err 'its guests may use 16\.0 TiB of memory together; the recording.s limit is '
	rogue_trace 64M connect start ticks:1 exit:0
	expect 4 ttrec run -q --rerecord t.zst -o u.zst --max-memory 100M
	says err 'its guests may use 128\.[0-9] MiB of memory together; the recording.s limit is 100\.0 MiB'
	[[ ! -e u.zst ]] || fail "a trace was left behind"
	expect 0 ttrec run -q --rerecord t.zst -o u.zst
}

less_is_allowed() {
	rogue_trace 64M connect start ticks:1 exit:0
	replays_identical t.zst
	replays_identical --max-memory 1G t.zst
	expect 4 ttreplay --max-memory 100M t.zst
	says err 'n1 may use 256\.0 MiB of memory; the replay.s limit is 100\.0 MiB'
	expect 2 ttreplay --max-memory much t.zst
	says err "invalid --max-memory 'much'"
}

takes_too_long() {
	rogue_trace 64M connect start sleep:4000 ticks:1 exit:0
	expect 4 ttreplay --max-wall 1s t.zst
	says err 'the limit of 1\.000 s of wall time was reached'
}

# ---- Disk space ----------------------------------------------------------------------------------------

files_take_too_much() {
	rogue_trace 64M connect start ticks:1 exit:0
	expect 4 ttdump extract --max-disk 10K -o there t.zst
	says err 'the files need .* of disk space; the limit is 10\.0 KiB'
	says err 'raise the limit with --max-disk'
	[[ ! -e there ]] || fail "something was written"
	expect 0 ttdump extract --max-disk 100M -o there t.zst
	expect 2 ttdump extract --max-disk much t.zst
	says err "invalid --max-disk 'much'"
}

# A small file system: what is free there is the default.
files_do_not_fit() {
	((EUID == 0)) || skip "needs root"
	trace_files t.zst "$rogue" names 20 1
	mkdir there
	unshare -m sh -c 'mount -t tmpfs -o size=8m tmpfs there && "$@"' sh ttdump extract -o there t.zst 2>err &&
		fail "they were extracted"
	says err 'the files need 2[0-9]\.[0-9] MiB of disk space; the limit is [0-9.]+ MiB'
}

core_takes_too_much() {
	rogue_trace 64M connect start ticks:1 exit:0
	expect 4 ttreplay --max-disk 10M --dump-memory n1 core t.zst
	says err '\-\-dump-memory may use 128\.0 MiB of disk space; the replay.s limit is 10\.0 MiB'
	[[ ! -e core ]] || fail "a core was written"
}

# ---- CPU time ------------------------------------------------------------------------------------------

burns_too_much() {
	rogue_trace 64M connect start "$1" ticks:1 exit:0
	expect 4 ttreplay --max-cpu 300ms t.zst
	says err 'n1 was killed before record [0-9]+: it used 0\.[3-9][0-9]* s of CPU time; the limit is 0\.300 s'
	says err 'raise --max-cpu'
	replays_identical --max-cpu 60s t.zst
}

# ---- Many names ----------------------------------------------------------------------------------------

# 1.25 GiB, if each name were a file of its own.
names_of_one_file() {
	trace_files t.zst "$rogue" names 20 64
	replays_identical --max-memory 500M t.zst
	expect 4 ttreplay --max-memory 200M t.zst
	says err 'of memory; the replay.s limit is 200\.0 MiB'
}

# in_time SECONDS STATUS COMMAND...: where it costs the square of what there is it takes minutes.
in_time() {
	local patience=$1
	expect "$2" timeout "$patience" "${@:3}"
}

many_files() {
	trace_files t.zst "$rogue" files 8000 2000
	trace_files u.zst "$rogue" files 8000 2000
	in_time 20 0 ttdump stat t.zst
	in_time 20 0 ttdump diff t.zst u.zst
	in_time 20 0 ttdump verify t.zst
	in_time 20 0 ttdump extract -o there t.zst
	(($(find there -type f | wc -l) == 8001)) || fail "not all files were extracted"
	in_time 20 0 "$bin/ttreplay" t.zst
	says out '^identical: '
}

proves "a trace that asks for 16 TiB is refused" asks_for_too_much
proves "nor is it recorded again" rerecorded
proves "who replays chooses how much memory that may take" less_is_allowed
proves "who replays chooses how long that may take" takes_too_long
proves "what files take together is known before they are extracted" files_take_too_much
proves "and is at most what is free" files_do_not_fit
proves "who replays chooses how much is written to disk" core_takes_too_much
proves "who replays chooses how much CPU time a guest takes" burns_too_much burn:1500
proves "that of its children is its own" burns_too_much children:15
memory_is_announced() {
	ttrec run -q -o t.zst --digest off "$kernel" mem=1100M initrd="$initrd" panic=1 </dev/null >/dev/null 2>&1 || true
	ttdump verify t.zst
	ttreplay t.zst >out 2>err || true
	says out '^the replay may use [0-9.]+ GiB of memory; its limit is [0-9.]+ [MG]iB \(--max-memory\)$'
	ttreplay --json t.zst >out 2>err || true
	never_says out 'may use'
}

proves "what a replay may use is announced where it is much" memory_is_announced
proves "20 names of one file of 64 MiB take 64 MiB" names_of_one_file
proves "a trace of 8,000 files is looked at, extracted and replayed in seconds" many_files
finish
