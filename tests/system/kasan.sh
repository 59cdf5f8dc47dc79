#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A kernel that watches its own memory, locks and arithmetic (KASAN, lockdep, UBSAN) in the sandbox: its suites are
# recorded, replayed with all digests, and what KASAN finds is seen.
. "$(dirname "$0")/lib.sh"

need_kernel kasan

# The commands of lib.sh, with more patience.
ttrec() {
	timeout --foreground 300 "$bin/ttrec" "$@"
}

ttreplay() {
	timeout --foreground 300 "$bin/ttreplay" "$@"
}

# suites GLOB [OPTION]...: the suites that match run at boot, then the guest powers off.
suites() {
	ttrec run -o t.zst "${@:2}" "$kernel" mem=256M kunit_shutdown=poweroff "kunit.filter_glob=$1"
}

# printed FILE: console lines without their time stamps.
printed() {
	tr -d '\r' <"$1" | sed 's/^\[[^]]*\] //'
}

# identical TRACE: with memory compared.
identical() {
	replays_identical "$1"
	says out '^identical: .* [1-9][0-9]* memory digests'
}

passes() {
	expect 0 suites 'kunit*' --expect '^ok 1 kunit_executor_test$'
	printed out >console
	at_least "$(grep -cE '^ok [0-9]+ ' console)" 5 "suites"
	whole t.zst
	identical t.zst
	identical t.zst
}

# Its own suite makes KASAN report one mistake after the other.
reports() {
	suites 'kasan' --fail-on '^not ok' >out 2>err || true
	printed out >console
	at_least "$(grep -cE 'BUG: KASAN: ' console)" 20 "reports of KASAN"
	at_least "$(grep -cE '^ +ok [0-9]+ ' console)" 20 "cases of its suite"
	whole t.zst
	identical t.zst
	identical t.zst
}

# Without an option what KASAN reports fails the run.
fails() {
	expect 1 suites 'kasan' --quiet
	failed_by console-line 'BUG: KASAN: '
}

# KASAN's own suite would make reports.
boots() {
	expect 0 ttrec run -o t.zst --expect '^hello$' "$kernel" mem=128M initrd="$initrd" \
		'kunit.filter_glob=cmdline' 'do="say:hello,off"'
	identical t.zst
}

proves "suites run with KASAN, and replay identically with all digests" passes
proves "what KASAN reports in its own suite is recorded and replayed identically" reports
proves "a report of KASAN fails the run" fails
proves "user space runs on it" boots
finish
