// SPDX-License-Identifier: BSD-3-Clause
/* ttdump export json: the whole trace as one JSON document. */
#include "format/ttdump/export.h"
#include "format/text/record_json.h"

static int put_records(struct trace_reader *reader, struct cast *cast, struct line *line, FILE *out)
{
	const char *separator = "\n";
	struct trace_record record;
	int got;

	while ((got = trace_reader_next(reader, &record)) > 0 && !ferror(out)) {
		if (cast_learn(cast, &record))
			return -ENOMEM;
		line->size = 0;
		line_text(line, separator);
		record_add_json(cast, &record, line);
		if (line->failed)
			return -ENOMEM;
		fwrite(line->text, 1, line->size, out);
		separator = ",\n";
	}
	return got;
}

/* One record a line; written as it is read, so that memory does not grow with the trace. */
int export_json(const struct export_request *request, struct trace_reader *reader, FILE *out,
		struct diagnosis *diagnosis)
{
	const struct trace_header *header = trace_reader_header(reader);
	struct cast cast = { 0 };
	struct line line = { 0 };
	char uuid[UUID_TEXT];
	int got;

	fprintf(out, "{\"version\":%u,\"uuid\":\"%s\",\"records\":[", header->version,
		uuid_text(header->uuid, uuid));
	got = put_records(reader, &cast, &line, out);
	cast_free(&cast);
	line_free(&line);
	fputs("\n]}\n", out);
	if (got == -ENOMEM)
		return diagnose(diagnosis, EXIT_CANNOT, got, NULL, "out of memory");
	return got < 0 ? dump_damaged(request->path, reader, got, diagnosis) : 0;
}
