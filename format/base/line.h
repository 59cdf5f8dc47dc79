/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A growing line of text: formats numbers, times and untrusted text fast enough for traces of many
 * millions of records (stdio's printf takes most of a microsecond per line).
 *
 * Start with { 0 }. When memory runs out @failed is set, and further additions are lost.
 */
#ifndef TTREC_LINE_H
#define TTREC_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct line {
	char *text; /* not terminated */
	size_t size, room;
	bool failed;
};

void line_free(struct line *line);

/* Make room for @size more bytes. 0 or -ENOMEM. */
int line_make_room(struct line *line, size_t size);

/* Add @size bytes and return a pointer to them; NULL: out of memory. */
static inline char *line_grow(struct line *line, size_t size)
{
	char *place;

	if ((!line->text || line->room - line->size < size) && line_make_room(line, size))
		return NULL;
	place = line->text + line->size;
	line->size += size;
	return place;
}

static inline void line_bytes(struct line *line, const void *bytes, size_t size)
{
	char *place = line_grow(line, size);

	if (place && size)
		memcpy(place, bytes, size);
}

static inline void line_text(struct line *line, const char *text)
{
	line_bytes(line, text, strlen(text));
}

static inline void line_char(struct line *line, char character)
{
	char *place = line_grow(line, 1);

	if (place)
		*place = character;
}

void line_format(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "1638" */
void line_number(struct line *line, uint64_t number);
/* "0x1f" */
void line_hex(struct line *line, uint64_t number);
/* "00ff12": two digits a byte. */
void line_digits(struct line *line, const uint8_t *bytes, size_t size);
/* "0.412000256": seconds, as duration_exact() in units.h has it. */
void line_seconds(struct line *line, uint64_t ns);
/* "256ns", "1.5us", "10ms", "2.25s": exact, in the unit that reads best. */
void line_duration(struct line *line, uint64_t ns);
/* The same with a sign: from @from to @to. "+256ns", "-10ms", "+0". */
void line_difference(struct line *line, uint64_t from, uint64_t to);

/*
 * Text from a guest, as a C string without quotes and without anything that a terminal interprets.
 * With @utf8 printable characters beyond ASCII stay as they are.
 */
void line_escaped(struct line *line, const char *text, size_t size, bool utf8);

/* Characters that were added since the line had @start bytes. */
size_t line_columns(const struct line *line, size_t start);

/* The same of any text. */
size_t text_columns(const char *text, size_t size);

/*
 * Pad what was added since the line had @start bytes, on the left or right, to @width columns. Text
 * aligned to the right must be ASCII.
 */
void line_align_right(struct line *line, size_t start, size_t width);
void line_align_left(struct line *line, size_t start, size_t width);

#endif
