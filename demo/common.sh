# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# What the demos share: to install and build, search the seed that fails, and replay that run.

# From here on everything is named as seen from the root of the tree.
[[ ${TTREC_KERNEL:-/} == /* ]] || export TTREC_KERNEL=$PWD/$TTREC_KERNEL
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." || exit
out=build/demo bin=build/release/bin
# Of each demo: where its traces are, less the seed, and what is said of a seed that passes.
traces='' passes=''
# So many seeds are tried; if none of them fails, more, up to the last.
readonly seeds=12 last_seed=200 replays=10

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
	.ci/install.sh --no-tests
	mkdir -p "$out"
	say "building ttrec (build/release)"
	quietly "$out/configure.log" cmake --preset release
	quietly "$out/build.log" cmake --build --preset release --target ttrec ttreplay ttdump
	kernel=$(kernel/uml/build-uml.sh 6.12)
	say "kernel: $kernel"
}

# The guests of demo/election.yaml.
make_election() {
	quietly "$out/guest.log" gcc -static -O2 -Wall -o "$out/election" demo/election.c
	quietly "$out/guest.log" kernel/uml/make-initramfs.sh \
		-o "$out/election.gz" -a "$out/election:/test"
	ln -sfn "$kernel" "$out/linux"
}

# record SEED ARGUMENT...: status 0 if the guests passed, 1 if one failed and left the trace.
record() {
	"$bin/ttrec" run --seed "$1" --keep on-failure --quiet -o "$traces-$1.zst" "${@:2}" \
		>"$traces-$1.log" 2>&1
}

# try_seed SEED ARGUMENT...
try_seed() {
	local status=0 log=$traces-$1.log
	record "$@" || status=$?
	case $status in
	0) printf '%sseed %2d  %s%s\n' "$dim" "$1" "$passes" "$plain" ;;
	1)
		printf '%sseed %2d  %s%s\n' "$red" "$1" "$(sed -n '2{s/^ *why: //; s/ \[[a-z-]*\]$//p}' "$log")" "$plain"
		failing+=("$1")
		;;
	*) cat "$log" >&2; die "ttrec ended with status $status" ;;
	esac
}

# search ARGUMENT...: what ttrec run is given; $trace is then that of the first seed that failed.
search() {
	local seed
	failing=()
	rm -f "$traces"-*
	for ((seed = 1; seed <= seeds || (!${#failing[@]} && seed <= last_seed); seed++)); do
		try_seed "$seed" "$@"
	done
	((${#failing[@]})) || die "none of $last_seed seeds fails: is the guest's program fixed?"
	trace=$traces-${failing[0]}.zst
	say "$(head -n 1 "$traces-${failing[0]}.log")"
}

# replay_once ARGUMENT...: prints what was found of all guests together.
replay_once() {
	local verdict
	verdict=$("$bin/ttreplay" "$@") || { say "$verdict"; die "this replay is not identical: $*"; }
	printf '%s%s%s\n' "$green" "$(grep -m 1 '^identical' <<<"$verdict")" "$plain"
}

replay_all() {
	local i
	title "The same failure, $replays times (ttreplay)"
	for ((i = 1; i <= replays; i++)); do
		printf '%2d  ' "$i"
		replay_once "$trace"
	done
}

take_no_arguments() {
	case ${1-} in
	'') ;;
	-h | --help) usage; exit ;;
	*) usage >&2; exit 2 ;;
	esac
}
