// SPDX-License-Identifier: BSD-3-Clause
/* The interrupts of guests, as the probe sees them, on their way into the trace. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernel/probe/probe.h"
#include "recorder/session_internal.h"

int session_add_probe(struct session *session, struct probe *probe)
{
	session->probe = probe;
	return session_watch_fd(session, probe_fd(probe), SOURCE_PROBE, 0);
}

static void record_text(struct session *session, const struct session_guest *guest,
			enum trace_kind kind, const char *text)
{
	struct trace_record record = { .kind = kind,
				       .guest = guest->index,
				       .now = island_now(guest->island),
				       .payload = text,
				       .payload_size = strlen(text) };

	session_record(session, guest->island, &record);
}

/* An incomplete list would differ from what a replay sees: there are no more from here on. */
static void give_up(struct session *session, struct session_guest *guest, const char *problem)
{
	char *kept = guest->result.probe_problem;

	guest->probed = false;
	snprintf(kept, sizeof(guest->result.probe_problem), "%s", problem);
	record_text(session, guest, TRACE_note, kept);
	record_text(session, guest, TRACE_meta, "probe=0");
}

void session_probe_attach(struct session *session, struct session_guest *guest)
{
	const struct image_file *kernel = &guest->guest->spec->files.file[0];
	const struct room *room = &guest->guest->room;
	struct diagnosis why = { 0 };
	char path[PATH_MAX];

	if (!session->probe || guest->probed)
		return;
	guest->probed = true;
	room_file_path(room, GUEST_KERNEL_PATH, path, sizeof(path));
	if (probe_attach(session->probe, guest->index, room->guest, path, kernel, &why))
		give_up(session, guest, why.what);
}

static void record_event(struct session *session, struct session_guest *guest,
			 const struct probe_event *event)
{
	struct trace_record record = { .kind = TRACE_irq,
				       .guest = guest->index,
				       .now = island_now(guest->island),
				       .payload = event->text,
				       .payload_size = event->text ? strlen(event->text) : 0 };

	record.irq.source = event->source;
	record.irq.irq = event->irq;
	record.irq.time = event->time;
	session_record(session, guest->island, &record);
	guest->result.probed++;
}

static void report_lost(struct session *session, struct session_guest *guest, uint64_t lost)
{
	char problem[96];

	snprintf(problem, sizeof(problem),
		 "%" PRIu64 " came faster than the probe's ring was emptied", lost);
	give_up(session, guest, problem);
}

void session_probe_record(struct session *session, struct session_guest *guest)
{
	struct probe_event event;
	uint64_t lost;

	while (guest->probed && probe_take(session->probe, guest->index, &event)) {
		lost = event.sequence - guest->probe_next;
		if (lost) {
			report_lost(session, guest, lost);
			return;
		}
		guest->probe_next++;
		record_event(session, guest, &event);
	}
	lost = guest->probed ? probe_lost(session->probe, guest->index) : 0;
	if (lost)
		report_lost(session, guest, lost);
}

void session_probe_drain(struct session *session)
{
	probe_drain(session->probe);
}

void session_probe_detach(struct session *session, struct session_guest *guest)
{
	probe_detach(session->probe, guest->index);
}
