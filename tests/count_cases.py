#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Counts single test cases in ctest's JUnit files; the last line is the sum.

A test program prints one line a case, as TAP has it: "ok 1 - name", "not ok 2 - name",
"ok 3 - name # SKIP why", and its plan "1..3". One that prints none counts as a case itself. What was
planned and not reported did not pass: the program crashed or was stopped. --tap NAME FILE counts the
output of a script in the same way.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

CASE = re.compile(r"^(not )?ok\b *(\d*)[ -]*(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)", re.MULTILINE)


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []

    def add_line(self, program, match):
        name, _, why = match[3].partition("# SKIP")
        label = f"{program}: {name.strip() or match[2]}"
        if "# SKIP" in match[0]:
            self.skipped.append(f"{label} ({why.strip() or 'no reason given'})")
        elif match[1]:
            self.failed.append(label)
        else:
            self.passed += 1

    def add_program(self, name, status, output):
        lines = output.splitlines()
        cases = [match for match in map(CASE.match, lines) if match]
        planned = sum(int(match[1]) for match in map(PLAN.match, lines) if match)
        failed_before = len(self.failed)
        for match in cases:
            self.add_line(name, match)
        if status == "fail":
            if len(self.failed) == failed_before:
                lost = f" with {len(cases)} of {planned} cases reported" if planned else ""
                self.failed.append(f"{name}: the program failed{lost}")
        elif cases and planned > len(cases):
            self.failed.append(f"{name}: only {len(cases)} of {planned} cases reported")
        elif status != "run" and not cases:
            self.skipped.append(f"{name} ({last_line(lines)})")
        elif not cases:
            self.passed += 1


def last_line(lines):
    return next((line for line in reversed(lines) if line.strip()), "nothing was run")


def main(arguments):
    count = Count()
    paths = iter(arguments)
    for path in paths:
        if path == "--failed":  # something that failed before any test could
            count.failed.append(next(paths))
            continue
        if path == "--tap":  # what a script printed that is not one of ctest's tests
            name = next(paths)
            with open(next(paths)) as tap:
                output = tap.read()
            count.add_program(name, "run" if PLAN.search(output) else "fail", output)
            continue
        preset = re.sub(r".*/|\.xml$", "", path)
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            count.add_program(f"{preset}/{case.get('name')}", case.get("status"),
                              case.findtext("system-out") or "")
    for text in count.skipped:
        print(f"SKIPPED {text}")
    for text in count.failed:
        print(f"FAILED  {text}")
    if not count.passed and not count.failed:
        count.failed.append("nothing was run")
    print(f"{count.passed} passed, {len(count.failed)} failed, {len(count.skipped)} skipped")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
