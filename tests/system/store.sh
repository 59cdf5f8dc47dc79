#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Large files of a trace in a store: found by their hash, checked, never named by a path.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12
unset CI TTREC_STORE
export HOME=$work XDG_CACHE_HOME=$work/cache

# An initrd of 80 MiB that no compressor makes smaller.
make_large() {
	[[ -e $work/large.cpio ]] || {
		mkdir "$work/large" && head -c 80M /dev/urandom >"$work/large/data" &&
			(cd "$work/large" && echo data | cpio --quiet -o -H newc) |
			cat "$bin/guest.cpio" - >"$work/large.cpio"
	} || fail "cannot make an initrd"
}

record_large() {
	make_large
	expect 0 ttrec run -q --digest off -o t.zst "$@" "$kernel" mem=256M initrd="$work/large.cpio" 'do="tick:3:1000000,off"'
}

size() {
	stat -c %s "$1"
}

default_store() {
	rm -rf "$XDG_CACHE_HOME"
	record_large
	says err '^  store: 8[0-9.]+ MiB of its files are not in it'
	at_least $((16 << 20)) "$(size t.zst)" "bytes of the trace"
	local kept
	kept=$(echo "$XDG_CACHE_HOME"/ttrec/store/*)
	[[ $(zstd -dcq "$kept" | sha256sum) == "$(basename "$kept" .zst)"* ]] || fail "it has another name: $kept"
	cmp <(zstd -dcq "$kept") "$work/large.cpio"
	whole t.zst
	replays_identical t.zst
	expect 0 ttrec run -q --rerecord t.zst
	says err 're-recorded: agrees with t.zst to the end'
	# The same content is written once.
	local before
	before=$(stat -c %i "$kept")
	record_large
	[[ $(stat -c %i "$kept") == "$before" ]] || fail "it was written again"
	expect 0 ttdump extract t.zst /initrd -o initrd
	cmp initrd "$work/large.cpio"
}

one_file() {
	record_large --store none
	at_least "$(size t.zst)" $((80 << 20)) "bytes of the trace"
	CI=true record_large
	at_least "$(size t.zst)" $((80 << 20)) "bytes of the trace in a CI job"
	record_large
	expect 0 ttdump pack t.zst -o packed.zst
	rm -rf "$XDG_CACHE_HOME"
	whole packed.zst
	replays_identical packed.zst
	cmp <(trace_facts -c t.zst | grep -v '^verify') <(trace_facts -c packed.zst | grep -v '^verify')
	expect 2 ttdump pack packed.zst -o packed.zst
	expect 2 ttdump pack packed.zst
}

missing() {
	record_large --store here
	expect 4 ttreplay t.zst
	says err '/(linux|initrd|lib.*) is in a store, as [0-9a-f]{64}\.zst, which is neither beside the trace nor in '
	says err 'hint: .*TTREC_STORE'
	expect 4 ttrec run -q --rerecord t.zst
	says err ' is in a store'
	expect 4 ttdump pack t.zst -o packed.zst
	says err 'is in a store'
	[[ ! -e packed.zst ]] || fail "it wrote packed.zst"
	expect 0 ttdump verify t.zst
	says out '[0-9]+ more in a store that is not here'
	expect 0 ttdump show t.zst
	TTREC_STORE=here replays_identical t.zst
	# What can be salvaged still has it in the store.
	expect 0 ttdump salvage t.zst -o salvaged.zst
	TTREC_STORE=here replays_identical salvaged.zst
	mv here/*.zst .
	replays_identical t.zst
}

# Whatever has that name is checked before it is used, and never waited for.
damaged() {
	record_large --store here
	export TTREC_STORE=here
	local kept
	kept=$(find here -size +64M)
	cp "$kept" whole.zst
	printf x | dd of="$kept" bs=1 seek=5000000 conv=notrunc status=none
	expect 4 ttreplay t.zst
	says err '/initrd is in a store, as .*, and that file is damaged'
	head -c 10M whole.zst >"$kept"
	expect 4 ttreplay t.zst
	zstd -dcq whole.zst | sed 's/tick/tock/' | zstd -q1 >"$kept"
	expect 4 ttreplay t.zst
	{ cat whole.zst; head -c 1M /dev/zero | zstd -q; } >"$kept"
	expect 4 ttreplay t.zst
	rm "$kept" && mkfifo "$kept"
	expect 4 ttreplay t.zst
	says err 'neither beside the trace'
	# A recording puts it right.
	rm "$kept" && head -c 10M whole.zst >"$kept"
	record_large --store here
	replays_identical t.zst
}

no_store_to_write_to() {
	echo a file >here
	record_large --store here
	never_says err '^  store:'
	at_least "$(size t.zst)" $((80 << 20)) "bytes of the trace"
	replays_identical t.zst
}

at_once() {
	local i
	make_large
	for i in 1 2 3; do
		"$bin/ttrec" run -q --digest off -o "$i.zst" --store here "$kernel" mem=256M initrd="$work/large.cpio" 'do="off"' 2>/dev/null &
	done
	wait
	export TTREC_STORE=here
	for i in 1 2 3; do
		replays_identical "$i.zst"
	done
	[[ -z $(find here -name '*.zst.*') ]] || fail "something was left: $(ls here)"
}

listed() {
	record_large --store here
	touch here/note.txt
	expect 0 ttrec store --store here
	says out '^ *8[0-9.]+ MiB +0  [0-9a-f]{64}$'
	touch -d '40 days ago' here/*.zst
	expect 0 ttrec store --store here --remove-unused 50
	says out 'removed 0 B'
	expect 0 ttrec store --store here --remove-unused 30
	says out '^0 files, 0 B in here; removed 8'
	[[ $(ls here) == note.txt ]] || fail "left: $(ls here)"
	expect 0 ttrec store --store nowhere
	expect 2 ttrec store --store here/note.txt
	# What is used is not unused.
	record_large --store here
	touch -d '40 days ago' here/*.zst
	record_large --store here
	expect 0 ttrec store --store here --remove-unused 30
	export TTREC_STORE=here
	replays_identical t.zst
}

proves "a large initrd is in the user's store, once" default_store
proves "a CI job has one file; pack makes one" one_file
proves "what is not here is named, with a hint" missing
proves "what is damaged or forged is not used" damaged
proves "where no store can be written, all is in the trace" no_store_to_write_to
proves "several recordings at once" at_once
proves "it is listed, and what was not used for long is removed" listed
finish
