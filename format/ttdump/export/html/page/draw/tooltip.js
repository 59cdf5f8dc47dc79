// SPDX-License-Identifier: BSD-3-Clause
// What is under the pointer, in words, beside it.

import { element } from "./dom.js";
import { grouped, short } from "../model/time.js";

const losses = ["lost by the link", "no buffer", "nobody there"];

function frameLines(trace, f) {
	const { frames } = trace;
	const name = (guest) => (guest < 0 ? "?" : trace.guestName(guest));
	const lost = frames.lost[f];
	const missing = lost && frames.to[f] < 0 ? "" : name(frames.to[f]);
	const to = lost ? `${missing} lost: ${losses[lost - 1] ?? "?"}`.trim() : missing;
	const took = frames.took[f] ? `, took ${short(frames.took[f])}` : "";
	const network = trace.networks[frames.network[f]];
	return [`frame ${name(frames.from[f])} → ${to}`, `${network}, ${frames.size[f]} bytes${took}`];
}

/** Record @i in one line. */
function recordLines(trace, i) {
	return [`${trace.guestName(trace.guestOf[i])} ${trace.arrow(i)} ${trace.text(i)}`];
}

export class Tooltip {
	constructor(root) {
		this.root = root;
	}

	/** @pointed as Chart.at() returns it; null hides. */
	show(trace, pointed, { x, y } = {}) {
		this.root.hidden = !pointed?.exact;
		if (this.root.hidden)
			return;
		const i = pointed.record;
		const lines = [...(pointed.arrow ? frameLines(trace, pointed.arrow.frame) : []),
			...recordLines(trace, i)];
		this.root.replaceChildren(element("b", "", lines[0]),
			...lines.slice(1).map((line) => element("div", "", line.slice(0, 400))),
			element("small", "", `record ${trace.number(i)}, ${grouped(trace.now[i])}`));
		this.place(x, y);
	}

	place(x, y) {
		const { offsetWidth, offsetHeight, parentElement } = this.root;
		const left = x + 16 + offsetWidth > parentElement.clientWidth ? x - offsetWidth - 12 : x + 16;
		const top = Math.min(y + 14, parentElement.clientHeight - offsetHeight - 4);
		this.root.style.left = `${Math.max(4, left)}px`;
		this.root.style.top = `${Math.max(4, top)}px`;
	}
}
