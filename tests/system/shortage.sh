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
	for more in 8 9 10 13 17; do
		files=$((free + more))
		expect 4 prlimit --nofile="$files" timeout 60 "$bin/ttreplay" t.zst
		says err 'hint: raise the limit of open files'
		expect 4 prlimit --nofile="$files" timeout 60 "$bin/ttrec" run -q -o u.zst "$kernel" mem=32M initrd="$initrd" do=off
		[[ ! -e u.zst ]] || fail "a trace was left behind"
	done
}

# ---- What stands in the place of /dev/null -----------------------------------------------------------------

# with_null FILE COMMAND...: that is /dev/null for it, and for nobody else.
with_null() {
	unshare -m --propagation private sh -c 'mount --bind "$1" /dev/null && shift && exec "$@"' sh "$@"
}

# refused FILE WHAT: by all who start guests, before they start one.
refused() {
	local what="this machine.s /dev/null, which each guest opens, $2"
	expect 4 with_null "$1" timeout 60 "$bin/ttrec" run -q -o u.zst "$kernel" mem=32M initrd="$initrd" do=off
	says err "$what"
	[[ ! -e u.zst ]] || fail "a trace was left behind"
	expect 4 with_null "$1" timeout 60 "$bin/ttreplay" t.zst
	says err "$what"
	expect 4 with_null "$1" timeout 60 "$bin/ttrec" doctor
	says out "^MISSING devices: $what"
}

another_null() {
	((EUID == 0)) || skip "needs root"
	expect 0 record -q -- say:here off
	: >file
	chmod 666 file
	mkfifo fifo
	mknod device c 1 3 2>log || skip "no devices can be made here"
	chmod 600 device
	refused file 'is a regular file instead of the device 1:3'
	refused fifo 'is a FIFO instead of the device 1:3'
	refused /dev/zero 'is the device 1:5 instead of 1:3'
	refused device 'may not be read and written by the guest.s user .mode 0600.'
	chmod 666 device
	expect 0 with_null device timeout 60 "$bin/ttreplay" t.zst
}

proves "an allocation that fails is no damaged trace to ttdump" of_ttdump
proves "a limit of open files is named" few_descriptors
proves "something else in the place of /dev/null is named before a guest starts" another_null
finish
