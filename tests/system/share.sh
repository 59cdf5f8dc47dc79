#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Directories of the host that guests mount: what they read and change, and that a replay needs none.
#
#	share.sh [VERSION]
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

version=${1:-6.12}
need_kernel "$version"
pack_guests

# shared DIR LINE...: makes DIR with a script of these lines, which its guest runs there.
shared() {
	mkdir -p "$1"
	printf '%s\n' "${@:2}" >"$1/run.sh"
}

# record_share DIR [KEYS]: one guest that mounts it as "share" and runs its script. Its console goes to n1.
record_share() {
	lab "$(guest 1 share:share "devices: [{share: $1${2:+, $2}}]")"
	expect 0 record_lab
	console 0 t.zst >n1
}

# as_it_is DIR: all that can be seen of it.
as_it_is() {
	(cd "$1" && find . -printf '%p %y %m %U %G %s %T@ %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 md5sum)
}

# ---- Reading -------------------------------------------------------------------------------------------

odd_names() {
	mkdir -p "$1/some/deep/directory" "$1/$(printf 'latin \xe9')" "$1/..."
	echo deep >"$1/some/deep/directory/file"
	echo one >"$1/$(printf 'latin \xe9/\xff\xfe')"
	echo two >"$1/...$(printf 'x%.0s' {1..252})"
	ln -s run.sh "$1/link"
	ln -s /nothing/there "$1/out"
	ln "$1/some/deep/directory/file" "$1/hard"
	: >"$1/empty"
	seq 1000000 >"$1/big"
}

reading() {
	shared dir 'cd /mnt; find . | sort | md5sum' 'find . -type f | sort | tr "\n" "\0" | xargs -0 md5sum | md5sum' \
		'ls -l link out | sed "s/.* -> /to /"' 'stat -c "%h %u %g %a %s" hard' 'cat empty no-such-file'
	odd_names dir
	chmod 640 dir/hard
	record_share ./dir
	says n1 "^$(cd dir && find . | sort | md5sum)"
	says n1 "^$(cd dir && find . -type f | sort | tr '\n' '\0' | xargs -0 md5sum | md5sum)"
	says n1 '^to run.sh'
	says n1 '^to /nothing/there'
	says n1 '^2 0 0 640 5'
	says n1 'no-such-file.*No such file'
	whole t.zst
	# The files are not needed any more.
	rm -r dir
	replays_all 1 t.zst
}

# Nothing of the host but the directory's content: another place, other inodes, another order.
equal_recordings() {
	local i
	shared dir 'cd /mnt; ls -lai; find . -type f | xargs md5sum; stat -f .; stat sub/*'
	mkdir dir/sub
	for i in 5 3 9 1 7; do
		echo "$i" >"dir/sub/$i"
	done
	record_share ./dir
	mv t.zst first.zst
	mkdir -p elsewhere/copy
	for i in 9 7 5 3 1; do
		mkdir -p elsewhere/copy/sub && cp -a "dir/sub/$i" elsewhere/copy/sub
	done
	cp -a dir/run.sh elsewhere/copy
	touch -r dir/sub elsewhere/copy/sub
	touch -r dir elsewhere/copy
	# The times of access differ.
	cat elsewhere/copy/sub/* >/dev/null
	record_share ./elsewhere/copy
	same_history first.zst t.zst
}

several_guests() {
	shared dir 'cd /mnt; echo more >>file; md5sum file'
	seq 100000 >dir/file
	lab "$(guest 1 share:share 'devices: [{share: ./dir, write: copy}]')" \
		"$(guest 2 share:data 'devices: [{share: ./dir, tag: data, write: copy}, rng]')"
	expect 0 record_lab
	console 0 t.zst >n1
	console 1 t.zst >n2
	says n1 "^$( (cat dir/file; echo more) | md5sum | cut -c -32)"
	says n2 "^$( (cat dir/file; echo more) | md5sum | cut -c -32)"
	rm -r dir
	replays_all 2 t.zst
	replays_all 1 --only n2 t.zst
}

two_shares() {
	shared one 'mkdir /two; mount -t virtiofs two /two; cat /two/file; mount -t virtiofs three /two || echo none'
	mkdir two
	echo "of the second" >two/file
	lab "$(guest 1 share:share 'devices: [{share: ./one}, {share: ./two, tag: two}]')"
	expect 0 record_lab
	console 0 t.zst >n1
	says n1 '^of the second'
	says n1 '^none'
	replays_all 1 t.zst
}

own_files_are_roots() {
	((EUID == 0)) || skip "needs another user"
	shared dir 'stat -c "%n %u:%g" /mnt /mnt/*'
	touch dir/mine dir/other dir/group
	chown 65534:65534 dir dir/mine
	chown 1234:65534 dir/other
	chown 65534:4321 dir/group
	publish_commands
	lab "$(guest 1 share:share 'devices: [{share: ./dir}]')"
	as_user ttrec run -q -f lab.yaml -o t.zst >out 2>err
	console 0 t.zst >n1
	says n1 '^/mnt 0:0'
	says n1 '^/mnt/mine 0:0'
	says n1 '^/mnt/other 1234:0'
	says n1 '^/mnt/group 0:4321'
}

# The guest reads the file as it then is, and the recording ends with a warning.
changes_meanwhile() {
	local changer
	shared dir 'cd /mnt; ls -l file; find many | md5sum; cat many/* | md5sum; cat file'
	mkdir dir/many
	for i in {1..500}; do
		echo "$i" >"dir/many/$i"
	done
	echo once >dir/file
	lab "$(guest 1 share:share 'devices: [{share: ./dir}]')"
	while :; do
		echo "$EPOCHREALTIME" >dir/file
		sleep 0.01
	done &
	changer=$!
	expect 0 record_lab
	kill "$changer"
	says err '^  share: of n1: file was changed while it was used'
	replays_all 1 t.zst
}

takes_its_time() {
	shared dir 'cat /proc/uptime; md5sum /mnt/big >/dev/null; cat /proc/uptime'
	seq 200000 >dir/big
	record_share ./dir 'latency: 100ms, bandwidth: 1M/s'
	[[ $(grep -cE '^[0-9]+\.[0-9]+ ' n1) == 2 ]]
	grep -E '^[0-9]+\.[0-9]+ ' n1 | awk '{ t[NR] = $1 } END { exit !(t[2] - t[1] > 2 && t[2] - t[1] < 6) }' ||
		fail "reading 1.3 MB took: $(cat n1)"
}

# ---- Writing -------------------------------------------------------------------------------------------

refused_writes() {
	local before
	shared dir 'cd /mnt; echo x >file || echo no 1; rm run.sh || echo no 2; mkdir d || echo no 3' \
		'chmod 777 run.sh || echo no 4; mv run.sh x || echo no 5; ln run.sh y || echo no 6; touch run.sh || echo no 7'
	before=$(as_it_is dir)
	record_share ./dir
	[[ $(grep -c '^no' n1) == 7 ]] || fail "$(cat n1)"
	says n1 'Read-only file system'
	[[ $before == "$(as_it_is dir)" ]]
	replays_all 1 t.zst
}

written_copies() {
	local before
	shared dir 'cd /mnt; echo hello >new; echo more >>big; md5sum big; rm old; mkdir -p a/b; mv new a/b/c; ln a/b/c hard' \
		'ln -s hard soft; mknod null c 1 3; echo gone >null; chown 5:6 hard; chmod 4750 hard; mkfifo pipe; mv sub a/sub' \
		'touch -d "2001-02-03 04:05:06" hard; dd if=/dev/zero of=big bs=1k seek=1 count=1 conv=notrunc 2>/dev/null' \
		'rmdir a && echo removed a full directory; : >cut; sync; cd /; umount /mnt; mount -t virtiofs share /mnt; cd /mnt' \
		'find . | sort; cat soft; stat -c "%h %u:%g %a %Y %F" hard; stat -c "%t %T %F" null; cat a/sub/file; wc -c <cut' \
		'echo 3 >/proc/sys/vm/drop_caches; md5sum big; stat -c "%Y" a'
	mkdir dir/sub
	echo file >dir/sub/file
	seq 300000 >dir/big
	echo old >dir/old
	echo cut >dir/cut
	before=$(as_it_is dir)
	record_share ./dir 'write: copy'
	{
		cat dir/big
		echo more
	} >wanted
	says n1 "^$(md5sum <wanted | cut -c -32)"
	dd if=/dev/zero of=wanted bs=1k seek=1 count=1 conv=notrunc 2>/dev/null
	says n1 "^$(md5sum <wanted | cut -c -32)"
	never_says n1 'removed a full directory'
	[[ $(grep '^\.' n1 | tr '\n' ' ') == \
		'. ./a ./a/b ./a/b/c ./a/sub ./a/sub/file ./big ./cut ./hard ./null ./pipe ./run.sh ./soft ' ]] || fail "$(cat n1)"
	says n1 '^hello'
	says n1 '^2 5:6 4750 981173106 regular file'
	says n1 '^1 3 character special file'
	says n1 '^file'
	says n1 '^0$'
	# 2026-01-01, which is the guest's date at the beginning.
	says n1 '^17672256[0-9][0-9]'
	[[ $before == "$(as_it_is dir)" ]] || fail "the directory was changed"
	rm -r dir
	replays_all 1 t.zst
}

# With all that the host has to do.
written_through() {
	shared dir 'cd /mnt; echo new >new; echo more >>grow; md5sum grow; rm old; mkdir -p a/b; mv new a/b/c; ln a/b/c hard' \
		'ln -s hard soft; chmod 4711 a/b/c; mv full a/full; touch -d "2001-02-03 04:05:06" hard; mkfifo pipe' \
		'exec 5<gone; rm gone; cat <&5; exec 6>>kept; mv kept moved; echo after >&6; : >cut' \
		'mv over into; rmdir a && echo removed a full directory; rm a/b/c; cat hard; echo again >>hard' \
		'exec 5<&- 6>&-; cd /; umount /mnt; mount -t virtiofs share /mnt; cat /mnt/hard /mnt/moved /mnt/a/full/file /mnt/into'
	mkdir dir/full
	echo inside >dir/full/file
	seq 100000 >dir/grow
	echo old >dir/old
	echo it is gone >dir/gone
	echo before >dir/kept
	echo cut >dir/cut
	echo over >dir/over
	echo into >dir/into
	lab "$(guest 1 share:share 'devices: [{share: ./dir, write: through}]')"
	expect 0 record_lab
	says err '^  share: n1 wrote through to \./dir'
	console 0 t.zst >n1
	says n1 "^$(md5sum <dir/grow | cut -c -32)"
	[[ $(tail -n 1 dir/grow) == more ]]
	[[ $(cd dir && find . | sort | tr '\n' ' ') == \
		'. ./a ./a/b ./a/full ./a/full/file ./cut ./grow ./hard ./into ./moved ./pipe ./run.sh ./soft ' ]] ||
		fail "$(find dir)"
	[[ $(cat dir/hard) == $'new\nagain' && $(stat -c '%a %h' dir/hard) == '4711 1' && $(readlink dir/soft) == hard ]]
	[[ $(cat dir/moved) == $'before\nafter' && ! -s dir/cut && -p dir/pipe && $(cat dir/into) == over ]]
	never_says n1 'removed a full directory'
	says n1 '^it is gone'
	[[ $(tail -n 8 n1 | grep -E '^(new|again|before|after|inside|over)' | tr '\n' ' ') == 'new again before after inside over ' ]] ||
		fail "$(cat n1)"
	rm -r dir
	replays_all 1 t.zst
	# A trace from a stranger.
	mkdir dir
	expect 4 ttrec run -q -o again.zst --rerecord t.zst
	says err '^ttrec: t\.zst lets guest n1 write to .*/dir on this machine'
	says err 'hint: .*--trust'
}

# ---- Without a lab file -----------------------------------------------------------------------------------

program() {
	printf '%s\n' '#!/bin/sh' 'cat /mnt/share/file /mnt/two/file; echo more >>/mnt/two/file && cat /mnt/two/file' \
		'echo x >>/mnt/share/file' 'exit 3' >program.sh
	chmod +x program.sh
	mkdir one two
	echo first >one/file
	echo second >two/file
	export TTREC_KERNEL=$kernel
	expect 1 ttrec run -o t.zst --share one --share two:two:copy ./program.sh
	[[ $(grep -cE '^(first|second|more)' out) == 4 ]] || fail "$(cat out)"
	says out 'Read-only file system'
	says out '^not ok - .*program.sh: exit status 3'
	[[ $(cat one/file two/file) == $'first\nsecond' ]] || fail "the host's files were changed"
	replays_all 1 t.zst
	# From elsewhere: where the directories are is in the trace.
	mkdir elsewhere
	(cd elsewhere && expect 1 ttrec run -q -o again.zst --rerecord ../t.zst)
	same_history t.zst elsewhere/again.zst
	echo changed >two/file
	expect 1 ttrec run -q -o again.zst --rerecord t.zst
	says err 're-recorded: .*differ'
	says err '^  share two of n1: files have changed since they were recorded'
}

bad_options() {
	mkdir dir
	export TTREC_KERNEL=$kernel
	expect 2 ttrec run -o t.zst --share dir:a/b "$kernel"
	says err "invalid --share 'dir:a/b'"
	expect 2 ttrec run -o t.zst --share dir --share .:share:copy "$kernel"
	says err "duplicate tag 'share'"
	expect 2 ttrec run -o t.zst --share nothing "$kernel"
	says err '^ttrec: cannot share nothing with guest n1: No such file'
	lab "$(guest 1 off)"
	expect 2 ttrec run -f lab.yaml -o t.zst --share dir
	says err '^ttrec: --share is for a guest without a lab file'
	[[ ! -e t.zst ]] || fail "a trace was left behind"
}

again() {
	shared dir 'cat /mnt/file'
	echo x >dir/file
	record_share ./dir
	mv t.zst first.zst
	expect 0 ttrec run -q -o t.zst --rerecord first.zst
	same_history first.zst t.zst
}

# ---- What cannot be shared --------------------------------------------------------------------------------

# refused STATUS REGEX DEVICES
refused() {
	lab "$(guest 1 off "devices: [$3]")"
	expect "$1" record_lab
	empty out
	says err "^ttrec: .*($2)"
	says err '^  hint: '
	[[ ! -e t.zst ]] || fail "a trace was left behind"
}

refusals() {
	mkdir dir
	echo x >file
	refused 2 'cannot share \./nothing with guest n1 \(line [0-9]+\): No such file' '{share: ./nothing}'
	refused 2 'cannot share \./file .*: Not a directory' '{share: ./file}'
	refused 2 "lab\.yaml:3:.*invalid tag 'x{37}'" "{share: ./dir, tag: $(printf 'x%.0s' {1..37})}"
	refused 2 "invalid tag 'a b'" '{share: ./dir, tag: a b}'
	refused 2 "duplicate tag 'share'" '{share: ./dir}, {share: ./dir}'
	refused 2 "invalid write 'maybe'" '{share: ./dir, write: maybe}'
	refused 2 "a share .*'share'|'share' needs a value" 'share'
	refused 2 "unknown key 'colour'" '{share: ./dir, colour: no}'
}

unreadable() {
	((EUID == 0)) || skip "needs another user"
	mkdir -m 700 dir
	publish_commands
	lab "$(guest 1 off 'devices: [{share: ./dir}]')"
	expect 2 as_user ttrec run -q -f lab.yaml -o t.zst
	says err '^ttrec: cannot share \./dir with guest n1 .*: Permission denied'
	says err '^  hint: let the user'
}

proves "a guest reads a directory, which its replay does not need" reading
proves "equal directories give equal recordings" equal_recordings
proves "guests share a directory, each with its own writes" several_guests
proves "a guest has two shares" two_shares
proves "the user's files are root's in the guest" own_files_are_roots
proves "a file that changes while it is used is reported" changes_meanwhile
proves "requests take virtual time" takes_its_time
proves "a share is read-only" refused_writes
proves "what is written stays apart from the host" written_copies
proves "what is written goes to the host where that is wanted" written_through
proves "a program has shares, and they are recorded again" program
proves "shares that an option cannot name are refused" bad_options
proves "a lab with a share is recorded again" again
proves "what cannot be shared is refused in words" refusals
proves "a directory that the user may not read is refused" unreadable
finish
