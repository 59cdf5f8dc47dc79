# SPDX-License-Identifier: BSD-3-Clause
# Sourced, after lib.sh, by tests that flip a bit of a guest's memory: a recording with many digests, $trace.
# shellcheck shell=bash disable=SC2154 # lib.sh has set them

need_kernel 6.12

# One recording for all.
ttrec run -q --digest every -o "$work/t.zst" "$kernel" mem=32M initrd="$initrd" \
	do=tick:30:3000000,off 2>"$work/log" || {
	cat "$work/log"
	exit 1
}
trace=$work/t.zst

# record_after_digests N: the record after the N-th pair of digests: what the guest waits for.
record_after_digests() {
	ttdump show "$trace" | awk -v wanted="$1" \
		'/== digest +data/ && !/part of/ && ++seen == wanted { print $1 + 1 }'
}

# symbol_address NAME [OFFSET]
symbol_address() {
	nm "$kernel" | awk -v name="$1" '$3 == name { print "0x" $1 }' |
		while read -r address; do printf '%#x\n' $((address + ${2:-0})); done
}
