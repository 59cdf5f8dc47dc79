/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tracks of an export for Perfetto, each described when something first happens on it, and
 * counters that are sums of a millisecond.
 */
#ifndef TTREC_PERFETTO_TRACKS_H
#define TTREC_PERFETTO_TRACKS_H

#include "format/text/name_table.h"
#include "format/ttdump/export/perfetto/perfetto_packet.h"

enum guest_track {
	GUEST_PROCESS,
	GUEST_RUNS,
	GUEST_WAITS,
	GUEST_MESSAGES,
	GUEST_CONSOLE,
	GUEST_INTERRUPTS,
	GUEST_DIGESTS,
	GUEST_RAM,  /* region 0 of the digests */
	GUEST_DATA, /* region 1 */
	GUEST_MESSAGE_RATE,
	GUEST_CONSOLE_RATE,
};

enum device_track {
	DEVICE_RINGS,  /* what it and its driver say to each other */
	DEVICE_FRAMES, /* of a network card */
};

struct tracks_of_guest {
	uint32_t guest_tracks; /* a bit for each that is described */
	uint64_t device_tracks[2];
};

struct tracks {
	struct perfetto_writer *writer;
	const struct name_table *names;
	struct tracks_of_guest *guest;
	size_t guest_count;
	bool notes;
};

/* Be ready for tracks of @guest. 0 or -ENOMEM. */
int tracks_prepare(struct tracks *tracks, uint32_t guest);

/* The number of a track; @guest has been prepared. */
uint64_t track_guest(struct tracks *tracks, uint32_t guest, enum guest_track track);
uint64_t track_device(struct tracks *tracks, uint32_t guest, uint64_t device,
		      enum device_track track);
uint64_t track_notes(struct tracks *tracks);

/* A new track for the network number @index, @name. */
uint64_t track_network(struct tracks *tracks, size_t index, const char *name);

/* The sum of one millisecond, written when that is over. */
struct rate {
	uint64_t ms, sum;
	bool open;
};

void rate_add(struct rate *rate, struct tracks *tracks, uint64_t track, uint64_t now,
	      uint64_t amount);
void rate_finish(struct rate *rate, struct tracks *tracks, uint64_t track);

#endif
