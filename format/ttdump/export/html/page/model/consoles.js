// SPDX-License-Identifier: BSD-3-Clause
// What each guest printed, in lines, and with which record each line began.

import { firstWhere } from "./search_sorted.js";

const NEWLINE = 10;
const utf8 = new TextDecoder();
// What a terminal would act on: sequences that begin with an escape, and other control characters.
const controls = /\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.|[\0-\x08\x0b-\x1f\x7f]/g;

class Console {
	constructor(bytes, starts, records) {
		this.bytes = bytes;
		this.starts = starts;
		this.records = records;
		this.count = starts.length;
	}

	line(k) {
		const end = k + 1 < this.count ? this.starts[k + 1] - 1 : this.bytes.length;
		return utf8.decode(this.bytes.subarray(this.starts[k], end)).replace(controls, "");
	}

	/** How many lines had begun up to record @i. */
	until(i) {
		return firstWhere(0, this.count, (k) => this.records[k] > i);
	}
}

/** Of each lane; input that is typed is echoed by the guest, and not repeated here. */
export function findConsoles(trace, lanes) {
	const consoles = new Map();
	for (const lane of lanes) {
		const parts = lane.marks.console.filter((i) => trace.kindOf[i] === trace.kind.console);
		consoles.set(lane.guest, readConsole(trace, parts));
	}
	return consoles;
}

function readConsole(trace, parts) {
	const size = parts.reduce((total, i) => total + trace.textSize[i], 0);
	const bytes = new Uint8Array(size);
	const starts = [];
	const records = [];
	let at = 0;
	let fresh = true;
	for (const i of parts) {
		for (const byte of trace.consoleBytes(i)) {
			if (fresh) {
				starts.push(at);
				records.push(i);
			}
			fresh = byte === NEWLINE;
			bytes[at++] = byte;
		}
	}
	return new Console(fresh ? bytes.subarray(0, -1) : bytes, Uint32Array.from(starts),
		Uint32Array.from(records));
}
