#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Programs of Debian's archive, as they are, on a Debian root: recorded twice they do the same,
# replayed they do it again, down to the last bit of memory.
#
#	debian.sh PROGRAM...		(debian_programs in debian_lib.sh)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"
. "$(dirname "$0")/debian_lib.sh"

need_kernel distro
need_debian
patience=600
# What CPUID answers is in memory: digests are equal on the same CPU only.
cpu=$(python3 -c 'import os, random; print(random.choice(sorted(os.sched_getaffinity(0))))')

record_program() {
	expect 0 ttrec run -q -f lab.yaml -o "$1" --grant window --cpu "$cpu"
	whole "$1"
}

same_twice() {
	local program=$1 guests
	ln -s "$kernel" linux
	debian_lab "$program"
	guests=$(grep -c 'kernel:' lab.yaml)
	record_program first.zst
	mv err first.err
	record_program t.zst
	same_history first.zst t.zst
	expect 0 ttdump diff first.zst t.zst
	at_least "$(records t.zst digest 0)" 10 "digests of n1"
	replays_all "$guests" t.zst
	never_says out 'not compared'
}

for program; do
	proves "$program of Debian: recorded twice equal, replayed identical" same_twice "$program"
done
finish
