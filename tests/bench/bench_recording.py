#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What recording, sealing and replaying cost on a real guest, each against its twin in one run.

    bench_recording.py BIN KERNEL [--rounds N] [--replays N]

BIN is the directory of ttrec and ttreplay, KERNEL a UML binary. Prints medians, ratios and all raw
samples in seconds of wall time of the whole command; --json prints them as JSON.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
INITRAMFS = os.path.join(HERE, "..", "..", "kernel", "uml", "make-initramfs.sh")

# About a second of wall time: timers, output, processes, file system and memory.
WORKLOAD = """#!/bin/sh
mount -t proc proc /proc
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
i=0
while [ $i -lt 40 ]; do
	usleep 1000
	echo "tick $i"
	dd if=/dev/zero of=/tmp/file bs=64k count=16 2>/dev/null
	sha256sum /tmp/file >/dev/null
	i=$((i + 1))
done
poweroff -f
"""


def wall(command):
    start = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"bench_recording: {' '.join(command)} ended with {done.returncode}:\n"
                 + done.stdout.decode() + done.stderr.decode())
    return time.monotonic() - start, done.stdout.decode()


def row(name, samples, twin=None):
    median = statistics.median(samples)
    ratio = f"  {median / statistics.median(twin):.3f} of its twin" if twin else ""
    print(f"{name:34} {median:.3f} s{ratio}")
    print("    samples: " + " ".join(f"{sample:.3f}" for sample in samples))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin")
    parser.add_argument("kernel")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--replays", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as work:
        init, initrd = os.path.join(work, "init"), os.path.join(work, "initrd.gz")
        trace = os.path.join(work, "trace.zst")
        with open(init, "w") as out:
            out.write(WORKLOAD)
        os.chmod(init, 0o755)
        subprocess.run([INITRAMFS, "-o", initrd, "-i", init], check=True)
        guest = ["--", options.kernel, "mem=64M", f"initrd={initrd}"]
        run = [os.path.join(options.bin, "ttrec"), "run", "-q"]
        variants = {
            "recorded": run + ["-o", trace] + guest,
            "trace off, isolated": run + ["-o", "none"] + guest,
            "trace off, not isolated": run + ["-o", "none", "--isolation=none"] + guest,
            "replay": [os.path.join(options.bin, "ttreplay"), trace],
        }
        samples = {name: [] for name in variants}
        for command in variants.values():
            wall(command)  # caches
        # In turn, so that whatever else the machine does hits all of them alike.
        for _ in range(options.rounds):
            for name, command in variants.items():
                samples[name].append(wall(command)[0])
        verdict = wall(variants["replay"])[1].splitlines()[0]

    if options.json:
        json.dump({"samples": samples, "verdict": verdict}, sys.stdout)
        print()
        return
    print(verdict)
    row("recorded", samples["recorded"], samples["trace off, isolated"])
    row("trace off, isolated", samples["trace off, isolated"], samples["trace off, not isolated"])
    row("trace off, not isolated", samples["trace off, not isolated"])
    row("replay", samples["replay"], samples["recorded"])


if __name__ == "__main__":
    main()
