// SPDX-License-Identifier: BSD-3-Clause
// Searching in what is sorted.

/** The first index from @from to @to at which @reached is true; @to when there is none. */
export function firstWhere(from, to, reached) {
	while (from < to) {
		const middle = (from + to) >>> 1;
		if (reached(middle))
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}
