// SPDX-License-Identifier: BSD-3-Clause
/* A line of text that grows: numbers, times and what others wrote. */
#include "format/base/line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/printable.h"
#include "format/base/units.h"

#define LINE_ROOM   512 /* at first: most lines fit */
#define DIGITS_MAX  20	/* of 2^64 - 1 */
#define NS_DECIMALS 9

void line_free(struct line *line)
{
	free(line->text);
	*line = (struct line){ 0 };
}

int line_make_room(struct line *line, size_t size)
{
	int err = array_room(line->text, line->room, line->size + size, LINE_ROOM);

	line->failed |= err;
	return err;
}

void line_format(struct line *line, const char *format, ...)
{
	va_list arguments, again;
	char *place;
	int size;

	va_start(arguments, format);
	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, arguments);
	/* One more for the NUL, which is not part of the line. */
	place = size < 0 ? NULL : line_grow(line, (size_t)size + 1);
	if (place) {
		vsnprintf(place, (size_t)size + 1, format, again);
		line->size--;
	}
	va_end(again);
	va_end(arguments);
}

/* Write @number so that it ends at @end, with at least @least digits; returns where it begins. */
static char *put_digits(char *end, uint64_t number, unsigned int least)
{
	char *at = end;

	while (number || at > end - least) {
		*--at = (char)('0' + number % 10);
		number /= 10;
	}
	return at;
}

void line_number(struct line *line, uint64_t number)
{
	char digits[DIGITS_MAX], *end = digits + sizeof(digits);
	char *begin = put_digits(end, number, 1);

	line_bytes(line, begin, (size_t)(end - begin));
}

void line_hex(struct line *line, uint64_t number)
{
	static const char digits[] = "0123456789abcdef";
	char text[16], *end = text + sizeof(text), *at = end;

	do {
		*--at = digits[number & 15];
		number >>= 4;
	} while (number);
	line_bytes(line, "0x", 2);
	line_bytes(line, at, (size_t)(end - at));
}

void line_digits(struct line *line, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *place = line_grow(line, 2 * size);

	for (size_t i = 0; place && i < size; i++) {
		*place++ = digits[bytes[i] >> 4];
		*place++ = digits[bytes[i] & 15];
	}
}

void line_seconds(struct line *line, uint64_t ns)
{
	char text[DIGITS_MAX + 1 + NS_DECIMALS], *end = text + sizeof(text);
	char *at = put_digits(end, ns % NS_PER_S, NS_DECIMALS);

	*--at = '.';
	at = put_digits(at, ns / NS_PER_S, 1);
	line_bytes(line, at, (size_t)(end - at));
}

static const struct {
	const char *name;
	uint64_t ns;
	unsigned int decimals;
} units[] = {
	{ "s", NS_PER_S, 9 },
	{ "ms", NS_PER_MS, 6 },
	{ "us", NS_PER_US, 3 },
	{ "ns", 1, 0 },
};

void line_duration(struct line *line, uint64_t ns)
{
	char text[DIGITS_MAX + 1 + NS_DECIMALS], *end = text + sizeof(text), *at = end;
	unsigned int unit = 0;

	if (!ns) {
		line_char(line, '0');
		return;
	}
	while (ns < units[unit].ns)
		unit++;
	if (ns % units[unit].ns) {
		at = put_digits(end, ns % units[unit].ns, units[unit].decimals);
		*--at = '.';
		while (end[-1] == '0')
			end--;
	}
	at = put_digits(at, ns / units[unit].ns, 1);
	line_bytes(line, at, (size_t)(end - at));
	line_text(line, units[unit].name);
}

void line_difference(struct line *line, uint64_t from, uint64_t to)
{
	line_char(line, to < from ? '-' : '+');
	line_duration(line, to < from ? from - to : to - from);
}

static void escape_byte(struct line *line, unsigned char byte)
{
	static const char escapes[] = "abtnvfr";

	line_char(line, '\\');
	if (byte == '"' || byte == '\\') {
		line_char(line, (char)byte);
	} else if (byte >= '\a' && byte <= '\r') {
		line_char(line, escapes[byte - '\a']);
	} else {
		line_char(line, 'x');
		line_digits(line, &byte, 1);
	}
}

static bool is_plain(unsigned char byte)
{
	return byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
}

/* How many bytes at @text can stay as they are; 0: the first one cannot. */
static size_t plain_size(const char *text, size_t size, bool utf8)
{
	size_t plain = 0;

	while (plain < size && is_plain((unsigned char)text[plain]))
		plain++;
	return plain || !utf8 || text[0] == '"' || text[0] == '\\' ? plain
								   : printable_size(text, size);
}

void line_escaped(struct line *line, const char *text, size_t size, bool utf8)
{
	while (size) {
		size_t plain = plain_size(text, size, utf8);

		if (plain)
			line_bytes(line, text, plain);
		else
			escape_byte(line, (unsigned char)*text);
		text += plain ? plain : 1;
		size -= plain ? plain : 1;
	}
}

size_t text_columns(const char *text, size_t size)
{
	size_t columns = 0;

	for (size_t i = 0; i < size; i++)
		columns += (text[i] & 0xc0) != 0x80;
	return columns;
}

size_t line_columns(const struct line *line, size_t start)
{
	return line->text ? text_columns(line->text + start, line->size - start) : 0;
}

void line_align_left(struct line *line, size_t start, size_t width)
{
	size_t columns = line_columns(line, start);
	char *place = columns < width ? line_grow(line, width - columns) : NULL;

	if (place)
		memset(place, ' ', width - columns);
}

void line_align_right(struct line *line, size_t start, size_t width)
{
	size_t size = line->size - start;

	if (size >= width || !line_grow(line, width - size))
		return;
	memmove(line->text + start + width - size, line->text + start, size);
	memset(line->text + start, ' ', width - size);
}
