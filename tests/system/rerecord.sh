#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What was recorded is recorded again from its trace, the same, or with something else in it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
pack_guests
patch=$source_dir/tests/system/patch_kernel.py
ticks=(tick:5:3000000 random off)

# another COPY HOW...: a build of $kernel that is not the same.
another() {
	python3 "$patch" "$kernel" "$@"
}

rerecord() {
	ttrec run -q --rerecord t.zst "$@"
}

# All that is compared is equal, and so are the guests' histories.
agrees() {
	says err "^  re-recorded: agrees with t.zst to the end$"
	never_says err 'not compared'
	same_history t.zst again.zst
	whole again.zst
}

one_guest() {
	expect 0 record --digest every --seed 7 -- "${ticks[@]}"
	expect 0 rerecord
	agrees
	cmp <(trace_facts -c t.zst) <(trace_facts -c again.zst)
	replays_identical again.zst
	# It holds all that is needed to be recorded again, too.
	mv again.zst t.zst
	expect 0 rerecord
	agrees
}

nothing_else_is_needed() {
	cp "$kernel" linux
	cp "$initrd" guest.cpio
	expect 0 ttrec run -q -o t.zst ./linux mem=32M initrd=guest.cpio "do=\"$(actions "${ticks[@]}")\""
	rm linux guest.cpio
	expect 0 rerecord
	agrees
}

# lab_rerecorded [OPTION]...: as lab.yaml is recorded with them, and again without them.
lab_rerecorded() {
	expect 0 record_lab "$@"
	rm -f lab.yaml
	expect 0 rerecord
	agrees
	replays_all 2 again.zst
}

labs() {
	lab "$(guest 1 ping:2:5:0.01,tell:2,off)" "$(guest 2 wait,off)"
	lab_rerecorded --seed 3
	lab "$(guest 1 ping:2:5:0.01,tell:2,off)" "$(guest 2 wait,off)"
	lab_rerecorded --grant window --digest 3
}

devices() {
	head -c 1M /dev/urandom >disk.img
	lab "$(guest 1 sum:vda,disk:vda:1 'devices: [{disk: disk.img}, {rng: {}}, {console: []}]')"
	expect 0 record_lab
	expect 0 rerecord
	agrees
	# What it contains counts, not when it was written.
	touch disk.img
	expect 0 rerecord
	agrees
	# An image that is another one is seen before anything runs.
	cp disk.img copy.img
	printf changed | dd of=disk.img conv=notrunc status=none
	touch -r copy.img disk.img
	expect 4 rerecord
	says err 'disk.img of n1 has changed since it was recorded'
	says err 'hint: .*--disk'
	rm disk.img
	expect 2 rerecord
	says err 'cannot open the disk image .*disk.img of n1: No such file'
	expect 0 rerecord --disk n1=copy.img
	agrees
	expect 0 rerecord --disk n1:1=copy.img
	expect 2 rerecord --disk n1:2=copy.img
	says err 'no such disk'
}

# Of an image in the trace nothing is needed. It is there once, and its holes take next to nothing.
devices_in_the_trace() {
	truncate -s 256M disk.img
	head -c 1M /dev/urandom | dd of=disk.img bs=1M seek=100 conv=notrunc status=none
	local disks='devices: [{disk: disk.img, size: 256M}]'
	lab "$(guest 1 disk:vda:1 "$disks")" "$(guest 2 disk:vda:1 "$disks")"
	expect 0 record_lab
	local without
	without=$(stat -c %s t.zst)
	expect 0 record_lab --embed-disks
	at_least $((without + 3 * 1024 * 1024)) "$(stat -c %s t.zst)" "bytes for images of 1 MiB"
	expect 0 ttdump extract t.zst /ttrec/disk/0.0 -o copy.img
	cmp disk.img copy.img
	at_least 4096 "$(stat -c %b copy.img)" "blocks of 512 bytes of the extracted image"
	rm disk.img copy.img
	expect 4 rerecord --max-memory 200M
	expect 0 rerecord
	agrees
	# Which can be re-recorded as well.
	mv again.zst t.zst
	expect 0 rerecord
	agrees
	expect 0 ttdump salvage t.zst -o salvaged.zst
	expect 0 ttdump extract salvaged.zst /ttrec/disk/0.0 -o copy.img
	at_least 4096 "$(stat -c %b copy.img)" "blocks of 512 bytes of the salvaged image"
	# A disk of a lab file alone; another image in its place.
	lab "$(guest 1 disk:vda:1 'devices: [{disk: copy.img, embed: true}]')"
	expect 0 record_lab
	truncate -s 256M other.img
	expect 0 rerecord --disk n1=other.img
	rm copy.img
	expect 0 rerecord
	agrees
}

# One whose recorder was killed has no hash of the image: its times count.
devices_of_a_killed_recorder() {
	head -c 1M /dev/urandom >disk.img
	lab "$(guest 1 wait 'devices: [{disk: disk.img}]')"
	"$bin/ttrec" run -q -f lab.yaml -o t.zst >out 2>err &
	wait_for 20 test -s t.zst.part
	sleep 0.5
	kill -9 $!
	wait $! || true
	mv t.zst.part t.zst
	touch disk.img
	expect 4 rerecord
	says err 'disk.img of n1 has changed since it was recorded'
}

# An image that is written to meanwhile is reported, and its hash is not in the trace.
device_changed_meanwhile() {
	head -c 1M /dev/urandom >disk.img
	lab "$(guest 1 wait 'devices: [{disk: disk.img}]')"
	"$bin/ttrec" run -q -f lab.yaml -o t.zst --limit-wall 3s >out 2>err &
	wait_for 20 test -s t.zst.part
	sleep 0.5
	printf changed | dd of=disk.img conv=notrunc status=none
	wait $! || true
	says err 'warning: the disk image .*disk.img changed while it was recorded'
	empty <(ttdump extract t.zst /ttrec/disks -o /dev/stdout)
}

expectations() {
	expect 1 record --fail-on '^tick 3' -- "${ticks[@]}"
	failed_by console-line ': tick 3'
	expect 1 rerecord
	failed_by console-line ': tick 3'
	agrees
	expect 1 rerecord --expect nothing
	failed_by console-line ': tick 3'
	expect 0 rerecord --fail-on never
	expect 1 record --limit-virtual 5ms -- "${ticks[@]}"
	expect 1 rerecord
	failed_by limit-virtual ' 0.005000000 s'
	agrees
	expect 0 rerecord --limit-virtual 1s
	says err 're-recorded: agrees with t.zst to its end, up to record [0-9,]+, t=.*; continued live'
}

equal_kernel() {
	another equal text "Kernel command line" "Kernel COMMAND line"
	expect 0 record -- "${ticks[@]}"
	expect 0 rerecord --kernel equal
	says err '^  re-recorded: agrees with t.zst to the end$'
	says err '^  memory: not compared: another kernel$'
	says err '^  console: 1 line differs$'
	replays_identical again.zst
}

# It fails, is repaired, goes on live from where it is another and passes.
repaired_kernel() {
	another hasty return hrtimer_nanosleep
	expect 1 record --fail-on '^tick 4' -- "${ticks[@]}"
	mv t.zst slow.zst
	ln -s slow.zst t.zst
	kernel=$PWD/hasty expect 1 record --fail-on 'reboot: Power down' -- "${ticks[@]}"
	expect 1 ttreplay --kernel "$kernel" t.zst
	says out '^agrees up to record'
	local record
	record=$(sed -nE '1s/^agrees up to record ([0-9,]+).*/\1/p' out)
	expect 0 ttrec run --rerecord t.zst --kernel "$kernel" --fail-on never
	says err "^ttrec: continuing live from record $record, n1, t=0\.0000[0-9]+ s: "
	says err "^  re-recorded: agrees with t.zst up to record $record of [0-9,]+, t=.*; then guest n1: .* instead of .*; continued live$"
	says out '^tick 5'
	replays_identical again.zst
	expect 0 ttrec run --json --rerecord t.zst --kernel "$kernel" --fail-on never
	python3 - "${record/,/}" <<-'EOF'
		import json, sys
		again = json.load(open("out"))["again"]
		assert again["outcome"] == "parted" and again["record"] == int(sys.argv[1]), again
		assert again["records"] > again["record"] and again["guest"] == "n1", again
	EOF
	# Up to there it is the same.
	expect 0 rerecord --kernel "$kernel" --fail-on never --until "${record/,/}"
	says err 're-recorded: agrees with t.zst up to record [0-9,]+, t=.*, and was not compared further'
	expect 0 rerecord --kernel "$kernel" --fail-on never --until 1us
	says err 'and was not compared further'
}

one_kernel_of_a_lab() {
	another equal text "Kernel command line" "Kernel COMMAND line"
	lab "$(guest 1 ping:2:3:0.01,tell:2,off)" "$(guest 2 wait,off)"
	expect 0 record_lab
	expect 0 rerecord --kernel n2=equal
	says err '^  re-recorded: agrees with t.zst to the end$'
	says err '^  memory: not compared: n2: another kernel$'
	replays_all 2 again.zst
}

other_initrd() {
	expect 0 record -- "${ticks[@]}"
	sed 's/tick %llu/tock %llu/' "$initrd" >tock.cpio
	expect 0 rerecord --initrd tock.cpio --expect 'tock 5'
	says err '^    \+ [0-9]+ +tock 1$'
}

programs() {
	local network='programs: [{name: dice, command: "touch started; exec vhost_program rng {socket}", id: 4}]'
	lab "$(guest 1 rng:64 'devices: [{program: dice}]')"
	expect 0 record_lab
	rm started
	expect 4 rerecord
	says err 'starts a program on this machine: touch started'
	[[ ! -e started ]] || fail "it was started"
	expect 0 rerecord --trust
	[[ -e started ]] || fail "it was not started"
	# It makes up its bytes anew: a difference that is nobody's fault but is one.
	says err 'agrees with t.zst up to record .*; then guest n1: .* bytes '
}

others_schedule() {
	mkfifo never
	timeout 1 "$bin/ttrec" serve -q --socket s --clients 1 -o t.zst >out 2>err || true
	[[ -s t.zst ]] || fail "no trace"
	expect 4 rerecord
	says err 't.zst was recorded by `ttrec serve`'
	says err 'ttreplay'
}

refusals() {
	expect 0 record -- off
	expect 2 rerecord -o t.zst
	says err 'it is the trace to re-record'
	expect 2 rerecord -o none
	expect 2 rerecord --seed 3
	says err 'takes seed, time of day and grant policy from the trace'
	expect 2 rerecord -f lab.yaml
	expect 2 ttrec run --kernel "$kernel" "$kernel"
	says err '--kernel requires PROGRAM or --rerecord TRACE'
	expect 2 ttrec run --initrd "$kernel" "$kernel"
	says err 'require --rerecord'
	expect 2 ttrec run --rerecord nowhere.zst
	says err 'cannot open nowhere.zst'
	echo nonsense >nonsense
	expect 3 ttrec run --rerecord nonsense
	head -c 20000 t.zst >short.zst
	expect 3 ttrec run --rerecord short.zst
	says err 'short.zst ends before the recording.s settings'
	# A recorder of old did not say how it recorded.
	"$bin/format_make_sample" old.zst 2>/dev/null || cp nonsense old.zst
	expect 4 ttrec run --rerecord old.zst
	says err 'does not contain the recording.s settings'
}

# A lost update in a guest's program, found by its seed; a lock repairs it.
repaired_program() {
	local make=$source_dir/kernel/uml/make-initramfs.sh seed
	gcc -static -O2 -o bank "$source_dir/demo/bank.c" 2>log || skip "no static libc to compile with"
	sed 's/^static void serve_customer/#include <sys\/file.h>\n&/
		s/^\tint balance = read_balance();/\tint lock = open(ACCOUNT "-lock", O_RDWR | O_CREAT, 0600), balance;\n\tflock(lock, LOCK_EX);\n\tbalance = read_balance();/
		s/^\twrite_balance(balance + DEPOSIT);/&\n\tclose(lock);/' "$source_dir/demo/bank.c" >locked.c
	gcc -static -O2 -o locked locked.c
	"$make" -o bank.gz -a "$PWD/bank:/test"
	"$make" -o locked.gz -a "$PWD/locked:/test"
	for seed in {1..40}; do
		ttrec run -q --seed "$seed" -o t.zst "$kernel" mem=64M initrd=bank.gz >out 2>err || break
	done
	failed_by console-line ': not ok 1 - 120 paid in'
	expect 1 rerecord
	failed_by console-line ': not ok 1 - 120 paid in'
	agrees
	expect 0 rerecord --initrd locked.gz
	says err 're-recorded: agrees with t.zst up to record [0-9,]+ of [0-9,]+, .*; continued live'
	replays_identical again.zst
}

# The same by way of ttreplay, which finds ttrec beside it.
continue_live() {
	another hasty return hrtimer_nanosleep
	expect 1 record --fail-on '^tick 3' -- "${ticks[@]}"
	expect 1 ttreplay --continue-live t.zst
	failed_by console-line ': tick 3'
	agrees
	expect 1 ttreplay --continue-live -o live.zst --console --until console:tick --kernel hasty t.zst
	says out '^tick 3'
	says err 'and was not compared further'
	whole live.zst
	expect 1 ttreplay --continue-live --junit live.xml t.zst
	says live.xml '<failure '
	expect 2 ttreplay --continue-live --until irq:7 t.zst
	says err "'irq:7' is not in the trace"
	expect 2 ttreplay --continue-live --only n1 t.zst
	expect 2 ttreplay --disk x t.zst
	says err 'require --continue-live'
	# Alone it cannot.
	mkdir alone
	cp "$bin/ttreplay" alone
	PATH=/usr/bin:/bin expect 4 alone/ttreplay --continue-live t.zst
	says err 'cannot run ttrec to continue live'
	says err 'hint: install it beside ttreplay'
}

proves "one guest is recorded again, bit for bit" one_guest
proves "of files nothing but the trace is needed" nothing_else_is_needed
proves "labs too, with each grant, from the lab's text" labs
proves "disks, random numbers and consoles; an image that changed is refused" devices
proves "disks in the trace" devices_in_the_trace
proves "an image whose recorder was killed is known by its times" devices_of_a_killed_recorder
proves "an image that changes meanwhile" device_changed_meanwhile
proves "expectations and limits are the recorded ones, unless others are given" expectations
proves "another build that does the same agrees to the end" equal_kernel
proves "a kernel that is repaired goes on live from where it is another, and passes" repaired_kernel
proves "of a lab, the kernel of one guest" one_kernel_of_a_lab
proves "another initrd" other_initrd
proves "a program that is repaired goes on live from where it failed, and passes" repaired_program
proves "ttreplay --continue-live goes on live" continue_live
proves "programs of a lab are started only when they are trusted" programs
proves "what somebody else scheduled cannot go on" others_schedule
# A recording that was stopped is the beginning of one that is not, in windows for each guest.
stopped() {
	lab "$(guest 1 ping:2:90000:1 )" "$(guest 2 wait)"
	expect 1 record_lab --grant window --cpus 2 --limit-wall 500ms
	expect 130 timeout -s INT --foreground --preserve-status 6 "$bin/ttrec" run -q --rerecord t.zst --limit-wall 1h
	says err 're-recorded: agrees with t.zst to its end, up to record [0-9,]+, .*; continued live'
	# The other way round.
	mv again.zst t.zst
	expect 1 rerecord --limit-wall 200ms
	says err 're-recorded: agrees with t.zst up to record [0-9,]+, t=.*, and was not compared further'
	# Its recorder was killed: there is no end.
	expect 137 timeout -s KILL --foreground --preserve-status 1 "$bin/ttrec" run -q -f lab.yaml -o t.zst
	mv t.zst.part t.zst
	expect 1 rerecord --limit-wall 2s
	says err 're-recorded: agrees with t.zst '
	never_says err 'instead of'
}

proves "what was stopped is a beginning" stopped
proves "what makes no sense is refused with words" refusals
finish
