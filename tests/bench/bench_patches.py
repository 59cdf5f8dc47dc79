#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the guest patches cost programs that do not read the time stamp counter.

    bench_patches.py BIN KERNEL PLAIN [--rounds N]

KERNEL has all patches, PLAIN only those without which it runs nowhere here (build-uml.sh --patches 3). Both
record the same guests in turn. Prints medians, ratios and all raw samples in seconds of wall time of the whole
command. Bar: 1.03 for the ratio of the medians.

A virtual machine shares its cores with others: equal guests take up to 1.7 times their least user time. Hence the
95 % interval of each ratio (resampled, fixed seed): the bar is met where the whole interval is below it, not met
where the whole interval is above it, and not decided by this run where it lies in between. More rounds narrow it.
The ratio of the lower quartiles stands beside it; it is less disturbed by such neighbours, and decides nothing.
"""
import argparse
import os
import random
import statistics
import subprocess
import tempfile

from bench_recording import INITRAMFS, row, wall

HEAD = """#!/bin/sh
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
"""

# Static programs: busybox.
WORKLOADS = {
    "system calls": "dd if=/dev/zero of=/dev/null bs=16 count=100000 2>/dev/null",
    "files": """i=0; while [ $i -lt 30 ]; do
dd if=/dev/zero of=/tmp/file bs=64k count=16 2>/dev/null; sha256sum /tmp/file >/dev/null; i=$((i + 1)); done""",
    "processes": "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done",
    "computing": "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done",
    "timers": "i=0; while [ $i -lt 200 ]; do usleep 1000; i=$((i + 1)); done",
}


BAR = 1.03


def interval(samples, twin):
    """95 % of the ratios of medians when both sides are drawn again from their samples."""
    draw = random.Random(1)
    ratios = sorted(statistics.median(draw.choices(samples, k=len(samples))) /
                    statistics.median(draw.choices(twin, k=len(twin))) for _ in range(2000))
    return ratios[50], ratios[1949]


def verdict(low, high):
    if high <= BAR:
        return "met"
    return "NOT MET" if low > BAR else "not decided"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin")
    parser.add_argument("kernel")
    parser.add_argument("plain")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    verdicts = []
    with tempfile.TemporaryDirectory() as work:
        init, initrd = os.path.join(work, "init"), os.path.join(work, "initrd.gz")
        trace = os.path.join(work, "trace.zst")
        for name, text in WORKLOADS.items():
            with open(init, "w") as out:
                out.write(HEAD + text + "\npoweroff -f\n")
            os.chmod(init, 0o755)
            subprocess.run([INITRAMFS, "-o", initrd, "-i", init], check=True)
            samples = {options.kernel: [], options.plain: []}
            for turn in range(options.rounds + 1):
                for kernel, walls in samples.items():
                    taken = wall([os.path.join(options.bin, "ttrec"), "run", "-q", "-o", trace, "--",
                                  kernel, "mem=64M", f"initrd={initrd}"])[0]
                    if turn:  # the first fills caches
                        walls.append(taken)
            row(f"{name}, patched", samples[options.kernel], samples[options.plain])
            row(f"{name}, not patched", samples[options.plain])
            low, high = interval(samples[options.kernel], samples[options.plain])
            quartiles = [statistics.quantiles(walls)[0] for walls in samples.values()]
            verdicts.append(verdict(low, high))
            print(f"    interval {low:.3f} to {high:.3f}, lower quartiles {quartiles[0] / quartiles[1]:.3f} "
                  f"(bar {BAR}): {verdicts[-1]}", flush=True)
    print(", ".join(f"{verdicts.count(kind)} {kind}" for kind in ("met", "NOT MET", "not decided")))


if __name__ == "__main__":
    main()
