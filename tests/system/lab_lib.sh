#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the tests of labs, after need_kernel: lab files, and what is in their traces.
# shellcheck shell=bash disable=SC2154 # lib.sh has set them

# The guests' initrd, once for the script.
pack_guests() {
	"$source_dir/tests/system/lab_initramfs.sh" "$work/initrd.gz" || exit 1
	chmod 644 "$work/initrd.gz"
}

# What a lab file here may name: ./linux and ./initrd.gz.
place_files() {
	ln -sf "$kernel" linux
	ln -sf "$work/initrd.gz" initrd.gz
}

# What a case may replace by a variable of its own.
network='networks: [{name: lan, delay: 100us}]'
memory=64M

# guest NODE ACTIONS [KEYS]: a line of a lab file; KEYS replace its devices, one card on the network
# "lan", and say more of it.
guest() {
	local card='devices: [{net: lan}]'
	printf '  - {name: n%s, kernel: ./linux, initrd: ./initrd.gz, memory: %s, append: "node=%s%s", %s}\n' \
		"$1" "$memory" "$1" "${2:+ do=$2}" "${3-$card}"
}

# lab GUEST...: writes lab.yaml with these lines.
lab() {
	place_files
	{
		printf '%s\n' "$network"
		echo guests:
		printf '%s\n' "$@"
	} >lab.yaml
}

# record_lab [OPTION]...: the file lab.yaml into t.zst.
record_lab() {
	"${run_by[@]}" ttrec run -q -f lab.yaml -o t.zst "$@"
}

# replays_all COUNT [OPTION]... TRACE: so many guests, each identical, and no word of a difference.
replays_all() {
	local wanted=$1 found
	shift
	expect 0 ttreplay "$@"
	never_says out 'DIVERGED'
	found=$(grep -cE '^(n[0-9]+: )?identical: [0-9,]+ messages' out)
	((found == wanted)) || fail "$found guests were identical, expected $wanted: $(cat out)"
}

# records TRACE KIND [GUEST]: how many there are, of one guest or of all.
records() {
	ttdump show --json "$1" | python3 -c '
import json, sys
kind, guest = sys.argv[1], sys.argv[2]
records = (json.loads(line) for line in sys.stdin)
print(sum(r.get("kind") == kind and guest in ("", str(r.get("guest"))) for r in records))' "$2" "${3:-}"
}

# console GUEST TRACE: what it printed, of the guest with this index.
console() {
	ttdump show --json "$2" | python3 -c '
import json, sys
for line in sys.stdin:
    record = json.loads(line)
    if record.get("kind") == "console" and record.get("guest") == int(sys.argv[1]):
        sys.stdout.write(record.get("text", ""))' "$1" | tr -d '\r'
}

# chains TRACE: the history of each guest.
chains() {
	trace_facts "$1" | grep '^chain'
}

# same_history TRACE TRACE
same_history() {
	[[ -n $(chains "$1") ]] || fail "$1 has no history"
	cmp <(chains "$1") <(chains "$2") || fail "the histories of $1 and $2 differ"
}
