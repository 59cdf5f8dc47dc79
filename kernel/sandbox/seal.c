// SPDX-License-Identifier: BSD-3-Clause
/* Names of the parts of a guest's isolation. */
#include "kernel/sandbox/seal.h"

#include <stdio.h>
#include <string.h>

static const struct seal_info seal_table[SEAL_COUNT] = {
#define SEAL(NAME, name, lost, advice) { name, lost, advice },
	SEAL_PARTS(SEAL)
#undef SEAL
};

const struct seal_info *seal_info(enum seal_part part)
{
	return part < SEAL_COUNT ? &seal_table[part] : NULL;
}

const char *seal_text(unsigned int parts, char text[SEAL_TEXT])
{
	size_t length = 0;

	if ((parts & SEAL_FULL) == SEAL_FULL || !(parts & SEAL_FULL)) {
		snprintf(text, SEAL_TEXT, parts & SEAL_FULL ? "full" : "none");
		return text;
	}
	for (unsigned int i = 0; i < SEAL_COUNT; i++)
		if (parts & 1u << i)
			length += (size_t)snprintf(text + length, SEAL_TEXT - length, "%s%s",
						   length ? "," : "", seal_table[i].name);
	return text;
}

const char *seal_extent_text(unsigned int parts, char text[SEAL_TEXT])
{
	char names[SEAL_TEXT];

	if ((parts & SEAL_FULL) == SEAL_FULL || !(parts & SEAL_FULL))
		return seal_text(parts, text);
	snprintf(text, SEAL_TEXT, "without %s", seal_text(SEAL_FULL & ~parts, names));
	return text;
}

static int seal_named(const char *name, size_t length)
{
	for (int i = 0; i < SEAL_COUNT; i++)
		if (strlen(seal_table[i].name) == length &&
		    !strncmp(seal_table[i].name, name, length))
			return 1 << i;
	return -1;
}

int seal_parse(const char *text)
{
	int parts = 0;

	if (!strcmp(text, "full"))
		return SEAL_FULL;
	if (!strcmp(text, "none"))
		return 0;
	while (*text) {
		size_t length = strcspn(text, ",");
		int part = seal_named(text, length);

		if (part < 0)
			return -1;
		parts |= part;
		text += length + (text[length] == ',');
	}
	return parts;
}
