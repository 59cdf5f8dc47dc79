#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# instructions.sh VERSION: what a program asks the processor is recorded by nobody. Where a replay
# differs by it, the program and its instruction are named; beforehand, programs are looked through.
. "$(dirname "$0")/lib.sh"

version=${1:-6.12}
need_kernel "$version"

need_disassembler() {
	ttrec doctor --instructions "$initrd" >/dev/null 2>why ||
		skip "THIS TTREC WAS BUILT WITHOUT A DISASSEMBLER: $(head -n 1 why)"
}

# doctor_says KERNEL REGEX: of that kernel, whatever else it finds.
doctor_says() {
	ttrec doctor "$1" >doctor.out || :
	grep -qE "$2" doctor.out
}

# has_patches KERNEL: the counter is virtual time in its guests.
has_patches() {
	doctor_says "$1" '^ok      time stamp counter'
}

# From here on the kernel is one without patches.
need_plain_kernel() {
	local plain
	plain=$kernel
	! has_patches "$kernel" || plain=${TTREC_TEST_KERNEL_PLAIN:-}
	[[ $plain ]] || plain=$("$source_dir/kernel/uml/build-uml.sh" --patches none --print-path "$version" 2>/dev/null) ||
		skip "NO KERNEL $version WITHOUT PATCHES; build one: kernel/uml/build-uml.sh --patches none $version"
	kernel=$plain
	! doctor_says "$kernel" '^MISSING programs' ||
		skip "A KERNEL $version WITHOUT PATCHES RUNS NO PROGRAMS ON THIS PROCESSOR (AMX)"
}

# listed INSTRUCTION: where init has it.
listed() {
	ttrec doctor --json --instructions "$initrd" | python3 -c '
import json, sys
print(*(hex(item["address"]) for item in json.load(sys.stdin)
        if item["file"].endswith("init") and item["instruction"] == sys.argv[1]), sep="\n")' "$1"
}

# ---- Of a replay that differs -----------------------------------------------------------------------

# names INSTRUCTION: the divergence is put down to init, and to a place where it has that.
names() {
	local found
	found=$(sed -nE "s/.*'init' \(pid 1\)(, which was running,)? has $1 at (0x[0-9a-f]+).*/\2/p" out | head -n 1)
	[[ $found ]] || fail "no $1 of init is named: $(cat out)"
	listed "$1" | grep -qxF "$found" || fail "init has no $1 at $found, but at: $(listed "$1")"
}

random_numbers() {
	need_disassembler
	grep -qw rdrand /proc/cpuinfo || skip "this processor has no rdrand"
	expect 0 record -q -- sleep:1000 draw sleep:1000 off
	expect 1 ttreplay t.zst
	says out "^  the guest was running its process 'init' \(pid 1\)"
	says out '(possible cause|or): .* \[processor-random\]$'
	says out 'hint: .*THE PROCESSOR in ttrec\(7\)'
	names rdrand
	expect 1 ttreplay --json t.zst
	python3 - <<-'END'
		import json
		verdict = json.load(open("out"))
		assert verdict["process"] == {"name": "init", "pid": 1}, verdict
		assert "rdrand" in [i["instruction"] for i in verdict["instructions"]], verdict
	END
}

# The program has ended when what it printed is looked at: its file is named.
ended_program() {
	need_disassembler
	grep -qw rdrand /proc/cpuinfo || skip "this processor has no rdrand"
	printf '#!/bin/sh\ndo=draw /bin/dice\n' >test
	chmod 755 test
	"$source_dir/kernel/uml/make-initramfs.sh" -o initrd.gz -a test:/test -a "$bin/guest_init:/bin/dice"
	initrd=$PWD/initrd.gz
	expect 0 record -q --digest off -- off
	expect 1 ttreplay t.zst
	# 5.10 was not seen to run a process when it is looked at there.
	[[ ${1:-} == 5.10 ]] || says out "^  the guest was running its process '[a-z]+' \(pid [0-9]+\)"
	says out "/?bin/dice in its initrd has rdrand at 0x[0-9a-f]+, do_draw"
}

counter() {
	need_disassembler
	need_plain_kernel
	expect 0 record -q -- sleep:1000 counter sleep:1000 off
	[[ $(grep -c 'warning: programs of n1 read this machine.s time stamp counter' err) == 1 ]] ||
		fail "it is not said once that memory will differ"
	says err '^  hint: .*build-uml.sh'
	expect 1 ttreplay t.zst
	never_says out 'unknown: probably'
	says out 'possible cause: .* \[time-stamp-counter\]$'
	says out 'hint: .*build-uml.sh'
	names rdtscp
	# Where memory is not compared nothing is said of it.
	expect 0 record -q --digest off -- off
	never_says err 'time stamp counter'
}

# With the patches the counter is no leak, and is not suspected.
counter_with_patches() {
	has_patches "$kernel" || skip "this kernel has no patches"
	expect 0 record -q -- sleep:1000 counter draw sleep:1000 off
	never_says err 'time stamp counter'
	expect 1 ttreplay t.zst
	never_says out 'rdtsc'
	expect 0 record -q -- counter sleep:1000 counter off
	replays_identical t.zst
}

# ---- Beforehand -------------------------------------------------------------------------------------

doctor_knows_kernels() {
	if has_patches "$kernel"; then
		expect 0 ttrec doctor "$kernel"
		says out '^ok      time stamp counter: virtual time'
	else
		ttrec doctor "$kernel" >out || (($? == 4))
		says out '^warning time stamp counter: .*memory differs on replay'
		says out 'hint: build it with kernel/uml/build-uml.sh'
	fi
	says out '^note    cpuid: '
}

# As many as another disassembler finds, at the same places.
as_objdump_finds() {
	local loader
	need_disassembler
	loader=$(readelf -lW /bin/bash | sed -nE 's/.*interpreter: (.*)\]/\1/p')
	objdump -d "$loader" | sed -nE 's/^ *([0-9a-f]+):.*\s(rdtscp?|rdrand|rdseed|cpuid)\b.*/\2 \1/p' | sort >wanted
	[[ -s wanted ]] || fail "objdump finds nothing in $loader"
	ttrec doctor --json --instructions "$loader" | python3 -c '
import json, sys
for item in json.load(sys.stdin): print(item["instruction"], "%x" % item["address"])' | sort >found
	diff wanted found
}

programs() {
	need_disassembler
	expect 0 ttrec doctor --instructions "$initrd"
	says out '^/?init$'
	says out '^    rdrand  0x[0-9a-f]+  (do_draw|.*)\+'
	says out 'rdrand, rdseed: cannot be trapped; see THE PROCESSOR'
	mkdir tree tree/bin
	(cd tree && cpio -id --quiet <"$initrd" && mv init bin/)
	echo text >tree/readme
	ln -s /nowhere tree/link
	expect 0 ttrec doctor --instructions tree
	says out '^/bin/init$'
	says out '^1 of 1 programs and libraries'
	gzip -c <"$initrd" >packed.gz
	zstd -q -c <"$initrd" >packed.zst
	expect 0 ttrec doctor --instructions packed.gz
	says out '^/?init$'
	expect 0 ttrec doctor --instructions packed.zst
	says out '^/?init$'
}

what_is_none() {
	need_disassembler
	echo "no program" >text
	expect 4 ttrec doctor --instructions text
	says err 'text is neither a program of this machine nor an archive'
	expect 2 ttrec doctor --instructions nowhere
	says err 'cannot read nowhere: No such file'
	expect 2 ttrec doctor --instructions text "$kernel"
	# Damaged: nothing is found in it, and nothing ends with a signal.
	head -c 3000 "$(command -v bash)" >cut
	expect 0 ttrec doctor --instructions cut
	says out '^0 of '
}

proves "random numbers of the processor are named with program and place" random_numbers
proves "of a program that has ended, the file is named" ended_program "$version"
proves "the time stamp counter is, of a kernel without the patches" counter
proves "with the patches it is not a suspect" counter_with_patches
proves "the doctor says what a kernel keeps from its programs" doctor_knows_kernels
proves "instructions are those that objdump finds" as_objdump_finds
proves "programs are looked through in files, directories and archives" programs
proves "what holds no program is refused, a damaged one holds nothing" what_is_none
finish
