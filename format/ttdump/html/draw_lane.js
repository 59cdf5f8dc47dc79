// SPDX-License-Identifier: BSD-3-Clause
// Draws the lane of a guest: its runs, and the marks around them.

import { countColumns, coverColumns, visible, visibleSpans } from "./density.js";

/** Where the rows of a lane are, as shares of its height. */
export const rows = {
	call: [0.08, 0.3], irq: [0.08, 0.3], bar: [0.34, 0.62], kick: [0.66, 0.84],
	console: [0.88, 0.98], check: [0.88, 0.98], life: [0.34, 0.62], bad: [0.08, 0.3],
};

const shapes = { call: "down", irq: "hollow", kick: "up", console: "tick", check: "dot",
	life: "ring", bad: "cross" };
/** Marks of a row closer than this are drawn as density. */
const CROWDED = 6;

/** Colours one row of pixels by column, to be stretched over a band. */
class Strip {
	constructor() {
		this.canvas = document.createElement("canvas");
		this.context = this.canvas.getContext("2d", { willReadFrequently: true });
	}

	resize(width) {
		if (this.image?.width === width)
			return;
		this.canvas.width = width;
		this.canvas.height = 1;
		this.image = this.context.createImageData(width, 1);
		this.pixels = new Uint32Array(this.image.data.buffer);
		this.counts = new Uint32Array(width);
		this.cover = new Float32Array(width);
	}

	/** @alpha(x): 0 to 1. */
	paint(context, [r, g, b], top, height, alpha) {
		const colour = b << 16 | g << 8 | r;
		for (let x = 0; x < this.pixels.length; x++)
			this.pixels[x] = (alpha(x) * 255 << 24 | colour) >>> 0;
		this.context.putImageData(this.image, 0, 0);
		context.drawImage(this.canvas, 0, 0, this.pixels.length, 1, 0, top,
			this.pixels.length, height);
	}
}

const strip = new Strip();

function band(lane, row, top, height) {
	const [from, to] = rows[row];
	return [top + from * height, (to - from) * height];
}

/** More in a column shows stronger, and one alone can be seen. */
function strength(count) {
	return count ? Math.min(1, 0.45 + 0.11 * Math.log2(count)) : 0;
}

function drawSpans(context, view, spans, colour, rgb, top, height) {
	const range = visibleSpans(spans, view);
	if (range[1] - range[0] > view.width / 2) {
		const { counts, cover } = strip;
		coverColumns(spans, range, view, counts, cover);
		strip.paint(context, rgb, top, height, (x) => Math.max(cover[x], strength(counts[x])));
		return;
	}
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

function drawMarks(context, theme, view, name, list, top, height) {
	const range = visible(list, view);
	const count = range[1] - range[0];
	if (!count)
		return;
	if (count * CROWDED > view.width && name !== "bad") {
		countColumns(list, range, view, strip.counts);
		strip.paint(context, theme.rgb[name], top + height * 0.2, height * 0.6,
			(x) => strength(strip.counts[x]));
		return;
	}
	if (count <= view.width)
		drawGlyphs(context, theme, view, name, list, range, top, height);
}

/** How many records there can be in view for each to be named. */
const LABEL_ROOM = 46;

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
		context.fillText(text, x + 2, y);
		right[below] = x + 8 + context.measureText(text).width;
	}
}

export function drawLane(context, theme, trace, view, lane, top, height) {
	const [bar, barHeight] = band(lane, "bar", top, height);
	strip.resize(Math.ceil(view.width));
	drawLife(context, theme, view, lane, top, height);
	drawSpans(context, view, lane.service, theme.service, theme.rgb.service, bar + barHeight * 0.2,
		barHeight * 0.6);
	drawSpans(context, view, lane.runs, theme.run, theme.rgb.run, bar, barHeight);
	for (const [name, list] of Object.entries(lane.marks))
		drawMarks(context, theme, view, name, list, ...band(lane, name, top, height));
	drawLabels(context, theme, trace, view, lane, top, height);
}
