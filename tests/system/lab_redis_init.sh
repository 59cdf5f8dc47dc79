#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Init of the guests of lab_software.sh: a Redis server and a Redis Sentinel on each of three nodes.
# Node 1 begins as the primary; node 3 fills the store, has node 1 switched off, waits for the
# sentinels to agree on a new primary, and reads everything back from that.

keys=200

# The store, on NODE
store() {
	local node=$1
	shift
	redis-cli -h "10.0.0.$node" "$@"
}

primary() {
	redis-cli -p 26379 sentinel get-master-addr-by-name store | head -n 1
}

# until_says TEXT COMMAND...
until_says() {
	local text=$1
	shift
	until "$@" 2>/dev/null | grep -q "$text"; do
		sleep 0.2
	done
}

start_servers() {
	local replica=
	[ "$node" = 1 ] || replica="--replicaof 10.0.0.1 6379"
	# shellcheck disable=SC2086 # words
	redis-server --protected-mode no --save '' --repl-diskless-sync-delay 0 $replica >/tmp/log &
	cat >/tmp/sentinel.conf <<-CONF
		port 26379
		protected-mode no
		sentinel monitor store 10.0.0.1 6379 2
		sentinel down-after-milliseconds store 2000
		sentinel failover-timeout store 10000
	CONF
	redis-server /tmp/sentinel.conf --sentinel >/tmp/sentinel &
}

fill() {
	until_says connected_slaves:2 store 1 info replication
	for sentinel in 1 2 3; do
		until_says slaves=2,sentinels=3 store "$sentinel" -p 26379 info sentinel
	done
	seq "$keys" | sed 's/.*/set key:& value:&/' | store 1 | grep -c OK | sed 's/^/store: keys written: /'
	echo "store: replicas that have them: $(store 1 wait 2 0)"
}

check() {
	local found
	found=$(seq "$keys" | sed 's/.*/get key:&/' | redis-cli -h "$1" | sort | md5sum)
	[ "$found" = "$(seq "$keys" | sed 's/^/value:/' | sort | md5sum)" ] &&
		echo "store: every key read back from $1"
}

wait_for_failover() {
	while [ "$(primary)" = 10.0.0.1 ]; do
		sleep 0.2
	done
	until_says role:master redis-cli -h "$(primary)" info replication
	echo "store: the primary is $(primary) now"
}

client() {
	fill
	echo go | nc 10.0.0.1 7
	wait_for_failover
	check "$(primary)"
	redis-cli -h "$(primary)" set key:1 changed | sed 's/^/store: it takes writes: /'
	echo go | nc 10.0.0.2 7
}

mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -t tmpfs tmpfs /tmp
ifconfig lo up
# shellcheck disable=SC2154 # the kernel gives it
ifconfig eth0 "10.0.0.$node" netmask 255.255.255.0 up
start_servers
if [ "$node" = 3 ]; then
	client
else
	nc -l -p 7 >/dev/null
fi
sed 's/^/log: /' /tmp/log /tmp/sentinel
poweroff -f
