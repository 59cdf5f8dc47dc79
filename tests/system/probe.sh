#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every interrupt of a guest is recorded by the probe, and is the same again in a replay; where there
# can be no probe, that is said and all else goes on.
#
#	probe.sh [VERSION]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

version=${1:-6.12}
need_kernel "$version"

# Asked of the host itself, not of the commands that are tested.
# shellcheck disable=SC2016 # not for us
host_has_bpf() {
	((EUID == 0)) || return
	python3 -c '
import ctypes, os, sys
release = tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2])
libc = ctypes.CDLL(None, use_errno=True)
# BPF_MAP_CREATE of a ring: type, key size, value size, entries
ring = libc.syscall(321, 0, (ctypes.c_uint32 * 16)(27, 0, 0, 4096), 64)
uprobes = os.path.exists("/sys/bus/event_source/devices/uprobe/type")
sys.exit(not (release >= (6, 0) and ring >= 0 and uprobes))'
}

host_has_bpf || {
	echo "1..0 # SKIP NO BPF HERE, NOTHING WAS TESTED: the probe needs root, Linux 6.0 and uprobes"
	exit 77
}

# without_bpf COMMAND...: as root, but for what the probe needs.
without_bpf() {
	setpriv --bounding-set=-bpf,-perfmon,-sys_admin "$@"
}

# taken TRACE GUEST: a line for each number of an interrupt in /proc/interrupts as the guest printed
# it: how many that says, how many the probe saw before it said so, and how many in all.
taken() {
	ttdump show --json "$1" | python3 -c '
import collections, json, re, sys
guest, seen, text, before = int(sys.argv[1]), collections.Counter(), "", None
for line in sys.stdin:
    record = json.loads(line)
    if record.get("guest") != guest:
        continue
    if record["kind"] == "irq" and record["source"] == 0:
        seen[record["irq"]] += 1
    if record["kind"] == "console":
        text += record.get("text", "")
        if before is None and "CPU0" in text:
            before = seen.copy()
counted = {int(n): int(c) for n, c in re.findall(r"^(?:interrupts )?\s*(\d+):\s+(\d+) ", text, re.M)}
for number, count in sorted(counted.items()):
    print(number, count, before[number], seen[number])' "$2"
}

# counted_right TRACE GUEST: what the guest counted itself is what the probe saw. It may have taken
# a few more since. A guest of Linux 7.2 says 0 of each, whatever it took.
counted_right() {
	local number counted before after
	[[ $version != 7.2 ]] || return 0
	taken "$1" "$2" >counts
	[[ -s counts ]] || fail "the guest counted nothing"
	while read -r number counted before after; do
		((before <= counted && counted <= after && after <= counted + 200)) ||
			fail "interrupt $number: the guest counted $counted, the probe saw $before to $after"
	done <counts
}

# ---- Recorded, and the same again ---------------------------------------------------------------------

one_guest() {
	local count
	expect 0 record --probe --digest every -- tick:30:3000000 interrupts off
	never_says err 'warning:|not all'
	counted_right t.zst 0
	count=$(records t.zst irq)
	at_least "$count" 30 "interrupts"
	says err " $count probed interrupts"
	replays_identical t.zst
	says out " $count probed interrupts"
	never_says out 'not compared'
	ttdump stat --json t.zst >summary
	says summary "\"probed\":\{\"interrupts\":$count,"
}

# The probe leaves no mark: with it and without, the guest lives the same life.
no_mark() {
	local -a quick=(tick:30:3000000 random off)
	[[ $version != 5.10 ]] || quick=(tick:30:3000000 off)
	expect 0 record --cpu 0 --digest every -- "${quick[@]}"
	mv t.zst plain.zst
	expect 0 record --cpu 0 --digest every --probe -- "${quick[@]}"
	cmp <(ttdump show --json plain.zst | facts_without_probe) \
		<(ttdump show --json t.zst | facts_without_probe) || fail "the probe left a mark"
	expect 0 record --cpu 0 --digest every --probe -- "${quick[@]}"
	mv t.zst first.zst
	expect 0 record --cpu 0 --digest every --probe -- "${quick[@]}"
	same_history t.zst first.zst
}

# All that is compared but irq records, without numbers.
facts_without_probe() {
	python3 -c '
import json, sys
for line in sys.stdin:
    record = json.loads(line)
    if record["direction"] != "side" and record["kind"] != "irq":
        record.pop("number")
        print(sorted(record.items()))'
}

whole_lab() {
	pack_guests
	lab "$(guest 1 flood:2:300,interrupts,tell:2)" "$(guest 2 wait)"
	expect 0 record_lab --probe
	never_says err 'warning:|not all'
	counted_right t.zst 0
	at_least "$(awk '{ sum += $3 } END { print sum }' counts)" 300 "interrupts of a timer and a network"
	replays_all 2 t.zst
	says out "; .* $(records t.zst irq | sed -E ':a;s/([0-9])([0-9]{3})($|,)/\1,\2\3/;ta') probed interrupts"
	never_says out 'interrupts: '
	replays_all 1 --only n2 t.zst
	says out 'probed interrupts'
}

# Many in a row without a message: more than a ring holds, had it not been emptied meanwhile.
high_rate() {
	expect 0 record --probe --grant window -- nap:100000:1000 interrupts off
	never_says err 'warning:|not all'
	at_least "$(records t.zst irq)" 100000 "interrupts"
	counted_right t.zst 0
	replays_identical t.zst
	says out ' 10[0-9],[0-9]{3} probed interrupts'
	never_says out 'compared up to'
}

a_panic() {
	expect 1 record --probe -- tick:3:1000000 exit:1
	ttdump show t.zst >listing
	says listing 'irq +panic at [0-9.]+ "Attempted to kill init!'
	replays_identical t.zst
	says out 'probed interrupts'
}

# ---- What cannot be had, or was lost --------------------------------------------------------------------

# A recorder that stands still does not empty the ring.
lost() {
	local pid
	(
		exec "$bin/ttrec" run --probe --grant window -o t.zst "$kernel" mem=32M initrd="$initrd" \
			'do="say:go,nap:200000:1000,off"' >console 2>err
	) &
	pid=$!
	wait_for 20 grep -qs '^go' console
	kill -STOP "$pid"
	sleep 6
	kill -CONT "$pid"
	wait "$pid" || fail "recorder: $(cat err)"
	says err 'interrupts: not all of n1 are recorded: [0-9]+ came faster'
	ttdump show t.zst >listing
	says listing 'note.* came faster'
	says listing 'meta +"probe=0"'
	! sed -n '/probe=0/,$p' listing | grep -q ' irq ' || fail "there are more after the gap"
	replays_identical t.zst
	says out 'interrupts: compared up to record [0-9]+: the recording has no more'
	never_says out 'the recording ended with'
}

replay_without() {
	expect 0 record --probe -- tick:30:3000000 off
	expect 0 without_bpf "$bin/ttreplay" t.zst
	says out '^identical: '
	says out 'interrupts: not compared: the interrupt probe needs CAP_BPF and CAP_PERFMON'
	[[ $(grep -c 'not compared' out) == 1 ]]
	publish_commands
	expect 0 as_user ttreplay t.zst
	says out 'interrupts: not compared: .* this process has neither'
	expect 0 as_user ttreplay --json t.zst
	says out '"probe_reason": ?"the interrupt probe needs'
}

record_without() {
	expect 0 without_bpf "$bin/ttrec" run -q --probe -o t.zst "$kernel" mem=32M initrd="$initrd" \
		'do="tick:3:1000000,off"'
	says err 'warning: interrupts are not recorded: the interrupt probe needs CAP_BPF'
	[[ $(grep -c 'interrupts' err) == 1 ]]
	[[ $(records t.zst irq) == 0 ]]
	replays_identical t.zst
	never_says out 'interrupts'
}

stripped() {
	cp "$kernel" stripped
	strip stripped 2>/dev/null || skip "no strip here"
	expect 0 ttrec run -q --probe -o t.zst ./stripped mem=32M initrd="$initrd" do=off
	says err 'interrupts: not all of n1 are recorded: .*no symbol'
	expect 0 ttreplay t.zst
	says out '^identical: '
	never_says out 'recording ended with'
}

proves "$version: all that the guest counts is recorded and the same again" one_guest
proves "$version: the probe leaves no mark" no_mark
proves "$version: a high rate loses none" high_rate
proves "$version: a panic is recorded" a_panic
if [[ $version == 6.12 ]]; then
	proves "a lab: timers, consoles and network cards" whole_lab
	proves "what is lost is said and ends the list" lost
	proves "without privilege it replays and one line says so" replay_without
	proves "without privilege it records and one line says so" record_without
	proves "a kernel without symbols is recorded anyway" stripped
fi
finish
