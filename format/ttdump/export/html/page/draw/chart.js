// SPDX-License-Identifier: BSD-3-Clause
// The lanes: draws what is in view, and tells what is under the pointer.

import { visible } from "../model/density.js";
import { element } from "./dom.js";
import { arrowAt, drawFrames, paintFrames } from "./draw_frames.js";
import { drawLane, paintLane, rows } from "./draw_lane.js";
import { drawRuler, rulerOf } from "./ruler.js";
import { Strip } from "./strip.js";

const RULER = 26;
const LEAST = 34;
const MOST = 240;
/** How far beside a mark the pointer may be, in pixels. */
const NEAR = 8;

export class Chart {
	constructor(app, { canvas, overlay, gutter }) {
		Object.assign(this, { app, canvas, overlay, gutter });
		this.strip = new Strip();
		this.scrolled = 0;
		this.arrows = [];
		this.names = app.lanes.map((lane) => this.name(lane));
		this.anchor = element("div", "anchor");
		gutter.append(this.anchor, ...this.names);
		new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
	}

	name(lane) {
		const { trace } = this.app;
		const { devices = [] } = trace.guests[lane.guest] ?? {};
		const name = element("div", "lane-name", "", element("b", "", trace.guestName(lane.guest)),
			...devices.map((device) => element("small", "", device.name)));
		name.title = devices.map((device) => device.name).join("\n");
		return name;
	}

	resize() {
		const { clientWidth, clientHeight } = this.canvas.parentElement;
		this.width = Math.max(10, clientWidth);
		this.height = Math.max(RULER + LEAST, clientHeight);
		const scale = window.devicePixelRatio || 1;
		for (const canvas of [this.canvas, this.overlay]) {
			canvas.width = Math.round(this.width * scale);
			canvas.height = Math.round(this.height * scale);
			canvas.getContext("2d").setTransform(scale, 0, 0, scale, 0, 0);
		}
		const count = Math.max(1, this.app.lanes.length);
		this.laneHeight = Math.min(MOST, Math.max(LEAST, (this.height - RULER) / count));
		this.app.view.width = this.width;
		this.scroll(0);
		this.app.redraw();
	}

	/** Up and down, when not all lanes can be seen. */
	scroll(pixels) {
		const room = this.laneHeight * this.app.lanes.length - (this.height - RULER);
		this.scrolled = Math.min(Math.max(0, this.scrolled + pixels), Math.max(0, room));
		this.layout();
	}

	layout() {
		const places = this.app.lanes.map((lane, k) => ({
			lane, top: RULER + k * this.laneHeight - this.scrolled,
		}));
		const byGuest = new Map(places.map((place) => [place.lane.guest, place]));
		this.places = places;
		this.laneOf = (guest) => byGuest.get(guest);
		this.names.forEach((name, k) => {
			name.style.top = `${places[k].top}px`;
			name.style.height = `${this.laneHeight}px`;
		});
	}

	/** The lane of @guest is made visible. */
	reveal(guest) {
		const place = this.laneOf(guest);
		if (place && place.top < RULER)
			this.scroll(place.top - RULER);
		else if (place && place.top + this.laneHeight > this.height)
			this.scroll(place.top + this.laneHeight - this.height);
	}

	draw() {
		const context = this.canvas.getContext("2d");
		const { theme, view } = this.app;
		const ruler = rulerOf(view);
		this.anchor.textContent = ruler.anchor;
		context.fillStyle = theme.ground;
		context.fillRect(0, 0, this.width, this.height);
		this.clipped(context, () => this.drawGround(context, theme));
		drawRuler(context, theme, view, ruler, 0, RULER, this.height);
		this.clipped(context, () => this.drawLanes(context, theme, view));
	}

	/** @draw()s, and nothing of it over the ruler. */
	clipped(context, draw) {
		context.save();
		context.beginPath();
		context.rect(0, RULER, this.width, this.height - RULER);
		context.clip();
		draw();
		context.restore();
	}

	drawLanes(context, theme, view) {
		const { strip, laneHeight } = this;
		const { trace } = this.app;
		const layout = { laneOf: this.laneOf, height: laneHeight };
		strip.resize(Math.ceil(this.width));
		this.drawDivergences(context, theme, view);
		paintFrames(strip, theme, trace.frames, view, layout);
		for (const { lane, top } of this.shown())
			paintLane(context, strip, theme, view, lane, top, laneHeight);
		strip.flush(context);
		for (const { lane, top } of this.shown())
			drawLane(context, theme, trace, view, lane, top, laneHeight);
		this.arrows = drawFrames(context, theme, trace.frames, view, layout);
		this.drawHits(context, theme, view);
	}

	shown() {
		return this.places.filter(({ top }) => top + this.laneHeight > RULER && top < this.height);
	}

	drawGround(context, theme) {
		for (const { top } of this.shown()) {
			context.fillStyle = theme.lane;
			context.fillRect(0, top + 2, this.width, this.laneHeight - 4);
		}
	}

	/** From where a replay differed its guest's lane is another one's story. */
	drawDivergences(context, theme, view) {
		for (const { guest, record } of this.app.divergences) {
			const place = this.laneOf(guest);
			const x = view.x(record);
			if (!place || x > this.width)
				continue;
			context.fillStyle = theme.bad;
			context.globalAlpha = 0.1;
			context.fillRect(Math.max(0, x), place.top + 2, this.width, this.laneHeight - 4);
			context.globalAlpha = 1;
			context.fillRect(x - 1, place.top + 2, 2, this.laneHeight - 4);
			context.beginPath();
			context.moveTo(x, place.top + 2);
			context.lineTo(x + 9, place.top + 6.5);
			context.lineTo(x, place.top + 11);
			context.fill();
		}
	}

	drawHits(context, theme, view) {
		const { trace } = this.app;
		const hits = this.app.search.arranged(view.axis);
		const [from, to] = visible(hits, view);
		const step = Math.max(1, Math.floor((to - from) / 2000));
		context.fillStyle = theme.hit;
		for (let k = from; k < to; k += step) {
			const place = this.laneOf(trace.guestOf[hits[k]]);
			if (place)
				context.fillRect(view.x(hits[k]) - 1, place.top + 3, 2.5, this.laneHeight - 6);
		}
	}

	/** The cursor, what is pointed at, and a stretch that is being chosen. */
	drawOverlay() {
		const context = this.overlay.getContext("2d");
		const { theme, view, cursor, pointed, chosen } = this.app;
		context.clearRect(0, 0, this.width, this.height);
		if (chosen) {
			context.fillStyle = theme.cursor;
			context.globalAlpha = 0.18;
			context.fillRect(Math.min(...chosen), 0, Math.abs(chosen[1] - chosen[0]), this.height);
			context.globalAlpha = 1;
		}
		const x = Math.round(view.x(cursor));
		context.fillStyle = theme.cursor;
		context.fillRect(x, 0, 1, this.height);
		const place = this.laneOf(this.app.trace.guestOf[cursor]);
		if (place) {
			context.strokeStyle = theme.cursor;
			context.lineWidth = 1.5;
			context.strokeRect(x - 4, place.top + rows.bar[0] * this.laneHeight - 3, 9,
				(rows.bar[1] - rows.bar[0]) * this.laneHeight + 6);
		}
		if (pointed?.arrow)
			this.drawArrow(context, theme, pointed.arrow);
	}

	drawArrow(context, theme, { x0, y0, x1, y1 }) {
		context.beginPath();
		context.moveTo(x0, y0);
		context.lineTo(x1, y1);
		context.strokeStyle = theme.ink;
		context.lineWidth = 2.5;
		context.stroke();
	}

	/** What is at (@x, @y): {record, arrow?, guest?}; record is the nearest in time at least. */
	at(x, y) {
		const { view, trace } = this.app;
		const place = this.places.find(({ top }) => y >= top && y < top + this.laneHeight);
		const share = place ? (y - place.top) / this.laneHeight : -1;
		const mark = place ? this.markAt(place.lane, share, x) : -1;
		if (mark >= 0)
			return { record: mark, exact: true };
		const arrow = y > RULER ? arrowAt(this.arrows, x, y) : null;
		if (arrow)
			return { record: trace.frames.record[arrow.frame], arrow, exact: true };
		const near = place ? nearest(place.lane.records, view, x) : -1;
		if (near >= 0 && Math.abs(view.x(near) - x) <= NEAR)
			return { record: near, exact: true };
		return { record: view.recordBefore(x + 0.5), exact: false };
	}

	/** The mark in the row at @share of the height of @lane, or -1. */
	markAt(lane, share, x) {
		const { view } = this.app;
		let best = -1;
		for (const [name, list] of Object.entries(lane.marks)) {
			if (share < rows[name][0] - 0.03 || share > rows[name][1] + 0.03 || name === "life")
				continue;
			const near = nearest(list, view, x);
			if (near < 0 || Math.abs(view.x(near) - x) > NEAR)
				continue;
			if (best < 0 || Math.abs(view.x(near) - x) < Math.abs(view.x(best) - x))
				best = near;
		}
		return best;
	}
}

/** The record of @list that is drawn nearest to @x; -1 when it is empty. */
function nearest(list, view, x) {
	const place = view.place(x);
	const axis = view.axis;
	let from = 0;
	let to = list.length;
	while (from < to) {
		const middle = (from + to) >>> 1;
		if (axis.from(list[middle], ...place) >= 0)
			to = middle;
		else
			from = middle + 1;
	}
	if (!list.length)
		return -1;
	if (!from || (from < list.length && view.x(list[from]) - x < x - view.x(list[from - 1])))
		return list[Math.min(from, list.length - 1)];
	return list[from - 1];
}
