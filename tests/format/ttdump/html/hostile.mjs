// SPDX-License-Identifier: BSD-3-Clause
// hostile.mjs FILE: names and consoles full of markup are shown as text, and do nothing.

import { check, equal, main, openPage } from "./page.mjs";

await main(async (file) => {
	const { page, problems } = await openPage(file);
	await page.fill("#search", "script");
	await page.keyboard.press("Enter");
	await page.waitForFunction(() => window.ttrec.hits.length > 0);
	await page.keyboard.press("Escape");
	await page.evaluate(() => window.ttrec.select(0));
	const box = await page.locator("#overlay").boundingBox();
	for (let x = 20; x < box.width; x += 40)
		await page.mouse.move(box.x + x, box.y + 100);
	await page.waitForTimeout(200);
	equal(problems, [], "what the page did");
	check(!await page.evaluate(() => "broken" in window), "script of the trace ran");
	equal(await page.locator("img, iframe, object").count(), 0, "elements made by the trace");
	equal(await page.locator(".lane-name b").first().textContent(),
		"</script><script>window.broken=1</script>", "the name of a guest");
	const lines = await page.locator(".console-line span").allTextContents();
	check(lines.some((line) => line.includes("<img src=x onerror=window.broken=1>")),
		`its console: ${lines}`);
	check(lines.some((line) => line === "red and plain"), `its console: ${lines}`);
});
