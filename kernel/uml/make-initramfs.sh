#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Packs a busybox root file system for a guest; equal input gives equal bytes.
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=archive.sh
. "$here/archive.sh"

usage() {
	cat <<'END'
Usage: make-initramfs.sh -o OUT [-i INIT] [-a FILE:/PATH]... [-b BUSYBOX]

Writes an initramfs with busybox and its commands to OUT: compressed with zstd
if the name ends in .zst, else with gzip.

  -o OUT         the file to write
  -i INIT        the guest's /init; the default mounts /proc, /sys and /dev,
                 runs /test if there is one, and powers off
  -a FILE:/PATH  puts FILE there, executable if FILE is; may be repeated
  -b BUSYBOX     a static busybox; the default is the installed one if it is
                 static, else the package busybox-static is fetched, not
                 installed
  -h             print this and exit

Needs no root. /dev/console is in every kernel built without an initramfs of
its own. Environment: see build-uml.sh --help.
END
}

default_init() {
	cat <<'END'
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm /tmp
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
if [ -x /test ]; then
	/test
else
	echo "ttrec guest up"
	cat /proc/uptime
fi
poweroff -f
END
}

# What the archive holds: path to "dir", "link TARGET" or "file MODE SOURCE".
declare -A nodes=()

add_parents() {
	local dir=${1%/*}
	while [[ -n $dir ]]; do
		nodes[$dir]=dir
		dir=${dir%/*}
	done
}

add_link() {
	add_parents "$1"
	nodes[$1]="link $2"
}

add_file() {
	[[ -f $2 && -r $2 ]] || die "cannot read the file $2"
	local mode=644
	[[ -x $2 ]] && mode=755
	add_parents "$1"
	nodes[$1]="file $mode $2"
}

# add_argument FILE:/PATH
add_argument() {
	local path=${1##*:}
	[[ $1 == ?*:/?* && $path != */ && $path != *//* && /$path/ != */../* ]] ||
		die "-a $1: wanted FILE:/PATH, an absolute path that names a file"
	add_file "$path" "${1%:*}"
}

is_static() {
	local program
	program=$(readlink -f "$1") || return 1
	[[ $(readelf -lW "$program" 2>/dev/null) == *LOAD* ]] &&
		[[ $(readelf -lW "$program") != *INTERP* ]]
}

# find_busybox: prints the path of a static busybox.
find_busybox() {
	local installed deb dir
	if installed=$(command -v busybox) && is_static "$installed"; then
		readlink -f "$installed"
		return
	fi
	archive_cached busybox-static >/dev/null || archive_fetch busybox-static bookworm
	deb=$(archive_cached busybox-static)
	dir=$cache/packages/$(basename "$deb" .deb)
	if [[ ! -x $dir/bin/busybox ]]; then
		need dpkg-deb dpkg
		lock busybox-static
		dpkg-deb -x "$deb" "$dir.new"
		mv -T "$dir.new" "$dir" 2>/dev/null || rm -rf "$dir.new"
		unlock
	fi
	find "$dir" -path '*/bin/busybox'
}

add_busybox() {
	local applet
	is_static "$1" || die "$1 is not a static program: install busybox-static or leave out -b"
	while read -r applet; do
		[[ $applet == bin/busybox ]] || add_link "/$applet" /bin/busybox
	done < <("$1" --list-full)
	add_file /bin/busybox "$1"
}

# pad N: zeroes after N bytes up to a multiple of four.
pad() {
	local i
	for ((i = $1; i % 4; i++)); do
		printf '\0'
	done
}

# entry MODE LINKS SIZE NAME: a header of the "newc" format
# (Documentation/driver-api/early-userspace/buffer-format.rst), root's, at time zero.
entry() {
	((++inode))
	printf '070701'
	printf '%08X' "$inode" $((8#$1)) 0 0 "$2" 0 "$3" 0 0 0 0 $((${#4} + 1)) 0
	printf '%s\0' "$4"
	pad $((110 + ${#4} + 1))
}

write_node() {
	local kind mode=755 source size
	read -r kind source <<<"$2"
	case $kind in
	dir) entry 40755 2 0 "$1" ;;
	link)
		entry 120777 1 ${#source} "$1"
		printf '%s' "$source"
		pad ${#source}
		;;
	file)
		mode=${source%% *} source=${source#* }
		size=$(stat -Lc %s "$source")
		entry "100$mode" 1 "$size" "$1"
		cat "$source"
		pad "$size"
		;;
	esac
}

write_archive() {
	local path inode=0
	while IFS= read -r path; do
		write_node "${path#/}" "${nodes[$path]}"
	done < <(printf '%s\n' "${!nodes[@]}" | sort)
	entry 0 1 0 'TRAILER!!!'
}

compress() {
	case $1 in
	*.zst) need zstd zstd && zstd -q -19 ;;
	*) gzip -9n ;;
	esac
}

parse_arguments() {
	out='' init='' busybox='' extra=()
	local option
	while getopts :o:i:a:b:h option; do
		case $option in
		o) out=$OPTARG ;;
		i) init=$OPTARG ;;
		a) extra+=("$OPTARG") ;;
		b) busybox=$OPTARG ;;
		h) usage; exit ;;
		*) die "unknown option or no argument: -$OPTARG, see -h" ;;
		esac
	done
	shift $((OPTIND - 1))
	(($# == 0)) || die "unexpected argument: $1, see -h"
	[[ -n $out ]] || die "where to? -o OUT, see -h"
}

main() {
	parse_arguments "$@"
	need readelf binutils
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	default_init >"$work/init"

	nodes=([/proc]=dir [/sys]=dir [/dev]=dir [/tmp]=dir [/root]=dir)
	[[ -n $busybox ]] || busybox=$(find_busybox)
	add_busybox "$busybox"
	add_file /init "${init:-$work/init}"
	nodes[/init]=${nodes[/init]/#file 644/file 755}
	local argument
	for argument in ${extra[@]+"${extra[@]}"}; do
		add_argument "$argument"
	done

	local part
	part=$(mktemp "$out.XXXXXX") || die "cannot write beside $out"
	write_archive | compress "$out" >"$part" || { rm -f "$part"; die "cannot write $part"; }
	chmod 644 "$part"
	mv -f "$part" "$out"
}

main "$@"
