#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# How a recording is judged, limited, kept and shown: every option, every exit status.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12

# What ended the recording is in the trace, and the trace replays up to there.
replays_to_its_end() {
	whole t.zst
	replays_identical t.zst
}

# told FILE...: these without what the wall clock has to say.
told() {
	sed -E 's/ in [0-9.]+ m?s\b//g; s/"wall_ns":[0-9]+//; s/(time|timestamp)="[^"]*"//g; s/ttrec-[0-9a-f]{32}//g' "$@"
}

# Two guests fail: in the time of the machine that of the later one is seen first, as the other has far more to do.
earliest_failure() {
	cat >lab.yaml <<-END
		guests:
		- {name: late, kernel: $kernel, initrd: $initrd, memory: 32M, append: '"do=sleep:2000000000,say:not ok 1 late,off"'}
		- {name: early, kernel: $kernel, initrd: $initrd, memory: 32M, append: '"do=nap:8000:125000,say:not ok 1 early,off"'}
		- {name: panics, kernel: $kernel, initrd: $initrd, memory: 32M, append: '"do=sleep:3000000000,exit:3"'}
	END
	local run name
	for run in 1 2 3; do
		expect 1 ttrec run -q --grant window --cpus $((run % 2 + 1)) --junit junit.xml --ci github -o t.zst -f lab.yaml
		failed_by console-line 'early: not ok 1 early'
		for name in late early panics; do
			says err "^::error title=ttrec run%2C $name"
		done
		told out err junit.xml >told.$run
		expect 1 ttrec run -q --json -o t.zst -f lab.yaml
		says out '"reason":"console output of early: not ok 1 early"'
	done
	cmp told.1 told.2 && cmp told.1 told.3
}

# ---- The guest fails ---------------------------------------------------------------------------------

panic() {
	expect 1 ttrec run -o t.zst "$kernel" mem=32M
	says out 'Kernel panic'
	says err '^FAILED: '
	failed_by console-line 'Kernel panic'
	says err 'replay it: ttreplay t.zst'
	replays_to_its_end
}

init_exits() {
	expect 1 record -- say:bye exit:3
	failed_by console-line 'Kernel panic.*Attempted to kill init'
	replays_to_its_end
}

not_ok() {
	expect 1 record -q -- 'say:not ok 3 - some_suite' off
	failed_by console-line 'not ok 3 - some_suite'
	replays_to_its_end
	expect 1 record -q -- 'say:    not ok 1 some_case' off
	expect 0 record -q -- 'say:this is not ok 3' 'say:ok 4 - suite' off
}

# Not as the panic of a second kernel that has no time.
reboots() {
	expect 1 record -- tick:3:10000000 reboot
	says out 'reboot: Restarting system'
	never_says out 'Kernel panic'
	failed_by guest-reboot 't=0\.[0-9]{9} s'
	[[ $(grep -c 'Linux version' out) == 1 ]] || fail "it booted again"
	replays_to_its_end
	# What a program prints is no reboot.
	expect 0 record -q -- 'say:reboot: Restarting system' off
}

bug() {
	expect 1 record -q -- 'bug:sleeping function called from invalid context' off
	failed_by console-line 'BUG: sleeping'
}

expectations() {
	expect 0 record -q --expect '^tick 3$' --expect '^hello' -- tick:3 'say:hello world' off
	expect 1 record -q --expect '^tick 3$' --expect '^goodbye' -- tick:3 'say:hello world' off
	failed_by line-missing '\^goodbye'
}

own_failures() {
	expect 1 record -q --fail-on '^tick 2$' -- tick:3 off
	failed_by console-line 'tick 2'
	# What is given replaces what is the default.
	expect 0 record -q --fail-on 'no such line' -- 'say:not ok 3 - some_suite' off
	expect 2 record -q --fail-on '(' -- off
	says err "invalid --fail-on '\\(': not a regular expression"
	expect 2 record -q --expect '[' -- off
}

keep_on_failure() {
	expect 0 record -q --keep on-failure -- off
	[[ ! -e t.zst ]] || fail "the trace of a guest that passed was kept"
	never_says err 't\.zst'
	expect 1 record -q --keep on-failure -- 'say:not ok 1' off
	replays_to_its_end
}

# ---- Limits ------------------------------------------------------------------------------------------

limit_virtual() {
	expect 1 record -q --limit-virtual 50ms -- tick:0:1000000
	failed_by limit-virtual ' 0\.050000000 s'
	says err 'hint: raise --limit-virtual'
	(($(fact now t.zst) <= 50000000))
	replays_to_its_end
	says out 'the recording ended with: the limit of '
	expect 0 record -q --limit-virtual 10s -- tick:10 off
}

limit_wall() {
	expect 1 record -q --digest off --limit-wall 500ms -- tick:0:1000000
	failed_by limit-wall ' 0\.500 s'
	replays_to_its_end
}

spinning() {
	expect 5 record -q --hang-timeout 1s -- tick:5:10000000 spin
	failed_by no-progress ' 1\.000 s .* t=.*: its process .init. \(pid 1\) computes at 0x[0-9a-f]+'
	says err 'hint: .*--hang-timeout'
	replays_to_its_end
	says out 'the recording ended with: the guest has run'
}

# A kernel has timers of its own: the time of a guest that waits for nothing flies.
waits_for_nothing() {
	expect 1 record -q --limit-virtual 1000s -- tick:2 pause
	failed_by limit-virtual ' 1000\.0* s'
	replays_to_its_end
}

# ---- What is recorded -----------------------------------------------------------------------------------

digests() {
	local waits auto
	expect 0 record -q --digest every -- tick:20 off
	waits=$(fact waits t.zst)
	(($(fact digests t.zst) == 2 * waits))
	expect 0 record -q --digest 10 -- tick:20 off
	(($(fact digests t.zst) >= 2 * (waits / 10) && $(fact digests t.zst) <= 2 * (waits / 10 + 1)))
	expect 0 record -q --digest auto -- tick:20 off
	auto=$(fact digests t.zst)
	((auto > 4 && auto < waits))
	replays_identical t.zst
	expect 0 record -q --digest off -- tick:20 off
	(($(fact digests t.zst) == 0))
	replays_identical t.zst
	expect 2 record -q --digest 0 -- off
	expect 2 record -q --digest sometimes -- off
}

time_of_day() {
	expect 0 record --tod 2000-01-01T00:00:00Z -- clock off
	says out '^clock 946684800'
	replays_identical t.zst
	expect 0 record --tod 1000000000 -- clock off
	says out '^clock 1000000000'
	expect 2 record --tod yesterday -- clock off
}

id() {
	expect 0 record -q --id 42 -- off
	ttdump show t.zst >shown
	says shown 'join +id 42\b'
	replays_identical t.zst
}

# ---- What is shown --------------------------------------------------------------------------------------

quiet() {
	expect 0 record -q -- 'say:hello' off
	empty out
	never_says err hello
	# A kernel without the patches has a note.
	(($(grep -cvE '^(ttrec: note|  hint): ' err) == 1))
	says err '^recorded: [0-9,]+ messages, [0-9,]+ memory digests, .* virtual in .* -> t\.zst \('
}

json() {
	expect 0 record --json -- 'say:hello' off
	empty err
	python3 - "$(fact messages t.zst)" <<-'END'
		import json, sys
		result = json.load(open("out"))
		assert result["passed"] is True and result["status"] == 0, result
		assert result["messages"] == int(sys.argv[1]) and result["trace"] == "t.zst", result
		assert result["seal"] == "full", result
	END
	expect 1 record --quiet --json -- 'say:not ok 1 - suite' off
	empty err
	python3 - <<-'END'
		import json
		result = json.load(open("out"))
		assert result["passed"] is False and result["status"] == 1, result
		assert "not ok 1" in result["reason"], result
	END
}

# on_terminal COMMAND: its output as a terminal gets it goes to the file screen.
on_terminal() {
	SHELL=/bin/bash script -qefc "$1" /dev/null >screen </dev/null
}

status_line() {
	expect 0 record -- tick:300:1000000 off
	never_says err 'real time'
	on_terminal "ttrec run --digest off -o t.zst $kernel mem=32M initrd=$initrd do=tick:20000:1000000,off"
	says screen ' s virtual, [0-9,]+ messages/s, [0-9.]+x real time'
	on_terminal "ttrec run -q --digest off -o t.zst $kernel mem=32M initrd=$initrd do=tick:20000:1000000,off"
	never_says screen 'real time'
	never_says screen 'tick'
}

# ---- The command line ---------------------------------------------------------------------------------------

usage_errors() {
	expect 2 ttrec
	expect 2 ttrec dance
	says err "unknown verb 'dance'"
	expect 2 ttrec run
	says err 'missing PROGRAM or KERNEL'
	expect 2 ttrec run --no-such-option "$kernel"
	expect 2 ttrec run --seed -1 "$kernel"
	expect 2 ttrec run --grant never "$kernel"
	expect 2 ttrec run --limit-wall soon "$kernel"
	expect 2 ttrec serve
	expect 2 ttrec serve --socket s
	expect 2 ttrec serve --socket s --clients 0
	expect 2 ttreplay
	expect 2 ttreplay --until now t.zst
	expect 2 ttreplay a b
	[[ -z $(find . -name '*.zst' -o -name s) ]] || fail "a usage error left a file behind"
}

# One screen wide, on standard output, and every option in it.
help() {
	local -a command
	while read -ra command; do
		expect 0 "${command[@]}" --help
		empty err
		(($(wc -l <out) > 5))
		! grep -nE '.{81}' out || fail "${command[*]} --help is wider than 80 columns"
	done <<-'END'
		ttrec
		ttrec run
		ttrec serve
		ttreplay
		ttdump
		ttdump show
		ttdump verify
	END
	expect 0 ttrec run --help
	local option
	for option in output seed tod id digest grant limit-virtual limit-wall hang-timeout expect fail-on \
		keep no-embed quiet json isolation allow cpu; do
		says out "--$option"
	done
}

proves "a kernel panic fails the run, its trace replays" panic
proves "an init that exits fails the run" init_exits
proves "KUnit's 'not ok' fails the run" not_ok
proves "'BUG:' fails the run" bug
proves "a guest that reboots is told so" reboots
proves "of several guests that fail the earliest is the reason, in all runs" earliest_failure
proves "what is expected has to be said" expectations
proves "what counts as failure can be replaced" own_failures
proves "only a failure's trace is kept when so wanted" keep_on_failure
proves "a limit of virtual time ends the run, its trace replays" limit_virtual
proves "a limit of wall time ends the run, its trace replays" limit_wall
proves "a guest that spins is a hang: named, status 5, its trace replays" spinning
proves "a guest that waits for nothing comes to the limit of virtual time" waits_for_nothing
proves "memory is hashed as often as wanted" digests
proves "the time of day is what --tod says" time_of_day
proves "the id is what --id says" id
proves "--quiet leaves one line" quiet
proves "--json is JSON and nothing else" json
proves "the status line is for terminals" status_line
proves "a wrong command line is status 2 and leaves nothing behind" usage_errors
proves "--help fits 80 columns" help
finish
