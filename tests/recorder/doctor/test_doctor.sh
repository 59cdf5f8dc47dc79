#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Under restrictions that are really there, the doctor says what is missing, why and what to do, and
# a recording is made anyway, as isolated as it can be.
. "$(dirname "$0")/../../system/lib.sh"

profile=$source_dir/docs/docker-seccomp.json

# ---- What the doctor says ----------------------------------------------------------------------------

# What does not hold here without a restriction is not what these cases are about.
isolated_here() {
	ttrec doctor >/dev/null || skip "this machine does not allow full isolation"
}

# misses NAME... -- COMMAND...: under the command, the doctor misses these and nothing else.
misses() {
	local names=()
	while [[ $1 != -- ]]; do
		names+=("$1")
		shift
	done
	shift
	isolated_here
	expect 4 "$@" ttrec doctor
	diff <(printf '%s\n' "${names[@]}" | sort) <(sed -nE 's/^MISSING ([^:]*).*/\1/p' out | sort)
}

namespaces=("user namespace" "pid namespace" "mount namespace" "network namespace")

nothing_is_missing() {
	isolated_here
	expect 0 ttrec doctor
	never_says out '^MISSING'
	says out '^ok      pid namespace$'
	says out 'Full isolation is possible'
}

stock_profile() {
	misses "${namespaces[@]}" -- restrict --stock --profile "$profile"
	says out "why: .*seccomp filter refuses clone"
	says out "not be fully isolated: without user,pid,mount,net$"
}

own_profile() {
	isolated_here
	expect 0 restrict --profile "$profile" ttrec doctor
}

# The profile is Docker's own, and what it adds says so.
profile_format() {
	python3 - "$profile" <<-'END'
		import json, sys
		profile = json.load(open(sys.argv[1]))
		assert set(profile) <= {"defaultAction", "defaultErrnoRet", "archMap", "syscalls"}
		keys = {"names", "action", "args", "comment", "includes", "excludes", "errnoRet"}
		assert all(set(entry) <= keys for entry in profile["syscalls"])
		added = [e for e in profile["syscalls"] if e.get("comment", "").startswith("ttrec")]
		names = sorted(name for entry in added for name in entry["names"])
		assert names == ["clone", "mount", "pivot_root", "umount2"], names
	END
}

refused_mount() {
	misses "mount namespace" -- restrict --refuse mount
	says out "not be fully isolated: without mount$"
}

refused_ptrace() {
	misses ptrace -- restrict --refuse ptrace
	says out "cannot run at all"
}

not_needed() {
	isolated_here
	expect 0 restrict --refuse "$1" ttrec doctor
}

no_space() {
	misses "fixed addresses" "AT_RANDOM bytes" -- bash -c 'ulimit -v 8000000; exec "$@"' bash
	says out 'why: address space is limited'
}

refused_memory() {
	misses sandbox "memory of a guest" -- restrict --refuse process_vm_writev
}

# As a user who may make no namespaces: first root of a namespace without others, then without power.
no_namespaces() {
	isolated_here
	unshare -Ur true || skip "no user namespaces"
	expect 4 unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh "$@" ttrec doctor
	says out 'MISSING user namespace'
	says out 'why: user.max_user_namespaces is 0'
	says out 'hint: .*sysctl -w user.max_user_namespaces='
}

as_ordinary_user() {
	isolated_here
	cp "$bin/ttrec" . && chmod 755 ttrec
	as_user unshare -Ur true || skip "ordinary users may make no user namespaces"
	expect 0 as_user ./ttrec doctor
}

json() {
	isolated_here
	expect 4 restrict --refuse seccomp ttrec doctor --json
	python3 - <<-'END'
		import json
		said = json.load(open("out"))
		assert said["possible"] is False and said["status"] == 4
		assert said["seal"] == ["user", "pid", "mount", "net", "aslr", "auxv", "cpu"]
		missing = [f for f in said["findings"] if f["level"] == "missing"]
		assert len(missing) == 1 and missing[0]["advice"] and missing[0]["why"]
	END
}

proves "without restrictions nothing is missing" nothing_is_missing
proves "an ordinary user gets full isolation" as_ordinary_user
proves "under Docker's profile only namespaces are missing" stock_profile
proves "under the project's profile nothing is missing" own_profile
proves "the profile has Docker's format and adds four calls" profile_format
proves "mount(2) refused costs the mount namespace only" refused_mount
proves "pivot_root(2) refused costs the mount namespace" misses "mount namespace" -- restrict --refuse pivot_root
proves "personality(2) refused costs nothing" not_needed personality
proves "prctl(2) refused costs fixed addresses" misses "fixed addresses" "AT_RANDOM bytes" "entropy" -- restrict --refuse prctl
proves "a limit on address space costs fixed addresses" no_space
proves "seccomp(2) refused" misses "entropy" -- restrict --refuse seccomp
proves "sched_setaffinity(2) refused" misses "one CPU" -- restrict --refuse sched_setaffinity
proves "ptrace(2) refused: no guest can run" refused_ptrace
proves "process_vm_writev(2) refused: no guest can be served" refused_memory
proves "user.max_user_namespaces=0 is named, as root of a namespace" no_namespaces
proves "user.max_user_namespaces=0 is named, without power" no_namespaces setpriv --bounding-set=-all --inh-caps=-all
proves "JSON says the same" json

# ---- Kernels -------------------------------------------------------------------------------------------

with_kernel() {
	(need_kernel 6.12) >/dev/null || skip "no kernel 6.12"
	need_kernel 6.12
}

good_kernel() {
	isolated_here
	with_kernel
	expect 0 ttrec doctor "$kernel"
	says out '^ok      kernel: .*User-Mode Linux 6\.12'
	says out '^ok      start: '
	strip -o stripped "$kernel"
	expect 0 ttrec doctor ./stripped
	says out '^warning symbols: none'
}

# no_kernel REGEX FILE
missing_kernel() {
	expect 2 ttrec doctor /nonexistent
	says err 'cannot read /nonexistent: No such file'
}

no_kernel() {
	expect 4 ttrec doctor "$2"
	says out "^MISSING kernel: .*$1"
	says out 'hint: '
}

# A release is what the kernel says of itself: the same kernel, with other numbers of the same length.
risky_kernel() {
	with_kernel
	sed 's/Linux version 6\.12\.[0-9][0-9][0-9]/Linux version 6.12.048/g' "$kernel" >risky
	chmod +x risky
	ttrec doctor ./risky >out || true
	says out '^warning kernel: .*overwrites 16 bytes of its stack'
	says out 'hint: use 6\.12\.49 or newer'
}

text_file() {
	echo "not a kernel" >file
	no_kernel 'not an ELF file' file
}

proves "a kernel is started up to its first message" good_kernel
proves "a release with a known fault is named" risky_kernel
proves "no kernel: no such file" missing_kernel
proves "no kernel: a text file" text_file
proves "no kernel: another program" no_kernel 'not a User-Mode-Linux kernel' /bin/true
proves "two kernels are a usage error" expect 2 ttrec doctor a b

# ---- Recordings under restrictions -------------------------------------------------------------------

# records LOST COMMAND...: a recording is made and says that this is lost; --isolation=full refuses it.
records() {
	local part
	run_by=("${@:2}")
	isolated_here
	with_kernel
	expect 0 record -- say:hello off
	whole t.zst
	for part in ${1//,/ }; do
		says err "^ttrec: not isolated \\($part\\): "
	done
	(($(grep -c 'not isolated' err) == $(wc -w <<<"${1//,/ }"))) || fail "something else is lost: $(<err)"
	expect 4 record --isolation=full -- say:hello off
	says err 'full isolation is not possible'
	expect 0 record -q -- say:hello off
}

# Without namespaces a stranger's trace is not run unless one insists; then messages are the same.
replays_trusted() {
	records "$@"
	expect 4 "${run_by[@]}" ttreplay t.zst
	expect 0 "${run_by[@]}" ttreplay --trust t.zst
	says out '^identical: '
}

# The heap is where it is without randomisation, if that is allowed: messages are the same.
replays_without_a_loader() {
	local limited=(bash -c 'ulimit -v 8000000; exec "$@"' bash)
	records aslr,auxv "${limited[@]}"
	expect 0 "${limited[@]}" ttreplay t.zst
	says out '^identical: '
	replays_identical t.zst
}

limit='echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"'
weak=(setpriv --bounding-set=-all --inh-caps=-all)

proves "a recording under Docker's profile" replays_trusted user,pid,mount,net restrict --stock --profile "$profile"
proves "a recording without mount(2) replays" replays_trusted mount restrict --refuse mount
proves "a recording without namespaces replays" replays_trusted user,pid,mount,net unshare -Ur sh -c "$limit" sh "${weak[@]}"
proves "a recording as root of a namespace replays" replays_trusted user,pid,mount,net unshare -Ur sh -c "$limit" sh
proves "a recording with little address space replays" replays_without_a_loader
proves "a recording without seccomp(2)" records entropy restrict --refuse seccomp
proves "a recording without sched_setaffinity(2)" records cpu restrict --refuse sched_setaffinity

finish
