#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What is checked besides the tests. tests/run.sh calls it after tests/fuzz/run.sh, whose build it reads.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "$0")")")
jobs=$(nproc)
# Of the lines of the trace library, the calendar and vrings; see coverage().
floor=90

usage() {
	cat <<'END'
Usage: tests/checks.sh [CHECK]...

Runs each check, or those that are named, and prints a line for each as TAP has it:

  shellcheck   every script
  codespell    the words of every file
  layout       every C file as clang-format-19 lays it out, with the root's .clang-format
  tidy         clang-tidy over the sources, see .clang-tidy
  tsan         unit tests that have threads, with the thread sanitizer
  coverage     of the trace library, the calendar and vrings at least 90 % of the lines are tested
END
}

# The files of the tree that are ours and text.
tree() {
	git ls-files -- ':!*.png' ':!*package-lock.json' ':!tests/fuzz/corpus' ':!tests/abi' ':!LICENSE'
}

shellcheck_() {
	local file
	tree | grep -v '\.md$' | while read -r file; do
		if [[ $file == *.sh ]] || head -n 1 "$file" | grep -qE '^#!/bin/(ba)?sh'; then
			printf '%s\0' "$file"
		fi
	done | xargs -0 -n 12 -P "$jobs" shellcheck --severity=warning
}

codespell_() {
	tree | xargs -d '\n' codespell
}

# Debian 12 and 13 both have this version; others differ in details.
layout() {
	tree | grep '\.[ch]$' | xargs -d '\n' -n 50 -P "$jobs" clang-format-19 --dry-run --Werror
}

tidy() {
	cmake --preset fuzz || return
	# What is generated is included.
	cmake --build build/fuzz --target ttsandbox ttprobe ttverbs || return
	run-clang-tidy -quiet -p build/fuzz -j "$jobs" "^$root/(format|kernel|recorder|replayer)/.*\.c$" \
		>build/fuzz/tidy.log 2>&1 || {
		grep -A 3 -E 'error:|warning:' build/fuzz/tidy.log
		return 1
	}
}

# run_tests PRESET REGEX: builds the tests that are so called, and runs them.
run_tests() {
	local -a names
	cmake --preset "$1" -D TTREC_HTML=OFF || return
	mapfile -t names < <(ctest --test-dir "build/$1" -N -R "$2" | sed -n 's/^ *Test *#[0-9]*: //p')
	((${#names[@]})) || return
	cmake --build "build/$1" --target "${names[@]}" &&
		ctest --test-dir "build/$1" -R "$2" --output-on-failure --parallel "$jobs"
}

tsan() {
	run_tests tsan '^(format_(writer|artifacts|follow)|test_participant.*|test_vhost|test_vhost_setup|test_guard)$'
}

coverage() {
	local -a only=() sources=(format/trace/codec/{table,chain,predict,encode,pack,decode}.c
		format/trace/{index,verify,salvage}.c format/trace/'(frame|writer|reader|compare).*.c' recorder/calendar/'calendar.*.c' kernel/vhost/'vring.*.c')
	local source
	for source in "${sources[@]}"; do
		only+=(--filter "$source")
	done
	find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	run_tests coverage '^(format_(artifacts|codec|compare|damage|follow|hostile|round_trip|versions|writer)|test_calendar.*|test_vring.*)$' &&
		gcovr --root . --object-directory build/coverage "${only[@]}" --fail-under-line "$floor" build/coverage
}

case ${1-} in
-h | --help) usage; exit ;;
esac
cd "$root"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
(($#)) || set -- shellcheck codespell layout tidy tsan coverage
echo "1..$#"
failed=0
for check; do
	case $check in
	shellcheck | codespell) run=${check}_ ;;
	layout | tidy | tsan | coverage) run=$check ;;
	*) echo "checks.sh: no check $check, see --help" >&2; exit 2 ;;
	esac
	begun=$SECONDS
	if "$run" >"$log" 2>&1; then
		echo "ok - $check"
	else
		tail -n 60 "$log" >&2
		echo "not ok - $check"
		failed=1
	fi
	echo "# $check: $((SECONDS - begun)) s"
	[[ $check != coverage ]] || grep -E '^TOTAL' "$log" | sed 's/^/# /' || true
done
exit "$failed"
