#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A command is run again and again, and one of its processes is killed (SIGKILL) at a random moment. See disturbed.sh.

kills.py [--kills N] [--seed N] [--within MS] [--only NUMBER] record|replay COMMAND...

The command records into t.zst, or replays it. Each run draws its moment and its process from the seed and its
number alone, so that --only repeats one of them. It ends, leaves no process behind, and
  - a recording is valid as far as it goes, and so is its replay;
  - a replay does not say that all was identical, nor that the guest differs.
"""
import argparse
import collections
import ctypes
import os
import random
import re
import signal
import subprocess
import sys
import time

PATIENCE = 30  # seconds to end in, once a process was killed
NO_EFFECT = 5  # seconds after which a process was not missed
PR_SET_CHILD_SUBREAPER = 36


def children(pid):
    """Of all threads of a process."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as list_of:
                found += [int(word) for word in list_of.read().split()]
    except OSError:
        pass
    return found


def tree(pid, depth=0):
    """It and all that it has started, with their depths."""
    return [(pid, depth)] + [entry for child in children(pid) for entry in tree(child, depth + 1)]


class Kills:
    def __init__(self, options):
        self.options = options
        self.bin = os.environ["TTREC_TEST_BIN"]
        self.roles = ["command", "supervisor", "guest", "user space"]
        if options.mode == "replay":
            self.roles.insert(1, "worker")
        self.counts = collections.Counter()
        self.problems = 0
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def role(self, depth):
        return self.roles[min(depth, len(self.roles) - 1)]

    def output(self):
        with open("out", errors="replace") as out, open("err", errors="replace") as err:
            return out.read() + err.read()

    def kill_one(self, command, draw):
        """A process of the command; its role, or None when all had ended."""
        for _ in range(20):
            if command.poll() is not None:
                return None
            processes = tree(command.pid)
            # Each role is as likely: most processes are the guest's user space.
            role = self.role(draw.choice(sorted({min(depth, len(self.roles) - 1) for _, depth in processes})))
            pid = draw.choice([pid for pid, depth in processes if self.role(depth) == role])
            try:
                os.kill(pid, signal.SIGKILL)
                return role
            except ProcessLookupError:
                continue
        return None

    @staticmethod
    def wait(command, seconds):
        try:
            return command.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def leftovers(self):
        """Orphans are ours (PR_SET_CHILD_SUBREAPER), and end soon."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return None
            time.sleep(0.01)
        left = [pid for pid, depth in tree(os.getpid()) if depth]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return f"processes are left: {len(left)}"

    def tool(self, *words):
        done = subprocess.run([f"{self.bin}/{words[0]}", *words[1:]], capture_output=True, text=True, errors="replace",
                              timeout=120)
        return done.returncode, done.stdout + done.stderr

    def trace_fault(self, role):
        """What is wrong with the trace of a recording, and with its replay."""
        unfinished = os.path.exists("t.zst.part")
        trace = "t.zst.part" if unfinished else "t.zst"
        if unfinished != (role == "command") and os.path.exists(trace):
            return f"the trace is named {trace}"
        if not os.path.exists(trace) or not os.path.getsize(trace):
            return None
        status, text = self.tool("ttdump", "verify", trace)
        if status != (3 if unfinished else 0) or (status and not re.search("the file ends|index is missing", text)):
            return f"the trace is not valid: {text}"
        status, text = self.tool("ttreplay", trace)
        if re.search("does not contain all of|nothing to compare|before the first message", text):
            self.counts["nothing to replay"] += 1
            return None
        if status not in (0, 3) or not re.search("^identical", text, re.M) or "DIVERGED" in text:
            return f"its replay ends with status {status}: {text}"
        self.counts["replayed"] += 1
        return None

    def record_fault(self, role, status):
        if role != "command" and status == 0:
            return "exit status 0"
        if role != "command" and "why: " not in self.output() and "ttrec: " not in self.output():
            return "it does not say why"
        return self.trace_fault(role)

    def replay_fault(self, role, status):
        text = self.output()
        if status == 0:
            # It may have been through with its work.
            self.counts["was through"] += 1
            return None if re.search("^identical: ", text, re.M) else "exit status 0"
        if re.search("^identical: ", text, re.M):
            return "called identical"
        if "DIVERGED" in text or status == 1:
            return "called different"
        if role != "command" and not text:
            return "it does not say why"
        return None

    def fault(self, role, status, felt):
        if status is None:
            return f"still there after {PATIENCE} s"
        # By our SIGTERM: a process that was not missed.
        if not felt:
            self.counts["not missed"] += 1
            # It may have been about to end.
            return None if status in (4, 143, -15) else f"status {status} after SIGTERM"
        if role == "command" and status != -9:
            return f"status {status}"
        if role != "command" and (status < 0 or status >= 128):
            return f"it crashed: status {status}"
        return self.record_fault(role, status) if self.options.mode == "record" else self.replay_fault(role, status)

    def run(self, number):
        draw = random.Random(f"{self.options.seed} {number}")
        moment = draw.uniform(0, self.options.within) / 1000
        for name in ("t.zst", "t.zst.part"):
            if self.options.mode == "record" and os.path.exists(name):
                os.unlink(name)
        with open("out", "w") as out, open("err", "w") as err:
            command = subprocess.Popen(self.options.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        time.sleep(moment)
        role = self.kill_one(command, draw)
        status = self.wait(command, NO_EFFECT)
        felt = status is not None
        if not felt:
            command.terminate()
            status = self.wait(command, PATIENCE)
        if status is None:
            command.kill()
            command.wait()
        if role is None:
            self.counts["ended before"] += 1
            return
        self.counts[f"{role} killed"] += 1
        self.counts[f"{role} killed: status {status}"] += 1
        fault = self.fault(role, status, felt) or self.leftovers()
        if not fault:
            return
        self.problems += 1
        print(f"seed {self.options.seed}, number {number}: {role} killed after {moment * 1000:.1f} ms: {fault}")
        print("".join(f"  | {line}\n" for line in self.output().splitlines()[-8:]), flush=True)

    def run_all(self):
        numbers = range(self.options.kills) if self.options.only is None else [self.options.only]
        for number in numbers:
            self.run(number)
        print(", ".join(f"{what}: {count}" for what, count in sorted(self.counts.items())))
        killed = sum(self.counts[f"{role} killed"] for role in self.roles)
        if killed * 2 < len(numbers):
            print(f"only {killed} of {len(numbers)} were killed")
            return 1
        return self.problems > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("record", "replay"))
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--within", type=float, default=700)
    parser.add_argument("--only", type=int)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    sys.exit(Kills(parser.parse_args()).run_all())


main()
