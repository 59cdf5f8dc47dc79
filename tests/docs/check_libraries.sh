#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The installed libraries as somebody else's program uses them: found by pkg-config and CMake wherever the
# tree was moved to, the examples of the manuals compile and run, every function is exported and documented, and
# the binary interface is the recorded one (tests/abi; with --update: record it).
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
. "$(dirname "$0")/../system/lib.sh"

build=$(readlink -f "$bin/..")
abi=$source_dir/tests/abi
export PKG_CONFIG_PATH

# library_of NAME: the file that programs are linked with.
library_of() {
	echo "$LD_LIBRARY_PATH/lib$1.so"
}

header_of() {
	case $1 in
	tttrace) echo "$source_dir/format/tttrace.h" ;;
	ttparticipant) echo "$source_dir/kernel/participant/participant.h" ;;
	esac
}

# Installed under one prefix, then moved to another.
install_tree() {
	cmake --install "$build" --prefix "$work/first" >"$work/install.log" 2>&1 ||
		fail "cmake --install: $(tail -n 3 "$work/install.log")"
	mv "$work/first" "$work/tree"
	PKG_CONFIG_PATH=$(dirname "$(find "$work/tree" -name tttrace.pc)")
	export LD_LIBRARY_PATH
	LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
}

# example LIBRARY NUMBER: of its manual.
example() {
	awk -v wanted="$2" '/^\.EE/ { on = 0 } on { print } /^\.EX/ { on = ++count == wanted }' \
		"$source_dir/docs/$1.3" | sed 's/\\e/\\/g; s/\\-/-/g'
}

compile() {
	local library=$1 name=$2 flags
	flags=$(pkg-config --cflags --libs "$library") || fail "pkg-config does not find $library"
	[[ $flags == *"$work/tree"* ]] || fail "pkg-config leads elsewhere: $flags"
	# shellcheck disable=SC2086 # a list of words
	cc -Wall -Wextra -Werror "$name.c" -o "$name" $flags
}

trace_examples() {
	example tttrace 1 >read.c
	example tttrace 2 >write.c
	compile tttrace read
	compile tttrace write
	expect 0 ./write t.zst
	expect 0 ttdump verify t.zst
	expect 0 ./read t.zst
	printf '0 0 START\n1000 0 WAIT\n' | diff -u - out
	head -c 100 t.zst >short.zst
	expect 1 ./read short.zst
	says err 'short.zst: '
	expect 1 ./read missing.zst
	says err 'No such file'
	expect 1 ./write /nowhere/t.zst
	says err 'No such file'
}

participant_example() {
	example ttparticipant 1 >tick.c
	compile ttparticipant tick
	ttrec serve -q --socket clock.sock --clients 1 -o t.zst &
	wait_for 20 test -S clock.sock
	expect 0 ./tick 7:clock.sock
	seq 10000000 10000000 100000000 | diff -u - out
	wait $!
	expect 0 ttdump verify t.zst
	expect 1 ./tick 7:missing.sock
	says err 'failed to connect'
}

cmake_package() {
	example tttrace 1 >read.c
	cat >CMakeLists.txt <<-'END'
		cmake_minimum_required(VERSION 3.25)
		project(example LANGUAGES C)
		find_package(tttrace 0.1 REQUIRED)
		add_executable(read read.c)
		target_link_libraries(read PRIVATE tttrace::tttrace)
	END
	cmake -S . -B made -D CMAKE_PREFIX_PATH="$work/tree" >log 2>&1 && cmake --build made >>log 2>&1 ||
		fail "$(tail -n 5 log)"
	expect 2 made/read
}

# functions LIBRARY: those of the header.
functions() {
	cc -E -P -I "$source_dir" "$(header_of "$1")" | tr '\n' ' ' |
		grep -oE 'visibility\("default"\)\)\)[^;]*;' | grep -oE '\b(trace|participant)_[a-z0-9_]+\(' |
		tr -d '(' | sort -u
}

exports_what_is_declared() {
	functions "$1" >declared
	at_least "$(wc -l <declared)" 20 "functions"
	nm -D --defined-only "$(library_of "$1")" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' |
		sort >exported
	diff -u declared exported
}

manual_names_every_function() {
	functions "$1" >declared
	sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/p' "$source_dir/docs/$1.3" |
		grep -oE '\b(trace|participant)_[a-z0-9_]+\(' | tr -d '(' | sort -u | diff -u declared -
}

version_of_header() {
	cat >version.c <<-'END'
		#include <stdio.h>
		#include <tttrace.h>
		#include <ttparticipant.h>
		int main(void)
		{
			return trace_version_number() != TTTRACE_VERSION_NUMBER ||
			       participant_version_number() != TTPARTICIPANT_VERSION_NUMBER;
		}
	END
	# shellcheck disable=SC2046 # a list of words
	cc version.c -o version $(pkg-config --cflags --libs tttrace ttparticipant)
	expect 0 ./version
	expect 0 pkg-config --atleast-version=0.1 tttrace ttparticipant
}

cplusplus() {
	command -v c++ >/dev/null || skip "no C++ compiler here"
	printf '#include <tttrace.h>\n#include <ttparticipant.h>\n' >both.cpp
	# shellcheck disable=SC2046 # a list of words
	c++ -fsyntax-only -Wall -Werror both.cpp $(pkg-config --cflags tttrace ttparticipant)
}

# The types that its functions use, and the functions.
describe() {
	abidw --drop-private-types --no-corpus-path --no-comp-dir-path --no-show-locs --header-file "$(header_of "$1")" "$(library_of "$1")" |
		sed "s|$source_dir/||g"
}

same_abi() {
	command -v abidiff >/dev/null || skip "needs abigail-tools"
	abidiff --drop-private-types --header-file2 "$(header_of "$1")" "$abi/$1.abi" "$(library_of "$1")" ||
		fail "the interface has changed: raise the version if it must, and record it with $0 --update"
}

install_tree
if [[ ${1-} == --update ]]; then
	mkdir -p "$abi"
	for library in tttrace ttparticipant; do
		describe "$library" >"$abi/$library.abi"
	done
	exit
fi
proves "the examples of tttrace(3) write and read traces" trace_examples
proves "the example of ttparticipant(3) takes part in a simulation" participant_example
proves "CMake finds tttrace" cmake_package
proves "both libraries have the version of their headers" version_of_header
proves "a C++ program can include both headers" cplusplus
for library in tttrace ttparticipant; do
	proves "$library exports what its header declares, nothing else" exports_what_is_declared "$library"
	proves "$library(3) names every function" manual_names_every_function "$library"
	proves "$library has the recorded binary interface" same_abi "$library"
done
finish
