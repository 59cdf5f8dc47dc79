#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The folders of the source against what their README.md says: its files, and what it may depend on.

  check_folders.py SOURCE BUILD

A README has "May depend on: FOLDER, FOLDER." and an entry "- `FILE`: ..." for each file. Dependence is
what #include lines (and imports of scripts) name, and what the objects in BUILD call. It has to be
allowed by the README, must not lead in a circle, and goes down: recorder/ and replayer/ may use kernel/
and format/, kernel/ may use format/, and recorder/ and replayer/ do not use each other.
"""
import json
import os
import re
import shlex
import subprocess
import sys
from collections import defaultdict

LEVELS = {"format": 0, "kernel": 1, "recorder": 2, "replayer": 2}
FILES_MAX = 25
# Of a C file, and of a function in it.
LINES_MAX, FUNCTION_MAX = 500, 60
# Not code, and described by a README of its own form.
SKIPPED = ("kernel/uml/patches",)
# Callers of libtttrace depend on its interface, wherever behind it a function is.
INTERFACE, LIBRARY = "format/tttrace.h", "format/trace"


class Tree:
    """Folders with their files, their READMEs, and who depends on whom with an example of each."""

    def __init__(self, files, text):
        self.text = text
        self.folders = defaultdict(set)
        for path in files:
            folder, name = os.path.split(path)
            if not (folder + "/").startswith(tuple(skipped + "/" for skipped in SKIPPED)):
                self.folders[folder].add(name)
        # One that only has its folders built needs no README.
        self.described = sorted(folder for folder in self.folders
                                if self.folders[folder] - {"CMakeLists.txt", "README.md"})
        self.uses = defaultdict(dict)
        # Folders of which this build has only the part that is in for the rest.
        self.absent = set()

    def has(self, path):
        return os.path.basename(path) in self.folders.get(os.path.dirname(path), ())

    def readme(self, folder):
        return self.text(folder + "/README.md") if self.has(folder + "/README.md") else ""

    def allowed(self, folder):
        """What may be used, None where that is not said."""
        line = re.search(r"^May depend on: (.+?)\.$", self.readme(folder), re.M | re.S)
        if not line:
            return None
        words = re.split(r",\s+", line[1])
        return set() if words == ["nothing"] else set(words)

    def add_use(self, user, used, how):
        if os.path.dirname(user) != os.path.dirname(used):
            self.uses[os.path.dirname(user)].setdefault(os.path.dirname(used), how)

    def read_includes(self):
        for folder, names in list(self.folders.items()):
            for name in names:
                if name.endswith((".c", ".h")):
                    pattern, base = r'^\s*#\s*include "([^"]+)"', ""
                elif name.endswith((".js", ".mjs")):
                    pattern, base = r'\b(?:from|import) "(\.[^"]+)"', folder
                else:
                    continue
                path = folder + "/" + name
                for found in re.findall(pattern, self.text(path), re.M):
                    target = os.path.normpath(os.path.join(base, found))
                    if self.has(target):
                        self.add_use(path, target, f"{path} includes {target}")

    def read_calls(self, objects):
        """@objects: what each source file defines and what it lacks."""
        interface = set()
        if self.has(INTERFACE):
            interface = set(re.findall(r"TTTRACE_API[^;(]*?(\w+)\(", self.text(INTERFACE)))
        where = defaultdict(set)
        for path, (defined, _) in objects.items():
            for symbol in defined if path.split("/")[0] in LEVELS else ():
                where[symbol].add(path)
        for path, (_, lacked) in objects.items():
            if path.split("/")[0] not in LEVELS:
                continue
            if path.endswith("_absent.c"):
                self.absent.add(os.path.dirname(path))
            for symbol in lacked & where.keys():
                if any(os.path.dirname(other) == os.path.dirname(path) for other in where[symbol]):
                    continue
                how = f"{path} calls {symbol}()"
                if symbol in interface and not (path + "/").startswith(LIBRARY + "/"):
                    self.add_use(path, INTERFACE, how)
                else:
                    for other in where[symbol]:
                        self.add_use(path, other, how)


def misnamed(tree, folder):
    """Files that the README does not name, names twice, or that are not there."""
    names = []
    for entry in re.findall(r"^- ((?:`[^`]+`(?:,\s+)?)+):", tree.readme(folder), re.M):
        names += re.findall(r"`([^`]+)`", entry)
    there = tree.folders[folder] - {"CMakeLists.txt", "README.md"}
    for name in sorted(there - set(names)):
        # A header beside a file of its own name goes without saying.
        if not (name.endswith(".h") and name[:-2] + ".c" in there):
            yield f"{folder}/README.md does not name {name}"
    for name in sorted(set(names)):
        if name not in there:
            yield f"{folder}/README.md names {name}, which is not there"
        if names.count(name) > 1:
            yield f"{folder}/README.md names {name} more than once"
    if len(tree.folders[folder]) > FILES_MAX:
        yield f"{folder} has {len(tree.folders[folder])} files: more than {FILES_MAX}"


def forbidden(tree, folder):
    """Uses of other folders that the README does not allow, and those it allows for nothing."""
    allowed = tree.allowed(folder)
    if allowed is None:
        yield f"{folder}/README.md has no line \"May depend on: ...\""
        return
    for used, how in sorted(tree.uses[folder].items()):
        if used not in allowed:
            yield f"{folder}/README.md does not allow {used}: {how}"
    for name in sorted(allowed - tree.uses[folder].keys()) if folder not in tree.absent else ():
        yield f"{folder}/README.md allows {name}, which nothing in it uses"


def upwards(tree):
    for folder, uses in sorted(tree.uses.items()):
        for used, how in sorted(uses.items()):
            top, other = folder.split("/")[0], used.split("/")[0]
            if top != other and LEVELS[other] >= LEVELS[top]:
                yield f"{folder} must not use {used}: {how}"


def circles(tree):
    """One message for each use that closes a circle."""
    done, path = set(), []

    def visit(folder):
        path.append(folder)
        for used, how in sorted(tree.uses[folder].items()):
            if used in path:
                yield f"a circle: {' -> '.join(path[path.index(used):] + [used])}: {how}"
            elif used not in done:
                yield from visit(used)
        done.add(path.pop())

    for folder in sorted(list(tree.uses)):
        if folder not in done:
            yield from visit(folder)


def needlessly_global(tree, objects):
    """What could be static: no object but its own asks for it, tests included, and no library exports it."""
    if tree.absent:
        # Whoever asks may be what this build lacks.
        return
    lacked = set().union(*(lacked for _, lacked in objects.values()))
    for folder in tree.folders:
        for name in tree.folders[folder]:
            if name.endswith(".map"):
                lacked |= set(re.findall(r"^\s+(\w+);", tree.text(f"{folder}/{name}"), re.M))
    for path, (defined, _) in sorted(objects.items()):
        for symbol in sorted(defined - lacked - {"main"}):
            if path.split("/")[0] in LEVELS and not symbol.startswith("_"):
                yield f"{path}: {symbol} is used by no other file: make it static"


def oversized(tree):
    """C files, and functions in them, that are too long to be read in one go."""
    for folder in tree.described:
        for name in sorted(tree.folders[folder]):
            if not name.endswith((".c", ".h")):
                continue
            path, begin = f"{folder}/{name}", None
            lines = tree.text(path).splitlines()
            if len(lines) > LINES_MAX:
                yield f"{path} has {len(lines)} lines: more than {LINES_MAX}"
            for number, line in enumerate(lines, 1):
                if line == "{":
                    begin = number
                elif line == "}" and begin and number - begin + 1 > FUNCTION_MAX:
                    yield f"{path}:{begin}: a function of more than {FUNCTION_MAX} lines"


def unlinked(tree, overview):
    """Folders that the overview does not lead to, and links that lead nowhere."""
    links = re.findall(r"\]\(\.\./([\w/]+)/README\.md\)", overview)
    for folder in tree.described:
        if folder not in links:
            yield f"docs/architecture.md does not link {folder}/README.md"
    for folder in links:
        if folder not in tree.described:
            yield f"docs/architecture.md links {folder}/README.md, which is not there"


# ---- What is there ----------------------------------------------------------------------------


def source_tree(root):
    files = []
    for top in LEVELS:
        for folder, _, names in os.walk(os.path.join(root, top)):
            files += [os.path.relpath(os.path.join(folder, name), root) for name in names]

    def text(path):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()

    return Tree(files, text)


def built_objects(root, build):
    """What is defined and what is lacked in the objects of source and test files, as nm has it."""
    source_of = {}
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for command in json.load(file):
            path = os.path.relpath(command["file"], root)
            words = shlex.split(command["command"])
            output = os.path.join(command["directory"], words[words.index("-o") + 1])
            if path.split("/")[0] in (*LEVELS, "tests") and os.path.exists(output):
                source_of.setdefault(output, path)
    listing = subprocess.run(["nm", "-A", "-P", "-g", *source_of], check=True, capture_output=True,
                             text=True).stdout
    objects = {path: (set(), set()) for path in source_of.values()}
    for line in listing.splitlines():
        output, symbol, kind = re.match(r"(.*): (\S+) (\S)", line).groups()
        objects[source_of[output]][kind == "U"].add(symbol)
    return objects


# ---- Cases ------------------------------------------------------------------------------------


class Cases:
    def __init__(self):
        self.count = self.failed = 0

    def holds(self, what, faults):
        faults = list(faults)
        self.count += 1
        self.failed += bool(faults)
        print(f"{'not ok' if faults else 'ok'} {self.count} - {what}")
        for fault in faults:
            print(f"# {fault}")

    def finds(self, what, faults, *expected):
        """In a tree that is made up: so many faults, each with these words."""
        faults = list(faults)
        right = len(faults) == len(expected) and all(map(str.__contains__, faults, expected))
        self.holds(what, [] if right else [f"expected {expected}, got {faults}"])


def made_up(files, objects=None):
    tree = Tree(files, files.get)
    tree.read_includes()
    tree.read_calls(objects or {})
    return tree


def check_the_check(cases):
    """It finds what it is for."""
    base = {"format/base/README.md": "May depend on: nothing.\n\n- `a.c`: does it\n",
            "format/base/a.c": "", "format/base/a.h": ""}
    guest = {"kernel/guest/README.md": "May depend on: format/base.\n\n- `g.c`: does it\n",
             "kernel/guest/g.c": '#include "format/base/a.h"\n'}
    both = made_up({**base, **guest})
    cases.finds("nothing is found where all is well", [
        *misnamed(both, "format/base"), *misnamed(both, "kernel/guest"), *circles(both),
        *forbidden(both, "format/base"), *forbidden(both, "kernel/guest"), *upwards(both)])
    tree = made_up({**base, "format/base/b.h": "", "format/base/README.md":
                    "May depend on: nothing.\n\n- `a.c`: it\n- `a.c`: again\n- `c.c`: gone\n"})
    cases.finds("files that are not named, named twice and not there are found",
                misnamed(tree, "format/base"), "does not name b.h", "more than once", "not there")
    tree = made_up({**base, **{f"format/base/x{i}.h": "" for i in range(FILES_MAX)}})
    cases.finds("a folder with too many files is found",
                list(misnamed(tree, "format/base"))[-1:], f"more than {FILES_MAX}")
    tree = made_up({**base, **guest, "format/base/a.c": '#include "kernel/guest/g.h"\n',
                    "kernel/guest/g.h": ""})
    cases.finds("an #include that is not allowed is found", forbidden(tree, "format/base"),
                "a.c includes kernel/guest/g.h")
    cases.finds("an #include that goes up is found", upwards(tree), "format/base must not use")
    cases.finds("a circle of #include lines is found", circles(tree), "a circle: format/base -> ")
    calls = {"format/base/a.c": ({"a", "b"}, {"g", "printf"}), "kernel/guest/g.c": ({"g"}, {"a"})}
    tree = made_up({**base, **guest, "kernel/guest/g.c": ""}, calls)
    cases.finds("a circle of calls is found", circles(tree), "g.c calls a()")
    cases.finds("a call that goes up is found", upwards(tree), "a.c calls g()")
    tree = made_up({"recorder/x.c": '#include "replayer/y.h"\n', "replayer/y.h": ""})
    cases.finds("recorder and replayer are kept apart", upwards(tree), "recorder must not use")
    tree = made_up({**base, **guest, "kernel/guest/g.c": ""})
    cases.finds("what is allowed for nothing is found", forbidden(tree, "kernel/guest"),
                "which nothing in it uses")
    cases.finds("a folder without a line on dependence is found",
                forbidden(made_up({"format/x.c": ""}), "format"), "no line")
    cases.finds("a folder that the overview forgets is found, and one that is gone",
                unlinked(both, "[b](../format/base/README.md) [c](../format/c/README.md)"),
                "does not link kernel/guest", "links format/c")
    cases.finds("what could be static is found", needlessly_global(tree, calls), "a.c: b is used by")
    cases.finds("a file and a function that are too long are found",
                oversized(made_up({"format/a.c": "int a(void)\n{\n" + "\ta();\n" * 600 + "}\n"})),
                "has 603 lines", "a.c:2: a function")
    tree = made_up({"format/page/a.js": 'import { b } from "./model/b.js";\n',
                    "format/page/model/b.js": 'import "../a.js";\n'})
    cases.finds("a circle of scripts is found", circles(tree), "a circle")


def main():
    root, build = map(os.path.realpath, sys.argv[1:3])
    cases = Cases()
    check_the_check(cases)
    tree = source_tree(root)
    tree.read_includes()
    included = sum(map(len, tree.uses.values()))
    objects = built_objects(root, build)
    tree.read_calls(objects)
    sources = [f"{folder}/{name}" for folder in tree.described for name in tree.folders[folder]]
    cases.holds("there is something to look at", [
        f"{what}: {count}" for what, count, least in [
            ("source files", len(sources), 300), ("objects", len(objects), 200),
            ("folders", len(tree.described), 20), ("uses of folders", included, 100)]
        if count < least])
    for folder in tree.described:
        cases.holds(f"{folder}/README.md names every file, and none that is not there",
                    misnamed(tree, folder))
        cases.holds(f"{folder} depends on what its README.md says", forbidden(tree, folder))
    cases.holds("no folder uses one above it", upwards(tree))
    cases.holds("what one file uses alone is static", needlessly_global(tree, objects))
    cases.holds("folders do not use each other in a circle", circles(tree))
    cases.holds("no file and no function is too long", oversized(tree))
    with open(os.path.join(root, "docs/architecture.md"), encoding="utf-8") as file:
        cases.holds("docs/architecture.md links every folder", unlinked(tree, file.read()))
    print(f"1..{cases.count}")
    sys.exit(bool(cases.failed))


if __name__ == "__main__":
    main()
