// SPDX-License-Identifier: BSD-3-Clause
// lab.mjs FILE RECORD GUEST: two guests that ping each other, recorded; a replay of GUEST diverged at
// RECORD. What is in the trace is seen where it should be, and found.

import { alike, check, equal, main, openPage, pixels } from "./page.mjs";

/** Colours of the theme, as red, green, blue. */
function themeOf(page) {
	return page.evaluate(() => window.ttrec.theme.rgb);
}

/** Shows a frame on its way, and returns where its arrow is. */
async function showFrame(page) {
	const arrow = await page.evaluate(async () => {
		const { ttrec } = window;
		const { frames } = ttrec.trace;
		const f = frames.took.findIndex((took) => took > 0);
		ttrec.view.set(ttrec.view.axis.whole[frames.sent[f]], -frames.took[f], 3 * frames.took[f]);
		await new Promise((resolve) => setTimeout(resolve, 200));
		return ttrec.chart.arrows.find(({ frame }) => frame === f);
	});
	check(arrow, "no frame is drawn as an arrow");
	check(Math.abs(arrow.x1 - arrow.x0) > 200, `an arrow from ${arrow.x0} to ${arrow.x1}`);
	return arrow;
}

async function arrows(page) {
	const { x0, y0, x1, y1 } = await showFrame(page);
	const theme = await themeOf(page);
	// Not where the ruler's lines are.
	const places = [0.31, 0.43, 0.57].map((share) => ({
		x: Math.round(x0 + share * (x1 - x0)), y: Math.round(y0 + share * (y1 - y0)),
	}));
	const around = places.flatMap(({ x, y }) => [-1, 0, 1].map((step) => ({ x, y: y + step })));
	const beside = places.map(({ x, y }) => ({ x, y: y + 25 }));
	const on = await pixels(page, around);
	check(on.filter((colour) => alike(colour, theme.frame)).length >= 3, `an arrow of ${on.join(" | ")}`);
	const off = await pixels(page, beside);
	check(!off.some((colour) => alike(colour, theme.frame)), `beside an arrow ${off.join(" | ")}`);
}

/** Runs are where the trace has them: in order, so that they are wide. */
async function runs(page) {
	const bars = await page.evaluate(async () => {
		const { ttrec } = window;
		ttrec.view.fit();
		ttrec.changeAxis();
		const [lane] = ttrec.lanes;
		const k = lane.runs.start.length >> 1;
		ttrec.view.set(lane.runs.start[k] - 20, 0, lane.runs.end[k] - lane.runs.start[k] + 40);
		await new Promise((resolve) => setTimeout(resolve, 200));
		const { top } = ttrec.chart.laneOf(lane.guest);
		const height = ttrec.chart.laneHeight;
		const from = ttrec.view.x(lane.runs.start[k]);
		const to = ttrec.view.x(lane.runs.end[k]);
		return { from, to, y: top + 0.38 * height, above: top + 0.03 * height };
	});
	const theme = await themeOf(page);
	const middle = Math.round((bars.from + bars.to) / 2) + 3;
	const [run, wait, above] = await pixels(page, [{ x: middle, y: bars.y },
		{ x: bars.to + 4, y: bars.y }, { x: middle, y: bars.above }]);
	check(alike(run, theme.run), `a run of ${run}`);
	check(!alike(wait, theme.run), `a wait of ${wait}`);
	check(!alike(above, theme.run), `above a run ${above}`);
	await page.keyboard.press("o");
}

async function zooms(page) {
	const span = () => page.evaluate(() => window.ttrec.view.span);
	const under = (x) => page.evaluate((at) => window.ttrec.view.place(at).reduce((a, b) => a + b), x);
	const box = await page.locator("#overlay").boundingBox();
	await page.keyboard.press("f");
	const before = [await span(), await under(300)];
	await page.mouse.move(box.x + 300, box.y + 100);
	for (let turn = 0; turn < 10; turn++)
		await page.mouse.wheel(0, -100);
	const after = [await span(), await under(300)];
	check(after[0] < before[0] / 5, `closer: ${before[0]} to ${after[0]}`);
	check(Math.abs(after[1] - before[1]) < after[0] / 100, "what is under the pointer does not stay");
	for (let turn = 0; turn < 200; turn++)
		await page.mouse.wheel(0, -300);
	check(await span() < 1, "one cannot look into a nanosecond");
	await page.keyboard.press("f");
	equal(await span(), before[0], "all of it again");
	await page.keyboard.press("b");
	check(await span() < 1, "back");
	await page.keyboard.press("f");
}

async function finds(page) {
	await page.keyboard.press("/");
	await page.keyboard.type("packets received");
	await page.waitForFunction(() => window.ttrec.hits.length === 1);
	await page.keyboard.press("Enter");
	await page.waitForTimeout(100);
	const line = await page.locator(".console-line.hit span").first().textContent();
	check(line.includes("packets received"), `the console shows ${line}`);
	check((await page.locator(".record.current .text").textContent()).startsWith("console "),
		"the cursor is not at the console's record");
	await page.fill("#search", "0.001");
	await page.keyboard.press("Enter");
	check(await page.evaluate(() => {
		const { trace, cursor } = window.ttrec;
		return trace.now[cursor] >= 1e6 && trace.now[cursor - 1] < 1e6;
	}), "a time is not found");
	await page.fill("#search", "1234");
	await page.keyboard.press("Enter");
	equal(await page.evaluate(() => window.ttrec.cursor), 1234, "a record is not found");
	await page.keyboard.press("Escape");
}

async function points(page) {
	const { x0, y0, x1, y1 } = await showFrame(page);
	const box = await page.locator("#overlay").boundingBox();
	await page.mouse.move(box.x + (x0 + x1) / 2, box.y + (y0 + y1) / 2);
	const text = await page.locator("#tooltip").textContent();
	check(/frame n\d → n\d.*bytes, took 100 µs/.test(text), `at the pointer: ${text}`);
	await page.mouse.move(box.x + 5, box.y + 5);
}

async function divergence(page, record, guest) {
	const notice = await page.locator(".notice.bad").textContent();
	check(notice.includes(`${guest} diverged at record ${record}`), `the notice says ${notice}`);
	await page.keyboard.press("x");
	await page.waitForTimeout(200);
	equal(await page.evaluate(() => window.ttrec.trace.number(window.ttrec.cursor)), Number(record),
		"the cursor");
	const [flag, behind, before] = await page.evaluate(() => {
		const { view, chart, divergences } = window.ttrec;
		const [{ guest: lane, record: i }] = divergences;
		const y = chart.laneOf(lane).top;
		return [{ x: view.x(i) + 3, y: y + 6 }, { x: view.x(i) + 60, y: y + 5 }, { x: view.x(i) - 60, y: y + 5 }];
	});
	const theme = await themeOf(page);
	const colours = await pixels(page, [flag, behind, before]);
	check(alike(colours[0], theme.bad), `a flag of ${colours[0]}`);
	check(colours[1][0] > colours[1][2] + 5, `behind it ${colours[1]}`);
	check(alike(colours[2], theme.lane), `before it ${colours[2]}`);
}

await main(async (file, record, guest) => {
	const { page, problems } = await openPage(file);
	await divergence(page, record, guest);
	await arrows(page);
	await runs(page);
	await zooms(page);
	await finds(page);
	await points(page);
	equal(problems, [], "what the page did");
});
