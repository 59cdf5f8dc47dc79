#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Init of a Debian guest that runs one program of the archive and powers off; programs.sh has them.
# The kernel's command line says which and, of several guests, which one this is:
#
#	init=/ttrec/init program=redis node=1
#
# The last lines of its console are a KTAP result.

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for dir in /dev/shm /run /tmp; do
	mount -t tmpfs -o mode=1777 tmpfs "$dir"
done
mkdir -m 755 /run/lock
ln -s /proc/self/fd /dev/fd
ip link set lo up

# shellcheck disable=SC2154 # the kernel gives both
if [[ -n $node ]]; then
	hostname "n$node"
fi
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
export LANG=C.UTF-8 PAGER=cat
status=0
# shellcheck disable=SC2154
/ttrec/programs "$program" "${node:-0}" </dev/null || status=$?
if ((status)); then
	echo "not ok 1 - $program: exit status $status"
else
	echo "ok 1 - $program"
fi
kill -KILL -1
sync
mount -o remount,ro /
poweroff -ff --no-wtmp
