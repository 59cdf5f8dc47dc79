// SPDX-License-Identifier: BSD-3-Clause
// The search field: what was found, and from one to the next.

import { element } from "./draw/dom.js";
import { matches, namedRecord, parseQuery, searchRecords } from "./model/search.js";
import { firstWhere } from "./model/search_sorted.js";
import { exact } from "./model/time.js";

/** So many are listed; all are marked and can be walked through. */
const LISTED = 100;

export class SearchBox {
	constructor(app, { field, count, list }) {
		Object.assign(this, { app, field, count, list });
		this.hits = new Uint32Array();
		this.query = parseQuery("");
		this.turn = 0;
		this.current = -1;
		field.addEventListener("input", () => this.start());
		field.addEventListener("keydown", (event) => this.key(event));
		field.addEventListener("focus", () => this.showList(true));
		field.addEventListener("blur", () => setTimeout(() => this.showList(false), 150));
		list.addEventListener("mousedown", (event) => this.pick(event));
	}

	key(event) {
		event.stopPropagation();
		if (event.key === "Enter")
			this.next(event.shiftKey ? -1 : 1);
		else if (event.key === "Escape")
			this.leave();
	}

	leave() {
		if (this.field.value) {
			this.field.value = "";
			this.start();
		}
		this.field.blur();
	}

	async start() {
		const turn = ++this.turn;
		this.query = parseQuery(this.field.value);
		this.current = -1;
		this.named = namedRecord(this.app.trace, this.app.axes.time, this.query);
		await searchRecords(this.app.trace, this.query, () => turn !== this.turn,
			(hits, done) => this.show(hits, done));
	}

	show(hits, done) {
		this.hits = Uint32Array.from(hits);
		this.showList(document.activeElement === this.field);
		this.say(done);
		this.app.redraw();
	}

	say(done = true) {
		const total = this.hits.length;
		const place = this.current >= 0 ? `${this.current + 1} of ` : "";
		const none = this.named >= 0 ? "go there: ⏎" : "nothing";
		this.count.textContent = !this.field.value.trim() ? ""
			: total || !done ? `${place}${total.toLocaleString("en")}${done ? "" : " …"}` : none;
	}

	/** To the next of the hits from the cursor on; at first to the record that is named. */
	next(step) {
		if (this.current < 0 && this.named >= 0) {
			this.app.select(this.named, { close: true });
			this.named = -1;
			return;
		}
		if (!this.hits.length)
			return;
		const { cursor } = this.app;
		const behind = firstWhere(0, this.hits.length, (k) => this.hits[k] > cursor);
		const at = this.current < 0 && this.hits[behind - 1] === cursor ? behind - 1 : behind;
		const to = step > 0 ? at : firstWhere(0, this.hits.length, (k) => this.hits[k] >= cursor) - 1;
		this.go((to + this.hits.length) % this.hits.length);
	}

	go(k) {
		this.current = k;
		this.app.select(this.hits[k], { close: true });
		this.say();
		this.drawList();
	}

	/** The hits as they are on @axis. */
	arranged(axis) {
		if (this.arrangedOf !== this.hits || this.arrangedBy !== axis) {
			this.arrangedOf = this.hits;
			this.arrangedBy = axis;
			this.arrangedHits = axis.arrange(this.hits);
		}
		return this.arrangedHits;
	}

	isHit(i) {
		return this.query.words.length > 0 && matches(this.app.trace, this.query.words, i);
	}

	showList(shown) {
		this.list.hidden = !shown || !this.hits.length;
		this.drawList();
	}

	drawList() {
		if (this.list.hidden)
			return;
		const start = Math.max(0, Math.min(this.current - 5, this.hits.length - LISTED));
		const rows = [];
		for (let k = start; k < Math.min(this.hits.length, start + LISTED); k++)
			rows.push(this.row(k));
		this.list.replaceChildren(...rows);
		this.list.querySelector(".current")?.scrollIntoView({ block: "nearest" });
	}

	row(k) {
		const { trace } = this.app;
		const i = this.hits[k];
		const row = element("div", "found", "",
			element("time", "", exact(trace.now[i])),
			element("span", "guest", trace.guestName(trace.guestOf[i])),
			element("span", "text", this.excerpt(trace.text(i))));
		row.dataset.hit = k;
		row.classList.toggle("current", k === this.current);
		return row;
	}

	/** The part of a long text around what was looked for. */
	excerpt(text) {
		const word = this.query.words.find((each) => text.toLowerCase().includes(each)) ?? "";
		const at = text.toLowerCase().indexOf(word);
		return at > 60 ? `…${text.slice(at - 30, at + 120)}` : text.slice(0, 150);
	}

	pick(event) {
		const row = event.target.closest("[data-hit]");
		event.preventDefault();
		if (row)
			this.go(Number(row.dataset.hit));
	}
}
