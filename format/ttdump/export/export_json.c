// SPDX-License-Identifier: BSD-3-Clause
/* ttdump export json: the whole trace as one JSON document. */
#include "format/ttdump/export/export.h"
#include "format/text/record_json.h"
#include "format/base/units.h"

static int put_records(struct trace_reader *reader, const struct name_table *names,
		       struct line *line, FILE *out)
{
	const char *separator = "\n";
	struct trace_record record;
	int got;

	while ((got = trace_reader_next(reader, &record)) > 0 && !ferror(out)) {
		line->size = 0;
		line_text(line, separator);
		record_add_json(names, &record, line);
		if (line->failed)
			return -ENOMEM;
		fwrite(line->text, 1, line->size, out);
		separator = ",\n";
	}
	return got;
}

/*
 * All guests of the trace, to the end or as far as it can be read: names come with the records,
 * and the head precedes all of them.
 */
static int learn_all(const char *path, struct name_table *names)
{
	struct trace_record record;
	auto_trace *reader = NULL;
	int err = trace_reader_open(path, &reader), got = 0;

	while (!err && (got = trace_reader_next(reader, &record)) > 0)
		err = name_table_learn(names, &record);
	return diagnosis_host_error(err ? err : got);
}

static json_t *device_json(const struct named_device *device, size_t number)
{
	json_t *object = json_pack("{s:I, s:I, s:s}", "device", (json_int_t)number, "virtio_id",
				   (json_int_t)device->virtio_id, "name", device->name);
	char text[MAC_TEXT];

	if (!object || !device->wired)
		return object;
	json_object_set_new(object, "network", json_string(device->network));
	json_object_set_new(object, "mac", json_string(mac_text(device->mac, text)));
	return object;
}

static json_t *guest_json(const struct named_guest *guest, size_t number)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < guest->device_count; i++)
		json_array_append_new(devices, device_json(&guest->device[i], i));
	return json_pack("{s:I, s:s, s:o}", "guest", (json_int_t)number, "name", guest->name,
			 "devices", devices);
}

static int put_head(const struct trace_header *header, const struct name_table *names, FILE *out)
{
	const char *separator = "\n";
	char uuid[UUID_TEXT];
	int err = 0;

	fprintf(out, "{\"version\":%u,\"uuid\":\"%s\",\"guests\":[", header->version,
		uuid_text(header->uuid, uuid));
	for (size_t i = 0; !err && i < names->count; i++) {
		json_t *object = guest_json(&names->guest[i], i);

		fputs(separator, out);
		err = object && !json_dumpf(object, out, JSON_COMPACT) ? 0 : -ENOMEM;
		json_decref(object);
		separator = ",\n";
	}
	fputs("\n],\"records\":[", out);
	return err;
}

/* One record a line; written as it is read, so that memory does not grow with the trace. */
int export_json(const struct export_request *request, struct trace_reader *reader, FILE *out,
		struct diagnosis *diagnosis)
{
	struct name_table names = { 0 };
	struct line line = { 0 };
	int got = learn_all(request->path, &names);

	if (!got)
		got = put_head(trace_reader_header(reader), &names, out);
	if (!got)
		got = put_records(reader, &names, &line, out);
	name_table_free(&names);
	line_free(&line);
	fputs("\n]}\n", out);
	if (got == -ENOMEM)
		return dump_no_memory(diagnosis);
	return got < 0 ? dump_damaged(request->path, reader, got, diagnosis) : 0;
}
