#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# From a fresh Debian to a race that fails the same way every time: installs, builds, searches the
# seed that fails, records it, replays it. What is there already is not done again.
set -euo pipefail

# From here on everything is named as seen from the root of the tree.
[[ ${TTREC_KERNEL:-/} == /* ]] || export TTREC_KERNEL=$PWD/$TTREC_KERNEL
cd "$(dirname "$(readlink -f "$0")")/.."
out=build/demo bin=build/release/bin
# So many seeds are tried; if none of them fails, more, up to the last.
readonly seeds=12 last_seed=200 replays=10
readonly story='^[0-9.]+ s  (ada|ben)  |^(not )?ok 1 '

usage() {
	cat <<'END_OF_USAGE'
Usage: demo/run.sh

Installs what is missing, builds ttrec and a User-Mode-Linux 6.12, then looks for
a seed with which a guest program loses money, and replays that run ten times.
Traces of runs that failed are left in build/demo/seed-N.zst. Takes some minutes the first
time (the kernel), seconds after that.

Environment:
  TTREC_KERNEL  use this User-Mode-Linux kernel, build none
END_OF_USAGE
}

choose_colours() {
	bold='' red='' green='' dim='' plain=''
	[[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]] || return 0
	bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
}

say() {
	printf '%s\n' "$*"
}

title() {
	printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# quietly LOG COMMAND...: its output goes to LOG and is shown only if it fails.
quietly() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 && return
	tail -n 30 "$log" >&2
	die "this failed: $* (all of its output: $log)"
}

prepare() {
	title "Packages, build, kernel"
	.ci/install.sh
	mkdir -p "$out"
	say "building ttrec (build/release)"
	quietly "$out/configure.log" cmake --preset release
	quietly "$out/build.log" cmake --build --preset release --target ttrec ttreplay ttdump
	kernel=$(kernel/uml/build-uml.sh 6.12)
	say "kernel: $kernel"
}

make_guest() {
	quietly "$out/guest.log" gcc -static -O2 -Wall -o "$out/bank" demo/bank.c
	quietly "$out/guest.log" kernel/uml/make-initramfs.sh \
		-o "$out/bank.gz" -a "$out/bank:/test"
}

# record SEED: status 0 if the guest passed, 1 if it failed and left its trace.
record() {
	"$bin/ttrec" run --seed "$1" --keep on-failure --quiet -o "$out/seed-$1.zst" \
		"$kernel" mem=64M initrd="$out/bank.gz" >"$out/seed-$1.log" 2>&1
}

try_seed() {
	local status=0
	record "$1" || status=$?
	case $status in
	0) printf '%sseed %2d  every deposit is there%s\n' "$dim" "$1" "$plain" ;;
	1)
		printf '%sseed %2d  %s%s\n' "$red" "$1" "$(sed -n '2s/^ *why: //p' "$out/seed-$1.log")" "$plain"
		failing+=("$1")
		;;
	*) cat "$out/seed-$1.log" >&2; die "ttrec ended with status $status" ;;
	esac
}

search() {
	local seed
	failing=()
	title "Two tellers, one account, no lock (demo/bank.c): which seed loses money?"
	rm -f "$out"/seed-*
	for ((seed = 1; seed <= seeds || (!${#failing[@]} && seed <= last_seed); seed++)); do
		try_seed "$seed"
	done
	((${#failing[@]})) || die "none of $last_seed seeds loses money: is demo/bank.c repaired?"
	trace=$out/seed-${failing[0]}.zst
	say "$(head -n 1 "$out/seed-${failing[0]}.log")"
}

# Two lines in a row that read the same balance: the second overwrote the first.
mark_lost() {
	awk -v red="$red" -v plain="$plain" '
		$4 == "read" && $5 == last { print red $0 "   <- so did the other: a deposit is lost" plain; next }
		{ last = $5; print }'
}

tell_story() {
	title "What happened in there (ttreplay --console)"
	"$bin/ttreplay" --console "$trace" | tr -d '\r' | grep -E "$story" | mark_lost
}

replay_all() {
	local verdict i
	title "The same failure, $replays times (ttreplay)"
	for ((i = 1; i <= replays; i++)); do
		verdict=$("$bin/ttreplay" "$trace") || { say "$verdict"; die "replay $i is not identical"; }
		printf '%2d  %s%s%s\n' "$i" "$green" "${verdict%%$'\n'*}" "$plain"
	done
}

say_what_is_next() {
	title "Yours"
	cat <<-END_OF_TEXT
		The trace holds kernel, initrd and libraries; take it to another machine and replay it:

		    build/release/bin/ttreplay $trace
		    build/release/bin/ttdump stat $trace
		    build/release/bin/ttdump show $trace | less

		Repair demo/bank.c, run this again, and see whether a seed still fails.
		What else there is: README.md, docs/ttrec.1, docs/architecture.md
	END_OF_TEXT
}

main() {
	case ${1-} in
	'') ;;
	-h | --help) usage; exit ;;
	*) usage >&2; exit 2 ;;
	esac
	choose_colours
	prepare
	make_guest
	search
	tell_story
	replay_all
	say_what_is_next
}

main "$@"
