#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What bash, zsh and fish complete is what --help says: each shell is asked, with each verb.
# shellcheck source-path=SCRIPTDIR source=../system/lib.sh
. "$(dirname "$0")/../system/lib.sh"

made=$bin/../completion

# Every command with each of its verbs.
calls() {
	local command verb
	for command in ttrec ttreplay ttdump; do
		for verb in $($command --help | sed -n '/^Verbs:$/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
			echo "$command $verb"
		done
	done
	echo ttreplay
}

# help_options COMMAND [VERB]
help_options() {
	"$@" --help | sed -nE 's/^ +(-., )?(--[a-z-]+).*/\2/p' | sort -u
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
		help_options $call >expected
		# shellcheck disable=SC2086
		"ask_$shell" $call -- 2>err | grep -a -oE -e '^--[a-z-]+' | sort -u >got
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
	bash) ask_bash ttrec run --seal = '' ;;
	fish) ask_fish ttrec run --seal= | sed 's/.*=//' ;;
	esac | sort >got
	printf '%s\n' auto full none | diff -u - got
}

proves "there are verbs to ask for" at_least "$(calls | wc -l)" 10 calls
for shell in bash zsh fish; do
	proves "$shell completes the verbs" complete_verbs "$shell"
	proves "$shell completes every option of every verb, and no other" complete_options "$shell"
done
for shell in bash fish; do
	proves "$shell completes the values of an option" complete_values "$shell"
done
finish
