// SPDX-License-Identifier: BSD-3-Clause
/* The list of what was found, printed for people and as JSON. */
#include "recorder/doctor/doctor.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format/base/array.h"

static const struct {
	const char *label, *json;
} levels[] = {
	[CHECK_OK] = { "ok", "ok" },
	[CHECK_NOTE] = { "note", "note" },
	[CHECK_WARNING] = { "warning", "warning" },
	[CHECK_MISSING] = { "MISSING", "missing" },
};

static char *copy_text(struct checks *checks, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	checks->failed |= text && !copy;
	return copy;
}

void checks_add(struct checks *checks, enum check_level level, const char *name, const char *why,
		const char *advice, const char *format, ...)
{
	struct check *check = array_add(checks->item, checks->count);
	va_list arguments;
	int length;

	if (!check) {
		checks->failed = true;
		return;
	}
	*check = (struct check){ .level = level, .name = name };
	va_start(arguments, format);
	length = vasprintf(&check->text, format, arguments);
	va_end(arguments);
	if (length < 0) {
		check->text = NULL;
		checks->failed = true;
	}
	check->why = copy_text(checks, why);
	check->advice = copy_text(checks, advice);
}

bool checks_miss_something(const struct checks *checks)
{
	for (size_t i = 0; i < checks->count; i++)
		if (checks->item[i].level == CHECK_MISSING)
			return true;
	return checks->failed;
}

void checks_free(struct checks *checks)
{
	for (size_t i = 0; i < checks->count; i++) {
		free(checks->item[i].text);
		free(checks->item[i].why);
		free(checks->item[i].advice);
	}
	free(checks->item);
	*checks = (struct checks){ 0 };
}

static bool same_text(const char *text, const char *before)
{
	return before && !strcmp(text, before);
}

/* The reason of the previous check is not repeated. */
static void print_check(const struct check *check, const struct check *before)
{
	printf("%-8s%s", levels[check->level].label, check->name);
	if (check->text && *check->text)
		printf(": %s", check->text);
	putchar('\n');
	if (check->why && !same_text(check->why, before->why))
		printf("        why: %s\n", check->why);
	if (check->advice)
		printf("        hint: %s\n",
		       same_text(check->advice, before->advice) ? "the same" : check->advice);
}

void doctor_print_text(const struct checks *checks, unsigned int isolation)
{
	static const struct check nothing;
	const struct check *before = &nothing;
	char held[ISOLATION_TEXT];

	for (size_t i = 0; i < checks->count; before = &checks->item[i++])
		print_check(&checks->item[i], before);
	if (!checks_miss_something(checks))
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

static json_t *check_list(const struct checks *checks)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < checks->count; i++) {
		const struct check *check = &checks->item[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s?, s:s?, s:s?}", "level",
						      levels[check->level].json, "name",
						      check->name, "text", check->text, "why",
						      check->why, "advice", check->advice));
	}
	return list;
}

int doctor_print_json(const struct checks *checks, unsigned int isolation, int status)
{
	json_t *json = json_pack("{s:b, s:i, s:o, s:o}", "possible", !status, "status", status,
				 "seal", isolation_list(isolation), "findings", check_list(checks));

	if (!json)
		return -ENOMEM;
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(json);
	return 0;
}
