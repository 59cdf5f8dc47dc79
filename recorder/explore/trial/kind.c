// SPDX-License-Identifier: BSD-3-Clause
/* Kinds of failure: failures that differ only in numbers are of one kind. */
#include "recorder/explore/trial/kind.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define WORDS	  3
#define WORD_MAX  12
#define HEX_LEAST 4 /* digits, from which on a word of them is a number */

static bool is_alnum(char c)
{
	return isalnum((unsigned char)c);
}

static bool is_digit(char c)
{
	return isdigit((unsigned char)c);
}

/* The length of a number in hexadecimal at @at, which begins a word; 0: not a number. */
static size_t hex_length(const char *at)
{
	size_t prefix = !strncmp(at, "0x", 2) ? 2 : 0, length = prefix;
	bool digit = prefix;

	for (; isxdigit((unsigned char)at[length]); length++)
		digit |= is_digit(at[length]);
	if (is_alnum(at[length]) || !digit || length < (prefix ? prefix + 1 : HEX_LEAST))
		return 0;
	return length;
}

/* The same of a decimal one; points, commas and colons within belong to it: 1,024, 0.15, 10:30. */
static size_t decimal_length(const char *at)
{
	size_t length = 0;

	while (is_digit(at[length]))
		length++;
	while (length && at[length] && strchr(".,:", at[length]) && is_digit(at[length + 1]))
		for (length++; is_digit(at[length]);)
			length++;
	return length;
}

/* The number of a test at @at, right behind "not ok "? */
static bool is_test_number(const char *line, const char *at)
{
	static const char before[] = "not ok ";
	size_t length = sizeof(before) - 1;

	return (size_t)(at - line) >= length && !strncmp(at - length, before, length);
}

void kind_normalise(const char *line, char text[KIND_TEXT])
{
	size_t used = 0;

	for (const char *at = line; *at && used + 1 < KIND_TEXT;) {
		bool begins = at == line || !is_alnum(at[-1]);
		size_t length = begins ? hex_length(at) : 0;

		if (!length)
			length = decimal_length(at);
		if (length && !is_test_number(line, at)) {
			text[used++] = '#';
			at += length;
			continue;
		}
		length = length ?: 1;
		for (; length && used + 1 < KIND_TEXT; length--)
			text[used++] = *at++;
	}
	text[used] = '\0';
}

/* The first words of @text in lower case, with - between them; @code if it has none. */
static void first_words(const char *code, const char *text, char *name, size_t size)
{
	size_t used = 0, words = 0;

	for (const char *at = text; *at && words < WORDS;) {
		size_t length = 0;

		while (is_alnum(at[length]))
			length++;
		if (length && used + WORD_MAX + 2 < size) {
			if (used)
				name[used++] = '-';
			for (size_t i = 0; i < length && i < WORD_MAX; i++)
				name[used++] = (char)tolower((unsigned char)at[i]);
			words++;
		}
		at += length ?: 1;
	}
	name[used] = '\0';
	if (!used)
		snprintf(name, size, "%s", code);
}

void kind_name(const char *code, const char *guest, const char *text, char name[KIND_NAME])
{
	XXH64_hash_t hash = XXH64(code, strlen(code) + 1, 0);
	char words[KIND_NAME - 16];

	hash = XXH64(guest, strlen(guest) + 1, hash);
	hash = XXH64(text, strlen(text) + 1, hash);
	first_words(code, text, words, sizeof(words));
	snprintf(name, KIND_NAME, "%s-%08" PRIx32, words, (uint32_t)hash);
}
