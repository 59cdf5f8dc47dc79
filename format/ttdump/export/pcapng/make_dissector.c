// SPDX-License-Identifier: BSD-3-Clause
/*
 * Makes ttrec.lua when the project is built: copies standard input, and puts what the table of
 * record kinds is put where a line is "-- @table@".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/text/record_names.h"

/* The numbers that have names are below this. */
#define NAMED_MAX 256

static const char *const units[] = {
	[TRACE_UNIT_OP] = "op",	  [TRACE_UNIT_COUNT] = "count", [TRACE_UNIT_NS] = "ns",
	[TRACE_UNIT_HEX] = "hex", [TRACE_UNIT_BYTES] = "bytes", [TRACE_UNIT_SIGNED] = "signed",
};

static const char *const payloads[] = {
	[TRACE_PAYLOAD_NONE] = "none",
	[TRACE_PAYLOAD_TEXT] = "text",
	[TRACE_PAYLOAD_BYTES] = "bytes",
};

static void print_operations(void)
{
	printf("local operations = {\n");
	for (uint64_t op = 0; op < TRACE_OP_LIMIT; op++)
		printf("\t[%u] = \"%s\",\n", (unsigned int)op, trace_operation_name(op));
	printf("}\n\n");
}

static void print_names(uint32_t kind, unsigned int field)
{
	struct trace_record record = { .kind = kind };
	const char *separator = ", names = { ";

	for (unsigned int i = 0; i < NAMED_MAX; i++) {
		const char *name;

		record.field[field] = i;
		name = record_field_name(&record, field);
		if (!name)
			continue;
		printf("%s[%u] = \"%s\"", separator, i, name);
		separator = ", ";
	}
	if (!strcmp(separator, ", "))
		printf(" }");
}

static void print_kind(uint32_t kind, const struct trace_kind_info *info)
{
	const struct trace_record record = { .kind = kind };

	printf("\t[%u] = { name = \"%s\", direction = \"%s\", arrow = \"%s\", payload = \"%s\",\n",
	       kind, info->name, record_direction(&record), record_arrow(&record),
	       payloads[info->payload]);
	printf("\t\tdoc = \"%s\",\n\t\tfields = {\n", info->doc);
	for (unsigned int i = 0; i < info->field_count; i++) {
		printf("\t\t\t{ name = \"%s\", unit = \"%s\"", info->field[i].name,
		       units[info->field[i].unit]);
		print_names(kind, i);
		printf(" },\n");
	}
	printf("\t\t} },\n");
}

static void print_kinds(void)
{
	printf("local kinds = {\n");
	for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++)
		if (trace_kind_info(kind))
			print_kind(kind, trace_kind_info(kind));
	printf("}\n");
}

int main(void)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "-- @table@\n")) {
			fputs(line, stdout);
			continue;
		}
		print_operations();
		print_kinds();
	}
	return ferror(stdin) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
