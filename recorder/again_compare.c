// SPDX-License-Identifier: BSD-3-Clause
/* A recording is compared with the one that it repeats, record by record as it is written. */
#include "recorder/again_compare.h"

#include <inttypes.h>
#include <string.h>

#include "format/cleanup.h"
#include "format/printable.h"
#include "format/text/difference.h"
#include "format/units.h"

/* What a console may say between two records that are compared; the rest is not. */
#define TEXT_MAX (1u << 20)

enum side { OLD, NEW, SIDES };

struct console_text {
	char *text;
	size_t size, space;
};

struct compared_guest {
	const struct guest_spec *spec;
	bool loose;  /* another kernel or initrd: its console is only told, its memory elsewhere */
	bool memory; /* its digests are compared */
	struct console_text console[SIDES]; /* of a loose one, since its last record */
};

struct again_compare {
	const struct run_options *options;
	struct trace_reader *reader; /* of the old trace */
	struct compared_guest *guest;
	size_t guest_count;
	bool over;
	struct again_result result;
};

/* Of several, why the first cannot be compared, and whose that is. */
static void begin_guest(struct again_compare *compare, const struct again *again,
			const struct run_guest *guest, size_t index)
{
	struct again_result *result = &compare->result;
	char reason[192];

	guest_judge_memory(guest->recorded, &guest->cpu, guest->guest.room.seal, reason,
			   sizeof(reason));
	if (!*reason && !again->same_digests)
		snprintf(reason, sizeof(reason), "--digest is another one");
	compare->guest[index] = (struct compared_guest){ .spec = &guest->spec,
							 .loose = guest->recorded->replaced,
							 .memory = !*reason };
	if (!*reason || *result->memory_reason)
		return;
	snprintf(result->memory_reason, sizeof(result->memory_reason), "%s", reason);
	if (compare->guest_count > 1)
		snprintf(result->memory_guest, sizeof(result->memory_guest), "%s",
			 guest->spec.name);
}

int again_compare_create(const struct run_options *options, struct again *again,
			 const struct run_lab *lab, struct again_compare **out)
{
	struct again_compare *compare = calloc(1, sizeof(*compare));
	int err;

	if (compare)
		compare->guest = calloc(lab->guest_count, sizeof(*compare->guest));
	*out = compare;
	if (!compare || !compare->guest)
		return -ENOMEM;
	compare->options = options;
	compare->reader = again->reader;
	compare->guest_count = lab->guest_count;
	for (size_t i = 0; i < lab->guest_count; i++)
		begin_guest(compare, again, &lab->guest[i], i);
	err = trace_reader_seek(compare->reader, 0);
	/* What cannot be read is told in the end. */
	compare->over = err;
	compare->result.outcome = err ? AGAIN_DAMAGED : AGAIN_AGREES;
	return 0;
}

void again_compare_destroy(struct again_compare *compare)
{
	if (!compare)
		return;
	for (size_t i = 0; compare->guest && i < compare->guest_count; i++)
		for (unsigned int side = 0; side < SIDES; side++)
			free(compare->guest[i].console[side].text);
	free(compare->guest);
	free(compare);
}

/* ---- What is compared ----------------------------------------------------------------------- */

/* NULL: a client's that is no guest. */
static struct compared_guest *find_guest(struct again_compare *compare,
					 const struct trace_record *record)
{
	return record->guest < compare->guest_count ? &compare->guest[record->guest] : NULL;
}

static bool is_compared(const struct compared_guest *guest, const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	if (!info || info->direction == TRACE_SIDE)
		return false;
	if (record->kind == TRACE_digest)
		return !guest || guest->memory;
	return info->direction != TRACE_CHECK;
}

/* Is it text of a console that may be another one? */
static bool is_loose_text(const struct compared_guest *guest, const struct trace_record *record)
{
	if (!guest || !guest->loose)
		return false;
	return record->kind == TRACE_console ||
	       (record->kind == TRACE_taken && record->taken.device < guest->spec->device_count &&
		guest->spec->device[record->taken.device].virtio_id == VIRTIO_CONSOLE);
}

static void keep_text(struct console_text *console, const struct trace_record *record)
{
	size_t left = TEXT_MAX - console->size;
	size_t size = record->payload_size < left ? record->payload_size : left;
	size_t space = console->size + size;
	char *grown = console->text;

	if (space > console->space)
		grown = realloc(console->text, space);
	if (!grown || !size)
		return;
	memcpy(grown + console->size, record->payload, size);
	console->text = grown;
	console->size = space;
	console->space = space > console->space ? space : console->space;
}

/* Take @record, unless there is something to compare it with. */
static bool pass_over(struct again_compare *compare, enum side side,
		      const struct trace_record *record)
{
	struct compared_guest *guest = find_guest(compare, record);

	if (!is_compared(guest, record))
		return true;
	if (!is_loose_text(guest, record))
		return false;
	keep_text(&guest->console[side], record);
	return true;
}

static int next_old(struct again_compare *compare, struct trace_record *record)
{
	int got;

	do
		got = trace_reader_next(compare->reader, record);
	while (got == 1 && pass_over(compare, OLD, record));
	return got;
}

/* ---- Comparing ------------------------------------------------------------------------------ */

/*
 * The time at which a record was written is not compared: one that ended at a limit has its last
 * ACK earlier. Messages say what time it was.
 */
static bool is_equal(const struct again_compare *compare, const struct trace_record *old,
		     const struct trace_record *new)
{
	const struct trace_kind_info *info = trace_kind_info(old->kind);

	if (old->kind != new->kind || old->guest != new->guest)
		return false;
	for (unsigned int i = 0; i < info->field_count; i++)
		if (old->field[i] != new->field[i])
			return false;
	if (old->kind == TRACE_request && old->guest < compare->guest_count &&
	    compare->guest[old->guest].loose &&
	    vhost_names_addresses((uint32_t)old->request.request))
		return true;
	return old->payload_size == new->payload_size &&
	       (!old->payload_size || !memcmp(old->payload, new->payload, old->payload_size));
}

static void compare_consoles(struct again_compare *compare, const struct trace_record *record)
{
	struct compared_guest *guest = find_guest(compare, record);

	if (!guest || !guest->loose)
		return;
	console_compare(&compare->result.console, record->number, guest->console[OLD].text,
			guest->console[OLD].size, guest->console[NEW].text,
			guest->console[NEW].size);
	guest->console[OLD].size = guest->console[NEW].size = 0;
}

/* Either may be NULL: that one has no more. */
static void describe(struct again_result *result, const struct trace_record *old,
		     const struct trace_record *new)
{
	FILE *out = fmemopen(result->difference, sizeof(result->difference), "w");

	if (!out)
		return;
	difference_print(old, new, out);
	fclose(out);
	result->difference[sizeof(result->difference) - 1] = '\0';
	printable(result->difference);
}

static void name_guest(struct again_compare *compare, const struct trace_record *record)
{
	const struct compared_guest *guest = find_guest(compare, record);

	snprintf(compare->result.guest, sizeof(compare->result.guest), "%s",
		 guest ? guest->spec->name : "a client");
}

/* How far one came says something only beside how far there was to go. */
static void count_rest(struct again_compare *compare)
{
	struct trace_record record;

	compare->result.records = compare->result.record + 1;
	while (trace_reader_next(compare->reader, &record) == 1)
		compare->result.records = record.number + 1;
}

static void tell_parting(const struct again_compare *compare)
{
	const struct again_result *result = &compare->result;
	char record[UNITS_TEXT], time[UNITS_TEXT];

	if (!compare->options->quiet)
		fprintf(stderr, "\nttrec: live from here: record %s, %s, t=%s s: %s\n",
			count_text(result->record, record), result->guest,
			duration_exact(result->now, time), result->difference);
}

static void part(struct again_compare *compare, const struct trace_record *old,
		 const struct trace_record *new)
{
	struct again_result *result = &compare->result;

	compare->over = true;
	result->outcome = AGAIN_PARTED;
	result->record = old->number;
	result->now = old->now;
	name_guest(compare, old);
	describe(result, old, new);
	if (new)
		tell_parting(compare);
}

/* The old one is at its end, or cannot be read. */
static void end(struct again_compare *compare, int got)
{
	compare->over = true;
	compare->result.ended = true;
	if (got == -EBADMSG)
		compare->result.outcome = AGAIN_DAMAGED;
}

static bool is_far_enough(const struct again_compare *compare, const struct trace_record *old)
{
	return old->number >= compare->options->until_record ||
	       old->now >= compare->options->until_time;
}

void again_compare_record(void *context, const struct trace_record *new)
{
	struct again_compare *compare = context;
	struct trace_record old;
	int got;

	if (compare->over || pass_over(compare, NEW, new))
		return;
	got = next_old(compare, &old);
	if (got != 1) {
		end(compare, got);
	} else if (is_far_enough(compare, &old)) {
		compare->over = compare->result.stopped = true;
	} else {
		compare_consoles(compare, &old);
		if (!is_equal(compare, &old, new)) {
			part(compare, &old, new);
			return;
		}
		compare->result.compared++;
		compare->result.record = old.number;
		compare->result.now = old.now;
	}
}

/* The new one has no more: the old one must not have either, unless that was @stopped. */
static void compare_end(struct again_compare *compare, bool stopped)
{
	struct trace_record old;
	int got = next_old(compare, &old);

	if (got == 1 && (stopped || is_far_enough(compare, &old)))
		compare->result.stopped = true;
	else if (got == 1)
		part(compare, &old, NULL);
	else if (got == -EBADMSG)
		end(compare, got);
}

const struct again_result *again_compare_finish(struct again_compare *compare, bool stopped)
{
	if (!compare->over)
		compare_end(compare, stopped);
	compare->over = true;
	if (compare->result.outcome == AGAIN_PARTED)
		count_rest(compare);
	return &compare->result;
}
