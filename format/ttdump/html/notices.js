// SPDX-License-Identifier: BSD-3-Clause
// What has to be said before anything else: that a replay differed, that the trace is not whole.

import { element } from "./dom.js";
import { grouped } from "./time.js";

/** Of the report of a replay: where guests differed, {guest, record, expected, got, memory}. */
export function findDivergences(trace) {
	const guests = trace.facts.report?.guests ?? [];
	return guests.filter((each) => each?.verdict === "diverged" && Number.isInteger(each.record))
		.map((each) => ({
			...each,
			guest: Number.isInteger(each.index) ? each.index : -1,
			record: Math.min(Math.max(0, each.record - trace.first), Math.max(0, trace.count - 1)),
			number: each.record,
		}))
		.sort((a, b) => a.record - b.record);
}

function said(name, text) {
	return text ? [element("dt", "", name), element("dd", "", text)] : [];
}

/** An object of the report as text: "address 0x60401000, symbol jiffies". */
function factText(facts) {
	return Object.entries(facts ?? {}).filter(([, value]) => value !== null && value !== "")
		.map(([name, value]) => `${name.replaceAll("_", " ")} ${
			typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}

function divergenceNotice(app, found) {
	const { trace } = app;
	const button = element("button", "go", "Show");
	button.addEventListener("click", () => app.select(found.record, { close: true }));
	return element("div", "notice bad", "",
		element("b", "", `${trace.guestName(found.guest)} diverged at record ${found.number}, ${
			grouped(trace.now[found.record] ?? 0)}`),
		element("dl", "", "", ...said("expected", found.expected), ...said("got", found.got),
			...said("memory", factText(found.memory))),
		button);
}

function verdictNotice(trace) {
	const { report } = trace.facts;
	const identical = report.guests.filter((each) => each?.verdict === "identical").length;
	return element("div", "notice good", "",
		element("b", "", `Replayed: ${identical} of ${report.guests.length} guests identical`));
}

export function showNotices(app, root) {
	const { facts } = app.trace;
	const notices = app.divergences.map((found) => divergenceNotice(app, found));
	if (facts.report && !notices.length)
		notices.push(verdictNotice(app.trace));
	if (facts.problem)
		notices.push(element("div", "notice warn", "",
			element("b", "", "This trace is not whole."), element("span", "", facts.problem)));
	root.replaceChildren(...notices);
}
