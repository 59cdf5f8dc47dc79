// SPDX-License-Identifier: BSD-3-Clause
/* Words of a command line: lists, and suggestions for unknown words. */
#include "format/base/words.h"

#include <ctype.h>
#include <string.h>

#include "format/base/array.h"

/* Longer words are not compared: no known word is longer. */
#define WORD_MAX 32

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
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
			row[i][j] = least(row[i][j], row[i - 1][j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				row[i][j] = least(row[i][j], row[i - 2][j - 2] + 1);
		}
	}
	return row[rows][columns];
}

const char *word_at(const void *names, size_t index, size_t stride)
{
	const char *name;

	memcpy(&name, (const char *)names + index * stride, sizeof(name));
	return name;
}

const char *word_nearest(const char *word, const void *names, size_t count, size_t stride)
{
	unsigned int best = 3; /* more letters than two are another word */
	const char *found = NULL;

	if (strlen(word) > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *name = word_at(names, i, stride);
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

bool words_add(const char **list, size_t most, const char *word)
{
	size_t count = 0;

	while (list[count])
		count++;
	if (count == most)
		return false;
	list[count] = word;
	return true;
}

int words_take(char ***list, size_t *count, char *word)
{
	size_t room = *list ? *count + 1 : 0;

	if (!word || array_reach(*list, room, *count + 1)) {
		free(word);
		return -ENOMEM;
	}
	(*list)[(*count)++] = word;
	return 0;
}
