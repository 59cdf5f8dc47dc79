#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What CIs are told, of real guests: who failed, when, what the line was and what to do next.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12

schema=$source_dir/tests/format/ci/junit.xsd

# junit FILE EXPRESSION: it is valid, and Python says so of the suite s and its cases c, by name.
junit() {
	xmllint --noout --schema "$schema" "$1" 2>log || fail "$(cat log)"
	python3 -c 'import sys, xml.etree.ElementTree as tree
s = tree.parse(sys.argv[1]).getroot()[0]
c = {x.get("classname").split(".", 1)[1] + ": " + x.get("name"): x for x in s.iter("testcase")}
assert eval(sys.argv[2]), (sys.argv[2], tree.tostring(s).decode())' "$1" "$2"
}

# The only lines that a runner would act on are ours.
commands_of() {
	awk '/^::stop-commands::/ { token = "::" substr($0, 18) "::"; next }
		token && $0 == token { token = ""; next }
		!token && /^[ \t]*::|##\[/' "$@"
}

fails_on_github() {
	GITHUB_STEP_SUMMARY=$PWD/summary.md expect 1 record --seed 9 --ci github --junit j.xml -- \
		"say:ok 1 first" "say:::error::pwned" "say:not ok 2 second | <b>" sleep:1000000 \
		"say:##[add-mask]x" off
	commands_of out >commands
	says commands '^::group::console$'
	[[ $(wc -l <commands) == 2 ]] || fail "$(cat commands)"
	commands_of err >commands
	# One test is one annotation, with what repeats it.
	says commands '^::error title=ttrec run%2C n1%3A second \| <b>::console output: not ok \(t=0\.[0-9]{9} s\)%0ASeed: 9%0ATrace: t\.zst, .*%0AThen: ttreplay t\.zst%0A%0A.*not ok 2 second \| <b>'
	[[ $(wc -l <commands) == 1 ]] || fail "$(cat commands)"
	says summary.md '^### ❌ ttrec run .*, seed 9, `t\.zst`$'
	says summary.md '^1 passed, 1 failed, 0 skipped$'
	says summary.md '^\| n1 \| second \\\| &lt;b&gt; \| 0\.[0-9]{9} \| '
	says summary.md '^not ok 2 second \| <b>$'
	says summary.md '^ttreplay t\.zst$'
	# Of one console that two cases show, once.
	[[ $(grep -c '<details>' summary.md) == 1 ]] || fail "$(cat summary.md)"
	says summary.md '<summary>n1: second \| .*: its console</summary>'
	junit j.xml 's.get("tests") == "2" and s.get("failures") == "1" and s.get("errors") == "0"'
	junit j.xml 'c["n1: first"].find("failure") is None'
	junit j.xml '{x.get("name"): x.get("value") for x in s.iter("property")}["seed"] == "9"'
	junit j.xml '{x.get("name"): x.get("value") for x in s.iter("property")}["trace"] == "t.zst"'
	junit j.xml '"not ok 2 second" in c["n1: second | <b>"].find("failure").text'
	junit j.xml '"next: ttreplay t.zst" in c["n1: second | <b>"].find("failure").text'
	replays_identical t.zst
}

# Where no guest has failed, what all said last is there.
shows_the_console_of_a_hang() {
	GITHUB_STEP_SUMMARY=$PWD/summary.md expect 5 record -q --hang-timeout 1s --ci github -- \
		"say:here I spin" spin
	says summary.md '^\|  \| recording \| '
	says summary.md '^here I spin$'
}

# The time of a failure is virtual, and that of the record which has the line.
same_time_each_run() {
	local i time record
	for i in 1 2 3; do
		expect 1 record -q --ci github --fail-on '^at last' -- tick:5:1000000 "say:at last" off
		grep -oE 'at last \[console-line\] \(t=[0-9.]+' err >"time.$i"
	done
	cmp time.1 time.2
	cmp time.1 time.3
	time=$(sed 's/.*t=//' time.1)
	record=$(ttdump show t.zst | grep 'console.*"at last' | awk '{ print $2 }')
	[[ $time == "$record" ]] || fail "said at $time, recorded at $record"
}

fails_on_gitlab() {
	expect 1 record --ci gitlab --expect 'never said' -- "say:hello" off
	says out $'^\033\\[0Ksection_start:[0-9]+:ttrec_console\\[collapsed=true\\]\r\033\\[0Kconsole$'
	says out $'section_end:[0-9]+:ttrec_console\r'
	says err $'^\033\\[31;1mFAILED\033\\[0m \033\\[1msays never said\033\\[0m at t=[0-9.]+ s: no console output has a match$'
	says err $'^\033\\[0Ksection_start:[0-9]+:ttrec_1_console\\[collapsed=true\\]\r'
	says err '^  hello$'
	says err $'^\033\\[1mattach:\033\\[0m t.zst '
	says err 'ttreplay t\.zst$'
	says err $'FAILED\033\\[0m no console line matches: never said|FAILED.*; seed 1; [01] passed, 1 failed'
}

# What is no test's failure is a case of its guest, also where tests have failed before it.
two_failures() {
	expect 1 record -q --junit j.xml -- "say:not ok 1 - first" "say:ok 2 - second" panic
	junit j.xml 'c["n1: first"].find("failure") is not None and s.get("tests") in "23"'
	expect 1 record -q --junit j.xml -- "say:ok 1 - first" panic
	junit j.xml 'c["n1: run"].find("failure") is not None and s.get("failures") == "1" and s.get("tests") == "2"'
}

passes() {
	expect 0 record --ci github --junit j.xml --keep on-failure --expect hello -- "say:hello" off
	commands_of err >commands
	empty commands
	junit j.xml 's.get("tests") == "2" and s.get("failures") == s.get("errors") == "0"'
	junit j.xml 'set(c) == {"n1: run", "lab: says hello"}'
	junit j.xml '"trace" not in [x.get("name") for x in s.iter("property")]'
}

kunit_by_test() {
	expect 1 record -q --junit j.xml -- "say:    # Subtest: suite" "say:    ok 1 good" \
		"say:    # why it failed" "say:    not ok 2 bad" "say:not ok 1 suite" off
	junit j.xml 's.get("tests") == "2" and s.get("failures") == "1"'
	junit j.xml 'c["n1: suite.bad"].find("failure") is not None and c["n1: suite.good"].find("failure") is None'
	junit j.xml '"# why it failed" in c["n1: suite.bad"].find("failure").text'
}

limit_and_refusal() {
	expect 1 record -q --ci github --junit j.xml --limit-virtual 2s -- tick:0:100000000
	junit j.xml 'c["lab: recording"].find("failure") is not None'
	junit j.xml 'c["n1: run"].find("skipped") is not None'
	says err '^::error title=ttrec run%2C recording::'
	expect 2 ttrec run -q --ci github --junit j.xml -o u.zst /nowhere/linux
	junit j.xml 's.get("errors") == "1" and c["lab: recording"].find("error") is not None'
	says err '^::error title=ttrec run%2C recording::'
}

json_alone() {
	expect 0 record --json --ci github -- "say:hello" off
	python3 -m json.tool out >/dev/null
	expect 0 ttreplay --json --ci github t.zst
	python3 -m json.tool out >/dev/null
}

not_written() {
	expect 2 record -q --junit /nowhere/j.xml -- off
	says err '^ttrec: cannot write /nowhere/j.xml: No such file or directory$'
	expect 2 ttreplay --junit /nowhere/j.xml t.zst
	says err '^ttreplay: cannot write /nowhere/j.xml: No such file or directory$'
	GITHUB_STEP_SUMMARY=/nowhere/s.md expect 2 ttreplay --ci github t.zst
	says err '^ttreplay: cannot add to the summary /nowhere/s.md: '
	expect 2 ttreplay --ci jenkins t.zst
}

replay_diverges() {
	local record
	record -q --digest every -- "say:not ok 1 it" tick:5:1000000 off 2>log || true
	record=$(ttdump show t.zst | awk '/== digest +data/ && !/part of/ && ++seen == 9 { print $1 + 1 }')
	GITHUB_STEP_SUMMARY=$PWD/summary.md expect 1 ttreplay --ci github --junit j.xml --console \
		--flip-bit "$record:0:0x1000000:3" t.zst
	commands_of out >commands
	says commands '^::error title=ttreplay%2C n1%3A replay::diverged at record [0-9]+: expected the recorded memory, got other memory \[diverged\] \(t=0\.[0-9]{9} s\)'
	says summary.md '^  possible cause: .* \[flipped-bit\]$'
	junit j.xml '"possible cause" in c["n1: replay"].find("failure").text'
	expect 0 ttreplay --ci gitlab --junit j.xml t.zst
	says out $'^\033\\[32;1mpassed\033\\[0m identical; seed 1; 1 passed, 1 failed, 0 skipped$'
	junit j.xml 'c["n1: replay"].find("failure") is None and c["n1: it"].find("failure") is not None'
	head -c 3000 t.zst >cut.zst
	expect 3 ttreplay --junit j.xml cut.zst
	junit j.xml 's.get("errors") == "1"'
}

command -v xmllint >/dev/null || {
	echo "1..0 # SKIP no xmllint here"
	exit 77
}
proves "of a run that hangs a CI is shown the consoles" shows_the_console_of_a_hang
proves "GitHub is told guest, time, line, artifact and command; guests command nothing" fails_on_github
proves "the time of a failure is the same in every run, and in the trace" same_time_each_run
proves "GitLab has consoles in sections, and what to attach" fails_on_gitlab
proves "what passes annotates nothing, and is in the JUnit file" passes
proves "each test of a console is a case" kunit_by_test
proves "what no test has said fails the guest" two_failures
proves "limits and refusals are told, too" limit_and_refusal
proves "JSON keeps standard output for itself" json_alone
proves "what cannot be written is an error" not_written
proves "a replay that diverges is told in the same way" replay_diverges
finish
