// SPDX-License-Identifier: BSD-3-Clause
/* Compares a recording with the one that it repeats, record by record as it is written. */
#include "recorder/rerecord/rerecord_compare.h"

#include <stdio.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/printable.h"
#include "format/text/difference.h"
#include "format/base/units.h"

/* The console output between two records that is compared; more is not. */
#define TEXT_MAX (1u << 20)

enum side { OLD, NEW, SIDES };

struct console_text {
	char *text;
	size_t size, space;
};

/* One guest, or another client, of both recordings. */
struct compared {
	const struct guest_spec *spec; /* NULL: it is not a guest */
	bool loose;  /* another kernel or initrd: console differences are only reported, memory is
			not compared */
	bool memory; /* its digests are compared */
	bool over;   /* it is compared no further */
	struct trace_reader *reader;	    /* of its records in the old trace */
	struct console_text console[SIDES]; /* of a loose one, since its last record */
};

struct rerecord_compare {
	const struct run_options *options;
	struct trace_reader *reader; /* of the whole old trace */
	struct compared *guest;	     /* by index in the trace */
	size_t count;
	bool over;
	struct rerecord_result result;
};

/* ---- Whose records -------------------------------------------------------------------------- */

/* Each goes its own way: where a recording was stopped in a window, some had come further. */
static int open_reader(struct rerecord_compare *compare, uint32_t index)
{
	struct compared *guest = &compare->guest[index];
	int err = trace_reader_open(compare->options->rerecord, &guest->reader);

	return err ? err : trace_reader_follow(guest->reader, index);
}

static int reach(struct rerecord_compare *compare, size_t index)
{
	size_t before = compare->count;
	int err = array_reach(compare->guest, compare->count, index);

	for (size_t i = before; i < compare->count; i++)
		compare->guest[i].memory = true;
	return err;
}

/* NULL: it cannot be compared. */
static struct compared *find_guest(struct rerecord_compare *compare, uint32_t index)
{
	if (reach(compare, index))
		return NULL;
	if (!compare->guest[index].reader && !compare->guest[index].over &&
	    open_reader(compare, index)) {
		compare->guest[index].over = true;
		compare->result.outcome = RERECORD_DAMAGED;
	}
	return &compare->guest[index];
}

/* Why the memory of @guest cannot be compared; empty. */
static void judge_memory(const struct rerecord_compare *compare, const struct rerecord *rerecord,
			 const struct run_guest *guest, char *reason, size_t size)
{
	guest_judge_memory(guest->recorded, &guest->cpu, guest->guest.sandbox.isolation, reason,
			   size);
	if (guest->recorded->replaced)
		return;
	if (!rerecord->same_digests)
		snprintf(reason, size, "different --digest");
	else if (*reason && compare->options->cpu >= 0)
		snprintf(reason, size, "different --cpu");
}

/* Of several, why the first cannot be compared, and whose that is. */
static void begin_guest(struct rerecord_compare *compare, const struct rerecord *rerecord,
			const struct run_guest *guest, size_t index)
{
	struct rerecord_result *result = &compare->result;
	char reason[sizeof(result->memory_reason)];

	judge_memory(compare, rerecord, guest, reason, sizeof(reason));
	compare->guest[index].spec = &guest->spec;
	compare->guest[index].loose = guest->recorded->replaced;
	compare->guest[index].memory = !*reason;
	if (!*reason || *result->memory_reason)
		return;
	memcpy(result->memory_reason, reason, sizeof(reason));
	if (compare->count > 1)
		snprintf(result->memory_guest, sizeof(result->memory_guest), "%s",
			 guest->spec.name);
}

int rerecord_compare_create(const struct run_options *options, struct rerecord *rerecord,
			    const struct run_lab *lab, struct rerecord_compare **out)
{
	struct rerecord_compare *compare = calloc(1, sizeof(*compare));

	*out = compare;
	if (!compare || reach(compare, lab->guest_count - 1))
		return -ENOMEM;
	compare->options = options;
	compare->reader = rerecord->reader;
	for (size_t i = 0; i < lab->guest_count; i++)
		begin_guest(compare, rerecord, &lab->guest[i], i);
	return 0;
}

void rerecord_compare_destroy(struct rerecord_compare *compare)
{
	if (!compare)
		return;
	for (size_t i = 0; i < compare->count; i++) {
		trace_reader_close(compare->guest[i].reader);
		for (unsigned int side = 0; side < SIDES; side++)
			free(compare->guest[i].console[side].text);
	}
	free(compare->guest);
	free(compare);
}

/* ---- What is compared ----------------------------------------------------------------------- */

static bool is_compared(const struct compared *guest, const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	if (!info || info->direction == TRACE_SIDE)
		return false;
	if (record->kind == TRACE_digest)
		return guest->memory;
	return info->direction != TRACE_CHECK;
}

/* Whether it is console output that may differ. */
static bool is_loose_text(const struct compared *guest, const struct trace_record *record)
{
	if (!guest->loose)
		return false;
	return record->kind == TRACE_console ||
	       (record->kind == TRACE_taken && record->taken.device < guest->spec->device_count &&
		guest->spec->device[record->taken.device].virtio_id == VIRTIO_CONSOLE);
}

static void keep_text(struct console_text *console, const struct trace_record *record)
{
	size_t left = TEXT_MAX - console->size;
	size_t size = record->payload_size < left ? record->payload_size : left;

	if (!size || array_room(console->text, console->space, console->size + size, 256))
		return;
	memcpy(console->text + console->size, record->payload, size);
	console->size += size;
}

/* Take @record, unless there is something to compare it with. */
static bool pass_over(struct compared *guest, enum side side, const struct trace_record *record)
{
	if (!is_compared(guest, record))
		return true;
	if (!is_loose_text(guest, record))
		return false;
	keep_text(&guest->console[side], record);
	return true;
}

static int next_old(struct compared *guest, struct trace_record *record)
{
	int got;

	do
		got = trace_reader_next(guest->reader, record);
	while (got == 1 && pass_over(guest, OLD, record));
	return got;
}

/* ---- Comparing ------------------------------------------------------------------------------ */

/*
 * The time at which a record was written is not compared: one that ended at a limit has its last
 * ACK earlier. Messages say what time it was.
 */
static bool is_equal(const struct compared *guest, const struct trace_record *old,
		     const struct trace_record *new)
{
	const struct trace_kind_info *info = trace_kind_info(old->kind);

	if (old->kind != new->kind)
		return false;
	for (unsigned int i = 0; i < info->field_count; i++)
		if (old->field[i] != new->field[i])
			return false;
	if (old->kind == TRACE_request && guest->loose &&
	    vhost_names_addresses((uint32_t)old->request.request))
		return true;
	return old->payload_size == new->payload_size &&
	       (!old->payload_size || !memcmp(old->payload, new->payload, old->payload_size));
}

static void compare_consoles(struct rerecord_compare *compare, struct compared *guest,
			     const struct trace_record *record)
{
	console_compare(&compare->result.console, record->number, guest->console[OLD].text,
			guest->console[OLD].size, guest->console[NEW].text,
			guest->console[NEW].size);
	guest->console[OLD].size = guest->console[NEW].size = 0;
}

/* Either may be NULL: that one has no more. */
static void describe(struct rerecord_result *result, const struct trace_record *old,
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

/* Progress is meaningful only relative to the total. */
static void count_records(struct rerecord_compare *compare)
{
	struct trace_record record;

	compare->result.records = compare->result.record + 1;
	if (trace_reader_seek(compare->reader, compare->result.record))
		return;
	while (trace_reader_next(compare->reader, &record) == 1)
		compare->result.records = record.number + 1;
}

static void report_difference(const struct rerecord_compare *compare)
{
	const struct rerecord_result *result = &compare->result;
	char record[UNITS_TEXT], time[UNITS_TEXT];

	if (!compare->options->quiet)
		fprintf(stderr, "\nttrec: continuing live from record %s, %s, t=%s s: %s\n",
			count_text(result->record, record), result->guest,
			duration_exact(result->now, time), result->difference);
}

/* Up to here the guest was the same, so its requests were: it is the files that are not. */
static void name_share(struct rerecord_result *result, const struct guest_spec *spec,
		       const struct trace_record *old, const struct trace_record *new)
{
	uint64_t device = old->field[0];

	if ((old->kind != TRACE_used && old->kind != TRACE_wrote) || new->kind != old->kind ||
	    new->field[0] != device || !spec || device >= spec->device_count ||
	    spec->device[device].virtio_id != VIRTIO_FS)
		return;
	snprintf(result->share, sizeof(result->share), "%s", spec->device[device].name);
	printable(result->share);
}

static void diverge(struct rerecord_compare *compare, const struct compared *guest,
		    const struct trace_record *old, const struct trace_record *new)
{
	struct rerecord_result *result = &compare->result;

	compare->over = true;
	result->outcome = RERECORD_DIVERGED;
	result->record = old->number;
	result->now = old->now;
	snprintf(result->guest, sizeof(result->guest), "%s",
		 guest->spec ? guest->spec->name : "a client");
	describe(result, old, new);
	if (!new)
		return;
	name_share(result, guest->spec, old, new);
	report_difference(compare);
}

/* It has no more in the old trace, or what follows cannot be read. */
static void end_guest(struct rerecord_compare *compare, struct compared *guest, int got)
{
	guest->over = true;
	compare->result.ended = true;
	if (got == -EBADMSG)
		compare->result.outcome = RERECORD_DAMAGED;
}

static bool is_far_enough(const struct rerecord_compare *compare, const struct trace_record *old)
{
	return old->number >= compare->options->until_record ||
	       old->now >= compare->options->until_time;
}

/* Whether @old is the last record of its guest. */
static bool is_last(const struct rerecord_compare *compare, const struct compared *guest,
		    const struct trace_record *old)
{
	struct trace_record next;
	int got = trace_reader_follow(compare->reader, old->guest);

	if (!got)
		got = trace_reader_seek(compare->reader, old->number + 1) ? 0 : 1;
	while (got == 1 && (got = trace_reader_next(compare->reader, &next)) == 1)
		if (is_compared(guest, &next))
			break;
	trace_reader_follow(compare->reader, TRACE_GUEST_ALL);
	return got != 1;
}

/* When a recording is stopped, what its guests have printed by then is written, to the middle. */
static bool is_cut_short(const struct rerecord_compare *compare, const struct compared *guest,
			 const struct trace_record *old, const struct trace_record *new)
{
	return old->kind == TRACE_console && new->kind == TRACE_console &&
	       old->payload_size < new->payload_size &&
	       !memcmp(old->payload, new->payload, old->payload_size) &&
	       is_last(compare, guest, old);
}

static void compare_records(struct rerecord_compare *compare, struct compared *guest,
			    const struct trace_record *old, const struct trace_record *new)
{
	struct rerecord_result *result = &compare->result;

	if (is_equal(guest, old, new)) {
		result->compared++;
		result->record = old->number;
		result->now = old->now;
	} else if (is_cut_short(compare, guest, old, new)) {
		end_guest(compare, guest, 0);
	} else {
		diverge(compare, guest, old, new);
	}
}

void rerecord_compare_record(void *context, const struct trace_record *new)
{
	struct rerecord_compare *compare = context;
	struct compared *guest = compare->over ? NULL : find_guest(compare, new->guest);
	struct trace_record old;
	int got;

	if (!guest || guest->over || pass_over(guest, NEW, new))
		return;
	got = next_old(guest, &old);
	if (got != 1) {
		end_guest(compare, guest, got);
	} else if (is_far_enough(compare, &old)) {
		guest->over = compare->result.stopped = true;
	} else {
		compare_consoles(compare, guest, &old);
		compare_records(compare, guest, &old, new);
	}
}

/* ---- The end -------------------------------------------------------------------------------- */

/* The first that the old one has and the new one has not. */
static struct compared *find_rest(struct rerecord_compare *compare, struct trace_record *first)
{
	struct compared *found = NULL;

	for (uint32_t i = 0; i < compare->count; i++) {
		struct compared *guest = find_guest(compare, i);
		struct trace_record old;
		int got = guest->over ? 0 : next_old(guest, &old);

		if (got == -EBADMSG)
			end_guest(compare, guest, got);
		if (got == 1 && (!found || old.number < first->number)) {
			found = guest;
			*first = old;
		}
	}
	return found;
}

/* The new one has no more: the old one must not have either, unless that was @stopped. */
static void compare_end(struct rerecord_compare *compare, bool stopped)
{
	struct trace_record old;
	struct compared *guest = find_rest(compare, &old);

	if (guest && (stopped || is_far_enough(compare, &old)))
		compare->result.stopped = true;
	else if (guest)
		diverge(compare, guest, &old, NULL);
}

const struct rerecord_result *rerecord_compare_finish(struct rerecord_compare *compare,
						      bool stopped)
{
	if (!compare->over)
		compare_end(compare, stopped);
	compare->over = true;
	if (compare->result.outcome == RERECORD_DIVERGED)
		count_records(compare);
	return &compare->result;
}
