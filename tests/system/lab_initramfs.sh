#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Packs the initramfs of the guests of a lab: busybox, and lab_init.sh as its init.
#
#	lab_initramfs.sh OUT [OPTION OF make-initramfs.sh]...
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
[[ $# -ge 1 && $1 != -* ]] || {
	echo "usage: lab_initramfs.sh OUT [OPTION OF make-initramfs.sh]..." >&2
	exit 2
}
exec "$here/../../kernel/uml/make-initramfs.sh" -o "$1" -i "$here/lab_init.sh" "${@:2}"
