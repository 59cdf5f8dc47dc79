#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# ttrec-tutorial(7) is true: its commands are run, in order, and print what it says, numbers aside.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

page=$source_dir/docs/ttrec-tutorial.7
need_kernel 6.12
export TTREC_KERNEL=$kernel

# The lines of the page's examples as a reader sees them.
examples() {
	sed -n '/^\.RS$/,/^\.RE$/p' "$page" | sed -e '/^\.RS$/d' -e 's/^\.RE$/./' -e 's/\\&//' -e 's/\\e/\\/g' -e 's/\\-/-/g'
}

# What is another number in each run, or with each kernel, is N; so are columns that follow from it.
normal() {
	sed -E 's/\x1b\[[0-9;]*m//g; s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/; s/0x[0-9a-f]+/X/g;
		s/[0-9][0-9,.]*(ms|us|ns)?/N/g; s/\b(ada|ben)\b/NAME/g; s/ +/ /g; s/ $//' | tr -d '\r'
}

# What the page says has to be there, in this order; "..." stands for any lines.
compare() {
	awk 'NR == FNR { want[++wanted] = $0; next }
	{ got[++lines] = $0 }
	function matches(line, pattern) {
		if (sub(/\.\.\.$/, "", pattern)) return index(line, pattern) == 1
		return line == pattern
	}
	END {
		at = 1
		for (i = 1; i <= wanted; i++) {
			if (want[i] == "...") { any = 1; continue }
			while (any && at <= lines && !matches(got[at], want[i])) at++
			if (at > lines || !matches(got[at], want[i])) {
				print "not printed: " want[i]
				print "but: " (at > lines ? "nothing more" : got[at])
				exit 1
			}
			at++
			any = 0
		}
		if (!any && at <= lines) { print "also printed: " got[at]; exit 1 }
	}' "$1" "$2"
}

set_stage() {
	mkdir -p "$work/stage"
	cd "$work/stage" || return
	ln -sf "$kernel" linux
	sed -e 's/#include <fcntl.h>/&\n#include <sys\/file.h>/' \
		-e 's/int balance = read_balance();/int lock = open("\/tmp\/lock", O_WRONLY | O_CREAT, 0600), balance;/' \
		-e 's/\tpass_time(COUNTING);/\tflock(lock, LOCK_EX);\n\tbalance = read_balance();\n&\n/' \
		-e '/^static void serve_customer/,/^}/s/^}/\tclose(lock);\n}/' \
		"$source_dir/demo/bank.c" >fixed.c
	grep -q 'flock(lock' fixed.c
	gcc -O2 -o fixed fixed.c
	gcc -O2 -o bank "$source_dir/demo/bank.c"
}

# Which seed fails depends on the kernel, to the last byte of its version. One with which ben overwrites what ada
# had read takes the place of the page's, and what they read and wrote that of its numbers.
find_seed() {
	cd "$work/stage"
	local balance=''
	for ((seed = 1; seed <= 200; seed++)); do
		ttrec run --seed "$seed" --keep on-failure -o found.zst ./bank 2>/dev/null >console && continue
		balance=$(tr -d '\r' <console | awk '$3 == "ben" && last == "ada" && $5 == read { print $5 + 0; exit }
			$4 == "read" { last = $3; read = $5 }')
		[[ ! $balance ]] || break
	done
	[[ $balance ]] || fail "no seed makes ben overwrite ada's deposit"
	printf 's/--seed 4 /--seed %d /; s/read  20/read %3d/; s/wrote  30/wrote %3d/\n' \
		"$seed" "$balance" $((balance + 10)) >substitute
}

# follow COMMAND EXPECTED: a command of the page, in the directory that all of them share.
follow() {
	cd "$work/stage"
	PAGER="cat" bash -c "$(sed -f substitute <<<"$1")" >printed 2>&1 </dev/null || true
	normal <printed >normal
	printf '%s' "$2" | normal >wanted
	compare wanted normal || { cat printed; return 1; }
}

follow_page() {
	local line command='' expected='' number=0
	while IFS= read -r line; do
		if [[ $line == '$ '* || $line == . ]]; then
			[[ ! $command ]] || proves "the tutorial's: ${command:0:60}" follow "$command" "$expected"
			[[ ! $command ]] || number=$((number + 1))
			command='' expected=''
			[[ $line == . ]] || command=${line#'$ '}
		elif [[ $command ]]; then
			expected+=$line$'\n'
		fi
	done < <(examples)
	proves "the tutorial has commands" at_least "$number" 8 commands
}

proves "the program and its repair can be built" set_stage
proves "some seed makes it fail" find_seed
follow_page
finish
