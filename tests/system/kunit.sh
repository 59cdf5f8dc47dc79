#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The kernel's own tests run under ttrec: a failing suite is caught, its trace kept and replayed.
. "$(dirname "$0")/lib.sh"

need_kernel kunit

# suites GLOB [OPTION]...: the suites that match run at boot, then the guest powers off.
suites() {
	ttrec run --keep on-failure -o t.zst "${@:2}" "$kernel" mem=64M kunit_shutdown=poweroff \
		"kunit.filter_glob=$1"
}

passing() {
	expect 0 suites 'list*' --expect '^ok 1 list'
	says out '^ok 1 list-kunit-test'
	[[ ! -e t.zst ]] || fail "the trace of a suite that passed was kept"
}

several() {
	expect 0 suites 'h*' --keep always
	whole t.zst
	replays_identical t.zst
}

# Without DAMON's own tests built, the regions this suite asks for are refused (kunit.config).
failing() {
	expect 1 suites 'damon*'
	says err '^FAILED: '
	says err 'why: the console said: .*not ok [0-9]+ '
	says err 'replay it: ttreplay t.zst'
	whole t.zst
	ttreplay --console t.zst >out 2>err
	says out '^identical: '
	says out 'not ok [0-9]+ damon'
}

proves "a suite that passes is recorded as passed" passing
proves "suites replay identically" several
proves "a suite that fails is caught, kept and replayed" failing
finish
