# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the scripts here: fetches packages of the distribution's archive without root and
# without the machine's apt configuration, signatures checked by apt as always.
#
# TTREC_DEBIAN_MIRROR, TTREC_SECURITY_MIRROR, TTREC_KEYRING: other mirrors, other keys.
# Everything is kept under ${XDG_CACHE_HOME:-$HOME/.cache}/ttrec.
# shellcheck shell=bash

program=${0##*/}
cache=${XDG_CACHE_HOME:-${HOME-}/.cache}/ttrec
keyring=${TTREC_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
debian_mirror=${TTREC_DEBIAN_MIRROR:-http://deb.debian.org/debian}
security_mirror=${TTREC_SECURITY_MIRROR:-http://security.debian.org/debian-security}

note() {
	printf '%s: %s\n' "$program" "$*" >&2
}

die() {
	note "$@"
	exit 1
}

[[ -n ${XDG_CACHE_HOME-}${HOME-} ]] || die "no directory for the cache: set HOME or XDG_CACHE_HOME"

# need COMMAND PACKAGE: the command is there, or say what to install.
need() {
	command -v "$1" >/dev/null || die "the command $1 is missing: install the package $2"
}

# lock NAME: one process at a time holds NAME, until it exits or runs 'unlock'.
lock() {
	mkdir -p "$cache/locks" ||
		die "cannot write the cache $cache: set XDG_CACHE_HOME to a directory of your own"
	exec {lock_fd}>"$cache/locks/$1"
	flock --nonblock "$lock_fd" && return
	note "waiting for another process that uses $1"
	flock "$lock_fd"
}

unlock() {
	exec {lock_fd}>&-
}

mirror_of() {
	case $1 in
	*-security) echo "$security_mirror" ;;
	*) echo "$debian_mirror" ;;
	esac
}

# write_apt_conf SUITE: an apt of its own under $cache/apt/SUITE. The machine's proxy settings
# still hold, its hooks, sources and pins do not.
write_apt_conf() {
	local dir=$cache/apt/$1
	mkdir -p "$dir"/{lists,archives}/partial
	: >"$dir/empty"
	echo "deb [arch=amd64 target=Packages pdiffs=no signed-by=$keyring]" \
		"$(mirror_of "$1") $1 main" >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-END
		#clear APT::Update;
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Sandbox::User "";
		APT::Get::AllowUnauthenticated "false";
		APT::Update::Error-Mode "any";
		Acquire::AllowInsecureRepositories "false";
		Acquire::AllowDowngradeToInsecureRepositories "false";
		Acquire::AllowWeakRepositories "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
		Dir::State "$dir";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/empty";
		Dir::Cache "$dir";
		Dir::Cache::archives "$dir/archives";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::Log "$dir";
	END
}

# suite_offers SUITE PACKAGE: prints the name of the newest .deb; status 1: none, 2: no such suite.
suite_offers() {
	local conf=$cache/apt/$1/apt.conf log=$cache/apt/$1/update.log uris
	write_apt_conf "$1"
	note "looking for $2 in $1"
	apt-get -c "$conf" update >"$log" 2>&1 || return 2
	uris=$(apt-get -c "$conf" download --print-uris "$2" 2>>"$log") || return 1
	awk 'END { if (!NR) exit 1; print $2 }' <<<"$uris"
}

# fetch_from SUITE PACKAGE DEB: downloads and checks; then $cache/packages/PACKAGE names it.
fetch_from() {
	local dir=$cache/packages part
	mkdir -p "$dir"
	if [[ ! -e $dir/$3 ]]; then
		note "downloading $3"
		part=$(mktemp -d "$dir/.part.XXXXXX")
		(cd "$part" && apt-get -c "$cache/apt/$1/apt.conf" download "$2" \
			>>"$cache/apt/$1/update.log" 2>&1 && mv -f "$3" "$dir/") || {
			rm -rf "$part"
			return 1
		}
		rm -rf "$part"
	fi
	ln -sfn "$3" "$dir/.$2.new"
	mv -fT "$dir/.$2.new" "$dir/$2"
}

archive_failed() {
	local suite=$1 log=$cache/apt/$1/update.log
	grep -E '^(E|W|Err)' "$log" >&2 || tail -n 5 "$log" >&2
	die "cannot read $suite of $(mirror_of "$suite") (log: $log)." \
		"To use another mirror, set TTREC_DEBIAN_MIRROR, TTREC_SECURITY_MIRROR" \
		"(an old suite moves to archive.debian.org)"
}

# archive_fetch PACKAGE SUITE...: the package from the first suite that has it, from now on the
# one that archive_cached finds.
archive_fetch() {
	local package=$1 suite deb status failed=
	shift
	need apt-get apt
	[[ -r $keyring ]] || die "cannot check signatures, no keys in $keyring:" \
		"install the package debian-archive-keyring or set TTREC_KEYRING"
	lock "$package"
	for suite; do
		status=0
		deb=$(suite_offers "$suite" "$package") || status=$?
		case $status in
		0) ;;
		1) continue ;;
		*) failed=$suite; continue ;;
		esac
		fetch_from "$suite" "$package" "$deb" || archive_failed "$suite"
		unlock
		return
	done
	[[ -z $failed ]] || archive_failed "$failed"
	die "no $package in: $*. To use another mirror, set TTREC_DEBIAN_MIRROR, TTREC_SECURITY_MIRROR"
}

# archive_cached PACKAGE: prints the path of the .deb fetched last, without the network.
archive_cached() {
	local link=$cache/packages/$1
	[[ -e $link ]] && readlink -f "$link"
}
