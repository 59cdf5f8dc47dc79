#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# kill -9 of the recorder at random moments: how much of what had happened is not in the trace,
# and whether the rest replays to its end.
#
#	bench_kill.sh BIN KILLS KERNEL [SEED]
set -euo pipefail

[[ $# -ge 3 ]] || {
	echo "usage: bench_kill.sh BIN KILLS KERNEL [SEED]" >&2
	exit 2
}
bin=$(readlink -f "$1") kills=$2 kernel=$3
RANDOM=${4:-1}
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d "${TMPDIR:-/tmp}/ttrec-kill.XXXXXX")
trap 'rm -rf "$work"' EXIT

# A guest that says every virtual millisecond what time it is, for as long as it is let.
cat >"$work/init" <<'END'
#!/bin/sh
mount -t devtmpfs devtmpfs /dev
i=0
while :; do
	usleep 1000
	echo "tick $i"
	i=$((i + 1))
done
END
chmod 755 "$work/init"
"$here/../../kernel/uml/make-initramfs.sh" -o "$work/initrd.gz" -i "$work/init"

# The console shows what had happened: each line with the wall time at which it was seen.
stamp() {
	python3 -u -c '
import sys, time
for line in sys.stdin:
    if line.startswith("tick "):
        print(time.time(), line.split()[1])
'
}

# The last tick in the trace, -1 when it holds none.
last_tick() {
	"$bin/ttdump" show --json "$1" 2>/dev/null | python3 -c '
import json, re, sys
last = -1
for line in sys.stdin:
    for tick in re.findall(r"tick (\d+)", line):
        last = int(tick)
print(last)' || true
}

# The age at the kill of the oldest tick that was seen and is not in the trace, in milliseconds.
lost_ms() {
	awk -v last="$2" -v killed="$3" '$2 > last { printf "%.0f\n", (killed - $1) * 1000; found = 1; exit }
		END { if (!found) print 0 }' "$1"
}

kill_once() {
	local killed
	"$bin/ttrec" run -o "$work/trace.zst" "$kernel" mem=64M initrd="$work/initrd.gz" \
		2>/dev/null > >(stamp >"$work/seen") &
	local ttrec=$!
	sleep "$(awk -v r=$RANDOM 'BEGIN { printf "%.3f", 0.3 + 1.2 * r / 32768 }')"
	killed=$EPOCHREALTIME # before the kill, without starting a process that would take its time
	kill -9 $ttrec
	wait $ttrec 2>/dev/null || true
	mv "$work/trace.zst.part" "$work/trace.zst"
	lost=$(lost_ms "$work/seen" "$(last_tick "$work/trace.zst")" "$killed")
	verdict=$("$bin/ttreplay" "$work/trace.zst" 2>&1 | head -n 1) || true
}

most=0 replayed=0
losses=()
for ((i = 0; i < kills; i++)); do
	kill_once
	losses+=("$lost")
	((lost <= most)) || most=$lost
	if [[ $verdict == "identical as far as the trace goes"* ]]; then
		replayed=$((replayed + 1))
	else
		echo "  kill $i: $verdict"
	fi
done
echo "killed $kills times: at most $most ms lost, $replayed replayed to their end"
echo "    lost, ms: ${losses[*]}"
((most <= 250 && replayed == kills))
