// SPDX-License-Identifier: BSD-3-Clause
/* Findings: their codes, their wording in each form, their order, and that the manual has them. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/ci/finding.h"
#include "format/ci/markdown.h"

static char manual[256 * 1024];

static void read_manual(void)
{
	auto_file *in = fopen(TTREC_SOURCE "/docs/ttrec.7", "re");

	assert_non_null(in);
	assert_true(fread(manual, 1, sizeof(manual), in) < sizeof(manual));
}

/* As in the manual: "-" is "\-", and a sentence begins with a capital and ends with a full stop. */
static void write_entry(const struct finding_info *info, char *entry, size_t size)
{
	char plain[256], *to = entry;

	snprintf(plain, sizeof(plain), "\n.B %s\n%c%s.\n", info->code,
		 toupper((unsigned char)*info->meaning), info->meaning + 1);
	for (const char *at = plain; *at && to < entry + size - 2; at++) {
		if (*at == '-')
			*to++ = '\\';
		*to++ = *at;
	}
	*to = '\0';
}

static void test_the_manual_has_every_code(void **state)
{
	char *section, *end, entry[512];
	size_t tags = 0;

	(void)state;
	read_manual();
	section = strstr(manual, "\n.SH FINDINGS\n");
	assert_non_null(section);
	end = strstr(section, "\n.SH \"SEE ALSO\"\n");
	assert_non_null(end);
	end[1] = '\0';
	for (unsigned int i = 0; i < FINDING_CODES; i++) {
		write_entry(finding_info(i), entry, sizeof(entry));
		if (!strstr(section, entry))
			fail_msg("ttrec(7) lacks: %s", entry);
	}
	for (const char *at = section; (at = strstr(at, "\n.TP\n.B ")); at++)
		tags++;
	assert_int_equal(tags, FINDING_CODES);
}

static void test_codes_are_words_of_their_own(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FINDING_CODES; i++) {
		const char *code = finding_info(i)->code;

		assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz-"), strlen(code));
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(code, finding_info(k)->code);
		/* A failure decides an exit status, and nothing else does. */
		assert_int_equal(finding_info(i)->severity <= FINDING_SHORTAGE,
				 finding_info(i)->status != EXIT_IDENTICAL);
	}
	for (int status = EXIT_USAGE; status <= EXIT_PROTOCOL; status++)
		assert_int_equal(finding_info(finding_code_of_status(status))->status, status);
}

/* ---- Wording -------------------------------------------------------------------------------- */

static void fill(struct findings *found)
{
	findings_add(found, FOUND_PROGRAM_SIGNAL, "n1", 7, NULL, "%s was killed by SIGSEGV", "./a");
	findings_add(found, FOUND_LIMIT_VIRTUAL, NULL, 9, "raise <it>", "the \033[limit] of %d s",
		     1);
	findings_add(found, FOUND_CONSOLE_WARNING, "n1", 3, NULL, "2, the first at t=0 s");
	findings_add(found, FOUND_MEMORY_NOT_COMPARED, "n2", 4, NULL, "other CPU");
	findings_add(found, FOUND_OTHER_CPU, "n2", 5, "see taskset(1)", "CPU 1, not 3");
}

typedef void renderer(FILE *out, const struct finding *finding, size_t index);

static void as_text(FILE *out, const struct finding *finding, size_t index)
{
	finding_print(out, finding, index == 1 ? "also" : NULL);
}

static void as_markdown(FILE *out, const struct finding *finding, size_t index)
{
	(void)index;
	markdown_finding(out, finding);
}

static void assert_rendered(renderer *render, const char *expected)
{
	struct findings found = { 0 };
	auto_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fill(&found);
	for (size_t i = 0; i < found.count; i++)
		render(out, &found.list[i], i);
	fclose(out);
	assert_string_equal(text, expected);
	findings_release(&found);
}

static void test_text(void **state)
{
	static const char expected[] = "  why: ./a was killed by SIGSEGV [program-signal]\n"
				       "  also: the ?[limit] of 1 s [limit-virtual]\n"
				       "  hint: raise <it>\n"
				       "  warnings: 2, the first at t=0 s [console-warning]\n"
				       "  memory: other CPU [memory-not-compared]\n"
				       "  possible cause: it runs on a different CPU [other-cpu]\n"
				       "    CPU 1, not 3\n"
				       "    hint: see taskset(1)\n";

	(void)state;
	assert_rendered(as_text, expected);
}

static void test_markdown(void **state)
{
	static const char expected[] =
		"**why**: ./a was killed by SIGSEGV `program-signal`\n"
		"**why**: the ?\\[limit\\] of 1 s `limit-virtual`  \n   Hint: raise &lt;it&gt;\n"
		"**warnings**: 2, the first at t=0 s `console-warning`\n"
		"**memory**: other CPU `memory-not-compared`\n"
		"**it runs on a different CPU**: CPU 1, not 3 `other-cpu`  \n"
		"   Hint: see taskset(1)\n";

	(void)state;
	assert_rendered(as_markdown, expected);
}

static void test_json(void **state)
{
	static const char expected[] =
		"[{\"code\":\"program-signal\",\"severity\":\"failure\",\"guest\":\"n1\","
		"\"now_ns\":7,\"text\":\"./a was killed by SIGSEGV\",\"hint\":\"\"},"
		"{\"code\":\"limit-virtual\",\"severity\":\"failure\",\"guest\":null,"
		"\"now_ns\":9,\"text\":\"the ?[limit] of 1 s\",\"hint\":\"raise <it>\"},"
		"{\"code\":\"console-warning\",\"severity\":\"warning\",\"guest\":\"n1\","
		"\"now_ns\":3,\"text\":\"2, the first at t=0 s\",\"hint\":\"\"},"
		"{\"code\":\"memory-not-compared\",\"severity\":\"not-compared\",\"guest\":\"n2\","
		"\"now_ns\":4,\"text\":\"other CPU\",\"hint\":\"\"},"
		"{\"code\":\"other-cpu\",\"severity\":\"cause\",\"guest\":\"n2\",\"now_ns\":5,"
		"\"text\":\"CPU 1, not 3\",\"hint\":\"see taskset(1)\"}]";
	struct findings found = { 0 };
	auto_free char *text = NULL;
	json_t *json;

	(void)state;
	fill(&found);
	json = findings_json(&found);
	text = json_dumps(json, JSON_COMPACT);
	assert_string_equal(text, expected);
	json_decref(json);
	findings_release(&found);
}

/* ---- The list ------------------------------------------------------------------------------- */

static void add_at(struct findings *found, enum finding_code code, uint64_t now, uint64_t id)
{
	findings_add(found, code, "n", now, NULL, "%d", (int)id)->id = id;
}

static void test_the_first_failure_is_the_earliest(void **state)
{
	struct findings found = { 0 };

	(void)state;
	assert_null(findings_failure(&found));
	add_at(&found, FOUND_CONSOLE_WARNING, 0, 0);
	assert_null(findings_failure(&found));
	add_at(&found, FOUND_GUEST_STATUS, 9, 1);
	add_at(&found, FOUND_GUEST_KILLED, 5, 4);
	add_at(&found, FOUND_CONSOLE_LINE, 5, 3);
	findings_sort(&found, 1);
	assert_string_equal(findings_failure(&found)->text, "3");
	assert_int_equal(found.list[0].code, FOUND_CONSOLE_WARNING);
	assert_int_equal(found.list[2].code, FOUND_GUEST_KILLED);
	assert_int_equal(found.list[3].code, FOUND_GUEST_STATUS);
	findings_release(&found);
	assert_int_equal(found.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_manual_has_every_code),
		cmocka_unit_test(test_codes_are_words_of_their_own),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_markdown),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_the_first_failure_is_the_earliest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
