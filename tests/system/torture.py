#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""One call of a command fails, another one each time, and the command takes it well. See torture.sh.

torture.py [--failures N|all] [--calls N] [--seed N] [--only WORD] NAME COMMAND...

COMMAND writes into the directory results/, which is made anew for each run. First it is run to list the places
from which it calls (fail_call.c), then once for each of those that are drawn, with one call from there failing.
With "all" each of the first calls of each generation of its processes fails, too.
"""
import argparse
import difflib
import filecmp
import os
import random
import re
import shutil
import signal
import subprocess
import sys

PATIENCE = 120
# Errors of the host, and of those what it is short of.
ERRORS = {5: "Input/output", 4: "Interrupted", 11: "temporarily unavailable|processes", 12: "[Mm]emory",
          23: "open files", 24: "open files", 28: "No space|disk|room", 30: "Read-only", 37: "locks",
          105: "buffer space", 122: "quota|disk|room"}
SHORT = "|".join(ERRORS.values())


class Torture:
    def __init__(self, options):
        self.bin = os.environ["TTREC_TEST_BIN"]
        self.command = options.command
        self.name = options.name
        self.random = random.Random(f"{options.seed} {options.name}")
        self.problems = 0
        self.everything = options.failures == "all"

    def run(self, **variables):
        """Its status; 128+N when a signal ended it, None when it did not end."""
        shutil.rmtree("results", ignore_errors=True)
        shutil.rmtree("tmp", ignore_errors=True)
        os.mkdir("results")
        os.mkdir("tmp")
        environment = dict(os.environ, LD_PRELOAD=f"{self.bin}/fail_call.so", TMPDIR=os.path.abspath("tmp"),
                           **variables)
        with open("out", "w") as out, open("err", "w") as err:
            process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env=environment, start_new_session=True)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None
        return status if status >= 0 else 128 - status

    def places(self):
        """The lines of the log, sorted: the same in each run."""
        if os.path.exists("log"):
            os.unlink("log")
        self.wanted = self.run(FAIL_LOG=os.path.abspath("log"))
        # 1: traces that differ.
        if self.wanted != (1 if self.name == "diff" else 0):
            with open("out") as out, open("err") as err:
                sys.exit(f"{self.name}: status {self.wanted} with nothing that fails\n{out.read()}{err.read()}")
        with open("log", "rb") as log:
            lines = log.read().replace(b"\0", b"").decode().splitlines()
        shutil.rmtree("good", ignore_errors=True)
        shutil.copytree("results", "good", symlinks=True)
        shutil.copy("out", "good.out")
        return sorted(lines)

    def tool(self, *words):
        return subprocess.run([f"{self.bin}/ttdump", *words], capture_output=True, text=True)

    def trace_fault(self, path, complete):
        verified = self.tool("verify", path)
        text = verified.stdout + verified.stderr
        if verified.returncode and (complete or not re.search("the file ends|index is missing", text)):
            return f"{path} is not valid: {text}"
        good = path.replace("results/", "good/")
        if complete and not self.excused and self.tool("diff", good, path).returncode:
            return f"{path} is another trace"
        return None

    @staticmethod
    def difference(one, other):
        with open(one, errors="replace") as first, open(other, errors="replace") as second:
            return difflib.unified_diff(first.readlines(), second.readlines(), one, other, n=0)

    def files_fault(self, complete):
        """What is wrong with what it wrote."""
        for directory, _, files in os.walk("results"):
            for file in files:
                path = os.path.join(directory, file)
                if file.endswith((".zst", ".part")):
                    fault = os.path.getsize(path) and self.trace_fault(path, complete)
                    if fault:
                        return fault
        if complete and self.command[0].endswith("ttdump") and not filecmp.cmp("out", "good.out", False):
            return "it says something else:\n" + "".join(list(self.difference("good.out", "out"))[:12])
        if complete:
            for directory, _, files in os.walk("good"):
                for file in files:
                    made = os.path.join(directory.replace("good", "results", 1), file)
                    if not os.path.exists(made):
                        return f"{made} is not there"
                    if file in ("text",) and not filecmp.cmp(made, os.path.join(directory, file), False):
                        return f"{made} has other content"
        if os.listdir("tmp"):
            return f"left behind: {os.listdir('tmp')}"
        return None

    def fault(self, status, error):
        """What is wrong with how it took the failure, or None."""
        with open("out") as out, open("err") as err:
            out, err = out.read(), err.read()
        if status is None:
            return f"still there after {PATIENCE} s"
        if status == 99 or status >= 128:
            return f"it crashed: status {status}"
        if status not in (self.wanted, 4):
            return f"status {status}"
        if status != self.wanted and not re.search(f"{ERRORS.get(error, SHORT)}|{SHORT}", out + err):
            return "does not say what is short"
        # Of memory that could not be hashed a recording says so, and goes on.
        self.excused = re.search("memory: not hashed at some WAITs: (.*)", err)
        if re.search("DIVERGED|damaged", out + err):
            return "takes it for something else"
        return self.files_fault(status == self.wanted)

    def fail_place(self, line):
        generation, name, place, _, errors = line.split()
        # Not each place is called more than once.
        which = self.random.choice((1, 1, 1, 2, 3, self.random.randint(4, 200))) if self.everything else 1
        return self.fail(f"{generation} {name} {place} {which} {self.random.choice(errors.split(','))}")

    def fail(self, call):
        if os.path.exists("log"):
            os.unlink("log")
        status = self.run(FAIL_CALL=call, FAIL_LOG=os.path.abspath("log"))
        with open("log", "rb") as log:
            felt = log.read().strip(b"\0")
        fault = self.fault(status, int(call.split()[-1]))
        if fault:
            self.problems += 1
            print(f"{self.name}: {fault}\n  FAIL_CALL='{call}' {' '.join(self.command)}")
            with open("out") as out, open("err") as err:
                print("".join(f"  | {text}\n" for text in (out.read() + err.read()).splitlines()[-12:]))
            sys.stdout.flush()
        return bool(felt)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--failures", default="all")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", default="")
    parser.add_argument("name")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    torture = Torture(options)
    places = [place for place in torture.places() if re.search(options.only, place)]
    count = len(places) if torture.everything else min(int(options.failures), len(places))
    felt = sum(torture.fail_place(place) for place in torture.random.sample(places, count))
    print(f"{options.name}: {count} of {len(places)} places, {felt} failed, {torture.problems} taken badly")
    if torture.everything and options.calls and not options.only:
        generations = sorted({place.split()[0] for place in places})
        calls = [f"{generation} * * {which} 0" for generation in generations for which in range(1, options.calls + 1)]
        felt = sum(torture.fail(call) for call in calls)
        print(f"{options.name}: {len(calls)} calls by number, {felt} failed, {torture.problems} taken badly")
    sys.exit(torture.problems > 0 or not felt)


main()
