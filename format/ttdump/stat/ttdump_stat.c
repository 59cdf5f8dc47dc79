// SPDX-License-Identifier: BSD-3-Clause
/* ttdump stat: what is in a trace, and what it costs. */

#include "format/base/command_line.h"
#include "format/base/write_error.h"
#include "format/ttdump/stat/stat.h"

#define BUSIEST 5

struct stat_request {
	const char *path;
	uint32_t busiest;
	bool json;
};

static const struct option_row rows[] = {
	{ "busiest", 'b', "N", "list the N busiest milliseconds (default 5)", 0, OPTION_NUMBER,
	  OPTION_FIELD(struct stat_request, busiest), .most = STAT_BUSIEST_MAX },
	{ "json", 'j', NULL, "print one JSON object", 0, OPTION_FLAG,
	  OPTION_FIELD(struct stat_request, json) },
	{ 0 },
};

static const struct command_line command = {
	.usage = "TRACE",
	.doc = "Summarise a trace: messages of each guest by operation, virtual and wall-clock "
	       "time, interrupts by source, traffic of each device and network, the busiest "
	       "milliseconds, the space that each kind of record takes in the file, the chain of "
	       "each guest (equal chains mean equal histories) and its last memory digest.",
	.table = { { rows, 0 } },
	.least = 1,
	.most = 1,
	.argument = { offsetof(struct stat_request, path) },
};

const char *stat_op_name(size_t op)
{
	return op < TRACE_OP_LIMIT ? trace_operation_name(op) : "unknown";
}

const char *stat_device_name(const struct stat_data *stat, uint32_t guest, uint32_t device,
			     char text[2 * NAME_SIZE])
{
	const struct named_device *known = name_table_device(&stat->names, guest, device);

	if (known && known->wired)
		return known->network;
	if (known && known->name[0])
		return known->name;
	snprintf(text, 2 * NAME_SIZE, "dev%u", device);
	return text;
}

uint64_t stat_raw_bytes(const struct stat_data *stat)
{
	uint64_t raw = 0;

	for (size_t i = 0; i < TRACE_KIND_LIMIT; i++)
		raw += stat->kind[i].raw;
	return raw;
}

double stat_ratio(uint64_t raw, uint64_t packed)
{
	return packed ? (double)raw / (double)packed : 0;
}

static void free_sizer(struct stat_sizer **sizer)
{
	stat_sizer_free(*sizer);
}

static int count_records(struct stat_data *stat, struct trace_reader *reader,
			 struct diagnosis *diagnosis)
{
	cleanup(free_sizer) struct stat_sizer *sizer = stat_sizer_create();
	struct trace_record record;
	int got;

	stat->frames = frames_create(&stat->names);
	if (!sizer || !stat->frames)
		return dump_no_memory(diagnosis);
	while ((got = trace_reader_next(reader, &record)) > 0) {
		stat_sizer_add(sizer, reader, &stat->kind[record.kind]);
		if (stat_count(stat, &record))
			return dump_no_memory(diagnosis);
	}
	stat_busiest_end(stat);
	return got < 0 ? dump_damaged(stat->path, reader, got, diagnosis) : 0;
}

static int count_artifacts(struct stat_data *stat, struct trace_reader *reader,
			   struct diagnosis *diagnosis)
{
	struct trace_artifact artifact;
	uint64_t position = 0;
	int got;

	while ((got = trace_reader_artifact(reader, &position, false, &artifact)) > 0) {
		stat->artifacts++;
		stat->artifact_size += artifact.size;
		trace_artifact_free(&artifact);
	}
	return got < 0 ? dump_damaged(stat->path, reader, got, diagnosis) : 0;
}

static void release(struct stat_data *stat)
{
	for (uint32_t i = 0; i < stat->guest_count; i++)
		free(stat->guest[i].device);
	free(stat->guest);
	free(stat->network);
	free(stat->busiest);
	frames_free(stat->frames);
	name_table_free(&stat->names);
}

/* A damaged trace is summarised up to the damage, which the diagnosis reports. */
int dump_stat(int argc, char **argv, struct diagnosis *diagnosis)
{
	struct stat_request request = { .busiest = BUSIEST };
	cleanup(release) struct stat_data stat = { 0 };
	auto_trace *reader = NULL;
	int err;

	command_line_parse(&command, argc, argv, &request);
	stat.path = request.path;
	stat.busiest_wanted = request.busiest;
	stat.busiest = calloc(request.busiest + 1u, sizeof(*stat.busiest));
	if (!stat.busiest)
		return dump_no_memory(diagnosis);
	err = trace_open(stat.path, &reader, diagnosis);
	if (err)
		return err;
	err = count_records(&stat, reader, diagnosis);
	output_incomplete(diagnosis_host_error(stat_frames(&stat, reader->fd)));
	if (!err)
		err = count_artifacts(&stat, reader, diagnosis);
	if (request.json)
		stat_print_json(&stat, reader);
	else
		stat_print_text(&stat, reader);
	return err;
}
