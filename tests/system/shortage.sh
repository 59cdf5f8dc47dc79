#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the host is short of is status 4 and said: no difference of a guest, and no damage of a trace. Each
# single call that fails is in torture.sh.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
pack_guests

# runs_short SAYS COMMAND...: with status 4, which says that, or it does with what there is.
runs_short() {
	local status=0 what=$1
	shift
	"$@" >out 2>err || status=$?
	case $status in
	0) return 0 ;;
	4) cat out err >said && says said "$what" ;;
	*) fail "exit status $status of $*: $(tail -n 3 out err)" ;;
	esac
}

few_descriptors() {
	local files free
	local -a limit
	expect 0 record -q -- off
	# Above those that are inherited; with fewer not even its libraries are found.
	free=$(python3 -c 'import os; print(os.open("/", os.O_RDONLY))')
	for ((files = free + 1; files < free + 20; files++)); do
		limit=(prlimit --nofile="$files" timeout --foreground "$patience")
		expect 4 "${limit[@]}" "$bin/ttreplay" t.zst
		says err 'Too many open files'
		says err 'hint: raise the limit of open files'
		expect 4 "${limit[@]}" "$bin/ttrec" run -q -o u.zst "$kernel" mem=32M initrd="$initrd" do=off
		says err 'Too many open files'
		says err 'hint: raise the limit of open files'
		[[ ! -e u.zst && ! -e u.zst.part ]] || fail "a trace was left behind"
	done
}

# Each address space of a guest is a process of this machine. Of one user, where the others that it has count,
# too: how many are too few is not known.
processes_run_out() {
	local processes=$1 says='Resource temporarily unavailable'
	local -a limit=(as_user timeout --foreground "$patience" prlimit --nproc="$1")
	shift
	runs_short "$says" "${limit[@]}" ttrec run -q -o u.zst "$@"
	[[ ! -e u.zst ]] || whole u.zst
	# What it did before that is a recording as any other.
	[[ ! -e u.zst || $(fact messages u.zst) == 0 ]] || replays_identical u.zst
	rm -f u.zst
	runs_short "$says" "${limit[@]}" ttreplay t.zst
}

few_processes() {
	local processes
	publish_commands
	local -a run_by=(as_user) words=("$kernel" mem=32M initrd="$initrd" "do=fork:6,off")
	expect 0 as_user ttrec run -q -o t.zst "${words[@]}"
	for processes in 1 2 3 4 5 6 7 8 10 12 24; do
		processes_run_out "$processes" "${words[@]}"
	done
	# Enough, now that there are no others.
	((EUID)) || expect 0 as_user prlimit --nproc=24 ttreplay t.zst
}

# Two guests with as many processes each, and a program that is their device.
few_processes_in_lab() {
	local processes network='programs: [{name: dice, command: "exec vhost_program rng {socket}", id: 4}]'
	publish_commands
	cp "$bin/vhost_program" public/
	lab "$(guest 1 fork:4,off 'devices: [{program: dice}]')" "$(guest 2 fork:4,off '')"
	sed -i 's|initrd.gz|public/guest.cpio|; s|\./linux|'"$kernel"'|' lab.yaml
	expect 0 as_user ttrec run -q -f lab.yaml -o t.zst
	for processes in {6..22..4}; do
		processes_run_out "$processes" -f lab.yaml
	done
	((EUID)) || expect 0 as_user prlimit --nproc=40 ttreplay t.zst
}

few_processes_of_program() {
	local packer=libexec/ttrec/uml/make-initramfs.sh
	publish_commands
	cp -rL "$bin/../libexec" .
	local -x TTREC_KERNEL=$kernel
	printf '#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 0.01 & done\nwait\n' >several
	chmod 755 several
	expect 0 as_user ttrec run -q -o t.zst ./several
	# Enough for the packer: a shell that cannot fork tries for a quarter of a minute.
	processes_run_out 16 ./several
	rm "$packer"
	printf '#!/bin/sh\necho "bash: line 7: fork: Resource temporarily unavailable" >&2\n' >"$packer"
	chmod 755 "$packer"
	expect 4 as_user ttrec run -q -o t.zst ./several
	says err 'cannot run .*/make-initramfs.sh: Resource temporarily unavailable'
	says err 'hint: raise the limit of processes'
}

# Of addresses, where what is reserved and not used counts; with fewer its libraries are not found.
little_memory() {
	local mib
	local -a limit
	expect 0 record -q -- off
	for mib in 64 72 80 96 112 128 160 192; do
		limit=(prlimit --as=$((mib << 20)) timeout --foreground "$patience")
		runs_short memory "${limit[@]}" "$bin/ttdump" show t.zst
		runs_short memory "${limit[@]}" "$bin/ttreplay" t.zst
		runs_short memory "${limit[@]}" "$bin/ttrec" run -q -o u.zst "$kernel" mem=32M initrd="$initrd" do=off
		[[ ! -e u.zst || $(fact verify u.zst) =~ ^(whole|ends early)$ ]] || fail "$(fact verify u.zst)"
	done
}

# A disk of so many KiB for all that is written: the trace, and the sandbox's files.
small_disk() {
	unshare -mr true 2>/dev/null || skip "needs mount namespaces"
	local kib
	expect 0 record -q -- off
	for kib in 16 256 1024 4096; do
		# shellcheck disable=SC2016
		runs_short 'No space left|make room' timeout --foreground "$patience" unshare -mr bash -c 'mkdir -p disk && mount -t tmpfs -o size="$0"k tmpfs disk &&
			TMPDIR=$PWD/disk exec "$@"' "$kib" "$bin/ttrec" run -q -o disk/u.zst "$kernel" mem=32M \
			initrd="$initrd" do=off
		# shellcheck disable=SC2016
		runs_short 'No space left|make room' timeout --foreground "$patience" unshare -mr bash -c 'mkdir -p disk && mount -t tmpfs -o size="$0"k tmpfs disk &&
			exec "$@"' "$kib" "$bin/ttdump" salvage -o disk/u.zst t.zst
	done
}

# ---- A disk of a guest ---------------------------------------------------------------------------------------

# disk_lab ACTIONS: with an image of 1 MiB.
disk_lab() {
	truncate -s 1M image
	lab "$(guest 1 "$1,off" 'devices: [{disk: image}]')"
}

# disk_fails CALL ERROR ACTIONS SAYS: each call for the guest's disk that the recorder makes fails once: no error of the guest.
disk_fails() {
	local call=$1 error=$2 place which
	disk_lab "$3"
	expect 0 env FAIL_LOG=places LD_PRELOAD="$bin/fail_call.so" "$bin/ttrec" run -q -f lab.yaml -o t.zst
	place=$(tr -d '\0' <places | sed -n "s/^0 $call \([^ ]*\) .*/\1/p")
	[[ $place && $place != *$'\n'* ]] || fail "not one place calls $call: $place"
	for which in 1 2; do
		rm -f t.zst
		expect 4 env FAIL_CALL="0 $call $place $which $error" LD_PRELOAD="$bin/fail_call.so" \
			"$bin/ttrec" run -q -f lab.yaml -o t.zst
		failed_by host "device disk .* of n1: $4"
		whole t.zst
		replays_identical t.zst
	done
}

# ---- What is in the place of /dev/null -----------------------------------------------------------------

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
	refused device "cannot be read and written by the guest.s user .mode 0600."
	chmod 666 device
	expect 0 with_null device timeout 60 "$bin/ttreplay" t.zst
}

proves "a limit of open files is named, wherever it is met" few_descriptors
proves "a limit of processes is named, and is no difference of a guest" few_processes
proves "the same of several guests and of a program that is a device" few_processes_in_lab
proves "the same of a program that is run in a guest" few_processes_of_program
proves "a limit of memory is named" little_memory
proves "a full disk is named" small_disk
proves "an image of a disk that cannot be read is named, and is not an error of the guest" disk_fails preadv 5 sum:vda 'Input/output error'
proves "the same of writes to a disk, which go to memory" disk_fails pwritev 28 disk:vda:1 'No space left'
proves "something else in the place of /dev/null is named before a guest starts" another_null
finish
