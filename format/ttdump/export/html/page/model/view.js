// SPDX-License-Identifier: BSD-3-Clause
// The stretch of the axis that is shown, and how one gets from one to the next and back.

const HISTORY = 100;

export class View {
	constructor(axis, changed) {
		this.axis = axis;
		this.changed = changed;
		this.width = 1;
		this.past = [];
		this.set(...this.whole());
	}

	/** Everything, with a margin. */
	whole() {
		const span = this.axis.end - this.axis.start;
		return [this.axis.start, -0.02 * span, 1.04 * span];
	}

	/** From place (@whole, @fraction) on, @span wide. */
	set(whole, fraction, span) {
		const all = this.whole();
		const least = this.axis.byTime ? 1e-3 : 2;
		span = Math.min(Math.max(span, Math.min(least, all[2])), all[2]);
		const moved = Math.floor(fraction);
		whole += moved;
		fraction -= moved;
		const left = whole - this.axis.start + fraction;
		const room = [all[1] - span / 2, all[1] + all[2] - span / 2];
		if (left < room[0] || left > room[1]) {
			const kept = Math.min(Math.max(left, room[0]), room[1]);
			whole = this.axis.start + Math.floor(kept);
			fraction = kept - Math.floor(kept);
		}
		Object.assign(this, { left: whole, fraction, span });
		this.changed();
	}

	/** x of record @i in pixels. */
	x(i) {
		return this.axis.from(i, this.left, this.fraction) * this.width / this.span;
	}

	/** Offset of pixel @x from the left edge, in units of the axis. */
	offset(x) {
		return x * this.span / this.width;
	}

	/** x of a place. */
	xOf(whole, fraction = 0) {
		return (whole - this.left + (fraction - this.fraction)) * this.width / this.span;
	}

	/** The whole number and fraction under pixel @x. */
	place(x) {
		const fraction = this.fraction + this.offset(x);
		return [this.left + Math.floor(fraction), fraction - Math.floor(fraction)];
	}

	/** The last record before pixel @x, or the first of all. */
	recordBefore(x) {
		return this.axis.record(Math.max(0, this.axis.before(...this.place(x)) - 1));
	}

	pan(pixels) {
		this.set(this.left, this.fraction + this.offset(pixels), this.span);
	}

	/** Zoom by @factor (below 1: closer); what is at pixel @x stays there. */
	zoom(factor, x) {
		const before = this.span;
		const all = this.whole()[2];
		const least = this.axis.byTime ? 1e-3 : 2;
		const span = Math.min(Math.max(before * factor, Math.min(least, all)), all);
		this.set(this.left, this.fraction + (before - span) * x / this.width, span);
	}

	/** Show pixels @x0 to @x1 over the whole width. */
	zoomTo(x0, x1) {
		this.remember();
		this.set(this.left, this.fraction + this.offset(Math.min(x0, x1)),
			this.offset(Math.abs(x1 - x0)));
	}

	fit() {
		this.remember();
		this.set(...this.whole());
	}

	/** Bring record @i into the middle unless it is well inside; closer when @span is given. */
	show(i, span = this.span) {
		const x = this.x(i);
		if (span === this.span && x > this.width * 0.05 && x < this.width * 0.95)
			return;
		this.remember();
		this.set(this.axis.whole[i], this.axis.fraction[i] - span / 2, span);
	}

	/** What is shown now can be come back to. */
	remember() {
		const last = this.past.at(-1);
		if (last && last[0] === this.left && last[1] === this.fraction && last[2] === this.span)
			return;
		this.past.push([this.left, this.fraction, this.span]);
		if (this.past.length > HISTORY)
			this.past.shift();
	}

	back() {
		const last = this.past.pop();
		if (last)
			this.set(...last);
	}

	/** Another axis, and what is at record @i stays in the middle. */
	change(axis, i) {
		const share = this.span / (this.axis.end - this.axis.start);
		this.axis = axis;
		this.past = [];
		const span = share >= 1 ? this.whole()[2] : Math.max(share * (axis.end - axis.start),
			axis.byTime ? 1 : 200);
		if (share >= 1)
			this.set(...this.whole());
		else
			this.set(axis.whole[i], axis.fraction[i] - span / 2, span);
	}
}
