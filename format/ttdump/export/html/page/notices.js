// SPDX-License-Identifier: BSD-3-Clause
// What has to be said before anything else: that a replay differed, that the trace is not whole.

import { element } from "./draw/dom.js";
import { grouped } from "./model/time.js";

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

function hex(value) {
	return Number.isFinite(value) ? `0x${value.toString(16)}` : "?";
}

/** "ram 0x1000, jiffies+0x8: 0x8 here, 0x0 recorded", as far as the report has it. */
function memoryText(memory) {
	if (typeof memory !== "object" || !memory)
		return "";
	const at = memory.recovered ?? memory;
	const symbol = at.symbol ? `, ${at.symbol}+${hex(at.offset)}` : "";
	const values = memory.recovered
		? `: ${memory.recovered.replayed} here, ${memory.recovered.recorded} recorded`
		: `: hash ${memory.replayed_hash} here, ${memory.recorded_hash} recorded`;
	return `${memory.region ?? ""} ${hex(at.address)}${symbol}${values}`;
}

function causeText(causes) {
	const first = Array.isArray(causes) ? causes[0] : null;
	return first ? [first.cause, first.evidence, first.to_do].filter(Boolean).join("; ") : "";
}

function divergenceNotice(app, found) {
	const { trace } = app;
	const button = element("button", "go", "Show");
	button.addEventListener("click", () => app.select(found.record, { close: true }));
	return element("div", "notice bad", "",
		element("b", "", `${trace.guestName(found.guest)} diverged at record ${found.number}, ${
			grouped(trace.now[found.record] ?? 0)}`),
		element("dl", "", "", ...said("expected", found.expected), ...said("got", found.got),
			...said("memory", memoryText(found.memory)),
			...said("may be", causeText(found.causes)), ...said("next", found.next)),
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
			element("b", "", "This trace is incomplete."), element("span", "", facts.problem)));
	root.replaceChildren(...notices);
}
