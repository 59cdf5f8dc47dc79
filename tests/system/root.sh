#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Root file systems of guests: a directory, a tar archive, an image; and what cannot be one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lab_lib.sh"

need_kernel 6.12
busybox=$(command -v busybox) || {
	echo "1..0 # SKIP NO BUSYBOX, NOTHING WAS TESTED: install busybox-static"
	exit 77
}

# tree LINE...: a root file system in tree/ whose init runs these lines, in a shell, and powers off.
tree() {
	mkdir -p tree/{bin,sbin,proc,dev,tmp}
	cp "$busybox" tree/bin/busybox
	{
		echo '#!/bin/busybox sh'
		printf '%s\n' '/bin/busybox mount -t proc proc /proc' '/bin/busybox --install -s /bin' 'PATH=/bin' "$@" \
			'poweroff -f'
	} >tree/sbin/init
	chmod 755 tree/sbin/init
}

# A directory as --root and in a lab file, an archive of it, compressed or not, and an image: the guest sees the
# same, and changes none of them.
one_tree() {
	tree 'cat /data; echo more >>/data; cat /data; mkdir /new; ln /data /new/data; stat -c "%h %u:%g %a" /data'
	echo content >tree/data
	chmod 640 tree/data
	chown "$(id -u):$(id -g)" tree/data
	tar -C tree --owner=0 --group=0 -cf root.tar .
	zstd -q root.tar -o root.tar.zst
	gzip -k root.tar
	local root what
	for root in tree root.tar root.tar.zst root.tar.gz; do
		expect 0 ttrec run --root "$root" -o "$(basename "$root").trace" "$kernel" mem=64M
		tr -d '\r' <out | sed -n '/^content/,/ 0:0 /p' | grep -v '^\[' >said
		printf '%s\n' content content more '2 0:0 640' | diff - said
	done
	[[ $(cat tree/data) == content && ! -e tree/new && ! -e tree/bin/ls ]] || fail "the directory was changed"
	for what in '"./tree"' '{share: ./tree}' '{tar: ./root.tar}' ./root.tar.gz; do
		place_files
		echo "guests: [{name: n1, kernel: ./linux, memory: 64M, root: $what}]" >lab.yaml
		expect 0 record_lab
		console 0 t.zst | grep -qx '2 0:0 640' || fail "$what: $(console 0 t.zst)"
	done
	# Recorded twice they are equal; a replay needs none of it.
	expect 0 ttrec run -q --root tree -o again.trace "$kernel" mem=64M
	same_history tree.trace again.trace
	expect 0 ttrec run -q --rerecord tree.trace
	says err 're-recorded: agrees with tree.trace to the end'
	expect 0 ttrec run -q --rerecord root.tar.trace -o a.zst
	says err 're-recorded: agrees with root.tar.trace to the end'
	rm -r tree root.tar*.gz root.tar root.tar.zst
	replays_identical tree.trace
	replays_identical root.tar.trace
}

# An image is a disk; the type of its file system follows from its superblock.
image() {
	need_kernel distro
	tree 'cat /data; grep -o " / [a-z0-9]*" /proc/mounts; echo more >>/data; sync'
	echo content >tree/data
	truncate -s 64M root.img
	mkfs.ext4 -q -d tree root.img
	local before
	before=$(md5sum <root.img)
	expect 0 ttrec run --root root.img -o t.zst "$kernel" mem=128M quiet
	says out '^ / ext4'
	[[ $(md5sum <root.img) == "$before" ]] || fail "the image was changed"
	expect 0 ttrec run -q --rerecord t.zst
	says err 're-recorded: agrees with t.zst to the end'
	printf x | dd of=root.img bs=1 seek=40000000 conv=notrunc status=none
	expect 4 ttrec run -q --rerecord t.zst
	says err 'root.img of n1 has changed since it was recorded'
	# In the trace it need not be there.
	expect 0 ttrec run -q --root root.img --embed-disks -o t.zst "$kernel" mem=128M
	rm root.img
	expect 0 ttrec run -q --rerecord t.zst
	says err 're-recorded: agrees with t.zst to the end'
	replays_identical t.zst
}

odd_archive() {
	tree 'stat -c "%n %F %a %u %g %s %t:%T %h %Y" first second null dir dir/kept; readlink out; ls -d latin* uml*; grep -c . sbin/init' \
		'cat first; echo 5678 >second; cat first'
	python3 "$source_dir/tests/system/bad_tars.py"
	expect 0 ttrec run --root odd.tar -o t.zst "$kernel" mem=64M
	says out '^first regular file 4751 1234 5678 4 0:0 2 86400'
	says out '^second regular file 4751 1234 5678 4 0:0 2 86400'
	says out '^null character special file 666 0 0 0 1:3 1 '
	says out '^dir directory 700 0 0 '
	says out '^dir/kept regular file 644 .* 4 0:0 1 '
	says out '^/../../../etc/passwd'
	says out "$(printf 'latin-.*')"
	says out '^12345678'
	replays_identical t.zst
}

# refused FILE TEXT: before anything is started.
refused() {
	expect "${3:-4}" ttrec run -o t.zst --root "$1" "$kernel"
	says err "$2"
	says err '^  hint: .'
	empty out
	[[ ! -e t.zst ]] || fail "it wrote a trace"
}

bad_archives() {
	tree true
	python3 "$source_dir/tests/system/bad_tars.py"
	refused dotdot.tar "'a/../../etc/passwd' leads out of it"
	refused hard.tar "'x' is a hard link to something that is not a file of it"
	refused climb.tar "leads out of it"
	refused through.tar "'d/x' leads through what is not a directory"
	refused file.tar "'f/x' leads through what is not a directory"
	refused full.tar "'d' replaces a directory that is not empty"
	refused long.tar "has a part of more than 255 bytes"
	refused short.tar 'cannot read the archive .*: Truncated'
	refused size.tar 'cannot read the archive .*: '
}

no_root() {
	refused nowhere 'cannot use nowhere as the root of guest n1: No such file' 2
	head -c 1M /dev/urandom >noise
	refused noise 'as the root of guest n1: it is not known what it is'
	truncate -s 1M partitioned
	printf '\x55\xaa' | dd of=partitioned bs=1 seek=510 conv=notrunc status=none
	refused partitioned 'it is a disk with partitions'
	mkfifo fifo
	refused fifo 'neither a directory nor a regular file'
	: >empty
	refused empty 'it is not known what it is'
	mkdir dir
	expect 2 ttrec run --root dir ./program
	says err './program is no User-Mode-Linux kernel'
	says err 'hint: .*--append init=/PATH'
	expect 2 ttrec run --root dir -f lab.yaml
	expect 2 ttrec run --root dir --rerecord t.zst
	place_files
	echo "guests: [{name: n1, kernel: ./linux, root: {share: ./dir, tar: x}}]" >lab.yaml
	expect 2 ttrec run -f lab.yaml
	says err 'lab.yaml:1:.*give|a root is one of several things'
	echo "guests: [{name: n1, kernel: ./linux, root: ./dir, devices: [{share: ./dir, tag: root}]}]" >lab.yaml
	expect 2 ttrec run -f lab.yaml
	says err "the tag 'root' of guest n1 is that of its root"
}

old_kernel() {
	need_kernel 5.10
	mkdir dir
	expect 4 ttrec run --root dir "$kernel"
	says err 'cannot mount one as root: Linux 5.15 is the first that can'
	says err 'hint: '
}

# What runs without a kernel of the user's, and what its init gets.
chosen_kernel() {
	tree 'echo "init got $*"'
	TTREC_KERNEL=$kernel expect 0 ttrec run -o t.zst --root tree -- one two
	says out '^init got .*one two'
	TTREC_KERNEL=$kernel expect 0 ttrec run -o t.zst --root tree --memory 96M --append init=/sbin/init -- three
	says out '^init got .*three'
	TTREC_KERNEL=$PWD/nowhere expect 2 ttrec run -o t.zst --root tree
	says err 'nowhere: No such file'
	mkdir elsewhere && cd elsewhere
	TTREC_KERNEL=$kernel expect 0 ttrec run -q -o t.zst --root ../tree
	cd ..
	expect 0 ttrec run -q --rerecord elsewhere/t.zst
	says err 'agrees with elsewhere/t.zst to the end'
}

# Debian as debootstrap installs it, as a directory and an archive; debian.sh has images.
debian() {
	local image root
	need_kernel distro
	image=$("$source_dir/kernel/uml/make-debian-image.sh" --print-path 2>/dev/null) ||
		skip "NO DEBIAN IMAGE: make one: kernel/uml/make-debian-image.sh"
	((EUID == 0)) || skip "owners of files need root to extract the image"
	mkdir debian
	debugfs -R "rdump / $PWD/debian" "$image" 2>log
	printf '%s\n' '#!/bin/sh' 'systemctl --failed --no-legend --plain' 'echo "ok 1 - $(stat -c %U:%a /etc/shadow)"' \
		>debian/root/check
	chmod 755 debian/root/check
	tar -C debian --numeric-owner -cf debian.tar .
	for root in debian debian.tar; do
		TTREC_KERNEL=$kernel expect 0 ttrec run --root $root -o $root.zst --expect '^.*ok 1 - root:640' \
			--append quiet --append systemd.run=/root/check
		never_says out 'loaded failed'
	done
	TTREC_KERNEL=$kernel expect 0 ttrec run -q --root debian -o again.zst --append quiet --append systemd.run=/root/check
	same_history debian.zst again.zst
	rm -r debian debian.tar
	for root in debian debian.tar; do
		replays_identical $root.zst
	done
}

case ${1-} in
debian) proves "Debian boots from a directory and an archive" debian ;;
*)
	proves "a directory and an archive, as --root and in a lab file" one_tree
	proves "an image" image
	proves "an archive with what is allowed" odd_archive
	proves "archives that are not used" bad_archives
	proves "what can be no root is named" no_root
	proves "a kernel that cannot mount it is named" old_kernel
	proves "the kernel is found, and init gets its arguments" chosen_kernel
	;;
esac
finish
