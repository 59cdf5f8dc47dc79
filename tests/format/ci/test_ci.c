// SPDX-License-Identifier: BSD-3-Clause
/* What CIs are told: whatever guests say and names are, it stays text. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include "format/ci/ci.h"
#include "format/base/cleanup.h"
#include "format/ci/markdown.h"
#include "format/base/shell.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define ROUNDS	    400
#define SUMMARY_MAX (1024 * 1024)

/* Made of what could be taken for more than text. */
static char *make_text(struct random *random)
{
	static const char *const pieces[] = {
		"::error::",
		"\n::add-mask::x\n",
		"##[error]",
		"%0A",
		"\r\n",
		"\033[0K",
		"section_start:1:a\r\033[0K",
		"]]>",
		"<!--",
		"<script>",
		"&amp;",
		"```",
		"`",
		"| a |",
		"\\|",
		"</details>",
		"\xef\xbf\xbe",
		"\xed\xa0\x80",
		"\xff",
		"\001",
		"\x7f",
		"\xc2\x85",
		"\xe2\x80\xa8",
		"n1",
		" ",
		"ok",
		"'",
		"\"",
		",",
		":",
		"\t",
		"$(reboot)",
		"[x](http://y)",
		"@all",
		"\n",
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (uint64_t i = 1 + random_next(random) % 12; i; i--)
		fputs(pieces[random_next(random) % ARRAY_SIZE(pieces)], out);
	fclose(out);
	return text;
}

static void add_random(struct ci_suite *suite, struct random *random)
{
	auto_free char *guest = make_text(random), *name = make_text(random);
	auto_free char *message = make_text(random), *details = make_text(random);
	auto_free char *console = make_text(random);
	struct ci_case added = { .guest = random_next(random) % 3 ? guest : NULL,
				 .name = name,
				 .outcome = random_next(random) % CI_OUTCOMES,
				 .now = random_next(random) >> 1,
				 .message = random_next(random) % 3 ? message : NULL,
				 .details = random_next(random) % 3 ? details : NULL,
				 .console = random_next(random) % 3 ? console : NULL };

	assert_int_equal(ci_add(suite, &added), 0);
}

static char *read_file(const char *path, size_t *size)
{
	auto_file *file = fopen(path, "re");
	struct stat status;
	char *text;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	text = calloc(1, (size_t)status.st_size + 1);
	*size = fread(text, 1, (size_t)status.st_size, file);
	return text;
}

static xmlSchemaPtr read_schema(void)
{
	xmlSchemaParserCtxtPtr parser = xmlSchemaNewParserCtxt(TEST_SCHEMA);
	xmlSchemaPtr schema = xmlSchemaParse(parser);

	assert_non_null(schema);
	xmlSchemaFreeParserCtxt(parser);
	return schema;
}

static void assert_schema(const char *path, xmlSchemaPtr schema)
{
	xmlDocPtr document = xmlReadFile(path, NULL, XML_PARSE_NONET);
	xmlSchemaValidCtxtPtr valid = xmlSchemaNewValidCtxt(schema);

	assert_non_null(document);
	assert_int_equal(xmlSchemaValidateDoc(valid, document), 0);
	xmlSchemaFreeValidCtxt(valid);
	xmlFreeDoc(document);
}

/* Each line is one annotation, and there are no more than ten. */
static void assert_annotations(const struct ci_suite *suite)
{
	auto_free char *text = NULL;
	size_t size, bad = ci_count(suite, CI_FAILED) + ci_count(suite, CI_ERROR), lines = 0;
	FILE *log = open_memstream(&text, &size);

	ci_github_annotate(suite, log);
	fclose(log);
	for (char *rest = text, *line; rest && *rest; lines++) {
		line = strsep(&rest, "\n");
		assert_memory_equal(line, suite->failed ? "::error title=" : "::warning title=",
				    suite->failed ? 14 : 16);
		for (; *line; line++)
			assert_true((unsigned char)*line >= ' ');
	}
	assert_int_equal(lines, bad > 10 ? 10 : bad);
}

/* Every escape sequence and every carriage return is one of ours. */
static void assert_gitlab(const struct ci_suite *suite)
{
	static const char ours[] =
		"\033\\[0m|\033\\[1m|\033\\[31;1m|\033\\[32;1m|"
		"\033\\[0Ksection_(start|end):[0-9]+:ttrec_[0-9]+_(found|console)"
		"(\\[collapsed=true\\])?\r\033\\[0K";
	auto_free char *text = NULL;
	regmatch_t match;
	regex_t regex;
	size_t size;
	FILE *log = open_memstream(&text, &size);

	ci_gitlab_print(suite, log);
	fclose(log);
	assert_int_equal(regcomp(&regex, ours, REG_EXTENDED), 0);
	while (!regexec(&regex, text, 1, &match, 0))
		memset(text + match.rm_so, ' ', (size_t)(match.rm_eo - match.rm_so));
	regfree(&regex);
	for (size_t i = 0; i < size; i++)
		assert_true((unsigned char)text[i] >= ' ' || text[i] == '\n');
}

/* HTML is only what a summary is made of; whatever is in a block stays in it. */
static void assert_summary(const struct ci_suite *suite, const char *path)
{
	auto_free char *text = NULL;
	struct diagnosis why;
	size_t size, fence = 0;

	unlink(path);
	assert_int_equal(ci_github_summarise(suite, path, &why), 0);
	text = read_file(path, &size);
	for (char *rest = text, *line; rest;) {
		size_t row;

		line = strsep(&rest, "\n");
		row = strspn(line, "`");
		if (row >= 3 && (!fence || (row == fence && !line[row])))
			fence = fence ? 0 : row;
		else if (!fence && strncmp(line, "The trace is `", 14))
			assert_null(strstr(line, "<script"));
	}
	assert_int_equal(fence, 0);
}

static void test_hostile_text_stays_text(void **state)
{
	const char *directory = *state;
	struct random random = { test_seed(11) };
	auto_free char *junit = NULL, *summary = NULL;
	xmlSchemaPtr schema = read_schema();

	assert_true(asprintf(&junit, "%s/junit.xml", directory) > 0);
	assert_true(asprintf(&summary, "%s/summary.md", directory) > 0);
	for (int i = 0; i < ROUNDS; i++) {
		auto_free char *name = make_text(&random), *verdict = make_text(&random);
		struct ci_suite suite = { .command = "ttrec run",
					  .name = name,
					  .verdict = verdict,
					  .trace = i % 2 ? name : NULL,
					  .next = i % 3 ? verdict : NULL,
					  .failed = i % 2 };
		struct diagnosis why;

		for (uint64_t cases = random_next(&random) % 20; cases; cases--)
			add_random(&suite, &random);
		assert_int_equal(ci_junit_write(&suite, junit, &why), 0);
		assert_schema(junit, schema);
		assert_annotations(&suite);
		assert_gitlab(&suite);
		assert_summary(&suite, summary);
		ci_release(&suite);
	}
	xmlSchemaFree(schema);
}

/* What a reader gets back is what was said. */
static void test_known_text_comes_back(void **state)
{
	const char *directory = *state;
	struct ci_suite suite = {
		.command = "ttrec run", .name = "a<b>&\"c\"", .verdict = "", .failed = true
	};
	struct ci_case added = { .guest = "n:1,x",
				 .name = "50%",
				 .outcome = CI_FAILED,
				 .now = 1500000000,
				 .message = "100%0A\n::error::",
				 .console = "1\n\033[31m2\033[0m\n\n" };
	auto_free char *path = NULL, *text = NULL, *xml = NULL;
	struct diagnosis why;
	size_t size;
	FILE *log = open_memstream(&text, &size);

	assert_int_equal(ci_add(&suite, &added), 0);
	ci_github_annotate(&suite, log);
	fclose(log);
	assert_string_equal(text, "::error title=ttrec run%2C n%3A1%2Cx%3A 50%25::"
				  "100%250A%0A::error:: (t=1.500000000 s)%0A%0A1%0A2\n");
	assert_true(asprintf(&path, "%s/known.xml", directory) > 0);
	assert_int_equal(ci_junit_write(&suite, path, &why), 0);
	xml = read_file(path, &size);
	assert_non_null(strstr(xml, "<testsuite name=\"a&lt;b&gt;&amp;&quot;c&quot;\" tests=\"1\" "
				    "failures=\"1\" errors=\"0\" skipped=\"0\" "));
	assert_non_null(strstr(xml, "<testcase classname=\"ttrec run.n:1,x\" name=\"50%\" "));
	assert_non_null(strstr(xml, "\nits console:\n1\n2\n"));
	ci_release(&suite);
}

/* What already exists counts; what is too much is left out whole, and said to be. */
static void test_a_summary_keeps_within_its_limit(void **state)
{
	const char *directory = *state;
	auto_free char *path = NULL, *console = calloc(1, 20001), *text = NULL;
	struct ci_suite suite = { .command = "ttrec run",
				  .name = "lab.yaml",
				  .verdict = "bad",
				  .trace = "trace.zst",
				  .next = "ttreplay trace.zst",
				  .failed = true };
	struct ci_case added = { .guest = "n1", .name = "run", .outcome = CI_FAILED };
	struct diagnosis why;
	size_t size;
	FILE *file;

	assert_true(asprintf(&path, "%s/long.md", directory) > 0);
	memset(console, 'x', 20000);
	added.console = console;
	for (int i = 0; i < 300; i++) {
		/* Each another one: what is shown already is not shown again. */
		snprintf(console + 20000 - 8, 9, "%08d", i);
		assert_int_equal(ci_add(&suite, &added), 0);
	}
	file = fopen(path, "we");
	for (int i = 0; i < 500; i++)
		fprintf(file, "%999s\n", "");
	fclose(file);
	assert_int_equal(ci_github_summarise(&suite, path, &why), 0);
	text = read_file(path, &size);
	assert_true(size <= SUMMARY_MAX);
	assert_true(size > SUMMARY_MAX - 64 * 1024);
	assert_non_null(strstr(text, " more pieces are left out: "));
	assert_string_equal(text + size - strlen("```text\nttreplay trace.zst\n```\n"),
			    "```text\nttreplay trace.zst\n```\n");
	/* Again: there is no room for it. */
	assert_int_equal(ci_github_summarise(&suite, path, &why), 0);
	assert_int_equal(ci_github_summarise(&suite, path, &why), 0);
	free(text);
	text = read_file(path, &size);
	assert_true(size <= SUMMARY_MAX);
	ci_release(&suite);
}

static void test_what_cannot_be_written_is_said(void **state)
{
	struct ci_suite suite = { .command = "ttrec run", .name = "lab", .verdict = "" };
	struct diagnosis why = { 0 };

	(void)state;
	assert_int_equal(ci_junit_write(&suite, "/nowhere/j.xml", &why), -ENOENT);
	assert_string_equal(why.what, "cannot write /nowhere/j.xml: No such file or directory");
	assert_int_equal(ci_junit_write(&suite, "/dev/full", &why), -ENOSPC);
	assert_int_equal(ci_github_summarise(&suite, "/nowhere/s.md", &why), -ENOENT);
}

/* Only who knows the token commands; and it is another one each time. */
static void test_guests_cannot_command(void **state)
{
	struct ci_options one = { .service = CI_GITHUB }, other = { .service = CI_GITHUB };
	auto_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	ci_guard_begin(&one, "console", out);
	fprintf(out, "::error::x");
	ci_guard_end(&one, "console", out);
	ci_guard_begin(&other, NULL, out);
	fclose(out);
	assert_memory_equal(text, "::group::console\n::stop-commands::ttrec-", 40);
	assert_non_null(strstr(text, "::error::x\n::ttrec-"));
	assert_non_null(strstr(text, "::\n::endgroup::\n"));
	assert_string_not_equal(one.token, other.token);
}

/* A shell gives each word back: one that knows how to write control characters. */
static void test_words_are_words(void **state)
{
	const char *directory = *state;
	auto_free char *script = NULL, *run = NULL;
	struct random random = { test_seed(3) };

	assert_true(asprintf(&script, "%s/script", directory) > 0);
	run = shell_command("bash", script);
	for (int i = 0; i < 40; i++) {
		auto_free char *word = make_text(&random), *command = NULL, *got = NULL;
		FILE *file = fopen(script, "we");
		size_t size = strlen(word);

		command = shell_command("printf %s", word);
		assert_non_null(file);
		fprintf(file, "%s\n", command);
		fclose(file);
		file = popen(run, "re");
		assert_non_null(file);
		got = calloc(1, size + 2);
		assert_int_equal(fread(got, 1, size + 1, file), size);
		assert_string_equal(got, word);
		assert_int_equal(pclose(file), 0);
	}
}

static void assert_code(const char *text, const char *expected)
{
	auto_free char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	markdown_code(out, text);
	fclose(out);
	assert_string_equal(got, expected);
}

static void test_code_keeps_its_backticks(void **state)
{
	(void)state;
	assert_code("a", "`a`");
	assert_code("a`b", "``a`b``");
	assert_code("`a", "`` `a ``");
	assert_code("a\nb", "`a?b`");
}

static int set_up(void **state)
{
	static char directory[] = "/tmp/test_ci.XXXXXX";

	*state = mkdtemp(directory);
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	auto_free char *command = shell_command("rm -rf", *state);

	return system(command);
}

/* A replay is as it should be, and what its guest reported failed when it was recorded, too. */
static void test_failures_of_a_good_replay_are_warnings(void **state)
{
	struct ci_suite suite = { .command = "ttreplay", .name = "t.zst", .verdict = "identical" };
	struct ci_case added = { .guest = "n1", .name = "1", .outcome = CI_FAILED };
	auto_free char *text = NULL;
	size_t size;
	FILE *log = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(ci_add(&suite, &added), 0);
	ci_github_annotate(&suite, log);
	fclose(log);
	assert_memory_equal(text, "::warning title=ttreplay%2C n1%3A 1::", 37);
	ci_release(&suite);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_text_stays_text),
		cmocka_unit_test(test_known_text_comes_back),
		cmocka_unit_test(test_failures_of_a_good_replay_are_warnings),
		cmocka_unit_test(test_a_summary_keeps_within_its_limit),
		cmocka_unit_test(test_what_cannot_be_written_is_said),
		cmocka_unit_test(test_guests_cannot_command),
		cmocka_unit_test(test_words_are_words),
		cmocka_unit_test(test_code_keeps_its_backticks),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
