#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs the Debian packages that are missing; says and does nothing when none is. With --no-tests
# those that only tests need are left out.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "$0")")")
case ${1-} in
'') cut='' ;;
--no-tests) cut='/^# tests$/,$d' ;;
*) echo "Usage: install.sh [--no-tests]" >&2; exit 2 ;;
esac

# wanted: the packages of every list, one a line; of COMMAND:PACKAGE where there is no such command.
wanted() {
	local list line
	for list in "$root/.ci/packages.txt" "$root/kernel/uml/packages.txt"; do
		[[ ! -r $list ]] || sed -e "$cut" -e 's/#.*//' -e '/^[[:space:]]*$/d' "$list"
	done | sort -u | while read -r line; do
		[[ $line == *:* ]] && command -v "${line%%:*}" >/dev/null || echo "${line#*:}"
	done
}

missing() {
	local package status
	for package; do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || true
		[[ $status == installed ]] || echo "$package"
	done
}

main() {
	command -v dpkg-query >/dev/null || {
		echo "install.sh: this is not Debian; install what these stand for:" >&2
		wanted | sed 's/^/  /' >&2
		exit 1
	}
	local -a packages as_root=()
	# shellcheck disable=SC2046 # a list of words
	mapfile -t packages < <(missing $(wanted))
	((${#packages[@]})) || return 0
	if ((EUID)); then
		command -v sudo >/dev/null || {
			echo "install.sh: neither root nor sudo; have somebody who is install:" >&2
			echo "  apt-get install ${packages[*]}" >&2
			exit 1
		}
		as_root=(sudo)
	fi
	echo "install.sh: installing ${packages[*]}" >&2
	"${as_root[@]}" apt-get -qq update
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq -y --no-install-recommends install "${packages[@]}" >&2
}

main
