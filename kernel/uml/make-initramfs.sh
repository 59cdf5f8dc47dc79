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
Usage: make-initramfs.sh -o OUT [OPTION]... [-- ARGUMENT...]

Write an initramfs with busybox and its commands to OUT: compressed with zstd
if the name ends in .zst, uncompressed if it ends in .cpio or is '-' (standard
output), else compressed with gzip.

  -o OUT         the file to write
  -a FILE:/PATH  add FILE there, executable if FILE is: a program with its
                 loader and libraries, a directory with its contents; may be
                 repeated
  -r /PATH       run this program from the default init (default: /test)
  -C /DIR        run it in this directory (default: /)
  -i INIT        use this /init; the default mounts /proc, /sys and /dev, runs
                 the program with the ARGUMENTs, reports how it ended in a line
                 of KTAP, and powers off (program_init.c)
  -b BUSYBOX     use this static busybox; the default is the installed one if it
                 is static, else the package busybox-static is downloaded, not
                 installed
  -B             download nothing: leave busybox out if no static one is installed
  -h             print this and exit

A program for another architecture, a missing library, and a script whose
interpreter is not in the image are refused. Equal input gives equal bytes.

Needs no root. /dev/console is in every kernel built without an initramfs of
its own. Environment: LD_LIBRARY_PATH, additional directories to search for
libraries; see also build-uml.sh --help.
END
}

# refuse WHAT HINT: what is wrong with the input, and what to do.
refuse() {
	note "$1"
	printf '  hint: %s\n' "$2" >&2
	exit 1
}

# ---- What the archive holds ----------------------------------------------------------------------

# Path to "dir", "link TARGET" or "file MODE SIZE SOURCE".
declare -A nodes=()

add_parents() {
	local dir=${1%/*}
	while [[ -n $dir && -z ${nodes[$dir]-} ]]; do
		nodes[$dir]=dir
		dir=${dir%/*}
	done
}

add_link() {
	add_parents "$1"
	nodes[$1]="link $2"
}

# add_file PATH SOURCE [SIZE]
add_file() {
	[[ -f $2 && -r $2 ]] || die "cannot read the file $2"
	local mode=644 size=${3:-$(stat -Lc %s "$2")}
	[[ -x $2 ]] && mode=755
	((size <= 0xffffffff)) || die "$2 is too large: an archive has files of up to 4 GiB"
	add_parents "$1"
	nodes[$1]="file $mode $size $2"
}

# resolve PATH: sets $resolved to where it leads in the image; status 1: to nothing.
resolve() {
	local rest=${1#/} at='' part node hops=0
	while [[ -n $rest ]]; do
		part=${rest%%/*}
		[[ $rest == */* ]] && rest=${rest#*/} || rest=''
		case $part in
		'' | .) continue ;;
		..) at=${at%/*}; continue ;;
		esac
		node=${nodes[$at/$part]-}
		[[ -n $node ]] || return 1
		if [[ $node == link\ * ]]; then
			((++hops < 40)) || return 1
			node=${node#link }
			[[ $node != /* ]] || at=''
			rest=$node${rest:+/$rest}
		else
			at=$at/$part
		fi
	done
	resolved=$at
}

# holds_program PATH: one that can be run is there.
holds_program() {
	resolve "$1" && [[ ${nodes[$resolved]} == 'file 755 '* ]]
}

# ---- Programs and their libraries ------------------------------------------------------------------

is_elf() {
	local magic=''
	IFS= read -r -N4 magic 2>/dev/null <"$1" || true
	[[ $magic == $'\x7fELF' ]]
}

# look_into ELF: sets $elf_class, $elf_machine, $elf_type, $elf_interpreter, $elf_dynamic, $elf_cut.
look_into() {
	local text size segment='^ +LOAD +(0x[0-9a-f]+) 0x[0-9a-f]+ 0x[0-9a-f]+ (0x[0-9a-f]+) ' line
	text=$(readelf -hldW "$1" 2>/dev/null) || true
	elf_class='' elf_machine='' elf_type='' elf_interpreter='' elf_dynamic='' elf_cut=''
	[[ ! $text =~ Class:\ +([A-Z0-9]+) ]] || elf_class=${BASH_REMATCH[1]}
	[[ ! $text =~ Machine:\ +([^$'\n']+) ]] || elf_machine=${BASH_REMATCH[1]}
	[[ ! $text =~ Type:\ +([A-Z]+) ]] || elf_type=${BASH_REMATCH[1]}
	[[ ! $text =~ interpreter:\ ([^]$'\n']+) ]] || elf_interpreter=${BASH_REMATCH[1]}
	[[ $text != *'(NEEDED)'* ]] || elf_dynamic=yes
	size=$(stat -Lc %s "$1")
	[[ $text == *' LOAD '* ]] || elf_cut=yes
	while IFS= read -r line; do
		[[ ! $line =~ $segment ]] || ((BASH_REMATCH[1] + BASH_REMATCH[2] <= size)) || elf_cut=yes
	done <<<"$text"
}

# check_elf FILE: refuses what no guest can run.
check_elf() {
	[[ $elf_class == ELF64 && $elf_machine == *X86-64* ]] ||
		refuse "$1 is built for another architecture: ${elf_machine:-unknown}${elf_class:+, $elf_class}" \
			"build it for x86_64"
	[[ -z $elf_cut ]] || refuse "$1 is a damaged program: its file ends before its segments do" \
		"build or copy it again"
}

# The loader of libraries that name none.
readonly usual_loader=/lib64/ld-linux-x86-64.so.2

# system_directories LOADER: where it looks for libraries wherever it runs.
declare -A directories_of=()
system_directories() {
	[[ -n ${directories_of[$1]-} ]] || directories_of[$1]=$(env -i "$1" --help 2>/dev/null |
		sed -n 's|^ *\(/[^ ]*\) (system search path)$|\1|p')
	[[ -n ${directories_of[$1]} ]] || directories_of[$1]=/lib
	directories=${directories_of[$1]}
}

# list_libraries FILE LOADER: what the loader itself would load, "NAME PATH" a line; "NAME -" where it finds
# nothing. It runs nothing of FILE.
list_libraries() {
	env -i ${LD_LIBRARY_PATH:+"LD_LIBRARY_PATH=$LD_LIBRARY_PATH"} "$2" --list "$(readlink -f "$1")" 2>&1 |
		sed -nE -e 's|^\t(.*) => (.+) \(0x[0-9a-f]+\)$|\1 \2|p' -e 's|^\t(.*) => not found$|\1 -|p' \
			-e 's|^\t(/.*/([^/]*)) \(0x[0-9a-f]+\)$|\2 \1|p' \
			-e 's|^Error loading shared library ([^:]*): .*|\1 -|p' \
			-e 's|.*error while loading shared libraries: ([^:]*): cannot open .*|\1 -|p' | sort -u
}

# add_library NAME PATH: where the loader finds it in the image, which has no cache and none of our paths: as it
# is if it stands in a directory that each program's libraries may stand in, else in the first of these.
add_library() {
	local path=$2
	[[ $1 == */* ]] || grep -qxF "${2%/*}" <<<"$directories" || path=${directories%%$'\n'*}/$1
	[[ -n ${nodes[$path]-} ]] || add_file "$path" "$2"
}

# glibc opens these itself when it needs them, so that nobody names them: name services, and what
# pthread_cancel() and backtrace() unwind with.
add_companions() {
	local library
	for library in "${1%/*}"/libnss_{compat,dns,files}.so.2 "${1%/*}"/libgcc_s.so.1; do
		[[ ! -f $library ]] || add_library "${library##*/}" "$library"
	done
}

# add_libraries FILE LOADER: all that FILE needs. Sets $missing_libraries.
add_libraries() {
	local name path directories
	missing_libraries=''
	system_directories "$2"
	[[ -n ${nodes[$2]-} ]] || add_file "$2" "$2"
	while read -r name path; do
		case $path in
		-) missing_libraries+=${missing_libraries:+, }$name ;;
		"$2") ;;
		*)
			add_library "$name" "$path"
			[[ $name != libc.so.6 ]] || add_companions "$path"
			;;
		esac
	done < <(list_libraries "$1" "$2")
}

# add_needed FILE: the loader and the libraries of what look_into() saw. Sets $missing_libraries.
add_needed() {
	local loader=${elf_interpreter:-$usual_loader}
	missing_libraries=''
	[[ -n $elf_interpreter || -n $elf_dynamic ]] || return 0
	# It is run here: nothing but a loader is.
	if [[ ! -x $loader || ! $loader =~ ^/lib[^/]*/([^/]+/)?ld-[^/]*\.so\.[0-9]+$ ]]; then
		missing_libraries=$loader
		return
	fi
	add_libraries "$1" "$loader"
}

# add_elf FILE: what it needs to run.
add_elf() {
	look_into "$1"
	[[ $elf_type == EXEC || $elf_type == DYN || -x $1 ]] || return 0
	check_elf "$1"
	add_needed "$1"
	[[ -z $missing_libraries ]] || refuse "libraries of $1 are missing on this machine: $missing_libraries" \
		"install them, add their directory to LD_LIBRARY_PATH, or link the program statically"
}

# ---- Scripts -------------------------------------------------------------------------------------------

# first_line FILE: of a script, what follows "#!"; status 1: it is none.
first_line() {
	local line=''
	{ IFS= read -r -n 256 line || true; } 2>/dev/null <"$1"
	[[ $line == '#!'* ]] || return 1
	printf '%s' "${line#??}"
}

# find_command NAME: in the PATH of the default init.
find_command() {
	local dir
	for dir in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
		! holds_program "$dir/$1" || return 0
	done
	return 1
}

# check_script FILE: what runs it is in the image.
check_script() {
	local line word interpreter here
	local -a words
	line=$(first_line "$1" | tr -d '\0') || return 0
	read -ra words <<<"$line"
	interpreter=${words[0]-}
	if [[ ${interpreter##*/} == env ]]; then
		for word in "${words[@]:1}"; do
			[[ $word == -* || $word == *=* ]] && continue
			find_command "$word" && return
			interpreter=$word
			break
		done
	fi
	! holds_program "$interpreter" || return 0
	here=$(command -v "$interpreter") || here=/PATH/TO/$interpreter
	refuse "the interpreter $interpreter of the script $1 is not in the image" \
		"add it, with the files that it needs: -a $here:$here (ttrec run: --add $here)"
}

# ---- What is given ----------------------------------------------------------------------------------------

# In a tree not everything has to run here: what cannot is said.
add_elf_of_tree() {
	is_elf "$1" || return 0
	look_into "$1"
	[[ $elf_class == ELF64 && $elf_machine == *X86-64* && -z $elf_cut ]] || return 0
	[[ $elf_type == EXEC || $elf_type == DYN ]] || return 0
	add_needed "$1"
	[[ -z $missing_libraries ]] || note "libraries of $1 are missing on this machine: $missing_libraries"
}

# add_tree DIRECTORY PATH: all that is in it.
add_tree() {
	local kind size entry path root=${1%/}
	[[ -r $1 && -x $1 ]] || die "cannot read the directory $1"
	while IFS=/ read -r -d '' kind size entry; do
		path=${2%/}/$entry
		case $kind in
		l) add_link "$path" "$(readlink "$root/$entry")" ;;
		d) add_parents "$path/" ;;
		f)
			add_file "$path" "$root/$entry" "$size"
			add_elf_of_tree "$root/$entry"
			;;
		*) note "$root/$entry is skipped: not a file, directory or link" ;;
		esac
	done < <(find "$1/" -mindepth 1 -printf '%y/%s/%P\0' | sort -z)
}

# add_program FILE PATH
add_program() {
	add_file "$2" "$1"
	if is_elf "$1"; then
		add_elf "$1"
	elif [[ -x $1 ]]; then
		scripts+=("$1")
	fi
}

# add_argument FILE:/PATH
add_argument() {
	local path=${1##*:} file=${1%:*}
	[[ $1 == ?*:/* && $path != *//* && /$path/ != */../* ]] ||
		die "invalid -a '$1': expected FILE:/PATH, an absolute path that names a file"
	if [[ -d $file ]]; then
		[[ $path == / ]] || add_parents "${path%/}/"
		add_tree "$file" "$path"
		return
	fi
	[[ $path != */ ]] || die "invalid -a '$1': expected FILE:/PATH, an absolute path that names a file"
	add_program "$file" "$path"
}

# What libc asks of a system.
add_system_files() {
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$work/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$work/group"
	printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' >"$work/hosts"
	printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$work/nsswitch.conf"
	local file
	for file in passwd group hosts nsswitch.conf; do
		chmod 644 "$work/$file"
		add_file "/etc/$file" "$work/$file"
	done
}

# ---- The init ----------------------------------------------------------------------------------------------

# default_init: sets $init to the static program of program_init.c, built unless it was installed.
default_init() {
	init=$here/../program-init
	[[ ! -x $init ]] || return 0
	init=$work/init
	need gcc gcc
	gcc -static -Os -D_GNU_SOURCE -o "$init" "$here/program_init.c" ||
		refuse "cannot build the init of the guest" "install the package libc6-dev"
	strip "$init"
}

# What the init reads, see program_init.c.
add_run() {
	((${#arguments[@]})) || [[ $run$directory ]] || return 0
	printf '%s\0' "${directory:-/}" "${run:-/test}" "${arguments[@]}" >"$work/run"
	chmod 644 "$work/run"
	add_file /.ttrec-program "$work/run"
	add_parents "${directory:-/}/"
}

# check_run: what is to be run can be.
check_run() {
	local path=${run:-/test}
	[[ -n $run || ${#arguments[@]} -gt 0 || -n ${nodes[$path]-} ]] || return 0
	resolve "$path" || refuse "the program to run, $path, is not in the image" "add it: -a FILE:$path"
	[[ ${nodes[$resolved]} == file\ * ]] || refuse "the program to run, $path, is not a regular file" "give a program"
	local source=${nodes[$resolved]#file ??? * }
	[[ ${nodes[$resolved]} == 'file 755 '* ]] ||
		refuse "the program to run, $source, has no execute permission" "chmod +x $source"
	is_elf "$source" || first_line "$source" >/dev/null ||
		refuse "the program to run, $source, is neither an ELF program nor a script that begins with #!" \
			"begin it with the line #!/bin/sh, or give the program itself"
}

# ---- Busybox -----------------------------------------------------------------------------------------------

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
	if ! archive_cached busybox-static >/dev/null; then
		[[ -z $fetch_nothing ]] || return 0
		archive_fetch busybox-static bookworm
	fi
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
	is_static "$1" || die "$1 is not a static program: install busybox-static or remove -b"
	while read -r applet; do
		[[ $applet == bin/busybox ]] || add_link "/$applet" /bin/busybox
	done < <("$1" --list-full)
	add_file /bin/busybox "$1"
}

# ---- The archive -------------------------------------------------------------------------------------------

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
	local kind=${2%% *} source=${2#* } mode size
	case $kind in
	dir) entry 40755 2 0 "$1" ;;
	link)
		entry 120777 1 ${#source} "$1"
		printf '%s' "$source"
		pad ${#source}
		;;
	file)
		mode=${source%% *} source=${source#* }
		size=${source%% *} source=${source#* }
		entry "100$mode" 1 "$size" "$1"
		cat "$source"
		pad "$size"
		;;
	esac
}

write_archive() {
	local path inode=0
	while IFS= read -r -d '' path; do
		write_node "${path#/}" "${nodes[$path]}"
	done < <(printf '%s\0' "${!nodes[@]}" | sort -z)
	entry 0 1 0 'TRAILER!!!'
}

compress() {
	case $1 in
	*.zst) zstd -q -19 ;;
	*.cpio | -) cat ;;
	*) gzip -9n ;;
	esac
}

write_out() {
	if [[ $out == - ]]; then
		write_archive
		return
	fi
	local part
	[[ $out != *.zst ]] || need zstd zstd
	part=$(mktemp "$out.XXXXXX") || die "cannot write in the directory of $out"
	write_archive | compress "$out" >"$part" || { rm -f "$part"; die "cannot write $part"; }
	chmod 644 "$part"
	mv -f "$part" "$out"
}

parse_arguments() {
	out='' init='' busybox='' fetch_nothing='' run='' directory='' extra=() arguments=()
	local option
	while getopts :o:i:a:b:r:C:Bh option; do
		case $option in
		o) out=$OPTARG ;;
		i) init=$OPTARG ;;
		a) extra+=("$OPTARG") ;;
		b) busybox=$OPTARG ;;
		B) fetch_nothing=yes ;;
		r) run=$OPTARG ;;
		C) directory=$OPTARG ;;
		h) usage; exit ;;
		*) die "unknown option or missing argument: -$OPTARG, see -h" ;;
		esac
	done
	[[ $OPTIND -gt 1 && ${*:OPTIND-1:1} == -- || $# -lt $OPTIND ]] ||
		die "unexpected argument: ${*:OPTIND:1}, see -h"
	arguments=("${@:OPTIND}")
	[[ -n $out ]] || die "missing -o OUT, see -h"
	[[ /${run#/} == "${run:-/}" && /${directory#/} == "${directory:-/}" ]] ||
		die "-r and -C take absolute paths, see -h"
}

main() {
	parse_arguments "$@"
	need readelf binutils
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	local default='' argument script
	scripts=()

	nodes=([/proc]=dir [/sys]=dir [/dev]=dir [/tmp]=dir [/root]=dir)
	[[ -n $busybox ]] || busybox=$(find_busybox)
	[[ -z $busybox ]] || add_busybox "$busybox"
	add_system_files
	[[ -n $init ]] || { default=yes; default_init; }
	add_program "$init" /init
	nodes[/init]=${nodes[/init]/#file 644/file 755}
	for argument in "${extra[@]}"; do
		add_argument "$argument"
	done
	add_run
	[[ -z $default$run ]] || check_run
	for script in "${scripts[@]}"; do
		check_script "$script"
	done
	write_out
}

main "$@"
