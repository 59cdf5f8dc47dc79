#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What --help says, what the manuals say and what bash, zsh and fish complete is the same, and --help is
# fit to be read. The overview of the tree names no file that is not there.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
. "$(dirname "$0")/../system/lib.sh"

docs=$source_dir/docs
made=$bin/../completion

# Every command with each of its verbs, as it is called for help.
calls() {
	local command verb
	for command in ttrec ttreplay ttdump; do
		echo "$command"
		for verb in $($command --help | sed -n '/^Verbs:$/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
			echo "$command $verb"
		done
	done
}

# pages: the manuals, each described by the calls that it is of.
pages() {
	calls | sed 's/ .*//' | sort -u
	calls | sed -n 's/^ttdump /ttdump-/p'
}

# calls_of PAGE: a verb has a page of its own, or is in its command's.
calls_of() {
	case $1 in
	*-*) echo "${1/-/ }" ;;
	ttdump) echo ttdump ;;
	*) calls | grep -E "^$1( |$)" ;;
	esac
}

# What argp gives every command is not listed in the manuals.
own_options() {
	sed -E '/^--(help|usage|version)$/d' | sort -u
}

# call_options COMMAND [VERB]: the long options that its --help lists.
call_options() {
	"$@" --help | sed -nE 's/^ +(-., )?(--[a-z-]+).*/\2/p' | sort -u
}

# help_options PAGE: the long options that --help lists, over all its calls.
help_options() {
	local call
	while read -r call; do
		# shellcheck disable=SC2086 # a command and its verb
		call_options $call
	done < <(calls_of "$1") | own_options
}

# manual_options PAGE: the long options in the tags of the manual.
manual_options() {
	awk 'tag { print } { tag = /^\.TP/ }' "$docs/$1.1" | sed 's/\\-/-/g; s/\\f.//g' |
		{ grep -oE -e '--[a-z-]+' || :; } | own_options
}

same_options() {
	help_options "$1" >help
	manual_options "$1" >manual
	case $1 in
	ttdump | ttdump-verify) ;; # have none
	*) [[ -s help ]] || fail "$1 --help lists no option" ;;
	esac
	diff -u --label "$1 --help" --label "docs/$1.1" help manual
}

every_verb_in_synopsis() {
	local call
	sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/p' "$docs/$1.1" >synopsis
	while read -r call; do
		[[ $call != ttrec ]] || continue
		says synopsis "^\.B $call\$"
	done < <(calls_of "$1")
}

every_page_named() {
	local verb
	for verb in $(calls | sed -n 's/^ttdump //p'); do
		says "$docs/ttdump.1" "^\.BR ttdump-$verb \(1\)\$"
		says "$docs/ttdump.1" "^\.BR ttdump-$verb \(1\),\$"
	done
}

help_fits() {
	local call
	while read -r call; do
		# shellcheck disable=SC2086 # a command and its verb
		expect 0 $call --help
		[[ -s out ]] || fail "$call --help says nothing"
		empty err
		! grep -E '.{81}' out || fail "a line of $call --help is longer than 80 columns"
	done < <(calls_of "$1")
}

every_status() {
	local call
	sed -n '/^\.SH EXIT STATUS/,/^\.SH [^E]/p' "$docs/$1.1" >section
	while read -r call; do
		$call --help
	done < <(calls_of "$1") | tr '\n' ' ' | { grep -oE 'Exit status: [^.]*' || :; } |
		{ grep -oE '(^| )[0-9]+ ' || :; } | tr -d ' ' | sort -u >statuses
	[[ -s statuses || $1 == ttdump-* ]] || fail "$1 --help says nothing about its exit status"
	sed -n 's/^\.BI* \([0-9][0-9]*+*\).*/\1/p' section >listed
	says listed '^0$'
	# One table for all: what a page says of its own is a part of it.
	sed -n '/^\.SH "EXIT STATUS"/,/^\.SH "[^E]/s/^\.BI* \([0-9][0-9]*+*\).*/\1/p' "$docs/ttrec.7" >table
	while read -r status; do
		says table "^${status/+/[+]}\$"
	done < <(cat listed statuses)
}

ask_bash() {
	local -a words=("$@")
	bash --norc -c '
		source "$1"
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		"_$1"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$made/bash/${words[0]}" "${words[@]}"
}

ask_fish() {
	fish --no-config -c "source $made/fish/$1.fish; complete -C '$*'" | cut -f1
}

# A shell on a terminal of its own, which is asked to list (^D) what could follow, once it reads a line. What
# is typed after that is echoed after the list.
ask_zsh() {
	COLUMNS=200 zsh -f -c '
		zmodload zsh/zpty
		zpty shell "stty cols 200 rows 1000; TERM=dumb zsh -f -i"
		zpty -w shell "PS1= LISTMAX=10000; fpath=($1 \$fpath); autoload -Uz compinit; compinit -D -u; zle-line-init() { print -r rea\"\"dy }; zle -N zle-line-init"
		zpty -r -m shell ignored "*ready*"
		zpty -w -n shell "$2"$'"'\\x04'"'"@@@"
		zpty -r -m shell listed "*@@@*"
		print -rn -- $listed
		zpty -d shell' zsh "$made/zsh" "$*" | tr -d '\r' | sed -E 's/  .*//'
}

complete_options() {
	local shell=$1 call
	command -v "$shell" >/dev/null || skip "no $shell here"
	while read -r call; do
		# shellcheck disable=SC2086 # a command and its verb
		call_options $call | own_options >expected
		# shellcheck disable=SC2086
		"ask_$shell" $call -- 2>err | { grep -a -oE -e '^--[a-z-]+' || :; } | own_options >got
		diff -u --label "$call --help" --label "$shell" expected got
	done < <(calls)
}

complete_verbs() {
	local shell=$1 command
	command -v "$shell" >/dev/null || skip "no $shell here"
	for command in ttrec ttdump; do
		calls | sed -n "s/^$command //p" | sort >expected
		[[ -s expected ]] || fail "$command --help lists no verb"
		"ask_$shell" "$command" '' 2>err | grep -xE '[a-z]+' | sort -u >got
		comm -23 expected got >missing
		empty missing
	done
}

complete_values() {
	local shell=$1
	command -v "$shell" >/dev/null || skip "no $shell here"
	case $shell in
	bash) ask_bash ttrec run --isolation = '' ;;
	fish) ask_fish ttrec run --isolation= | sed 's/.*=//' ;;
	esac | sort >got
	printf '%s\n' auto full none | diff -u - got
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
	sed -n '/refused_table\[\]/,/^};/p' "$source_dir/kernel/guest/guest_arguments.c" |
		grep -oE '\{ "[a-z]+",' | grep -oE '[a-z]+' | sort -u >names
	at_least "$(wc -l <names)" 5 "names"
	while read -r name; do
		says "$docs/ttrec.1" "^\.BR $name ,\$"
	done <names
}

# The keys of meta records in the source and those that ttrace(5) lists are the same.
same_meta_keys() {
	sed -n '/define META_KEYS/,/^$/s/.*X([A-Z_]*, "\([a-z-]*\)").*/\1/p' "$source_dir/format/trace/meta.h" |
		sort >keys
	sed -nE '/^\.SH DESCRIPTIONS OF GUESTS/,/^\.SH DEVICES/s/^([a-z\\-]+)=[A-Za-z].*\t.*/\1/p' "$docs/ttrace.5" |
		tr -d '\\' | sort >listed
	at_least "$(wc -l <keys)" 30 "keys"
	diff -u --label META_KEYS --label "ttrace(5)" keys listed
}

# Files of the source are named by the READMEs of their folders, see check_folders.py.
every_file() {
	local name
	(cd "$source_dir" && find demo docs -type f -name '*.[ch]' -o -name '*.sh') | sed 's|.*/||' >there
	grep -oE '[a-z0-9_-]+(\.bpf)?\.(c|h|sh|py|js|config|allow)\b' "$docs/architecture.md" | sort -u >named
	while read -r name; do
		grep -qxF "$name" named || fail "architecture.md does not name $name"
	done <there
	while read -r name; do
		find "$source_dir"/{format,kernel,recorder,replayer,tests,demo,docs} -name "$name" | grep -q . ||
			fail "architecture.md names $name, which is not there"
	done <named
}

for page in $(pages); do
	proves "$page: every option of --help is in the manual, and no other" same_options "$page"
	proves "$page: the synopsis has every verb" every_verb_in_synopsis "$page"
	proves "$page: --help goes to standard output in 80 columns" help_fits "$page"
	proves "$page: every exit status of --help and the manual is in the one table" every_status "$page"
done
proves "ttdump: every verb's page is named" every_page_named
proves "every argument that --allow accepts is in the manual" allowed_names
proves "ttrace(5) lists the keys of meta records, and no other" same_meta_keys
proves "groff has nothing to say about the manuals" no_warnings
proves "docs/architecture.md names every demo, and no file that is not there" every_file
proves "there are verbs to ask for" at_least "$(calls | wc -l)" 10 calls
for shell in bash zsh fish; do
	proves "$shell completes the verbs" complete_verbs "$shell"
	proves "$shell completes every option of every verb, and no other" complete_options "$shell"
done
for shell in bash fish; do
	proves "$shell completes the values of an option" complete_values "$shell"
done
finish
