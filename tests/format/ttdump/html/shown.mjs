// SPDX-License-Identifier: BSD-3-Clause
// shown.mjs FILE RECORDS TEXT: whatever the trace, it is shown with so many records and this text
// among its notices, and can be walked through without an error.

import { check, equal, main, openPage } from "./page.mjs";

await main(async (file, records, text) => {
	const { page, problems } = await openPage(file);
	equal(await page.evaluate(() => window.ttrec.trace.count), Number(records), "records");
	const notices = await page.locator("#notices").textContent();
	check(text ? notices.includes(text) : !notices, `notices: ${notices}`);
	for (const key of ["+", "+", "d", "j", "k", "o", "+", "f", "b", "n", "t", "End", "Home", "?", "Escape"])
		await page.keyboard.press(key);
	const box = await page.locator("#overlay").boundingBox();
	await page.mouse.move(box.x + 100, box.y + 100);
	for (let turn = 0; turn < 10; turn++)
		await page.mouse.wheel(0, -1500);
	await page.mouse.click(box.x + 300, box.y + 60);
	await page.waitForTimeout(200);
	equal(problems, [], "what the page did");
});
