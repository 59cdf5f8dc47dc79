#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A recording destroys nothing: neither another trace nor another file.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12

passes() {
	record -q "$@" -- off
}

fails() {
	record -q --expect 'never said' "$@" -- off
}

no_part() {
	[[ ! -e t.zst.part ]] || fail "an unfinished trace was left behind"
}

# unchanged FILE COPY
unchanged() {
	cmp "$1" "$2" || fail "$1 was changed"
	no_part
}

kept_on_failure_only() {
	expect 0 passes
	whole t.zst
	no_part
	cp t.zst before.zst
	expect 0 passes --seed 2 --keep on-failure
	unchanged t.zst before.zst
	expect 1 fails --seed 2 --keep on-failure
	whole t.zst
	no_part
	! cmp -s t.zst before.zst || fail "a failing run was not kept"
	rm t.zst
	expect 0 passes --keep on-failure
	[[ ! -e t.zst ]] || fail "a passing run was kept"
}

refused_before_it_starts() {
	expect 0 passes
	cp t.zst before.zst
	expect 2 ttrec run -q -o t.zst "$kernel" mem=32M initrd="$initrd" umid=x
	unchanged t.zst before.zst
	expect 2 ttrec run -q -o t.zst ./nowhere
	unchanged t.zst before.zst
}

no_trace_gives_way() {
	local text
	for text in x "$(seq 1000)"; do
		echo "$text" >t.zst
		cp t.zst before
		expect 2 passes
		says err '^ttrec: cannot write the trace t\.zst: .* exists and is not a trace'
		says err '^  hint: give another file'
		unchanged t.zst before
	done
	# Nor what has the name of the unfinished one.
	mv t.zst t.zst.part
	expect 2 passes
	cmp t.zst.part before || fail "it was changed"
	rm t.zst.part
	# Made by mktemp, or a trace of which nothing is left.
	: >t.zst
	expect 0 passes
	whole t.zst
	# What a later version writes is a trace, too.
	chmod 444 t.zst
	((EUID == 0)) || expect 4 passes
}

salvage_overwrites_no_file() {
	expect 0 passes
	head -c 100000 t.zst >cut.zst
	echo text >text
	expect 2 ttdump salvage -o text cut.zst
	says err '^ttdump: cannot write the trace text: '
	[[ $(cat text) == text ]] || fail "it was overwritten"
	cp t.zst before.zst
	expect 3 ttdump salvage -o t.zst text
	unchanged t.zst before.zst
	expect 0 ttdump salvage -o t.zst cut.zst
	no_part
	! cmp -s t.zst before.zst || fail "it was not written"
}

other_kinds_of_files() {
	expect 0 "$bin/ttrec" run -q -o /dev/null "$kernel" mem=32M initrd="$initrd" do=off
	[[ -c /dev/null && ! -e /dev/null.part ]] || fail "/dev/null was taken for a file"
	mkfifo pipe
	cat pipe >t.zst &
	expect 0 ttrec run -q -o pipe "$kernel" mem=32M initrd="$initrd" do=off
	wait $!
	[[ -p pipe && ! -e pipe.part ]] || fail "the pipe was taken for a file"
	whole t.zst
	# A link stays one.
	mkdir there
	mv t.zst there/t.zst
	ln -s there/t.zst t.zst
	expect 0 passes --seed 3
	[[ -L t.zst && ! -e there/t.zst.part ]] || fail "the link was replaced"
	whole there/t.zst
}

one_at_a_time() {
	record -q -- tick:0:1000000 >first.out 2>&1 &
	wait_for 20 test -s t.zst.part
	expect 2 passes
	says err 't\.zst\.part is being written by another process'
	kill "$(pgrep -o -f "^$bin/ttrec run -o t.zst -q .* do=.tick:0:1000000")"
	wait $! || true
	whole t.zst
	no_part
}

# The trace that was there stays; what the killed one has written is there beside it, until the next one.
killed() {
	expect 0 passes
	cp t.zst before.zst
	expect 137 timeout -s KILL --foreground --preserve-status 1 "$bin/ttrec" run -q --no-embed -o t.zst \
		"$kernel" mem=32M initrd="$initrd" do=tick:0:1000000
	cmp t.zst before.zst || fail "the trace that was there was changed"
	[[ $(fact verify t.zst.part) == 'ends early' ]] || fail "$(fact verify t.zst.part)"
	expect 3 ttreplay --trust t.zst.part
	says out '^identical as far as the trace goes: '
	expect 0 ttdump salvage -o saved.zst t.zst.part
	whole saved.zst
	expect 0 passes --seed 4
	whole t.zst
	no_part
}

clients_too() {
	echo text >t.zst
	expect 2 ttrec serve --socket s --clients 1 -o t.zst
	[[ $(cat t.zst) == text ]] || fail "it was overwritten"
	[[ ! -e s ]] || fail "the socket was left behind"
}

proves "--keep on-failure: what passes leaves the trace that was there" kept_on_failure_only
proves "a recording that is refused leaves the trace that was there" refused_before_it_starts
proves "a file that is not a trace is not overwritten" no_trace_gives_way
proves "nor by ttdump salvage" salvage_overwrites_no_file
proves "devices, pipes and links stay what they are" other_kinds_of_files
proves "two recordings do not write one file" one_at_a_time
proves "kill -9: the trace that was there stays, what was recorded is found" killed
proves "ttrec serve overwrites no file" clients_too
finish
