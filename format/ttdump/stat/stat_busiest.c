// SPDX-License-Identifier: BSD-3-Clause
/*
 * ttdump stat: the busiest milliseconds of virtual time. One is counted at a time, and the busiest
 * so far are kept, so that hours of virtual time need no more memory than seconds.
 */
#include <string.h>

#include "format/ttdump/stat/stat.h"
#include "format/base/units.h"

/* Put the span that was counted where it belongs among the busiest. */
static void keep_span(struct stat_data *stat)
{
	uint32_t place = stat->busiest_count;

	while (place && stat->busiest[place - 1].records < stat->span.records)
		place--;
	if (place == stat->busiest_wanted)
		return;
	if (stat->busiest_count < stat->busiest_wanted)
		stat->busiest_count++;
	memmove(&stat->busiest[place + 1], &stat->busiest[place],
		(stat->busiest_count - place - 1) * sizeof(*stat->busiest));
	stat->busiest[place] = stat->span;
}

void stat_busiest_end(struct stat_data *stat)
{
	if (stat->span.records)
		keep_span(stat);
	stat->span = (struct stat_span){ 0 };
}

/* Whose millisecond it is, if anybody's. */
static void count_owner(struct stat_data *stat, uint32_t index)
{
	struct stat_guest *guest = &stat->guest[index];

	if (guest->span != stat->span.ms + 1) {
		guest->span = stat->span.ms + 1;
		guest->span_records = 0;
	}
	if (++guest->span_records > stat->span.guest_records) {
		stat->span.guest_records = guest->span_records;
		stat->span.guest = index;
	}
}

void stat_busiest_add(struct stat_data *stat, const struct trace_record *record, bool frame)
{
	uint64_t ms = record->now / NS_PER_MS;
	struct stat_span *span = &stat->span;

	if (trace_kind_info(record->kind)->direction == TRACE_SIDE)
		return;
	if (span->records && span->ms != ms)
		stat_busiest_end(stat);
	span->ms = ms;
	span->records++;
	span->messages += record->kind == TRACE_from || record->kind == TRACE_to;
	span->kicks += record->kind == TRACE_kick;
	span->calls += record->kind == TRACE_call;
	span->frames += frame;
	if (record->kind == TRACE_console)
		span->console += record->payload_size;
	count_owner(stat, record->guest);
}
