// SPDX-License-Identifier: BSD-3-Clause
// The ruler above the lanes. Close by it counts from a round time, which is at its left.

import { ticks } from "d3-array";
import { clock, grouped, offsetText } from "../model/time.js";

const TICK_ROOM = 110;
/** Steps of a clock, in seconds. */
const CLOCK = [30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 43200, 86400];

/** Round times from @start to @stop, about @count, as {at, text}; from @base on when it is not 0. */
export function timeTicks(base, start, stop, count) {
	const step = CLOCK.find((each) => each * 1e9 * count >= stop - start) * 1e9;
	if ((stop - start) / count > 20e9 && step)
		return clockTicks(base, start, stop, step);
	const offsets = ticks(start, stop, count).filter(Number.isInteger);
	const width = offsets.length > 1 ? offsets[1] - offsets[0] : 1;
	return offsets.map((at) => ({
		at, text: `${base ? "+" : ""}${offsetText(at, width, offsets.at(-1))}`,
	}));
}

function clockTicks(base, start, stop, step) {
	const found = [];
	for (let at = Math.ceil((base + start) / step) * step; at <= base + stop; at += step)
		if (at >= 0)
			found.push({ at: at - base, text: at ? clock(at) : "0" });
	return found;
}

/** What is at the left, and the ticks: {x, text}. */
export function rulerOf(view) {
	const count = Math.max(2, view.width / TICK_ROOM);
	return view.axis.byTime ? timeRuler(view, count) : orderRuler(view, count);
}

function orderRuler(view, count) {
	const start = view.left + view.fraction;
	const found = ticks(start, start + view.span, count).filter(Number.isInteger);
	return {
		anchor: "record",
		ticks: found.map((at) => ({ x: view.xOf(at), text: at.toLocaleString("en") })),
	};
}

function timeRuler(view, count) {
	const anchor = anchorOf(view, Math.max(1, view.span / count));
	const start = view.left - anchor + view.fraction;
	const found = timeTicks(anchor, start, start + view.span, count);
	return {
		anchor: anchor ? grouped(anchor) : "",
		ticks: found.map(({ at, text }) => ({ x: view.xOf(anchor + at), text })),
	};
}

/** Zero as long as times are short to write; else a round time at or before the left edge. */
function anchorOf(view, step) {
	const end = view.left + view.span;
	if (end / step < 1e4 || end < 1e4 || step > 20e9)
		return 0;
	const unit = 10 ** Math.ceil(Math.log10(view.span) + 0.3);
	return Math.max(0, Math.floor((view.left + view.fraction) / unit) * unit);
}

export function drawRuler(context, theme, view, ruler, top, height, bottom) {
	context.font = "11px system-ui, sans-serif";
	context.textBaseline = "middle";
	for (const { x, text } of ruler.ticks) {
		context.fillStyle = theme.faint;
		context.fillRect(Math.round(x), top + height - 5, 1, bottom - top - height + 5);
		context.fillStyle = theme.dim;
		context.fillText(text, Math.round(x) + 4, top + height / 2);
	}
}
