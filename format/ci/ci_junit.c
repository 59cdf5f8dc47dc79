// SPDX-License-Identifier: BSD-3-Clause
/*
 * JUnit XML, as Jenkins, GitLab and others read it.
 *
 * Source: jenkinsci/xunit-plugin, junit-10.xsd; docs.gitlab.com, "Unit test reports".
 */
#include <errno.h>
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/ci/ci.h"
#include "format/base/cleanup.h"
#include "format/base/console_line.h"
#include "format/base/units.h"
#include "format/base/write_error.h"

/* The writer keeps no error: a failure is reported at the end. */
struct junit {
	xmlTextWriterPtr writer;
	bool failed;
};

static void check(struct junit *junit, int result)
{
	junit->failed |= result < 0;
}

/* XML 1.0 does not allow U+FFFE and U+FFFF (section 2.2). */
static void replace_noncharacters(char *text)
{
	for (char *at = text; (at = strstr(at, "\xef\xbf")); at += 2)
		if (at[2] == '\xbe' || at[2] == '\xbf')
			memset(at, '?', 3);
}

/* Everything in it is a character of XML; the caller frees it. */
static char *xml_text(const char *text)
{
	char *copy = console_lines_copy(text, strlen(text));

	if (copy)
		replace_noncharacters(copy);
	return copy;
}

static void attribute(struct junit *junit, const char *name, const char *value)
{
	auto_free char *text = xml_text(value);

	if (!text)
		junit->failed = true;
	else
		check(junit,
		      xmlTextWriterWriteAttribute(junit->writer, BAD_CAST name, BAD_CAST text));
}

static void number(struct junit *junit, const char *name, size_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", value);
	attribute(junit, name, text);
}

static void seconds(struct junit *junit, const char *name, uint64_t ns)
{
	char text[UNITS_TEXT];

	attribute(junit, name, duration_exact(ns, text));
}

static void start(struct junit *junit, const char *element)
{
	check(junit, xmlTextWriterStartElement(junit->writer, BAD_CAST element));
}

static void end(struct junit *junit)
{
	check(junit, xmlTextWriterEndElement(junit->writer));
}

static void content(struct junit *junit, const char *text)
{
	auto_free char *clean = xml_text(text);

	if (!clean)
		junit->failed = true;
	else
		check(junit, xmlTextWriterWriteString(junit->writer, BAD_CAST clean));
}

/* ---- A case --------------------------------------------------------------------------------- */

/* Everything needed by a reader who sees only this case. */
static char *failure_text(const struct ci_suite *suite, const struct ci_case *of)
{
	char time[UNITS_TEXT], *text = NULL;
	size_t size;
	FILE *out = output_buffer_open(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s\nguest: %s\nvirtual time: %s s\n", of->message ?: "failed",
		of->guest ?: "all", duration_exact(of->now, time));
	if (suite->seed)
		fprintf(out, "seed: %s\n", suite->seed);
	if (suite->trace)
		fprintf(out, "trace: %s\n", suite->trace);
	if (suite->next)
		fprintf(out, "next: %s\n", suite->next);
	if (of->details)
		fprintf(out, "\n%s", of->details);
	if (of->console)
		fprintf(out, "\nits console:\n%s", of->console);
	output_buffer_close(out);
	return text;
}

static void write_failure(struct junit *junit, const struct ci_suite *suite,
			  const struct ci_case *of)
{
	auto_free char *text = failure_text(suite, of);

	start(junit, of->outcome == CI_ERROR ? "error" : "failure");
	attribute(junit, "message", of->message ?: "failed");
	attribute(junit, "type", of->code ?: "failure");
	if (text)
		content(junit, text);
	else
		junit->failed = true;
	end(junit);
}

static void write_case(struct junit *junit, const struct ci_suite *suite, const struct ci_case *of)
{
	auto_free char *class = NULL;

	if (asprintf(&class, "%s.%s", suite->command, of->guest ?: "lab") < 0) {
		class = NULL;
		junit->failed = true;
		return;
	}
	start(junit, "testcase");
	attribute(junit, "classname", class);
	attribute(junit, "name", of->name);
	seconds(junit, "time", of->took);
	if (ci_is_bad(of))
		write_failure(junit, suite, of);
	if (of->outcome == CI_SKIPPED) {
		start(junit, "skipped");
		if (of->message)
			attribute(junit, "message", of->message);
		end(junit);
	}
	end(junit);
}

/* ---- The suite ------------------------------------------------------------------------------ */

static void write_counts(struct junit *junit, const struct ci_suite *suite)
{
	attribute(junit, "name", suite->name);
	number(junit, "tests", suite->count);
	number(junit, "failures", ci_count(suite, CI_FAILED));
	number(junit, "errors", ci_count(suite, CI_ERROR));
	number(junit, "skipped", ci_count(suite, CI_SKIPPED));
	seconds(junit, "time", suite->wall_ns);
}

static void write_property(struct junit *junit, const char *name, const char *value)
{
	if (!value)
		return;
	start(junit, "property");
	attribute(junit, "name", name);
	attribute(junit, "value", value);
	end(junit);
}

static void write_properties(struct junit *junit, const struct ci_suite *suite)
{
	const struct finding *notice;
	char line[FINDING_LINE];

	start(junit, "properties");
	write_property(junit, "command", suite->command);
	write_property(junit, "verdict", suite->verdict);
	for (size_t i = 0; (notice = ci_next_notice(suite, &i));)
		write_property(junit, finding_label(notice->code), finding_line(notice, line));
	write_property(junit, "seed", suite->seed);
	write_property(junit, "trace", suite->trace);
	write_property(junit, "next", suite->next);
	end(junit);
}

static void write_suite(struct junit *junit, const struct ci_suite *suite)
{
	time_t started = (time_t)suite->started;
	char stamp[32] = "";
	struct tm utc;

	if (gmtime_r(&started, &utc))
		strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	check(junit, xmlTextWriterStartDocument(junit->writer, NULL, "UTF-8", NULL));
	start(junit, "testsuites");
	start(junit, "testsuite");
	write_counts(junit, suite);
	attribute(junit, "timestamp", stamp);
	write_properties(junit, suite);
	for (size_t i = 0; i < suite->count; i++)
		write_case(junit, suite, &suite->list[i]);
	end(junit);
	end(junit);
	check(junit, xmlTextWriterEndDocument(junit->writer));
}

int ci_junit_write(const struct ci_suite *suite, const char *path, struct diagnosis *why)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	struct junit junit = { .writer = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL };
	char text[WRITE_ERROR_TEXT];
	auto_file *out = NULL;
	int err = junit.writer ? 0 : -ENOMEM;

	if (!err) {
		xmlTextWriterSetIndent(junit.writer, 1);
		write_suite(&junit, suite);
		err = junit.failed ? -ENOMEM : 0;
	}
	xmlFreeTextWriter(junit.writer);
	if (!err) {
		out = fopen(path, "we");
		if (!out ||
		    fwrite(xmlBufferContent(buffer), 1, (size_t)xmlBufferLength(buffer), out) !=
			    (size_t)xmlBufferLength(buffer) ||
		    fflush(out))
			err = errno ? -errno : -EIO;
	}
	xmlBufferFree(buffer);
	return err ? diagnose(why, exit_status_of_file(err), err, "check the path given to --junit",
			      "cannot write %s: %s", path, write_error_text(path, err, text))
		   : 0;
}
