// SPDX-License-Identifier: BSD-3-Clause
/* What somebody may have meant who wrote something that is not known. */
#include "recorder/lab_internal.h"

#include <string.h>

#include "format/printable.h"

/* Longer words are not compared: nothing known here is. */
#define WORD_MAX 32

const char *lab_quote(const char *text, char quote[LAB_QUOTE])
{
	size_t length = strnlen(text, 41);
	bool cut = length == 41;

	if (cut)
		length = 40;
	/* Not inside a character of several bytes. */
	while (cut && length && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	snprintf(quote, LAB_QUOTE, "%.*s%s", (int)length, text, cut ? "..." : "");
	return printable(quote);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Letters to change, insert, leave out or swap with their neighbour. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[WORD_MAX + 1][WORD_MAX + 1];
	size_t rows = strlen(a), columns = strlen(b);

	for (size_t i = 0; i <= rows; i++)
		row[i][0] = (unsigned int)i;
	for (size_t j = 0; j <= columns; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= rows; i++) {
		for (size_t j = 1; j <= columns; j++) {
			row[i][j] = least(row[i - 1][j], row[i][j - 1]) + 1;
			row[i][j] = least(row[i][j], row[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[i][j] = least(row[i][j], row[i - 2][j - 2] + 1);
		}
	}
	return row[rows][columns];
}

static const char *name_at(const void *names, size_t index, size_t stride)
{
	const char *name;

	memcpy(&name, (const char *)names + index * stride, sizeof(name));
	return name;
}

size_t lab_find_name(const char *name, const void *names, size_t count, size_t stride)
{
	size_t i = 0;

	while (i < count && strcmp(name_at(names, i, stride), name))
		i++;
	return i;
}

static const char *nearest(const char *word, const void *names, size_t count, size_t stride)
{
	unsigned int best = 3; /* more letters than two are another word */
	const char *found = NULL;

	if (strlen(word) > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *name = name_at(names, i, stride);
		unsigned int away;

		if (strlen(name) > WORD_MAX)
			continue;
		away = distance(word, name);
		if (away < best && away < strlen(name)) {
			best = away;
			found = name;
		}
	}
	return found;
}

const char *lab_advise(const char *word, const char *known, const void *names, size_t count,
		       size_t stride, char advice[LAB_ADVICE])
{
	const char *meant = nearest(word, names, count, stride);
	FILE *out = fmemopen(advice, LAB_ADVICE, "w");

	if (!out)
		return known;
	if (meant)
		fprintf(out, "did you mean '%s'? ", meant);
	fprintf(out, "%s: ", known);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? ", " : "", name_at(names, i, stride));
	fclose(out);
	advice[LAB_ADVICE - 1] = '\0';
	return advice;
}
