// SPDX-License-Identifier: BSD-3-Clause
// Where records stand from left to right: by virtual time, or one after the other.
//
// A place is a whole number (ns, or a record) and a fraction: what happens within one nanosecond
// stands in its order within that nanosecond, and can be zoomed into. Kept apart they are exact for
// a hundred days of virtual time.

import { firstWhere } from "./search_sorted.js";

export class Axis {
	constructor(whole, fraction, byTime) {
		this.whole = whole;
		this.fraction = fraction;
		this.byTime = byTime;
		this.count = whole.length;
		this.start = this.count ? whole[0] : 0;
		this.end = this.count ? whole[this.count - 1] + 1 : 1;
	}

	/** Of record @i, relative to the place (@whole, @fraction). */
	from(i, whole, fraction) {
		return this.whole[i] - whole + (this.fraction[i] - fraction);
	}

	/** The first record at or behind a place. */
	at(whole, fraction) {
		return firstWhere(0, this.count, (i) => this.from(i, whole, fraction) >= 0);
	}
}

export function timeAxis(trace) {
	const whole = new Float64Array(trace.count);
	const fraction = new Float32Array(trace.count);
	let last = -Infinity;
	for (let i = 0; i < trace.count; i++)
		last = whole[i] = Math.max(last, trace.now[i]);
	for (let start = 0; start < trace.count;)
		start = fanOut(whole, fraction, start);
	return new Axis(whole, fraction, true);
}

/** Spreads the records of one nanosecond over it; returns the first one behind. */
function fanOut(whole, fraction, start) {
	let end = start + 1;
	while (end < whole.length && whole[end] === whole[start])
		end++;
	for (let i = start; i < end; i++)
		fraction[i] = (i - start) / (end - start);
	return end;
}

export function orderAxis(trace) {
	const whole = Float64Array.from({ length: trace.count }, (_, i) => i);
	return new Axis(whole, new Float32Array(trace.count), false);
}
