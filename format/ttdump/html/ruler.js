// SPDX-License-Identifier: BSD-3-Clause
// The ruler above the lanes. Close by it counts from a round time, which stands at its left.

import { ticks } from "d3-array";
import { grouped, offsetText } from "./time.js";

const TICK_ROOM = 110;

/** What stands at the left, and the ticks: {x, text}. */
export function rulerOf(view) {
	const count = Math.max(2, view.width / TICK_ROOM);
	return view.axis.byTime ? timeRuler(view, count) : orderRuler(view, count);
}

function orderRuler(view, count) {
	const offsets = ticks(view.fraction, view.fraction + view.span, count);
	const whole = offsets.map((offset) => view.left + offset).filter(Number.isInteger);
	return { anchor: "record", ticks: whole.map((at) => ({ x: view.xOf(at), text: at.toLocaleString("en") })) };
}

function timeRuler(view, count) {
	const rough = Math.max(1, view.span / count);
	const anchor = anchorOf(view, rough);
	const start = view.left - anchor + view.fraction;
	const offsets = ticks(start, start + view.span, count).filter(Number.isInteger);
	const step = offsets.length > 1 ? offsets[1] - offsets[0] : rough;
	const sign = anchor ? "+" : "";
	return {
		anchor: anchor ? grouped(anchor) : "",
		ticks: offsets.map((offset) => ({
			x: view.xOf(anchor + offset),
			text: `${sign}${offsetText(offset, step, offsets.at(-1))}`,
		})),
	};
}

/** Zero as long as times are short to write; else a round time at or before the left edge. */
function anchorOf(view, step) {
	const end = view.left + view.span;
	if (end / step < 1e4 || end < 1e4)
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
