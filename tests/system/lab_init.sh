#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Init of the guests of a lab, run by busybox. The kernel argument node=N makes the guest n and N
# with the address 10.0.0.N; do= says what it does, in order:
#
#	do="ping:2:1000:1,tell:2,off"
#
# Without do=, node 1 pings node 2 three times and tells it to power off, and so do both.

say() {
	echo "$*"
}

address() {
	echo "10.0.0.$1"
}

# SECONDS, or a part of one
do_sleep() {
	sleep "$1"
}

do_say() {
	say "$1"
}

do_off() {
	poweroff -f
}

# ---- Network --------------------------------------------------------------------------------------

# NODE[:COUNT[:SECONDS APART]]
do_ping() {
	ping -q -c "${2:-3}" -i "${3:-1}" "$(address "$1")" || say "ping: failed"
}

# Until somebody says go on: tell.
do_wait() {
	nc -l -p 7 >/dev/null
}

# NODE
do_tell() {
	until echo go | nc -w 1 "$(address "$1")" 7 2>/dev/null; do
		sleep 0.1
	done
}

# NODE:MIB, to a node that does "sink"
do_stream() {
	until stuff "$2" | nc -w 5 "$(address "$1")" 9 2>/dev/null; do
		sleep 0.1
	done
	say "stream: $(stuff "$2" | md5sum)"
}

do_sink() {
	say "sink: $(nc -l -p 9 | md5sum)"
}

# NODE:COUNT: as fast as answers come.
do_flood() {
	ping -q -A -c "$2" "$(address "$1")" || say "flood: failed"
}

# ---- Devices ----------------------------------------------------------------------------------------

# stuff MIB: bytes that are the same each time and different in each sector.
stuff() {
	seq 10000000 99999999 | head -c "$(($1 * 1048576))"
}

# DEVICE:MIB: written, read back past the cache, compared.
do_disk() {
	local wanted found
	wanted=$(stuff "$2" | md5sum)
	stuff "$2" | dd of="/dev/$1" bs=64k iflag=fullblock 2>/dev/null
	sync
	echo 3 >/proc/sys/vm/drop_caches
	found=$(dd if="/dev/$1" bs=64k count="$(($2 * 16))" 2>/dev/null | md5sum)
	if [ "$wanted" = "$found" ]; then
		say "disk $1: $2 MiB as written, $found"
	else
		say "disk $1: wrote $wanted, read $found"
	fi
}

# DEVICE:DEVICE:MIB
do_copy() {
	dd if="/dev/$1" of="/dev/$2" bs=1M count="$3" 2>/dev/null
	sync
}

# DEVICE: its size and what is on it.
do_sum() {
	say "sum $1: $(cat "/sys/block/$1/size") sectors, $(md5sum <"/dev/$1")"
}

# DEVICE: a write that has to be refused.
do_refused() {
	if echo x 2>/dev/null >"/dev/$1" && sync "/dev/$1"; then
		say "refused $1: no, it was written"
	else
		say "refused $1: yes"
	fi
}

# TAG: mounted, and its script run.
do_share() {
	mkdir -p /mnt
	mount -t virtiofs "$1" /mnt || say "share $1: cannot be mounted"
	sh -c "$(cat /mnt/run.sh)"
}

# BYTES
do_rng() {
	say "rng $1: $(head -c "$1" /dev/hwrng | md5sum)"
}

# DEVICE: each line that is typed is answered there, until "end".
do_console() {
	say "console: ready"
	while read -r line; do
		say "console: $line"
		echo "you said: $line" >&3
		[ "$line" != end ] || break
	done <"/dev/$1" 3>"/dev/$1"
}

# What came in on which device.
do_interrupts() {
	cat /proc/interrupts
}

# ---- Time ------------------------------------------------------------------------------------------

# ROUNDS:LOOPS:SECONDS: computes, sleeps, and again. The clock stands still while it computes.
do_busy() {
	local round=0 loop sum=0
	while [ "$round" -lt "$1" ]; do
		loop=0
		while [ "$loop" -lt "$2" ]; do
			sum=$(((sum * 31 + loop) & 0xffffff)) loop=$((loop + 1))
		done
		round=$((round + 1))
		sleep "$3"
	done
	say "busy: $sum"
}

# COUNT:SECONDS
do_tick() {
	local tick=0
	while [ "$tick" -lt "$1" ]; do
		tick=$((tick + 1))
		say "tick $tick"
		sleep "$2"
	done
}

do_uptime() {
	say "uptime: $(cat /proc/uptime)"
}

# ---- All of it ---------------------------------------------------------------------------------------

set_up() {
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev 2>/dev/null
	mount -t tmpfs tmpfs /tmp
	# shellcheck disable=SC2154 # from the kernel's arguments
	hostname "n$node"
	ifconfig lo up
	[ ! -e /sys/class/net/eth0 ] ||
		ifconfig eth0 "$(address "$node")" netmask 255.255.255.0 up
}

run_action() {
	local IFS=:
	# shellcheck disable=SC2086 # a list of words
	set -- $1
	local name=$1
	shift
	"do_$name" "$@"
}

run_actions() {
	local IFS=, action
	# shellcheck disable=SC2086
	set -- $1
	for action; do
		run_action "$action"
	done
}

# shellcheck disable=SC2154 # the kernel gives them
set_up
case ${do-}:$node in
:1) run_actions ping:2,tell:2,off ;;
:*) run_actions wait,off ;;
*) run_actions "$do,off" ;;
esac
