#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the guest patches cost programs that do not read the time stamp counter.

    bench_patches.py BIN KERNEL PLAIN [--rounds N]

KERNEL has all patches, PLAIN only those without which it runs nowhere here (build-uml.sh --patches 3). Both
record the same guests in turn. Prints medians, ratios and all raw samples in seconds of wall time of the whole
command. Bar: 1.03.
"""
import argparse
import os
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin")
    parser.add_argument("kernel")
    parser.add_argument("plain")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    ratios = []
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
            ratios.append(statistics.median(samples[options.kernel]) /
                          statistics.median(samples[options.plain]))
    worst = max(ratios)
    print(f"worst ratio {worst:.3f} (bar 1.03): {'met' if worst <= 1.03 else 'NOT MET'}")


if __name__ == "__main__":
    main()
