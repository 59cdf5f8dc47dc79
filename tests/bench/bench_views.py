#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What it costs to look at a long trace: wall time and peak memory of each view of ttdump.

	bench_views.py BIN [RECORDS]

Traces of RECORDS records (10 million) are made and shown, counted, compared and exported in every
format there is, output thrown away. Fails when one of them fails, takes more than 100 MB of
memory, or a diff takes more than a second.
"""
import os
import re
import subprocess
import sys
import tempfile

MEMORY_BAR = 100 * 1000 * 1000
DIFF_BAR = 1.0


def measure(peak, command):
    """Seconds, peak memory in bytes, exit status, what it said."""
    with tempfile.NamedTemporaryFile() as figures:
        done = subprocess.run([peak, figures.name, *command], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        seconds, memory = figures.read().split()
    return float(seconds), int(memory), done.returncode, done.stderr


def listed(ttdump, *words):
    """The first words of the indented lines of a help text: verbs, or formats."""
    text = subprocess.run([ttdump, *words, "--help"], capture_output=True, text=True).stdout
    return re.findall(r"^  (\w+)  ", text, re.MULTILINE)


def views(ttdump, work):
    """Each view: name, words behind ttdump, exit statuses that are good."""
    one = os.path.join(work, "a")
    yield "show", ["show", one], (0,)
    yield "show --json", ["show", "--json", one], (0,)
    if "--csv" in subprocess.run([ttdump, "show", "--help"], capture_output=True, text=True).stdout:
        yield "show --csv", ["show", "--csv", one], (0,)
    yield "stat", ["stat", one], (0,)
    yield "stat --json", ["stat", "--json", one], (0,)
    if "diff" in listed(ttdump):
        yield "diff, equal", ["diff", one, os.path.join(work, "same")], (0,)
        yield "diff, near the end", ["diff", one, os.path.join(work, "late")], (1,)
        yield "diff, near the start", ["diff", one, os.path.join(work, "early")], (1,)
    for name in listed(ttdump, "export"):
        # 4: built without the page, for which node and npm are needed.
        yield "export " + name, ["export", name, one], (0, 4) if name == "html" else (0,)


def make_traces(bin_directory, work, records):
    for name, changed in ("a", 0), ("same", 0), ("late", records - records // 50), ("early", 1000):
        subprocess.run([os.path.join(bin_directory, "format_make_long"), os.path.join(work, name),
                        str(records), str(changed)], check=True)


def faults(name, seconds, memory, status, good):
    if status not in good:
        yield f"exit status {status}"
    if memory > MEMORY_BAR:
        yield f"more than {MEMORY_BAR // 1000000} MB"
    if name in ("diff, equal", "diff, near the end") and seconds > DIFF_BAR:
        yield f"more than {DIFF_BAR:.0f} s"


def main():
    bin_directory = sys.argv[1]
    records = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    ttdump = os.path.join(bin_directory, "ttdump")
    failed = False
    with tempfile.TemporaryDirectory(prefix="ttrec-views.") as work:
        make_traces(bin_directory, work, records)
        size = os.path.getsize(os.path.join(work, "a"))
        print(f"{records} records, {size / 1e6:.1f} MB")
        for name, words, good in views(ttdump, work):
            seconds, memory, status, errors = measure(os.path.join(bin_directory, "bench_peak"),
                                                      [ttdump, *words])
            wrong = ", ".join(faults(name, seconds, memory, status, good))
            print(f"    {name:<22} {seconds:7.2f} s {memory / 1e6:7.1f} MB  {wrong or 'met'}",
                  flush=True)
            if wrong:
                failed = True
                sys.stderr.write(errors)
    return failed


if __name__ == "__main__":
    sys.exit(main())
