#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ttdump export: each format holds what the trace does, also where that is damaged.
# shellcheck source-path=SCRIPTDIR source=../../system/lib.sh
. "$(dirname "$0")/../../system/lib.sh"

schema=$source_dir/format/ttdump/export/perfetto/perfetto.proto

# A lab of four guests on a network.
lab_trace() {
	"$bin/format_make_long" trace "${1:-4000}"
}

damaged_trace() {
	lab_trace 40000
	head -c $(($(stat -c %s trace) * 2 / 3)) trace >damaged
}

# ---- json ---------------------------------------------------------------------------------------------

# same_records DOCUMENT LINES: the records of one are the lines of the other.
same_records() {
	python3 - "$1" "$2" <<'PYTHON'
import json, sys
document = json.load(open(sys.argv[1], encoding="utf-8"))
lines = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
head, records = lines[0], lines[1:]
assert list(document) == ["version", "uuid", "guests", "records"], list(document)
assert {key: document[key] for key in head} == head
assert document["records"] == records and records, "the records differ"
PYTHON
}

json_records() {
	local sample
	lab_trace
	"$bin/format_make_sample" sample
	"$bin/format_make_sample" network network 5 busy
	"$bin/format_make_sample" absurd absurd 7 500
	for sample in trace sample network absurd; do
		expect 0 ttdump export json "$sample" -o document
		expect 0 ttdump show --json "$sample"
		same_records document out
	done
}

json_names() {
	lab_trace
	expect 0 ttdump export json trace
	python3 - out <<'PYTHON'
import json, sys
guests = json.load(open(sys.argv[1], encoding="utf-8"))["guests"]
assert [guest["guest"] for guest in guests] == [0, 1, 2, 3]
assert [guest["name"] for guest in guests] == ["n1", "n2", "n3", "n4"]
for i, guest in enumerate(guests):
    mac = f"02:00:00:00:00:{i + 1:02x}"
    assert guest["devices"] == [{"device": 0, "virtio_id": 1, "name": "net lan " + mac,
                                 "network": "lan", "mac": mac}], guest
PYTHON
}

json_damaged() {
	damaged_trace
	expect 3 ttdump export json damaged -o document
	says err 'cannot read the rest of damaged'
	expect 3 ttdump show --json damaged
	same_records document out
}

# ---- perfetto -----------------------------------------------------------------------------------------

agrees() {
	expect 0 "$source_dir/tests/format/ttdump/perfetto_compare.py" "$bin/ttdump" "$schema" "$@"
}

perfetto_records() {
	lab_trace 20000
	agrees trace 100000
	says out ' 4[0-9][0-9] frames, .* [1-9][0-9]* broadcasts$'
}

# decode TRACE: its export as text, in the file text.
decode() {
	expect 0 ttdump export perfetto "$1" -o exported
	protoc --decode=perfetto.protos.Trace -I "${schema%/*}" "${schema##*/}" <exported >text
	never_says text '^ *[0-9]+:'
}

# Guests without names, records that are rare, notes, the time of day.
perfetto_rare() {
	"$bin/format_make_sample" network network 5 busy
	decode network
	says text 'process_name: "guest 1"'
	says text 'name: "panic: panic"'
	"$bin/format_make_sample" sample
	decode sample
	says text 'name: "notes"'
	says text '^ *name: .*quoted'
	lab_trace
	decode trace
	says text 'timestamp: 1767225600000000000'
}

# What could be read of a damaged trace is whole packets.
perfetto_damaged() {
	damaged_trace
	expect 3 ttdump export perfetto damaged -o exported
	says err 'cannot read the rest of damaged'
	protoc --decode=perfetto.protos.Trace -I "${schema%/*}" "${schema##*/}" <exported >text
	at_least "$(grep -c '^packet {' text)" 1000 "packets"
}

# Bytes that would confuse a terminal do not go there.
perfetto_terminal() {
	lab_trace
	expect 2 script -qec "$bin/ttdump export perfetto trace" /dev/null
	says out 'perfetto is not written to a terminal'
	says out 'give a file with -o'
	expect 0 script -qec "$bin/ttdump export perfetto trace -o exported" /dev/null
	expect 0 script -qec "$bin/ttdump export json trace" /dev/null
}

# ---- pcapng -------------------------------------------------------------------------------------------

# tshark_agrees TRACE: what it decodes is what show says.
tshark_agrees() {
	need_tshark
	expect 0 "$source_dir/tests/format/ttdump/pcapng_compare.py" "$bin/ttdump" \
		"$dissector" "$@"
}

pcapng_records() {
	local sample
	lab_trace 6000
	tshark_agrees trace
	says out '^6000 records and 1[0-9][0-9] frames agree'
	for sample in 'trace' 'trace network 20 busy' 'trace absurd 4 1000'; do
		# shellcheck disable=SC2086 # words
		"$bin/format_make_sample" $sample
		tshark_agrees trace
	done
}

# Guests have their names where Wireshark looks for them.
pcapng_names() {
	need_tshark
	lab_trace
	expect 0 ttdump export pcapng trace -o exported
	expect 0 capinfos -I exported
	says out 'Name = lan$'
	says out 'Description = n1 02:00:00:00:00:01, n2 02:00:00:00:00:02,'
	expect 0 tshark -X "lua_script:$dissector" -r exported \
		-Y 'ttrec.op == "WAIT" && ttrec.guest_name == "n3"' -T fields -e _ws.col.Source -e _ws.col.Info
	says out '^n3.<- WAIT seq [0-9]+$'
}

# What a guest wrote ends no line of tshark, and does nothing to its terminal.
pcapng_printable() {
	local sample
	need_tshark
	lab_trace
	"$bin/format_make_sample" absurd absurd 4 1000
	for sample in trace absurd; do
		expect 0 ttdump export pcapng "$sample" -o exported
		expect 0 tshark -X "lua_script:$dissector" -r exported -Y ttrec
		[[ $(wc -l <out) == "$(($(ttdump show --json "$sample" | wc -l) - 1))" ]]
		if LC_ALL=C grep -qP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]' out; then fail "not printable"; fi
	done
}

# What could be read of a damaged trace is whole packets.
pcapng_damaged() {
	command -v capinfos >/dev/null || skip "needs capinfos"
	damaged_trace
	expect 3 ttdump export pcapng damaged -o exported
	says err 'cannot read the rest of damaged'
	ttdump show --json damaged >shown 2>/dev/null || true
	expect 0 capinfos -M -c exported
	at_least "$(sed -n 's/^Number of packets: *//p' out)" "$(($(wc -l <shown) - 1))" "packets"
}

# ---- All of them ------------------------------------------------------------------------------------------

formats() {
	ttdump export --help | sed -n '/^Formats:/,$s/^  \([a-z]*\) .*/\1/p'
}

# What is wrong with the output is said, and nothing else hides it.
no_output() {
	local format
	lab_trace
	for format in $(formats); do
		expect 2 ttdump export "$format" trace -o none/file
		says err 'cannot write none/file: No such file or directory'
		[[ ! -w /dev/full ]] || {
			expect 4 ttdump export "$format" trace -o /dev/full
			says err 'cannot write /dev/full: No space left on device'
		}
		expect 2 ttdump export "$format" none
		says err 'cannot open none: No such file or directory'
	done
}

# The same file by another name is the same file.
onto_itself() {
	local format
	lab_trace
	ln -s trace same
	cp trace kept
	for format in $(formats); do
		expect 2 ttdump export "$format" trace -o same
		says err 'cannot write same: it is the input'
	done
	cmp trace kept
	echo '{}' >report
	expect 2 ttdump export html --report report trace -o report
	[[ -s report ]]
}

no_format() {
	lab_trace
	expect 2 ttdump export trace
	says err 'unknown format "trace": expected json, '
	expect 2 ttdump export
	says err 'missing format: expected json, '
}

stranger() {
	local format
	"$bin/format_make_sample" trace stranger
	for format in $(formats); do
		expect 0 ttdump export "$format" trace
	done
	expect 0 ttdump export perfetto trace -o exported
	grep -q 'guest 65535' exported || fail "the sender has no track"
}

# An export ends without an error for any content of a trace.
absurd() {
	local format seed
	for seed in 1 2 3; do
		"$bin/format_make_sample" trace absurd "$seed" 2000
		for format in $(formats); do
			expect 0 ttdump export "$format" trace
		done
	done
}

proves "json holds the records as show --json prints them" json_records
proves "json names guests and devices in its head" json_names
proves "json of a damaged trace is whole JSON of what could be read" json_damaged
proves "perfetto agrees with the records" perfetto_records
proves "perfetto shows what is rare" perfetto_rare
proves "perfetto of a damaged trace is whole packets of what could be read" perfetto_damaged
proves "perfetto does not go to a terminal" perfetto_terminal
proves "pcapng agrees with the records, as tshark decodes it" pcapng_records
proves "pcapng has the names of guests" pcapng_names
proves "pcapng: what a guest wrote stays on its line" pcapng_printable
proves "pcapng of a damaged trace is whole packets of what could be read" pcapng_damaged
proves "what cannot be opened or written is said" no_output
proves "a trace is not overwritten by its own export" onto_itself
proves "whoever names no format is told which there are" no_format
proves "a sender without records in the trace is accepted" stranger
proves "absurd records are exported" absurd
finish
