#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the host is short of is status 4 and said: no difference of a guest, and no damage of a trace.
#
# TTREC_TEST_SHORTAGES: how many allocations of each command fail, one a run (12).
. "$(dirname "$0")/lib.sh"

need_kernel 6.12
shortages=${TTREC_TEST_SHORTAGES:-12}

# fails_well STATUS COMMAND...: it may do without the allocation, and else says what it was.
fails_well() {
	local status=0 wanted=$1
	shift
	FAIL_ALLOCATION=$number LD_PRELOAD="$bin/shortage.so" timeout 60 "$@" >out 2>err || status=$?
	case $status in
	"$wanted") return 0 ;;
	4) says err 'memory' ;;
	*) fail "allocation $number: status $status of $*" ;;
	esac
}

allocations() {
	local number step=$1 status=$2
	shift 2
	for ((number = 1; number <= shortages * step; number += step)); do
		fails_well "$status" "$@"
	done
}

of_ttdump() {
	expect 0 record -q -- off
	allocations 1 0 "$bin/ttdump" show t.zst
	allocations 7 0 "$bin/ttdump" stat t.zst
}

few_descriptors() {
	local files more free
	expect 0 record -q -- off
	# Above those that are inherited.
	free=$(python3 -c 'import os; print(os.open("/", os.O_RDONLY))')
	for more in 9 13 17; do
		files=$((free + more))
		expect 4 prlimit --nofile="$files" timeout 60 "$bin/ttreplay" t.zst
		says err 'hint: raise the limit of open files'
		expect 4 prlimit --nofile="$files" timeout 60 "$bin/ttrec" run -q -o u.zst "$kernel" mem=32M initrd="$initrd" do=off
		[[ ! -e u.zst ]] || fail "a trace was left behind"
	done
}

proves "an allocation that fails is no damaged trace to ttdump" of_ttdump
proves "a limit of open files is named" few_descriptors
finish
