#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A lab that cannot work is refused in words: file, line and column, what, and what to do.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
pack_guests

# refused STATUS REGEX [OPTION]...: lab.yaml is, with these words and an advice, and nothing is left.
refused() {
	local status=$1 reason=$2
	shift 2
	expect "$status" record_lab "$@"
	empty out
	says err "^ttrec: .*($reason)"
	says err '^  hint: '
	[[ ! -e t.zst ]] || fail "a trace was left behind"
}

# file LINE...: lab.yaml with these lines.
file() {
	place_files
	printf '%s\n' "$@" >lab.yaml
}

one='  - {name: n1, kernel: ./linux, initrd: ./initrd.gz, memory: 64M, append: "node=1 do=off"}'

# ---- The root file system ------------------------------------------------------------------------------

unknown_file_system() {
	file 'guests:' \
		'  - {name: n1, kernel: ./linux, memory: 64M, append: "root=/dev/vda", devices: [{disk: root.img}]}'
	truncate -s 16M root.img
	/sbin/mkfs.ext4 -q root.img 2>/dev/null || mkfs.ext4 -q root.img || skip "needs mkfs.ext4"
	refused 4 'the root file system of n1, root.img, is ext4, and the kernel .* has no ext4: CONFIG_EXT4_FS'
	says err 'build-uml.sh --distro'
}

# ---- The file -----------------------------------------------------------------------------------------

no_file() {
	refused 2 'lab\.yaml: No such file'
	mkdir lab.yaml
	refused 2 'lab\.yaml'
}

no_yaml() {
	file 'guests: ['
	refused 2 'lab\.yaml:[12]:'
	file $'guests:\n\t- {name: n1}'
	refused 2 'lab\.yaml:2:'
	noise 1 1000 >lab.yaml
	refused 2 'lab\.yaml'
	: >lab.yaml
	refused 2 'lab\.yaml'
	file 'just a text'
	refused 2 'lab\.yaml:1:1:'
}

no_guests() {
	file 'networks: [{name: lan}]'
	refused 2 'lab\.yaml:.*guests'
	file 'guests: []'
	refused 2 'lab\.yaml:1:'
	file 'guests: 3'
	refused 2 'lab\.yaml:1:9:'
}

unknown_words() {
	file 'guests:' "$one" 'nettworks: []'
	refused 2 "lab\.yaml:3:1: .*'nettworks'"
	says err 'hint: .*networks'
	file 'guests:' '  - {name: n1, kernel: ./linux, memmory: 64M}'
	refused 2 "lab\.yaml:2:33: .*'memmory'"
	says err 'hint: .*memory'
}

wrong_values() {
	file 'networks: [{name: lan, delay: soon}]' 'guests:' "$one"
	refused 2 'lab\.yaml:1:31: .*soon'
	file 'networks: [{name: lan, delay: -1us}]' 'guests:' "$one"
	refused 2 'lab\.yaml:1:31: '
	file 'networks: [{name: lan, loss: 7}]' 'guests:' "$one"
	refused 2 'lab\.yaml:1:30: '
	file 'guests:' '  - {name: n1, kernel: ./linux, memory: much}'
	refused 2 'lab\.yaml:2:41: .*much'
}

left_out() {
	file 'guests:' '  - {name: n1, memory: 64M}'
	refused 2 "lab\.yaml:2:5: .*'kernel'"
	file 'guests:' '  - {kernel: ./linux}'
	refused 2 'lab\.yaml:2:5: .*name'
}

twice() {
	file 'guests:' "$one" "$one"
	refused 2 'lab\.yaml:3:[0-9]+: .*n1'
	file 'networks: [{name: lan}, {name: lan}]' 'guests:' "$one"
	refused 2 'lab\.yaml:1:[0-9]+: .*lan'
	file 'guests:' '  - {name: n1, name: n2, kernel: ./linux}'
	refused 2 'lab\.yaml:2:16: .*name'
}

nowhere() {
	file 'guests:' '  - {name: n1, kernel: ./linux, devices: [{net: wan}]}'
	refused 2 'lab\.yaml:2:[0-9]+: .*wan'
	file 'guests:' '  - {name: n1, kernel: ./nowhere}'
	refused 2 'nowhere: No such file'
	file 'guests:' '  - {name: n1, kernel: ./linux, initrd: ./nowhere}'
	refused 2 'nowhere'
	file 'guests:' '  - {name: n1, kernel: ./linux, devices: [{disk: ./nowhere.img}]}'
	refused 2 'nowhere\.img'
	mkdir tree
	file 'guests:' '  - {name: n1, kernel: ./linux, devices: [{disk: ./tree}]}'
	refused 2 'disk .*tree of guest n1 .line 2. cannot be used: Is a directory'
	says err 'hint: .*raw image'
}

# What would break determinism, or takes what is given by us.
arguments() {
	file 'guests:' '  - {name: n1, kernel: ./linux, append: "time-travel=ext:/s"}'
	refused 2 'time-travel'
	file 'guests:' '  - {name: n1, kernel: ./linux, append: "virtio_uml.device=/tmp/s:1"}'
	refused 2 'virtio_uml\.device'
	file 'guests:' '  - {name: n1, kernel: ./linux, append: "eth0=tuntap"}'
	refused 2 'eth0'
}

# What was made of a vlab file comes before the error that it explains.
vlab_without_a_kernel() {
	file 'nodes: [{name: left}, {name: right}]'
	rm linux
	expect 2 record_lab
	says err 'linux: No such file'
	grep -vE '^  hint: ' err | head -n 1 >first
	says first "warning: .*imported from vlab.*these nodes start linux with initrd\.gz"
}

circles() {
	file 'guests: &all' '  - *all'
	refused 2 'lab\.yaml:'
	file 'a: &a [x, x, x, x, x, x, x, x, x]' 'b: &b [*a, *a, *a, *a, *a, *a, *a, *a]' \
		'c: &c [*b, *b, *b, *b, *b, *b, *b, *b]' 'd: &d [*c, *c, *c, *c, *c, *c, *c, *c]' \
		'e: &e [*d, *d, *d, *d, *d, *d, *d, *d]' 'guests: [*e, *e, *e, *e, *e, *e, *e, *e]'
	refused 2 'lab\.yaml:'
	{ printf 'guests: '; printf '[%.0s' {1..100000}; } >lab.yaml
	refused 2 'lab\.yaml'
}

kernel_and_lab() {
	file 'guests:' "$one"
	expect 2 record_lab "$kernel"
	says err 'a lab file names its kernels'
}

# ---- Devices of others ---------------------------------------------------------------------------------

programs() {
	file 'programs:' "  - {name: dead, command: 'exit 3; {socket}', id: 1}" \
		'guests:' '  - {name: n1, kernel: ./linux, initrd: ./initrd.gz, memory: 64M, devices: [{program: dead}]}'
	expect 4 record_lab
	says err 'dead'
	file 'programs:' "  - {name: mute, command: 'sleep 100; {socket}', id: 1}" \
		'guests:' '  - {name: n1, kernel: ./linux, initrd: ./initrd.gz, memory: 64M, devices: [{program: mute}]}'
	expect 4 record_lab
	says err 'mute'
}

# A trace of a lab is looked at like any other: damaged, cut, without one guest's kernel.
damaged_trace() {
	local size at
	place_files
	cp "$source_dir/tests/system/labs/smallest.yaml" lab.yaml
	expect 0 record_lab
	size=$(stat -c %s t.zst)
	for at in 3 5 7; do
		head -c $((size * at / 8)) t.zst >cut.zst
		ttreplay cut.zst >out 2>err && fail "a trace that was cut replays as if it were whole"
		(($? == 3)) || fail "exit status $?"
		cp t.zst bad.zst
		printf 'damage' | dd of=bad.zst bs=1 seek=$((size * at / 8)) conv=notrunc status=none
		ttreplay bad.zst >out 2>err || (($? == 3)) || fail "exit status $?"
	done
}

# Killed in the middle: nothing of it stays, and what was recorded replays.
killed() {
	lab "$(guest 1 tick:100000:0.01)" "$(guest 2 tick:100000:0.01)"
	"$bin/ttrec" run -q -f lab.yaml -o t.zst >out 2>err &
	local recorder=$!
	sleep 2
	kill -9 "$recorder"
	wait "$recorder" 2>/dev/null || true
	wait_for 5 gone
	expect 3 ttreplay t.zst.part
	says out '^identical as far as the trace goes.*n1'
	says out '^identical as far as the trace goes.*n2'
}

gone() {
	! pgrep -f "initrd=.* node=1 do=tick:100000:0.01" >/dev/null
}

proves "no file" no_file
proves "no YAML" no_yaml
proves "no guests" no_guests
proves "unknown words come with those that are known" unknown_words
proves "wrong values" wrong_values
proves "what has to be said" left_out
proves "what is said twice" twice
proves "what is nowhere" nowhere
proves "a root file system that the kernel does not know" unknown_file_system
proves "arguments that are not a lab's to give" arguments
proves "a vlab file whose kernel is nowhere: notes before the error" vlab_without_a_kernel
proves "circles, bombs and depths" circles
proves "a kernel and a lab" kernel_and_lab
proves "programs that do not work" programs
proves "a damaged trace of a lab" damaged_trace
proves "a lab that was killed" killed
finish
