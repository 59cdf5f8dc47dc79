// SPDX-License-Identifier: BSD-3-Clause
// What happens to each guest, found once when the page is loaded: its runs, what interrupts it, its
// kicks, its console, and who sent which frame. All are lists of records in their order.

import { firstWhere } from "./search_sorted.js";

/** The marks of a lane, in the order in which they are drawn. */
export const marks = ["check", "console", "kick", "call", "irq", "life", "bad"];

const markOfKind = {
	digest: "check", console: "console", input: "console", kick: "kick", call: "call", irq: "irq",
	join: "life", leave: "life", exit: "life", attach: "life", detach: "life", cut: "bad",
};

class Lane {
	constructor(guest) {
		this.guest = guest;
		this.records = [];
		this.runs = { start: [], end: [] };
		this.service = { start: [], end: [] };
		this.marks = Object.fromEntries(marks.map((name) => [name, []]));
	}

	finish() {
		this.records = Uint32Array.from(this.records);
		for (const spans of [this.runs, this.service]) {
			spans.start = Uint32Array.from(spans.start);
			spans.end = Uint32Array.from(spans.end);
		}
		for (const name of marks)
			this.marks[name] = Uint32Array.from(this.marks[name]);
	}
}

/** Follows one guest: does it run, is it interrupted. */
class Follower {
	constructor(trace, lane) {
		this.trace = trace;
		this.lane = lane;
		this.running = false;
		this.called = false;
	}

	feed(i) {
		const { trace, lane } = this;
		const kind = trace.kindOf[i];
		if (!lane.records.length && trace.direction(i) !== 3)
			this.run(i);
		lane.records.push(i);
		if (trace.isMessage(i))
			this.message(i, kind, trace.detail[i]);
		else if (kind === trace.kind.call)
			this.serve(i);
		else if (kind === trace.kind.called)
			this.served(i);
		else if (kind === trace.kind.exit || kind === trace.kind.leave)
			this.wait(i);
		const mark = markOf(trace, i);
		if (mark)
			lane.marks[mark].push(i);
	}

	message(i, kind, op) {
		if (kind === this.trace.kind.to && op === this.trace.op.RUN)
			this.run(i);
		else if (kind === this.trace.kind.from && op === this.trace.op.WAIT)
			this.wait(i);
	}

	run(i) {
		if (this.running)
			return;
		this.running = true;
		this.lane.runs.start.push(i);
	}

	wait(i) {
		if (!this.running)
			return;
		this.running = false;
		this.lane.runs.end.push(i);
	}

	serve(i) {
		if (this.called)
			return;
		this.called = true;
		this.lane.service.start.push(i);
	}

	served(i) {
		if (!this.called)
			return;
		this.called = false;
		this.lane.service.end.push(i);
	}

	finish() {
		const last = this.lane.records.at(-1);
		this.wait(last);
		this.served(last);
		this.lane.finish();
	}
}

function markOf(trace, i) {
	const name = trace.kindName(i);
	if ((name === "irq" || name === "exit") && trace.detail[i])
		return "bad";
	if (name === "note" || name === "fault")
		return trace.detail[i] ? "bad" : "life";
	return markOfKind[name];
}

/** The lanes, of guests that have records other than about the run, by guest. */
export function findLanes(trace) {
	const followers = new Map();
	const side = trace.kinds.map((kind) => kind.direction === 3);
	for (let i = 0; i < trace.count; i++) {
		const guest = trace.guestOf[i];
		let follower = followers.get(guest);
		if (!follower) {
			if (side[trace.kindOf[i]] && trace.kindOf[i] !== trace.kind.join)
				continue;
			follower = new Follower(trace, new Lane(guest));
			followers.set(guest, follower);
		}
		follower.feed(i);
	}
	const found = [...followers.values()];
	found.forEach((follower) => follower.finish());
	return found.map((follower) => follower.lane).sort((a, b) => a.guest - b.guest);
}

/** For each frame the record it was sent with: the kick of its sender, as far as can be known. */
export function findSenders(trace, lanes, axis) {
	const { frames } = trace;
	const byGuest = new Map(lanes.map((lane) => [lane.guest, lane]));
	const sent = new Uint32Array(frames.count);
	for (let f = 0; f < frames.count; f++) {
		const lane = byGuest.get(frames.from[f]);
		const record = frames.record[f];
		sent[f] = lane ? senderRecord(lane, axis, record, frames.took[f]) : record;
	}
	return sent;
}

function senderRecord(lane, axis, record, took) {
	const time = axis.whole[record] - took;
	const kicks = lane.marks.kick;
	const list = kicks.length ? kicks : lane.records;
	const behind = firstWhere(0, list.length,
		(k) => axis.whole[list[k]] > time || list[k] > record);
	const kick = behind ? list[behind - 1] : record;
	return axis.whole[kick] === time ? kick : axis.at(time, 0);
}
