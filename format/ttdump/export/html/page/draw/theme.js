// SPDX-License-Identifier: BSD-3-Clause
// The colours of the page for the canvas: those of style.css, light or dark.

const names = ["ground", "lane", "panel", "ink", "dim", "faint", "line", "run", "service", "call",
	"irq", "kick", "frame", "console", "check", "life", "bad", "hit", "cursor"];

/** All colours as they are now: text for a context, and red, green, blue. */
export function readTheme() {
	const style = getComputedStyle(document.documentElement);
	const theme = { rgb: {} };
	for (const name of names) {
		theme[name] = style.getPropertyValue(`--${name}`).trim();
		theme.rgb[name] = theme[name].match(/[0-9a-f]{2}/gi).map((digits) => parseInt(digits, 16));
	}
	return theme;
}

/** The theme that was not shown before. */
export function toggleTheme() {
	const root = document.documentElement;
	const dark = root.dataset.theme ? root.dataset.theme === "dark"
		: matchMedia("(prefers-color-scheme: dark)").matches;
	root.dataset.theme = dark ? "light" : "dark";
}
