#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The report of a replay: what is in it is true, for programs and for people.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/flip_lib.sh"

# diverge ADDRESS BIT [OPTION]...: with a bit of kernel data flipped.
diverge() {
	local address=$1 bit=$2
	shift 2
	expect 1 ttreplay --flip-bit "$(record_after_digests 20):1:$address:$bit" "$@" "$trace"
}

# holds FILE EXPRESSION: Python says so of the report r.
holds() {
	python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); g = r["guests"][0]
assert eval(sys.argv[2]), (sys.argv[2], json.dumps(r, indent=1)[:4000])' "$1" "$2"
}

value_recovered() {
	local address
	address=$(symbol_address __log_buf 8257)
	[[ -n $address ]] || skip "the kernel has no symbols"
	diverge "$address" 2 --report r.json
	holds r.json 'r["version"] == 1 and r["verdict"] == g["verdict"] == "diverged" and r["status"] == 1'
	holds r.json 'len(r["uuid"]) == 36 and r["trace"].endswith("t.zst")'
	holds r.json 'g["guest"] == "n1" and g["index"] == 0'
	holds r.json 'g["memory"]["blocks"] == 1 and g["memory"]["recovered"]["proven"] is True'
	holds r.json "g['memory']['recovered']['address'] <= $address < g['memory']['recovered']['address'] + g['memory']['recovered']['size']"
	holds r.json 'int(g["memory"]["recovered"]["recorded"], 16) ^ int(g["memory"]["recovered"]["replayed"], 16) == 4 << 8 * ('"$address"' - g["memory"]["recovered"]["address"])'
	holds r.json 'g["memory"]["recovered"]["symbol"] == "__log_buf"'
	holds r.json 'len(g["memory"]["bytes"]) == 2 * g["memory"]["block_size"]'
	says out '^  [18] bytes? at __log_buf\+0x20[0-9a-f]+ \(0x[0-9a-f]+\): 0x[0-9a-f]+ here, 0x[0-9a-f]+ recorded$'
}

records_before() {
	diverge "$(symbol_address init_uts_ns 8)" 0 --report r.json
	holds r.json 'len(g["before"]) == 20 and all(x["number"] < g["record"] for x in g["before"])'
	holds r.json '[x["number"] for x in g["before"]] == sorted(x["number"] for x in g["before"])'
	holds r.json 'g["peers"] == [] and g["next"].startswith("ttdump show --records ")'
	holds r.json 'g["debug"] == "ttreplay --until %d --gdb n1 %s" % (g["record"], r["trace"])'
	says out '^preceding records of the guest:$'
	says out '^then: ttreplay --until [0-9]+ --gdb n1 .*t\.zst$'
}

causes_named() {
	diverge "$(symbol_address init_uts_ns 8)" 0 --report r.json
	holds r.json 'g["causes"][0]["code"] == "flipped-bit"'
	holds r.json 'g["causes"][0]["evidence"] == "--flip-bit was given"'
	says out '^  possible cause: .* \[flipped-bit\]$'
	holds r.json 'g["code"] == "diverged" and "flipped-bit" in [f["code"] for f in g["findings"]]'
	diverge "$(symbol_address jiffies)" 7 --report r.json
	holds r.json 'any("jiffies" in c["evidence"] for c in g["causes"])'
}


markdown_for_people() {
	diverge "$(symbol_address init_uts_ns 8)" 0 --report r.md
	says r.md '^# Replay of `.*t\.zst`: diverged$'
	says r.md '^\| n1 \| \*\*diverged\*\* \|'
	says r.md '^### Possible causes$'
	says r.md '^ttdump show --records '
	[[ ! -e r.md.json ]]
}

both_by_default() {
	expect 0 ttreplay --report r --report other.json "$trace"
	holds r.json 'r["verdict"] == "identical" and g["memory"] is None and "causes" not in g'
	says r.md '^\| n1 \| identical \|'
	cmp <(grep -v wall_ns r.json) <(grep -v wall_ns other.json)
}

report_refused() {
	expect 2 ttreplay --report /nowhere/r.json "$trace"
	says out '^identical: '
	says err '^ttreplay: cannot write /nowhere/r.json: No such file or directory$'
	ln -s /dev/full full.md
	expect 4 ttreplay --report full.md "$trace"
	says err '^ttreplay: cannot write all of full.md: '
}


# What was not embedded is another file by now.
host_file_changed() {
	cp "$kernel" linux
	ttrec run -q --no-embed -o u.zst ./linux mem=32M initrd="$initrd" do=off 2>log
	expect 0 ttreplay --trust --report r.json u.zst
	echo >>linux
	expect 4 ttreplay --trust --report r u.zst
	says err '^ttreplay: .*linux is not the recorded file: it has another size'
	python3 - <<-'END'
		import json
		r = json.load(open("r.json"))
		assert r["verdict"] == "not replayed" and r["status"] == 4 and r["guests"] == [], r
		assert "is not the recorded file" in r["reason"] and r["to_do"], r
	END
	says r.md 'is not the recorded file'
}

# Another kernel does something else before long: that it is another one is the cause.
other_kernel() {
	local other
	other=$("$source_dir/kernel/uml/build-uml.sh" --print-path 6.1 2>/dev/null) || skip "no kernel 6.1"
	expect 1 ttreplay --kernel "$other" --report r.json "$trace"
	holds r.json 'g["causes"][0]["evidence"] == "replayed with another kernel"'
	holds r.json 'g["replaced"] == "another kernel"'
}

# Nothing of the sandbox held: what a guest feels of that is named, strongest first.
not_isolated() {
	ttrec run -q --isolation none -o n.zst "$kernel" mem=32M initrd="$initrd" do=random:8,off 2>log
	expect 1 ttreplay --trust --report r.json n.zst
	says out '^  possible cause: .* \[recorded-isolation\]$'
	says out '^    aslr: addresses and memory size change with every run'
	says out '^  or [0-9]+ more, see --report$'
	holds r.json '[c["evidence"].split(":")[0] for c in g["causes"]][:2] == ["aslr", "entropy"]'
}

no_trace() {
	expect 2 ttreplay --report r.json /nowhere/t.zst
	python3 -c 'import json; r = json.load(open("r.json")); assert r["verdict"] == "not replayed" and not r["uuid"]'
}

proves "the flipped bit is recovered: symbol, address and both values" value_recovered
proves "the records before a divergence are in the report" records_before
proves "what it possible cause is said, with what speaks for it" causes_named
proves "the Markdown report has the same for people" markdown_for_people
proves "both files by default, of an identical replay too" both_by_default
proves "a report that cannot be written is an error beside the verdict" report_refused
proves "a host file that changed is why nothing was replayed" host_file_changed
proves "another kernel is named as the cause" other_kernel
proves "a sandbox that was not isolated is named as the cause" not_isolated
proves "there is a report of a trace that is not there" no_trace
finish
