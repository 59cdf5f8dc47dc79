#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds User-Mode-Linux with time travel from the distribution's linux-source package.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
# shellcheck source-path=SCRIPTDIR source=archive.sh
. "$here/archive.sh"

usage() {
	cat <<'END'
Usage: build-uml.sh [OPTION]... [VERSION]

Print the path of a User-Mode-Linux kernel, building it first if it is not cached.
VERSION is 5.10, 6.1, 6.12 (the default) or 7.2.

      --distro         include what systemd, containers and routing daemons need
                       (distro.config)
      --debug          keep symbols for gdb beside the kernel (debug.config)
      --kasan          include KASAN, lockdep and UBSAN (kasan.config)
      --kunit          include kernel tests that run at boot (kunit.config)
      --wireless       include mac80211_hwsim (wireless.config)
      --fragment FILE  add the configuration lines of FILE; may be repeated
      --patches LIST   apply only these of patches/VERSION, such as 1,3, or none
      --update         look for a newer source package in the archive
      --print-path     never build: fail if the kernel is not cached
      --jobs N         compile N files at a time (default: number of CPUs + 1)
  -h, --help           print this and exit

The options can be combined. Requires no root. Needed packages: packages.txt.
Environment:
  TTREC_KERNEL           print this kernel's path instead and do nothing
  XDG_CACHE_HOME         keep sources and kernels in its ttrec/ (~/.cache)
  TTREC_DEBIAN_MIRROR, TTREC_SECURITY_MIRROR, TTREC_KEYRING
                         mirrors for packages, and the keys to verify them
END
}

# Raise it when the same source and configuration are to give another kernel.
readonly recipe=1

# Fragments of two flavours together.
readonly -a pairs=(kasan-kunit)

# The suites that carry a series, small indexes first: the first that has it is taken.
suites_of() {
	case $1 in
	5.10) echo bullseye-security bullseye ;;
	6.1) echo bookworm-security bookworm ;;
	6.12) echo bookworm-security trixie-security trixie bookworm-backports ;;
	7.2) echo trixie-backports sid ;;
	*) die "unknown version $1: expected 5.10, 6.1, 6.12 or 7.2" ;;
	esac
}

# add_flavour NAME: its fragment, and those that it has together with others.
add_flavour() {
	local pair
	flavours+=" $1 "
	fragments+=("$here/$1.config")
	for pair in "${pairs[@]}"; do
		[[ $flavours == *" ${pair%-*} "* && $flavours == *" ${pair#*-} "* ]] || continue
		fragments+=("$here/$pair.config")
	done
}

parse_arguments() {
	flavours=''
	series=6.12 fragments=("$here/uml.config") patches=all update='' print_only='' jobs=$(($(nproc) + 1))
	while (($#)); do
		case $1 in
		--distro | --debug | --kasan | --kunit | --wireless) add_flavour "${1#--}" ;;
		--fragment) fragments+=("${2-}"); shift ;;
		--patches) patches=${2-}; shift ;;
		--update) update=yes ;;
		--print-path) print_only=yes ;;
		--jobs) jobs=${2-}; shift ;;
		-h | --help) usage; exit ;;
		-*) die "unknown option $1, see --help" ;;
		*) series=$1 ;;
		esac
		shift || die "the last option needs an argument, see --help"
	done
	suites_of "$series" >/dev/null
	[[ $patches =~ ^(all|none|[1-9][0-9]*(,[1-9][0-9]*)*)$ ]] ||
		die "invalid --patches '$patches': expected all, none or numbers such as 1,3"
	[[ $series != 5.10 || $flavours != *' kasan '* ]] ||
		die "--kasan: User-Mode Linux 5.10 has no KASAN; use 6.1 or later"
	[[ $jobs =~ ^[1-9][0-9]*$ ]] || die "invalid --jobs '$jobs': expected a number"
	local i
	for i in "${!fragments[@]}"; do
		[[ -r ${fragments[i]} ]] || die "cannot read the fragment ${fragments[i]}"
		[[ -f ${fragments[i]} ]] || die "the fragment ${fragments[i]} is not a regular file"
		fragments[i]=$(readlink -f "${fragments[i]}")
	done
}

# The last setting of each symbol over all fragments, sorted.
merged_fragments() {
	awk '/^CONFIG_/ { split($0, part, "="); line[part[1]] = $0 }
	     /^# CONFIG_.* is not set/ { line[$2] = $0 }
	     END { for (symbol in line) print line[symbol] }' "${fragments[@]}" | LC_ALL=C sort
}

# The patches for this series, in the order in which they are applied.
list_patches() {
	local patch number
	for patch in "$here/patches/$series"/*.patch; do
		number=${patch##*/} number=$((10#${number%%-*}))
		[[ $patches == all || ,$patches, == *,$number,* ]] && echo "$patch"
	done
	return 0
}

kernel_of_own() {
	[[ -x $TTREC_KERNEL && ! -d $TTREC_KERNEL ]] ||
		die "TTREC_KERNEL=$TTREC_KERNEL: not a program; unset it to build a kernel"
	grep -q 'time-travel=' "$TTREC_KERNEL" || die "TTREC_KERNEL=$TTREC_KERNEL: built without time travel;" \
		"it needs CONFIG_UML_TIME_TRAVEL_SUPPORT=y"
	readlink -f "$TTREC_KERNEL"
}

# check_tools: all that is missing at once.
check_tools() {
	[[ $(uname -m) == x86_64 ]] || die "builds on x86_64 only, this is $(uname -m)"
	local pair missing=()
	for pair in apt-get:apt bc:bc bison:bison dpkg-deb:dpkg flex:flex gcc:gcc ld:binutils \
		make:make patch:patch tar:tar xz:xz-utils; do
		command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1 || missing+=(libc6-dev)
	[[ -z ${missing[*]} ]] || die "cannot build a kernel: install the packages ${missing[*]}"
}

# Half of the files, never part of UML: writing and removing them takes longer than unpacking.
readonly -a left_packed=(
	'*/Documentation/*/*'
	'*/arch/[a-tvwyz]*/*.[chS]'
	'*.dts' '*.dtsi'
	'*/drivers/gpu/drm/'{amd,i915,msm,nouveau,radeon,xe}'/*.[ch]'
	'*/drivers/net/ethernet/*.[ch]'
	'*/drivers/net/wireless/[a-u]*/*.[ch]'
	'*/drivers/'{accel,infiniband,media,s390,staging}'/*.[ch]'
	'*/tools/'{perf,testing}
)

# unpack_source DEB DIR: the kernel tree of a linux-source package.
unpack_source() {
	note "unpacking ${1##*/}"
	mkdir -p "$2/package"
	dpkg-deb -x "$1" "$2/package" || die "cannot unpack $1: is $2 full?"
	local tarball
	tarball=$(find "$2/package/usr/src" -name 'linux-source-*.tar.xz')
	[[ -n $tarball ]] || die "no linux-source tarball in $1"
	# The time the package was built stands in for the time of this build.
	source_date=$(stat -c %Y "$tarball")
	LC_ALL=C XZ_DEFAULTS=-T0 tar -C "$2" --strip-components=1 \
		"${left_packed[@]/#/--exclude=}" -xf "$tarball" ||
		die "cannot unpack $tarball: is $2 full?"
	rm -rf "$2/package"
}

# apply_patches: to the tree in the current directory.
apply_patches() {
	local patch
	while read -r patch; do
		note "applying ${patch##*/}"
		patch -p1 --force --no-backup-if-mismatch <"$patch" >>"$log" 2>&1 ||
			die "${patch##*/} does not apply to ${deb##*/}, see $log;" \
				"--patches none builds without (see: kernel/uml/patches/README.md)"
	done < <(list_patches)
}

# Nothing of the caller's environment reaches the kernel's make, so equal input gives equal bytes.
kernel_make() {
	env -i PATH="$PATH" LC_ALL=C TZ=UTC KBUILD_BUILD_USER=ttrec KBUILD_BUILD_HOST=ttrec \
		KBUILD_BUILD_VERSION=1 KBUILD_BUILD_TIMESTAMP="$(LC_ALL=C date -u -d "@$source_date")" \
		make ARCH=um "$@"
}

# may_differ SYMBOL: versions.allow says that this series need not have it.
may_differ() {
	grep -qxF "$series $1" "$here/versions.allow"
}

# check_config CONFIG FRAGMENT: every line of FRAGMENT holds in CONFIG.
check_config() {
	local line symbol lost=
	local -A have=()
	while IFS= read -r line; do
		[[ $line == CONFIG_*=* ]] && have[${line%%=*}]=${line#*=}
	done <"$1"
	while IFS= read -r line; do
		if [[ $line == "# "* ]]; then
			symbol=${line#\# } symbol=${symbol%% *}
			[[ -z ${have[$symbol]+set} ]] && continue
		else
			symbol=${line%%=*}
			[[ ${have[$symbol]-} == "${line#*=}" ]] && continue
		fi
		may_differ "$symbol" || lost+=$'\n'"  wanted: $line, got: ${have[$symbol]-nothing}"
	done <"$2"
	[[ -z $lost ]] || die "linux $series ignores these lines (an unmet dependency, or the" \
		"symbol has another name there; what may differ goes to versions.allow):$lost"
}

configure() {
	note "configuring"
	merged_fragments >ttrec.config
	{ kernel_make KCONFIG_ALLCONFIG=ttrec.config allnoconfig &&
		kernel_make olddefconfig; } >>"$log" 2>&1 || build_failed configure
	check_config .config ttrec.config
}

build_failed() {
	grep -E -A3 'error|Error|undefined reference|not found' "$log" | head -n 20 >&2 || true
	die "cannot $1 linux $series (${deb##*/}), see $log"
}

# discard DIR: removed in the background, it takes a while.
discard() {
	mv -T "$1" "$1.gone.$$"
	rm -rf "$cache"/uml/*.gone.* {lock_fd}>&- >/dev/null 2>&1 &
}

# keep_symbols DIR KERNEL: what only a debugger reads moves out of DIR/vmlinux, so that traces, which
# hold the kernel, stay small. gdb finds it by the build ID below $cache/uml/debug.
keep_symbols() {
	local id link
	id=$(readelf -n "$1/vmlinux" | sed -n 's/.*Build ID: //p')
	[[ $id ]] || die "linux $series has no build ID: its symbols could not be found again"
	objcopy --only-keep-debug "$1/vmlinux" "$2.debug"
	objcopy --strip-debug --add-gnu-debuglink="$2.debug" "$1/vmlinux"
	rm -rf "$2.gdb"
	mkdir -p "$2.gdb/scripts/gdb"
	cp -L "$1/scripts/gdb/vmlinux-gdb.py" "$2.gdb/"
	cp -rL "$1/scripts/gdb/linux" "$2.gdb/scripts/gdb/"
	link=$cache/uml/debug/.build-id/${id:0:2}/${id:2}.debug
	mkdir -p "${link%/*}"
	ln -sfn "$2.debug" "$link"
}

# build DEB KERNEL: leaves KERNEL complete or not at all.
build() {
	local deb=$1 kernel=$2 log=$2.log work=$2.build start=$SECONDS
	mkdir -p "${kernel%/*}"
	rm -rf "$work"
	# shellcheck disable=SC2064 # the directory of now
	trap "discard '$work'" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$work"
	: >"$log"
	unpack_source "$deb" "$work"
	pushd "$work" >/dev/null
	apply_patches
	configure
	note "compiling: 3 minutes on 2 CPUs, 8 with --distro (log: $log)"
	kernel_make -j"$jobs" linux >>"$log" 2>&1 || build_failed compile
	[[ $flavours != *' debug '* ]] || kernel_make scripts_gdb >>"$log" 2>&1 || build_failed "make its commands for gdb"
	popd >/dev/null
	cp "$work/.config" "$kernel.config"
	[[ $flavours != *' debug '* ]] || keep_symbols "$work" "$kernel"
	mv "$work/vmlinux" "$kernel"
	rm -f "$log"
	note "built $kernel in $((SECONDS - start)) s"
}

# kernel_path DEB: where the kernel of this package and this configuration is kept.
kernel_path() {
	local version=${1##*/linux-source-} hash
	version=${version#*_}
	hash=$({ echo "$recipe"; merged_fragments; list_patches | xargs -r cat; } | sha256sum)
	echo "$cache/uml/linux-${version%_*}-${hash:0:12}"
}

main() {
	parse_arguments "$@"
	if [[ -n ${TTREC_KERNEL:-} ]]; then
		kernel_of_own
		return
	fi
	local package=linux-source-$series deb='' kernel=''
	deb=$(archive_cached "$package") && kernel=$(kernel_path "$deb")
	if [[ -z $update && -x $kernel ]]; then
		echo "$kernel"
		return
	fi
	[[ -z $print_only ]] || die "linux $series is not built with this configuration;" \
		"run without --print-path"
	check_tools
	if [[ -n $update || -z $deb ]]; then
		# shellcheck disable=SC2046 # a list of words
		archive_fetch "$package" $(suites_of "$series")
		deb=$(archive_cached "$package")
		kernel=$(kernel_path "$deb")
	fi
	lock "${kernel##*/}"
	[[ -x $kernel ]] || build "$deb" "$kernel"
	echo "$kernel"
}

main "$@"
