#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What --help says and what the manual says is the same, and --help is fit to be read. The map of the
# tree names every file.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
. "$(dirname "$0")/../system/lib.sh"

docs=$source_dir/docs

# Every command with each of its verbs, as it is called for help.
calls() {
	case $1 in
	ttrec) printf 'ttrec%s\n' '' ' run' ' tap' ' serve' ' doctor' ;;
	ttdump) printf 'ttdump%s\n' '' ' show' ' stat' ' export' ' verify' ' salvage' ' extract' ;;
	*) echo "$1" ;;
	esac
}

# What argp gives every command is not listed in the manuals.
own_options() {
	grep -vxE -e '--(help|usage|version)' | sort -u
}

# help_options COMMAND: the long options that its --help lists, over all verbs.
help_options() {
	local call
	while read -r call; do
		$call --help | sed -nE 's/^ +(-., )?(--[a-z-]+).*/\2/p'
	done < <(calls "$1") | own_options
}

# manual_options COMMAND: the long options in the tags of its manual.
manual_options() {
	awk 'tag { print } { tag = /^\.TP/ }' "$docs/$1.1" | sed 's/\\-/-/g; s/\\f.//g' |
		grep -oE -e '--[a-z-]+' | own_options
}

same_options() {
	help_options "$1" >help
	manual_options "$1" >manual
	[[ -s help ]] || fail "$1 --help lists no option"
	diff -u --label "$1 --help" --label "docs/$1.1" help manual
}

every_verb_in_synopsis() {
	local call
	sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/p' "$docs/$1.1" >synopsis
	while read -r call; do
		[[ $call != "$1" || $1 == ttreplay ]] || continue
		says synopsis "^\.B $call\$"
	done < <(calls "$1")
}

help_fits() {
	local call
	while read -r call; do
		# shellcheck disable=SC2086 # a command and its verb
		expect 0 $call --help
		[[ -s out ]] || fail "$call --help says nothing"
		empty err
		! grep -E '.{81}' out || fail "a line of $call --help is longer than 80 columns"
	done < <(calls "$1")
}

every_status() {
	local call
	sed -n '/^\.SH EXIT STATUS/,/^\.SH [^E]/p' "$docs/$1.1" >section
	while read -r call; do
		$call --help
	done < <(calls "$1") | tr '\n' ' ' | grep -oE 'Exit status: [^.]*' |
		grep -oE '(^| )[0-9]+ ' | tr -d ' ' | sort -u >statuses
	[[ -s statuses ]] || fail "$1 --help says nothing about its exit status"
	while read -r status; do
		says section "^\.B $status\$"
	done <statuses
}

no_warnings() {
	command -v groff >/dev/null || skip "no groff here"
	local page
	for page in "$docs"/*.[1-8]; do
		groff -t -man -Tutf8 -ww -z "$page" 2>>warnings || fail "groff refuses $page"
	done
	empty warnings
}

# Names for --allow are what a refusal gives: the first string of each entry of the table.
allowed_names() {
	local name
	sed -n '/refused_table\[\]/,/^};/p' "$source_dir/kernel/guest_arguments.c" |
		grep -oE '\{ "[a-z]+",' | grep -oE '[a-z]+' | sort -u >names
	at_least "$(wc -l <names)" 5 "names"
	while read -r name; do
		says "$docs/ttrec.1" "^\.BR $name ,\$"
	done <names
}

# A header beside a file of its own name goes without saying.
every_file() {
	local name
	(cd "$source_dir" && find format kernel recorder replayer demo -type f \
		-name '*.[ch]' -o -name '*.sh' -o -name '*.config' -o -name '*.allow') |
		sed 's|.*/||' | sort >there
	grep -oE '[a-z0-9_-]+(\.bpf)?\.(c|h|sh|config|allow)\b' "$docs/architecture.md" | sort -u >named
	while read -r name; do
		grep -qxF -e "$name" -e "${name%.h}.c" named || fail "architecture.md does not name $name"
	done <there
	comm -13 there named | while read -r name; do
		find "$source_dir/tests" "$source_dir/demo" -name "$name" | grep -q . ||
			fail "architecture.md names $name, which is not there"
	done
}

for command in ttrec ttreplay ttdump; do
	proves "$command: every option of --help stands in the manual, and no other" same_options "$command"
	proves "$command: every verb stands in the manual's synopsis" every_verb_in_synopsis "$command"
	proves "$command: --help goes to standard output in 80 columns" help_fits "$command"
	proves "$command: every exit status of --help stands in the manual" every_status "$command"
done
proves "every argument that --allow accepts stands in the manual" allowed_names
proves "groff has nothing to say about the manuals" no_warnings
proves "docs/architecture.md names every source file, and none that is not there" every_file
finish
