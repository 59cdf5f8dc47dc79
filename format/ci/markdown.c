// SPDX-License-Identifier: BSD-3-Clause
/* Escapes untrusted text for Markdown. */
#include "format/ci/markdown.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/console_line.h"
#include "format/base/printable.h"
#include "format/base/write_error.h"

/* All that CommonMark 0.31 and GitHub's tables, mentions and links give a meaning within a line. */
#define MARKUP "\\`*_{}[]#!|~@$^"

/* True: in HTML syntax. */
static bool print_entity(FILE *out, char character)
{
	switch (character) {
	case '<':
		return fputs("&lt;", out) >= 0;
	case '>':
		return fputs("&gt;", out) >= 0;
	case '&':
		return fputs("&amp;", out) >= 0;
	default:
		return false;
	}
}

void markdown_text(FILE *out, const char *text)
{
	auto_free char *shown = output_copy(text);

	for (const char *at = shown ? printable(shown) : ""; *at; at++) {
		if (print_entity(out, *at))
			continue;
		fprintf(out, strchr(MARKUP, *at) ? "\\%c" : "%c", *at);
	}
}

void markdown_html(FILE *out, const char *text)
{
	auto_free char *shown = output_copy(text);

	for (const char *at = shown ? printable(shown) : ""; *at; at++)
		if (!print_entity(out, *at))
			fputc(*at, out);
}

/* The longest row of backticks: a fence must be longer. */
static size_t longest_row(const char *text)
{
	size_t longest = 0, row = 0;

	for (; *text; text++) {
		row = *text == '`' ? row + 1 : 0;
		longest = row > longest ? row : longest;
	}
	return longest;
}

static void print_row(FILE *out, size_t length)
{
	while (length--)
		fputc('`', out);
}

void markdown_code(FILE *out, const char *text)
{
	auto_free char *shown = output_copy(text);
	size_t fence;
	bool padded;

	if (!shown || !*printable(shown))
		return;
	fence = longest_row(shown) + 1;
	/* One space on both sides is taken away again. */
	padded = *shown == '`' || *shown == ' ' || shown[strlen(shown) - 1] == '`';
	print_row(out, fence);
	fprintf(out, padded ? " %s " : "%s", shown);
	print_row(out, fence);
}

void markdown_finding(FILE *out, const struct finding *finding)
{
	const struct finding_info *info = finding_info(finding->code);

	fprintf(out, "**%s**: ",
		info->severity == FINDING_CAUSE ? info->meaning : finding_label(finding->code));
	markdown_text(out, finding->text);
	fprintf(out, " `%s`", info->code);
	if (*finding->hint) {
		fprintf(out, "  \n   Hint: ");
		markdown_text(out, finding->hint);
	}
	fputc('\n', out);
}

void markdown_block(FILE *out, const char *text, size_t size)
{
	auto_free char *shown = console_lines_copy(text, size);
	size_t fence = shown ? longest_row(shown) + 1 : 0;

	if (!shown)
		return;
	fence = fence < 3 ? 3 : fence;
	print_row(out, fence);
	size = strlen(shown);
	fprintf(out, "text\n%s%s", shown, size && shown[size - 1] == '\n' ? "" : "\n");
	print_row(out, fence);
	fputc('\n', out);
}
