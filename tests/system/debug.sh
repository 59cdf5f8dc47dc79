#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Looking at a guest on its way: where a replay stops, its memory in a file.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12

# A guest that ticks each millisecond, recorded once for all cases.
recorded() {
	[[ -e $work/t.zst ]] || {
		record -q -- say:hello tick:20:1000000 say:bye off
		mv t.zst "$work/t.zst"
	}
	ln -sf "$work/t.zst" t.zst
}

# The kernel and its libraries, for gdb.
extracted() {
	ttdump extract -o files t.zst >/dev/null
}

# ---- Where it stops --------------------------------------------------------------------------------

stops_at() {
	recorded
	expect 0 ttreplay --until "$1" t.zst
	says out '^identical up to where it was stopped: '
	says out "stopped before record $2\$"
}

# record_of KIND [TEXT]: the number of the first record of that kind with that text.
record_of() {
	ttdump show --json t.zst | grep -F "\"kind\":\"$1\"" | grep -F -m 1 -- "${2-}" |
		grep -oE '"number":[0-9]+' | cut -d: -f2
}

stops_where_it_is_told_to() {
	recorded
	stops_at 500 500
	stops_at console:'^tick 7$' "$(record_of console 'tick 7'), at console:.tick 7."
	stops_at 5ms '[0-9]+, at 5ms'
}

refuses_what_is_not_there() {
	recorded
	expect 2 ttreplay --until 99999 t.zst
	says err "'99999' is not in the trace: the last one is [0-9]+"
	expect 2 ttreplay --until irq:1 t.zst
	says err 'there are 0 device interrupts'
	expect 2 ttreplay --until console:goodbye t.zst
	says err 'none of [0-9]+ lines matches'
	expect 2 ttreplay --until n7:irq:1 t.zst
	says err 'the trace has no guest n7'
	expect 2 ttreplay --until 'console:(' t.zst
	says err 'is no regular expression'
	empty out
}

# ---- Its memory -------------------------------------------------------------------------------------

need_gdb() {
	command -v gdb >/dev/null || skip "no gdb here"
}

in_core() {
	gdb -nx -q -batch -ex 'set sysroot files' files/linux core "$@" >gdb.out 2>gdb.err
}

memory_opens_in_gdb() {
	need_gdb
	recorded
	extracted
	expect 0 ttreplay --until console:'^tick 7$' t.zst --dump-memory 0 core
	in_core -ex 'x/s &linux_banner' -ex 'p/x *(unsigned long *)&uml_physmem' \
		-ex 'p *(unsigned long long *)&time_travel_time' -ex bt
	says gdb.out '<linux_banner>:.*"Linux version 6\.12'
	says gdb.out '= 0x60000000$'
	says gdb.out ' in os_poll|time_travel_'
	# The time is that of the replay: six sleeps of a millisecond after the first line.
	(($(sed -n 's/^\$2 = //p' gdb.out) >= 6000000))
	# It is sparse.
	at_least "$(stat -c %s core)" 33554432 "bytes of the core"
	(($(stat -c %b core) * 512 < $(stat -c %s core)))
}

memory_is_the_same_each_time() {
	recorded
	expect 0 ttreplay --until 700 --dump-memory 0 core1 t.zst
	expect 0 ttreplay --until 700 --dump-memory 0 core2 t.zst
	# But for the pid of its process and what the host's kernel shows it of the time.
	(($(cmp -l core1 core2 | wc -l) <= 256))
}

memory_where_it_diverges() {
	recorded
	expect 1 ttreplay --flip-bit 700:0:0x1800000:0 --dump-memory 0 core t.zst
	says out '^DIVERGED'
	[[ -s core ]]
	rm core
	expect 0 ttreplay --dump-memory 0 core t.zst
	[[ ! -e core ]] || fail "a core of a guest that neither stopped nor diverged"
}

refuses_bad_dumps() {
	recorded
	expect 2 ttreplay --until 500 --dump-memory n7 core t.zst
	says err "--dump-memory 'n7': no guest of this trace"
	expect 2 ttreplay --until 500 t.zst --dump-memory 0
	says err 'into which file'
	expect 2 ttreplay --until 500 --dump-memory 0 a --dump-memory 0 b t.zst
	says err 'is named twice'
	expect 4 ttreplay --until 500 --dump-memory 0 no/where t.zst
	says err 'cannot write no/where: No such file or directory'
	expect 4 ttreplay --until "$(record_of exit)" --dump-memory 0 core t.zst
	says err 'has ended: it has no memory'
}

proves "a replay stops at a record, a time, a line of the console" stops_where_it_is_told_to
proves "a point that is not in the trace is refused with what there is" refuses_what_is_not_there
proves "a guest's memory opens in gdb: symbols, variables, backtrace" memory_opens_in_gdb
proves "a guest's memory is the same each time" memory_is_the_same_each_time
proves "where a guest diverges its memory is written" memory_where_it_diverges
proves "dumps that cannot be are refused" refuses_bad_dumps
finish
