#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Software that nobody here wrote: three Redis servers watched by three sentinels. The primary goes,
# another one is elected, no key is lost; recorded, and replayed together and one alone. The programs
# are the machine's, with its loader and libraries as they are.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
# One program is server, sentinel and this; unlike the package redis-server, the one that has it
# starts nothing on the machine that it is installed on.
if ! server=$(command -v redis-check-rdb) || ! client=$(command -v redis-cli); then
	echo "1..0 # SKIP no redis-check-rdb: install the package redis-tools"
	exit 77
fi

pack_redis() {
	"$source_dir/kernel/uml/make-initramfs.sh" -o "$work/initrd.gz" \
		-i "$source_dir/tests/system/lab_redis_init.sh" \
		-a "$server:/bin/redis-server" -a "$client:/bin/redis-cli" || exit 1
	chmod 644 "$work/initrd.gz"
}

redis_lab() {
	local network='networks: [{name: lan, delay: 200us, jitter: 50us}]' memory=128M
	lab "$(guest 1)" "$(guest 2)" "$(guest 3)"
}

# failed_over CONSOLE: all that has to be said there.
failed_over() {
	says "$1" '^store: keys written: 200'
	says "$1" '^store: replicas that have them: 2'
	says "$1" '^store: the primary is 10\.0\.0\.[23] now'
	says "$1" '^store: every key read back from 10\.0\.0\.[23]'
	says "$1" '^store: it takes writes: OK'
}

fails_over() {
	local guest
	redis_lab
	expect 0 record_lab --grant window --expect '^store: it takes writes: OK'
	whole t.zst
	console 2 t.zst >n3
	failed_over n3
	for guest in 0 1 2; do
		at_least "$(records t.zst digest "$guest")" 20 "digests of guest $guest"
	done
	replays_all 3 t.zst
	never_says out 'not compared'
	for guest in n1 n2 n3; do
		replays_all 1 --console --only "$guest" t.zst
	done
	tr -d '\r' <out >shown
	failed_over shown
}

same_failover() {
	redis_lab
	expect 0 record_lab --grant window --seed 5 --digest off
	mv t.zst first.zst
	expect 0 record_lab --grant window --seed 5 --digest off
	same_history t.zst first.zst
	expect 0 record_lab --grant window --seed 6 --digest off
	! cmp -s <(chains t.zst) <(chains first.zst) || fail "another seed, the same history"
}

pack_redis
proves "a replicated store survives its primary, recorded and replayed" fails_over
proves "an election comes out the same with the same seed" same_failover
finish
