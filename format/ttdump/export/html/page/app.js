// SPDX-License-Identifier: BSD-3-Clause
// The page as a whole: what it shows, and what follows from what.

import { orderAxis, timeAxis } from "./model/axis.js";
import { Chart } from "./draw/chart.js";
import { ConsolePanes } from "./console_panes.js";
import { findConsoles } from "./model/consoles.js";
import { byId } from "./draw/dom.js";
import { findPairs } from "./draw/draw_frames.js";
import { Input } from "./input.js";
import { findLanes, findSenders } from "./model/lanes.js";
import { findDivergences, showNotices } from "./notices.js";
import { Overview } from "./draw/overview.js";
import { RecordList } from "./record_list.js";
import { SearchBox } from "./search_box.js";
import { readTheme, toggleTheme } from "./draw/theme.js";
import { grouped, short } from "./model/time.js";
import { Tooltip } from "./draw/tooltip.js";
import { View } from "./model/view.js";

export class App {
	constructor(trace) {
		this.trace = trace;
		this.theme = readTheme();
		this.axes = { time: timeAxis(trace) };
		this.lanes = findLanes(trace);
		trace.frames.sent = findSenders(trace, this.lanes, this.axes.time);
		trace.frames.pairs = findPairs(trace.frames);
		this.consoles = findConsoles(trace, this.lanes);
		this.divergences = findDivergences(trace);
		this.cursor = this.divergences[0]?.record ?? Math.max(0, trace.count - 1);
		this.view = new View(this.axes.time, () => this.redraw());
		this.build();
		this.listen();
	}

	build() {
		this.search = new SearchBox(this, { field: byId("search"), count: byId("hits"),
			list: byId("found") });
		this.overview = new Overview(this, byId("overview"));
		this.chart = new Chart(this, { canvas: byId("lanes"), overlay: byId("overlay"),
			gutter: byId("gutter") });
		this.panes = new ConsolePanes(this, byId("consoles"));
		this.records = new RecordList(this, byId("records"));
		this.tooltip = new Tooltip(byId("tooltip"));
		this.input = new Input(this, byId("overlay"));
		showNotices(this, byId("notices"));
		this.describe();
	}

	listen() {
		const clicked = { fit: () => this.view.fit(), back: () => this.view.back(),
			axis: () => this.changeAxis(), theme: () => this.changeTheme(),
			help: () => this.toggleHelp(), "close-help": () => this.toggleHelp() };
		for (const [id, action] of Object.entries(clicked))
			byId(id).addEventListener("click", action);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
	}

	describe() {
		const { trace } = this;
		const length = trace.count ? short(trace.now[trace.count - 1]) : "nothing";
		const guests = this.lanes.length;
		document.title = `${trace.facts.trace} – ttrec`;
		byId("trace").textContent = trace.facts.trace;
		byId("trace").title = trace.facts.uuid;
		byId("summary").textContent = `${guests} guest${guests === 1 ? "" : "s"} · ${
			trace.count.toLocaleString("en")} records · ${length}`;
		byId("nothing").hidden = guests > 0;
		const names = this.lanes.map((lane) => trace.guestName(lane.guest).length);
		document.body.style.setProperty("--names", Math.min(16, names.reduce((a, b) => Math.max(a, b), 3)));
	}

	get hits() {
		return this.search.hits;
	}

	isHit(i, text) {
		return text === undefined ? this.search.isHit(i)
			: this.search.query.words.length > 0 &&
				this.search.query.words.every((word) => text.toLowerCase().includes(word));
	}

	/** Everything is drawn once before the browser shows the next picture. */
	redraw() {
		this.stale = true;
		this.wake();
	}

	wake() {
		this.waiting ??= requestAnimationFrame(() => this.draw());
	}

	draw() {
		this.waiting = null;
		if (!this.chart.places)
			return;
		if (this.stale) {
			this.stale = false;
			this.chart.draw();
		}
		this.overview.draw();
		this.chart.drawOverlay();
		if (this.followed !== this.cursor || this.asked !== this.hits) {
			this.followed = this.cursor;
			this.asked = this.hits;
			this.panes.follow();
			this.records.follow();
		}
		this.say();
	}

	say() {
		const { view, trace, cursor } = this;
		byId("place").textContent = trace.count
			? `${grouped(trace.now[cursor])} · record ${trace.number(cursor)}` : "";
		byId("span").textContent = view.axis.byTime ? `${short(view.span)} in view`
			: `${Math.round(view.span).toLocaleString("en")} records in view`;
		byId("pinned").hidden = !this.pinned;
	}

	/** The pointer is at @here; null: it has left. */
	pointAt(here) {
		if (!this.trace.count)
			return;
		this.pointed = here ? this.chart.at(here.x, here.y) : null;
		this.pointerX = here?.x;
		this.tooltip.show(this.trace, this.pointed, here ?? undefined);
		if (here && !this.pinned)
			this.cursor = this.pointed.record;
		this.wake();
	}

	/** The cursor stays where the pointer is. */
	pin(here) {
		if (!this.trace.count)
			return;
		this.cursor = this.chart.at(here.x, here.y).record;
		this.pinned = true;
		this.panes.reveal(this.trace.guestOf[this.cursor]);
		this.wake();
	}

	/** The cursor goes to record @i, which is brought into view; @close: near enough to see it. */
	select(i, { close = false } = {}) {
		if (!this.trace.count)
			return;
		this.cursor = Math.min(Math.max(0, i), this.trace.count - 1);
		this.pinned = true;
		this.view.show(this.cursor, close ? Math.min(this.view.span, this.closeSpan()) : undefined);
		this.chart.reveal(this.trace.guestOf[this.cursor]);
		this.panes.reveal(this.trace.guestOf[this.cursor]);
		this.redraw();
	}

	/** So near that what happens right before or after the cursor comes apart. */
	closeSpan() {
		const { axis } = this.view;
		const cursor = this.cursor;
		const place = [axis.whole[cursor], axis.fraction[cursor]];
		const before = -axis.from(Math.max(0, cursor - 100), ...place);
		const after = axis.from(Math.min(this.trace.count - 1, cursor + 100), ...place);
		return Math.max(axis.byTime ? 1 : 200, 4 * (Math.min(before, after) || Math.max(before, after)));
	}

	step(count) {
		this.select(this.cursor + count);
	}

	choose(stretch) {
		this.chosen = stretch;
		this.wake();
	}

	/** What a key zooms at: the pointer, the cursor if it is in view, the middle. */
	zoomCentre() {
		this.view.remember();
		const x = this.pointerX ?? this.view.x(this.cursor);
		return x >= 0 && x <= this.view.width ? x : this.view.width / 2;
	}

	scrollLanes(pages) {
		this.chart.scroll(pages * this.chart.height * 0.8);
		this.redraw();
	}

	/** From one to the next. */
	showDivergence() {
		const next = this.divergences.find(({ record }) => record > this.cursor)
			?? this.divergences[0];
		if (next)
			this.select(next.record, { close: true });
	}

	changeAxis() {
		this.axes.order ??= orderAxis(this.trace);
		const byTime = !this.view.axis.byTime;
		byId("axis").textContent = byTime ? "by time" : "in order";
		if (this.trace.count)
			this.view.change(byTime ? this.axes.time : this.axes.order, this.cursor);
		this.overview.build();
	}

	changeTheme() {
		toggleTheme();
		this.recolour();
	}

	recolour() {
		this.theme = readTheme();
		this.overview.build();
		this.redraw();
	}

	toggleHelp() {
		const help = byId("help-page");
		if (help.open)
			help.close();
		else
			help.showModal();
	}

	/** Lets go of the cursor. */
	leave() {
		this.pinned = false;
		this.wake();
	}
}
