// SPDX-License-Identifier: BSD-3-Clause
// A page of ttdump export html in a headless Chromium, for the tests: what it does and what it shows.
//
// Environment: TTREC_TEST_MODULES, the node_modules with playwright-core.

import { createRequire } from "node:module";
import { resolve } from "node:path";

const load = createRequire(`${process.env.TTREC_TEST_MODULES}/any.js`);
const { chromium } = load("playwright-core");
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
	"--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function check(holds, what) {
	if (!holds)
		throw new Error(what);
}

export function equal(found, wanted, what) {
	check(JSON.stringify(found) === JSON.stringify(wanted),
		`${what}: ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`);
}

/** The trace in it is unpacked and shown. Its problems are messages, errors, requests. */
export async function openPage(file) {
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: quiet });
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
	const page = await context.newPage();
	const problems = [];
	const url = `file://${resolve(file)}`;
	page.on("console", (message) => problems.push(`console: ${message.text()}`));
	page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
	page.on("dialog", (dialog) => problems.push(`dialog: ${dialog.message()}`));
	page.on("request", (request) => {
		if (request.url() !== url && !request.url().startsWith("blob:"))
			problems.push(`request: ${request.url()}`);
	});
	const start = performance.now();
	await page.goto(url);
	await page.waitForSelector("body[data-ready=yes]", { state: "attached", timeout: 60000 });
	return { browser, page, problems, took: performance.now() - start };
}

/** What the page shows at points of its lanes: [red, green, blue] for each {x, y}, off a picture. */
export async function pixels(page, points) {
	const box = await page.locator("#overlay").boundingBox();
	const picture = await page.screenshot();
	const other = await page.context().newPage();
	const found = await other.evaluate(async ([data, at]) => {
		const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
		const image = await createImageBitmap(new Blob([bytes]));
		const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
		context.drawImage(image, 0, 0);
		return at.map(({ x, y }) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)]);
	}, [picture.toString("base64"), points.map(({ x, y }) => ({ x: box.x + x, y: box.y + y }))]);
	await other.close();
	return found;
}

/** As the eye sees them. */
export function alike(a, b) {
	return a.every((part, k) => Math.abs(part - b[k]) < 60);
}

/** Runs the test of a script: test(file, ...) from its arguments; what fails is said. */
export async function main(test) {
	try {
		await test(...process.argv.slice(2));
		process.exit(0);
	} catch (error) {
		console.log(error.message);
		process.exit(1);
	}
}
