#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# container.sh VERSION: in containers as Podman and Docker start them when nobody asks for anything, a
# recording is made and replays, there and elsewhere: identical by messages always, by memory wherever
# the container lets process ids be fixed.
#
# Docker's default profile is the one in docs/, without what that adds; Podman runs it, too.
# Environment: TTREC_TEST_REPLAYS, how often each recording is replayed (3).
. "$(dirname "$0")/lib.sh"

need_kernel "$1"
version=$1
replays=${TTREC_TEST_REPLAYS:-3}

give_up() {
	echo "1..0 # SKIP NO CONTAINERS HERE, NOTHING WAS TESTED: $*"
	exit 77
}

command -v podman >/dev/null && command -v runc >/dev/null || give_up "needs podman and runc"
((!EUID)) || give_up "needs root to start containers as anybody"
[[ -x /bin/busybox ]] || give_up "needs busybox-static"

podman() {
	timeout 60 podman --storage-driver vfs --root "$work/store" --runroot "$work/run" \
		--cgroup-manager cgroupfs --runtime runc "$@"
}

# The image: busybox and the libraries of the commands. Commands and guest are mounted.
make_image() {
	local library
	mkdir -p "$work"/image/{bin,etc,tmp,var/tmp,proc,dev,run,ttrec,share}
	chmod 1777 "$work"/image/tmp "$work"/image/var/tmp
	cp /bin/busybox "$work/image/bin/"
	ln -s busybox "$work/image/bin/sh"
	ldd "$bin/ttrec" "$bin/ttreplay" "$kernel" | grep -o '/[^ :]*' | sort -u | while read -r library; do
		[[ -x $bin/$(basename "$library") || $library == "$kernel" ]] && continue
		mkdir -p "$work/image$(dirname "$library")"
		cp -L "$library" "$work/image$library"
	done
	tar -C "$work/image" -cf "$work/image.tar" .
	podman import -q "$work/image.tar" ttrec-test
	mkdir "$work/bin"
	cp "$bin"/{ttrec,ttreplay,guest.cpio} "$work/bin/"
	cp "$kernel" "$work/bin/linux"
	chmod -R a+rX "$work/bin"
	python3 - "$source_dir/docs/docker-seccomp.json" "$work/docker.json" <<-'END'
		import json, sys
		profile = json.load(open(sys.argv[1]))
		profile["syscalls"] = [entry for entry in profile["syscalls"]
		                       if not entry.get("comment", "").startswith("ttrec")]
		json.dump(profile, open(sys.argv[2], "w"))
	END
}

# inside OPTION... -- COMMAND: in a new container, in the directory share of this case.
inside() {
	local -a options=()
	mkdir -p share
	chmod 777 share
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	podman run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
		-v "$work/bin:/ttrec:ro" -v "$PWD/share:/share" -w /share -e PATH=/ttrec:/bin "${options[@]}" \
		ttrec-test "$@"
}

make_image >"$work/image.log" 2>&1 || give_up "podman import: $(tail -n 1 "$work/image.log")"
cd "$work" && inside -- /bin/sh -c true >image.log 2>&1 || give_up "podman run: $(tail -n 1 "$work/image.log")"

podman_default=()
docker_default=(--security-opt "seccomp=$work/docker.json" --cap-add "MKNOD,NET_RAW,AUDIT_WRITE")
# 5.10 gathers entropy from the jitter of a clock that has none: it would not end.
random=(random)
[[ $version != 5.10 ]] || random=()
actions=$(actions say:hello sleep:30000000 "${random[@]}" say:bye off)
record="ttrec run --seed 7 -o t.zst /ttrec/linux mem=32M initrd=/ttrec/guest.cpio do='\"$actions\"'"

# Records and replays in containers with these options; the last container's words are in out and err.
# rerecord TRUST REPLAYS OPTION...
rerecord() {
	local trust=$1 count=$2 number
	shift 2
	expect 0 inside "$@" -- /bin/sh -c "$record"
	says out 'hello'
	expect 0 inside "$@" -- /bin/sh -c "for i in \$(seq $count); do ttreplay $trust t.zst || exit; done"
	number=$(grep -c '^identical: ' out)
	((number == count)) || fail "$number of $count replays are identical"
}

# With namespaces of its own the guest's memory is compared.
fully() {
	rerecord "" "$replays" "$@"
	never_says err 'not isolated'
	(($(grep -cE '^identical: .* [1-9][0-9]* memory digests' out) == replays)) || fail "memory was not compared"
}

# Without, messages are, and the verdict says why no more.
by_messages() {
	rerecord --trust "$replays" "$@"
	says out '^identical: .* memory not compared'
	says out 'memory: recorded in a sandbox without full isolation'
	# The same trace where namespaces can be had: locked in without being trusted.
	expect 0 ttreplay share/t.zst
	says out '^identical: '
	expect 4 inside "$@" -- ttreplay t.zst
	says err 'cannot be isolated on this machine'
}

from_inside() {
	fully "$@"
	expect 0 ttreplay share/t.zst
	says out '^identical: .* [1-9][0-9]* memory digests'
}

from_outside() {
	expect 0 ttrec run --seed 7 -o t.zst "$kernel" mem=32M "initrd=$initrd" "do=\"$actions\""
	mkdir share
	cp t.zst share/
	expect 0 inside "${podman_default[@]}" -- ttreplay t.zst
	says out '^identical: .* [1-9][0-9]* memory digests'
	expect 0 inside "${docker_default[@]}" -- ttreplay --trust t.zst
	says out '^identical: .* memory not compared'
	says out "memory: the recording's sandbox had more isolation"
}

# Nothing can be executed where anything can be written: this machine's fault, not the guest's.
nowhere() {
	local options=("${docker_default[@]}" --read-only --read-only-tmpfs=false --tmpfs /tmp:noexec)
	expect 4 inside "${options[@]}" -- /bin/sh -c "$record"
	says err 'cannot find a directory where programs can be executed'
	[[ ! -e share/t.zst ]] || fail "there is a trace"
	expect 4 inside "${options[@]}" -- ttrec doctor
	says out '^MISSING guest memory: '
	expect 0 inside "${options[@]}" -e TMPDIR=/share -- /bin/sh -c "$record"
}

doctor_says() {
	expect 0 inside "${podman_default[@]}" -- ttrec doctor /ttrec/linux
	says out 'Full isolation is possible'
	expect 4 inside "${docker_default[@]}" -- ttrec doctor /ttrec/linux
	says out 'not be fully isolated: without user,pid,mount,net$'
	expect 4 inside --cap-drop all -- ttrec doctor /ttrec/linux
	says out 'why: root without the capability CAP_SETFCAP'
}

proves "Podman's defaults, as root: fully isolated, also outside" from_inside "${podman_default[@]}"
proves "Docker's defaults, as root: by messages" by_messages "${docker_default[@]}"
if [[ $version == 6.12 ]]; then
	proves "Podman's defaults, as a user" fully "${podman_default[@]}" --user 1000
	proves "Podman's defaults, without capabilities" by_messages "${podman_default[@]}" --cap-drop all
	proves "Podman's defaults, a user without capabilities" fully "${podman_default[@]}" --user 1000 --cap-drop all
	proves "Podman's defaults, read-only" fully "${podman_default[@]}" --read-only
	proves "Docker's defaults, as a user" by_messages "${docker_default[@]}" --user 1000
	proves "Docker's defaults, without capabilities" by_messages "${docker_default[@]}" --cap-drop all
	proves "a container in which a guest can be nowhere is named" nowhere
	proves "the doctor says the same" doctor_says
fi
proves "recorded outside, replayed inside" from_outside
finish
