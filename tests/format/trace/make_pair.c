// SPDX-License-Identifier: BSD-3-Clause
/*
 * Write two traces, a and b, of the same recording, of which b was changed in its middle: for the
 * tests of `ttdump diff`. make_pair CHANGE
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/format/trace/sample.h"

#define GUESTS 3
#define EVENTS 400
#define GUEST  1 /* the one that is changed */

/* The first record of @kind of the changed guest in the second half. */
static size_t find(const struct sample *sample, uint32_t kind)
{
	for (size_t i = sample->count / 2; i < sample->count; i++)
		if (sample->record[i].kind == kind && sample->record[i].guest == GUEST)
			return i;
	fprintf(stderr, "make_pair: no record of kind %u\n", kind);
	exit(EXIT_FAILURE);
}

static void copy(struct sample *to, const struct sample *from, size_t begin, size_t end)
{
	for (size_t i = begin; i < end; i++)
		sample_add(to, &from->record[i]);
}

static void copy_changed(struct sample *to, const struct sample *from,
			 const struct trace_record *changed, size_t at)
{
	copy(to, from, 0, at);
	sample_add(to, changed);
	copy(to, from, at + 1, from->count);
}

static void change_nothing(struct sample *to, const struct sample *from)
{
	copy(to, from, 0, from->count);
}

static void change_time(struct sample *to, const struct sample *from)
{
	size_t at = find(from, TRACE_from);
	struct trace_record record = from->record[at];

	record.from.op = TRACE_OP_REQUEST;
	record.from.time += 1500;
	copy_changed(to, from, &record, at);
}

static void change_console(struct sample *to, const struct sample *from)
{
	size_t at = find(from, TRACE_console);
	struct trace_record record = from->record[at];

	record.payload = "another \x1b[31mline\n";
	record.payload_size = strlen(record.payload);
	copy_changed(to, from, &record, at);
}

/* One exchange more: what is counted afterwards is one higher. */
static void change_inserted(struct sample *to, const struct sample *from)
{
	size_t at = find(from, TRACE_from);
	struct trace_record record = {
		.kind = TRACE_from,
		.guest = GUEST,
		.now = from->record[at].now,
		.from = { .op = TRACE_OP_GET, .seq = from->record[at].from.seq },
	};

	copy(to, from, 0, at);
	sample_add(to, &record);
	record.kind = TRACE_to;
	record.to.op = TRACE_OP_ACK;
	record.to.time = record.now;
	sample_add(to, &record);
	for (; at < from->count; at++) {
		record = from->record[at];
		if (record.guest == GUEST && record.kind == TRACE_from)
			record.from.seq++;
		sample_add(to, &record);
	}
}

/* Everything is later from there on. */
static void change_late(struct sample *to, const struct sample *from)
{
	size_t at = find(from, TRACE_from);

	copy(to, from, 0, at);
	for (; at < from->count; at++) {
		struct trace_record record = from->record[at];

		if (record.guest == GUEST && record.kind == TRACE_from &&
		    record.from.op == TRACE_OP_REQUEST)
			record.from.time += 1234567;
		sample_add(to, &record);
	}
}

/* The guest does nothing any more. */
static void change_silent(struct sample *to, const struct sample *from)
{
	size_t at = find(from, TRACE_from);

	copy(to, from, 0, at);
	for (; at < from->count; at++)
		if (from->record[at].guest != GUEST)
			sample_add(to, &from->record[at]);
}

/* One guest more. */
static void change_joined(struct sample *to, const struct sample *from)
{
	const struct trace_record join = {
		.kind = TRACE_join, .guest = GUESTS, .payload = "late", .payload_size = 4
	};
	const struct trace_record leave = { .kind = TRACE_leave, .guest = GUESTS };

	copy(to, from, 0, from->count / 2);
	sample_add(to, &join);
	sample_add(to, &leave);
	copy(to, from, from->count / 2, from->count);
}

/* Who comes first at one time is no part of what a guest sees. */
static void change_order(struct sample *to, const struct sample *from)
{
	size_t i = 0;

	for (; i + 1 < from->count; i += 2) {
		const struct trace_record *record = &from->record[i];
		bool swap = record[0].guest != record[1].guest;

		sample_add(to, &record[swap]);
		sample_add(to, &record[!swap]);
	}
	copy(to, from, i, from->count);
}

static const struct change {
	const char *name;
	void (*make)(struct sample *to, const struct sample *from);
} changes[] = {
	{ "nothing", change_nothing },	 { "time", change_time },   { "console", change_console },
	{ "inserted", change_inserted }, { "late", change_late },   { "silent", change_silent },
	{ "joined", change_joined },	 { "order", change_order },
};

int main(int argc, char **argv)
{
	struct sample a = { 0 }, b = { 0 };

	sample_recording(&a, GUESTS, EVENTS, 8);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if (argc == 2 && !strcmp(argv[1], changes[i].name))
			changes[i].make(&b, &a);
	if (!b.count)
		return EXIT_FAILURE;
	sample_write(&a, "a");
	sample_write(&b, "b");
	sample_release(&a);
	sample_release(&b);
	return EXIT_SUCCESS;
}
