# SPDX-License-Identifier: BSD-3-Clause
"""A JetStream stream with three replicas: written to, its leader killed, read back.

Speaks the text protocol of NATS: https://docs.nats.io/reference/reference-protocols/nats-protocol
"""
import json
import socket
import time

MESSAGES = 100


class Client:
    def __init__(self, node):
        self.socket = socket.create_connection((f"10.0.0.{node}", 4222), timeout=2)
        self.file = self.socket.makefile("rb")
        self.file.readline()
        self.send(b'CONNECT {"verbose":false}\r\nSUB inbox 1\r\n')

    def send(self, data):
        self.socket.sendall(data)

    def request(self, subject, body):
        """The reply to one message, as JSON."""
        data = body.encode()
        self.send(f"PUB {subject} inbox {len(data)}\r\n".encode() + data + b"\r\n")
        while True:
            line = self.file.readline().decode()
            if line.startswith("PING"):
                self.send(b"PONG\r\n")
            elif line.startswith("MSG"):
                return json.loads(self.file.read(int(line.split()[-1]) + 2))
            elif not line or line.startswith("-ERR"):
                raise OSError(line or "closed")


def until_answered(nodes, subject, body, good):
    """Asks the nodes in turn until the answer is good, for a minute."""
    answer = None
    for i in range(600):
        try:
            answer = Client(nodes[i % len(nodes)]).request(subject, body)
            if good(answer):
                return answer
        except OSError as error:
            answer = error
        time.sleep(0.1)
    raise SystemExit(f"{subject}: {answer}")


def no_error(answer):
    return "error" not in answer


def tell(node, line):
    with socket.create_connection((f"10.0.0.{node}", 7)) as connection:
        connection.sendall(line.encode() + b"\n")


def leader_of(answer):
    return int(answer["cluster"].get("leader", "n0")[1:])


stream = json.dumps({"name": "S", "subjects": ["s.*"], "num_replicas": 3, "storage": "file"})
answer = until_answered([3], "$JS.API.STREAM.CREATE.S", stream, no_error)
leader = leader_of(until_answered([3], "$JS.API.STREAM.INFO.S", "", lambda a: no_error(a) and leader_of(a)))
client = Client(3)
for i in range(MESSAGES):
    assert client.request(f"s.{i}", f"message {i}").get("seq") == i + 1
print(f"n{leader} leads, has {MESSAGES} messages, and is killed", flush=True)
if leader == 3:
    import subprocess
    subprocess.run(["pkill", "-KILL", "nats-server"], check=True)
else:
    tell(leader, "pkill -KILL nats-server")
others = [node for node in (1, 2, 3) if node != leader]
info = until_answered(others, "$JS.API.STREAM.INFO.S", "",
                      lambda a: no_error(a) and leader_of(a) not in (0, leader))
print(f"n{leader_of(info)} leads now and has {info['state']['messages']} messages", flush=True)
assert info["state"]["messages"] == MESSAGES
until_answered(others, "s.after", "one more", lambda a: a.get("seq") == MESSAGES + 1)
