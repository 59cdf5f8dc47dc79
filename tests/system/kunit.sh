#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Tests that nobody here wrote: the kernel's own suites are recorded, replayed, and caught when they fail.
. "$(dirname "$0")/lib.sh"

need_kernel kunit

# suites GLOB [OPTION]...: the suites that match run at boot, then the guest powers off.
suites() {
	ttrec run -o t.zst "${@:2}" "$kernel" mem=64M kunit_shutdown=poweroff "kunit.filter_glob=$1"
}

# printed FILE: console lines without their time stamps.
printed() {
	tr -d '\r' <"$1" | sed 's/^\[[^]]*\] //'
}

pass() {
	expect 0 suites 'kunit*' --expect '^ok 1 kunit_executor_test$'
	printed out >console
	never_says console '^ *not ok'
	at_least "$(grep -cE '^ok [0-9]+ ' console)" 5 "suites"
	# All that were planned.
	says console "^1\.\.$(grep -cE '^ok [0-9]+ ' console)$"
	whole t.zst
	replays_identical t.zst
	says out ' memory digests'
}

# A failure of the kernel's own, see kernel/uml/kunit.config: nothing here pretends it.
caught() {
	expect 1 suites damon-operations --quiet --keep on-failure
	says err '^FAILED: '
	failed_by console-line 'not ok [0-9]+ damon'
	says err 'replay it: ttreplay t.zst'
	whole t.zst
	expect 0 ttreplay --console t.zst
	printed out >console
	says console '^not ok 1 damon-operations$'
	says console '^identical: '
	for _ in 1 2 3; do
		replays_identical t.zst
	done
}

caught_among_all() {
	expect 1 suites '*'
	printed out >console
	at_least "$(grep -cE '^ok [0-9]+ ' console)" 15 "suites that pass"
	[[ $(grep -E '^not ok' console) =~ ^not\ ok\ [0-9]+\ damon-operations$ ]] ||
		fail "other suites fail: $(grep -E '^not ok' console)"
	replays_identical t.zst
}

not_kept() {
	expect 0 suites example --quiet --keep on-failure --expect '^ok 1 example$'
	says err '^recorded: '
	[[ ! -e t.zst ]]
}

proves "the kernel's own suites pass, and replay identically" pass
proves "a suite that fails is caught by 'not ok', kept, and fails the same way again" caught
proves "it is caught among all the others" caught_among_all
proves "of a suite that passes no trace is kept" not_kept
finish
