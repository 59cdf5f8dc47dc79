#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make "another build" of a kernel: copies it with a text replaced, or with a function that returns.

    patch_kernel.py KERNEL COPY text OLD NEW    (of the same length)
    patch_kernel.py KERNEL COPY return SYMBOL   (it returns 0 and does nothing)
"""
import os
import struct
import sys


def replace_text(image, old, new):
    if len(old) != len(new) or old not in image:
        sys.exit(f"cannot put {new!r} in place of {old!r}")
    return image.replace(old, new)


def sections(image):
    """(type, address, offset, size, link) of each."""
    offset, = struct.unpack_from("<Q", image, 40)
    size, count = struct.unpack_from("<HH", image, 58)
    for i in range(count):
        fields = struct.unpack_from("<IIQQQQII", image, offset + i * size)
        yield fields[1], fields[3], fields[4], fields[5], fields[6]


def find_symbol(image, name):
    """Its place in the file."""
    table = list(sections(image))
    for kind, _, offset, size, link in table:
        if kind != 2:  # SHT_SYMTAB
            continue
        names = table[link][2]
        for at in range(offset, offset + size, 24):
            text, _, _, section, value = struct.unpack_from("<IBBHQ", image, at)
            if image[names + text:image.index(b"\0", names + text)] == name and section < len(table):
                _, address, start, _, _ = table[section]
                return value - address + start
    sys.exit(f"no symbol {name!r}")


def patch(image, how, arguments):
    if how == "text":
        return replace_text(image, *arguments)
    place = find_symbol(image, arguments[0])
    code = b"\x31\xc0\xc3"  # xor %eax,%eax; ret
    return image[:place] + code + image[place + len(code):]


def main():
    source, copy, how, *arguments = sys.argv[1:]
    with open(source, "rb") as file:
        image = file.read()
    with open(copy, "wb") as file:
        file.write(patch(image, how, [argument.encode() for argument in arguments]))
    os.chmod(copy, 0o755)


main()
