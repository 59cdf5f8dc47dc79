#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ttdump stat against what can be counted in `ttdump show --json`.
. "$(dirname "$0")/../../system/lib.sh"

# agrees TRACE: the figures are those of the records.
agrees() {
	ttdump show --json "$1" >records
	ttdump stat --json --busiest 3 "$1" >summary
	python3 - <<'END'
import collections
import json

records = [json.loads(line) for line in open("records")][1:]
stat = json.load(open("summary"))
HISTORY = [r for r in records if r["direction"] != "side"]


def equal(what, got, wanted):
    assert got == wanted, f"{what}: {got}, not {wanted}"


def size(record):
    return len(record["hex"]) // 2 if "hex" in record else len(record.get("text", "").encode())


def count(guest, kind, key):
    found = collections.Counter(r[key] for r in records if r["guest"] == guest and r["kind"] == kind)
    return {(k if isinstance(k, str) else "unknown"): v for k, v in found.items()}


equal("records", stat["records"], len(records))
equal("virtual_ns", stat["virtual_ns"], max(r["now"] for r in records))
for kind, figures in stat["kinds"].items():
    of_kind = [r for r in records if r["kind"] == kind]
    equal(kind, figures["records"], len(of_kind))
    equal(kind + " payload", figures["payload_bytes"], sum(map(size, of_kind)))
equal("kinds", set(stat["kinds"]), {r["kind"] for r in records})

stored = sum(k["stored_bytes_estimated"] for k in stat["kinds"].values())
assert abs(stored - stat["record_bytes"]) <= len(stat["kinds"]), f"stored {stored}"

for guest in stat["guests"]:
    mine = [r for r in HISTORY if r["guest"] == guest["guest"]]
    for direction in "from", "to":
        equal(direction, guest[direction], count(guest["guest"], direction, "op"))
    for kind in "console", "input", "entropy":
        equal(kind, guest[kind + "_bytes"], sum(size(r) for r in mine if r["kind"] == kind))
    for device in guest["devices"]:
        at = [r for r in mine if r.get("device") == device["device"]]
        equal("calls", device["calls"], sum(r["kind"] == "call" for r in at))
        equal("kicks", device["kicks"], sum(r["kind"] == "kick" for r in at))
        equal("requests", device["requests"], sum(r["kind"] == "request" for r in at))
        equal("to guest", device["to_guest_bytes"],
              sum(size(r) for r in at if r["direction"] == "out"))
        equal("from guest", device["from_guest_bytes"],
              sum(size(r) for r in at if r["direction"] == "in"))
        equal("frames", device["frames_in"],
              sum(r["kind"] == "used" and "frame" in r for r in at))
    equal("irqs", guest.get("probed", {}).get("interrupts", 0),
          sum(r["kind"] == "irq" and r["source"] == 0 for r in mine))

spans = collections.Counter(r["now"] // 1000000 for r in HISTORY)
equal("busiest", [b["records"] for b in stat["busiest"]], [n for _, n in spans.most_common(3)])
for busiest in stat["busiest"]:
    equal("its records", busiest["records"], spans[busiest["from_ns"] // 1000000])
END
}

sample() {
	format_make_sample sample
	agrees sample
}

network() {
	format_make_sample network network 30 busy
	agrees network
	ttdump stat network >out
	says out '^  guest 0  dev0 +[0-9]+  vring calls'
}

long() {
	format_make_long long 20000
	agrees long
	ttdump stat long >out
	says out '^  n1 +lan +[0-9]+  vring calls'
	says out '^  lan +[0-9]+ +[0-9.]+ KiB'
}

tables() {
	local columns
	format_make_sample sample
	ttdump stat sample >out
	never_says out ' $'
	# Each row of the guests ends where its title does.
	columns=$(sed -n '/^messages from/,/^$/p' out | sed '1d;$d' | awk '{ print length }' | sort -u)
	[[ $(wc -l <<<"$columns") -le 2 ]] || fail "columns are not aligned: $columns"
	says out '^  all '
	ttdump stat --busiest 0 sample >out
	never_says out busiest
}

# The busiest are kept in no more memory than is asked for, however long it was.
bounded() {
	ttdump stat --busiest 1000 --json "$1" >/dev/null
	expect 2 ttdump stat --busiest 1001 "$1"
	expect 2 ttdump stat --busiest -1 "$1"
}

cut() {
	format_make_sample sample
	head -c $(($(stat -c %s sample) - 600)) sample >cut
	expect 3 ttdump stat cut
	says out '^records '
	says err 'cannot read the rest of cut'
}

hostile() {
	format_make_sample absurd absurd 7 20000
	ttdump stat absurd >out
	ttdump stat --json absurd | python3 -c 'import json, sys; json.load(sys.stdin)'
	LC_ALL=C never_says out $'[\x01-\x08\x0b-\x1f\x7f]'
}

proves "a recording is counted right" sample
proves "devices, interrupts and networks are counted right" network
proves "a long trace is counted right" long
proves "tables are aligned" tables
format_make_sample "$work/sample"
proves "so many milliseconds as are asked for" bounded "$work/sample"
proves "a trace that ends early is summed up as far as it goes" cut
proves "absurd records do no harm" hostile
finish
