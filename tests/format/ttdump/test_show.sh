#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ttdump show at a terminal and away from one, what it selects, and that it stops where it may.
# shellcheck source-path=SCRIPTDIR source=../../system/lib.sh
. "$(dirname "$0")/../../system/lib.sh"

sample=$work/sample
long=$work/long
"$bin/format_make_sample" "$sample" && "$bin/format_make_sample" "$long" network 1200 busy || exit 1
ttdump show --json "$long" >"$long.json"
unset TTREC_PAGER PAGER LESS NO_COLOR

# on_terminal COMMAND: what it says to a terminal goes to the file out, its status to status.
on_terminal() {
	TERM=${terminal-xterm} script -qec "$1" /dev/null >out 2>err </dev/null && status=0 || status=$?
}

escape=$'\e'

# ---- A terminal -----------------------------------------------------------------------------------

coloured_there() {
	on_terminal "ttdump show --no-pager --op exit $sample"
	says out "${escape}\[36mguest0 <-${escape}\[0m exit       status 0"
	says out "${escape}\[33mguest1"
	expect 0 ttdump show --op exit "$sample"
	never_says out "$escape"
}

colour_as_told() {
	NO_COLOR=1 on_terminal "ttdump show --no-pager --op exit $sample"
	never_says out "$escape"
	NO_COLOR='' on_terminal "ttdump show --no-pager --op exit $sample"
	says out "$escape"
	terminal=dumb on_terminal "ttdump show --op exit $sample"
	never_says out "$escape"
	on_terminal "ttdump show --no-pager --color=never --op exit $sample"
	never_says out "$escape"
	NO_COLOR=1 expect 0 ttdump show --color=always --op exit "$sample"
	says out "$escape"
	on_terminal "ttdump show --no-pager --json --op exit $sample"
	never_says out "$escape"
}

paged_there() {
	PAGER='sed s/^/paged:/' on_terminal "ttdump show --op exit $sample"
	says out '^paged:# trace version 1'
	[[ $(grep -c '^paged:' out) == 3 ]]
	TTREC_PAGER='sed s/^/mine:/' PAGER=false on_terminal "ttdump show --op exit $sample"
	says out '^mine:# trace version 1'
	PAGER='echo LESS is $LESS; cat' on_terminal "ttdump show --op exit $sample"
	says out '^LESS is -FRX'
}

not_paged() {
	export PAGER='sed s/^/paged:/'
	on_terminal "ttdump show --no-pager $sample"
	never_says out '^paged'
	TTREC_PAGER='' on_terminal "ttdump show $sample"
	never_says out '^paged'
	terminal=dumb on_terminal "ttdump show $sample"
	never_says out '^paged'
	expect 0 ttdump show "$sample"
	never_says out '^paged'
}

# There are more lines than a pipe holds.
pager_left_early() {
	PAGER='head -n 2' on_terminal "ttdump show $long"
	((status == 0))
	(($(wc -l <out) == 2))
	never_says out 'ttdump:'
}

pager_that_is_none() {
	PAGER=no-such-pager on_terminal "ttdump show $sample"
	((status == 4))
	says out 'cannot run the pager "no-such-pager"'
	says out 'hint: use --no-pager'
}

# What is wrong with the trace is said when the pager is gone.
damage_comes_last() {
	head -c $(($(stat -c %s "$sample") - 600)) "$sample" >cut
	PAGER='cat; sleep 0.3; echo pager ends' on_terminal "ttdump show cut"
	((status == 3))
	[[ $(grep -oE 'pager ends|cannot read the rest' out) == $'pager ends\ncannot read the rest' ]]
}

left_early() {
	local statuses
	set +e
	ttdump show "$long" 2>err | head -n 1 >out
	statuses=${PIPESTATUS[*]}
	set -e
	[[ $statuses == '141 0' ]]
	says out '^# trace version'
	empty err
}

# ---- What is selected ---------------------------------------------------------------------------------

numbers_of() {
	ttdump show --json "$@" | python3 -c '
import json, sys
for line in list(sys.stdin)[1:]:
    print(json.loads(line)["number"])'
}

# selects PYTHON-CONDITION OPTION...: over all records as JSON, r.
selects() {
	local condition=$1
	shift
	numbers_of "$@" "$long" >selected
	python3 -c '
import json, sys
for line in list(sys.stdin)[1:]:
    r = json.loads(line)
    if '"$condition"':
        print(r["number"])' <"$long.json" >wanted
	[[ -s wanted ]] || fail "$condition: there is none"
	cmp selected wanted || fail "$*"
}

each_filter() {
	selects 'r["guest"] == 1' --guest 1
	selects 'r["guest"] in (0, 1)' -g 0 --guest 1
	selects 'r.get("op") == "REQUEST"' --op REQUEST
	selects 'r.get("op") in ("RUN", "GET") or r["kind"] == "used"' --op run,used --op GET
	selects 'r["kind"] == "request"' --op request
	selects 'r["kind"] == "from"' --op from
	selects 'r["kind"] in ("call", "called", "irq")' --irq
	selects '1e12 <= r["now"] <= 1.001e12' --from 1000 --to 1001
	selects 'r["now"] >= 1190e9' --from 1190
	selects '500 <= r["number"] <= 600' --records 500..600
	selects 'r["number"] <= 70' --records ..70
	selects 'r["kind"] == "kick" or r["kind"] == "panic"' --grep '^kick|nothing like it'
}

all_together() {
	selects 'r["guest"] == 1 and r["kind"] == "call" and r["now"] >= 5e11 and r["number"] <= 60000' \
		--guest 'guest 1' --irq --op call,used --from 500 --records ..60000 --grep 'queue 0'
}

# Its end is read without its middle: damage there is not met.
times_are_looked_up() {
	size=$(stat -c %s "$long")
	cp "$long" damaged
	printf 'damage' | dd of=damaged bs=1 seek=$((size / 2)) conv=notrunc status=none
	expect 3 ttdump show damaged
	expect 0 ttdump show --from 1199 damaged
	says out ' 1199\.'
	expect 0 ttdump show --to 1 damaged
}

without_an_index() {
	head -c $(($(stat -c %s "$long") - 20)) "$long" >noindex
	ttdump show --from 1199 "$long" >with
	expect 0 ttdump show --from 1199 noindex
	cmp with out
}

nothing_selected() {
	expect 0 ttdump show --grep 'no such text' "$sample"
	[[ $(wc -l <out) == 1 ]]
}

nothing_to_select() {
	expect 2 ttdump show --from 2s --to 1s "$sample"
	says err 'ttdump show: --to is earlier than --from'
}

# ---- Formats ----------------------------------------------------------------------------------------------

csv_is_read_back() {
	ttdump show --csv "$sample" >t.csv
	ttdump show --json "$sample" >t.json
	python3 - <<'END'
import csv, json
rows = list(csv.DictReader(open("t.csv", newline="")))
records = [json.loads(line) for line in list(open("t.json"))[1:]]
assert len(rows) == len(records) > 50
previous = 0
for row, record in zip(rows, records):
    assert int(row["number"]) == record["number"] and int(row["now_ns"]) == record["now"]
    assert int(row["delta_ns"]) == record["now"] - previous
    previous = record["now"]
    for column, key in ("guest_name",) * 2, ("kind",) * 2, ("direction",) * 2, ("op",) * 2, \
            ("seq",) * 2, ("time_ns", "time"):
        value = record.get(key)
        assert row[column] == ("" if value is None else str(value)), (row, record)
assert rows[-1]["description"] == r'note       "\"quoted\" \x1b[31mred\\\t\xff\n"', rows[-1]
raw = open("t.csv", "rb").read()
assert raw.count(b"\r\n") == raw.count(b"\n") == len(rows) + 1
END
}

# A spreadsheet runs what a cell begins with; a terminal obeys what a name holds.
csv_is_no_formula() {
	"$bin/format_make_sample" escape escape
	ttdump show --csv escape >t.csv
	says t.csv ',"'"'"'=1\+1\?\?",'
	! grep -P '(^|,)"?[=+@]|,"-' t.csv || fail "a cell is a formula"
}

utf8_where_it_is_understood() {
	"$bin/format_make_sample" sample
	LC_ALL=C.UTF-8 ttdump show --op note sample | iconv -f UTF-8 -t UTF-8 >/dev/null
	LC_ALL=C ttdump show --op note sample >out
	! LC_ALL=C grep -P '[^\x20-\x7e\n]' out
}

proves "colours are for terminals" coloured_there
proves "NO_COLOR, TERM and --color decide" colour_as_told
proves "a terminal gets a pager, with LESS set for it" paged_there
proves "no pager where none is wanted" not_paged
proves "a pager that is left early ends it quietly" pager_left_early
proves "a pager that cannot be run is said" pager_that_is_none
proves "the pager ends before damage is told" damage_comes_last
proves "a reader that leaves early ends it" left_early
proves "each filter selects what it says" each_filter
proves "filters hold together" all_together
proves "a time is looked up in the index, the rest is not read" times_are_looked_up
proves "without an index the same is found" without_an_index
proves "nothing selected is no error" nothing_selected
proves "an interval that ends before it begins is refused" nothing_to_select
proves "CSV is read back as what JSON says" csv_is_read_back
proves "no cell of CSV is a formula" csv_is_no_formula
proves "what is printed is ASCII unless the locale has UTF-8" utf8_where_it_is_understood
finish
