#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A recorded guest with another kernel or initrd: how far it agrees is found and told.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
pack_guests
patch=$source_dir/tests/system/patch_kernel.py
ticks=(tick:5:3000000 off)

# another COPY HOW...: a build of $kernel that is not the same.
another() {
	python3 "$patch" "$kernel" "$@"
}

# Another build that does the same.
equal() {
	another equal text "Kernel command line" "Kernel COMMAND line"
}

agrees_to_the_end() {
	equal
	expect 0 record -- "${ticks[@]}"
	expect 0 ttreplay --kernel equal t.zst
	says out '^agrees to the end: [0-9,]+ messages, memory not compared, '
	says out '^  memory: another kernel \[memory-not-compared\]$'
	says out '^  console: 1 line differs$'
	says out '^    - [0-9]+ .*Kernel command line: '
	says out '^    \+ [0-9]+ .*Kernel COMMAND line: '
	expect 0 ttreplay --json --kernel equal t.zst
	python3 - <<-'EOF'
		import json
		verdict = json.load(open("out"))
		assert verdict["replaced"] == "another kernel", verdict
		assert verdict["console_differences"] == 1, verdict
		assert verdict["console"][0]["got"].find("COMMAND") > 0, verdict
	EOF
}

# Its sleeps return at once: the guest asks for its next event where it waited for the end of one.
parts_where_it_sleeps() {
	another hasty return hrtimer_nanosleep
	expect 0 record -- "${ticks[@]}"
	expect 1 ttreplay --kernel hasty t.zst
	says out '^agrees up to record [0-9,]+ of [0-9,]+, t=0\.0000[0-9]+ s; then REQUEST 0\.0000[0-9]+ instead of WAIT$'
	says out '^    \+ [0-9]+ +tick 4$'
	local record
	record=$(sed -nE '1s/^agrees up to record ([0-9,]+).*/\1/p' out | tr -d ,)
	ttdump show --records "$record..$record" t.zst >record
	says record 'WAIT'
	expect 1 ttreplay --json --kernel hasty t.zst
	python3 - "$record" "$(trace_facts t.zst | sed -n 's/^records //p')" <<-'EOF'
		import json, sys
		verdict = json.load(open("out"))
		assert verdict["record"] == int(sys.argv[1]), verdict
		assert not sys.argv[2] or verdict["records"] == int(sys.argv[2]), verdict
	EOF
	# Before that it agrees.
	expect 0 ttreplay --kernel hasty --until "$record" t.zst
	says out '^agrees up to where it was stopped: '
}

initrd_of_the_same() {
	expect 0 record -- "${ticks[@]}"
	cp "$initrd" copy.cpio
	expect 0 ttreplay --initrd copy.cpio t.zst
	says out '^agrees to the end: '
	says out '^  memory: another initrd \[memory-not-compared\]$'
	never_says out console
}

# The archive's program is another one: it never asks for its own time.
initrd_that_differs() {
	expect 0 record -- "${ticks[@]}"
	sed 's/tick %llu/tock %llu/' "$initrd" >tock.cpio
	expect 0 ttreplay --initrd tock.cpio t.zst
	says out '^    - [0-9]+ +tick 1$'
	says out '^    \+ [0-9]+ +tock 1$'
}

one_guest_of_a_lab() {
	lab "$(guest 1 ping:2:3:0.01,tell:2,off)" "$(guest 2 wait,off)"
	expect 0 record_lab
	equal
	expect 0 ttreplay --kernel n1=equal t.zst
	says out '^n1: agrees to the end: '
	says out '^n2: identical: '
	says out '^agrees: n1; identical: n2; '
	expect 0 ttreplay --kernel equal t.zst
	says out '^agrees: n1, n2; '
	expect 0 ttreplay --kernel equal --only n2 t.zst
	says out '^agrees to the end: '
}

devices() {
	head -c 1M /dev/urandom >image
	lab "$(guest 1 sum:vda,disk:vda:1 'devices: [{disk: image}, {rng: {}}, {console: []}]')"
	expect 0 record_lab
	equal
	expect 0 ttreplay --kernel equal t.zst
	says out '^agrees to the end: [0-9,]+ messages, [0-9]+ device interrupts, '
}

refusals() {
	expect 0 record -- off
	equal
	expect 2 ttreplay --kernel n7=equal t.zst
	says err 'no guest n7 in the trace, which has n1'
	expect 2 ttreplay --kernel nowhere t.zst
	says err 'cannot read the kernel nowhere'
	expect 4 ttreplay --kernel "$initrd" t.zst
	says err 'is not a User-Mode-Linux binary'
	ttrec run -q -o alone.zst "$kernel" mem=32M >/dev/null 2>&1 || true
	expect 2 ttreplay --initrd "$initrd" alone.zst
	says err 'no guest of the trace has one'
	expect 2 ttreplay --initrd n1="$initrd" alone.zst
	says err 'the guest has none'
}

different_kernels_need_names() {
	place_files
	equal
	{
		printf '%s\n' "$network"
		echo guests:
		guest 1 off
		guest 2 off | sed 's|\./linux|./equal|'
	} >lab.yaml
	expect 0 record_lab
	expect 2 ttreplay --kernel equal t.zst
	says err 'n1 and n2 have different ones'
	says err 'NAME=FILE'
	expect 0 ttreplay --kernel n1=equal --kernel n2="$kernel" t.zst
	says out '^agrees: n1, n2; '
}

proves "another build that does the same agrees to the end" agrees_to_the_end
proves "one that does not sleep parts where the guest slept" parts_where_it_sleeps
proves "an initrd with the same content agrees, all of the console too" initrd_of_the_same
proves "what another initrd prints is told and ends nothing" initrd_that_differs
proves "of a lab, the kernel of one guest or of all is replaced" one_guest_of_a_lab
proves "devices are spoken to by another build as by the recorded one" devices
proves "what cannot be meant or used is refused with words" refusals
proves "guests with different kernels have to be named" different_kernels_need_names
finish
