// SPDX-License-Identifier: BSD-3-Clause
/* What a recording or a replay found: the table of codes, the list, as text and as JSON. */
#include "format/ci/finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/printable.h"
#include "format/base/write_error.h"

static const struct finding_info infos[] = {
#define FINDING(name, code, severity, status, meaning) \
	[FOUND_##name] = { code, FINDING_##severity, status, meaning },
	FINDINGS(FINDING)
#undef FINDING
};

static const struct {
	const char *name, *label;
} severities[] = {
	[FINDING_FAILURE] = { "failure", "why" },
	[FINDING_SHORTAGE] = { "shortage", "why" },
	[FINDING_WARNING] = { "warning", "warning" },
	[FINDING_NOT_COMPARED] = { "not-compared", "not compared" },
	[FINDING_CAUSE] = { "cause", "possible cause" },
};

const struct finding_info *finding_info(enum finding_code code)
{
	return &infos[code];
}

const char *finding_label(enum finding_code code)
{
	switch (code) {
	case FOUND_CONSOLE_WARNING:
		return "warnings";
	case FOUND_KERNEL_MESSAGE:
		return "hint";
	case FOUND_DEVICE_UNUSED:
	case FOUND_PROGRAM_UNTIMED:
		return "device";
	case FOUND_SHARE_INCOMPLETE:
		return "share";
	case FOUND_MEMORY_NOT_HASHED:
	case FOUND_MEMORY_NOT_COMPARED:
		return "memory";
	case FOUND_INTERRUPTS_INCOMPLETE:
	case FOUND_INTERRUPTS_NOT_COMPARED:
		return "interrupts";
	default:
		return severities[infos[code].severity].label;
	}
}

enum finding_code finding_code_of_status(int status)
{
	switch (status) {
	case EXIT_USAGE:
		return FOUND_USAGE;
	case EXIT_DAMAGED:
		return FOUND_DAMAGED;
	case EXIT_PROTOCOL:
		return FOUND_PROTOCOL;
	default:
		return FOUND_HOST;
	}
}

struct finding *findings_add(struct findings *found, enum finding_code code, const char *guest,
			     uint64_t now, const char *hint, const char *format, ...)
{
	struct finding *finding = array_add(found->list, found->count);
	va_list arguments;

	if (!finding) {
		output_incomplete(-ENOMEM);
		return NULL;
	}
	finding->code = code;
	finding->now = now;
	snprintf(finding->guest, sizeof(finding->guest), "%s", guest ?: "");
	snprintf(finding->hint, sizeof(finding->hint), "%s", hint ?: "");
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
	printable(finding->guest);
	printable(finding->text);
	printable(finding->hint);
	return finding;
}

void findings_release(struct findings *found)
{
	free(found->list);
	*found = (struct findings){ 0 };
}

bool finding_is_failure(const struct finding *finding)
{
	return finding_info(finding->code)->severity <= FINDING_SHORTAGE;
}

const struct finding *findings_failure(const struct findings *found)
{
	for (size_t i = 0; i < found->count; i++)
		if (finding_is_failure(&found->list[i]))
			return &found->list[i];
	return NULL;
}

static int compare(const void *left, const void *right)
{
	const struct finding *one = left, *other = right;

	if (one->now != other->now)
		return one->now < other->now ? -1 : 1;
	return (one->id > other->id) - (one->id < other->id);
}

void findings_sort(struct findings *found, size_t first)
{
	if (found->count > first)
		qsort(found->list + first, found->count - first, sizeof(*found->list), compare);
}

const char *finding_line(const struct finding *finding, char line[FINDING_LINE])
{
	snprintf(line, FINDING_LINE, "%s [%s]", finding->text, finding_info(finding->code)->code);
	return line;
}

void finding_print(FILE *out, const struct finding *finding, const char *label)
{
	const struct finding_info *info = finding_info(finding->code);
	const char *indent = info->severity == FINDING_CAUSE ? "    " : "  ";
	char line[FINDING_LINE];

	fprintf(out, "  %s: ", label ?: finding_label(finding->code));
	if (info->severity == FINDING_CAUSE)
		fprintf(out, "%s [%s]\n%s%s\n", info->meaning, info->code, indent, finding->text);
	else
		fprintf(out, "%s\n", finding_line(finding, line));
	if (*finding->hint)
		fprintf(out, "%shint: %s\n", indent, finding->hint);
}

json_t *findings_json(const struct findings *found)
{
	json_t *list = json_array();

	for (size_t i = 0; i < found->count; i++) {
		const struct finding *finding = &found->list[i];
		const struct finding_info *info = finding_info(finding->code);

		json_array_append_new(list, json_pack("{s:s, s:s, s:s?, s:I, s:s, s:s}", "code",
						      info->code, "severity",
						      severities[info->severity].name, "guest",
						      *finding->guest ? finding->guest : NULL,
						      "now_ns", (json_int_t)finding->now, "text",
						      finding->text, "hint", finding->hint));
	}
	return list;
}
