// SPDX-License-Identifier: BSD-3-Clause
/* Suggests corrections for unknown words. */
#include "recorder/lab/lab_internal.h"

#include <string.h>

#include "format/base/printable.h"
#include "format/base/words.h"

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

size_t lab_find_name(const char *name, const void *names, size_t count, size_t stride)
{
	size_t i = 0;

	while (i < count && strcmp(word_at(names, i, stride), name))
		i++;
	return i;
}

const char *lab_advise(const char *word, const char *known, const void *names, size_t count,
		       size_t stride, char advice[LAB_ADVICE])
{
	const char *meant = word_nearest(word, names, count, stride);
	FILE *out = fmemopen(advice, LAB_ADVICE, "w");

	if (!out)
		return known;
	if (meant)
		fprintf(out, "did you mean '%s'? ", meant);
	fprintf(out, "%s: ", known);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? ", " : "", word_at(names, i, stride));
	fclose(out);
	advice[LAB_ADVICE - 1] = '\0';
	return advice;
}
