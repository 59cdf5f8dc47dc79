#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# docs/ttrace.5 is complete: a decoder written from it alone agrees with ttdump on every record.
#
#   test_reference.sh DIRECTORY-OF-PROGRAMS
set -u
bin=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
if ! command -v zstd >/dev/null || ! command -v python3 >/dev/null; then
	echo "SKIPPED: needs the commands zstd and python3" >&2
	exit 77
fi

cat >compare.py <<'PYTHON'
import json, sys
a, b = ([json.loads(line) for line in open(name, encoding="utf-8")] for name in sys.argv[1:])
# What ttdump decodes beyond the table; the reference ignores it.
decoded = {"guest_name", "device_name", "network", "request_name", "source_name", "reason_name",
           "region_name", "frame"}
for x, y in zip(a, b):
    if {key: x[key] for key in x if key not in decoded} != y:
        raise SystemExit(f"ttdump:    {x}\nreference: {y}")
if len(a) != len(b):
    raise SystemExit(f"ttdump has {len(a)} lines, the reference {len(b)}")
print(f"{len(a) - 1} records agree")
PYTHON

compare() {
	"$bin/format_make_sample" sample "$@" || exit 1
	"$bin/ttdump" show --json sample >ttdump.json || exit 1
	python3 "$here/ttrace_reference.py" "$here/../../../docs/ttrace.5" sample >reference.json || exit 1
	python3 compare.py ttdump.json reference.json || exit 1
}

compare
compare 5 3000
compare network 1000 idle
compare network 500 busy
compare network 500 jitter
compare absurd 1 20000
compare absurd 2 20000
