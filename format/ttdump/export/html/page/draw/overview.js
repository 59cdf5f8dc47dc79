// SPDX-License-Identifier: BSD-3-Clause
// The strip above the lanes: how much happens when over the whole trace, and which part is shown.

import { ticks } from "d3-array";
import uPlot from "uplot";
import { timeTicks } from "./ruler.js";

const HEIGHT = 62;

/** How many of @records (all, when null) there are in each of @columns parts of the axis. */
function histogram(axis, records, columns) {
	const counts = new Float64Array(columns);
	const scale = columns / (axis.end - axis.start);
	const count = records ? records.length : axis.count;
	for (let k = 0; k < count; k++) {
		const i = records ? records[k] : k;
		counts[Math.min(columns - 1, Math.floor(axis.from(i, axis.start, 0) * scale))]++;
	}
	return counts;
}

export class Overview {
	constructor(app, root) {
		this.app = app;
		this.root = root;
		this.window = document.createElement("div");
		this.window.className = "window";
		this.marks = document.createElement("canvas");
		this.marks.className = "marks";
		new ResizeObserver(() => this.build()).observe(root);
	}

	/** Anew: for another width, axis or theme. */
	build() {
		this.plot?.destroy();
		const width = this.root.clientWidth;
		if (width < 10)
			return;
		this.columns = Math.max(50, Math.floor(width / 2));
		this.plot = new uPlot(this.options(width), this.data(), this.root);
		this.plot.over.append(this.window, this.marks);
		this.listen(this.plot.over);
		this.draw();
	}

	/** Roots, so that what is rare can be seen beside what is not. */
	data() {
		const { axis } = this.app.view;
		const step = (axis.end - axis.start) / this.columns;
		const x = Float64Array.from({ length: this.columns }, (_, k) => (k + 0.5) * step);
		const { frames } = this.app.trace;
		return [x, histogram(axis, null, this.columns).map(Math.sqrt),
			histogram(axis, frames.record, this.columns).map(Math.sqrt)];
	}

	options(width) {
		const { theme, view } = this.app;
		const { axis } = view;
		const length = axis.end - axis.start;
		const labels = axis.byTime ? timeTicks(0, axis.start, axis.end, width / 110)
			: ticks(axis.start, axis.end, width / 110).map((at) => ({ at, text: at.toLocaleString("en") }));
		const series = (colour, part) => ({
			stroke: colour, width: 1, points: { show: false },
			fill: `${colour}${part}`, paths: uPlot.paths.stepped({ align: 0 }),
		});
		return {
			width, height: HEIGHT, legend: { show: false }, padding: [4, 0, 0, 0],
			cursor: { show: false },
			scales: { x: { time: false, range: [-0.02 * length, 1.02 * length] }, y: { range: [0, null] } },
			axes: [{
				stroke: theme.dim, size: 18, gap: 2, font: "10px system-ui, sans-serif",
				grid: { show: false }, ticks: { show: false },
				splits: () => labels.map(({ at }) => at - axis.start), values: () => labels.map(({ text }) => text),
			}, { show: false }],
			series: [{}, series(theme.run, "40"), series(theme.frame, "66")],
		};
	}

	listen(over) {
		over.addEventListener("pointerdown", (event) => {
			over.setPointerCapture(event.pointerId);
			this.app.view.remember();
			this.from = event.offsetX;
			this.drag(event);
		});
		over.addEventListener("pointermove", (event) => {
			if (event.buttons)
				this.drag(event);
		});
		over.addEventListener("wheel", (event) => {
			event.preventDefault();
			this.app.view.zoom(1.0015 ** event.deltaY, this.app.view.width / 2);
		}, { passive: false });
	}

	/** The window goes where the pointer is; with shift a new one is drawn. */
	drag(event) {
		const { view } = this.app;
		const all = view.whole();
		const place = (x) => all[1] + x / this.plot.over.clientWidth * all[2];
		if (event.shiftKey) {
			const [a, b] = [place(this.from), place(event.offsetX)].sort((m, n) => m - n);
			view.set(all[0], a, b - a);
		} else {
			view.set(all[0], place(event.offsetX) - view.span / 2, view.span);
		}
	}

	draw() {
		if (!this.plot)
			return;
		const { view } = this.app;
		const all = view.whole();
		const width = this.plot.over.clientWidth;
		const left = (view.left - all[0] + view.fraction - all[1]) / all[2] * width;
		const size = view.span / all[2] * width;
		this.window.style.left = `${left}px`;
		this.window.style.width = `${Math.max(2, size)}px`;
		this.drawMarks(width, (i) => (view.axis.from(i, all[0], all[1])) / all[2] * width);
	}

	/** What was found, the divergence, the cursor. */
	drawMarks(width, x) {
		const { theme, hits, divergences, cursor } = this.app;
		const height = this.plot.over.clientHeight;
		this.marks.width = width;
		this.marks.height = height;
		const context = this.marks.getContext("2d");
		const step = Math.max(1, Math.floor(hits.length / 4000));
		context.fillStyle = theme.hit;
		for (let k = 0; k < hits.length; k += step)
			context.fillRect(x(hits[k]) - 0.5, height - 8, 1.5, 8);
		context.fillStyle = theme.bad;
		for (const { record } of divergences)
			context.fillRect(x(record) - 1, 0, 2, height);
		context.fillStyle = theme.cursor;
		context.fillRect(x(cursor) - 0.5, 0, 1, height);
	}
}
