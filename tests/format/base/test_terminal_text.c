// SPDX-License-Identifier: BSD-3-Clause
/* Nothing that a guest prints makes a terminal do anything, however it is cut into pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/console_line.h"
#include "format/base/terminal_text.h"

#define TEXT(text) text, sizeof(text) - 1

static const struct {
	const char *text;
	size_t size;
	const char *shown;
} cases[] = {
	{ TEXT("plain\ttext\n"), "plain\ttext\n" },
	{ TEXT("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7"),
	  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7" },
	/* Lines of a serial console, and one that would overwrite what was shown. */
	{ TEXT("one\r\ntwo\r\r\n"), "one\ntwo\n" },
	{ TEXT("not ok 1\rok 1    \n"), "not ok 1\nok 1    \n" },
	/* CSI, OSC with both ends, DCS, two characters, with intermediates. */
	{ TEXT("a\033[31;1mb\033[2Jc"), "abc" },
	{ TEXT("a\033]0;title\ab\033]8;;http://x\033\\c"), "abc" },
	{ TEXT("a\033P1$r0m\033\\b\033_x\033\\c\033^y\033\\d\033Xz\033\\e"), "abcde" },
	{ TEXT("a\033cb\033(0c\033#8d\0337e"), "abcde" },
	{ TEXT("a\033[31\033[0mb"), "ab" },
	{ TEXT("a\033]0;x\033[2Jb"), "ab" },
	/* Never ended: it hides one line. */
	{ TEXT("a\033]52;c;secret\nb\033[12\nc"), "a\nb\nc" },
	/* C1: as bytes, and as characters. */
	{ TEXT("a\x9b"
	       "31mb"),
	  "a?31mb" },
	{ TEXT("a\xc2\x9b"
	       "31mb\xc2\x85"),
	  "a??31mb??" },
	/* What turns text around: U+202E, U+2066, U+200F, U+061C. */
	{ TEXT("\xe2\x80\xae"
	       "txt.exe\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c"),
	  "???txt.exe????????" },
	{ TEXT("\b\b\bxx\x7f\0\x05"), "???xx???" },
	/* No UTF-8: cut off, too long, a surrogate. */
	{ TEXT("\xe2\x82"), "??" },
	{ TEXT("\xe2\x82\033[0mz\xc3\nq"), "??z?\nq" },
	{ TEXT("\xc0\xaf\xe0\x80\xaf\xed\xa0\x80\xf5z"), "?????"
							 "???"
							 "?z" },
};

static void clean(const char *text, size_t size, size_t piece, char *out)
{
	struct terminal_text terminal = { 0 };
	size_t used = 0;

	for (size_t done = 0; done < size; done += piece) {
		size_t now = size - done < piece ? size - done : piece;

		used += terminal_text_clean(&terminal, text + done, now, out + used);
	}
	used += terminal_text_end(&terminal, out + used);
	out[used] = '\0';
}

static void test_each_in_pieces_of_each_size(void **state)
{
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece <= cases[i].size; piece++) {
			clean(cases[i].text, cases[i].size, piece, out);
			assert_string_equal(out, cases[i].shown);
		}
}

/* Whatever it is, what comes out is printable or ends a line, and is no longer than what went in.
 */
static void test_random_bytes(void **state)
{
	static const char likely[] = "\033[]PX^_\\\a\r\n\x9b\xc2\xe2\x80\xae;m0a";
	char text[64], out[sizeof(text) + TERMINAL_TEXT_MORE];

	(void)state;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		size_t size = (size_t)random() % sizeof(text);

		for (size_t at = 0; at < size; at++)
			text[at] = random() % 4 ? likely[(size_t)random() % (sizeof(likely) - 1)]
						: (char)random();
		clean(text, size, 1 + (size_t)random() % 5, out);
		assert_true(strlen(out) <= size);
		for (const char *at = out; *at; at++)
			assert_true((unsigned char)*at >= ' ' || *at == '\n' || *at == '\t');
		assert_null(strchr(out, '\x7f'));
	}
}

static void test_a_line_has_neither_tabs_nor_ends(void **state)
{
	char line[] = "a\tb\rc\033[1md\r";

	(void)state;
	assert_string_equal(console_line_clean(line), "a b?cd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_in_pieces_of_each_size),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_a_line_has_neither_tabs_nor_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
