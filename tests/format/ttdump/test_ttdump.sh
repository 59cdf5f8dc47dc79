#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Every verb of ttdump on a generated trace, against the exact output in ttdump.expected.
#
#   test_ttdump.sh DIRECTORY-OF-PROGRAMS [--update]
#
# --update writes what comes out to ttdump.expected instead; read the difference before committing.
set -u
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export COLUMNS=80 LC_ALL=C ARGP_HELP_FMT=

# Sizes of compressed data depend on the version of zstd: they are not what is tested here.
run() {
	echo "\$ ttdump $*"
	"$bin/ttdump" "$@" >out 2>err
	status=$?
	sed -E 's/[0-9.]+ (B|KiB)/N \1/g; s/packed [0-9.]+ to/packed N to/; s/at byte [0-9,]+/at byte N/;
		s/"(file_bytes|record_bytes|artifact_bytes)":[0-9]+/"\1":N/g; s/"ratio":[0-9.]+/"ratio":N/
		s/"(stored_bytes_estimated)":[0-9]+/"\1":N/g; /^kinds of records/,/^$/d' out
	sed -E 's/^/! /; s/at byte [0-9,]+/at byte N/' err
	[ $status -eq 0 ] || echo "? $status"
}

commands() {
	"$bin/format_make_sample" sample || exit 1
	"$bin/format_make_sample" escape escape || exit 1
	"$bin/format_make_sample" network network 1 busy || exit 1
	size=$(stat -c %s sample)
	head -c $((size - 10)) sample >noindex
	head -c $((size - 600)) sample >cut
	head -c 40 sample >head
	cp sample flipped && printf '\377' | dd of=flipped bs=1 seek=$((size - 600)) conv=notrunc 2>&-
	echo text >text

	run
	run --help
	run nothing
	for verb in show stat verify salvage extract; do
		run $verb --help
	done
	run show sample
	run show --guest 1 --records 10..30 sample
	run show --from 1ms --to 1.5ms sample
	run show --records 12 sample
	run show --json --records 0..12 sample
	run show --records 0..57 network
	run show --records 148.. network
	run show --guest guest1 --op REQUEST,RUN sample
	run show --guest 0,1 --op exit --op note sample
	run show --op request --records ..20 network
	run show --irq --records ..100 network
	run show --grep 'panic|SET_MEM' network
	run show --csv --records 38..42 network
	run show --csv --op note,meta sample
	run show --op requst sample
	run show --guest gast1 sample
	run show --guest 7 sample
	run show --grep '(' sample
	run show --json --csv sample
	run show --color=blue sample
	run show --color=always --records 55.. sample
	run show --json --records 34..41 network
	run stat network
	run show --records 1000 sample
	run show --records 9..3 sample
	run show --from nowhere sample
	run show none
	run show text
	run show head
	run show cut
	run stat sample
	run stat --json sample
	run verify sample
	run verify noindex
	run verify cut
	run verify flipped
	run verify head
	run verify text
	run verify none
	run salvage cut
	run verify cut.salvaged
	run salvage cut
	run salvage cut -o cut
	run salvage sample -o copy
	run salvage text -o copy
	run extract --list sample
	run extract sample -o files
	find files -type f -printf '%m %P\n' | sort
	cat files/boot/linux files/lib/twin
	run extract sample -o files
	run extract sample linux -o here
	cat here
	run extract sample nothing
	run extract escape -o files
	[ ! -e escaped ] && [ ! -e ../escaped ] && echo "nothing escaped"
	ln -s /tmp link && mkdir linked && ln -s ../files linked/boot
	run extract sample -o linked
	echo "\$ ttdump show sample >/dev/full"
	# shellcheck disable=SC2069 # what is read is standard error
	"$bin/ttdump" show sample 2>&1 >/dev/full
	echo "? $?"
	echo "\$ ttdump show sample | head -1"
	"$bin/ttdump" show sample | head -1
}

commands >actual
if [ "${2:-}" = --update ]; then
	cp actual "$here/ttdump.expected"
	exit
fi
if awk 'length > 80 && /^ *-|^Usage/ { wide = 1 } END { exit wide }' actual &&
	diff -u "$here/ttdump.expected" actual; then
	exit 0
fi
echo "differs; if that is right: $0 $bin --update" >&2
exit 1
