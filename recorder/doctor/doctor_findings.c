// SPDX-License-Identifier: BSD-3-Clause
/* The list of what was found, printed for people and as JSON. */
#include "recorder/doctor/doctor.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format/base/cleanup.h"

static const struct {
	const char *label, *json;
} levels[] = {
	[FINDING_OK] = { "ok", "ok" },
	[FINDING_NOTE] = { "note", "note" },
	[FINDING_WARNING] = { "warning", "warning" },
	[FINDING_MISSING] = { "MISSING", "missing" },
};

static char *copy_text(struct findings *findings, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	findings->failed |= text && !copy;
	return copy;
}

void findings_add(struct findings *findings, enum finding_level level, const char *name,
		  const char *why, const char *advice, const char *format, ...)
{
	struct finding *finding = array_add(findings->item, findings->count);
	va_list arguments;
	int length;

	if (!finding) {
		findings->failed = true;
		return;
	}
	*finding = (struct finding){ .level = level, .name = name };
	va_start(arguments, format);
	length = vasprintf(&finding->text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		finding->text = NULL;
		findings->failed = true;
	}
	finding->why = copy_text(findings, why);
	finding->advice = copy_text(findings, advice);
}

bool findings_miss_something(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->item[i].level == FINDING_MISSING)
			return true;
	return findings->failed;
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->item[i].text);
		free(findings->item[i].why);
		free(findings->item[i].advice);
	}
	free(findings->item);
	*findings = (struct findings){ 0 };
}

static bool same_text(const char *text, const char *before)
{
	return before && !strcmp(text, before);
}

/* The reason of the previous finding is not repeated. */
static void print_finding(const struct finding *finding, const struct finding *before)
{
	printf("%-8s%s", levels[finding->level].label, finding->name);
	if (finding->text && *finding->text)
		printf(": %s", finding->text);
	putchar('\n');
	if (finding->why && !same_text(finding->why, before->why))
		printf("        why: %s\n", finding->why);
	if (finding->advice)
		printf("        hint: %s\n",
		       same_text(finding->advice, before->advice) ? "the same" : finding->advice);
}

void doctor_print_text(const struct findings *findings, unsigned int isolation)
{
	static const struct finding nothing;
	const struct finding *before = &nothing;
	char held[ISOLATION_TEXT];

	for (size_t i = 0; i < findings->count; before = &findings->item[i++])
		print_finding(&findings->item[i], before);
	if (!findings_miss_something(findings))
		puts("\nFull isolation is possible.");
	else if (isolation == ISOLATION_FULL)
		puts("\nFull isolation is possible, but something else is missing: see above.");
	else
		printf("\nA recording would not be fully isolated: %s\n",
		       isolation ? isolation_extent_text(isolation, held) : "no part holds");
}

static json_t *isolation_list(unsigned int isolation)
{
	json_t *list = json_array();

	for (unsigned int i = 0; list && i < ISOLATION_COUNT; i++)
		if (isolation & 1u << i)
			json_array_append_new(list, json_string(isolation_info(i)->name));
	return list;
}

static json_t *finding_list(const struct findings *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < findings->count; i++) {
		const struct finding *finding = &findings->item[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s?, s:s?, s:s?}", "level",
						      levels[finding->level].json, "name",
						      finding->name, "text", finding->text, "why",
						      finding->why, "advice", finding->advice));
	}
	return list;
}

int doctor_print_json(const struct findings *findings, unsigned int isolation, int status)
{
	json_t *json =
		json_pack("{s:b, s:i, s:o, s:o}", "possible", !status, "status", status, "seal",
			  isolation_list(isolation), "findings", finding_list(findings));

	if (!json)
		return -ENOMEM;
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
	return 0;
}
