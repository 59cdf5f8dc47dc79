# SPDX-License-Identifier: BSD-3-Clause
"""Once a second for an hour: a row in a database, a child process, every minute a line."""
import hashlib
import os
import sqlite3
import subprocess
import time

connection = sqlite3.connect("/var/tmp/hour.db")
connection.execute("create table seconds (at integer, load text, hash text)")
start = time.monotonic()
for second in range(3600):
    with open("/proc/loadavg") as file:
        load = file.read().strip()
    row = (time.time_ns(), load, hashlib.sha256(os.urandom(16)).hexdigest())
    connection.execute("insert into seconds values (?, ?, ?)", row)
    connection.commit()
    if second % 60 == 0:
        subprocess.run(["date", "+%T.%N"], check=True)
    time.sleep(max(0, start + second + 1 - time.monotonic()))
print(connection.execute("select count(*), max(hash) from seconds").fetchone())
