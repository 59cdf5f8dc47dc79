// SPDX-License-Identifier: BSD-3-Clause
/* Names of the parts of a guest's isolation. */
#include "kernel/sandbox/isolation.h"

#include <stdio.h>
#include <string.h>

static const struct isolation_info isolation_table[ISOLATION_COUNT] = {
#define PART(NAME, name, lost, advice) { name, lost, advice },
	ISOLATION_PARTS(PART)
#undef PART
};

const struct isolation_info *isolation_info(enum isolation_part part)
{
	return part < ISOLATION_COUNT ? &isolation_table[part] : NULL;
}

const char *isolation_text(unsigned int parts, char text[ISOLATION_TEXT])
{
	size_t length = 0;

	if ((parts & ISOLATION_FULL) == ISOLATION_FULL || !(parts & ISOLATION_FULL)) {
		snprintf(text, ISOLATION_TEXT, parts & ISOLATION_FULL ? "full" : "none");
		return text;
	}
	for (unsigned int i = 0; i < ISOLATION_COUNT; i++)
		if (parts & 1u << i)
			length += (size_t)snprintf(text + length, ISOLATION_TEXT - length, "%s%s",
						   length ? "," : "", isolation_table[i].name);
	return text;
}

const char *isolation_extent_text(unsigned int parts, char text[ISOLATION_TEXT])
{
	char names[ISOLATION_TEXT];

	if ((parts & ISOLATION_FULL) == ISOLATION_FULL || !(parts & ISOLATION_FULL))
		return isolation_text(parts, text);
	snprintf(text, ISOLATION_TEXT, "without %s",
		 isolation_text(ISOLATION_FULL & ~parts, names));
	return text;
}

static int isolation_named(const char *name, size_t length)
{
	for (int i = 0; i < ISOLATION_COUNT; i++)
		if (strlen(isolation_table[i].name) == length &&
		    !strncmp(isolation_table[i].name, name, length))
			return 1 << i;
	return -1;
}

int isolation_parse(const char *text)
{
	int parts = 0;

	if (!strcmp(text, "full"))
		return ISOLATION_FULL;
	if (!strcmp(text, "none"))
		return 0;
	while (*text) {
		size_t length = strcspn(text, ",");
		int part = isolation_named(text, length);

		if (part < 0)
			return -1;
		parts |= part;
		text += length + (text[length] == ',');
	}
	return parts;
}
