# SPDX-License-Identifier: BSD-3-Clause
"""Threads, an event loop, a database and what a program asks of the processor and the kernel."""
import asyncio
import hashlib
import os
import queue
import random
import sqlite3
import subprocess
import tempfile
import threading
import time
import uuid


def threads():
    jobs, done = queue.Queue(), queue.Queue()

    def work(name):
        while (job := jobs.get()) is not None:
            done.put((name, hashlib.sha256(str(job).encode()).hexdigest()))
            time.sleep(random.random() / 1000)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for job in range(200):
        jobs.put(job)
    for worker in workers:
        jobs.put(None)
    for worker in workers:
        worker.join()
    shares = [0] * 8
    while not done.empty():
        shares[done.get()[0]] += 1
    print("threads", shares)


async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()


async def ask(port, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(random.random() / 100)
    writer.write(text.encode() + b"\n")
    answer = await reader.readline()
    writer.close()
    return answer


async def event_loop():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    order = []
    for answer in asyncio.as_completed([ask(port, str(i)) for i in range(30)]):
        order.append(int(await answer))
    print("asyncio", port, order)
    server.close()


def database():
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        connection = sqlite3.connect(file.name)
        connection.execute("create table t (id integer primary key, word text, n real)")
        for i in range(300):
            connection.execute("insert into t (word, n) values (?, ?)", (str(uuid.uuid4()), random.random()))
            if i % 50 == 0:
                connection.commit()
        connection.commit()
        print("sqlite3", connection.execute("select count(*), max(word), sum(n) from t").fetchone())


def machine():
    print("hash", hash("text"), id(object()) % 4096, os.getpid(), os.urandom(4).hex())
    print("clocks", time.monotonic_ns(), time.process_time_ns(), time.perf_counter_ns(), time.time_ns())
    print(subprocess.run(["uname", "-sr"], capture_output=True, check=True, text=True).stdout.strip())


threads()
asyncio.run(event_loop())
database()
machine()
