#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A trace carries a program: it is not even started where it cannot be locked in.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12

# started COMMAND...: which programs it executes go to the file started.
started() {
	command -v strace >/dev/null || skip "no strace here"
	strace -f -qq -e trace=execve,execveat -o started "$@"
}

refused() {
	expect 4 started "$@"
	says err 'cannot be isolated on this machine'
	says err '--trust'
	says started '/ttreplay"'
	never_says started '/linux"'
}

# It is isolated anyway; that it diverges is another matter.
claims_no_isolation() {
	command -v strace >/dev/null || skip "no strace here"
	expect 0 record --isolation=none -- off
	strace -f -qq -e trace=clone,execve -o started "$bin/ttreplay" t.zst >out 2>err || true
	says started 'CLONE_NEWNS.*CLONE_NEWUSER.*CLONE_NEWNET'
	says started '/linux"'
	refused restrict --stock --profile "$source_dir/docs/docker-seccomp.json" ttreplay t.zst
}

no_namespaces_here() {
	expect 0 record -- off
	refused restrict --stock --profile "$source_dir/docs/docker-seccomp.json" ttreplay t.zst
}

locked_in() {
	expect 0 record -- off
	# It does not get far: User-Mode-Linux cannot be traced, it traces its own processes.
	started ttreplay t.zst >out 2>err || true
	says started '/linux"'
}

proves "a trace that says its sandbox was not isolated does not get out that way" claims_no_isolation
proves "a program that cannot be isolated on this machine is not started" no_namespaces_here
proves "one that can be is started" locked_in
finish
