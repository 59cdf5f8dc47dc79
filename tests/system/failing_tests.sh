#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A failing test is red, however it fails and however it is started; what no guest can run is refused by name.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_kernel 6.12
export TTREC_KERNEL=$kernel
make=$source_dir/kernel/uml/make-initramfs.sh

# build NAME SOURCE [OPTION]...: a static program unless an option says otherwise.
build() {
	local -a options=("${@:3}")
	((${#options[@]})) || options=(-static)
	gcc -O1 -w -o "$1" -x c - "${options[@]}" <<<"$2"
}

# script NAME LINE...
script() {
	printf '%s\n' "${@:2}" >"$1"
	chmod +x "$1"
}

build_failing() {
	build segv 'int main(void) { *(volatile int *)0 = 1; return 0; }'
	build abrt '#include <stdlib.h>
		int main(void) { abort(); }'
	build three 'int main(void) { return 3; }'
	build dynamic 'int main(void) { return 3; }' -Wall
	build fine 'int main(void) { return 0; }' -Wall
}

# packed PROGRAM [ARGUMENT]...: recorded from an initramfs of its own, as /test.
packed() {
	"$make" -o "$1.gz" -a "$1:/test" -- "${@:2}"
	ttrec run -q --keep on-failure -o t.zst "$kernel" mem=64M initrd="$1.gz"
}

# run [OPTION]... PROGRAM [ARGUMENT]...
run() {
	ttrec run --keep on-failure -o t.zst "$@"
}

# reason CODE [REGEX]: why it failed; the trace was kept, and replays.
reason() {
	says err '^FAILED: '
	failed_by "$@"
	whole t.zst
	replays_identical t.zst
	rm t.zst
}

passed() {
	says err '^recorded: '
	[[ ! -e t.zst ]] || fail "the trace of a run that passed was kept"
}

# ---- /test in an initramfs --------------------------------------------------------------------------

init_reports() {
	build_failing
	expect 1 packed three
	reason console-line 'not ok - /test: exit status 3'
	expect 1 packed dynamic
	reason console-line 'not ok - /test: exit status 3'
	expect 1 packed abrt
	reason console-line 'not ok - /test: killed by signal 6 \(SIGABRT\)'
	expect 1 packed segv
	reason console-line 'segfault at 0 '
	expect 0 packed fine
	passed
	script args '#!/bin/sh' '[ "$1 $2" = "one two words" ]'
	expect 0 packed args one 'two words'
	passed
	expect 1 packed args one
	reason console-line 'not ok - /test: exit status 1'
}

# A line of its own, whatever the program printed last; and no test beside the program's own.
own_tests() {
	script own '#!/bin/sh' 'echo 1..2' 'echo ok 1 - a' 'echo not ok 2 - b' 'printf unfinished' 'exit 1'
	expect 1 run --junit junit.xml ./own
	says out '^unfinished'
	reason program-status './own .* 1; .*not ok 2 - b'
	[[ $(grep -c '<testcase' junit.xml) == 2 ]] || fail "cases: $(grep '<testcase' junit.xml)"
	script quiet '#!/bin/sh' 'printf unfinished' 'exit 1'
	expect 1 run -q --junit junit.xml ./quiet
	reason program-status './quiet .* 1; .*unfinished'
	[[ $(grep -c '<testcase' junit.xml) == 1 ]] || fail "cases: $(grep '<testcase' junit.xml)"
	grep -A3 'name="run"' junit.xml | grep -q 'type="program-status"'
	expect 1 packed quiet
	reason console-line 'not ok - /test: exit status 1'
}

# ---- ttrec run PROGRAM ----------------------------------------------------------------------------------

program_decides() {
	build_failing
	expect 1 run -q ./three
	reason program-status './three .* 3'
	expect 1 run -q ./dynamic
	reason program-status './dynamic .* 3'
	expect 1 run -q ./abrt
	reason program-signal './abrt .*SIGABRT'
	expect 1 run -q ./segv
	reason program-signal './segv .*SIGSEGV; .*segfault at 0 '
	expect 0 run ./fine
	passed
	says out '^ok - /work/fine: exit status 0'
	# What --fail-on replaces is what consoles say.
	expect 1 run -q --fail-on never ./three
	reason program-status './three .* 3'
}

in_json() {
	build_failing
	expect 1 run --json ./segv
	python3 - <<-'END'
		import json
		result = json.load(open("out"))
		assert result["program"] == {"name": "./segv", "ended": True, "status": 0, "signal": 11, "trouble": ""}, result
		assert result["code"] == "program-signal" and "SIGSEGV" in result["reason"], result
		assert [f["code"] for f in result["findings"] if f["severity"] == "failure"] == ["program-signal"], result
	END
	expect 0 run --json ./fine
	python3 - <<-'END'
		import json
		result = json.load(open("out"))
		assert result["program"]["ended"] and not result["program"]["status"], result
		assert result["warnings"] == {"count": 0}, result
		assert result["code"] is None and result["findings"] == [], result
	END
	expect 0 ttrec run --json -o none "$kernel" mem=32M initrd="$initrd" do=off
	python3 -c 'import json; assert json.load(open("out"))["program"] is None'
}

# The last word is the init's: no line of the program's own makes it pass.
no_forged_pass() {
	script liar '#!/bin/sh' 'echo ok - /work/liar: exit status 0' 'exit 7'
	expect 1 run -q ./liar
	reason program-status './liar .* 7'
	script off '#!/bin/sh' 'poweroff -f' 'sleep 1'
	expect 1 run -q ./off
	reason program-unfinished ./off
	script hangs '#!/bin/sh' 'echo ok - /work/hangs: exit status 0' 'sleep 100000'
	expect 1 run -q --limit-virtual 10s ./hangs
	reason limit-virtual '10\.0* s'
	# A child that is left prints nothing behind the report.
	script left '#!/bin/sh' '(sleep 1; echo ok - /work/left: exit status 0) &' 'exit 2'
	expect 1 run -q ./left
	reason program-status './left .* 2'
}

surroundings() {
	local source='
		#include <stdio.h>
		#include <stdlib.h>
		#include <unistd.h>
		extern char **environ;
		int main(int count, char **argument)
		{
			char text[64];

			for (int i = 0; i < count; i++)
				printf("argument %d: %s\n", i, argument[i]);
			for (char **each = environ; *each; each++)
				printf("variable: %s\n", *each);
			printf("in %s, user %d, terminal %d, input %d\n", getcwd(text, sizeof(text)), getuid(),
			       isatty(STDOUT_FILENO), (int)read(STDIN_FILENO, text, 1));
			fflush(stdout);
			return system("ls -d /tmp /dev/shm /dev/pts/ptmx /proc/self /sys/kernel && nslookup localhost 127.0.0.1; ip -o addr | grep -q 127.0.0.1");
		}'
	build show "$source" -Wall
	expect 0 run ./show --seed -q 'two words' 'mem=1M' '"' '--'
	tr -d '\r' <out >console
	says console '^argument 0: /work/show$'
	says console '^argument 1: --seed$'
	says console '^argument 2: -q$'
	says console '^argument 3: two words$'
	says console '^argument 4: mem=1M$'
	says console '^argument 5: "$'
	says console '^argument 6: --$'
	says console '^variable: PATH=/usr/local/sbin:'
	says console '^variable: HOME=/root$'
	says console '^variable: LD_BIND_NOW=1$'
	never_says console "^variable: (USER|TTREC|PWD|mem)"
	says console '^in /work, user 0, terminal 1, input 0$'
}

files() {
	mkdir data tree
	echo hello >data/greeting
	script all '#!/bin/bash' '[[ $(<data/greeting) == hello && $(</etc/own) == hello ]] && cmp data/greeting "$0.txt"'
	cp data/greeting all.txt
	expect 0 run --add /bin/bash --add data --add ./all.txt --add data/greeting:/etc/own ./all
	passed
	script tree/run '#!/bin/sh' 'exit 4'
	script tree/init '#!/bin/sh' 'exit 5'
	expect 1 run -q tree
	reason program-status 'tree .* 4'
	script tree/test '#!/bin/sh' '[ -x init ] && exit 6'
	expect 1 run -q tree
	reason program-status 'tree .* 6'
	expect 1 run -q tree/init
	reason program-status 'tree/init .* 5'
}

libraries() {
	mkdir lib
	build lib/libown.so 'int own(void) { return 9; }' -shared -fPIC
	build by_path 'int own(void); int main(void) { return own(); }' -Llib -lown -Wl,-rpath,'$ORIGIN/lib'
	build by_name 'int own(void); int main(void) { return own(); }' -Llib -lown
	build opens '#include <dlfcn.h>
		int main(void) { return !dlopen("libgcc_s.so.1", RTLD_NOW) || !dlopen("libnss_files.so.2", RTLD_NOW); }' -Wall
	expect 1 run -q ./by_path
	reason program-status './by_path .* 9'
	expect 4 run -q ./by_name
	says err 'libraries of .*by_name are missing on this machine: libown.so'
	says err '  hint: .*LD_LIBRARY_PATH'
	expect 1 env LD_LIBRARY_PATH=lib "$bin/ttrec" run -q -o t.zst ./by_name
	reason program-status './by_name .* 9'
	expect 0 run ./opens
	passed
}

memory() {
	build_failing
	expect 0 ttrec run -q -o t.zst ./fine
	ttdump show t.zst >shown
	says shown 'mem=131072K'
	expect 0 ttrec run -q -o t.zst --memory 64M ./fine
	ttdump show t.zst >shown
	says shown 'mem=65536K'
	head -c 40M /dev/zero >large
	expect 0 ttrec run -q -o t.zst --add large ./fine
	ttdump show t.zst >shown
	says shown 'mem=262144K'
	expect 4 run --memory 64M --add large ./fine
	says err 'is too little for a guest with files of 4[0-9.]+ MiB'
	"$make" -o large.cpio -a fine:/test -a large:/large
	expect 4 ttrec run -q -o t.zst "$kernel" mem=72M initrd=large.cpio
	says err 'give the guest three times the unpacked size'
}

rerecord() {
	script fails '#!/bin/sh' 'echo one' 'exit 1'
	script fixed '#!/bin/sh' 'echo two'
	expect 1 ttrec run -q -o t.zst ./fails
	expect 1 ttrec run -q --rerecord t.zst
	failed_by program-status './fails .* 1'
	says err 're-recorded: agrees with t.zst to the end'
	expect 0 ttrec run -q --rerecord t.zst ./fixed
	says err 'memory: not compared: another initrd'
	ttdump extract -o recorded.cpio t.zst initrd
	expect 1 ttreplay --initrd recorded.cpio --continue-live t.zst
	says err 'ended with status 1'
	expect 2 ttrec run --rerecord t.zst --memory 64M ./fixed
	expect 2 ttrec run --rerecord t.zst "$kernel"
	says err 'takes kernels and lab from the trace'
}

equal_bytes() {
	build_failing
	local name
	for name in one two; do
		expect 0 ttrec run -q -o "$name.zst" ./fine x
		"$make" -o "$name.gz" -a fine:/test -- x
	done
	cmp one.gz two.gz
	expect 0 ttdump diff one.zst two.zst
}

# What a directory holds is in the archive, whatever it is called.
trees() {
	mkdir -p "tree/sub dir " unpacked
	echo text >"tree/sub dir /a b"
	ln -s "sub dir " tree/link
	printf 'x\n' >$'tree/new\nline'
	: >tree/empty
	build tree/program 'int main(void) { return 0; }' -Wall
	mkfifo tree/pipe
	expect 0 "$make" -o t.cpio -a tree:/opt/tree -r /opt/tree/program
	says err 'tree/pipe is skipped'
	(cd unpacked && cpio -idm <../t.cpio 2>/dev/null)
	rm tree/pipe
	diff -r --no-dereference tree unpacked/opt/tree
	[[ -x unpacked/opt/tree/program && -e unpacked/lib64/ld-linux-x86-64.so.2 ]]
}

# ---- What cannot run ------------------------------------------------------------------------------------

# refused REGEX ARGUMENT...: by both, before anything starts.
refused() {
	expect 4 run -q "${@:2}"
	says err "$1"
	says err '^  hint: '
	empty out
	[[ ! -e t.zst ]] || fail "a trace was left behind"
	expect 1 "$make" -o t.gz -a "${*: -1}:/test"
	says err "$1"
	says err '^  hint: '
	[[ ! -e t.gz ]] || fail "an archive was left behind"
}

cannot_run() {
	build_failing
	cp fine arm
	printf '\xb7\x00' | dd of=arm bs=1 seek=18 conv=notrunc status=none
	refused 'arm is built for another architecture: AArch64' ./arm
	head -c 9000 three >cut
	chmod +x cut
	refused 'cut is a damaged program' ./cut
	script bash '#!/bin/bash' true
	refused 'the interpreter /bin/bash of the script .*bash is not in the image' ./bash
	script env '#!/usr/bin/env perl' true
	refused 'the interpreter perl of the script .*env is not in the image' ./env
	script nowhere '#!/no/such/interpreter -x' true
	refused 'the interpreter /no/such/interpreter of the script .*nowhere is not in the image' ./nowhere
	script plain '#!/bin/sh' true
	chmod -x plain
	refused 'the program to run, .*plain, has no execute permission' ./plain
	chmod -x three
	refused 'the program to run, .*three, has no execute permission' ./three
	mkdir directory
	expect 4 run directory
	says err 'the directory directory has no program test, run or init'
	expect 2 run ./missing
	says err 'cannot read ./missing: No such file'
	expect 2 run --add missing ./fine
	says err 'cannot read the file missing'
	: >../elsewhere
	expect 2 run --add ../elsewhere ./fine
	says err 'not below the program.s working directory'
	expect 2 run --memory much ./fine
	expect 2 run --memory 64M "$kernel" mem=32M
	says err '^ttrec: --add, --append and --memory require'
	expect 2 run --add arm "$kernel" mem=32M
}

# A program whose loader refuses the processor of the guest patches gets the host's.
needs_avx() {
	grep -qw avx2 /proc/cpuinfo || skip "needs a processor with AVX2"
	ttrec doctor | grep -q 'cpuid: can fault' || skip "CPUID cannot fault here"
	echo 'int main(void) { return 0; }' >t.c
	gcc -march=x86-64-v3 -mneeded -o v3 t.c
	expect 1 run ./v3
	says err 'CPU ISA level is lower than required'
	expect 0 run --keep always --append um_cpuid=host ./v3
	replays_identical t.zst
	expect 2 run --append quiet "$kernel" mem=32M
	says err '^ttrec: --add, --append and --memory require'
}

no_kernel() {
	build_failing
	expect 4 env -u TTREC_KERNEL XDG_CACHE_HOME="$PWD/none" "$bin/ttrec" run -q ./fine
	says err 'no User-Mode-Linux kernel found to run ./fine on'
	says err 'hint: build one, .*/build-uml.sh'
	expect 0 env -u TTREC_KERNEL "$bin/ttrec" run -q -o none --kernel "$kernel" ./fine
	expect 4 env TTREC_KERNEL=/bin/true "$bin/ttrec" run -q ./fine
	says err '/bin/true is a program, but not a User-Mode-Linux kernel'
}

# ---- What consoles say --------------------------------------------------------------------------------------

warnings() {
	script warns '#!/bin/sh' 'echo "WARNING: CPU: 0 PID: 1 at kernel/x.c:12"' 'echo "Call Trace:"' 'echo "WARNING: at y"'
	expect 0 run --ci github --junit junit.xml -q ./warns
	says err '^  warnings: 2, the first at t=[0-9.]+ s, console output: WARNING: CPU: 0 PID: 1 at kernel/x\.c:12 \[console-warning\]$'
	says err '^::warning title=ttrec run%2C warnings::2, the first at'
	says junit.xml '<property name="warnings" value="2, the first at'
	expect 0 run --ci gitlab -q ./warns
	says err 'warnings:.* 2, the first at'
	expect 0 run --json ./warns
	python3 - <<-'END'
		import json
		warnings = json.load(open("out"))["warnings"]
		assert warnings["count"] == 2 and warnings["guest"] == "n1" and warnings["now_ns"] > 0, warnings
		assert warnings["first"] == "WARNING: CPU: 0 PID: 1 at kernel/x.c:12", warnings
	END
	expect 1 run -q --fail-on default --fail-on WARNING: ./warns
	reason console-line 'WARNING: CPU: 0'
	expect 0 run -q --allow-line WARNING: ./warns
	never_says err 'warnings:'
}

crash_of_another() {
	build_failing
	script child '#!/bin/sh' './segv' 'exit 0'
	expect 1 run -q --add segv ./child
	reason console-line 'segv\[[0-9]+\]: segfault at 0 '
	expect 0 run -q --add segv --allow-line '^segv.*segfault at' ./child
	passed
}

# It is found beside the commands where they are installed, too.
installed() {
	build_failing
	local build=$bin/..
	[[ -e $build/CMakeCache.txt ]] || skip "the commands are in no build tree"
	DESTDIR=$PWD/root cmake --install "$build" >install.log
	local ttrec
	ttrec=$(find root -path '*/bin/ttrec')
	find root -name program-init | grep -q libexec
	expect 1 "$ttrec" run -q -o t.zst ./dynamic
	reason program-status './dynamic .* 3'
}

proves "/test: crash, abort, exit status, dynamic program: each is red, its trace kept" init_reports
proves "the report has a line of its own and is not counted as a test of the program" own_tests
proves "ttrec run PROGRAM: exit status and signal decide" program_decides
proves "they are in the JSON report" in_json
proves "a program cannot print that it passed" no_forged_pass
proves "arguments, environment, directory and files are as the manual says" surroundings
proves "files are added, directories are run" files
proves "libraries are packed, found anywhere, and missed" libraries
proves "memory fits the files, or is refused" memory
proves "it is recorded again, with another program too" rerecord
proves "equal programs are packed into equal bytes and make equal traces" equal_bytes
proves "a directory is packed with all that is in it" trees
proves "what no guest can run is refused by name, with a hint" cannot_run
proves "a program that needs AVX says so, and gets it with --append um_cpuid=host" needs_avx
proves "without a kernel it is said how to build one" no_kernel
proves "warnings are told and change no exit status" warnings
proves "the crash of another program fails the run, unless it is allowed" crash_of_another
proves "it works where it is installed" installed
finish
