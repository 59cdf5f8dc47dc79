// SPDX-License-Identifier: BSD-3-Clause
// Draws the lane of a guest: its runs, and the marks around them.

import { countColumns, coverColumns, visible, visibleSpans } from "../model/density.js";
import { strength } from "./strip.js";

/** Where the rows of a lane are, as shares of its height. */
export const rows = {
	call: [0.08, 0.3], irq: [0.08, 0.3], bar: [0.34, 0.62], kick: [0.66, 0.84],
	console: [0.88, 0.98], check: [0.88, 0.98], life: [0.34, 0.62], bad: [0.08, 0.3],
};

const shapes = { call: "down", irq: "hollow", kick: "up", console: "tick", check: "dot",
	life: "ring", bad: "cross" };
/** Marks of a row closer than this are drawn as density. */
const CROWDED = 6;

function band(row, top, height) {
	const [from, to] = rows[row];
	return [top + from * height, (to - from) * height];
}

function paintSpans(strip, view, spans, range, rgb, top, height) {
	const { counts, cover } = strip;
	coverColumns(spans, range, view, counts, cover);
	strip.paint(rgb, top, height, (x) => Math.max(cover[x], strength(counts[x])));
}

function drawSpans(context, view, spans, range, colour, top, height) {
	context.fillStyle = colour;
	for (let k = range[0]; k < range[1]; k++) {
		const from = Math.max(view.x(spans.start[k]), -1);
		const to = Math.min(view.x(spans.end[k]), view.width + 1);
		context.fillRect(from, top, Math.max(to - from, 1.5), height);
	}
}

/** A guest that is there but does not run: a thin line from its first record to its last. */
function drawLife(context, theme, view, lane, top, height) {
	const middle = top + 0.48 * height;
	const from = Math.max(0, view.x(lane.records[0]));
	const to = Math.min(view.width, view.x(lane.records.at(-1)));
	context.fillStyle = theme.line;
	if (to > from)
		context.fillRect(from, middle - 1, to - from, 2);
}

const glyphs = {
	down(c, x, y, size) {
		c.moveTo(x, y + size);
		c.lineTo(x - size * 0.6, y);
		c.lineTo(x + size * 0.6, y);
		c.closePath();
	},
	up(c, x, y, size) {
		c.moveTo(x, y);
		c.lineTo(x - size * 0.6, y + size);
		c.lineTo(x + size * 0.6, y + size);
		c.closePath();
	},
	tick(c, x, y, size) {
		c.rect(x - 1, y, 2, size);
	},
	dot(c, x, y, size) {
		c.moveTo(x + size / 2, y + size / 2);
		c.arc(x, y + size / 2, Math.min(2, size / 2), 0, 7);
	},
	ring(c, x, y, size) {
		c.rect(x - 1.5, y - 2, 3, size + 4);
	},
	cross(c, x, y, size) {
		const half = size / 2;
		c.moveTo(x - half, y);
		c.lineTo(x + half, y + size);
		c.moveTo(x + half, y);
		c.lineTo(x - half, y + size);
	},
};
glyphs.hollow = glyphs.down;
const stroked = new Set(["hollow", "cross"]);

function drawGlyphs(context, theme, view, name, list, [from, to], top, height) {
	const shape = shapes[name];
	const size = Math.min(height, 12);
	context.beginPath();
	for (let k = from; k < to; k++)
		glyphs[shape](context, view.x(list[k]), top + (height - size) / 2, size);
	context.lineWidth = shape === "cross" ? 2.5 : 1.5;
	context.fillStyle = context.strokeStyle = theme[name];
	if (stroked.has(shape))
		context.stroke();
	else
		context.fill();
}

/** Are there too many of @range to be seen one by one? What is bad always is. */
function isCrowded(view, name, [from, to]) {
	return (to - from) * CROWDED > view.width && name !== "bad";
}

function drawMarks(context, theme, view, lane, top, height) {
	for (const [name, list] of Object.entries(lane.marks)) {
		const range = visible(list, view);
		const few = range[1] - range[0] <= view.width;
		if (few && !isCrowded(view, name, range))
			drawGlyphs(context, theme, view, name, list, range, ...band(name, top, height));
	}
}

function paintMarks(strip, theme, view, lane, top, height) {
	for (const [name, list] of Object.entries(lane.marks)) {
		const range = visible(list, view);
		const [from, size] = band(name, top, height);
		if (!isCrowded(view, name, range))
			continue;
		countColumns(list, range, view, strip.counts);
		strip.paint(theme.rgb[name], from + size * 0.2, size * 0.6,
			(x) => strength(strip.counts[x]));
	}
}

/** How many records there can be in view for each to be named. */
const LABEL_ROOM = 46;
/** A name is beside a mark, not on it. */
const BESIDE = 8;

function drawLabels(context, theme, trace, view, lane, top, height) {
	const [from, to] = visible(lane.records, view);
	if (to - from > view.width / LABEL_ROOM * 1.5 || height < 44)
		return;
	const right = [-Infinity, -Infinity];
	context.font = "10.5px ui-monospace, monospace";
	context.textBaseline = "middle";
	for (let k = from; k < to; k++) {
		const i = lane.records[k];
		const below = trace.direction(i) === 0 ? 1 : 0;
		const x = Math.round(view.x(i));
		const y = top + height * (below ? 0.74 : 0.2);
		context.fillStyle = theme.dim;
		context.fillRect(x, below ? top + 0.48 * height : top + 0.28 * height, 1, 0.2 * height);
		if (x < right[below])
			continue;
		const text = trace.label(i);
		context.fillStyle = theme.ink;
		context.fillText(text, x + BESIDE, y);
		right[below] = x + 2 * BESIDE + context.measureText(text).width;
	}
}

/** The number of spans that can be distinguished. */
function isDense(view, [from, to]) {
	return to - from > view.width / 2;
}

/** From afar calls show service already. */
function drawRuns(context, theme, view, lane, top, height) {
	const served = visibleSpans(lane.service, view);
	const range = visibleSpans(lane.runs, view);
	if (!isDense(view, served))
		drawSpans(context, view, lane.service, served, theme.service, top + height * 0.2, height * 0.6);
	if (!isDense(view, range))
		drawSpans(context, view, lane.runs, range, theme.run, top, height);
}

/** What is too dense to be drawn one by one goes onto @strip. */
export function paintLane(context, strip, theme, view, lane, top, height) {
	const range = visibleSpans(lane.runs, view);
	drawLife(context, theme, view, lane, top, height);
	if (isDense(view, range))
		paintSpans(strip, view, lane.runs, range, theme.rgb.run, ...band("bar", top, height));
	paintMarks(strip, theme, view, lane, top, height);
}

/** All else, above that. */
export function drawLane(context, theme, trace, view, lane, top, height) {
	drawRuns(context, theme, view, lane, ...band("bar", top, height));
	drawMarks(context, theme, view, lane, top, height);
	drawLabels(context, theme, trace, view, lane, top, height);
}
