#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An export for Perfetto against the records it was made of.

	perfetto_compare.py TTDUMP PROTO TRACE [DELAY]

The export is decoded by protoc with PROTO, records are those of ttdump show --json. Tracks, slices,
instants, flows and counters are derived from the records a second time here. With DELAY, in ns, the
sender of each frame must be known, and be so much earlier.
"""
import collections
import json
import os
import re
import subprocess
import sys

MS = 1000000
VIRTIO_HEADER = 12
DEVICE_KINDS = ("attach", "request", "kick", "used", "call", "detach", "cut")
Event = collections.namedtuple("Event", "now track type name notes begins ends value")


def parse_text(lines):
    """protoc's text format: fields by name, each a list; messages as dictionaries."""
    root, stack = {}, []
    current = root
    for line in lines:
        line = line.strip()
        if line.endswith("{"):
            inner = {}
            current.setdefault(line[:-2], []).append(inner)
            stack.append(current)
            current = inner
        elif line == "}":
            current = stack.pop()
        else:
            name, value = line.split(": ", 1)
            assert not name.isdigit(), "a field that the schema does not have: " + line
            current.setdefault(name, []).append(value)
    return root


def text(value):
    """A string of the text format, which escapes what is not ASCII byte by byte."""
    return value[1:-1].encode().decode("unicode_escape").encode("latin-1").decode()


class Export:
    def __init__(self, ttdump, proto, trace):
        exported = subprocess.run([ttdump, "export", "perfetto", trace], stdout=subprocess.PIPE,
                                  check=True).stdout
        decoded = subprocess.run(["protoc", "--decode=perfetto.protos.Trace",
                                  "-I", os.path.dirname(proto), os.path.basename(proto)],
                                 input=exported, stdout=subprocess.PIPE, check=True).stdout
        self.names, self.notes, self.tracks, self.events = {}, {}, {}, []
        for packet in parse_text(decoded.decode().splitlines())["packet"]:
            self.take(packet)

    def take(self, packet):
        for interned in packet.get("interned_data", []):
            for names, key in (self.names, "event_names"), (self.notes, "debug_annotation_names"):
                names.update((name["iid"][0], text(name["name"][0])) for name in interned[key])
        for track in packet.get("track_descriptor", []):
            assert track["uuid"][0] not in self.tracks, "a track is described twice"
            self.tracks[track["uuid"][0]] = track
        for event in packet.get("track_event", []):
            assert event["track_uuid"][0] in self.tracks, "an event on no track"
            self.events.append(self.event(int(packet["timestamp"][0]), event))

    def event(self, now, event):
        notes = {self.notes[note["name_iid"][0]]: self.note(note)
                 for note in event.get("debug_annotations", [])}
        name = text(event["name"][0]) if "name" in event else \
            self.names.get(event.get("name_iid", [""])[0])
        return Event(now, self.path(event["track_uuid"][0]), event["type"][0][5:], name, notes,
                     event.get("flow_ids", []), event.get("terminating_flow_ids", []),
                     int(event.get("counter_value", ["0"])[0]))

    @staticmethod
    def note(note):
        for key in "uint_value", "int_value":
            if key in note:
                return int(note[key][0])
        if "pointer_value" in note:
            return hex(int(note["pointer_value"][0]))
        return text(note["string_value"][0])

    def path(self, uuid):
        """Process and track."""
        track = self.tracks[uuid]
        name = text(track["name"][0])
        if "process" in track:
            return name, None
        parent = track.get("parent_uuid")
        return (text(self.tracks[parent[0]]["name"][0]) if parent else None), name

    def on(self, guest, name):
        return [event for event in self.events if event.track == (guest, name)]


class Recording:
    def __init__(self, ttdump, trace):
        shown = subprocess.run([ttdump, "export", "json", trace], stdout=subprocess.PIPE, check=True)
        document = json.loads(shown.stdout)
        self.guests, self.records = document["guests"], document["records"]

    def of(self, guest, *kinds):
        return [r for r in self.records if r["guest"] == guest["guest"] and r["kind"] in kinds]

    def guest_of_address(self, mac):
        return next((guest["name"] for guest in self.guests
                     for device in guest["devices"] if device.get("mac") == mac), None)


def same(what, expected, found):
    if expected == found:
        return
    for i, (a, b) in enumerate(zip(expected, found)):
        if a != b:
            raise SystemExit(f"{what}: number {i}: expected {a}, found {b}")
    raise SystemExit(f"{what}: expected {len(expected)}, found {len(found)}")


def slices(events):
    """(begin, end, record) of slices that do not overlap."""
    found, begun = [], None
    for event in events:
        if event.type == "SLICE_BEGIN":
            assert begun is None, "a slice begins in a slice"
            begun = event
        else:
            found.append((begun.now, event.now, begun.notes["record"]))
            begun = None
    assert begun is None, "a slice does not end"
    return found


def spans(records, begins, ends, last):
    """The same from records: what begins and ends them are sets of (kind, op)."""
    found, begun = [], None
    for record in records:
        key = record["kind"], record.get("op")
        if begun and key in ends:
            found.append((begun["now"], record["now"], begun["number"]))
            begun = None
        if not begun and key in begins:
            begun = record
    if begun:
        found.append((begun["now"], last, begun["number"]))
    return found


START, RUN, WAIT = ("from", "START"), ("to", "RUN"), ("from", "WAIT")
GONE = {("leave", None), ("exit", None)}


def check_runs(export, recording, guest):
    records = recording.of(guest, "from", "to", "leave", "exit")
    last = recording.records[-1]["now"]
    same("runs", spans(records, {START, RUN}, {WAIT} | GONE, last),
         slices(export.on(guest["name"], "runs")))
    same("waits", spans(records, {WAIT}, {START, RUN} | GONE, last),
         slices(export.on(guest["name"], "waits")))


COMMON = ("number", "now", "guest", "kind", "direction", "op", "text", "hex", "network", "frame")


def fields(record):
    """What the kind of record has of its own; a time that is none is not there."""
    return sorted((key, value) for key, value in record.items()
                  if key not in COMMON and not key.endswith("_name") and value is not None)


def check_instants(what, records, events):
    same(what, [(r["number"], r["now"], r.get("op", r["kind"])) for r in records],
         [(e.notes["record"], e.now, e.name) for e in events])
    for record, event in zip(records, events):
        same(f"{what}, fields of {record['number']}", fields(record),
             sorted((key, value) for key, value in event.notes.items()
                    if key not in ("record", "peer", "bytes")))


def check_messages(export, recording, guest):
    records = [r for r in recording.of(guest, "from", "to") if r["op"] not in ("ACK", "RUN", "WAIT")]
    check_instants("messages", records, export.on(guest["name"], "messages"))


def check_devices(export, recording, guest):
    for device in guest["devices"]:
        records = [r for r in recording.of(guest, *DEVICE_KINDS) if r["device"] == device["device"]]
        track = f"device {device['device']} {device['name']}"
        check_instants(track, records, export.on(guest["name"], track))


def check_console(export, recording, guest):
    printed = "".join(r["text"] for r in recording.of(guest, "console")).replace("\r", "")
    lines = [re.sub(r"[\x00-\x1f\x7f]", "?", line) for line in printed.split("\n") if line]
    events = export.on(guest["name"], "console")
    same("console", lines, [event.name for event in events if not event.name.startswith("input: ")])


def sums(pairs):
    """A counter of ms: what is added, and a zero behind the last ms of each."""
    per_ms = collections.Counter()
    for now, amount in pairs:
        per_ms[now // MS] += amount
    found = {ms * MS: amount for ms, amount in per_ms.items()}
    for ms in per_ms:
        found.setdefault((ms + 1) * MS, 0)
    return sorted(found.items())


def check_counter(what, expected, events):
    assert all(event.type == "COUNTER" for event in events)
    same(what, expected, sorted((event.now, event.value) for event in events))


def changed_blocks(block_hashes):
    """Varint and four bytes for each block."""
    count = position = 0
    while position < len(block_hashes):
        while block_hashes[position] & 0x80:
            position += 1
        position += 5
        count += 1
    return count


def check_counters(export, recording, guest):
    name = guest["name"]
    check_counter("messages per ms", sums((r["now"], 1) for r in recording.of(guest, "from", "to")),
                  export.on(name, "messages per ms"))
    check_counter("console per ms",
                  sums((r["now"], len(r["text"].encode())) for r in recording.of(guest, "console")),
                  export.on(name, "console per ms"))
    for region, track in enumerate(("RAM changed", "kernel data changed")):
        digests = [r for r in recording.of(guest, "digest") if r["region"] == region]
        check_counter(track, sorted((r["now"], changed_blocks(bytes.fromhex(r.get("hex", ""))) *
                                     r["block_size"]) for r in digests), export.on(name, track))


def begins_by_flow(export):
    begins = {}
    for event in export.events:
        for flow in event.begins:
            assert flow not in begins, "a flow begins twice"
            begins[flow] = event
    return begins


def check_wakers(export, recording, guest, begins):
    """Each run is reached by the last REQUEST and the last call before it."""
    pending, expected = {}, []
    for record in recording.of(guest, "from", "to", "call"):
        if record.get("op") == "REQUEST" or record["kind"] == "call":
            pending[record["kind"]] = record["number"]
        if (record["kind"], record.get("op")) == RUN:
            expected += [(number, record["number"]) for number in pending.values()]
            pending = {}
    found = [(begins[flow].notes["record"], run.notes["record"])
             for run in export.on(guest["name"], "runs") for flow in run.ends]
    same("flows to runs", sorted(expected), sorted(found))


def frames_of(recording):
    return [r for r in recording.records if "frame" in r and r["kind"] == "used"]


def frame_size(record):
    return record["skip"] + len(record["hex"]) // 2 - VIRTIO_HEADER


def check_sender(record, event, recording, begins, delay):
    """The flow of a frame comes from whose address it carries."""
    start = 2 * (VIRTIO_HEADER - record["skip"])
    mac = ":".join(re.findall("..", record["hex"][start + 12:start + 24]))
    sender = recording.guest_of_address(mac)
    sending = begins[event.ends[0]]
    same("senders", [sender, sender, record["guest_name"], event.name.split(" ", 1)[1]],
         [event.notes["peer"], sending.track[0], sending.notes["peer"],
          sending.name.split(" ", 1)[1]])
    assert delay is None or sending.now == record["now"] - delay, (sending, record)


def check_frames(export, recording, begins, delay):
    """How many frames there are, and of how many the sender is known."""
    frames = frames_of(recording)
    events = [e for e in export.events if (e.name or "").startswith("receive ")]
    same("frames", [(r["number"], r["now"], "receive " + r["frame"], frame_size(r),
                     (r["guest_name"], f"device {r['device']} {r['device_name']}: frames")) for r in frames],
         [(e.notes["record"], e.now, e.name, e.notes["bytes"], e.track) for e in events])
    sent = [(record, event) for record, event in zip(frames, events) if event.ends]
    assert delay is None or len(sent) == len(frames), "not all senders are known"
    for record, event in sent:
        check_sender(record, event, recording, begins, delay)
    for network in {r["network"] for r in frames}:
        check_counter(network, sums((r["now"], frame_size(r)) for r in frames
                                    if r["network"] == network), export.on(None, network + " per ms"))
    return len(frames), len(sent)


def check_broadcasts(export, recording, begins):
    sent, expected = None, []
    for record in recording.records:
        if record.get("op") == "BROADCAST" and record["kind"] == "from":
            sent = record["number"]
        elif record.get("op") == "BROADCAST":
            expected.append((sent, record["number"]))
    found = [(begins[flow].notes["record"], event.notes["record"]) for event in export.events
             if event.name == "BROADCAST" for flow in event.ends]
    same("broadcasts", expected, found)
    return len(found)


def main():
    ttdump, proto, trace = sys.argv[1:4]
    delay = int(sys.argv[4]) if len(sys.argv) > 4 else None
    export, recording = Export(ttdump, proto, trace), Recording(ttdump, trace)
    begins = begins_by_flow(export)
    processes = [text(t["process"][0]["process_name"][0]) for t in export.tracks.values()
                 if "process" in t]
    same("processes", sorted(guest["name"] for guest in recording.guests), sorted(processes))
    for guest in recording.guests:
        for check in (check_runs, check_messages, check_devices, check_console, check_counters):
            check(export, recording, guest)
        check_wakers(export, recording, guest, begins)
    frames, sent = check_frames(export, recording, begins, delay)
    broadcasts = check_broadcasts(export, recording, begins)
    print(f"{len(export.events)} events on {len(export.tracks)} tracks agree with "
          f"{len(recording.records)} records: {frames} frames, {sent} with sender, "
          f"{broadcasts} broadcasts")


if __name__ == "__main__":
    main()
