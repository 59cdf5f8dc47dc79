// SPDX-License-Identifier: BSD-3-Clause
// Level of detail: how much there is in each column of pixels, without looking at every record. The
// cost grows with the width of the view and the logarithm of the trace.

/** The first index from @from to @to of @list that is at or behind @limit, relative to the view. */
function seek(list, from, to, axis, view, limit) {
	const { whole, fraction } = axis;
	const left = view.left;
	const part = view.fraction;
	while (from < to) {
		const middle = (from + to) >>> 1;
		const i = list[middle];
		if (whole[i] - left + (fraction[i] - part) >= limit)
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}

/** The same, quick when it is near @from. */
function gallop(list, from, to, axis, view, limit) {
	const { whole, fraction } = axis;
	let step = 1;
	let last = from;
	while (from < to) {
		const i = list[from];
		if (whole[i] - view.left + (fraction[i] - view.fraction) >= limit)
			return seek(list, last, from, axis, view, limit);
		last = from + 1;
		from += step;
		step *= 2;
	}
	return seek(list, last, to, axis, view, limit);
}

/** Those of @list that are in view: [first, behind the last]. */
export function visible(list, view) {
	const from = seek(list, 0, list.length, view.axis, view, 0);
	return [from, seek(list, from, list.length, view.axis, view, view.span)];
}

/** Fills @counts, a number a column, with how many of @list are there. */
export function countColumns(list, [from, to], view, counts) {
	const columns = counts.length;
	counts.fill(0);
	if (to - from <= 4 * columns) {
		for (let k = from; k < to; k++)
			counts[Math.min(columns - 1, Math.max(0, view.x(list[k]) | 0))]++;
		return;
	}
	for (let x = 0, k = from; x < columns && k < to; x++) {
		const next = gallop(list, k, to, view.axis, view, view.offset(x + 1));
		counts[x] = next - k;
		k = next;
	}
}

/** The lengths of all spans up to each, along the axis of @view. */
function lengthsBefore(spans, axis) {
	if (spans.axis === axis)
		return spans.before;
	const before = new Float64Array(spans.start.length + 1);
	for (let k = 0; k < spans.start.length; k++)
		before[k + 1] = before[k] + spanLength(spans, k, axis);
	spans.axis = axis;
	spans.before = before;
	return before;
}

function spanLength(spans, k, axis) {
	return axis.from(spans.end[k], axis.whole[spans.start[k]], axis.fraction[spans.start[k]]);
}

/** The spans that reach into the view: [first, behind the last]. */
export function visibleSpans(spans, view) {
	const from = seek(spans.end, 0, spans.end.length, view.axis, view, 0);
	return [from, seek(spans.start, from, spans.start.length, view.axis, view, view.span)];
}

/** Fills @counts with how many begin in a column, and @cover with how much of it they cover. */
export function coverColumns(spans, [from, to], view, counts, cover) {
	const { axis } = view;
	const before = lengthsBefore(spans, axis);
	const width = view.offset(1);
	countColumns(spans.start, [from, to], view, counts);
	let k = from;
	let last = coverUntil(spans, before, k, view, 0);
	for (let x = 0; x < cover.length; x++) {
		const limit = view.offset(x + 1);
		k = gallop(spans.start, k, to, axis, view, limit);
		const now = coverUntil(spans, before, k, view, limit);
		cover[x] = Math.min(1, (now - last) / width);
		last = now;
	}
}

/** How much is covered up to @limit; @k is the first span that starts there or behind. */
function coverUntil(spans, before, k, view, limit) {
	if (!k)
		return 0;
	const start = view.axis.from(spans.start[k - 1], view.left, view.fraction);
	return before[k - 1] + Math.max(0, Math.min(limit - start, before[k] - before[k - 1]));
}
