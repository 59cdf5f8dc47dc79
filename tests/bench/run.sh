#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every figure in docs/benchmarks.md, measured in one run on this machine. Takes about half an hour;
# --short takes a few minutes and says less.
set -euo pipefail

root=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
rounds=15 replays=100 kills=200
case ${1:-} in
--short) rounds=3 replays=5 kills=5 ;;
'') ;;
*)
	echo "usage: tests/bench/run.sh [--short]" >&2
	exit 2
	;;
esac

cd "$root"
.ci/install.sh
cmake --preset release >/dev/null
cmake --build --preset release --target all bench-format bench-frames bench-scheduler >/dev/null
bin=build/release/bin
kernel=$(kernel/uml/build-uml.sh 6.12)
kernels=("$kernel")
for version in 5.10 6.1 7.2; do
	if other=$(kernel/uml/build-uml.sh --print-path "$version" 2>/dev/null); then
		kernels+=("$other")
	else
		echo "no cached kernel $version: left out (kernel/uml/build-uml.sh $version builds it)"
	fi
done

section() {
	printf '\n== %s\n' "$*"
}

section "machine"
grep -m 1 'model name' /proc/cpuinfo
echo "$(nproc) CPUs, Linux $(uname -r)"
ulimit -n "$(ulimit -Hn)"
status=0
section "size, writing and reading"
"$bin/bench-format" || status=1
section "looking at ten million records"
tests/bench/bench_views.py "$bin" || status=1
section "scheduler"
"$bin/bench-scheduler" "$bin/ttrec" 5 2>/dev/null || status=1
section "interrupt probe"
if cmake --build --preset release --target bench-probe >/dev/null 2>&1; then
	"$bin/bench-probe" "$bin/probe_target" || status=1
else
	echo "left out: this build has no probe"
fi
section "recording, sealing, replaying"
tests/bench/bench_recording.py "$bin" "$kernel" --rounds "$rounds" || status=1
section "guest patches"
tests/bench/bench_patches.py "$bin" "$kernel" "$(kernel/uml/build-uml.sh --patches 3 6.12)" \
	--rounds "$rounds" || status=1
section "labs"
tests/bench/bench_lab.sh "$bin" "$kernel" "$rounds" pings guests window explore disk share frames || status=1
section "damage"
tests/bench/bench_kill.sh "$bin" "$kills" "$kernel" || status=1
section "bit for bit, all CPUs loaded"
tests/bench/bench_identity.sh "$bin" "$replays" "${kernels[@]}" || status=1
section "default containers, each recording replayed 10 times"
TTREC_TEST_KERNEL_6_12=$kernel TTREC_TEST_REPLAYS=10 tests/system/container.sh 6.12 || (($? == 77)) || status=1
section "programs of Debian"
if distro=$(kernel/uml/build-uml.sh --print-path --distro 6.12 2>/dev/null) &&
	tests/system/debian_image.sh --print-path >/dev/null 2>&1; then
	tests/bench/bench_debian.sh "$bin" "$distro" "$((replays < 10 ? replays : 10))" || status=1
else
	echo "left out: no kernel (kernel/uml/build-uml.sh --distro 6.12) or image (tests/system/debian_image.sh)"
fi
exit "$status"
