// SPDX-License-Identifier: BSD-3-Clause
/* ttdump export json: the whole trace as one JSON document. */
#include "format/ttdump/export.h"

/* One record a line; written as it is read, so that memory does not grow with the trace. */
int export_json(const struct export_request *request, struct trace_reader *reader, FILE *out,
		struct diagnosis *diagnosis)
{
	const struct trace_header *header = trace_reader_header(reader);
	const char *separator = "\n";
	struct trace_record record;
	char uuid[UUID_TEXT];
	int got;

	fprintf(out, "{\"version\":%u,\"uuid\":\"%s\",\"records\":[", header->version,
		uuid_text(header->uuid, uuid));
	while ((got = trace_reader_next(reader, &record)) > 0 && !ferror(out)) {
		json_t *object = record_json(&record);

		fputs(separator, out);
		json_dumpf(object, out, JSON_COMPACT);
		json_decref(object);
		separator = ",\n";
	}
	fputs("\n]}\n", out);
	return got < 0 ? dump_damaged(request->path, reader, got, diagnosis) : 0;
}
