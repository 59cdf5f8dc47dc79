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
FACTOR = 0x9E3779B97F4A7C15


def read_page(path):
    page = open(path, encoding="utf-8").read()
    kinds = {}
    table = page.split("Kind\tNo\tDir\tPayload\tFields\n")[1].split(".TE")[0]
    table = table.replace("T{\n", "").replace("\nT}", "")
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


def place(key):
    return (key * FACTOR & MASK) >> 52


def history_message(history, op, to):
    return ((history << 3) ^ (min(op, 10) + 1 + 16 * to) * FACTOR) & MASK if op else history


def history_record(history, kind):
    return ((history << 3) ^ (64 + kind) * FACTOR) & MASK


class Guest:
    def __init__(self):
        self.offset = self.pending = self.lag = self.history = self.kind = 0
        self.step = [0] * 8
        self.from_seq = self.from_op = self.to_seq = 0


class Series:
    def __init__(self):
        self.last, self.step, self.follows = [0, 0], [0, 0], [False, False]
        self.started, self.size = False, 0


class Runs:
    """Which token is expected."""

    def __init__(self):
        self.left = self.guest = self.long_place = self.short_place = 0
        self.history, self.long, self.short = [0] * 256, {}, {}

    def expect(self):
        return self.long.get(self.long_place) or self.short[self.short_place]

    def learn(self, token):
        tag, _, guest, kind, _ = token
        self.long[self.long_place] = self.short[self.short_place] = token
        if guest is not None:
            self.guest = guest
        h = self.history[self.guest % 256]
        if tag & 15 == 15:
            h = history_record(h, kind)
        else:
            h = history_message(h, tag & 15, tag >> 4 & 1)
        self.history[self.guest % 256] = h
        k = 2 * self.guest + (tag & 15 == 0)
        self.long_place, self.short_place = place(h + k), place((h & 0x3FFFF) + k)


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
        self.kicked, self.runs, self.strides = now, Runs(), {}
        self.guests, self.series, self.sequels = {}, {}, {}

    def records(self):
        for i in range(self.count):
            yield {"number": self.number + i, **self.record()}
        assert self.runs.left == 0
        assert all(column.at == len(column.data) for column in self.columns)

    def token(self):
        if not self.runs.left:
            tag = self.tags.byte()
            if not 11 <= tag & 15 <= 14:
                return self.new_token(tag)
            self.runs.left = ((tag & 15) - 11) * 16 + (tag >> 4) + 1
        self.runs.left -= 1
        return self.runs.expect()

    def new_token(self, tag):
        context = self.contexts.byte() if tag & 0x80 else 0
        guest = self.guest_column.varint() if context & 1 else None
        other = tag & 15 == 15
        kind, fields = (self.kinds.byte(), self.kinds.byte()) if other else (None, None)
        return tag, context, guest, kind, fields

    def record(self):
        token = self.token()
        self.runs.learn(token)
        tag, context, guest, kind, fields = token
        if guest is not None:
            self.guest = guest
        guest = self.guests.setdefault(self.guest, Guest())
        if tag & 15 == 15:
            fields, now, payload = self.other(guest, kind, fields, context)
        else:
            kind, fields, now = self.message(guest, tag, context)
            payload = self.payloads.take(self.sizes.varint() if context & 4 else 0)
        return {"now": now, "guest": self.guest, "kind": kind, "fields": fields,
                "payload": payload}

    def decoded_now(self, predicted, context):
        return (predicted + (self.nows.difference() if context & 2 else 0)) & MASK

    def other(self, guest, kind, described, context):
        p, values = self.guest * 64 + kind, []
        sequel = self.sequels.setdefault(place(p + (guest.kind << 32)), [0] * 4)
        first = series = self.series.setdefault(place(p), Series())
        for i in range(described & 7):
            if i == 2:
                series.started = True
                pair = (256 * values[0] + values[1] + 1) << 32
                series = self.series.setdefault(place(p + pair), Series())
            values.append(self.field(series, sequel, i, described >> (4 + i) & 1))
        lag = (values + [0] * 4)[3] if kind == 26 else guest.lag
        due = (self.kicked + lag) & MASK
        if kind not in (17, 24, 26) or not 0 < (due - self.now) & MASK <= NEVER:
            due = self.now
        now = self.decoded_now(due, context)
        size = self.sizes.varint() if context & 4 else first.size
        first.size, first.started, series.started = size, True, True
        self.now, guest.kind = now, kind
        guest.history = history_record(guest.history, kind)
        if kind == 8:
            guest.offset = values[1]
        elif kind == 16:
            self.kicked = now
        elif kind in (17, 24, 26):
            guest.lag = (now - self.kicked) & MASK
        return values, now, self.payloads.take(size)

    def field(self, series, sequel, i, differs):
        j = i % 2
        counted, followed = (series.last[j] + series.step[j]) & MASK, sequel[i]
        value = followed if series.follows[j] else counted
        if differs:
            value = (value + self.fields.difference()) & MASK
        if counted != followed and value in (counted, followed):
            series.follows[j] = value == followed
        series.step[j] = (value - series.last[j]) & MASK if series.started else 0
        series.last[j] = sequel[i] = value
        return value

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

    def stride(self, guest):
        return place(guest.history + self.guest)

    def predict_from(self, guest, op, base):
        if op == self.op["ACK"]:
            return guest.to_seq, 0
        if op == self.op["REQUEST"]:
            time = base + self.strides.get(self.stride(guest), guest.step[guest.from_op % 8])
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
        if op == self.op["REQUEST"]:
            guest.pending, step = time, time - (before - guest.offset)
            self.strides[self.stride(guest)] = guest.step[guest.from_op % 8] = step
        elif op == self.op["UPDATE"]:
            told = (time + guest.offset) & MASK
            if told != before:
                self.late = now == before
            if self.late:
                self.now = told
        elif op == self.op["BROADCAST"]:
            self.broadcast = time
        guest.from_seq, guest.from_op = seq, op
        guest.history = history_message(guest.history, op, False)

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
        guest.history = history_message(guest.history, op, True)
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
    if unit == "HEX":
        return f"0x{value:x}"
    if unit == "SIGNED":
        return signed(value)
    if unit == "NS" and value == MASK:
        return None
    return str(value) if value >> 63 else value


def record_json(record, kinds, operations):
    name, direction, payload, fields = kinds[record["kind"]]
    out = {"number": record["number"], "now": field_json("NS", record["now"], operations), "guest": record["guest"],
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
