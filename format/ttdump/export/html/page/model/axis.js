// SPDX-License-Identifier: BSD-3-Clause
// Where records stand from left to right: by virtual time, or one after the other.
//
// A place is a whole number (ns, or a record) and a fraction: what happens within one nanosecond
// is in its order within that nanosecond, and can be zoomed into. Kept apart they are exact for
// a hundred days of virtual time.
//
// Guests that ran side by side are recorded one window after the other, so that the records of a
// trace go back in time now and then; those of one guest do not.

import { firstWhere } from "./search_sorted.js";

class Axis {
	/** @order: all records as they stand; null when that is the order of their numbers. */
	constructor(whole, fraction, order, byTime) {
		this.whole = whole;
		this.fraction = fraction;
		this.order = order;
		this.byTime = byTime;
		this.count = whole.length;
		this.start = this.count ? whole[this.record(0)] : 0;
		this.end = this.count ? whole[this.record(this.count - 1)] + 1 : 1;
	}

	/** The record that is at place number @k from the left. */
	record(k) {
		return this.order ? this.order[k] : k;
	}

	/** Of record @i, relative to the place (@whole, @fraction). */
	from(i, whole, fraction) {
		return this.whole[i] - whole + (this.fraction[i] - fraction);
	}

	/** How many records precede a place. */
	before(whole, fraction) {
		return firstWhere(0, this.count, (k) => this.from(this.record(k), whole, fraction) >= 0);
	}

	/** The first record at or behind a place, or the last one of all. */
	at(whole, fraction) {
		return this.record(Math.min(this.count - 1, this.before(whole, fraction)));
	}

	/** Those of the records in @list as they stand; the list itself where that is so already. */
	arrange(list) {
		return this.order ? Uint32Array.from(list).sort((a, b) => this.compare(a, b)) : list;
	}

	compare(a, b) {
		return this.whole[a] - this.whole[b] || this.fraction[a] - this.fraction[b] || a - b;
	}
}

export function timeAxis(trace) {
	const whole = placesOf(trace);
	const order = orderOf(whole);
	const fraction = new Float32Array(trace.count);
	for (let start = 0; start < trace.count;)
		start = fanOut(whole, fraction, order, start);
	return new Axis(whole, fraction, order, true);
}

/** The time of each record, for each guest never going back. */
function placesOf(trace) {
	const whole = new Float64Array(trace.count);
	const last = new Map();
	for (let i = 0; i < trace.count; i++) {
		const guest = trace.guestOf[i];
		whole[i] = Math.max(last.get(guest) ?? -Infinity, trace.now[i]);
		last.set(guest, whole[i]);
	}
	return whole;
}

function orderOf(whole) {
	let i = 1;
	while (i < whole.length && whole[i] >= whole[i - 1])
		i++;
	if (i >= whole.length)
		return null;
	const order = Uint32Array.from(whole, (_, k) => k);
	return order.sort((a, b) => whole[a] - whole[b] || a - b);
}

/** Spreads the records of one nanosecond over it; returns the first one behind. */
function fanOut(whole, fraction, order, start) {
	const record = (k) => (order ? order[k] : k);
	const time = whole[record(start)];
	let end = start + 1;
	while (end < whole.length && whole[record(end)] === time)
		end++;
	for (let k = start; k < end; k++)
		fraction[record(k)] = (k - start) / (end - start);
	return end;
}

export function orderAxis(trace) {
	const whole = Float64Array.from({ length: trace.count }, (_, i) => i);
	return new Axis(whole, new Float32Array(trace.count), null, false);
}
