// SPDX-License-Identifier: BSD-3-Clause
/* ttdump stat: what is in a trace, and what it costs. */
#include "format/ttdump/ttdump.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "format/frame_read.h"
#include "format/units.h"

/* Operations that nobody knows are counted together. */
#define STAT_OPS (TRACE_OP_LIMIT + 1)
/* Sources of irq records; those that nobody knows are counted together too. */
#define STAT_IRQS (TRACE_IRQ_WARN + 2)

static const char *const irq_names[STAT_IRQS] = { "interrupts", "panics", "warnings", "unknown" };

struct guest_stat {
	char name[64];
	uint64_t messages[2][STAT_OPS]; /* from, to */
	uint64_t digests;
	uint64_t irqs[STAT_IRQS]; /* by source */
	uint64_t low, high;	  /* of the last digest */
	bool seen;
};

struct kind_stat {
	uint64_t records;
	uint64_t payload;
	uint64_t raw; /* bytes as fixed-size fields: what the columns save is against this */
};

struct stat_data {
	const char *path;
	bool json;
	struct guest_stat *guests;
	uint32_t guest_count;
	struct kind_stat kinds[TRACE_KIND_LIMIT];
	uint64_t records, virtual_ns, wall_ns;
	uint64_t file_bytes, frames;
	uint64_t record_bytes, artifact_bytes; /* of the file */
	uint64_t artifacts, artifact_size;     /* and unpacked */
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "One JSON object", 0 },
	{ 0 },
};

static const char doc[] =
	"Say what is in a trace and what it costs: messages of each guest by operation, virtual "
	"and "
	"wall-clock time, bytes of each kind of record, how well it is packed, the chain of each "
	"guest (equal chains mean equal histories) and its last memory digest.";

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct stat_data *stat = state->input;

	switch (key) {
	case 'j':
		stat->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (stat->path)
			argp_error(state, "only one trace can be summed up");
		stat->path = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a trace is missing");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static struct guest_stat *stat_guest(struct stat_data *stat, uint32_t guest)
{
	if (guest >= stat->guest_count) {
		struct guest_stat *grown = realloc(stat->guests, (guest + 1) * sizeof(*grown));

		if (!grown)
			return NULL;
		memset(grown + stat->guest_count, 0,
		       (guest + 1 - stat->guest_count) * sizeof(*grown));
		stat->guests = grown;
		stat->guest_count = guest + 1;
	}
	return &stat->guests[guest];
}

/* A name is the trace's to choose: only what can be shown is kept. */
static void copy_name(struct guest_stat *guest, const struct trace_record *join)
{
	const char *name = join->payload;
	size_t length = 0;

	for (size_t i = 0; i < join->payload_size && length + 1 < sizeof(guest->name); i++)
		if (name[i] > ' ' && name[i] <= '~')
			guest->name[length++] = name[i];
	guest->name[length] = '\0';
}

static void count_guest(struct guest_stat *guest, const struct trace_record *record)
{
	uint64_t op = record->from.op < TRACE_OP_LIMIT ? record->from.op : TRACE_OP_LIMIT;

	if (trace_kind_info(record->kind)->direction != TRACE_SIDE || record->kind == TRACE_join)
		guest->seen = true;
	if (record->kind == TRACE_from || record->kind == TRACE_to) {
		guest->messages[record->kind == TRACE_to][op]++;
	} else if (record->kind == TRACE_join) {
		copy_name(guest, record);
	} else if (record->kind == TRACE_digest) {
		guest->digests++;
		guest->low = record->digest.low;
		guest->high = record->digest.high;
	} else if (record->kind == TRACE_irq) {
		guest->irqs[record->irq.source < STAT_IRQS ? record->irq.source : STAT_IRQS - 1]++;
	}
}

static int count_record(struct stat_data *stat, const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);
	struct kind_stat *kind = &stat->kinds[record->kind];
	struct guest_stat *guest = stat_guest(stat, record->guest);

	if (!guest)
		return -ENOMEM;
	count_guest(guest, record);
	kind->records++;
	kind->payload += record->payload_size;
	kind->raw += 8 + 8 * info->field_count + record->payload_size;
	stat->records++;
	if (record->now > stat->virtual_ns)
		stat->virtual_ns = record->now;
	if (record->kind == TRACE_wall)
		stat->wall_ns = record->wall.elapsed;
	return 0;
}

static int count_records(struct stat_data *stat, struct trace_reader *reader,
			 struct diagnosis *diagnosis)
{
	struct trace_record record;
	int got;

	while ((got = trace_reader_next(reader, &record)) > 0)
		if (count_record(stat, &record))
			return diagnose(diagnosis, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	return got < 0 ? dump_damaged(stat->path, reader, got, diagnosis) : 0;
}

/* Where the bytes of the file go; whatever is left is head, end and index. */
static int count_frames(struct stat_data *stat, struct diagnosis *diagnosis)
{
	auto_file *file = fopen(stat->path, "rb");
	struct frame_reader frames;
	struct chunk chunk;
	struct stat status;
	int got;

	if (!file || fstat(fileno(file), &status) || frame_reader_init(&frames, fileno(file)))
		return diagnose(diagnosis, EXIT_CANNOT, -errno, NULL, "cannot open %s: %s",
				stat->path, strerror(errno));
	stat->file_bytes = (uint64_t)status.st_size;
	while ((got = frame_reader_next(&frames, &chunk)) > 0) {
		uint64_t size = frames.offset - chunk.offset;

		if (chunk.type == CHUNK_RECORDS)
			stat->record_bytes += size;
		else if (chunk.type == CHUNK_FILE || chunk.type == CHUNK_PART)
			stat->artifact_bytes += size;
	}
	stat->frames = frames.frames;
	frame_reader_release(&frames);
	return got;
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

static uint64_t raw_bytes(const struct stat_data *stat)
{
	uint64_t raw = 0;

	for (size_t i = 0; i < TRACE_KIND_LIMIT; i++)
		raw += stat->kinds[i].raw;
	return raw;
}

static double ratio(uint64_t raw, uint64_t packed)
{
	return packed ? (double)raw / (double)packed : 0;
}

static const char *op_name(size_t op)
{
	return op < TRACE_OP_LIMIT ? trace_operation_name(op) : "unknown";
}

static void print_messages(const char *direction, const uint64_t messages[STAT_OPS])
{
	char text[UNITS_TEXT];

	printf("  %s", direction);
	for (size_t op = 0; op < STAT_OPS; op++)
		if (messages[op])
			printf(" %s %s", op_name(op), count_text(messages[op], text));
	putchar('\n');
}

static uint64_t count_irqs(const uint64_t irqs[STAT_IRQS])
{
	uint64_t count = 0;

	for (size_t source = 0; source < STAT_IRQS; source++)
		count += irqs[source];
	return count;
}

/* "  == interrupts 1,066, panics 1, seen by the probe" */
static void print_irqs(const uint64_t irqs[STAT_IRQS])
{
	const char *separator = "  ==";
	char text[UNITS_TEXT];

	for (size_t source = 0; source < STAT_IRQS; source++) {
		if (!irqs[source])
			continue;
		printf("%s %s %s", separator, irq_names[source], count_text(irqs[source], text));
		separator = ",";
	}
	if (count_irqs(irqs))
		puts(", seen by the probe");
}

static void print_guest(const struct stat_data *stat, struct trace_reader *reader, uint32_t index)
{
	const struct guest_stat *guest = &stat->guests[index];
	uint64_t chain;
	char text[UNITS_TEXT];

	printf("guest %" PRIu32 " %s\n", index, guest->name);
	print_messages("<-", guest->messages[0]);
	print_messages("->", guest->messages[1]);
	if (guest->digests)
		printf("  == %s digests, the last %016" PRIx64 "%016" PRIx64 "\n",
		       count_text(guest->digests, text), guest->high, guest->low);
	print_irqs(guest->irqs);
	if (!trace_reader_chain(reader, index, &chain))
		printf("  chain %016" PRIx64 "\n", chain);
}

static void print_kinds(const struct stat_data *stat)
{
	char count[UNITS_TEXT], payload[UNITS_TEXT];

	for (uint32_t i = 0; i < TRACE_KIND_LIMIT; i++)
		if (stat->kinds[i].records)
			printf("  %-8s %12s records, payload %s\n", trace_kind_info(i)->name,
			       count_text(stat->kinds[i].records, count),
			       size_text(stat->kinds[i].payload, payload));
}

static void print_text(const struct stat_data *stat, struct trace_reader *reader)
{
	char a[UNITS_TEXT], b[UNITS_TEXT], c[UNITS_TEXT];

	printf("records   %s in %s frames\n", count_text(stat->records, a),
	       count_text(stat->frames, b));
	printf("time      %s s virtual", duration_exact(stat->virtual_ns, a));
	if (stat->wall_ns)
		printf(", %s s wall clock", duration_exact(stat->wall_ns, a));
	printf("\nfile      %s: records %s", size_text(stat->file_bytes, a),
	       size_text(stat->record_bytes, b));
	printf(" (packed %.1f to 1), files %s\n", ratio(raw_bytes(stat), stat->record_bytes),
	       size_text(stat->artifact_bytes, c));
	if (stat->artifacts)
		printf("files     %s, unpacked %s\n", count_text(stat->artifacts, a),
		       size_text(stat->artifact_size, b));
	print_kinds(stat);
	for (uint32_t i = 0; i < stat->guest_count; i++)
		if (stat->guests[i].seen)
			print_guest(stat, reader, i);
}

static json_t *messages_json(const uint64_t messages[STAT_OPS])
{
	json_t *object = json_object();

	for (size_t op = 0; op < STAT_OPS; op++)
		if (messages[op])
			json_object_set_new(object, op_name(op),
					    json_integer((json_int_t)messages[op]));
	return object;
}

static json_t *irqs_json(const uint64_t irqs[STAT_IRQS])
{
	json_t *object = json_object();

	for (size_t source = 0; source < STAT_IRQS; source++)
		json_object_set_new(object, irq_names[source],
				    json_integer((json_int_t)irqs[source]));
	return object;
}

static json_t *guest_json(const struct stat_data *stat, struct trace_reader *reader, uint32_t index)
{
	const struct guest_stat *guest = &stat->guests[index];
	json_t *object =
		json_pack("{s:I, s:s, s:o, s:o, s:I}", "guest", (json_int_t)index, "name",
			  guest->name, "from", messages_json(guest->messages[0]), "to",
			  messages_json(guest->messages[1]), "digests", (json_int_t)guest->digests);
	uint64_t chain;
	char text[40];

	if (count_irqs(guest->irqs))
		json_object_set_new(object, "probed", irqs_json(guest->irqs));
	if (guest->digests) {
		snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, guest->high, guest->low);
		json_object_set_new(object, "last_digest", json_string(text));
	}
	if (!trace_reader_chain(reader, index, &chain)) {
		snprintf(text, sizeof(text), "%016" PRIx64, chain);
		json_object_set_new(object, "chain", json_string(text));
	}
	return object;
}

static json_t *kinds_json(const struct stat_data *stat)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < TRACE_KIND_LIMIT; i++)
		if (stat->kinds[i].records)
			json_object_set_new(object, trace_kind_info(i)->name,
					    json_pack("{s:I, s:I}", "records",
						      (json_int_t)stat->kinds[i].records,
						      "payload_bytes",
						      (json_int_t)stat->kinds[i].payload));
	return object;
}

static void print_json(const struct stat_data *stat, struct trace_reader *reader)
{
	json_t *guests = json_array();

	for (uint32_t i = 0; i < stat->guest_count; i++)
		if (stat->guests[i].seen)
			json_array_append_new(guests, guest_json(stat, reader, i));
	dump_json(json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:o, s:o}", "records",
		(json_int_t)stat->records, "frames", (json_int_t)stat->frames, "virtual_ns",
		(json_int_t)stat->virtual_ns, "wall_ns", (json_int_t)stat->wall_ns, "file_bytes",
		(json_int_t)stat->file_bytes, "record_bytes", (json_int_t)stat->record_bytes,
		"artifact_bytes", (json_int_t)stat->artifact_bytes, "ratio",
		ratio(raw_bytes(stat), stat->record_bytes), "artifacts",
		(json_int_t)stat->artifacts, "artifact_size", (json_int_t)stat->artifact_size,
		"kinds", kinds_json(stat), "guests", guests));
}

static void free_guests(struct stat_data *stat)
{
	free(stat->guests);
}

/* A damaged trace is summed up as far as it goes; the diagnosis says where it stops. */
int dump_stat(int argc, char **argv, struct diagnosis *diagnosis)
{
	static const struct argp argp = { options, parse, "TRACE", doc, NULL, NULL, NULL };
	cleanup(free_guests) struct stat_data stat = { 0 };
	auto_trace *reader = NULL;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &stat);
	err = dump_open(stat.path, &reader, diagnosis);
	if (err)
		return err;
	err = count_records(&stat, reader, diagnosis);
	count_frames(&stat, diagnosis);
	if (!err)
		err = count_artifacts(&stat, reader, diagnosis);
	if (stat.json)
		print_json(&stat, reader);
	else
		print_text(&stat, reader);
	return err;
}
