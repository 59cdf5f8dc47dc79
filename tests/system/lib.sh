# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the system tests: real kernels, real sockets, one case a line (TAP).
#
#	proves "what it proves" FUNCTION [ARGUMENT]...
#
# runs FUNCTION in a directory of its own; it fails with the first command that fails. What it
# printed is shown when it did. `skip WHY` says that the machine cannot do it. At the end of the
# script: finish.
#
# Environment: TTREC_TEST_BIN, the built commands (build/release/bin). TTREC_TEST_KERNEL_6_12 and so
# on name a kernel, else a cached one is taken.
# shellcheck shell=bash
set -uo pipefail
export LC_ALL=C

source_dir=${TTREC_TEST_SOURCE:-$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")}
bin=${TTREC_TEST_BIN:-$source_dir/build/release/bin}
[[ -x $bin/ttrec ]] || {
	echo "no commands in $bin: build first, or set TTREC_TEST_BIN" >&2
	exit 1
}
script=$(basename "$0" .sh)
initrd=$bin/guest.cpio
PATH=$bin:$PATH

cases=0 failed=0 run_by=() kernel_arguments=() patience=60
# Ordinary users have to reach it.
work=$(mktemp -d "${TMPDIR:-/tmp}/ttrec-test-$script.XXXXXX")
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT

# ---- Cases ----------------------------------------------------------------------------------------

# Called in a case: it cannot be tested here.
skip() {
	echo "$*" >"$work/why"
	exit 77
}

# Called in a case: it failed.
fail() {
	echo "$*"
	exit 1
}

run_case() (
	mkdir "$work/case" && cd "$work/case" || exit
	chmod 777 .
	set -eE
	trap 'echo "line $LINENO failed: $BASH_COMMAND" >&2' ERR
	"$@"
)

show_log() {
	local file
	sed 's/^/# /' "$work/log"
	for file in out err; do
		[[ ! -s $work/case/$file ]] || tail -n 12 "$work/case/$file" | sed "s/^/# $file: /" | tr -d '\r'
	done
}

keep_case() {
	local kept=${TTREC_TEST_KEEP-}/$script-$cases
	[[ ${TTREC_TEST_KEEP-} ]] || return 0
	mkdir -p "$TTREC_TEST_KEEP" && rm -rf "$kept" && cp -a "$work/case" "$kept" && cp "$work/log" "$kept/log" &&
		echo "# kept: $kept"
}

proves() {
	local what=$1 status
	shift
	# Not in front of "||": there the shell lets a case go on after a command that fails.
	run_case "$@" >"$work/log" 2>&1 </dev/null
	status=$?
	cases=$((cases + 1))
	case $status in
	0) echo "ok $cases - $what" ;;
	77) echo "ok $cases - $what # SKIP $(cat "$work/why")" ;;
	*)
		failed=$((failed + 1))
		echo "not ok $cases - $what"
		show_log
		keep_case
		;;
	esac
	rm -rf "$work/case"
}

finish() {
	echo "1..$cases"
	exit $((failed > 0))
}

# ---- What a case says --------------------------------------------------------------------------------

# expect STATUS COMMAND...: it ends with that status; its output goes to the files out and err.
expect() {
	local wanted=$1 status=0
	shift
	"$@" >out 2>err || status=$?
	((status == wanted)) || fail "exit status $status, expected $wanted: $*"
}

# says FILE REGEX: one of its lines matches.
says() {
	grep -qE -- "$2" "$1" || fail "$1 does not say: $2"
}

# failed_by CODE [REGEX [FILE]]: the code of the reason that a recording gave (FINDINGS in ttrec(7)), and its text.
failed_by() {
	says "${3-err}" "^  why: .*${2-}.* \[$1\]\$"
}

never_says() {
	! grep -E -- "$2" "$1" || fail "$1 says: $2"
}

empty() {
	[[ ! -s $1 ]] || fail "$1 is not empty: $(head -c 300 "$1")"
}

# noise SEED BYTES: bytes without any structure, the same for the same seed.
noise() {
	python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(sys.argv[1]).randbytes(int(sys.argv[2])))' "$@"
}

# at_least NUMBER MINIMUM WHAT
at_least() {
	(($1 >= $2)) || fail "$3: $1, expected at least $2"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < deadline)) || fail "did not happen in time: $*"
		sleep 0.02
	done
}

# The commands, so that what never ends is a failure (status 124).
ttrec() {
	timeout --foreground "$patience" "$bin/ttrec" "$@"
}

ttreplay() {
	timeout --foreground "$patience" "$bin/ttreplay" "$@"
}

# need_tshark: skips without one. From here on it is one that knows our records, by $dissector: where it is
# run by root it loads none since Wireshark 4.4, so it is run by nobody.
need_tshark() {
	local tshark
	tshark=$(command -v tshark) && command -v capinfos >/dev/null || skip "needs tshark"
	dissector=$work/ttrec.lua
	cp "$bin/../share/ttrec/ttrec.lua" "$dissector"
	((EUID)) || [[ -x $work/tools/tshark ]] || {
		mkdir -p "$work/tools"
		printf '#!/bin/sh\nHOME=%s exec setpriv --reuid=65534 --regid=65534 --clear-groups %s "$@"\n' \
			"$work/nobody" "$tshark" >"$work/tools/tshark"
		chmod 755 "$work/tools/tshark"
	}
	PATH=$work/tools:$PATH
}

# ---- Guests ----------------------------------------------------------------------------------------------

# need_kernel VERSION: sets $kernel; ends the script as skipped when there is none.
need_kernel() {
	local variable=TTREC_TEST_KERNEL_${1//./_}
	local -a words=("$1")
	variable=${variable^^}
	case $1 in
	kunit) words=(--kunit 6.12) ;;
	kasan) words=(--kasan --kunit 6.12) ;;
	distro) words=(--distro 6.12) ;;
	wireless) words=(--wireless 6.12) ;;
	esac
	kernel=${!variable:-}
	[[ -z $kernel ]] || return 0
	kernel=$("$source_dir/kernel/uml/build-uml.sh" --print-path "${words[@]}" 2>/dev/null) && return
	echo "1..0 # SKIP NO KERNEL $1, NOTHING WAS TESTED; build one: kernel/uml/build-uml.sh ${words[*]}"
	exit 77
}

# record [OPTION]... -- ACTION...: one guest that does this (guest_init.c), into t.zst. ttrec is run
# by "${run_by[@]}" with "${kernel_arguments[@]}", if these are set.
record() {
	local -a options=()
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	"${run_by[@]}" ttrec run -o t.zst "${options[@]}" "$kernel" mem=32M initrd="$initrd" \
		"${kernel_arguments[@]}" "do=\"$(actions "$@")\""
}

# actions ACTION...: as guest_init.c reads them.
actions() {
	local IFS=,
	echo "$*"
}

# replays_identical [OPTION]... TRACE
replays_identical() {
	expect 0 ttreplay "$@"
	says out '^identical: '
}

# fact NAME TRACE: one line of trace_facts.
fact() {
	trace_facts "$2" | sed -n "s/^$1 //p"
}

# whole TRACE: closed by its recorder, every bit in place.
whole() {
	local verdict
	verdict=$(fact verify "$1")
	[[ $verdict == whole ]] || fail "the trace $1 is not whole: $verdict"
}

# ---- Users -------------------------------------------------------------------------------------------------

# as_user COMMAND...: as nobody, unless we are an ordinary user anyway.
as_user() {
	if ((EUID)); then
		"$@"
	else
		HOME=$PWD setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	fi
}

# The commands have to be where an ordinary user may read them.
publish_commands() {
	mkdir public
	cp "$bin"/{ttrec,ttreplay,trace_facts,guest.cpio} "$kernel" public/
	chmod -R a+rX public
	kernel=$PWD/public/$(basename "$kernel") initrd=$PWD/public/guest.cpio PATH=$PWD/public:$PATH
}
