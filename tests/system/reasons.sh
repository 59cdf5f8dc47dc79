#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Where two guests of a lab fail, equal runs give the same reason, to people, programs and CIs: the
# earliest in virtual time, of several the guest that comes first. Anything else the machine does.
#
# TTREC_TEST_ROUNDS: how often each lab is recorded (4).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
pack_guests
rounds=${TTREC_TEST_ROUNDS:-4}

# ruled NAME NUMBER: what equal runs have in common of the files that a run has left.
ruled() {
	case $1 in
	why) grep -A1 -E '^  why: ' "err.$2" ;;
	annotations) grep -E '^::error' "told.$2" ;;
	summary) sed -E 's/[0-9.]+ m?s of wall time//' "summary.$2" ;;
	junit) sed -E 's/ (time|timestamp)="[^"]*"//g' "junit.$2" ;;
	json) python3 -c '
import json, sys
told = json.load(sys.stdin)
for name in ("wall_ns", "trace_bytes"):
    del told[name]
print(json.dumps(told, sort_keys=True))' <"json.$2" ;;
	esac
}

# recorded NUMBER STATUS [OPTION]...: all that is reported of one run. Every other has company on its CPUs.
recorded() {
	local number=$1 wanted=$2 load=() i
	if ((number % 2)); then
		for ((i = 0; i < 2 * $(nproc); i++)); do
			(while :; do :; done) &
			load+=($!)
		done
	fi
	expect "$wanted" record_lab "${@:3}"
	mv err "err.$number"
	expect "$wanted" record_lab --json "${@:3}"
	mv out "json.$number"
	GITHUB_STEP_SUMMARY=$PWD/summary.$number expect "$wanted" record_lab --ci github --junit "junit.$number" "${@:3}"
	mv err "told.$number"
	((${#load[@]} == 0)) || kill "${load[@]}"
}

# always REASON STATUS [OPTION]...: it is that in each run of lab.yaml.
always() {
	local reason=$1 status=$2 i what
	shift 2
	for ((i = 1; i <= rounds; i++)); do
		recorded "$i" "$status" "$@"
		says "err.$i" "$reason"
		for what in why annotations summary junit json; do
			ruled "$what" "$i" >"$what.$i.ruled"
			[[ -s $what.$i.ruled ]] || fail "nothing is told: $what"
			diff "$what.1.ruled" "$what.$i.ruled" || fail "the runs 1 and $i differ: $what"
		done
	done
}

# both_fail DELAY ACTIONS ACTIONS REASON
both_fail() {
	network="networks: [{name: lan, delay: $1}]"
	lab "$(guest 1 "$2,off")" "$(guest 2 "$3,off")"
	always "why: .*$4" 1 --fail-on '^bad'
}

# rogue_guest NODE ACTION...: a line of a lab file.
rogue_guest() {
	printf '  - {name: n%s, kernel: "%s", initrd: ./initrd.gz, memory: 64M, append: "does=%s", devices: [{net: lan}]}\n' \
		"$1" "$bin/rogue_kernel" "$(actions "${@:2}")"
}

# both_end DELAY REASON: with another status, without powering off.
both_end() {
	network="networks: [{name: lan, delay: $1}]"
	lab "$(rogue_guest 1 connect start ticks:20 exit:3)" "$(rogue_guest 2 connect start ticks:10 exit:4)"
	always "why: .*$2" 1
}

proves "the earlier of two failures is the reason" both_fail 100us sleep:2,say:bad sleep:1,say:bad 'of n2.*bad'
proves "the same where they share a partition" both_fail 0 sleep:2,say:bad sleep:1,say:bad 'of n2.*bad'
proves "of two at one time that of the first guest is" both_fail 100us say:bad say:bad 'of n[12].*bad'
proves "the first of two exit statuses is the reason" both_end 100us 'n2.*exit status 4'
proves "the same where they share a partition" both_end 0 'n2.*exit status 4'
finish
