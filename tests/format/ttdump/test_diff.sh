#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ttdump diff on pairs of traces of which one was changed at a known place.
. "$(dirname "$0")/../../system/lib.sh"

# check CHANGE STATUS [ARGUMENT]...: makes a and b, leaves text in out and JSON in json.
check() {
	local change=$1 status=$2
	shift 2
	format_make_pair "$change"
	expect "$status" ttdump diff "$@" a b
	empty err
	mv out text
	expect "$status" ttdump diff --json "$@" a b
	mv out json
	mv text out
}

# json EXPRESSION: true of the object, called d, and of its guest 1, called g.
json() {
	python3 -c '
import json, sys
d = json.load(open("json"))
g = [x for x in d.get("guests", []) if x["guest"] == 1]
g = g[0] if g else None
sys.exit(0 if eval(sys.argv[1]) else "not: " + sys.argv[1] + "\n" + json.dumps(d, indent=1))' "$1"
}

equal() {
	check nothing 0
	grep -qx equal out
	json 'd["verdict"] == "equal" and d["first"] is None and d["started"] == []'
	json 'all(x["equal"] and x["later"] is None for x in d["guests"]) and len(d["guests"]) == 3'
	check order 0
	grep -q 'guest0, guest1, guest2: equal to the end' out
}

changed() {
	check time 1
	grep -q 'time is 0.299199500 instead of 0.299198000 (1.5us later)' out
	grep -qE '^  -  .*REQUEST    \+3.001ms' out
	grep -qE '^  \+  .*REQUEST    \+3.0025ms' out
	grep -q 'guest0, guest2: equal to the end' out
	json 'g["later"]["changed"] == 1 and g["later"]["kinds"]["from"]["fields"] == {"time": 1}'
	json 'g["later"]["again"]["a"] == g["parts"]["a"]["number"] + 1'
	json 'd["first"]["a"]["time"] + 1500 == d["first"]["b"]["time"]'
	[[ $(ttdump show --records "$(sed -nE '1s/.*at record ([0-9]+),.*/\1/p' out)" --json a |
		grep -c '"time":299198000') -eq 1 ]]
}

text() {
	check console 1
	grep -qF 'console output: "another \x1b[31mline\n" instead of "[    0.374256] tick\r\n"' out
	never_says out $'\x1b'
	json 'g["later"]["kinds"] == {"console": {"changed": 1, "only_a": 0, "only_b": 0,
		"fields": {"payload": 1}}}'
}

inserted() {
	check inserted 1
	grep -q 'GET from the guest instead of REQUEST from the guest' out
	json 'g["later"]["only_b"] == 2 and g["later"]["only_a"] == 0 and g["later"]["changed"] == 0'
	json 'g["later"]["shifted"] > 100'
	json 'g["later"]["again"]["b"] == g["later"]["again"]["a"] + 2'
	check inserted 1 --ignore seq
	json 'g["later"]["shifted"] == 0 and g["later"]["only_b"] == 2'
}

late() {
	check late 1
	json 'g["later"]["changed"] > 50 and g["later"]["only_a"] == 0 == g["later"]["only_b"]'
	check late 0 --ignore from.time
	check late 0 --ignore time
	check late 0 --ignore from
	check late 1 --ignore to.time
	check late 0 --guest guest0
	check late 1 --guest guest1
	check late 0 --guest 2
}

ends() {
	check silent 1
	grep -q 'nothing instead of REQUEST from the guest' out
	grep -q 'no more records of this guest' out
	json 'd["first"]["b"] is None and g["later"]["only_a"] == 491 and g["later"]["again"] is None'
	check joined 1
	grep -q 'late: diverges at record 1389 of the second' out
	json 'd["first"]["a"] is None and d["first"]["b"]["kind"] == "leave"'
}

first() {
	check time 1 --first --context 0
	[[ $(grep -c '^  [-+] ' out) -eq 2 ]]
	never_says out guests:
	json '"guests" not in d and d["first"]["guest"] == 1'
}

cut() {
	check time 1
	head -c $(($(stat -c %s a) - 100)) a >"cut"
	expect 1 ttdump diff cut b
	format_make_pair nothing
	head -c $(($(stat -c %s a) - 300)) a >"cut"
	expect 3 ttdump diff cut b
	grep -q '^equal as far as it goes' out
	grep -q 'cannot read the rest of cut: ' err
	expect 3 ttdump diff b cut
	grep -q 'cannot read the rest of cut: ' err
	cp a damaged
	printf '\377\377' | dd of=damaged bs=1 seek=2000 conv=notrunc status=none
	head -c $(($(stat -c %s a) - 10)) damaged >noindex
	expect 3 ttdump diff noindex b
	grep -q 'cannot read the rest of noindex: ' err
}

started() {
	format_make_sample one
	format_make_sample two network 1 busy
	expect 1 ttdump diff one two
	says out '^  - embedded /lib/twin 11 bytes, SHA-256 [0-9a-f]{16}'
	says out '^  - grant=each'
	expect 1 ttdump diff --json one two
	mv out json
	json 'any(x["only"] == "a" and "/boot/linux" in x["text"] for x in d["started"])'
}

# What a terminal is shown; without one there are no colours, as all other cases see.
terminal() {
	format_make_pair time
	TERM=xterm script -qec 'ttdump diff a b' /dev/null >out || true
	says out $'^\x1b\\[31m  - \x1b\\[0m.*\\+3.001ms'
	says out $'^\x1b\\[32m  [+] \x1b\\[0m.*\\+3.0025ms'
	NO_COLOR=1 TERM=xterm script -qec 'ttdump diff a b' /dev/null >out || true
	says out '^  - .*[+]3.001ms'
	never_says out $'\x1b'
}

refused() {
	format_make_pair nothing
	expect 2 ttdump diff a
	expect 2 ttdump diff a b c
	expect 2 ttdump diff --ignore nonsense a b
	grep -q 'unknown kind or field "nonsense"' err
	expect 2 ttdump diff --ignore from.nonsense a b
	expect 2 ttdump diff --context many a b
	expect 2 ttdump diff --guest nobody a b
	grep -q 'no guest "nobody"' err
	expect 2 ttdump diff a none
	echo text >text
	expect 3 ttdump diff a text
}

proves "equal traces are equal, in whatever order guests come" equal
proves "a changed field is said in words, with what is around it" changed
proves "what a guest printed is shown, and commands no terminal" text
proves "a record more moves the counts behind it, and is found" inserted
proves "fields, kinds and guests can be left out" late
proves "a guest that ends, or is only in one of them" ends
proves "--first says no more than that" first
proves "traces that end early or are damaged are compared as far as they go" cut
proves "what was started differently is said" started
proves "a terminal is shown both sides in colours" terminal
proves "what makes no sense is refused" refused
finish
