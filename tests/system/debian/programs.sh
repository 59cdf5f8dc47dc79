#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the Debian guests do. "programs NAME NODE" runs program_NAME in guest NODE, 0 if it is the only
# one; the first command that fails ends it.
set -euo pipefail

program=$1 node=$2
here=/ttrec

# ---- Several guests -------------------------------------------------------------------------------

# address CARD ADDRESS/PREFIX
address() {
	ip addr add "$2" dev "$1"
	ip link set "$1" up
}

# until_true COMMAND...: every 200 ms, for a minute.
until_true() {
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.2
	done
	echo "did not become true: $*"
	return 1
}

# serve_commands: what `tell` sends is run, until it is "end".
serve_commands() {
	python3 "$here/serve_commands.py"
}

# tell NODE COMMAND...
tell() {
	local to=$1
	shift
	echo "$*" >"/dev/tcp/10.0.0.$to/7"
}

end_others() {
	local other
	for other; do
		tell "$other" end
	done
}

as() {
	local user=$1
	shift
	runuser -u "$user" -- "$@"
}

# ---- One guest ---------------------------------------------------------------------------------

program_python() {
	local i pids=()
	for i in 1 2 3; do
		(sleep "0.0$i" && echo "background $i") &
		pids+=($!)
	done
	wait "${pids[@]}"
	seq 500 | sort -R --random-source=/dev/urandom | md5sum
	find /etc -xdev -type f -print0 | sort -z | xargs -0 cat | sha256sum
	python3 "$here/python.py"
}

program_postgres() {
	local bin data=/var/lib/postgresql/test
	bin=$(echo /usr/lib/postgresql/*/bin)
	mkdir -p /run/postgresql
	chown postgres: /run/postgresql
	as postgres "$bin/initdb" -D "$data" | tail -n 3
	as postgres "$bin/pg_ctl" -D "$data" -l /tmp/log -w start || { cat /tmp/log; false; }
	as postgres createdb bench
	as postgres pgbench -q -i -s 1 bench
	as postgres pgbench -T 3 -c 4 -j 2 bench
	as postgres psql -At bench -c 'select count(*), sum(abalance) <> 0 from pgbench_accounts'
	as postgres "$bin/pg_ctl" -D "$data" -m fast stop
}

program_node() {
	node "$here/node.js"
}

program_go() {
	"$here/gotest"
}

program_java() {
	java -Xmx256m "$here/Main.java"
}

# An hour in which something happens every second.
program_hour() {
	python3 "$here/hour.py"
}

# ---- Two ---------------------------------------------------------------------------------------

program_redis() {
	local other=$((3 - node)) replica=()
	address eth0 "10.0.0.$node/24"
	((node == 1)) || replica=(--replicaof 10.0.0.1 6379)
	redis-server --protected-mode no --daemonize yes --logfile /tmp/log --dir /tmp \
		--repl-diskless-sync-delay 0 "${replica[@]}"
	if ((node == 1)); then
		serve_commands
		return
	fi
	redis() { redis-cli -h "10.0.0.$other" "$@"; }
	until_true eval 'redis-cli info replication | grep master_link_status:up'
	seq 200 | sed 's/.*/set key:& value:&/' | redis | grep -c OK
	redis wait 1 0
	redis-benchmark -h "10.0.0.$other" -n 500 -c 10 -q -t set,get,lpush
	redis-cli get key:200 | grep -x value:200
	redis-cli bgsave
	until_true eval 'redis-cli info persistence | grep rdb_bgsave_in_progress:0'
	tell 1 end
}

program_nginx() {
	local i
	address eth0 "10.0.0.$node/24"
	if ((node == 1)); then
		head -c 1000000 /dev/urandom >/var/www/html/file
		mkdir -p /var/log/nginx
		nginx
		serve_commands
		cat /var/log/nginx/error.log
		return
	fi
	until_true curl -sS -o /dev/null http://10.0.0.1/
	curl -sS http://10.0.0.1/ | grep -i title
	for ((i = 0; i < 5; i++)); do
		curl -sS -w '%{http_code} %{size_download} %{time_total}\n' -o /tmp/file http://10.0.0.1/file
	done
	sha256sum /tmp/file
	curl -sS -Z --no-progress-meter -o '/tmp/#1' 'http://10.0.0.1/file?[1-8]'
	sha256sum /tmp/[1-8] | cut -c 1-64 | uniq -c
	tell 1 end
}

# ---- Three -------------------------------------------------------------------------------------

# The cluster's member for this guest, until somebody kills it.
start_etcd() {
	local url=http://10.0.0.$node
	etcd --name "n$node" --data-dir /tmp/etcd \
		--listen-peer-urls "$url:2380" --initial-advertise-peer-urls "$url:2380" \
		--listen-client-urls "$url:2379" --advertise-client-urls "$url:2379" \
		--initial-cluster-state new --initial-cluster-token lab \
		--initial-cluster n1=http://10.0.0.1:2380,n2=http://10.0.0.2:2380,n3=http://10.0.0.3:2380 \
		>/tmp/log 2>&1 &
}

etcd_client() {
	ETCDCTL_API=3 etcdctl --endpoints "$(printf 'http://10.0.0.%s:2379,' "$@" | sed 's/,$//')" \
		--command-timeout=20s "${command[@]}"
}

# etcd_leader NODE...: prints which of them leads.
etcd_leader() {
	local command=(endpoint status)
	etcd_client "$@" | sed -nE 's|^http://10\.0\.0\.(.):.*, true, .*|\1|p'
}

program_etcd() {
	local leader survivors=() i command
	address eth0 "10.0.0.$node/24"
	start_etcd
	if ((node != 3)); then
		serve_commands
		return
	fi
	until_true eval '[[ -n $(etcd_leader 1 2 3) ]]'
	leader=$(etcd_leader 1 2 3)
	for ((i = 0; i < 20; i++)); do
		command=(put "key$i" "value$i") && etcd_client 1 2 3
	done | sort | uniq -c
	echo "n$leader leads, and is killed"
	if ((leader == 3)); then
		pkill -KILL etcd
	else
		tell "$leader" pkill -KILL etcd
	fi
	for i in 1 2 3; do
		((i == leader)) || survivors+=("$i")
	done
	until_true eval '[[ -n $(etcd_leader "${survivors[@]}") ]]'
	echo "n$(etcd_leader "${survivors[@]}") leads now"
	command=(put after death) && etcd_client "${survivors[@]}"
	command=(get --prefix --keys-only --limit=100 key)
	etcd_client "${survivors[@]}" | grep -c key | grep -x 20
	end_others 1 2
}

program_nats() {
	address eth0 "10.0.0.$node/24"
	cat >/tmp/nats.conf <<-END
		server_name: n$node
		listen: 0.0.0.0:4222
		jetstream { store_dir: /tmp/nats, max_mem: 64M, max_file: 64M }
		cluster { name: lab, listen: 0.0.0.0:6222,
			routes: [nats://10.0.0.1:6222, nats://10.0.0.2:6222, nats://10.0.0.3:6222] }
	END
	nats-server -c /tmp/nats.conf -l /tmp/log &
	if ((node != 3)); then
		serve_commands
		return
	fi
	python3 "$here/nats.py" || { cat /tmp/log; false; }
	end_others 1 2
}

# n1 - n2 - n3: each learns the routes to the others.
program_frr() {
	local card
	case $node in
	1) address eth0 10.0.1.1/24 ;;
	2) address eth0 10.0.1.2/24 && address eth1 10.0.2.2/24 ;;
	3) address eth0 10.0.2.3/24 ;;
	esac
	ip addr add "10.9.9.$node/32" dev lo
	sysctl -qw net.ipv4.ip_forward=1
	for card in eth0 eth1; do
		cat >>/tmp/frr.conf <<-END
			interface $card
			 ip ospf network point-to-point
			 ip ospf hello-interval 1
			 ip ospf dead-interval 4
		END
	done
	cat >>/tmp/frr.conf <<-END
		router ospf
		 ospf router-id 10.9.9.$node
		 network 10.0.0.0/8 area 0
	END
	install -d -o frr -g frr /run/frr
	/usr/lib/frr/zebra -d -A 127.0.0.1
	/usr/lib/frr/ospfd -d -A 127.0.0.1 -f /tmp/frr.conf
	until_true ping -c 1 -W 1 "10.9.9.$((node == 3 ? 1 : 3))"
	vtysh -c 'show ip route ospf' | grep '^O'
	vtysh -c 'show ip ospf neighbor'
	((node == 2)) || ping -c 5 -i 0.2 -I "10.9.9.$node" "10.9.9.$((4 - node))"
	sleep 2
}

"program_$program"
