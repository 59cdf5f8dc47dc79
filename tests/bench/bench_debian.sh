#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Bit for bit with real software: each program of Debian's archive recorded twice, which must be
# equal, and replayed, which must be identical with all digests; as root and as an ordinary user.
# An hour of virtual time in which something happens every second is one of the programs.
#
#	bench_debian.sh BIN KERNEL [REPLAYS] [PROGRAM]...
#
# The kernel needs ext4, see build-uml.sh; the programs are those of tests/system/debian_lib.sh, all
# without one.
set -euo pipefail
export LC_ALL=C

[[ $# -ge 2 ]] || {
	echo "usage: bench_debian.sh BIN KERNEL [REPLAYS] [PROGRAM]..." >&2
	exit 2
}
bin=$(readlink -f "$1") kernel=$(readlink -f "$2") replays=${3:-10}
source_dir=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
work=$(mktemp -d "${TMPDIR:-/tmp}/ttrec-debian.XXXXXX")
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=../system/debian_lib.sh
. "$source_dir/tests/system/debian_lib.sh"

# An ordinary user has to reach commands, kernel and image.
publish() {
	chmod 755 "$work"
	need_debian
	cp "$bin"/{ttrec,ttreplay,ttdump} "$work/"
	cp "$kernel" "$work/linux"
	cp --sparse=always --reflink=auto "$debian_image" "$work/debian.img"
	debian_image=$work/debian.img
	chmod -R a+rX "$work"
	PATH=$work:$PATH
}

# As root: once as root and once as nobody. As anybody else: as oneself.
users() {
	if ((EUID)); then
		id -un
	else
		echo root nobody
	fi
}

as_user() {
	local user=$1
	shift
	if [[ $user == nobody ]] && ((!EUID)); then
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$PWD" "$@"
	else
		"$@"
	fi
}

# seconds_of COMMAND...: wall time of it to $seconds; its output goes to out and err.
seconds_of() {
	local start=$EPOCHREALTIME status=0
	"$@" >out 2>err || status=$?
	seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }')
	return "$status"
}

measure() {
	local program=$1 user=$2 trace first same=equal identical=0 samples=()
	for trace in first.zst t.zst; do
		seconds_of as_user "$user" ttrec run -q -f lab.yaml -o "$trace" --grant window \
			--cpu "$cpu" || {
			echo "$program as $user: $(grep -m 1 -A 1 FAILED err)"
			return 1
		}
		samples+=("$seconds")
	done
	echo "$program as $user: $(sed -n 's/^recorded: //p' err)"
	if ! first=$(ttdump diff first.zst t.zst 2>&1); then
		same="DIFFERENT ($(head -n 2 <<<"$first"))"
	fi
	echo "    recorded twice: $same; s: ${samples[*]}"
	samples=()
	for ((i = 0; i < replays; i++)); do
		if seconds_of as_user "$user" ttreplay t.zst && grep -q '^identical: ' out &&
			! grep -qE 'DIVERGED|not compared' out; then
			identical=$((identical + 1))
		else
			grep -m 2 -A 2 -E 'DIVERGED|not compared' out || true
		fi
		samples+=("$seconds")
	done
	echo "    replayed: $identical of $replays identical; s: ${samples[*]}"
	[[ $same == equal ]] && ((identical == replays))
}

# What CPUID answers is in memory: digests are equal on the same CPU only.
cpu=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
publish
status=0
programs=("${@:4}")
((${#programs[@]})) || mapfile -t programs < <(awk 'NF { print $1 }' <<<"$debian_programs")
for program in "${programs[@]}"; do
	for user in $(users); do
		mkdir "$work/run"
		chmod 777 "$work/run"
		cd "$work/run"
		ln -s ../linux linux
		debian_lab "$program"
		measure "$program" "$user" || status=1
		cd /
		rm -rf "$work/run"
	done
done
exit "$status"
