// SPDX-License-Identifier: BSD-3-Clause
/* Records the interrupts of guests that the probe sees. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernel/probe/probe.h"
#include "recorder/session/member/session_guest.h"

static void record_text(const struct session_guest *guest, enum trace_kind kind, const char *text)
{
	struct trace_record record = { .kind = kind,
				       .guest = guest->index,
				       .now = partition_now(guest->partition),
				       .payload = text,
				       .payload_size = strlen(text) };

	partition_record(guest->partition, &record);
}

/* A replay would differ from an incomplete list: stop recording them. */
static void give_up(struct session_guest *guest, const char *problem)
{
	char *kept = guest->result.probe_problem;

	guest->probed = false;
	snprintf(kept, sizeof(guest->result.probe_problem), "%s", problem);
	record_text(guest, TRACE_note, kept);
	record_text(guest, TRACE_meta, "probe=0");
}

void session_guest_attach_probe(struct session_guest *guest)
{
	const struct image_file *kernel = &guest->guest->spec->files.file[0];
	const struct sandbox *sandbox = &guest->guest->sandbox;
	struct diagnosis why = { 0 };
	char path[PATH_MAX];

	if (!guest->all->probe || guest->probed)
		return;
	guest->probed = true;
	sandbox_file_path(sandbox, GUEST_KERNEL_PATH, path, sizeof(path));
	if (probe_attach(guest->all->probe, guest->index, sandbox->guest, path, kernel, &why))
		give_up(guest, why.what);
}

static void record_event(struct session_guest *guest, const struct probe_event *event)
{
	struct trace_record record = { .kind = TRACE_irq,
				       .guest = guest->index,
				       .now = partition_now(guest->partition),
				       .payload = event->text,
				       .payload_size = event->text ? strlen(event->text) : 0 };

	record.irq.source = event->source;
	record.irq.irq = event->irq;
	record.irq.time = event->time;
	partition_record(guest->partition, &record);
	guest->result.probed++;
}

static void report_lost(struct session_guest *guest, uint64_t lost)
{
	char problem[96];

	snprintf(problem, sizeof(problem),
		 "%" PRIu64 " came faster than the probe's ring was emptied", lost);
	give_up(guest, problem);
}

void session_guest_record_probe(struct session_guest *guest)
{
	struct probe_event event;
	uint64_t lost;

	while (guest->probed && probe_take(guest->all->probe, guest->index, &event)) {
		lost = event.sequence - guest->probe_next;
		if (lost) {
			report_lost(guest, lost);
			return;
		}
		guest->probe_next++;
		record_event(guest, &event);
	}
	lost = guest->probed ? probe_lost(guest->all->probe, guest->index) : 0;
	if (lost)
		report_lost(guest, lost);
}

void session_guest_detach_probe(struct session_guest *guest)
{
	if (guest->all->probe)
		probe_detach(guest->all->probe, guest->index);
}
