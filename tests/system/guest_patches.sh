#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# With the guest patches programs read the time stamp counter in virtual time, see the same processor
# everywhere, work takes virtual time, and dynamic programs replay with equal memory.
#
#	guest_patches.sh [VERSION]
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

version=${1:-6.12}
need_kernel "$version"
[[ $(guest_patches "$kernel") == *counter*work*cpuid* ]] || {
	echo "1..0 # SKIP $kernel IS BUILT WITHOUT THE GUEST PATCHES, NOTHING WAS TESTED"
	exit 77
}
# 7.2 has another way to hold user space, besides ptrace.
modes=('')
[[ $version != 7.2 ]] || modes+=('seccomp=on')

# pack ACTION...: a guest whose static and whose dynamic program do these.
pack() {
	local loader libc
	loader=$(readlink -f /lib64/ld-linux-x86-64.so.2)
	libc=$(ldd "$bin/guest_work_dynamic" | sed -n 's/.* => \(.*libc\.so\.6\) .*/\1/p')
	{
		echo '#!/bin/sh'
		echo 'mount -t proc proc /proc; mount -t devtmpfs devtmpfs /dev 2>/dev/null'
		echo "/static $*; /dynamic $*"
		echo 'poweroff -f'
	} >init
	"$source_dir/kernel/uml/make-initramfs.sh" -o guest.gz -i init -a "$bin/guest_work:/static" \
		-a "$bin/guest_work_dynamic:/dynamic" -a "$loader:/lib64/ld-linux-x86-64.so.2" \
		-a "$libc:$libc"
}

# run NAME [OPTION]...: recorded in each mode; on one CPU, whose number reaches memory.
run() {
	local name=$1
	shift
	# shellcheck disable=SC2086 # no word or one
	expect 0 ttrec run --cpu 0 -o "$name.zst" "$@" "$kernel" mem=64M initrd=guest.gz $mode
	at_least "$(grep -c '^ok ' out)" 2 "actions that passed"
	never_says out '^not ok'
}

# The counter is the clock, and all that a dynamic loader notes of it is the same again.
counter_is_virtual() {
	local mode
	pack counter prefixed
	for mode in "${modes[@]}"; do
		run first --digest 8
		run second --digest 8
		at_least "$(fact digests first.zst)" 20 "digests"
		expect 0 ttdump diff first.zst second.zst
		replays_identical first.zst
		replays_identical first.zst
	done
}

polling_ends() {
	local mode
	pack yield call fail loop preempt
	for mode in "${modes[@]}"; do
		run t
		replays_identical t.zst
	done
}

cpu_time_exists() {
	local mode
	pack cpu virtual
	for mode in "${modes[@]}"; do
		run t
		replays_identical t.zst
	done
}

# With a cost of 0.1 ms ten thousand system calls are a second.
cost_is_chosen() {
	local mode=
	pack limit
	run t --work-cost 100000,500
	says out '^limit: signal 24'
	says err ' 2\.[0-9]+ s virtual'
	replays_identical t.zst
	expect 0 ttdump show --grep um_work_cost t.zst
	says out 'um_work_cost=100000,500'
}

without_cost() {
	local mode=
	pack counter
	run t --work-cost off
	expect 0 ttdump show --grep um_work_cost t.zst
	never_says out 'um_work_cost='
	replays_identical t.zst
	expect 2 ttrec run --work-cost 5 "$kernel"
	says err "expected SYSCALL,FAULT"
}

# Recorded again with what the trace says, not with today's default.
again_with_the_recorded_cost() {
	local mode=
	pack counter
	run t --work-cost 300,600
	expect 0 ttrec run --cpu 0 --again t.zst -o again.zst
	expect 0 ttdump diff t.zst again.zst
}

# Another number of the CPU is all of another machine that there is here.
processor_is_the_same() {
	local mode
	ttrec doctor | grep -q 'cpuid: can fault' || skip "CPUID cannot fault here"
	pack processor
	for mode in "${modes[@]}"; do
		run t --digest 8
		says out '^processor User-Mode Linux virtual processor '
		replays_identical t.zst
		taskset -c 1 true || skip "needs two CPUs"
		expect 0 taskset -c 1 ttreplay t.zst
		says out '^identical: .* [1-9][0-9]* memory digests'
	done
}

# A program that needs AVX finds it.
processor_of_the_host() {
	pack processor
	expect 1 ttrec run -o t.zst "$kernel" mem=64M initrd=guest.gz um_cpuid=host
	says out '^processor '
	never_says out 'User-Mode Linux virtual processor'
	expect 0 ttdump show --grep virtual-cpu t.zst
	never_says out 'virtual-cpu'
}

proves "the time stamp counter reads virtual time; memory is equal with dynamic programs" counter_is_virtual
proves "loops that poll without a clock end, and are preempted" polling_ends
proves "CPU time exists, to the nanosecond, and its timer fires" cpu_time_exists
proves "what work costs is chosen, and RLIMIT_CPU holds" cost_is_chosen
proves "without a cost nothing is added" without_cost
proves "recorded again, work costs what it did" again_with_the_recorded_cost
proves "programs see the same processor on each CPU, and memory is equal" processor_is_the_same
proves "um_cpuid=host shows them the host's" processor_of_the_host
finish
