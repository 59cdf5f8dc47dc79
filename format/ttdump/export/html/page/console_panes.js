// SPDX-License-Identifier: BSD-3-Clause
// The consoles beside the lanes: each shows what its guest had printed at the cursor, and dimmed
// what it is going to print.

import { element } from "./draw/dom.js";
import { exact } from "./model/time.js";

const LINE = 16;
/** Lines kept visible behind the cursor. */
const AHEAD = 3;

class Pane {
	constructor(app, guest, console) {
		this.app = app;
		this.guest = guest;
		this.console = console;
		this.scrolled = 0;
		this.body = element("div", "console-body");
		this.title = element("button", "console-title", app.trace.guestName(guest));
		this.title.title = "Show only this console, or all";
		this.root = element("section", "console", "", this.title, this.body);
		this.body.addEventListener("wheel", (event) => this.scroll(event), { passive: false });
		this.body.addEventListener("click", (event) => this.pick(event));
	}

	scroll(event) {
		event.preventDefault();
		this.scrolled += Math.sign(event.deltaY) * 3;
		this.draw();
	}

	pick(event) {
		const line = event.target.closest("[data-record]");
		if (line)
			this.app.select(Number(line.dataset.record));
	}

	/** Follow the cursor again. */
	follow() {
		this.scrolled = 0;
		this.draw();
	}

	draw() {
		const { console: text, app } = this;
		const now = text.until(app.cursor);
		const rows = Math.max(1, Math.floor((this.body.clientHeight - 6) / LINE));
		const most = Math.max(0, text.count - rows);
		const start = Math.min(most, Math.max(0, now + Math.min(AHEAD, rows >> 1) - rows));
		const first = Math.min(most, Math.max(0, start + this.scrolled));
		this.scrolled = first - start;
		const lines = [];
		for (let k = first; k < Math.min(text.count, first + rows); k++)
			lines.push(this.line(k, now));
		this.body.replaceChildren(...lines);
		if (!text.count)
			this.body.append(element("p", "empty", "nothing printed"));
	}

	line(k, now) {
		const record = this.console.records[k];
		const line = element("div", "console-line", "",
			element("time", "", exact(this.app.trace.now[record]).slice(0, -3)),
			element("span", "", this.console.line(k)));
		line.dataset.record = record;
		line.classList.toggle("future", k >= now);
		line.classList.toggle("latest", k === now - 1);
		line.classList.toggle("hit", this.app.isHit(record, this.console.line(k)));
		return line;
	}
}

export class ConsolePanes {
	constructor(app, root) {
		this.root = root;
		this.panes = app.lanes.map((lane) => new Pane(app, lane.guest, app.consoles.get(lane.guest)));
		root.append(...this.panes.map((pane) => pane.root));
		for (const pane of this.panes)
			pane.title.addEventListener("click", () => this.solo(pane));
		new ResizeObserver(() => this.draw()).observe(root);
		root.addEventListener("scroll", () => this.draw());
	}

	/** Show the console of @guest, if only one is shown. */
	reveal(guest) {
		const shown = this.panes.find((pane) => pane.guest === guest);
		if (this.single && this.single !== shown)
			this.solo(shown);
		shown?.root.scrollIntoView({ block: "nearest" });
	}

	solo(pane) {
		this.single = this.single === pane ? null : pane;
		for (const other of this.panes)
			other.root.hidden = Boolean(this.single) && other !== this.single;
		this.draw();
	}

	follow() {
		for (const pane of this.shown())
			pane.follow();
	}

	draw() {
		for (const pane of this.shown())
			pane.draw();
	}

	/** Those that can be seen. */
	shown() {
		const { scrollTop, clientHeight, offsetTop } = this.root;
		return this.panes.filter(({ root }) => {
			const top = root.offsetTop - offsetTop;
			return !root.hidden && top < scrollTop + clientHeight && top + root.offsetHeight > scrollTop;
		});
	}
}
