#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Bit for bit: replays of one recording in a row, with memory digests at every tenth WAIT, while
# every CPU is loaded by something else; as root and as an ordinary user. The guest boots, forks,
# writes files, reads random numbers and sleeps.
#
#	bench_identity.sh BIN REPLAYS KERNEL...
set -euo pipefail

usage() {
	echo "usage: bench_identity.sh BIN REPLAYS KERNEL..." >&2
	exit 2
}

[[ $# -ge 3 ]] || usage
bin=$(readlink -f "$1") replays=$2
shift 2
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d "${TMPDIR:-/tmp}/ttrec-identity.XXXXXX")
chmod 777 "$work"
loads=()

stop() {
	[[ ${#loads[@]} -eq 0 ]] || kill "${loads[@]}" 2>/dev/null || true
	rm -rf "$work"
}
trap stop EXIT

load_cpus() {
	for ((i = 0; i < $(nproc); i++)); do
		(while :; do :; done) &
		loads+=($!)
	done
}

# As root: once as root and once as nobody. As anybody else: as oneself.
as_user() {
	local user=$1
	shift
	if [[ $user == root || $EUID -ne 0 ]]; then
		"$@"
	else
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$work" "$@"
	fi
}

measure() {
	local kernel=$1 user=$2 trace=$work/$2.zst identical=0 verdict digests
	as_user "$user" "$bin/ttrec" run -q --digest 10 -o "$trace" "$kernel" mem=64M \
		initrd="$work/initrd.gz" 2>"$work/log" || {
		cat "$work/log" >&2
		return 1
	}
	for ((i = 0; i < replays; i++)); do
		if verdict=$(as_user "$user" "$bin/ttreplay" "$trace" | head -n 1) && [[ $verdict == identical:* ]]; then
			identical=$((identical + 1))
		else
			echo "  replay $i: $verdict"
		fi
	done
	digests=$(as_user "$user" "$bin/ttreplay" --json "$trace" | python3 -c 'import json,sys; print(json.load(sys.stdin)["digests"])')
	echo "$(basename "$kernel") as $user: $identical of $replays identical, $digests memory digests each"
	[[ $identical -eq $replays ]]
}

cat >"$work/init" <<'END'
#!/bin/sh
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
for i in 1 2 3 4; do
	usleep 1000
	dd if=/dev/zero of=/tmp/file bs=64k count=16 2>/dev/null
	head -c 100 /dev/urandom | cat - /tmp/file | sha256sum
	(sleep 0.01; echo "background $i") &
done
wait
poweroff -f
END
chmod 755 "$work/init"
"$here/../../kernel/uml/make-initramfs.sh" -o "$work/initrd.gz" -i "$work/init"
chmod 644 "$work/initrd.gz"
load_cpus
status=0
for kernel; do
	cp "$kernel" "$work/$(basename "$kernel")"
	chmod 755 "$work/$(basename "$kernel")"
	for user in root nobody; do
		measure "$work/$(basename "$kernel")" "$user" || status=1
	done
done
exit "$status"
