#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Traces damaged anywhere and cut anywhere: a replay never crashes, hangs or takes them for whole.
#
# TTREC_TEST_DAMAGES: how many random places of each kind (25). TTREC_TEST_SEED: where the random
# numbers come from; a failure names the one it had.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12
damages=${TTREC_TEST_DAMAGES:-25}
seed=${TTREC_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}

ttrec run -q -o "$work/full.zst" "$kernel" mem=32M initrd="$initrd" do=tick:10,off 2>"$work/log" &&
	ttrec run -q --no-embed --digest every -o "$work/small.zst" "$kernel" mem=32M initrd="$initrd" \
		do=tick:10,off 2>"$work/log" || {
	cat "$work/log"
	exit 1
}

# random BELOW
random() {
	echo $(((RANDOM * 32768 + RANDOM) % $1))
}

# flip_bit FILE BYTE BIT
flip_bit() {
	local value
	value=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\x$(printf %x $((value ^ 1 << $3)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Where the index begins: all before it is content, the index itself is only a cache.
index_at() {
	python3 - "$1" <<-'END'
		import sys
		data = open(sys.argv[1], "rb").read()
		print(data.rindex(bytes.fromhex("542a4d18")))
	END
}

# judge WHAT: a damaged trace says so; what it still claims to be identical is a beginning.
judge() {
	local status=0
	ttreplay --trust --hang-timeout 20s t.zst >out 2>err || status=$?
	((status == 3)) || fail "$1, seed $seed: exit status $status: $(cat out err)"
	never_says out '^identical: '
	[[ -s out || -s err ]] || fail "$1: not a word"
	! says_nothing_of_it || fail "$1: what is damaged is not said"
}

says_nothing_of_it() {
	! grep -qE 'damaged|ends early|not a trace|no trace|does not contain|checksum|version|feature' out err
}

# flipped TRACE: single bits of its content.
flipped() {
	local i size place bit
	size=$(index_at "$work/$1")
	RANDOM=$seed
	for ((i = 0; i < damages; i++)); do
		cp "$work/$1" t.zst
		place=$(random "$size") bit=$(random 8)
		flip_bit t.zst "$place" "$bit"
		judge "bit $bit of byte $place flipped"
	done
}

# In the index nothing is lost, and nothing is said that is not so.
flipped_index() {
	local i begin size place status
	begin=$(index_at "$work/small.zst") size=$(stat -c %s "$work/small.zst")
	RANDOM=$seed
	for ((i = 0; i < damages / 2; i++)); do
		cp "$work/small.zst" t.zst
		place=$((begin + $(random $((size - begin)))))
		flip_bit t.zst "$place" "$(random 8)"
		status=0
		ttreplay --trust t.zst >out 2>err || status=$?
		((status == 0 || status == 3)) || fail "byte $place, seed $seed: exit status $status"
		[[ $(fact verify t.zst) != whole ]] || fail "byte $place, seed $seed: verify finds nothing"
	done
}

truncated() {
	local i size length
	size=$(index_at "$work/$1")
	RANDOM=$seed
	for ((i = 0; i < damages; i++)); do
		length=$(random "$size")
		head -c "$length" "$work/$1" >t.zst
		judge "cut to $length bytes"
	done
}

overwritten() {
	local i size
	size=$(index_at "$work/$1")
	RANDOM=$seed
	for ((i = 0; i < damages / 2; i++)); do
		cp "$work/$1" t.zst
		noise "$RANDOM" 100 | dd of=t.zst bs=1 seek="$(random $((size - 100)))" conv=notrunc status=none
		judge "100 bytes overwritten"
	done
}

# A piece from the middle is gone: every frame is good, the trace is not.
holes() {
	local i size begin
	size=$(index_at "$work/small.zst")
	RANDOM=$seed
	for ((i = 0; i < damages / 2; i++)); do
		begin=$(random $((size - 1000)))
		{
			head -c "$begin" "$work/small.zst"
			tail -c +$((begin + 501)) "$work/small.zst"
		} >t.zst
		judge "500 bytes missing at $begin"
	done
}

salvaged() {
	# Without the last byte of the end record; how much lies in front of it is not up to the clock.
	head -c $(($(index_at "$work/small.zst") - 1)) "$work/small.zst" >t.zst
	expect 3 ttreplay --trust t.zst
	ttdump salvage -o saved.zst t.zst >out 2>err || true
	whole saved.zst
	replays_identical --trust saved.zst
}

plain_zstd() {
	expect 0 zstd -qt "$work/full.zst"
	expect 0 ttdump verify "$work/full.zst"
	head -c 100000 "$work/full.zst" >t.zst
	expect 3 ttdump verify t.zst
}

proves "single bits flipped in a trace" flipped small.zst
proves "single bits flipped in a trace with its files" flipped full.zst
proves "single bits flipped in the index" flipped_index
proves "a trace cut anywhere" truncated small.zst
proves "a trace with its files cut anywhere" truncated full.zst
proves "a trace overwritten in places" overwritten small.zst
proves "a trace with its files overwritten in places" overwritten full.zst
proves "a piece missing in the middle" holes
proves "what is salvaged of a trace replays" salvaged
proves "a trace is what zstd takes for whole, and ttdump too" plain_zstd
finish
