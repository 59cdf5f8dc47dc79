# SPDX-License-Identifier: BSD-3-Clause
# Sourced after lib.sh by what runs Debian guests: the disk image, and the lab of each program in
# tests/system/debian/.
# shellcheck shell=bash disable=SC2154 # source_dir, bin: lib.sh

debian_dir=$source_dir/tests/system/debian
# Name, guests, memory of each.
debian_programs='
python   1 256M
postgres 1 512M
node     1 512M
go       1 256M
java     1 1G
redis    2 256M
nginx    2 256M
etcd     3 256M
nats     3 256M
frr      3 256M
systemd  1 512M
hour     1 256M
'

# is_newer FILE: than all that goes into it.
is_newer() {
	local other
	for other in "$debian_cached" "$debian_dir"/* "$source_dir/kernel/uml/make-debian-image.sh"; do
		[[ $1 -nt $other ]] || return
	done
}

add_guest_files() {
	local file name options=()
	command -v go >/dev/null || {
		echo "no go: install the package golang-go"
		return 1
	}
	go build -o "$work/gotest" "$debian_dir/gotest.go" || return
	for file in "$work/gotest" "$debian_dir"/*.{sh,py,js,java}; do
		name=${file##*/}
		options+=(-a "$file:/ttrec/${name%.sh}")
	done
	"$source_dir/tests/system/debian_image.sh" -o "$debian_image" "${options[@]}" \
		-a "$debian_dir/report.service:/etc/systemd/system/report.service"
}

# need_debian: sets $debian_image, the cached image with the guests' programs, made once for all
# tests; ends the script as skipped when there is none.
need_debian() {
	debian_cached=$("$source_dir/tests/system/debian_image.sh" --print-path 2>/dev/null) || {
		echo "1..0 # SKIP NO DEBIAN IMAGE, NOTHING WAS TESTED; make one:" \
			"tests/system/debian_image.sh"
		exit 77
	}
	debian_image=$(readlink -f "$bin/..")/debian.img
	(
		flock 9
		is_newer "$debian_image" || add_guest_files >/dev/null
	) 9>"$debian_image.lock" || {
		echo "cannot make $debian_image" >&2
		exit 1
	}
}

# debian_guest PROGRAM NODE MEMORY DEVICE...: a line of a lab file.
debian_guest() {
	local node=$2 memory=$3 init="init=/ttrec/init program=$1 node=$2" disk="disk: $debian_image"
	case $1 in
	systemd) init=systemd.wants=report.service ;;
	# What a commit waits for: with a fast disk three seconds are many transactions.
	postgres) disk+=', latency: 1ms' ;;
	esac
	shift 3
	printf '  - {name: n%s, kernel: ./linux, memory: %s, append: "root=/dev/vda rw %s", devices: [%s]}\n' \
		"$node" "$memory" "$init" "{$disk}$(printf ', {net: %s}' "$@")"
}

# debian_lab PROGRAM: writes lab.yaml; the kernel has to be ./linux.
debian_lab() {
	local guests memory node cards
	read -r guests memory < <(awk -v name="$1" '$1 == name { print $2, $3 }' <<<"$debian_programs")
	{
		echo "networks: [{name: lan, delay: 200us}$([[ $1 != frr ]] || echo ', {name: other, delay: 200us}')]"
		echo guests:
		for ((node = 1; node <= guests; node++)); do
			# The routers are in a row.
			case $1-$node in
			frr-2) cards=(lan other) ;;
			frr-3) cards=(other) ;;
			*) cards=(lan) ;;
			esac
			debian_guest "$1" "$node" "$memory" "${cards[@]}"
		done
	} >lab.yaml
}
