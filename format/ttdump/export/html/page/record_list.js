// SPDX-License-Identifier: BSD-3-Clause
// The records around the cursor, as ttdump show prints them.

import { element } from "./draw/dom.js";
import { difference, exact } from "./model/time.js";

const LINE = 20;

export class RecordList {
	constructor(app, root) {
		this.app = app;
		this.root = root;
		this.scrolled = 0;
		root.addEventListener("wheel", (event) => {
			event.preventDefault();
			this.scrolled += Math.sign(event.deltaY) * 3;
			this.draw();
		}, { passive: false });
		root.addEventListener("click", (event) => {
			const row = event.target.closest("[data-record]");
			if (row)
				app.select(Number(row.dataset.record));
		});
		new ResizeObserver(() => this.draw()).observe(root);
	}

	follow() {
		this.scrolled = 0;
		this.draw();
	}

	draw() {
		const { trace, cursor } = this.app;
		const count = Math.max(1, Math.floor(this.root.clientHeight / LINE));
		const most = Math.max(0, trace.count - count);
		const start = Math.min(most, Math.max(0, cursor - (count >> 1)));
		const first = Math.min(most, Math.max(0, start + this.scrolled));
		this.scrolled = first - start;
		const rows = [];
		for (let i = first; i < Math.min(trace.count, first + count); i++)
			rows.push(this.row(i));
		this.root.replaceChildren(...rows);
	}

	row(i) {
		const { trace, cursor } = this.app;
		const delta = i ? trace.now[i] - trace.now[i - 1] : 0;
		const text = trace.text(i);
		const row = element("div", `record direction-${trace.direction(i)}`, "",
			element("span", "number", String(trace.number(i))),
			element("time", "", exact(trace.now[i])),
			element("span", "delta", delta ? difference(delta) : ""),
			element("span", "guest", trace.guestName(trace.guestOf[i])),
			element("span", "arrow", trace.arrow(i)),
			element("span", "text", text));
		row.dataset.record = i;
		row.title = trace.kinds[trace.kindOf[i]]?.doc ?? "";
		row.classList.toggle("current", i === cursor);
		row.classList.toggle("hit", this.app.isHit(i));
		return row;
	}
}
