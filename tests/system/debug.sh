#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Looking at a guest on its way: where a replay stops, its memory in a file, gdb on it.
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
	ttdump show --json t.zst | grep -F "\"kind\":\"$1\"" | grep -F -- "${2-}" |
		sed -nE '1s/.*"number":([0-9]+).*/\1/p'
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
	says err 'no guest n7 in the trace'
	expect 2 ttreplay --until 'console:(' t.zst
	says err 'invalid regular expression'
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
	says err "--dump-memory: no guest 'n7' in the trace"
	expect 2 ttreplay --until 500 t.zst --dump-memory 0
	says err 'missing FILE'
	expect 2 ttreplay --until 500 --dump-memory 0 a --dump-memory 0 b t.zst
	says err 'is named twice'
	expect 2 ttreplay --until 500 --dump-memory 0 no/where t.zst
	says err 'cannot write no/where: No such file or directory'
	says err 'hint: check the path'
	(ulimit -f 4096 && trap '' XFSZ && expect 4 ttreplay --until 500 --dump-memory 0 core t.zst)
	[[ ! -e core ]] || fail "a core that was cut off stays"
	expect 4 ttreplay --until "$(record_of exit)" --dump-memory 0 core t.zst
	says err 'ended before that point'
}

# The trace must survive a slip of the hand.
never_overwrites_the_trace() {
	recorded
	local before
	before=$(sha256sum <"$work/t.zst")
	expect 2 ttreplay --until 500 --dump-memory 0 t.zst t.zst
	says err '--dump-memory: cannot overwrite t.zst'
	expect 2 ttreplay --junit "$work/t.zst" t.zst
	says err '--junit: cannot overwrite'
	[[ $(sha256sum <"$work/t.zst") == "$before" ]]
}

# ---- gdb -------------------------------------------------------------------------------------------

# debug STATUS [OPTION]... -- COMMAND...: gdb does each of these, one after the other.
debug() {
	local status=$1 command
	local -a options=() commands=()
	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	for command; do
		commands+=(-ex "$command")
	done
	expect "$status" ttreplay --gdb 0 "${options[@]}" t.zst -- -nx -batch "${commands[@]}"
}

gdb_stands_at_the_point() {
	need_gdb
	recorded
	local record
	record=$(record_of console 'tick 7')
	debug 0 --until console:'^tick 7$' -- bt 'p $tt_now' 'p $tt_record' 'p $tt_now_ns()' tt-when 'tt-records 2'
	says out " is before record $record, t=0\\.[0-9]{9} s\$"
	says out "^\\\$2 = $record\$"
	says out ' in os_poll|time_travel_'
	says out "guest time 0\\.[0-9]{9} s"
	says out "^=> +$record .*tick 7"
	(($(sed -n 's/^\$1 = //p' out) >= 6000000))
	[[ $(sed -n 's/^\$1 = //p' out) == $(sed -n 's/^\$3 = //p' out) ]]
	says out '^identical up to where it was stopped: .* [1-9][0-9]* memory digests'
	says out "stopped before record $record\$"
}

# As build-uml.sh --debug leaves them: the kernel without, what was taken off it below its build ID.
symbols_are_found_beside_the_kernel() {
	need_gdb
	local id directory=cache/ttrec/uml/debug/.build-id
	id=$(readelf -n "$kernel" | sed -n 's/.*Build ID: //p')
	mkdir -p "$directory/${id:0:2}"
	objcopy --only-keep-debug "$kernel" "$directory/${id:0:2}/${id:2}.debug"
	objcopy --strip-all "$kernel" linux
	kernel=./linux record -q -- say:hello off
	XDG_CACHE_HOME=$PWD/nowhere debug 0 -- 'info address time_travel_time'
	says err 'No symbol table is loaded|No symbol "time_travel_time"'
	XDG_CACHE_HOME=$PWD/cache debug 0 -- 'info address time_travel_time'
	says out 'Symbol "time_travel_time" is .*at 0x6'
}

continued_it_is_identical() {
	need_gdb
	recorded
	debug 0 -- continue tt-when
	says out 'exited normally'
	says out ' has ended$'
	says out '^identical: .* [1-9][0-9]* memory digests'
	never_says out 'memory:'
}

held_often_it_is_identical() {
	need_gdb
	recorded
	debug 0 --until console:'^tick 15$' -- 'python while gdb.selected_inferior().pid: gdb.execute("tt-run-to +1")'
	at_least "$(grep -c ' is before record ' out)" 50 'stops'
	says out '^identical: .* [1-9][0-9]* memory digests'
	never_says out 'memory:'
}

runs_to_points() {
	need_gdb
	recorded
	local tick early
	tick=$(record_of console 'tick 9')
	early=$(record_of from REQUEST)
	debug 0 -- "tt-run-to $early" 'tt-run-to console:^tick 9$' 'tt-run-to +2ms' "tt-run-to $early" \
		'tt-run-to irq:1' tt-run-to
	says out " is before record $early,"
	says out " is before record $tick,"
	says err "'$early' is record $early, which has passed"
	says err 'there are 0 device interrupts'
	says err 'missing point'
}

stops_at_breakpoints() {
	need_gdb
	recorded
	debug 0 --until console:'^tick 7$' -- 'break timer_handler' continue bt 'tt-run-to 99999' delete \
		'watch *(long *)&time_travel_time' continue bt delete continue
	says out 'Breakpoint 1, .* in timer_handler'
	says out ' in timer_real_alarm_handler'
	says out '^Hardware watchpoint 2'
	says out '^#0 .* in .*time_travel_'
	says out '^identical: '
}

# The kernel of a trace runs in its sandbox, not beside it.
gdb_starts_nothing_anew() {
	need_gdb
	recorded
	debug 0 -- run start starti tt-when
	(($(grep -c 'the replay has started the guest' err) == 3))
	says out 'guest time'
}

# While gdb has it the guest may take its time.
never_hangs_in_gdb() {
	need_gdb
	recorded
	debug 0 --hang-timeout 300ms --until console:'^tick 7$' -- 'shell sleep 1' 'break timer_handler' continue \
		'shell sleep 1' delete continue
	says out '^identical: '
}

stops_where_it_diverges() {
	need_gdb
	recorded
	debug 1 --until console:'^tick 7$' -- 'set var *(long *)&jiffies += 100000' continue bt
	says out '^DIVERGED at record [0-9]+: expected .*, got '
	says out '^DIVERGED at record [0-9]+, guest '
	says out '^#1 '
}

leaves_nothing_behind() {
	need_gdb
	recorded
	debug 0 -- 'python print("kernel", gdb.objfiles()[0].filename)'
	says out '^kernel /tmp/ttreplay-'
	[[ ! -e $(dirname "$(sed -n 's/^kernel //p' out)") ]]
	! pgrep -f "$(sed -n 's/^kernel //p' out)"
}

# Also when gdb is busy with something else.
ends_when_told_to() {
	need_gdb
	recorded
	local pid status=0
	"$bin/ttreplay" --gdb 0 t.zst -- -nx -batch -ex 'shell touch busy; sleep 9' >out 2>err &
	pid=$!
	wait_for 20 test -e busy
	kill -TERM "$pid"
	wait "$pid" || status=$?
	((status == 128 + 15))
	says out '^identical up to where it was stopped'
}

needs_a_gdb_with_python() {
	recorded
	mkdir bad
	PATH=$PWD/bad expect 4 "$bin/ttreplay" --gdb 0 t.zst
	says err 'gdb is not installed'
	says err 'hint: install gdb'
	printf '#!/bin/sh\nexit 1\n' >bad/gdb
	chmod +x bad/gdb
	PATH=$PWD/bad:/usr/bin:/bin expect 4 "$bin/ttreplay" --gdb 0 t.zst
	says err 'this gdb has no Python'
	# One that is there, and has not the guest in the end.
	printf '#!/bin/sh\n[ "$4" = "python import socket" ]\n' >bad/gdb
	PATH=$PWD/bad:/usr/bin:/bin expect 4 "$bin/ttreplay" --gdb 0 t.zst
	says err 'gdb ended before it attached to .*'
	says err 'hint: allow ptrace\(2\)'
	expect 2 ttreplay --gdb n7 t.zst
	says err "--gdb: no guest 'n7' in the trace"
	expect 2 ttreplay t.zst -- -batch
	says err 'more than one trace given'
}

# On a terminal: what is typed, and when.
interrupt_is_gdbs() {
	need_gdb
	recorded
	cat >type.py <<-'EOF'
		import os, pty, sys
		def until(text):
		    seen = b""
		    while text not in seen:
		        seen += os.read(terminal, 4096)
		pid, terminal = pty.fork()
		if not pid:
		    os.execvp("ttreplay", ["ttreplay", "--gdb", "0", "t.zst", "--", "-nx"])
		until(b"(gdb) ")
		os.write(terminal, b"\x03")
		until(b"Quit")
		os.write(terminal, b"tt-when\n")
		until(b"guest time")
		os.write(terminal, b"continue\n")
		until(b"exited normally")
		os.write(terminal, b"quit\n")
		until(b"identical: ")
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	EOF
	timeout 60 python3 type.py
}

proves "a replay stops at a record, a time, a line of the console" stops_where_it_is_told_to
proves "a point that is not in the trace is refused with what there is" refuses_what_is_not_there
proves "a guest's memory opens in gdb: symbols, variables, backtrace" memory_opens_in_gdb
proves "a guest's memory is the same each time" memory_is_the_same_each_time
proves "where a guest diverges its memory is written" memory_where_it_diverges
proves "dumps that cannot be are refused" refuses_bad_dumps
proves "no file that is written replaces the trace" never_overwrites_the_trace
proves "gdb stands where the guest was to stop, and knows where that is" gdb_stands_at_the_point
proves "symbols that were taken off the kernel are found by its build ID" symbols_are_found_beside_the_kernel
proves "a guest that gdb just continues is identical" continued_it_is_identical
proves "a guest that is held before each record is identical" held_often_it_is_identical
proves "tt-run-to goes to points, never back" runs_to_points
proves "breakpoints and watchpoints stop the guest" stops_at_breakpoints
proves "run in gdb does not start the trace's kernel on this machine" gdb_starts_nothing_anew
proves "a guest that gdb has stopped does not hang" never_hangs_in_gdb
proves "where the guest diverges gdb has it" stops_where_it_diverges
proves "told to end it ends, gdb too" ends_when_told_to
proves "neither gdb nor its files stay" leaves_nothing_behind
proves "without gdb, or Python in it, it is said what to install" needs_a_gdb_with_python
proves "Ctrl-C is gdb's" interrupt_is_gdbs
finish
