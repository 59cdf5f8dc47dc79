// SPDX-License-Identifier: BSD-3-Clause
// Bundles the page for ttdump: build.mjs MODULES OUTPUT.c writes what precedes the data and
// behind it as C (html_page.h). MODULES is the node_modules to take libraries from.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const [modules, output] = process.argv.slice(2);
const load = createRequire(join(modules, "any.js"));

/** What the licences of the libraries ask for: their notices go with the page. */
function notices() {
	return ["uplot", "d3-array", "internmap"].map((name) => {
		const text = readFileSync(join(modules, name, "LICENSE"), "utf8").trim();
		return `/*! ${name}\n${text.replaceAll("*/", "* /")} */\n`;
	}).join("");
}

async function bundle() {
	const { outputFiles } = await load("esbuild").build({
		entryPoints: [join(here, "main.js")], outfile: "page.js", bundle: true, minify: true,
		format: "iife", target: "es2022", charset: "utf8", legalComments: "none", write: false,
		nodePaths: [modules],
	});
	const text = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text;
	return { script: notices() + text(".js"), style: text(".css") };
}

/** The policy of the page allows what has this hash, and nothing else. */
function hash(text) {
	return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** As a parser of HTML sees it, no script ends before its end. */
function checkInline(text, name) {
	if (/<\/(script|style)|<!--/i.test(text))
		throw new Error(`the ${name} of the page would end early`);
}

function array(name, text) {
	const bytes = [...Buffer.from(text)];
	return `const char ${name}[] = {${bytes.map((byte) => (byte < 128 ? byte : byte - 256)).join()}};\n` +
		`const size_t ${name}_size = sizeof(${name});\n`;
}

const { script, style } = await bundle();
checkInline(script, "script");
checkInline(style, "style");
const fill = { SCRIPT_HASH: hash(script), STYLE_HASH: hash(style), SCRIPT: script, STYLE: style };
const page = readFileSync(join(here, "page.html"), "utf8")
	.replace(/\b(SCRIPT_HASH|STYLE_HASH|SCRIPT|STYLE)\b/g, (name) => fill[name]);
const [head, tail] = page.split(/^DATA\n/m);
writeFileSync(output, `/* Made by format/ttdump/export/html/page/build.mjs. */\n` +
	`#include "format/ttdump/export/html/html_page.h"\n\n${array("html_head", head)}${array("html_tail", tail)}`);
