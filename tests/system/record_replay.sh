#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A recorded guest runs again bit for bit, whoever runs it and whatever else the machine does.
#
#	record_replay.sh [VERSION]
. "$(dirname "$0")/lib.sh"

version=${1:-6.12}
need_kernel "$version"
quick=(random tick:30:3000000 random off)
# Random numbers of a guest that just booted: before 6.2 only if it trusts what the host gives at
# boot, in 5.10 not at all (it gathers entropy from the jitter of a clock that has none).
case $version in
5.10) quick=(tick:30:3000000 off) ;;
6.1) kernel_arguments=(random.trust_cpu=on) ;;
esac

identical_at_every_wait() {
	expect 0 record --digest every -- "${quick[@]}"
	says out '^tick 30'
	at_least "$(fact waits t.zst)" 20 "WAITs"
	# Memory and kernel data are hashed at each.
	at_least "$(fact digests t.zst)" $((2 * $(fact waits t.zst))) "digests"
	whole t.zst
	replays_identical t.zst
	says out " $(fact digests t.zst | sed -E ':a;s/([0-9])([0-9]{3})($|,)/\1,\2\3/;ta') memory digests"
	replays_identical t.zst
}

# On one CPU: its number reaches memory through CPUID, and so the digests in the history.
equal_seeds() {
	expect 0 record --cpu 0 --seed 7 -- "${quick[@]}"
	mv t.zst first.zst
	expect 0 record --cpu 0 --seed 7 -- "${quick[@]}"
	[[ -n $(fact chain0 t.zst) ]]
	[[ $(fact chain0 t.zst) == "$(fact chain0 first.zst)" ]] || fail "histories differ"
	[[ $(fact hash t.zst) == "$(fact hash first.zst)" ]] || fail "messages differ"
	cmp <(trace_facts -c t.zst) <(trace_facts -c first.zst)
}

different_seeds() {
	expect 0 record --seed 7 -- "${quick[@]}"
	mv t.zst first.zst
	expect 0 record --seed 8 -- "${quick[@]}"
	[[ $(fact chain0 t.zst) != "$(fact chain0 first.zst)" ]] || fail "histories are the same"
	[[ ${quick[0]} != random ]] || ! cmp -s <(trace_facts -c t.zst) <(trace_facts -c first.zst) ||
		fail "consoles are the same"
	replays_identical t.zst
	replays_identical first.zst
}

window() {
	expect 0 record -- tick:100:1000000 off
	mv t.zst each.zst
	expect 0 record --grant window --digest every -- tick:100:1000000 off
	at_least "$(($(fact messages each.zst) - $(fact messages t.zst)))" 1 "messages saved by the window"
	replays_identical t.zst
	# Nothing can happen to it for 3 s, and the time at which it ends is known anyway.
	expect 0 record -q --grant window -- tick:3:1000000000 off
	says err '^recorded: .* (2\.9|3\.0)[0-9]+ s virtual'
	replays_identical t.zst
}

# More than the console's socket has room for, without a message in between: how fast it is read changes nothing.
console_burst() {
	printf '#!/bin/sh\nseq 200000 >/tmp/lines\ncat /tmp/lines\n' >burst.sh
	chmod +x burst.sh
	TTREC_KERNEL=$kernel expect 0 ttrec run -o t.zst ./burst.sh
	tr -d '\r' <out | grep -cE '^[0-9]+$' >lines
	[[ $(<lines) == 200000 ]] || fail "$(<lines) lines"
	replays_identical t.zst
}

# For one guest ext is what inf-cpu is: arguments for the one do for the other, and the guest cannot
# tell the difference.
as_native() {
	local -a actions=(say:on now tick:3:1000000 now sleep:2000000 now off)
	local -a words=(mem=32M printk.time=1 time-travel=inf-cpu time-travel-start=1577836800123456789
		"do=\"$(actions "${actions[@]}")\"")
	timeout 60 setarch -R "$kernel" initrd="$initrd" con0=null,fd:1 con=null noreboot random.trust_cpu=on \
		random.trust_bootloader=on LD_BIND_NOW=1 "${words[@]}" </dev/null >native 2>native.err
	expect 0 ttrec run --work-cost off -o t.zst "$kernel" initrd="$initrd" "${words[@]}"
	says native '^now 1577836800\.[0-9]{9} '
	# What the host's checks say goes to the console here, and the command lines are not the same.
	grep -E '^(\[|on|now|tick)' native | grep -vE 'ommand line|clocksource: |stepping |SIGIO|epollctl ' | tr -d '\r' >native.console
	grep -E '^(\[|on|now|tick)' out | grep -vE 'ommand line|clocksource: |stepping |SIGIO|epollctl ' | tr -d '\r' >console
	diff native.console console || fail "the consoles differ"
	replays_identical t.zst
}

ordinary_user() {
	local -a run_by=(as_user)
	publish_commands
	as_user unshare -U true 2>/dev/null || skip "user namespaces are refused here"
	expect 0 record --digest every -- "${quick[@]}"
	never_says err 'not isolated'
	expect 0 as_user ttreplay t.zst
	says out '^identical: .* memory digests'
	never_says out 'not compared'
}

root_replays_users_trace() {
	((EUID == 0)) || skip "needs root"
	publish_commands
	as_user unshare -U true 2>/dev/null || skip "user namespaces are refused here"
	local -a run_by=(as_user)
	expect 0 record --cpu 0 --digest every -- "${quick[@]}"
	mv t.zst user.zst
	replays_identical user.zst
	run_by=()
	expect 0 record --cpu 0 --digest every -- "${quick[@]}"
	expect 0 as_user ttreplay t.zst
	says out '^identical: .* memory digests'
	# The sandbox looks the same to both.
	[[ $(fact chain0 t.zst) == "$(fact chain0 user.zst)" ]] || fail "histories differ"
}

under_load() {
	local -a load=()
	expect 0 record --digest every -- "${quick[@]}"
	for _ in $(seq "$(nproc)"); do
		(exec bash -c 'while :; do :; done') &
		load+=($!)
	done
	# shellcheck disable=SC2064 # the processes of now
	trap "kill ${load[*]}" EXIT
	for _ in 1 2 3; do
		replays_identical t.zst
		never_says out 'not compared'
	done
}

self_contained() {
	mkdir elsewhere moved
	cp "$kernel" moved/linux
	cp "$initrd" moved/guest.cpio
	expect 0 ttrec run -o t.zst moved/linux mem=32M initrd=moved/guest.cpio "do=$(actions "${quick[@]}")"
	rm -r moved
	mv t.zst elsewhere/
	cd elsewhere
	expect 0 env -i HOME=/ PATH=/nowhere "$bin/ttreplay" t.zst
	says out '^identical: '
}

names_only() {
	expect 0 record -- "${quick[@]}"
	mv t.zst embedded.zst
	expect 0 record --no-embed -- "${quick[@]}"
	(($(stat -c %s t.zst) * 4 < $(stat -c %s embedded.zst))) || fail "the trace is not smaller"
	expect 4 ttreplay t.zst
	says err 'names files of this machine'
	says err '--trust'
	replays_identical --trust t.zst
}

names_only_and_gone() {
	cp "$initrd" gone.cpio
	expect 0 ttrec run --no-embed -o t.zst "$kernel" mem=32M initrd=gone.cpio do=off
	rm gone.cpio
	expect 2 ttreplay --trust t.zst
	says err 'gone.cpio'
}

names_only_and_changed() {
	cp "$initrd" changed.cpio
	expect 0 ttrec run --no-embed -o t.zst "$kernel" mem=32M initrd=changed.cpio do=off
	echo >>changed.cpio
	expect 4 ttreplay --trust t.zst
	says err 'changed.cpio is not the recorded file: it has another size'
}

# What is in its place is neither waited for nor followed.
names_only_and_foreign() {
	cp "$initrd" foreign.cpio
	expect 0 ttrec run --no-embed -o t.zst "$kernel" mem=32M initrd=foreign.cpio do=off
	rm foreign.cpio
	mkfifo foreign.cpio
	patience=10 expect 4 ttreplay t.zst
	says err 'names files of this machine'
	patience=10 expect 2 ttreplay --trust t.zst
	says err 'foreign.cpio is not a regular file'
	patience=10 expect 2 ttrec run --rerecord t.zst --trust
	says err 'foreign.cpio is not a regular file'
	rm foreign.cpio
	ln -s "$initrd" foreign.cpio
	expect 2 ttreplay --trust t.zst
	says err 'foreign.cpio is not a regular file'
}

without_isolation() {
	expect 0 record --isolation=none -- say:hello off
	says out '^hello'
	says err '^recorded'
	ttreplay t.zst >out 2>err || (($? == 1)) || fail "replay: exit status $?"
	says out '^(identical|DIVERGED)'
	says out 'recorded in a sandbox without isolation'
	# It may have got more memory than it has now: that is not damage. One after the other, as it is by chance.
	local seed
	for seed in 1 2 3 4; do
		expect 0 record -q --isolation=none --seed "$seed" -- off
		ttreplay --keep-going t.zst >out 2>err || (($? == 1)) || fail "replay: exit status $?"
		says out '^DIVERGED at record '
	done
}

full_isolation() {
	expect 0 record --isolation=full -- "${quick[@]}"
	replays_identical t.zst
}

same_without_a_trace() {
	expect 0 record -o none -- "${quick[@]}"
	says out '^tick 30'
	[[ ! -e none ]]
}

proves "$version: a guest replays identically, digests at every WAIT" identical_at_every_wait
proves "$version: equal seeds give equal messages" equal_seeds
proves "$version: the same console and clocks as natively with inf-cpu" as_native
proves "$version: different seeds give different guests, each replays" different_seeds
proves "$version: a window of grants saves messages and replays identically" window
proves "$version: a burst on the console replays identically" console_burst
proves "$version: an ordinary user records and replays, fully isolated" ordinary_user
if [[ $version == 6.12 ]]; then
	proves "root and an ordinary user record the same and replay each other's traces" root_replays_users_trace
	proves "replays are identical while every CPU is busy" under_load
	proves "a trace needs nothing but itself" self_contained
	proves "without embedding, the files are named and found" names_only
	proves "without embedding, a missing file is named" names_only_and_gone
	proves "without embedding, a changed file is named" names_only_and_changed
	proves "without embedding, what is no file is not read" names_only_and_foreign
	proves "a guest without isolation is recorded, its replay says what cannot be promised" without_isolation
	proves "full isolation can be asked for" full_isolation
	proves "no trace is written when none is wanted" same_without_a_trace
fi
finish
