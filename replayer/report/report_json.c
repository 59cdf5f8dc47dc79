// SPDX-License-Identifier: BSD-3-Clause
/* The report of a replay for programs; ttreplay(1) documents its keys. */
#include <errno.h>
#include <stdlib.h>

#include "format/base/cleanup.h"
#include "format/base/write_error.h"
#include "format/text/record_json.h"
#include "format/text/record_text.h"
#include "replayer/report/cause.h"
#include "replayer/report/context.h"
#include "replayer/report/report.h"
#include "replayer/report/verdict.h"

#define REPORT_VERSION 1

static json_t *causes_json(const struct verdict *verdict)
{
	struct findings causes = { 0 };
	json_t *list = json_array();

	causes_find(verdict->guest, &causes);
	for (size_t i = 0; i < causes.count; i++) {
		const struct finding *cause = &causes.list[i];
		const struct finding_info *info = finding_info(cause->code);

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "code", info->code,
						      "cause", info->meaning, "evidence",
						      cause->text, "to_do", cause->hint));
	}
	findings_release(&causes);
	return list;
}

static json_t *records_json(const struct context *context, const struct context_guest *guest)
{
	json_t *list = json_array();

	for (size_t i = 0; i < guest->count; i++)
		json_array_append_new(list, record_json(&context->names, &guest->record[i]));
	return list;
}

static json_t *peers_json(const struct context *context)
{
	json_t *list = json_array();
	char name[NAME_SIZE];

	for (size_t i = 1; i < context->count; i++) {
		const struct context_guest *guest = &context->guest[i];

		json_array_append_new(
			list, json_pack("{s:s, s:I, s:o}", "guest",
					name_table_guest(&context->names, guest->guest, name),
					"index", (json_int_t)guest->guest, "records",
					records_json(context, guest)));
	}
	return list;
}

static json_t *command_json(const struct verdict *verdict,
			    void (*print)(const struct verdict *verdict, FILE *out))
{
	auto_free char *text = NULL;
	size_t size;
	FILE *out = output_buffer_open(&text, &size);

	if (!out)
		return NULL;
	print(verdict, out);
	output_buffer_close(out);
	return json_string(text);
}

static void add_divergence(json_t *json, const struct verdict *verdict)
{
	const struct cursor_report *report = &verdict->guest->outcome->report;
	struct context context;

	json_object_set_new(json, "causes", causes_json(verdict));
	json_object_set_new(json, "next", command_json(verdict, verdict_print_next));
	if (!verdict_is_replaced(verdict))
		json_object_set_new(json, "debug", command_json(verdict, verdict_print_debug));
	if (context_read(verdict->trace, verdict->guest->index, report->record, &context))
		return;
	json_object_set_new(json, "before", records_json(&context, &context.guest[0]));
	json_object_set_new(json, "peers", peers_json(&context));
	context_free(&context);
}

/* In addition to the keys of --json for each guest. */
static void add_details(json_t *json, const struct verdict_lab *all)
{
	json_t *guests = json_object_get(json, "guests");
	struct verdict verdict;
	size_t position = 0;

	for (size_t i = 0; verdict_lab_next(all, &position, &verdict); i++) {
		struct diagnosis why;

		if (!verdict_failed(&verdict, &why) && verdict.guest->outcome->report.diverged)
			add_divergence(json_array_get(guests, i), &verdict);
	}
}

static const char *read_uuid(const char *path, char text[UUID_TEXT])
{
	struct trace_reader *reader = NULL;

	*text = '\0';
	/* The rest of it need not be readable. */
	if (!trace_reader_open(path, &reader))
		uuid_text(trace_reader_header(reader)->uuid, text);
	trace_reader_close(reader);
	return text;
}

static json_t *refused_json(const struct diagnosis *refused)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:[]}", "verdict", "not replayed", "status",
			 refused->status, "reason", refused->what, "to_do", refused->advice,
			 "guests");
}

int report_json(const struct verdict_lab *all, FILE *out)
{
	char uuid[UUID_TEXT];
	json_t *json = json_pack("{s:i, s:s, s:s}", "version", REPORT_VERSION, "trace", all->trace,
				 "uuid", read_uuid(all->trace, uuid));
	json_t *found = all->refused ? refused_json(all->refused) : verdict_lab_json(all);
	int err = 0;

	if (!json || json_object_update_new(json, found))
		err = -ENOMEM;
	if (!err) {
		if (!all->refused)
			add_details(json, all);
		json_dumpf(json, out, JSON_INDENT(1));
		fputc('\n', out);
	}
	json_decref(json);
	return err;
}
