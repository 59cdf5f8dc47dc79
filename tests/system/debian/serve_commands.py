# SPDX-License-Identifier: BSD-3-Clause
"""Runs the lines that arrive at port 7, one a connection, until one is "end"."""
import socket
import subprocess

listener = socket.create_server(("", 7))
while True:
    connection, _ = listener.accept()
    with connection:
        line = connection.makefile().readline().strip()
    if line == "end":
        break
    print("told:", line, flush=True)
    subprocess.run(line, shell=True, check=True)
