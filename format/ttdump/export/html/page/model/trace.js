// SPDX-License-Identifier: BSD-3-Clause
// The whole trace in memory: a typed array a column, and what one record says.

import { columns, unpack } from "./blocks.js";

const arrows = ["←", "→", "=", "·"];
const latin = new TextDecoder("latin1");
const utf8 = new TextDecoder();

/** A moment for the browser to draw and to listen. */
export function breathe() {
	return new Promise((resolve) => setTimeout(resolve));
}

class Trace {
	constructor(facts, count, frameCount) {
		this.facts = facts;
		this.guests = facts.guests;
		this.count = count;
		this.kinds = [];
		this.kind = {};
		for (const [name, kind] of Object.entries(facts.kinds)) {
			this.kinds[kind.number] = { name, ...kind };
			this.kind[name] = kind.number;
		}
		this.op = Object.fromEntries(facts.operations.map((name, number) => [name, number]));
		this.kindOf = new Uint8Array(count);
		this.guestOf = new Uint16Array(count);
		this.now = new Float64Array(count);
		this.detail = new Float64Array(count);
		this.textAt = new Uint32Array(count);
		this.textSize = new Uint32Array(count);
		this.blockOf = new Uint16Array(count);
		this.texts = [];
		this.consoles = [];
		this.frames = {
			count: 0,
			record: new Uint32Array(frameCount),
			from: new Int32Array(frameCount),
			to: new Int32Array(frameCount),
			lost: new Uint8Array(frameCount),
			took: new Float64Array(frameCount),
			size: new Uint32Array(frameCount),
			network: new Uint16Array(frameCount),
		};
		this.networks = [];
		this.first = 0;
	}

	isMessage(i) {
		return this.kindOf[i] === this.kind.from || this.kindOf[i] === this.kind.to;
	}

	isConsole(i) {
		return this.kindOf[i] === this.kind.console || this.kindOf[i] === this.kind.input;
	}

	/** Bytes of a console record. */
	consoleBytes(i) {
		return this.consoles[this.blockOf[i]].subarray(this.textAt[i],
			this.textAt[i] + this.textSize[i]);
	}

	guestName(guest) {
		return this.guests[guest]?.name ?? `guest ${guest}`;
	}

	kindName(i) {
		return this.kinds[this.kindOf[i]]?.name ?? `kind ${this.kindOf[i]}`;
	}

	direction(i) {
		return this.kinds[this.kindOf[i]]?.direction ?? 3;
	}

	arrow(i) {
		return arrows[this.direction(i)];
	}

	number(i) {
		return this.first + i;
	}

	/** What ttdump show prints after the direction. */
	text(i) {
		if (this.isConsole(i))
			return `${this.kindName(i).padEnd(10)} ${JSON.stringify(utf8.decode(this.consoleBytes(i)))}`;
		const at = this.textAt[i];
		return this.texts[this.blockOf[i]].slice(at, at + this.textSize[i]);
	}

	/** Short enough to are beside a mark. */
	label(i) {
		return this.isMessage(i) ? this.opName(i) : this.kindName(i);
	}

	opName(i) {
		return this.facts.operations[this.detail[i]] ?? `operation ${this.detail[i]}`;
	}
}

/** Reads all data elements; @progress is called with the share done, 0 to 1. */
export async function loadTrace(progress) {
	const facts = JSON.parse(utf8.decode(await unpack(document.querySelector("script.facts"))));
	const elements = [...document.querySelectorAll("script.block")];
	const blocks = [];
	for (const element of elements) {
		blocks.push(columns(await unpack(element)));
		progress(blocks.length / elements.length / 2);
		await breathe();
	}
	const sum = (key) => blocks.reduce((total, block) => total + block[key], 0);
	const trace = new Trace(facts, sum("records"), sum("frames"));
	trace.first = blocks.find((block) => block.records)?.first ?? 0;
	let at = 0;
	for (const [i, block] of blocks.entries()) {
		at = readBlock(trace, block, i, at);
		progress(0.5 + (i + 1) / blocks.length / 2);
		await breathe();
	}
	return trace;
}

function readBlock(trace, block, number, start) {
	trace.texts.push(latin.decode(block.text));
	trace.consoles.push(block.console);
	readRecords(trace, block, number, start);
	readFrames(trace, block, start);
	return start + block.records;
}

function readRecords(trace, block, number, start) {
	const place = { text: 0, console: 0 };
	const end = start + block.records;
	let now = 0;
	trace.kindOf.set(block.kind, start);
	for (let i = start; i < end; i++) {
		now += block.moment.difference();
		trace.now[i] = now;
		trace.guestOf[i] = block.guest.next();
		trace.detail[i] = block.detail.next();
		trace.blockOf[i] = number;
		readText(trace, block, i, place);
	}
}

function readText(trace, block, i, place) {
	const key = trace.isConsole(i) ? "console" : "text";
	const size = block.length.next();
	trace.textAt[i] = place[key];
	trace.textSize[i] = size;
	place[key] += size;
}

function readFrames(trace, block, start) {
	const frames = trace.frames;
	const networks = latin.decode(block.network).split("\0");
	for (let k = 0; k < block.frames; k++) {
		const f = frames.count++;
		frames.record[f] = start + block.frame.next();
		frames.from[f] = block.frame.next() - 1;
		block.frame.next();
		frames.to[f] = block.frame.next() - 1;
		block.frame.next();
		frames.lost[f] = block.frame.next();
		frames.took[f] = block.frame.next();
		frames.size[f] = block.frame.next();
		frames.network[f] = networkNumber(trace, networks[k]);
	}
}

function networkNumber(trace, name) {
	const number = trace.networks.indexOf(name);
	return number >= 0 ? number : trace.networks.push(name) - 1;
}
