#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a hostile program reaches that is started in the place of a guest's kernel, by each who records and
# replays: nothing of the host. sandbox_intruder.c is that program; what it can call at all is compared by
# tests/kernel/sandbox/test_sandbox_intruder.c.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12
intruder=$bin/sandbox_intruder

# intrude WHAT: recorded into t.zst; what it says goes to out.
intrude() {
	"${run_by[@]}" ttrec run -o t.zst "$intruder" mem=32M "try=$1" >out 2>err || fail "exit status $?: $(cat err)"
}

reaches_nothing() {
	says out '^user 1000 group 1000'
	says out '^chmod-null EROFS'
	says out '^chown-null EROFS'
	says out '^touch-null EROFS'
	says out '^write-null done'
	says out '^read-host ENOENT'
	says out '^(mount|remount-null|search-keys|add-key|request-key) ENOSYS'
	never_says out '^(mount|remount-null|search-keys|add-key|request-key|read-host|become-root|make-device) done'
}

facts_of_null() {
	stat -c '%a %u %g %Y' /dev/null
}

nothing_of_the_host() {
	local before
	before=$(facts_of_null)
	intrude host
	reaches_nothing
	[[ $(facts_of_null) == "$before" ]] || fail "/dev/null has changed: $before, now $(facts_of_null)"
	expect 0 ttreplay --console t.zst
	reaches_nothing
	[[ $(facts_of_null) == "$before" ]] || fail "/dev/null has changed: $before, now $(facts_of_null)"
}

as_ordinary_user() {
	local -a run_by=(as_user)
	publish_commands
	cp "$intruder" public/
	chmod a+rX public/sandbox_intruder
	intruder=$PWD/public/sandbox_intruder
	as_user unshare -U true 2>/dev/null || skip "user namespaces are refused here"
	intrude host
	reaches_nothing
}

# Its namespaces are refused, a filter is not.
without_namespaces() {
	expect 0 restrict --stock --profile "$source_dir/docs/docker-seccomp.json" ttrec run -o t.zst \
		"$intruder" mem=32M try=host
	says out '^(mount|remount-null|search-keys|add-key|request-key) ENOSYS'
	says out '^make-device EPERM'
	((EUID == 0)) || says out '^chmod-null EPERM'
}

# The call that joins a new session keyring comes before the program, in the first process of the sandbox.
own_keyring() {
	command -v strace >/dev/null || skip "no strace here"
	strace -f -qq -e trace=keyctl,execve -o calls "$bin/ttrec" run -q -o t.zst "$intruder" mem=32M try=host \
		>out 2>err || fail "exit status $?: $(cat err)"
	grep -nE 'keyctl\(KEYCTL_JOIN_SESSION_KEYRING, NULL\) += [0-9]' calls >joined || fail "no keyring: $(cat calls)"
	grep -nE 'execve\("./run/loader"' calls >executed
	(($(head -n 1 joined | cut -d: -f1) < $(head -n 1 executed | cut -d: -f1))) || fail "too late: $(cat calls)"
}

# Each open takes a descriptor of the recorder's and 64 KiB of the trace.
many_opens() {
	intrude urandom:2000
	says out '^opened 16, then: Too many open files'
	(($(stat -c %s t.zst) < 4 << 20)) || fail "the trace has $(stat -c %s t.zst) bytes"
	expect 0 ttreplay --console t.zst
	says out '^opened 16, then: Too many open files'
	says out '^identical: '
}

proves "a program of root's or a user's reaches nothing of the host, recorded or replayed" nothing_of_the_host
proves "one of an ordinary user neither" as_ordinary_user
proves "without namespaces, it has a filter" without_namespaces
proves "keys of the session are left before it is there" own_keyring
proves "opening /dev/urandom again and again is refused, and replays" many_opens
finish
