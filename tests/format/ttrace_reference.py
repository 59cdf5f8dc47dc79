#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A second reader of traces, written from docs/ttrace.5 alone.

Prints what "ttdump show --json" prints. The zstd command decompresses and checks checksums; the
XXH3 chains are not checked here. Kinds and operations are read out of the page, so that a page which
says something else than the library does is found out.

  ttrace_reference.py PAGE TRACE
"""
import json
import re
import struct
import subprocess
import sys
import uuid

MASK = (1 << 64) - 1
NEVER = (1 << 63) - 1


def read_page(path):
    page = open(path, encoding="utf-8").read()
    kinds = {}
    table = page.split("Kind\tNo\tDir\tPayload\tFields\n")[1].split(".TE")[0]
    for line in table.splitlines():
        name, number, direction, payload, *fields = line.split("\t")
        fields = [field.split(":") for field in " ".join(fields).split()]
        kinds[int(number)] = (name, direction, payload, fields)
    sentence = page.split("um_timetravel.h :")[1].split(".\\\" end of operations")[0]
    return kinds, {int(n): name for n, name in re.findall(r"(\d+) ([A-Z_]+)", sentence)}


class Column:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value & MASK

    def difference(self):
        value = self.varint()
        return (value >> 1) ^ (-(value & 1) & MASK)

    def take(self, size):
        self.at += size
        return self.data[self.at - size : self.at]


class Guest:
    def __init__(self):
        self.offset = self.pending = self.step = 0
        self.from_seq = self.from_op = self.to_seq = 0


class Chunk:
    """State of the predictions, and the records of one chunk."""

    def __init__(self, body, guests, count, number, now, operations):
        body = Column(body)
        body.take(12 * guests)
        sizes = [body.varint() for _ in range(19)]
        columns = [Column(body.take(size)) for size in sizes]
        assert body.at == len(body.data)
        (self.tags, self.contexts, self.guest_column, self.nows, self.ops, self.seqs, self.times,
         *self.planes, self.kinds, self.fields, self.sizes, self.payloads) = columns
        self.columns, self.count, self.number, self.now = columns, count, number, now
        self.op = {name: number for number, name in operations.items()}
        self.guest = self.to_seq = self.tod = self.free = self.broadcast = 0
        self.each = self.late = False
        self.guests, self.last = {}, {}

    def records(self):
        for i in range(self.count):
            yield {"number": self.number + i, **self.record()}
        assert all(column.at == len(column.data) for column in self.columns)

    def record(self):
        tag = self.tags.byte()
        context = self.contexts.byte() if tag & 0x80 else 0
        if context & 1:
            self.guest = self.guest_column.varint()
        guest = self.guests.setdefault(self.guest, Guest())
        if tag & 15 == 15:
            kind, fields, now = self.other(guest, context)
        else:
            kind, fields, now = self.message(guest, tag, context)
        payload = self.payloads.take(self.sizes.varint()) if context & 4 else b""
        return {"now": now, "guest": self.guest, "kind": kind, "fields": fields,
                "payload": payload}

    def decoded_now(self, predicted, context):
        return (predicted + (self.nows.difference() if context & 2 else 0)) & MASK

    def other(self, guest, context):
        kind, count = self.kinds.byte(), self.kinds.byte()
        last = self.last.setdefault(kind, [0] * 4)
        for i in range(count):
            last[i] = (last[i] + self.fields.difference()) & MASK
        self.now = self.decoded_now(self.now, context)
        if kind == 8:
            guest.offset = last[1]
        return kind, last[:count], self.now

    def message(self, guest, tag, context):
        op, to = tag & 15, bool(tag & 0x10)
        if op == 10:
            op = self.ops.varint()
        base = (self.now - guest.offset) & MASK
        seq, time = (self.predict_to if to else self.predict_from)(guest, op, base)
        if tag & 0x20:
            seq += self.seqs.difference()
        if tag & 0x40:
            time = self.time(guest, base)
        seq, time = seq & MASK, time & MASK
        moves = op == self.op["RUN"] if to else op == self.op["UPDATE"] and not self.late
        now = self.decoded_now(time + guest.offset if moves else self.now, context)
        (self.learn_to if to else self.learn_from)(guest, op, seq, time, now)
        return 2 if to else 1, [op, seq, time], now

    def time(self, guest, base):
        code = self.times.byte()
        if code in (9, 10, 11, 12):
            return {9: 0, 10: NEVER, 11: MASK, 12: guest.pending}[code]
        value = sum(self.planes[i].byte() << 8 * i for i in range(code & 15))
        return value if code >= 16 else base + value

    def predict_from(self, guest, op, base):
        if op == self.op["ACK"]:
            return guest.to_seq, 0
        if op == self.op["REQUEST"]:
            time = base + guest.step
        elif op in (self.op["WAIT"], self.op["GET"], self.op["GET_TOD"]):
            time = MASK
        elif op == self.op["UPDATE"]:
            time = base
        else:
            time = self.broadcast if op == self.op["BROADCAST"] else 0
        return guest.from_seq + 1, time

    def predict_to(self, guest, op, base):
        if op == self.op["ACK"]:
            if guest.from_op == self.op["GET"]:
                return guest.from_seq, base
            if guest.from_op == self.op["GET_TOD"]:
                return guest.from_seq, self.tod + self.now
            return guest.from_seq, 0
        time = {self.op["RUN"]: guest.pending, self.op["FREE_UNTIL"]: self.free - guest.offset,
                self.op["BROADCAST"]: self.broadcast}.get(op, 0)
        return (guest.to_seq if self.each else self.to_seq) + 1, time

    def learn_from(self, guest, op, seq, time, now):
        before, self.now = self.now, now
        if op == self.op["ACK"]:
            return
        guest.from_seq, guest.from_op = seq, op
        if op == self.op["REQUEST"]:
            guest.pending, guest.step = time, time - (before - guest.offset)
        elif op == self.op["UPDATE"]:
            told = (time + guest.offset) & MASK
            if told != before:
                self.late = now == before
            if self.late:
                self.now = told
        elif op == self.op["BROADCAST"]:
            self.broadcast = time

    def learn_to(self, guest, op, seq, time, now):
        self.now = now
        if op == self.op["ACK"]:
            if guest.from_op == self.op["GET_TOD"]:
                self.tod = time - now
            return
        if seq != (self.to_seq + 1) & MASK:
            self.each = seq == (guest.to_seq + 1) & MASK
        elif seq != (guest.to_seq + 1) & MASK:
            self.each = False
        guest.to_seq = self.to_seq = seq
        if op == self.op["RUN"]:
            guest.offset = (now - time) & MASK
        elif op == self.op["FREE_UNTIL"]:
            self.free = time + guest.offset
        elif op == self.op["BROADCAST"]:
            self.broadcast = time


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def field_json(unit, value, operations):
    if unit == "OP" and value in operations:
        return operations[value]
    return f"0x{value:x}" if unit == "HEX" else signed(value)


def record_json(record, kinds, operations):
    name, direction, payload, fields = kinds[record["kind"]]
    out = {"number": record["number"], "now": signed(record["now"]), "guest": record["guest"],
           "kind": name, "direction": direction}
    for (field, unit), value in zip(fields, record["fields"]):
        out[field] = field_json(unit, value, operations)
    if record["payload"]:
        try:
            assert payload == "text"
            out["text"] = record["payload"].decode("utf-8")
        except (AssertionError, UnicodeDecodeError):
            out["hex"] = record["payload"].hex()
    return out


def frames(path):
    """The contents of the frames; their ends are found by their block headers (RFC 8878)."""
    data, at = open(path, "rb").read(), 0
    while struct.unpack_from("<I", data, at)[0] == 0xFD2FB528:
        descriptor = data[at + 4]
        single = descriptor >> 5 & 1
        size = (1, 2, 4, 8)[descriptor >> 6] if descriptor >> 6 or single else 0
        end = at + 5 + (not single) + (0, 1, 2, 4)[descriptor & 3] + size
        last = False
        while not last:
            header = int.from_bytes(data[end : end + 3], "little")
            last = header & 1
            end += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)
        end += 4 * (descriptor >> 2 & 1)
        yield subprocess.run(["zstd", "-qdc"], input=data[at:end], stdout=subprocess.PIPE,
                             check=True).stdout
        at = end
    magic, size = struct.unpack_from("<II", data, at)
    assert magic == 0x184D2A54 and at + 8 + size == len(data)


def main(page, trace):
    kinds, operations = read_page(page)
    total = 0
    for content in frames(trace):
        kind, _, guests, count, number, now, _ = struct.unpack_from("<cBHIQQQ", content)
        body = content[32:]
        assert number == total
        if kind == b"H":
            magic, version = struct.unpack_from("<8sH", body)
            assert magic == b"TTTRACE\n"
            print(json.dumps({"version": version, "uuid": str(uuid.UUID(bytes=body[32:48]))}))
        elif kind == b"R":
            for record in Chunk(body, guests, count, number, now, operations).records():
                print(json.dumps(record_json(record, kinds, operations)))
            total += count
        elif kind == b"E":
            return
    raise SystemExit("the trace has no end")


main(*sys.argv[1:])
