// SPDX-License-Identifier: BSD-3-Clause
/*
 * Lab files that somebody made to do harm, mutations of good ones, and memory that runs out:
 * reading ends soon, with a lab or with words, and sanitizers stay silent.
 *
 * TTREC_TEST_SEED repeats a run, TTREC_TEST_ROUNDS makes it longer.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "recorder/lab/lab_internal.h"
#include "tests/recorder/lab/lab_sample.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

/* Seconds on a CPU; generous for sanitizers' sake. */
#define PATIENCE 10.0
#define ROUNDS	 3000

static const char *const samples[] = { LAB_SAMPLES "smallest.yaml", LAB_SAMPLES "everything.yaml",
				       LAB_SAMPLES "nodes.yaml" };

/* ---- Memory that runs out ------------------------------------------------------------------- */

static uint64_t allocations_left = UINT64_MAX;

static bool is_refused(void)
{
	if (allocations_left == UINT64_MAX)
		return false;
	if (allocations_left) {
		allocations_left--;
		return false;
	}
	errno = ENOMEM;
	return true;
}

#define WRAP(type, name, parameters, arguments, refusal)                   \
	type __real_##name parameters;                                     \
	type __wrap_##name parameters;                                     \
	type __wrap_##name parameters                                      \
	{                                                                  \
		return is_refused() ? (refusal) : __real_##name arguments; \
	}

WRAP(void *, malloc, (size_t size), (size), NULL)
WRAP(void *, calloc, (size_t count, size_t size), (count, size), NULL)
WRAP(void *, realloc, (void *memory, size_t size), (memory, size), NULL)
WRAP(char *, strdup, (const char *text), (text), NULL)
WRAP(char *, strndup, (const char *text, size_t size), (text, size), NULL)
WRAP(int, vasprintf, (char **text, const char *format, va_list list), (text, format, list), -1)
WRAP(FILE *, open_memstream, (char **text, size_t *size), (text, size), NULL)

int __wrap_asprintf(char **text, const char *format, ...);
int __wrap_asprintf(char **text, const char *format, ...)
{
	va_list list;
	int length;

	va_start(list, format);
	length = __wrap_vasprintf(text, format, list);
	va_end(list);
	return length;
}

static uint64_t load_until_it_succeeds(const char *path)
{
	for (uint64_t count = 0;; count++) {
		struct diagnosis why = { 0 };
		struct lab *lab = NULL;
		int err;

		allocations_left = count;
		err = lab_load(path, &lab, &why);
		allocations_left = UINT64_MAX;
		if (!err) {
			lab_destroy(lab);
			return count;
		}
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(why.status, EXIT_CANNOT);
		assert_non_null(strstr(why.what, ".yaml: out of memory"));
		assert_null(lab);
	}
}

static void test_every_allocation_may_fail(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		assert_true(load_until_it_succeeds(samples[i]) > 20);
}

/* ---- Files made to do harm ------------------------------------------------------------------ */

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Refused soon, with @what in the words. */
static void refuse(const char *text, size_t size, const char *what)
{
	double start = seconds_now();
	struct diagnosis why;
	struct lab *lab = NULL;
	int err = lab_sample_load(text, size, &lab, &why);

	assert_true(seconds_now() - start < PATIENCE);
	assert_int_equal(err, -EINVAL);
	assert_null(lab);
	if (!strstr(why.what, what))
		fail_msg("'%s' does not say '%s'", why.what, what);
	assert_true(why.advice[0]);
}

/* @count times @unit, in which 0 stands for the number, between @before and @after. */
static void refuse_many(const char *before, const char *unit, size_t count, const char *after,
			const char *what)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(before, out);
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(unit, "0");

		fwrite(unit, 1, length, out);
		if (unit[length])
			fprintf(out, "%zx%s", i, unit + length + 1);
	}
	fputs(after, out);
	fclose(out);
	refuse(text, size, what);
	free(text);
}

#define GUESTS "guests: [{name: a, kernel: k}]\n"

static void test_nesting(void **state)
{
	static const char *const units[] = { "[", "{", "- ", "? ", "{a: ", "[[{" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		refuse_many("guests:\n ", units[i], 200000, "\n", "too deep");
	refuse_many("x-a: ", "[", 32, "", "too deep");
	refuse_many("x-a: ", "[", 31, "", "invalid YAML");
}

static void test_anchors(void **state)
{
	(void)state;
	refuse_many("x-a: [", "&a0 b,", 100000, "]\n" GUESTS, "more than 1024 anchors");
	refuse_many("x-a: [&a b", ",*a", 300000, "]\nguest: 1\n", "unknown key 'guest'");
	refuse_many("guests: [", "*a0,", 100000, "]\n", "undefined alias");
}

/* Ten of ten of ten: few bytes that say much. */
static void test_billion_laughs(void **state)
{
	static const char bomb[] =
		"x-a: &a {rng: {}}\n"
		"x-b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
		"x-c: &c {name: n%d, kernel: k, count: 1024, devices: *b}\n"
		"x-t: &t {a: &d {<<: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]},\n"
		"         b: &e {<<: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]},\n"
		"         c: &f {<<: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]},\n"
		"         d: &g {<<: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]},\n"
		"         e: &h {<<: [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]},\n"
		"         f: &i {<<: [*h,*h,*h,*h,*h,*h,*h,*h,*h,*h,*h]}}\n"
		"guests: [*i]\n";

	(void)state;
	refuse(bomb, strlen(bomb), "larger than 16 MiB");
}

static void test_counts_multiply_within_bounds(void **state)
{
	char *text, *long_text = malloc(60001);
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	memset(long_text, 'x', 60000);
	long_text[60000] = '\0';
	fprintf(out, "guests: [{name: n%%d, kernel: k, count: 1024, append: %s}]\n", long_text);
	fclose(out);
	refuse(text, size, "larger than 16 MiB");
	free(text);
	free(long_text);
}

static void test_huge_values(void **state)
{
	(void)state;
	refuse_many("guests: [{name: a, kernel: ", "x", 70000, "}]\n", "longer than 65536 bytes");
	refuse_many("guests: [{name: ", "x", 60000, ", kernel: k}]\n", "'xxxx");
	refuse_many("", "x", 70000, ": 1\n", "");
	refuse_many("{? ", "x", 70000, " : 1}\n", "unknown key");
	refuse_many("seed: ", "9", 60000, "\n" GUESTS, "invalid seed '999");
	refuse_many("networks: [{name: a, loss: 0.", "1", 60000, "}]\n" GUESTS, "invalid loss");
	refuse_many("", "#123456789", 110000, "\n" GUESTS, "larger than 1 MiB");
	refuse_many("", "%TAG !0! x\n", 20000, "---\n", "");
	refuse_many("", "k0: 1\n", 100000, "", "unknown key 'k0'");
	refuse_many("expect: ", "(", 60000, "\n" GUESTS, "too long");
	refuse_many("expect: '", "((ab){500}){500}", 2, "'\n" GUESTS, "is too large");
}

static void test_bytes_that_are_no_text(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *what;
	} texts[] = {
		{ "\0", 1, "0x00" },
		{ "guests: \0", 9, "lab.yaml:1:9: invalid control character 0x00" },
		{ "a: b\nc: \x7f\n", 10, "lab.yaml:2:4: invalid control character 0x7f" },
		{ "a: \xc0\x80\n", 6, "lab.yaml:1:4: byte 0xc0 is not valid UTF-8" },
		{ "a: \xed\xa0\x80\n", 7, "lab.yaml:1:4: byte 0xed is not valid UTF-8" },
		{ "a: \xe2\x82", 5, "lab.yaml:1:4: byte 0xe2 is not valid UTF-8" },
		{ "\xff\xfeg\0u\0", 6, "lab.yaml:1:1: byte 0xff is not valid UTF-8" },
		{ "guests: [{name: a, kernel: \"\\0\"}]", 33, "contains a NUL byte" },
		{ "guests: [{name: \"\\e[31m\", kernel: k}]", 37, "invalid name '?[31m'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		refuse(texts[i].bytes, texts[i].size, texts[i].what);
}

/* ---- Mutations ------------------------------------------------------------------------------ */

/* Pieces that mean something. */
static const char *const pieces[] = {
	"&a ",	    "*a",      "<<: ",
	"[",	    "]",       "{",
	"}",	    ": ",      "- ",
	"\n",	    "\n  ",    "\"",
	"'",	    "#",       "!!str ",
	"null",	    "~",       "%d",
	"%%d",	    "count: ", "id: ",
	"1024",	    "0",       "0x",
	"-1",	    "1e9",     "99999999999999999999",
	"ms",	    "G",       "Gbit",
	"%",	    "name: ",  "devices: ",
	"net: lan", "rng",     "expect: ",
	"/",	    "{9}",     "(",
	"\\",	    "send ",   "at ",
	"\x80",	    "\t",      "? ",
};

struct text {
	char *data;
	size_t size, room;
};

static void replace(struct text *text, size_t at, size_t removed, const char *put, size_t size)
{
	if (text->size - removed + size > text->room)
		return;
	memmove(text->data + at + size, text->data + at + removed, text->size - at - removed);
	memcpy(text->data + at, put, size);
	text->size += size - removed;
}

static void mutate_once(struct text *text, struct random *random)
{
	size_t at = random_below(random, text->size + 1);
	size_t length = random_below(random, text->size - at + 1);
	const char *piece = pieces[random_below(random, ARRAY_SIZE(pieces))];
	char copy[64];

	if (length > sizeof(copy))
		length = sizeof(copy);
	switch (random_below(random, 4)) {
	case 0:
		replace(text, at, 0, piece, strlen(piece));
		break;
	case 1:
		replace(text, at, length, piece, strlen(piece));
		break;
	case 2:
		replace(text, at, length, "", 0);
		break;
	default:
		memcpy(copy, text->data + at, length);
		replace(text, random_below(random, text->size + 1), 0, copy, length);
	}
}

/* One of the file's values is another one of it: what is read stays YAML more often. */
static void swap_words(struct text *text, struct random *random)
{
	static const char ends[] = " \n,:[]{}";
	size_t at = random_below(random, text->size), from = random_below(random, text->size);
	size_t length = 0, size = 0;
	char copy[64];

	while (at + length < text->size && !strchr(ends, text->data[at + length]))
		length++;
	while (from + size < text->size && size < sizeof(copy) &&
	       !strchr(ends, text->data[from + size]))
		size++;
	memcpy(copy, text->data + from, size);
	replace(text, at, length, copy, size);
}

static bool load_mutation(const struct text *text)
{
	struct diagnosis why;
	struct lab *lab = NULL;
	int err = lab_sample_load(text->data, text->size, &lab, &why);

	assert_true(err == 0 || err == -EINVAL);
	if (err) {
		assert_true(why.what[0] && why.status == EXIT_USAGE);
		assert_null(lab);
		return false;
	}
	assert_true(lab->guest_count > 0 && lab->guest_count <= LAB_GUESTS_MAX);
	lab_destroy(lab);
	return true;
}

static void test_mutations(void **state)
{
	uint64_t seed = test_seed(SEED_OF_CLOCK);
	uint64_t rounds = test_rounds(ROUNDS), accepted = 0;
	struct random random = { seed };

	(void)state;
	for (uint64_t round = 0; round < rounds; round++) {
		struct text text = { .room = 8192 };
		auto_free char *sample =
			lab_sample_read(samples[round % ARRAY_SIZE(samples)], &text.size);
		uint64_t times = 1 + random_below(&random, 4);

		text.data = malloc(text.room);
		memcpy(text.data, sample, text.size);
		while (times--) {
			if (random_chance(&random, 60))
				swap_words(&text, &random);
			else
				mutate_once(&text, &random);
		}
		accepted += load_mutation(&text);
		free(text.data);
	}
	print_message("  %llu of %llu accepted\n", (unsigned long long)accepted,
		      (unsigned long long)rounds);
	/* Else it proves little. */
	assert_true(rounds < 1000 || (accepted > rounds / 50 && accepted < rounds / 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation_may_fail),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_anchors),
		cmocka_unit_test(test_billion_laughs),
		cmocka_unit_test(test_counts_multiply_within_bounds),
		cmocka_unit_test(test_huge_values),
		cmocka_unit_test(test_bytes_that_are_no_text),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, lab_sample_setup, lab_sample_teardown);
}
