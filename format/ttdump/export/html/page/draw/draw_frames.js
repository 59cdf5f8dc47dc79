// SPDX-License-Identifier: BSD-3-Clause
// Draws frames as arrows between lanes, and remembers which, so that they can be pointed at.

import { countColumns, visible } from "../model/density.js";
import { rows } from "./draw_lane.js";
import { strength } from "./strip.js";

/** More frames than this are drawn as density between their lanes, for the busiest pairs of these. */
const ALL = 1200;
const PAIRS = 64;
/** So many may be on their way beyond the right edge. */
const LATE = 200;
const HEAD = 6;
/** Height of an arrow whose sender is not known; of one without a receiver, as a share of a lane's. */
const STUB = 20;
const LOST = 0.32;

/** Frames by who sent and who got them, the busiest first: {from, to, records}. */
export function findPairs(frames) {
	const pairs = new Map();
	for (let f = 0; f < frames.count; f++) {
		const key = `${frames.from[f]} ${frames.to[f]}`;
		if (!pairs.has(key))
			pairs.set(key, { from: frames.from[f], to: frames.to[f], records: [] });
		pairs.get(key).records.push(frames.record[f]);
	}
	const found = [...pairs.values()].sort((a, b) => b.records.length - a.records.length);
	return found.slice(0, PAIRS).map((pair) => ({ ...pair, records: Uint32Array.from(pair.records) }));
}

/** The frames as they are on @axis by receiving: their numbers, and the records. */
function arranged(frames, axis) {
	if (axis.frames)
		return axis.frames;
	const numbers = Uint32Array.from(frames.record, (_, f) => f);
	if (axis.order)
		numbers.sort((a, b) => axis.compare(frames.record[a], frames.record[b]));
	axis.frames = { numbers, records: numbers.map((f) => frames.record[f]) };
	return axis.frames;
}

/** The frames in view; those still on their way at the right edge are included. */
function choose(frames, view) {
	const { numbers, records } = arranged(frames, view.axis);
	const [from, to] = visible(records, view);
	const late = numbers.subarray(to, to + LATE);
	return [...numbers.subarray(from, to),
		...late.filter((f) => view.x(frames.sent[f]) < view.width)];
}

function isCrowded(frames, view) {
	const [from, to] = visible(arranged(frames, view.axis).records, view);
	return to - from > ALL;
}

/** From afar: how many there are between two lanes. */
export function paintFrames(strip, theme, frames, view, layout) {
	if (!isCrowded(frames, view))
		return;
	for (const { from, to, records } of frames.pairs) {
		const ends = [layout.laneOf(from), layout.laneOf(to)].filter(Boolean);
		const range = visible(records, view);
		if (ends.length < 2 || range[0] === range[1])
			continue;
		const [upper, lower] = ends.map(({ top }) => top).sort((a, b) => a - b);
		const top = edge(upper, layout.height, true);
		countColumns(records, range, view, strip.counts);
		strip.paint(theme.rgb.frame, top, edge(lower, layout.height, false) - top,
			(x) => 0.18 * strength(strip.counts[x]));
	}
}

/** From where to where frame @f goes, in pixels; null when none of its lanes is there. */
function place(frames, view, layout, f) {
	const from = layout.laneOf(frames.from[f]);
	const to = layout.laneOf(frames.to[f]);
	const x0 = view.x(frames.sent[f]);
	const x1 = view.x(frames.record[f]);
	if (!from && !to)
		return null;
	if (!from || !to)
		return from ? lostArrow(from, layout.height, x0, x1) : strangeArrow(to, layout.height, x1);
	const down = from.top <= to.top;
	return { x0, y0: edge(from.top, layout.height, down), x1, y1: edge(to.top, layout.height, !down) };
}

function edge(top, height, below) {
	return top + rows.bar[below ? 1 : 0] * height;
}

/** It ends below its sender's lane, where it was lost. */
function lostArrow(lane, height, x0, x1) {
	const y = edge(lane.top, height, true);
	return { x0, y0: y, x1, y1: y + LOST * height };
}

/** It comes from nowhere. */
function strangeArrow(lane, height, x) {
	const y = edge(lane.top, height, false);
	return { x0: x, y0: y - STUB, x1: x, y1: y };
}

function drawLine(context, { x0, y0, x1, y1 }) {
	context.moveTo(x0, y0);
	context.lineTo(x1, y1);
}

function drawHead(context, { x0, y0, x1, y1 }) {
	const length = Math.hypot(x1 - x0, y1 - y0) || 1;
	const dx = (x1 - x0) / length * HEAD;
	const dy = (y1 - y0) / length * HEAD;
	context.moveTo(x1, y1);
	context.lineTo(x1 - dx - dy * 0.5, y1 - dy + dx * 0.5);
	context.lineTo(x1 - dx + dy * 0.5, y1 - dy - dx * 0.5);
	context.closePath();
}

function drawLost(context, { x1, y1 }) {
	context.moveTo(x1 - 4, y1 - 4);
	context.lineTo(x1 + 4, y1 + 4);
	context.moveTo(x1 + 4, y1 - 4);
	context.lineTo(x1 - 4, y1 + 4);
}

/** Upright lines are cheap as rectangles, and there are many of them when one looks from afar. */
function drawShafts(context, arrows, crowded) {
	context.beginPath();
	for (const arrow of arrows)
		if (!crowded || Math.abs(arrow.x1 - arrow.x0) > 1.5)
			drawLine(context, arrow);
	context.lineWidth = crowded ? 1 : 2;
	context.stroke();
	if (crowded)
		for (const arrow of arrows)
			if (Math.abs(arrow.x1 - arrow.x0) <= 1.5)
				context.fillRect(arrow.x1 - 0.5, Math.min(arrow.y0, arrow.y1), 1,
					Math.abs(arrow.y1 - arrow.y0));
}

function drawEach(context, arrows, draw) {
	context.beginPath();
	for (const arrow of arrows)
		draw(context, arrow);
}

/** Returns the arrows that were drawn, none from afar: {frame, x0, y0, x1, y1}. */
export function drawFrames(context, theme, frames, view, layout) {
	const arrows = [];
	if (isCrowded(frames, view))
		return arrows;
	for (const frame of choose(frames, view)) {
		const arrow = place(frames, view, layout, frame);
		if (arrow)
			arrows.push({ frame, ...arrow });
	}
	drawArrows(context, theme, frames, view, arrows);
	return arrows;
}

function drawArrows(context, theme, frames, view, arrows) {
	const lost = arrows.filter(({ frame }) => frames.lost[frame]);
	const got = arrows.filter(({ frame }) => !frames.lost[frame]);
	const crowded = arrows.length > view.width / 12;
	context.save();
	context.globalAlpha = crowded ? 0.45 : 0.9;
	context.strokeStyle = context.fillStyle = theme.frame;
	drawShafts(context, got, crowded);
	context.globalAlpha = 0.9;
	if (arrows.length < view.width / 4) {
		drawEach(context, got, drawHead);
		context.fill();
	}
	context.strokeStyle = context.fillStyle = theme.bad;
	drawShafts(context, lost, crowded);
	drawEach(context, lost, drawLost);
	context.stroke();
	context.restore();
}

/** The arrow of @arrows that is within a few pixels of (@x, @y). */
export function arrowAt(arrows, x, y) {
	let best = 5;
	let found = null;
	for (const arrow of arrows) {
		const distance = distanceTo(arrow, x, y);
		if (distance < best) {
			best = distance;
			found = arrow;
		}
	}
	return found;
}

function distanceTo({ x0, y0, x1, y1 }, x, y) {
	const dx = x1 - x0;
	const dy = y1 - y0;
	const along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1);
	const at = Math.min(1, Math.max(0, along));
	return Math.hypot(x - x0 - at * dx, y - y0 - at * dy);
}
