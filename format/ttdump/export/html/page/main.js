// SPDX-License-Identifier: BSD-3-Clause
// Loads the trace that is in the page, and shows it.

import "uplot/dist/uPlot.min.css";
import "./style.css";
import { App } from "./app.js";
import { byId } from "./draw/dom.js";
import { loadTrace } from "./model/trace.js";

async function main() {
	const bar = byId("progress");
	if (!("DecompressionStream" in window))
		throw new Error("This browser is too old: it cannot decompress the trace.");
	const trace = await loadTrace((share) => {
		bar.value = share;
	});
	window.ttrec = new App(trace);
	byId("loading").hidden = true;
	document.body.dataset.ready = "yes";
}

main().catch((error) => {
	byId("loading").textContent = `This page cannot be shown. ${error.message}`;
	throw error;
});
