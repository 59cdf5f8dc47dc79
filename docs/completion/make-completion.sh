#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Writes the completion of one command for one shell, from what the command's --help says.
set -euo pipefail

usage() {
	cat <<'END'
Usage: make-completion.sh bash|zsh|fish PROGRAM

Prints the completion of PROGRAM. Verbs, options, their arguments and what they do are those of its
--help, so there is nothing to keep in step.
END
}

# What argp prints, joined to one line an option: LONG, SHORT, ARGUMENT, DOC, with tabs.
options_of() {
	"$@" --help | awk '
		function flush() {
			if (long) { gsub(/\t/, " ", doc); print long "\t" short "\t" argument "\t" doc }
			long = ""
		}
		/^ +(-., )?--[a-z]/ {
			flush()
			line = $0
			sub(/^ +/, "", line)
			short = ""
			if (line ~ /^-., /) { short = substr(line, 2, 1); line = substr(line, 5) }
			doc = ""
			if (match(line, /  +/)) { doc = substr(line, RSTART + RLENGTH); line = substr(line, 1, RSTART - 1) }
			argument = ""
			if (match(line, /=/)) { argument = substr(line, RSTART + 1); line = substr(line, 1, RSTART - 1) }
			long = line
			next
		}
		/^                    +[^ ]/ && long { text = $0; sub(/^ +/, "", text); doc = doc (doc ? " " : "") text; next }
		{ flush() }
		END { flush() }'
}

# listed_in TITLE COMMAND...: the words of a list in the --help, each with what it says: WORD, DOC.
listed_in() {
	local title=$1
	shift
	"$@" --help | awk -v title="$title:" '
		$0 == title { inside = 1; next }
		inside && /^  [a-z]/ { word = $1; sub(/^ +[^ ]+ +/, ""); print word "\t" $0; next }
		inside { exit }'
}

# The verbs of the program; a program without any has one without a name.
verbs() {
	local listed
	listed=$(listed_in Verbs "$program")
	if [[ $listed ]]; then printf '%s\n' "$listed"; else printf '\t\n'; fi
}

# kind_of ARGUMENT: "words a b c", "file", "directory", or "text".
kind_of() {
	case $1 in
	'') echo none ;;
	*FILE* | *LAB* | *TRACE* | *PATH* | KERNEL*) echo file ;;
	DIR) echo directory ;;
	*[a-z]*'|'*) echo "words $(tr '|' '\n' <<<"$1" | grep -xE '[a-z-]+' | tr '\n' ' ')" ;;
	*) echo text ;;
	esac
}

# ---- bash ---------------------------------------------------------------------------------------

bash_verb() {
	local verb=$1 long short argument doc kind all='' words=''
	words=$(listed_in Formats "$program" ${verb:+"$verb"} | cut -f1 | tr '\n' ' ')
	printf '\t"%s")\n' "$verb"
	printf '\t\tcase $previous in\n'
	while IFS=$'\x1f' read -r long short argument doc; do
		all+="$long "
		kind=$(kind_of "$argument")
		[[ $kind != none ]] || continue
		printf '\t\t%s%s) ' "$long" "${short:+ | -$short}"
		case $kind in
		words*) printf 'COMPREPLY=($(compgen -W "%s" -- "$word")); return ;;\n' "${kind#words }" ;;
		file) printf 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return ;;\n' ;;
		directory) printf 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$word")); return ;;\n' ;;
		text) printf 'return ;;\n' ;;
		esac
	done < <(options_of "$program" ${verb:+"$verb"} | tr '\t' '\037')
	printf '\t\tesac\n\t\toptions="%s" words="%s"\n\t\t;;\n' "$all" "$words"
}

bash_completion() {
	local verb doc verb_names
	verb_names=$(verbs | cut -f1 | tr '\n' ' ')
	cat <<END
# bash completion for $name: made from its --help.
_$name() {
	local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} verb='' options='' words=''
	# --option=value comes as three words.
	if [[ \$word == = ]]; then
		word=''
	elif [[ \$previous == = ]]; then
		previous=\${COMP_WORDS[COMP_CWORD - 2]}
	fi
END
	[[ ! ${verb_names// /} ]] || cat <<END
	verb=\${COMP_WORDS[1]}
	if ((COMP_CWORD == 1)); then
		COMPREPLY=(\$(compgen -W "$verb_names--help --version" -- "\$word"))
		return
	fi
END
	echo "	case \$verb in"
	while IFS=$'\x1f' read -r verb doc; do
		bash_verb "$verb"
	done < <(verbs | tr '\t' '\037')
	cat <<END
	esac
	if [[ \$word == -* ]]; then
		COMPREPLY=(\$(compgen -W "\$options" -- "\$word"))
	else
		compopt -o filenames 2>/dev/null
		COMPREPLY=(\$(compgen -f -- "\$word") \$(compgen -W "\$words" -- "\$word"))
	fi
}
complete -F _$name $name
END
}

# ---- zsh ----------------------------------------------------------------------------------------

# Inside single quotes, inside the brackets of _arguments.
zsh_text() {
	sed -e 's/[]\\:[]/\\&/g' -e "s/'/'\\\\''/g" <<<"$1"
}

zsh_action() {
	local kind
	kind=$(kind_of "$1")
	case $kind in
	none) ;;
	words*) printf ':%s:(%s)' "value" "${kind#words }" ;;
	file) printf ':%s:_files' "file" ;;
	directory) printf ':%s:_files -/' "directory" ;;
	text) printf ':%s: ' "$(zsh_text "$1")" ;;
	esac
}

zsh_verb() {
	local verb=$1 long short argument doc text action words
	words=$(listed_in Formats "$program" ${verb:+"$verb"} | cut -f1 | tr '\n' ' ')
	printf '\t%s)\n\t\t_arguments -s -S \\\n' "${verb:-*}"
	while IFS=$'\x1f' read -r long short argument doc; do
		text=$(zsh_text "$doc")
		action=$(zsh_action "$argument")
		[[ ! $short ]] || printf "\t\t\t'*-%s[%s]%s' \\\\\n" "${short/\?/\\?}" "$text" "$action"
		printf "\t\t\t'*%s%s[%s]%s' \\\\\n" "$long" "${argument:+=}" "$text" "$action"
	done < <(options_of "$program" ${verb:+"$verb"} | tr '\t' '\037')
	[[ ! $words ]] || printf "\t\t\t'1:format:(%s)' \\\\\n" "$words"
	printf "\t\t\t'*:file:_files'\n\t\t;;\n"
}

zsh_completion() {
	local verb doc
	printf '#compdef %s\n# zsh completion for %s: made from its --help.\n' "$name" "$name"
	printf '_%s() {\n' "$name"
	if [[ $(verbs | cut -f1) ]]; then
		printf '\tlocal -a verbs=(\n'
		while IFS=$'\x1f' read -r verb doc; do
			printf "\t\t'%s:%s'\n" "$verb" "$(zsh_text "$doc")"
		done < <(verbs | tr '\t' '\037')
		cat <<'END'
	)
	if ((CURRENT == 2)); then
		_describe verb verbs
		_arguments '--help[Give this help list]' '--version[Print program version]'
		return
	fi
	local verb=$words[2]
	shift words
	((CURRENT--))
END
	else
		printf "\tlocal verb=''\n"
	fi
	printf '\tcase $verb in\n'
	while IFS=$'\x1f' read -r verb doc; do
		zsh_verb "$verb"
	done < <(verbs | tr '\t' '\037')
	printf '\tesac\n}\n_%s "$@"\n' "$name"
}

# ---- fish ---------------------------------------------------------------------------------------

fish_text() {
	sed -e 's/\\/\\\\/g' -e "s/'/\\\\'/g" <<<"$1"
}

fish_verb() {
	local verb=$1 long short argument doc kind when='' word words
	[[ ! $verb ]] || when=" -n '__fish_seen_subcommand_from $verb'"
	while IFS=$'\x1f' read -r long short argument doc; do
		kind=$(kind_of "$argument")
		printf 'complete -c %s%s%s -l %s' "$name" "$when" "${short:+ -s '$short'}" "${long#--}"
		case $kind in
		none) ;;
		words*) printf " -x -a '%s'" "${kind#words }" ;;
		file) printf ' -r -F' ;;
		directory) printf " -x -a '(__fish_complete_directories)'" ;;
		text) printf ' -x' ;;
		esac
		printf " -d '%s'\n" "$(fish_text "$doc")"
	done < <(options_of "$program" ${verb:+"$verb"} | tr '\t' '\037')
	words=$(listed_in Formats "$program" ${verb:+"$verb"})
	[[ ! $words ]] || while IFS=$'\x1f' read -r word doc; do
		printf "complete -c %s%s -a %s -d '%s'\n" "$name" "$when" "$word" "$(fish_text "$doc")"
	done < <(tr '\t' '\037' <<<"$words")
}

fish_completion() {
	local verb doc
	printf '# fish completion for %s: made from its --help.\n' "$name"
	while IFS=$'\x1f' read -r verb doc; do
		[[ ! $verb ]] || printf "complete -c %s -f -n __fish_use_subcommand -a %s -d '%s'\n" \
			"$name" "$verb" "$(fish_text "$doc")"
	done < <(verbs | tr '\t' '\037')
	while IFS=$'\x1f' read -r verb doc; do
		fish_verb "$verb"
	done < <(verbs | tr '\t' '\037')
}

[[ ${1-} != --help && ${1-} != -h ]] || { usage; exit; }
[[ $# == 2 && -x $2 ]] || { usage >&2; exit 2; }
program=$2
name=$(basename "$program")
case $1 in
bash | zsh | fish) "$1_completion" ;;
*) usage >&2; exit 2 ;;
esac
