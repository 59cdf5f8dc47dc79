#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Tests that nobody here wrote: the kernel's own suites are recorded, replayed, and caught when they fail.
. "$(dirname "$0")/lib.sh"

need_kernel kunit

# suites MEMORY [OPTION]... [-- KERNEL-ARGUMENT]...: the kernel runs its suites and powers off.
suites() {
	local memory=$1
	local -a options=()
	shift
	while (($#)) && [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	ttrec run -o t.zst "${options[@]}" "$kernel" mem="$memory" kunit_shutdown=poweroff "${@:2}"
}

# printed FILE: console lines without their time stamps.
printed() {
	tr -d '\r' <"$1" | sed 's/^\[[^]]*\] //'
}

all_but_slow() {
	expect 0 suites 64M -- 'kunit.filter=speed>slow'
	printed out >console
	says console '^ok [0-9]+ kunit_status$'
	says console '^ok [0-9]+ iov_iter$'
	never_says console '^ *not ok'
	at_least "$(grep -cE '^ok [0-9]+ ' console)" 20 "suites"
	# All that were planned.
	[[ $(grep -E '^1\.\.' console | tail -n 1) == "1..$(grep -cE '^ok [0-9]+ ' console)" ]]
	whole t.zst
	replays_identical t.zst
	says out ' memory digests'
}

# 24 MB do not hold the buffers of iov_iter: a failure of the kernel's own, and nothing here pretends it.
caught() {
	expect 1 suites 24M --quiet --keep on-failure -- kunit.filter_glob=iov_iter
	says err '^FAILED: '
	says err 'why: the console said: +not ok [0-9]+ iov_kunit_'
	says err 'replay it: ttreplay t.zst'
	whole t.zst
	expect 0 ttreplay --console t.zst
	printed out >console
	says console '^not ok 1 iov_iter$'
	says console '^identical: '
	for _ in 1 2 3; do
		replays_identical t.zst
	done
}

not_kept() {
	expect 0 suites 64M --quiet --keep on-failure --expect '^ok 1 iov_iter$' -- kunit.filter_glob=iov_iter
	says err '^recorded: '
	[[ ! -e t.zst ]]
}

proves "the kernel's own suites pass, and replay identically" all_but_slow
proves "a suite that fails is caught by 'not ok', kept, and fails the same way again" caught
proves "of a suite that passes no trace is kept" not_kept
finish
