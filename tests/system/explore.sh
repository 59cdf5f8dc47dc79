#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ttrec explore: finds the seeds that fail, keeps what replays, and says the same whatever the number of
# workers, stops and processes that are killed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
pack_guests
patience=300

# One ping across a network that loses frames: some seeds lose it.
lossy() {
	network="networks: [{name: lan, delay: 100us, loss: ${1:-8%}}]"
	lab "$(guest 1 ping:2:1:1,tell:2)" "$(guest 2 wait)"
	echo 'grant: window' >>lab.yaml
}

readonly lost='100% packet loss'

explore() {
	ttrec explore -f lab.yaml --fail-on "$lost" "$@"
}

# kinds DIR: the directories of what was found.
kinds() {
	(cd "$1" && echo */)
}

finds() {
	local kind seed
	lossy
	expect 1 explore --runs 16
	says out '^explore: 2 guests, [0-9]+ workers?, seeds 1 to 16$'
	says out '^FAIL  seed [0-9]+  n1: 1 packets transmitted, 0 packets received, 100% packet loss$'
	says out 'replayed 3 of 3 identical; first failed in run [0-9]+$'
	says out 'fails in [0-9]+ of 16 seeds, and in [0-9]+ of 20 fresh ones$'
	says out '^explored: 16 runs \([0-9,]+ an hour\), .* of virtual time, 1 kind of failure; next: ttreplay found/'
	empty err
	kind=$(kinds found)
	replays_all 2 "found/$kind/trace.zst"
	seed=$(sed -n 's/^seed: //p' "found/$kind/lab.yaml")
	# Anywhere else, too.
	mkdir elsewhere && mv "found/$kind/lab.yaml" elsewhere/
	expect 1 ttrec run -q -o t.zst -f elsewhere/lab.yaml --fail-on "$lost"
	same_history t.zst "found/$kind/trace.zst"
	expect 1 ttrec run -q -o t.zst --seed "$seed" -f lab.yaml --fail-on "$lost"
	same_history t.zst "found/$kind/trace.zst"
}

# A campaign to compare with, of 1 worker; once for the script.
reference() {
	[[ -d $work/one ]] || expect 1 explore --runs 16 --workers 1 -o "$work/one"
	cp -r "$work/one" one
}

same_as_reference() {
	cmp one/campaign.json "$1/campaign.json"
	[[ $(kinds one) == $(kinds "$1") ]] || fail "one: $(kinds one); $1: $(kinds "$1")"
}

workers() {
	lossy
	reference
	expect 1 explore --runs 16 --workers 3 -o three
	same_as_reference three
}

# Stopped while it runs; what was found by then is not done again.
continues() {
	local pid status=0
	lossy
	reference
	"$bin/ttrec" explore -f lab.yaml --fail-on "$lost" --runs 16 --workers 2 -o stopped >out 2>err &
	pid=$!
	sleep 1.5
	kill -TERM "$pid"
	wait "$pid" || status=$?
	((status == 5)) || fail "exit status $status, expected 5"
	says out '^stopped: the same command continues from stopped/campaign.json$'
	expect 1 explore --runs 16 -o stopped
	same_as_reference stopped
	# It is complete: nothing runs again.
	expect 1 explore --runs 16 -o stopped
	says out '; continued after 16 runs$'
	same_as_reference stopped
}

# Shards together are what one search of all seeds is, in whatever order they are merged.
shards() {
	local shard
	lossy
	reference
	for shard in 1 2; do
		CI_NODE_INDEX=$shard CI_NODE_TOTAL=3 explore --runs 16 -o "shard$shard" >out || :
		says out ", shard $shard/3 \\(CI_NODE_INDEX\\)\$"
	done
	expect 1 ttrec explore merge part shard2 shard1
	says out '^shards are missing, or have run for different times: 2 of 3 are there$'
	explore --runs 16 --shard 3/3 -o shard3 >out || :
	expect 1 ttrec explore merge all shard2 shard3 shard1
	says out '^merged: 16 runs, .* 1 kind of failure; next: ttreplay all/'
	same_as_reference all
	expect 1 ttrec explore merge again part shard3
	same_as_reference again
	replays_all 2 "all/$(kinds all)/trace.zst"
	expect 2 ttrec explore merge bad one shard1
	says err 'has seeds that another one has, too'
	expect 2 ttrec explore merge bad shard1 absent
	says err 'cannot read absent/campaign.json'
	expect 2 ttrec explore merge bad
}

# A process that dies is not a finding: its seed is run again.
killed() {
	local pid child kills=0
	lossy
	reference
	"$bin/ttrec" explore -f lab.yaml --fail-on "$lost" --runs 16 --workers 2 -o killed >out 2>err &
	pid=$!
	while kill -0 "$pid" 2>/dev/null && ((kills < 2)); do
		sleep 0.4
		child=$(pgrep -P "$pid" | head -n 1) || continue
		kill -KILL "$child" 2>/dev/null && kills=$((kills + 1))
	done
	at_least "$kills" 1 kills
	wait "$pid" || :
	same_as_reference killed
}

nothing_found() {
	lossy 0%
	expect 0 explore --runs 6
	says out 'nothing found: a failure rate above 50 % is excluded at 95 %$'
	[[ $(ls found) == campaign.json ]] || fail "found: $(ls found)"
}

always_fails() {
	lossy 0%
	expect 1 ttrec explore -f lab.yaml --fail-on '0% packet loss' --runs 1000
	says out '^every seed fails in this way'
	says out '^explored: 8 runs '
}

# A limit of virtual time is part of what the lab tests; one of wall time depends on the machine.
wall_time() {
	lab "$(guest 1 wait)" "$(guest 2 wait)"
	expect 0 explore --runs 1 --limit-wall 1ms
	says out '^1 run not judged, ended by wall time'
	lab "$(guest 1 wait)" "$(guest 2 wait)"
	expect 1 explore --runs 2 --limit-virtual 1s -o virtual
	says out '^FAIL  seed 1 '
}

programs() {
	printf '%s\n' '#!/bin/sh' 'set -- $(head -c 1 /dev/urandom | od -An -tu1)' \
		'test $(($1 % 3)) != 0 || echo "not ok 1 - $1 can be divided by 3"' >odd
	chmod 755 odd
	TTREC_KERNEL=$kernel expect 1 ttrec explore --runs 12 ./odd
	says out '^FAIL  seed [0-9]+  not ok 1 - [0-9]+ can be divided by 3$'
	says out ', 1 kind of failure; next: ttreplay found/not-ok-1-'
	replays_identical "found/$(kinds found)/trace.zst"
}

# A guest that asks the processor for random numbers is another one in each run.
nondeterminism() {
	grep -qw rdrand /proc/cpuinfo || skip "this processor has no rdrand"
	expect 1 ttrec explore --runs 2 "$kernel" mem=32M initrd="$initrd" 'do="draw,off"'
	says out '^NONDETERMINISTIC  seed 1, run twice, differs$'
	says out 'both: passed; but what they printed'
	says out '^1 of 1 repeated runs differed'
	expect 1 ttrec explore --runs 2 -o failing --fail-on '^draw ' "$kernel" mem=32M initrd="$initrd" \
		'do="draw,off"'
	says out '^FAIL  seed 1  draw [0-9a-f]+$'
	says out 'nondeterministic: recorded again with this seed, it failed so: draw [0-9a-f]+$'
}

for_programs() {
	lossy
	expect 1 explore --seeds 10..15 --json
	python3 - <<'END'
import json
lines = [json.loads(line) for line in open("out")]
assert [line["event"] for line in lines] == ["found", "end"], lines
assert lines[0]["identical"] == 3 and lines[0]["same"], lines
assert lines[1]["runs"] == 6 and lines[1]["status"] == 1 and lines[1]["fresh"] == 20, lines
END
}

# refuses MESSAGE ARGUMENT...
refuses() {
	expect 2 ttrec explore "${@:2}"
	says err "$1"
}

bad_input() {
	lossy
	refuses 'missing PROGRAM or KERNEL, or a lab file with -f'
	refuses 'exclude each other' -f lab.yaml --runs 3 --seeds 1..2
	refuses "invalid --seeds '3..1': expected A..B" -f lab.yaml --seeds 3..1
	refuses "invalid --shard '4/3': expected I/N" -f lab.yaml --shard 4/3
	refuses 'absent.yaml: No such file' -f absent.yaml
	refuses "regular expression|invalid|pattern" -f lab.yaml --runs 1 --fail-on '('
	CI_NODE_INDEX=2 refuses 'CI_NODE_TOTAL is not set' -f lab.yaml
	expect 0 ttrec explore -f lab.yaml --runs 1 -o here
	refuses 'is of another lab, or of other options' -f lab.yaml --runs 1 -o here --expect x
	refuses 'is of other seeds' -f lab.yaml --seeds 2..3 -o here
	echo '{}' >here/campaign.json
	refuses 'is of something else' -f lab.yaml --runs 1 -o here
}

proves "a failure is found, kept, replays, and its lab file repeats it" finds
proves "what is found does not depend on the number of workers" workers
proves "a campaign that was stopped continues" continues
proves "shards together are one search of all seeds" shards
proves "a process that is killed is not a finding" killed
proves "nothing found: the rate that is excluded" nothing_found
proves "a lab that fails with every seed ends the search" always_fails
proves "a limit of wall time is not a finding, one of virtual time is" wall_time
proves "a program can be explored, too" programs
proves "runs that are not deterministic are noticed" nondeterminism
proves "--json" for_programs
proves "command lines and directories that are wrong are refused" bad_input
finish
