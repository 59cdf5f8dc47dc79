#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes tar archives that no exporter writes into the current directory, and one that is allowed to be odd."""
import io
import tarfile


def make(name, *entries):
    with tarfile.open(name, "w", format=tarfile.PAX_FORMAT) as archive:
        for path, content, attributes in entries:
            info = tarfile.TarInfo(path)
            info.size = len(content)
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))


HARD, SOFT, DIRECTORY = tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE

make("dotdot.tar", ("a/../../etc/passwd", b"x", {}))
make("hard.tar", ("x", b"", {"type": HARD, "linkname": "/etc/passwd"}))
make("climb.tar", ("x", b"", {"type": HARD, "linkname": "../../etc/passwd"}))
make("through.tar", ("d", b"", {"type": SOFT, "linkname": "/tmp"}), ("d/x", b"x", {}))
make("file.tar", ("f", b"x", {}), ("f/x", b"x", {}))
make("full.tar", ("d/x", b"x", {}), ("d", b"y", {}))
make("long.tar", ("n" * 300, b"x", {}))

with open("tree/sbin/init", "rb") as file:
    init = file.read()
with open("tree/bin/busybox", "rb") as file:
    busybox = file.read()
make(
    "odd.tar",
    ("bin/busybox", busybox, {"mode": 0o755}),
    ("/sbin/init", b"not this one", {"mode": 0o600}),
    ("./sbin//init", init, {"mode": 0o755}),
    ("proc", b"", {"type": DIRECTORY, "mode": 0o555}),
    ("dev", b"", {"type": DIRECTORY, "mode": 0o755}),
    ("out", b"", {"type": SOFT, "linkname": "/../../../etc/passwd"}),
    ("latin-\udce9", b"x", {}),
    ("umlaut-\u00fc", b"x", {}),
    ("null", b"", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3, "mode": 0o666}),
    ("first", b"1234", {"uid": 1234, "gid": 5678, "mode": 0o4751, "mtime": 86400}),
    ("second", b"", {"type": HARD, "linkname": "first"}),
    ("dir", b"", {"type": DIRECTORY, "mode": 0o755}),
    ("dir/kept", b"kept", {}),
    ("dir", b"", {"type": DIRECTORY, "mode": 0o700}),
)

# A size that is more than there is, one that is not a number.
make("short.tar", ("x", b"x" * 2000, {}))
with open("short.tar", "rb") as file:
    data = file.read()
with open("short.tar", "wb") as file:
    file.write(data[:1500])
with open("size.tar", "wb") as file:
    head = bytearray(data[:512])
    head[124:136] = b"77777777777\0"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    file.write(bytes(head) + data[512:])
