#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What tshark decodes of an export is what ttdump shows of the trace.

    pcapng_compare.py TTDUMP DISSECTOR TRACE [LEFT]

Every record is a packet with the same fields. Every frame that a guest kicked off is a packet of its
network at that time, but for at most LEFT (0) that were on their way when the recording ended; and
whoever received it is named. Exits 1 and says what differs.
"""
import collections
import decimal
import json
import re
import subprocess
import sys

BYTES_MAX = 64  # of a binary payload that are in a packet
UNITS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
DEFINED_ELSEWHERE = {"now", "frame", "network", "hex", "text"}


def run(*command):
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command}: {done.returncode}: {done.stderr.decode()}")
    if b"Lua" in done.stderr:
        raise SystemExit(done.stderr.decode())
    return done.stdout.decode("utf-8", "replace")


def ns(seconds):
    return int(decimal.Decimal(seconds) * 10**9)


def number(value):
    """As an integer, whichever way it is written."""
    if value is None:
        return 2**64 - 1
    return int(value, 0) if isinstance(value, str) else value


def is_equal(shown, decoded):
    if shown == decoded:
        return True
    try:
        return number(shown) == number(decoded)
    except ValueError:
        return False


def layers(text):
    for packet in json.loads(text):
        yield packet["_source"]["layers"]


def interface(packet):
    return packet["frame"]["frame.interface_id_tree"]["frame.interface_name"]


def check_payload(record, packet):
    if "text" in record:
        assert packet.get("ttrec.text") == record["text"], (record, packet)
    elif "hex" in record:
        decoded = packet.get("ttrec.hex", "").replace(":", "")
        assert record["kind"] in ("console", "note", "meta", "join", "irq", "fault") or \
            record["hex"][:2 * BYTES_MAX] == decoded, (record, packet)
    size = len(record.get("hex", "")) // 2 or len(record.get("text", "").encode())
    assert int(packet.get("ttrec.payload_size", 0)) == size, (record, packet)


def check_record(record, packet):
    assert ns(packet["frame"]["frame.time_epoch"]) == number(record["now"]), (record, packet)
    fields = packet["ttrec"]
    for key, value in record.items():
        if key not in DEFINED_ELSEWHERE:
            assert is_equal(value, fields.get("ttrec." + key)), (key, record, fields)
    unknown = {key[6:] for key in fields if key.startswith("ttrec.")} - set(record)
    # text_tree: tshark's remark that a text is not UTF-8
    assert unknown <= {"payload_size", "text", "text_tree", "hex"}, (unknown, record)
    check_payload(record, fields)


def check_records(records, packets):
    for record, packet in zip(records, packets):
        check_record(record, packet)
    assert len(records) == len(packets), (len(records), len(packets))


def sent_frames(records):
    """(time, guest, network) of each frame that was kicked off."""
    frames = collections.Counter()
    for record in records:
        if record["kind"] == "kick" and "network" in record and record["queue"] == 1:
            frames[record["now"], record["guest_name"], record["network"]] += record["done"]
    return +frames


def received_frames(records):
    frames = collections.Counter()
    for record in records:
        if record["kind"] == "used" and "network" in record and record["queue"] == 0:
            frames[record["now"], record["guest_name"], record["network"]] += 1
    return frames


def check_frames(records, packets, left):
    sent, received = collections.Counter(), collections.Counter()
    for packet in packets:
        time, network = ns(packet["frame"]["frame.time_epoch"]), interface(packet)
        comment = packet["pkt_comment"]["frame.comment"]
        sender = re.match(r"from ([^ ,]+)", comment)
        assert sender, comment
        sent[time, sender[1], network] += 1
        for name, value, unit in re.findall(r"([^ ]+) \(([0-9.]+)([num]?s)\)", comment):
            received[time + int(decimal.Decimal(value) * UNITS[unit]), name, network] += 1
    wrong = sent - sent_frames(records)
    assert not wrong, f"nobody sent {list(wrong)[:5]}"
    missing = sent_frames(records) - sent
    assert sum(missing.values()) <= left, f"not exported: {list(missing)[:5]}"
    assert received == received_frames(records), "receivers differ"
    return sum(sent.values())


def main():
    ttdump, dissector, trace = sys.argv[1:4]
    left = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    run(ttdump, "export", "pcapng", trace, "-o", trace + ".pcapng")
    shown = run(ttdump, "show", "--json", trace).splitlines()[1:]
    records = [json.loads(line) for line in shown]
    packets = list(layers(run("tshark", "-X", "lua_script:" + dissector, "-r", trace + ".pcapng",
                              "-T", "json")))
    exchanges = [packet for packet in packets if interface(packet) == "ttrec"]
    frames = [packet for packet in packets if interface(packet) != "ttrec"]
    check_records(records, exchanges)
    count = check_frames(records, frames, left)
    facts = run("capinfos", "-c", "-o", "-M", trace + ".pcapng")
    assert re.search(rf"Number of packets: +{len(packets)}\n", facts), facts
    times = [number(record["now"]) for record in records]
    in_order = str(times == sorted(times))
    assert re.search(rf"Strict time order: +{in_order}\n", facts), facts
    print(f"{len(exchanges)} records and {count} frames agree")


try:
    main()
except AssertionError as difference:
    raise SystemExit(str(difference)[:2000]) from None
