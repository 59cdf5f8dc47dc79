// SPDX-License-Identifier: BSD-3-Clause
// Finds records: by number, by time, and by what they say. Words must all be there, in any order;
// "quoted words" must stand together. The browser is let breathe in between.

import { parseTime } from "./time.js";
import { breathe } from "./trace.js";

const SLICE = 12; /* ms */
/** How often results are reported, in slices. */
const TOLD = 20;

/** What to look for. */
export function parseQuery(text) {
	const query = text.trim();
	const words = [...query.matchAll(/"([^"]+)"|(\S+)/g)].map((match) =>
		(match[1] ?? match[2]).toLowerCase());
	const number = /^#?([0-9]+)$/.exec(query);
	return { words, number: number ? Number(number[1]) : NaN, time: parseTime(query) };
}

/** All that can be found of record @i. */
function textOf(trace, names, i) {
	return `${names[trace.guestOf[i]] ?? ""} ${trace.text(i)}`.toLowerCase();
}

export function matches(trace, words, i) {
	const names = trace.guests.map((guest) => guest.name);
	const text = textOf(trace, names, i);
	return words.every((word) => text.includes(word));
}

/** The record that a number or a time alone names, or -1. */
export function namedRecord(trace, axis, { number, time }) {
	if (number >= trace.first && number < trace.first + trace.count)
		return number - trace.first;
	if (Number.isNaN(time) || !trace.count)
		return -1;
	return axis.at(Math.floor(time), 0);
}

/**
 * All records that match, in order. @stopped() ends it early; @found(list, done) is called now and
 * then what is there.
 */
export async function searchRecords(trace, { words }, stopped, found) {
	const names = trace.guests.map((guest) => guest.name);
	const list = [];
	let until = performance.now() + SLICE;
	let slices = 0;
	if (!words.length)
		return found(list, true);
	for (let i = 0; i < trace.count; i++) {
		const text = textOf(trace, names, i);
		if (words.every((word) => text.includes(word)))
			list.push(i);
		if (i % 256 === 0 && performance.now() > until) {
			if (++slices % TOLD === 0)
				found(list, false);
			await breathe();
			if (stopped())
				return undefined;
			until = performance.now() + SLICE;
		}
	}
	return found(list, true);
}
