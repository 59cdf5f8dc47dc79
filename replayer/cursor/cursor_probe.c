// SPDX-License-Identifier: BSD-3-Clause
/* The cursor and the interrupt probe: what a guest took in a recording and takes again. */
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format/trace/meta.h"
#include "format/base/array.h"
#include "format/base/units.h"
#include "format/base/printable.h"
#include "kernel/probe/probe.h"
#include "replayer/cursor/cursor_internal.h"

bool cursor_read_probed(const struct trace_record *record, bool *probed)
{
	struct meta meta;

	if (!meta_parse(record, &meta) || meta.key != META_PROBE || meta.size != 1)
		return false;
	*probed = *meta.value == '1';
	return true;
}

static void forget(struct cursor *cursor)
{
	for (size_t i = 0; i < cursor->irq_count; i++)
		free((void *)cursor->irq[i].payload);
	cursor->irq_count = 0;
}

void cursor_probe_stop(struct cursor *cursor, const char *format, ...)
{
	char *reason = cursor->report->probe_reason;
	va_list arguments;

	if (!cursor->probing)
		return;
	cursor->probing = false;
	forget(cursor);
	va_start(arguments, format);
	vsnprintf(reason, CURSOR_WHY, format, arguments);
	va_end(arguments);
	printable(reason);
}

void cursor_probe_attach(struct cursor *cursor)
{
	const struct guest *guest = cursor->guest;
	const struct image_file *kernel = guest->spec->files.file; /* the first of them */
	struct diagnosis why = { 0 };
	char path[PATH_MAX];

	if (!cursor->probing)
		return;
	sandbox_file_path(&guest->sandbox, GUEST_KERNEL_PATH, path, sizeof(path));
	if (probe_attach(cursor->options->probe, 0, guest->sandbox.guest, path, kernel, &why))
		cursor_probe_stop(cursor, "not compared: %s", why.what);
}

void cursor_probe_release(struct cursor *cursor)
{
	forget(cursor);
	free(cursor->irq);
}

/* Kept until the guest has got as far: what it did before a message is known when that is here. */
int cursor_replay_irq(struct cursor *cursor, const struct trace_record *record)
{
	struct trace_record *kept;

	if (!cursor->probing)
		return 0;
	if (array_room(cursor->irq, cursor->irq_space, cursor->irq_count + 1, 64))
		return -ENOMEM;
	kept = &cursor->irq[cursor->irq_count];
	*kept = *record;
	kept->payload = NULL;
	if (record->payload_size) {
		kept->payload = strndup(record->payload, record->payload_size);
		if (!kept->payload)
			return -ENOMEM;
	}
	cursor->irq_count++;
	return 0;
}

static void describe(uint64_t source, uint64_t irq, uint64_t at, const char *words,
		     char text[CURSOR_TEXT])
{
	char time[UNITS_TEXT];
	int length;

	if (source == TRACE_IRQ_ENTRY)
		length = snprintf(text, CURSOR_TEXT, "interrupt %" PRIu64, irq);
	else
		length = snprintf(text, CURSOR_TEXT, "a %s (%.80s)",
				  source == TRACE_IRQ_PANIC ? "panic" : "warning",
				  words ? words : "");
	if (at == PROBE_TIME_UNKNOWN)
		snprintf(text + length, CURSOR_TEXT - (size_t)length, " at an unknown time");
	else
		snprintf(text + length, CURSOR_TEXT - (size_t)length, " at %s s",
			 duration_exact(at, time));
}

static bool is_same(const struct trace_record *record, const struct probe_event *event)
{
	const char *recorded = record->payload ? record->payload : "";

	return record->irq.source == (uint64_t)event->source && record->irq.irq == event->irq &&
	       record->irq.time == event->time && !strcmp(recorded, event->text ? event->text : "");
}

/* @record: that is missing, or NULL; @event: that came, or NULL; @at: where it is found out. */
static int diverge(struct cursor *cursor, const struct trace_record *at,
		   const struct trace_record *record, const struct probe_event *event)
{
	char expected[CURSOR_TEXT] = "no interrupt", got[CURSOR_TEXT] = "no interrupt";

	if (record)
		describe(record->irq.source, record->irq.irq, record->irq.time, record->payload,
			 expected);
	if (event)
		describe(event->source, event->irq, event->time, event->text, got);
	return cursor_diverge(cursor, record ? record : at, true, expected, got);
}

/* One difference makes all that follow it in this turn look like others. */
static int compare(struct cursor *cursor, const struct trace_record *at)
{
	struct probe *probe = cursor->options->probe;
	struct probe_event event;
	size_t next = 0;

	while (probe_take(probe, 0, &event)) {
		const struct trace_record *record =
			next < cursor->irq_count ? &cursor->irq[next] : NULL;

		if (record && is_same(record, &event)) {
			cursor->report->probed++;
			next++;
			continue;
		}
		if (probe_lost(probe, 0))
			return 0;
		return diverge(cursor, at, record, &event);
	}
	if (next == cursor->irq_count || probe_lost(probe, 0))
		return 0;
	return diverge(cursor, at, &cursor->irq[next], NULL);
}

int cursor_compare_irqs(struct cursor *cursor, const struct trace_record *at)
{
	struct probe *probe = cursor->options->probe;
	struct probe_event event;
	int stop;

	if (!cursor->probing)
		return 0;
	stop = compare(cursor, at);
	while (probe_take(probe, 0, &event))
		;
	forget(cursor);
	if (probe_lost(probe, 0))
		cursor_probe_stop(cursor,
				  "compared up to record %" PRIu64
				  ": the replay's probe lost %" PRIu64,
				  at->number, probe_lost(probe, 0));
	return stop;
}
