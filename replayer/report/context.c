// SPDX-License-Identifier: BSD-3-Clause
/* What the trace has before a divergence: of the guest that diverged, and of its peers. */
#include "replayer/report/context.h"

#include <string.h>

#include "format/base/array.h"

/* The numbers of the last records of a guest: a ring. */
struct last_records {
	uint64_t number[CONTEXT_OWN];
	uint64_t count;
};

struct search {
	struct trace_reader *reader;
	uint64_t end; /* the first record that does not belong to it */
	struct context *context;
	struct last_records *last; /* by guest */
	size_t guests;
};

/* Records about how the recording was started, and measurements, are not the guest's actions. */
static bool is_of_guest(const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	return info && (info->direction == TRACE_IN || info->direction == TRACE_OUT ||
			record->kind == TRACE_irq || record->kind == TRACE_lost);
}

static int note_record(struct search *search, const struct trace_record *record)
{
	struct last_records *last;

	if (array_reach(search->last, search->guests, record->guest))
		return -ENOMEM;
	last = &search->last[record->guest];
	last->number[last->count++ % CONTEXT_OWN] = record->number;
	return 0;
}

/* A damaged trace is read up to the damage. */
static int note_records(struct search *search)
{
	struct trace_record record;
	int err = 0;

	while (!err && trace_reader_next(search->reader, &record) == 1 &&
	       record.number < search->end) {
		err = name_table_learn(&search->context->names, &record);
		if (!err && is_of_guest(&record))
			err = note_record(search, &record);
	}
	return err;
}

static size_t kept(const struct last_records *last, size_t wanted)
{
	return last->count < wanted ? last->count : wanted;
}

static uint64_t last_kept(const struct last_records *last)
{
	return last->number[(last->count - 1) % CONTEXT_OWN];
}

static int add_guest(struct search *search, uint32_t guest, size_t wanted)
{
	struct context *context = search->context;
	struct context_guest *added = &context->guest[context->count];

	*added = (struct context_guest){ .guest = guest };
	if (guest < search->guests)
		added->count = kept(&search->last[guest], wanted);
	added->record = calloc(added->count + 1, sizeof(*added->record));
	if (!added->record)
		return -ENOMEM;
	for (size_t i = 0; i < added->count; i++) {
		const struct last_records *last = &search->last[guest];

		added->record[i].number =
			last->number[(last->count - added->count + i) % CONTEXT_OWN];
	}
	context->count++;
	return 0;
}

/* The peer that did something last of those that last did before @before. */
static uint32_t next_peer(const struct search *search, uint32_t guest, uint64_t before)
{
	uint32_t found = TRACE_GUEST_ALL;

	for (uint32_t i = 0; i < search->guests; i++) {
		const struct last_records *last = &search->last[i];

		if (i == guest || !last->count || last_kept(last) >= before)
			continue;
		if (found == TRACE_GUEST_ALL || last_kept(last) > last_kept(&search->last[found]))
			found = i;
	}
	return found;
}

static int choose_guests(struct search *search, uint32_t guest)
{
	struct context *context = search->context;
	uint64_t before = search->end;
	int err = add_guest(search, guest, CONTEXT_OWN);
	uint32_t peer;

	while (!err && (peer = next_peer(search, guest, before)) != TRACE_GUEST_ALL) {
		before = last_kept(&search->last[peer]);
		context->peers++;
		if (context->count <= CONTEXT_PEERS_MAX)
			err = add_guest(search, peer, CONTEXT_PEER);
	}
	return err;
}

/* Of console output only the end, which is next to the divergence. */
static int keep_record(struct trace_record *kept, const struct trace_record *record)
{
	bool cut = record->kind == TRACE_console && record->payload_size > CONTEXT_CONSOLE;
	size_t size = cut ? CONTEXT_CONSOLE : record->payload_size;
	void *payload = malloc(size + 1);

	if (!payload)
		return -ENOMEM;
	if (size)
		memcpy(payload, (const char *)record->payload + record->payload_size - size, size);
	*kept = *record;
	kept->payload = payload;
	kept->payload_size = (uint32_t)size;
	return 0;
}

static struct trace_record *find_record(struct context *context, const struct trace_record *record)
{
	for (size_t i = 0; i < context->count; i++) {
		struct context_guest *guest = &context->guest[i];

		for (size_t k = 0; guest->guest == record->guest && k < guest->count; k++)
			if (guest->record[k].number == record->number)
				return &guest->record[k];
	}
	return NULL;
}

static uint64_t first_wanted(const struct search *search)
{
	uint64_t first = search->end;

	for (size_t i = 0; i < search->context->count; i++) {
		const struct context_guest *guest = &search->context->guest[i];

		if (guest->count && guest->record[0].number < first)
			first = guest->record[0].number;
	}
	return first;
}

static int keep_records(struct search *search)
{
	struct trace_record record, *kept;
	int err = trace_reader_seek(search->reader, first_wanted(search));

	while (!err && trace_reader_next(search->reader, &record) == 1 &&
	       record.number < search->end) {
		kept = find_record(search->context, &record);
		err = kept ? keep_record(kept, &record) : 0;
	}
	return err;
}

int context_read(const char *path, uint32_t guest, uint64_t number, struct context *context)
{
	struct search search = { .end = number, .context = context };
	int err = trace_reader_open(path, &search.reader);

	*context = (struct context){ 0 };
	if (!err)
		err = note_records(&search);
	if (!err)
		err = choose_guests(&search, guest);
	if (!err)
		err = keep_records(&search);
	trace_reader_close(search.reader);
	free(search.last);
	if (err)
		context_free(context);
	return err;
}

void context_free(struct context *context)
{
	name_table_free(&context->names);
	for (size_t i = 0; i < context->count; i++) {
		for (size_t k = 0; k < context->guest[i].count; k++)
			free((void *)context->guest[i].record[k].payload);
		free(context->guest[i].record);
	}
	*context = (struct context){ 0 };
}
