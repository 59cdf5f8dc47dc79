#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Control groups of sandboxes, by a guest that has them whatever this machine has: control_groups.c.
. "$(dirname "$0")/lib.sh"

need_kernel distro

in_a_guest() {
	expect 0 ttrec run --kernel "$kernel" --memory 512M -o t.zst "$bin/control_groups"
	says out '^1\.\.10'
	never_says out '^not ok'
}

# One that is not there, or that is everybody's, is no error, and doctor says which.
said_by_doctor() {
	ttrec doctor >out || :
	says out '^(ok|note) +control groups: '
}

proves "a sandbox is held to its limits by a group, and nothing of it stays" in_a_guest
proves "whether there can be some here is said" said_by_doctor
finish
