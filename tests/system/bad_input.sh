#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What cannot work is refused in words: what, why, and what to do.
. "$(dirname "$0")/lib.sh"

need_kernel 6.12

# refused STATUS REGEX COMMAND...: that status, these words, an advice, and nothing left behind.
refused() {
	local status=$1 reason=$2
	shift 2
	expect "$status" "$@"
	empty out
	says err "^(ttrec|ttreplay): .*($reason)"
	says err '^  hint: '
	[[ ! -e t.zst ]] || fail "a trace was left behind"
}

boot() {
	ttrec run -q -o t.zst "$@" mem=32M initrd="$initrd" do=off
}

# ---- Kernels -------------------------------------------------------------------------------------------

no_kernel() {
	refused 2 'nowhere: No such file' boot ./nowhere
	refused 4 'the directory / has no program' boot /
	echo "just a text" >text
	chmod +x text
	refused 4 'text is not a User-Mode-Linux binary' boot ./text
	: >empty
	chmod +x empty
	refused 4 'empty is not a User-Mode-Linux binary' boot ./empty
	refused 4 '/bin/true is a program, but not a User-Mode-Linux kernel' boot --kernel /bin/true /bin/true
}

no_time_travel() {
	sed 's/time-travel=ext:/time-travel=xyz:/g' "$kernel" >linux
	chmod +x linux
	refused 4 'linux is User-Mode Linux without external time travel' boot ./linux
	says err 'UML_TIME_TRAVEL_SUPPORT'
}

not_executable() {
	cp "$kernel" linux
	chmod -x linux
	refused 4 'linux has no execute permission' boot ./linux
	says err 'chmod \+x'
}

other_architecture() {
	cp "$kernel" linux
	printf '\xb7\x00' | dd of=linux bs=1 seek=18 conv=notrunc status=none
	refused 4 'linux is built for another architecture' boot ./linux
}

damaged_kernel() {
	local size
	# Cut, or overwritten: said to be damaged, or seen to fail; never a crash of ours.
	for size in 10 64 100 1000 100000; do
		head -c "$size" "$kernel" >linux
		chmod +x linux
		refused 4 'linux' boot ./linux
	done
	cp "$kernel" linux
	noise 1 4000 | dd of=linux bs=1 seek=32 conv=notrunc status=none
	boot ./linux >out 2>err && fail "a kernel without program headers was recorded"
	(($? == 4)) || fail "status"
}

# ---- Arguments --------------------------------------------------------------------------------------------

no_initrd() {
	refused 2 'cannot read the initrd ./nowhere: No such file' \
		ttrec run -q -o t.zst "$kernel" mem=32M initrd=./nowhere
	refused 2 'the initrd / is not a regular file' ttrec run -q -o t.zst "$kernel" mem=32M initrd=/
}

# Seen before anything starts, if the size of what is unpacked is known.
initrd_too_large() {
	mkdir large
	noise 1 20000000 >large/file
	(cd large && echo file | cpio --quiet -o -H newc) >large.cpio
	gzip -1 -k large.cpio
	refused 4 'n1 has 32.0 MiB of memory; its initrd takes 19.1 MiB, and 19.1 MiB more' \
		ttrec run -q -o t.zst "$kernel" mem=32M initrd=large.cpio.gz
	says err 'mem='
	# Nobody says how large this becomes: the guest itself does.
	cat "$initrd" large.cpio | zstd -q -1 >large.zst
	expect 1 ttrec run -q -o t.zst "$kernel" mem=42M initrd=large.zst do=off
	failed_by console-line
	says err 'hint: the guest has too little memory'
}

# What its kernel said last, and what usually helps.
cannot_start() {
	expect 1 ttrec run -q -o t.zst "$kernel" mem=32M
	failed_by console-line 'Kernel panic .*Unable to mount root fs'
	says err 'hint: the guest has no root file system'
	mkdir root
	printf '#!/bin/nowhere\n' >root/init
	chmod +x root/init
	(cd root && echo init | cpio --quiet -o -H newc) >script.cpio
	expect 1 ttrec run -q -o t.zst "$kernel" mem=32M initrd=script.cpio
	says err 'hint: .*the interpreter in its first line'
	expect 1 ttrec run -q --json -o t.zst "$kernel" mem=32M
	says out '"hint":"the guest has no root'
}

# Quietly, too: the line that says why is in the result; and nobody is told to replay nothing.
says_why() {
	expect 1 ttrec run -q -o t.zst "$kernel" mem=64
	failed_by guest-status ' 1 .*: Too few physical memory! Needed=[0-9]+, given=64'
	never_says err 'replay it: '
	printf '#include <stdio.h>\nint main(void) { puts("cannot open x"); return 3; }\n' >program.c
	gcc -o program program.c
	expect 1 ttrec run -q -o t.zst --kernel "$kernel" ./program
	failed_by program-status './program .* 3; .*: cannot open x'
	says err '^  replay it: '
}

# The same program is killed before its first message: nothing is there that could be identical.
ends_before_start() {
	cat >dies.c <<-'END'
		#include <signal.h>
		#include <stdio.h>
		const char *marks[] = { "Linux version 6.12.0 ()", "umid=", "time-travel=ext:" };
		int main(int count, char **argument)
		{
			puts(marks[count > 100]);
			return raise(SIGSEGV);
		}
	END
	gcc -static -o dies dies.c
	expect 1 ttrec run -q -o t.zst ./dies mem=32M
	failed_by guest-signal SIGSEGV
	never_says err 'replay it'
	nothing_compared 'the recording ended before its first message, .* signal 11'
	expect 4 ttreplay --report report t.zst
	says report.json '"verdict": "not replayed"'
	says report.md 'nothing to compare for n1'
	expect 4 ttreplay --junit junit.xml t.zst
	says junit.xml 'errors="1"'
	says junit.xml 'not replayed: nothing to compare for n1'
	# Of two, one has been compared, and nothing of the other.
	cat >lab.yaml <<-END
		guests:
		- name: dies
		  kernel: ./dies
		  memory: 32M
		- name: lives
		  kernel: $kernel
		  initrd: $initrd
		  memory: 32M
		  append: do=off
	END
	expect 1 ttrec run -q -o t.zst -f lab.yaml
	expect 4 ttreplay t.zst
	says out '^not replayed: dies; identical: lives; '
	nothing_compared 'the recording ended before its first message' --only dies
}

# nothing_compared WHY [OPTION]...: of t.zst; it is not called identical.
nothing_compared() {
	expect 4 ttreplay "${@:2}" t.zst
	says err "^ttreplay: nothing to compare for (n1|dies): $1"
	never_says err identical
	never_says out identical
}

# A guest that was killed by its recorder.
stops_before_start() {
	cat >waits.c <<-'END'
		#include <stdio.h>
		#include <unistd.h>
		const char *marks[] = { "Linux version 6.12.0 ()", "umid=", "time-travel=ext:" };
		int main(int count, char **argument)
		{
			puts(marks[count > 100]);
			return pause();
		}
	END
	gcc -static -o waits waits.c
	expect 1 ttrec run -q -o t.zst --limit-wall 300ms ./waits mem=32M
	nothing_compared 'the recording ended before its first message'
	expect 5 ttrec run -q -o t.zst --hang-timeout 300ms ./waits mem=32M
	nothing_compared 'the recording ended before its first message'
	expect 137 timeout -s KILL --foreground --preserve-status 1 "$bin/ttrec" run -q --no-embed -o t.zst ./waits mem=32M
	expect 3 ttreplay t.zst.part
	empty out
}

breaks_determinism() {
	local argument
	for argument in ubd0=disk ubda=disk ubd0s=disk udba=disk hostfs=/ rootfstype=hostfs vec0:transport=tap \
		eth0=tuntap,tap0 virtio_uml.device=/tmp/s:1 mconsole=notify:/tmp/m con0=tty:/dev/tty1 con=pts; do
		refused 2 "the kernel argument $argument breaks determinism: " boot "$kernel" "$argument"
		says err 'hint: use .*; .* pass --allow [a-z]+'
	done
}

# All of them are reported at once.
several() {
	refused 2 'kernel arguments are refused: ubd0=disk .*; eth0=tuntap,tap0 breaks .*; umid=mine is set by ttrec; ubd1=more ' \
		boot "$kernel" ubd0=disk quiet eth0=tuntap,tap0 umid=mine -- ubd1=more
	says err '^  hint: .*--allow ubd .*; .*--allow net .*; remove umid=mine$'
	# Allowed arguments are not reported.
	refused 2 'the kernel argument eth0=tuntap,tap0 breaks determinism' boot --allow ubd "$kernel" ubd0=disk eth0=tuntap,tap0
}

start_times() {
	refused 2 'invalid kernel argument time-travel-start=soon' boot "$kernel" time-travel-start=soon
	refused 2 'time-travel-start=5 is not the time of day of the run' boot --tod 2026-01-01T00:00:00Z "$kernel" time-travel-start=5
}

allowed() {
	expect 0 boot "--allow=ubd" "$kernel" ubd0=disk
	expect 0 ttreplay --help
	expect 4 ttreplay t.zst
	says err 'had access to files of its host'
	rm t.zst
	# Its files are the machine's, because that was asked for: no other user would change that.
	expect 0 boot "--allow=ubd" "$kernel" ubd0=disk
	says err '^ttrec: not isolated \(mount\): '
	says err 'hint: none needed if this is intended with --allow'
	rm t.zst
	refused 2 'hostfs' boot --allow ubd "$kernel" ubd0=disk hostfs=/
	says err 'hint: .*--root DIRECTORY or --share DIRECTORY'
	expect 0 boot --allow all "$kernel" ubd0=disk
	rm t.zst
	# None of our kernels has it: an error before the start, not a panic.
	refused 4 'the kernel argument hostfs=/ needs hostfs, and the kernel has none' boot --allow hostfs "$kernel" hostfs=/
	refused 4 'needs hostfs' boot --allow hostfs "$kernel" rootfstype=hostfs rootflags=/tmp rw
}

# With files of the host the guest has the number of the user who records, so that this user's files are its own.
allowed_user() {
	"$bin/ttrec" run -q -o none --allow ubd "$kernel" mem=32M initrd="$initrd" ubd0=disk 'do="spin:1000000000"' >out 2>err &
	local recorder=$! found
	guest_numbers() {
		found=$(pgrep -P "$(pgrep -P $recorder | head -1)" 2>/dev/null | head -1)
		[[ $found && $(awk '{ print $1 }' "/proc/$found/uid_map") == "$EUID" ]]
	}
	wait_for 20 guest_numbers
	kill $recorder
	wait $recorder || true
}

own_arguments() {
	refused 2 'time-travel=ext:/s is set by ttrec' boot "$kernel" time-travel=ext:/s
	refused 2 'time-travel breaks determinism: in that mode computing takes the host.s time' boot "$kernel" time-travel
	says err 'hint: .*time-travel=inf-cpu'
	refused 2 'umid=mine is set by ttrec' boot "$kernel" umid=mine
}

# An option of ttrec does nothing there: it is refused, unless it is said to be the guest's.
options_after_the_kernel() {
	local option
	for option in "--seed 9" --seed=9 "-o x.zst" -q --json "--junit x.xml" "--kernel x"; do
		# shellcheck disable=SC2086 # two words
		expect 2 boot "$kernel" mem=32M $option
		says err "'${option% *}' after the kernel .* would be passed to the guest"
		says err 'put it before the kernel or, if it is meant for the guest, put -- before'
	done
	[[ ! -e t.zst && ! -e x.zst ]] || fail "it was recorded all the same"
	expect 0 ttrec run -q -o t.zst "$kernel" mem=32M initrd="$initrd" do=off -- --seed 9
	ttdump show --json t.zst >listing
	says listing "\"text\":\"argument=--seed\""
	expect 0 ttrec run -q -o t.zst -- "$kernel" mem=32M initrd="$initrd" do=off --seed=9
	expect 0 ttrec run -o t.zst --kernel "$kernel" /bin/echo --seed -q
	says out '^--seed -q'
	expect 2 ttrec tap -q --upstream /nowhere "$kernel" --seed 9
	says err "'--seed' after the kernel"
}

# ---- Where the trace goes ------------------------------------------------------------------------------------

unwritable() {
	refused 2 'cannot write the trace ./nowhere/t.zst: No such file' \
		ttrec run -q -o ./nowhere/t.zst "$kernel" mem=32M
	refused 2 'cannot write the trace /: Is a directory' ttrec run -q -o / "$kernel" mem=32M
	says err 'give another file with -o'
	publish_commands
	mkdir locked
	chmod 555 locked
	refused 2 'cannot write the trace locked/t.zst: Permission denied' \
		as_user "$PWD/public/ttrec" run -q -o locked/t.zst "$kernel" mem=32M
}

# The guest is ended, what was written is valid, and the exit status says so.
disk_full_verdict() {
	says err '^FAILED: '
	failed_by trace-not-written "$1: [0-9.]+ (bytes|B|KiB) of [0-9.]+ [KM]iB are left on the file system at $PWD/small"
	says err 'hint: free disk space'
}

valid_so_far() {
	[[ $(fact verify "$1") == 'ends early' ]] || fail "$1: $(fact verify "$1")"
	at_least "$(fact messages "$1")" 100 "messages that were saved"
	expect 3 ttreplay "${@:2}" "$1"
	says out '^identical as far as the trace goes: '
}

# on_small_disk SIZE ARGUMENT...: ttrec run with these, the trace on a disk of that size; then in t.zst.
on_small_disk() {
	local size=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	unshare -mr bash -c 'mkdir small && mount -t tmpfs -o size="$1" small small || exit 99
		timeout 100 "${@:2}"; status=$?; cp small/t.zst . && exit $status' bash \
		"$size" "$bin/ttrec" run -q -o small/t.zst "$@"
}

disk_full() {
	unshare -mr true 2>/dev/null || skip "mount namespaces are refused here"
	expect 4 on_small_disk 160k --no-embed --digest every "$kernel" mem=32M initrd="$initrd" \
		do=random,tick:0:1000000
	disk_full_verdict 'No space left on device'
	says err '^  replay it: ttreplay --trust '
	valid_so_far t.zst --trust
}

# The kernel alone is larger: not even the files fit.
disk_full_at_once() {
	unshare -mr true 2>/dev/null || skip "mount namespaces are refused here"
	expect 4 on_small_disk 1m "$kernel" mem=32M initrd="$initrd" do=tick:0:1000000
	disk_full_verdict 'No space left on device'
	# Without its kernel it cannot be replayed, and nobody is told to try.
	never_says err 'replay it: '
	says err 'can be read, not replayed'
	expect 3 ttreplay t.zst
}

# There is no sandbox without files of that size.
file_size_limit() {
	refused 4 'File too large' timeout 100 prlimit --fsize=200000 "$bin/ttrec" run -q -o t.zst \
		"$kernel" mem=32M initrd="$initrd" do=off
}

full_device() {
	refused 4 'cannot write the trace /dev/full: No space left on device' \
		ttrec run -q -o /dev/full "$kernel" mem=32M initrd="$initrd" do=tick:0:1000000
}

# ---- Traces -------------------------------------------------------------------------------------------------

no_trace() {
	refused 2 'nowhere.zst.*No such file' ttreplay nowhere.zst
	echo "just a text" >text.zst
	refused 3 'text.zst' ttreplay text.zst
	: >empty.zst
	refused 3 'empty.zst' ttreplay empty.zst
	echo "just a text" | zstd -q >compressed.zst
	refused 3 'compressed.zst' ttreplay compressed.zst
	refused 2 'directory' ttreplay /
}

# ---- One table of exit statuses -----------------------------------------------------------------------------

# A file that is not there is the same for every command and option that reads one.
missing_files() {
	local none=./nowhere
	expect 0 boot "$kernel"
	for call in "ttrec run -q $none" "ttrec run -q $kernel initrd=$none" "ttrec run -q -f $none" \
		"ttrec run -q --rerecord $none" "ttrec run -q --rerecord t.zst --initrd $none" \
		"ttrec run -q --add $none /bin/true" "ttrec run -q --kernel $none /bin/true" \
		"ttrec run -q -o $none/t.zst $kernel" "ttrec serve --clients 1 --socket $none/s" \
		"ttrec doctor $none" "ttrec doctor --instructions $none" \
		"ttreplay $none" "ttreplay --kernel $none t.zst" "ttreplay --report $none/r.json t.zst" \
		"ttdump show $none" "ttdump stat $none" "ttdump diff t.zst $none" "ttdump verify $none" \
		"ttdump salvage $none -o s.zst" "ttdump extract $none" "ttdump export json $none" \
		"ttdump export html t.zst --report $none" "ttdump export json t.zst -o $none/t.json"; do
		# shellcheck disable=SC2086 # a command and its arguments
		expect 2 $call
		says err "^(ttrec|ttreplay|ttdump): .*nowhere"
	done
}

# What could not be printed is not passed over.
lost_output() {
	[[ -w /dev/full ]] || skip "there is no /dev/full"
	expect 0 boot "$kernel"
	for call in "ttrec --help" "ttrec run -q --json -o u.zst $kernel mem=32M initrd=$initrd do=off" \
		"ttrec run -o u.zst $kernel mem=32M initrd=$initrd do=off" "ttrec doctor" \
		"ttreplay t.zst" "ttreplay --json t.zst" "ttreplay --console t.zst" "ttdump show t.zst"; do
		status=0
		# shellcheck disable=SC2086 # a command and its arguments
		$call >/dev/full 2>err || status=$?
		((status == 4)) || fail "$call: exit status $status"
		says err 'cannot write the output: No space left on device'
	done
}

# ---- Terminals -----------------------------------------------------------------------------------------------

# on_terminal COMMAND: what a terminal gets of it, into the file typed.
on_terminal() {
	TERM=xterm script -qec "$1" script.log >/dev/null </dev/null
	sed '1d;$d' script.log >typed
}

# Nothing of it but lines, tabs, printable ASCII and what our status line does.
harmless() {
	! tr -d '\r' <"$1" | sed 's/\x1b\[K//g' | LC_ALL=C grep -nP '[^\t\x20-\x7e]' || fail "$1 commands the terminal"
}

terminals_are_safe() {
	local evil=$'a\x1b[31;8mb\x1b]0;owned\x07c\x1b[2Jd\xc2\x9b5me\xe2\x80\xaef'
	command -v script >/dev/null || skip "needs script(1)"
	on_terminal "$bin/ttrec run -o t.zst $kernel mem=32M initrd=$initrd 'do=\"say:$evil,off\"'"
	says typed 'abcd\?\?5me\?\?\?f'
	harmless typed
	on_terminal "$bin/ttreplay --console t.zst"
	says typed 'abcd\?\?5me\?\?\?f'
	harmless typed
	# Elsewhere it is what the guest printed.
	ttreplay --console t.zst >out
	grep -qF "$evil" out || fail "a file did not get what was printed"
}

# Names out of traces and command lines in what is said of them.
diagnoses_are_safe() {
	local name=$'no\xc2\x9b31m\xe2\x80\xae\nttreplay: identical'
	for call in "ttrec run -q -f" "ttreplay" "ttdump stat"; do
		# shellcheck disable=SC2086 # a command and its verb
		expect 2 $call "$name"
		says err 'no\?\?31m\?\?\?\?ttreplay: identical: No such file'
		harmless err
	done
}

proves "a terminal does not act on what a guest prints" terminals_are_safe
proves "a terminal does not act on names in diagnoses" diagnoses_are_safe
proves "a file that is not there is exit status 2 of every command" missing_files
proves "standard output that cannot be written is exit status 4" lost_output
proves "what is no kernel is refused" no_kernel
proves "UML without time travel is refused" no_time_travel
proves "a kernel without execute permission is refused" not_executable
proves "a kernel of another architecture is refused" other_architecture
proves "a damaged kernel is refused" damaged_kernel
proves "a missing initrd is refused" no_initrd
proves "an initrd that does not fit into the memory is refused, or the guest says so" initrd_too_large
proves "what helps a guest that cannot start is said" cannot_start
proves "a guest's last line is in the result" says_why
proves "a guest that never spoke has nothing to replay" ends_before_start
proves "nor one that was stopped before it spoke" stops_before_start
proves "arguments that break determinism are named, with why and what instead" breaks_determinism
proves "--allow goes on with what is named, and only that" allowed
proves "with files of the host the guest has the own user number" allowed_user
proves "arguments that ttrec gives itself are refused" own_arguments
proves "all refused arguments are named at once" several
proves "an invalid time of day, or two different ones" start_times
proves "options of ttrec behind the kernel are refused" options_after_the_kernel
proves "a trace that cannot be written is refused before anything runs" unwritable
proves "a full disk ends the recording, what was written is valid" disk_full
proves "a disk too small for the kernel ends the recording" disk_full_at_once
proves "a limit of file size too low for the sandbox is refused" file_size_limit
proves "a full device is refused" full_device
proves "what is no trace is refused" no_trace
finish
