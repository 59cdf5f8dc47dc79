#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a lab costs to record and to replay, each figure against its twin or limit, in turn.
#
#	bench_lab.sh BIN KERNEL [ROUNDS] [SECTION]...
#
# Sections: pings, guests, many, window, explore, disk, share, frames, identity; all without one. The twin of the first is usfstl's
# controller, built elsewhere, which schedules the same guests and records nothing; the environment
# names it: TTREC_BENCH_CONTROLLER=/path/to/controller. Everything of it sits on CPU
# TTREC_BENCH_CPU (0) and it uses shared memory, which is its best. TTREC_BENCH_REPLAYS (100): how
# often the last section replays.
set -euo pipefail
export LC_ALL=C

[[ $# -ge 2 ]] || {
	echo "usage: bench_lab.sh BIN KERNEL [ROUNDS] [SECTION]..." >&2
	exit 2
}
bin=$(readlink -f "$1") kernel=$(readlink -f "$2") rounds=${3:-7}
sections=("${@:4}")
[[ ${#sections[@]} -gt 0 ]] || sections=(pings guests many window explore disk share frames identity)
here=$(dirname "$(readlink -f "$0")")
controller=${TTREC_BENCH_CONTROLLER:-} cpu=${TTREC_BENCH_CPU:-0}
replays=${TTREC_BENCH_REPLAYS:-100} loads=()
work=$(mktemp -d "${TMPDIR:-/tmp}/ttrec-lab.XXXXXX")

stop() {
	[[ ${#loads[@]} -eq 0 ]] || kill "${loads[@]}" 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT
status=0

# ---- Measuring --------------------------------------------------------------------------------------

# sample NAME COMMAND...: its wall time is added to the file NAME; its output is in NAME.log.
sample() {
	local name=$1 start=$EPOCHREALTIME
	shift
	"$@" >"$work/$name.log" 2>&1 </dev/null || {
		echo "bench_lab: $* ended with $?:" >&2
		tail -n 20 "$work/$name.log" >&2
		exit 1
	}
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }' >>"$work/$name"
}

median() {
	sort -n "$work/$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

least() {
	sort -n "$work/$1" | head -n 1
}

row() {
	printf '%-34s median %.3f s  least %.3f s\n    samples: %s\n' "$2" "$(median "$1")" "$(least "$1")" \
		"$(paste -sd' ' "$work/$1")"
}

# ratio WHAT A B BAR [LIMIT]: A of B, met or not.
ratio() {
	awk -v what="$1" -v a="$2" -v b="$3" -v bar="$4" -v limit="${5:-$4}" 'BEGIN {
		r = a / b
		printf "%s: %.2f (bar %s%s): %s\n", what, r, bar, limit != bar ? ", limit " limit : "",
			r <= bar ? "met" : r <= limit ? "within the limit" : "NOT MET"
		exit r > limit
	}' || status=1
}

# at_least WHAT VALUE BAR
at_least() {
	awk -v what="$1" -v value="$2" -v bar="$3" 'BEGIN {
		printf "%s: %.0f (bar %s): %s\n", what, value, bar, (value >= bar ? "met" : "NOT MET")
		exit value < bar
	}' || status=1
}

# ---- Labs -----------------------------------------------------------------------------------------

network() {
	printf 'networks:\n  - {name: lan, delay: 100us}\nguests:\n'
}

# guest NODE ACTIONS [DEVICES]
guest() {
	local devices=${3-'{net: lan}'}
	printf '  - {name: n%s, kernel: %s, initrd: %s, memory: 64M, append: "node=%s do=%s", devices: [%s]}\n' \
		"$1" "$kernel" "$work/initrd.gz" "$1" "$2" "$devices"
}

# record NAME [OPTION]...: the lab NAME.yaml into NAME.zst.
record() {
	"$bin/ttrec" run -q -f "$work/$1.yaml" -o "$work/$1.zst" "${@:2}"
}

replay() {
	"$bin/ttreplay" "$@"
}

# ---- 1000 pings --------------------------------------------------------------------------------------

pinger=ping:2:1000:1,tell:2
all_pinged='1000 packets transmitted, 1000 packets received'

# start_guest NODE ACTIONS: on the controller's sockets.
start_guest() {
	taskset -c "$cpu" "$kernel" mem=64M initrd="$work/initrd.gz" time-travel=ext:"$1:$work/run/time" \
		virtio_uml.device="$work/run/net:1" con=null con0=null,fd:1 umid="ttrec-bench-$$-$1" \
		node="$1" do="$2" >"$work/run/n$1" 2>&1 &
}

# scheduled [OPTION]...: the same lab without us.
scheduled() {
	local process
	rm -rf "$work/run"
	mkdir "$work/run"
	taskset -c "$cpu" "$controller" --time="$work/run/time" --net="$work/run/net" --net-delay=0.1 \
		--clients=2 --time-at-start=1767225600000000000 "$@" >"$work/run/controller" 2>&1 &
	process=$!
	until [[ -S $work/run/time && -S $work/run/net ]]; do
		sleep 0.001
	done
	start_guest 1 "$pinger"
	start_guest 2 wait
	wait
	grep "$all_pinged" "$work/run/n1" || {
		kill "$process" 2>/dev/null
		tail -n 5 "$work/run/n1" "$work/run/controller"
		return 1
	}
}

bench_pings() {
	local i
	{ network; guest 1 "$pinger"; guest 2 wait; } >"$work/pings.yaml"
	record pings >/dev/null 2>&1 # caches
	for ((i = 0; i < rounds; i++)); do
		[[ -z $controller ]] || sample controller scheduled
		sample recorded record pings
		sample windowed record pings --grant window
		sample replayed replay "$work/pings.zst"
		sample alone replay --only n1 "$work/pings.zst"
		[[ -z $controller ]] || sample sockets scheduled --no-shm
	done
	"$bin/ttreplay" --console --only n1 "$work/pings.zst" | tr -d '\r' | grep -q "$all_pinged" || {
		echo "bench_lab: the recorded guest did not get its 1000 answers" >&2
		exit 1
	}
	row recorded "recorded"
	row windowed "recorded, --grant window"
	row replayed "replayed, both"
	row alone "replayed, one alone"
	ratio "replaying both, of recording" "$(median replayed)" "$(median windowed)" 1.0
	ratio "replaying one, of recording both" "$(median alone)" "$(median windowed)" 1.0
	if [[ -z $controller ]]; then
		echo "no controller to compare with: set TTREC_BENCH_CONTROLLER (usfstl's, built elsewhere)"
		return
	fi
	row controller "controller, shared memory"
	row sockets "controller, sockets"
	ratio "recording everything, of the controller's best" "$(median recorded)" "$(median controller)" 0.8 1.0
	ratio "the same with --grant window" "$(median windowed)" "$(median controller)" 0.8 1.0
}

# ---- More guests -----------------------------------------------------------------------------------------

# ring COUNT: each pings the next one, and all end when their pings have.
ring() {
	local i
	network
	for ((i = 1; i <= $1; i++)); do
		guest "$i" "ping:$((i % $1 + 1)):50:1,sleep:10"
	done
}

bench_guests() {
	local count i
	for count in 2 4 8 16; do
		ring "$count" >"$work/ring$count.yaml"
	done
	for ((i = 0; i < rounds; i++)); do
		for count in 2 4 8 16; do
			sample "ring$count" record "ring$count"
		done
	done
	for count in 2 4 8 16; do
		row "ring$count" "$count guests"
	done
	ratio "16 guests, of 8 times 2" "$(median ring16)" \
		"$(awk -v one="$(median ring2)" 'BEGIN { print 8 * one }')" 1.0
}

# As many guests at once as four times in a row; and that 200 run at all.
four_times() {
	local i
	for i in 1 2 3 4; do
		record "$@"
	done
}

bench_many() {
	local count i
	for count in 16 64 200; do
		ring "$count" >"$work/ring$count.yaml"
	done
	for ((i = 0; i < rounds; i++)); do
		sample four16 four_times ring16
		sample ring64 record ring64
	done
	sample ring200 record ring200
	row four16 "4 times 16 guests"
	row ring64 "64 guests"
	row ring200 "200 guests"
	ratio "64 guests, of 4 times 16" "$(median ring64)" "$(median four16)" 1.5
}

# ---- Two CPUs ---------------------------------------------------------------------------------------

bench_window() {
	local i
	{ network; guest 1 busy:40:10000:0.001; guest 2 busy:40:10000:0.001; } >"$work/busy.yaml"
	for ((i = 0; i < rounds; i++)); do
		sample serial record busy --grant window --cpus 1
		sample parallel record busy --grant window --cpus 2
	done
	row serial "two busy guests, one CPU"
	row parallel "two busy guests, two CPUs"
	ratio "two CPUs, of one" "$(median parallel)" "$(median serial)" 0.6
}

# ---- Exploring --------------------------------------------------------------------------------------

# Three guests that send and receive a datagram each 20 ms, for 8 s.
datagrams() {
	local i
	network
	for i in 1 2 3; do
		guest "$i" "ping:$((i % 3 + 1)):400:0.02,sleep:0.5"
	done
	echo 'grant: window'
}

explore_seeds() {
	rm -rf "$work/found"
	"$bin/ttrec" explore -f "$work/datagrams.yaml" --runs "$1" -o "$work/found"
}

record_seeds() {
	seq "$1" | xargs -P "$(nproc)" -I '{}' "$bin/ttrec" run -q -f "$work/datagrams.yaml" --seed '{}' \
		-o "$work/seed-{}.zst"
}

bench_explore() {
	local i runs=24
	datagrams >"$work/datagrams.yaml"
	for ((i = 0; i < rounds; i++)); do
		sample explored explore_seeds "$runs"
		sample seeds record_seeds "$runs"
	done
	row explored "$runs seeds explored, one of them twice"
	row seeds "$runs seeds recorded"
	ratio "exploring, of recording" "$(median explored)" "$(median seeds)" 1.0
	at_least "runs an hour" "$(awk -v a="$(median explored)" -v runs="$runs" 'BEGIN { print 3600 * runs / a }')" 12000
}

# ---- Disk --------------------------------------------------------------------------------------------

# Random bytes, which nothing can pack, from one disk to another. What the guest needs without
# them is taken off.
bench_disk() {
	local i devices="{disk: $work/disk.img}, {disk: $work/empty.img}"
	head -c 64M /dev/urandom >"$work/disk.img"
	truncate -s 64M "$work/empty.img"
	{ printf 'guests:\n'; guest 1 copy:vda:vdb:64 "$devices"; } >"$work/disk.yaml"
	{ printf 'guests:\n'; guest 1 copy:zero:null:64 "$devices"; } >"$work/nodisk.yaml"
	for ((i = 0; i < rounds; i++)); do
		sample disk record disk
		sample nodisk record nodisk
	done
	row disk "64 MiB read and written"
	row nodisk "the same without disks"
	at_least "MB/s of wall time" "$(awk -v a="$(median disk)" -v b="$(median nodisk)" \
		'BEGIN { print 2 * 64 * 1.048576 / (a - b) }')" 200
}

# ---- Share -------------------------------------------------------------------------------------------

# at_most WHAT VALUE BAR
at_most() {
	awk -v what="$1" -v value="$2" -v bar="$3" 'BEGIN {
		printf "%s: %.2f (bar %s): %s\n", what, value, bar, (value <= bar ? "met" : "NOT MET")
		exit value > bar
	}' || status=1
}

# shared NAME SCRIPT: one guest that runs it in the directory NAME.
shared() {
	mkdir -p "$work/$1.d"
	echo "$2" >"$work/$1.d/run.sh"
	{ printf 'guests:\n'; guest 1 share:share "{share: $work/$1.d}"; } >"$work/$1.yaml"
}

many_files() {
	python3 -c '
import os, sys
for number in range(20000):
    folder = f"{sys.argv[1]}/{number // 100}"
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{number}", "w") as file:
        file.write(str(number))' "$1"
}

bench_share() {
	local i all='find /mnt -xdev | wc -l'
	shared read 'dd if=/mnt/data of=/dev/null bs=1M 2>/dev/null'
	head -c 512M /dev/urandom >"$work/read.d/data"
	shared noread ':'
	shared find "$all"
	many_files "$work/find.d"
	{ printf 'guests:\n'; for i in {1..16}; do guest "$i" share:share "{share: $work/find.d}"; done; } >"$work/find16.yaml"
	for ((i = 0; i < rounds; i++)); do
		sample read record read
		sample noread record noread
		sample find record find
		sample find16 record find16
	done
	row read "512 MiB of random bytes read"
	row noread "the same guest, not reading"
	row find "find over 20,000 files"
	row find16 "16 guests that do so in one share"
	at_least "MB/s of wall time" "$(awk -v a="$(median read)" -v b="$(median noread)" \
		'BEGIN { print 512 * 1.048576 / (a - b) }')" 300
	at_most "seconds for find" "$(median find)" 5
	ratio "16 guests, of 16 times one" "$(median find16)" "$(awk -v one="$(median find)" 'BEGIN { print 16 * one }')" 1.0
}

# ---- Frames -------------------------------------------------------------------------------------------

# weigh TRACE: frames received, their bytes, and the bytes that device records take unpacked.
weigh() {
	local with without frames
	frames=$("$bin/bench-frames" "$work/$1.zst" "$work/with.zst" "$work/without.zst")
	with=$(zstd -dc "$work/with.zst" | wc -c)
	without=$(zstd -dc "$work/without.zst" | wc -c)
	echo "$frames $((with - without))"
}

# Two labs that differ in the number of frames only: what a frame adds above its payload.
bench_frames() {
	local grant lab
	{ network; guest 1 "$pinger"; guest 2 wait; } >"$work/pings.yaml"
	{ network; guest 1 flood:2:12000,tell:2; guest 2 wait; } >"$work/flood.yaml"
	for lab in pings flood; do
		for grant in each window; do
			record "$lab" --digest off --grant "$grant" >/dev/null 2>&1
			# shellcheck disable=SC2046 # numbers
			ratio "$lab, --grant $grant: bytes a frame above its own" \
				$(weigh "$lab" | awk '{ print $3 - $2, $1 }') 8
		done
	done
}

# ---- Identity -----------------------------------------------------------------------------------------

# identical WHAT GUESTS ARGUMENT...: so many replays, each guest identical, memory and all.
identical() {
	local what=$1 guests=$2 same=0 i
	shift 2
	for ((i = 0; i < replays; i++)); do
		replay "$@" >"$work/verdict" 2>&1 || true
		if [[ $(grep -c '^\(n[0-9]*: \)\?identical: [0-9].*memory digests' "$work/verdict") == "$guests" ]] &&
			! grep -q 'not compared' "$work/verdict"; then
			same=$((same + 1))
		else
			sed 's/^/  /' "$work/verdict"
		fi
	done
	at_least "$what, identical of $replays" "$same" "$replays"
}

bench_identity() {
	local i
	{ network; guest 1 "$pinger"; guest 2 wait; } >"$work/pings.yaml"
	record pings --digest 100 >/dev/null 2>&1
	"$bin/ttdump" stat --json "$work/pings.zst" | python3 -c '
import json, sys
for guest in json.load(sys.stdin)["guests"]:
    print(guest["name"] + ":", guest["digests"], "memory digests")'
	for ((i = 0; i < $(nproc); i++)); do
		(while :; do :; done) &
		loads+=($!)
	done
	identical "both" 2 "$work/pings.zst"
	identical "n1 alone" 1 --only n1 "$work/pings.zst"
	identical "n2 alone" 1 --only n2 "$work/pings.zst"
	kill "${loads[@]}"
	wait "${loads[@]}" 2>/dev/null || true
	loads=()
}

# ---- All ------------------------------------------------------------------------------------------------

"$here/../system/lab_initramfs.sh" "$work/initrd.gz"
for section in "${sections[@]}"; do
	printf -- '-- %s\n' "$section"
	"bench_$section"
done
exit "$status"
