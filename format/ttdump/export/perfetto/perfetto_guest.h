/* SPDX-License-Identifier: BSD-3-Clause */
/* What one guest does, as events on its tracks. */
#ifndef TTREC_PERFETTO_GUEST_H
#define TTREC_PERFETTO_GUEST_H

#include "format/base/line.h"
#include "format/ttdump/export/perfetto/perfetto_tracks.h"

/* The block hashes of a digest, which may be split over records. */
struct block_hashes {
	uint64_t changed;  /* blocks so far */
	unsigned int rest; /* bytes of a hash that are still to come */
};

struct guest_events {
	enum guest_track doing; /* GUEST_RUNS, GUEST_WAITS, or neither: GUEST_PROCESS */
	/* Flows that end at the next run: numbers of records, 0: none. */
	uint64_t request, call;
	struct rate messages, printed;
	struct block_hashes hashes[2];
	struct line line; /* what it has printed since the last end of a line */
};

/* The flow that @number, a record, starts towards @receiver, a guest. */
uint64_t flow_number(uint64_t number, uint32_t receiver);

/* Write the content of @record of this guest; not its frame, nor broadcasts. 0 or -ENOMEM. */
int guest_event(struct guest_events *guest, struct tracks *tracks,
		const struct trace_record *record);

/* The trace ends at @now: so does what goes on. Nothing of @guest is needed any more. */
void guest_finish(struct guest_events *guest, struct tracks *tracks, uint32_t index, uint64_t now);

#endif
