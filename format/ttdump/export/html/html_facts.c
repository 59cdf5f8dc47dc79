// SPDX-License-Identifier: BSD-3-Clause
/* What the page of `ttdump export html` has besides the records, as JSON. */
#include "format/ttdump/export/html/html_facts.h"

#include <errno.h>
#include <string.h>

#include "format/base/printable.h"
#include "format/base/write_error.h"

#define REPORT_VERSION 1

/* A string of any bytes, made printable. */
static json_t *text_json(const char *text)
{
	auto_free char *copy = output_copy(text);

	return copy ? json_string(printable(copy)) : json_null();
}

static int refuse_report(const char *path, const char *why, struct diagnosis *diagnosis)
{
	return diagnose(diagnosis, EXIT_CANNOT, -EINVAL,
			"write one with \"ttreplay --report FILE.json TRACE\"",
			"%s is not a replay report: %s", path, why);
}

static int check_report(const char *path, const struct trace_header *header, const json_t *report,
			struct diagnosis *diagnosis)
{
	const char *uuid = json_string_value(json_object_get(report, "uuid"));
	char wanted[UUID_TEXT];

	if (json_integer_value(json_object_get(report, "version")) != REPORT_VERSION)
		return refuse_report(path, "its version is not 1", diagnosis);
	if (!json_is_array(json_object_get(report, "guests")))
		return refuse_report(path, "it has no list of guests", diagnosis);
	if (!uuid || strcmp(uuid, uuid_text(header->uuid, wanted)))
		return diagnose(diagnosis, EXIT_CANNOT, -EINVAL, "give the report of this trace",
				"%s is the report of another trace", path);
	return 0;
}

int html_load_report(const struct export_request *request, const struct trace_header *header,
		     json_t **report, struct diagnosis *diagnosis)
{
	const char *path = request->report;
	json_error_t error;
	int err;

	*report = NULL;
	if (!path)
		return 0;
	if (access(path, R_OK))
		return diagnose(diagnosis, exit_status_of_file(-errno), -errno, "check the path",
				"cannot open %s: %s", path, strerror(errno));
	*report = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!*report)
		return refuse_report(path, printable(error.text), diagnosis);
	err = check_report(path, header, *report, diagnosis);
	if (err) {
		json_decref(*report);
		*report = NULL;
	}
	return err;
}

static json_t *device_json(const struct named_device *device)
{
	return json_pack("{s:o,s:i}", "name", text_json(device->name), "virtio",
			 (int)device->virtio_id);
}

static json_t *guest_json(const struct named_guest *guest)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < guest->device_count; i++)
		json_array_append_new(devices, device_json(&guest->device[i]));
	return json_pack("{s:o,s:b,s:o}", "name", text_json(guest->name), "seen", guest->seen,
			 "devices", devices);
}

static json_t *guests_json(const struct name_table *names)
{
	json_t *guests = json_array();

	for (size_t i = 0; i < names->count; i++)
		json_array_append_new(guests, guest_json(&names->guest[i]));
	return guests;
}

/* "console": {"number": 3, "direction": 0, "doc": "..."}, for every kind. */
static json_t *kinds_json(void)
{
	json_t *kinds = json_object();

	for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
		const struct trace_kind_info *info = trace_kind_info(kind);

		if (!info)
			continue;
		json_object_set_new(kinds, info->name,
				    json_pack("{s:i,s:i,s:s}", "number", (int)kind, "direction",
					      (int)info->direction, "doc", info->doc));
	}
	return kinds;
}

static json_t *operations_json(void)
{
	json_t *names = json_array();

	for (uint64_t op = 0; op < TRACE_OP_LIMIT; op++)
		json_array_append_new(names, json_string(trace_operation_name(op)));
	return names;
}

json_t *html_facts(const struct export_request *request, const struct trace_header *header,
		   const struct name_table *names, const char *problem, json_t *report)
{
	const char *slash = strrchr(request->path, '/');
	char uuid[UUID_TEXT];

	return json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:o}", "trace",
			 text_json(slash ? slash + 1 : request->path), "uuid",
			 uuid_text(header->uuid, uuid), "guests", guests_json(names), "kinds",
			 kinds_json(), "operations", operations_json(), "problem",
			 text_json(problem), "report", report ? report : json_null());
}
