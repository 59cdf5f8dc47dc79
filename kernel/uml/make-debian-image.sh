#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Makes a disk image with Debian and packages of its archive, a root file system for a guest.
set -euo pipefail
export LC_ALL=C

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=archive.sh
. "$here/archive.sh"

usage() {
	cat <<'END'
Usage: make-debian-image.sh [OPTION]... [PACKAGE]...

Print the path of a raw disk image, building it first if it is not cached: one
ext4 file system with Debian as debootstrap installs it, and the packages,
unmodified.

  -s, --suite SUITE     use this suite of the archive (default: bookworm)
      --size SIZE       set the size of the file system, such as 4G; unused space
                        takes no space on disk (default: 4G)
  -a, --add FILE:/PATH  add FILE there, executable if FILE is; may be repeated;
                        requires -o
  -o, --output OUT      write a copy to OUT
      --update          build it again, with the archive's current packages
      --print-path      never build: fail if the image is not cached
  -h, --help            print this and exit

IMAGE.packages beside the image lists the installed packages. An ordinary user
needs user namespaces and a line in /etc/subuid and /etc/subgid, as written by
useradd. Needed packages: packages.txt. Environment: see build-uml.sh --help.
END
}

# Raise it when the same arguments are to give another image.
readonly recipe=1
# 2026-01-01, the day on which a guest starts.
readonly epoch=1767225600

parse_arguments() {
	suite=bookworm size=4G added=() out='' update='' print_only='' packages=()
	while (($#)); do
		case $1 in
		-s | --suite) suite=${2-}; shift ;;
		--size) size=${2-}; shift ;;
		-a | --add) added+=("${2-}"); shift ;;
		-o | --output) out=${2-}; shift ;;
		--update) update=yes ;;
		--print-path) print_only=yes ;;
		-h | --help) usage; exit ;;
		-*) die "unknown option $1, see --help" ;;
		*) packages+=("$1") ;;
		esac
		shift || die "the last option needs an argument, see --help"
	done
	check_arguments
}

check_arguments() {
	local argument
	[[ $suite =~ ^[a-z]+$ ]] || die "invalid suite '$suite': expected a name such as bookworm"
	[[ $size =~ ^[1-9][0-9]*[MG]$ ]] || die "invalid size '$size': expected a number and M or G"
	for argument in "${packages[@]}"; do
		[[ $argument =~ ^[a-z0-9][a-z0-9.+-]+$ ]] || die "invalid package name '$argument'"
	done
	for argument in "${added[@]}"; do
		check_added "$argument"
	done
	((${#added[@]} == 0)) || [[ -n $out ]] ||
		die "--add requires --output: the cached image is not modified"
}

# debugfs reads words in double quotes.
check_added() {
	local file=${1%:*} path=${1##*:}
	[[ $1 == ?*:/?* && $path != */ && $path != *//* && /$path/ != */../* && $1 != *[\"$'\n']* ]] ||
		die "invalid --add '$1': expected FILE:/PATH, an absolute path that names a file"
	[[ -f $file && -r $file ]] || die "cannot read the file $file"
}

# image_path: where the image of these arguments is kept.
image_path() {
	local hash
	hash=$({ echo "$recipe $size"; printf '%s\n' "${packages[@]}" | sort -u; } | sha256sum)
	echo "$cache/debian/$suite-${hash:0:12}.img"
}

check_tools() {
	[[ $(uname -m) == x86_64 ]] || die "makes images on x86_64 only, this is $(uname -m)"
	local pair missing=()
	for pair in mmdebstrap:mmdebstrap mke2fs:e2fsprogs tar:tar; do
		command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	((EUID == 0)) || command -v newuidmap >/dev/null || missing+=(uidmap)
	((${#missing[@]} == 0)) || die "cannot build an image: install the packages ${missing[*]}"
	[[ -r $keyring ]] || die "cannot check signatures, no keys in $keyring:" \
		"install the package debian-archive-keyring or set TTREC_KEYRING"
	as_owner true 2>/dev/null || die "cannot give files to other users: this needs root, or" \
		"user namespaces and a line for $(id -un) in /etc/subuid and in /etc/subgid" \
		"(usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un))"
}

# as_owner COMMAND...: with the user ids of a whole system, in a user namespace unless we are root.
as_owner() {
	if ((EUID == 0)); then
		"$@"
	else
		unshare --user --map-root-user --map-auto -- "$@"
	fi
}

sources() {
	local each suites=("$suite")
	[[ $suite == sid ]] || suites+=("$suite-updates" "$suite-security")
	for each in "${suites[@]}"; do
		echo "deb [signed-by=$keyring] $(mirror_of "$each") $each main"
	done
}

# use_proxy: apt in the new system knows nothing of the machine's configuration.
use_proxy() {
	local proxy=
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	[[ -z $proxy ]] || export http_proxy=${http_proxy:-$proxy}
}

# install_system DIR: without device nodes, which the guest's kernel makes.
install_system() {
	local list mode=unshare
	((EUID)) || mode=root
	list=$(IFS=, && echo "${packages[*]}")
	use_proxy
	mkdir "$1"
	sources | SOURCE_DATE_EPOCH=$epoch mmdebstrap --mode="$mode" --variant=debootstrap \
		--format=tar --skip=output/dev ${list:+"--include=$list"} "$suite" - - |
		as_owner tar -C "$1" -xp --numeric-owner && as_owner mkdir -m 755 "$1/dev"
}

# make_file_system DIR IMAGE: what mke2fs would draw or read off the clock is fixed.
make_file_system() {
	local id=6465626e-0000-4000-8000-747472656300
	E2FSPROGS_FAKE_TIME=$epoch as_owner mke2fs -q -t ext4 -L debian -d "$1" -U "$id" \
		-E "hash_seed=$id,root_owner=0:0" "$2" "$size"
}

# make_image IMAGE: leaves IMAGE complete or not at all.
make_image() {
	local image=$1 log=$1.log start=$SECONDS
	work=$image.new
	mkdir -p "${image%/*}"
	trap 'as_owner rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	as_owner rm -rf "$work"
	mkdir "$work"
	note "installing Debian $suite, a few minutes (log: $log)"
	install_system "$work/root" 2>"$log" || make_failed "install Debian $suite"
	make_file_system "$work/root" "$work/image" >>"$log" 2>&1 || make_failed "make a file system of $size"
	as_owner dpkg-query --admindir="$work/root/var/lib/dpkg" -W >"$image.packages"
	chmod 644 "$work/image"
	mv "$work/image" "$image"
	rm -f "$log"
	note "made $image in $((SECONDS - start)) s"
}

make_failed() {
	grep -E '^(E:|W:|Err:|mke2fs:|tar:)|Unable' "$log" | tail -n 10 >&2 || tail -n 5 "$log" >&2
	die "cannot $1, see $log. To use another mirror, set TTREC_DEBIAN_MIRROR, TTREC_SECURITY_MIRROR;" \
		"a larger file system: --size"
}

# has IMAGE PATH
has() {
	debugfs -R "stat \"$2\"" "$1" 2>/dev/null | grep -q '^Inode:'
}

# debugfs_commands IMAGE FILE PATH: makes the directories of PATH that are not there, which debugfs
# would not notice, and a copy of FILE.
debugfs_commands() {
	local dir=/ name mode=0100644
	[[ -x $2 ]] && mode=0100755
	while IFS= read -r -d / name; do
		[[ -n $name ]] || continue
		dir+=$name/
		has "$1" "${dir%/}" || printf 'mkdir "%s"\n' "${dir%/}"
	done <<<"$3"
	name=${3##*/}
	printf 'cd "%s"\n' "$dir"
	! has "$1" "$3" || printf 'rm "%s"\n' "$name"
	printf 'write "%s" "%s"\n' "$(readlink -f "$2")" "$name"
	printf 'sif "%s" %s\n' "$name" "mode $mode" "$name" "uid 0" "$name" "gid 0"
}

# add_file IMAGE FILE:/PATH: debugfs has no exit status, so what is there now is compared.
add_file() {
	local file=${2%:*} path=${2##*:}
	debugfs_commands "$1" "$file" "$path" | debugfs -w -f - "$1" >/dev/null 2>&1
	debugfs -R "cat \"$path\"" "$1" 2>/dev/null | cmp -s - "$file" ||
		die "cannot add $file as $path: the image is full (--size), or a directory of the path is a file"
}

# write_copy IMAGE: to $out, with what is to be added.
write_copy() {
	local argument
	part=$(mktemp "$out.XXXXXX") || die "cannot write in the directory of $out"
	trap 'rm -f "$part"' EXIT
	cp --sparse=always --reflink=auto "$1" "$part" || die "cannot write $part"
	for argument in "${added[@]}"; do
		add_file "$part" "$argument"
	done
	chmod 644 "$part"
	mv -f "$part" "$out"
}

main() {
	parse_arguments "$@"
	local image
	image=$(image_path)
	if [[ -n $update || ! -e $image ]]; then
		[[ -z $print_only ]] || die "this image is not cached; run without --print-path"
		check_tools
		lock "${image##*/}"
		[[ -z $update && -e $image ]] || make_image "$image"
		unlock
	fi
	if [[ -n $out ]]; then
		write_copy "$image"
		image=$(readlink -f "$out")
	fi
	echo "$image"
}

main "$@"
