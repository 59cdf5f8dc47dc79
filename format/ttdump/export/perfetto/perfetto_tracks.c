// SPDX-License-Identifier: BSD-3-Clause
/* The tracks of an export for Perfetto: their numbers, names and descriptions; sums. */
#include "format/ttdump/export/perfetto/perfetto_tracks.h"

#include <inttypes.h>
#include <stdio.h>

#include "format/base/array.h"
#include "format/base/units.h"

/*
 * Numbers of tracks: those of guest G are from (G + 1) * 256 on, its devices from there + 64, two
 * for each. Below are those of the whole lab, networks are above all guests.
 */
#define NOTES_TRACK    1
#define GUEST_SHIFT    8
#define DEVICE_BASE    64
#define NETWORK_TRACKS (UINT64_C(1) << 32)

/* As many devices as there are bits; those of a guest with more share the last tracks. */
#define LAST_DEVICE 63

static const struct track_text {
	const char *name, *description;
	int shows;
} guest_texts[] = {
	[GUEST_PROCESS] = { 0 },
	[GUEST_RUNS] = { "runs", "From RUN to WAIT, in virtual time", PERFETTO_SLICES },
	[GUEST_WAITS] = { "waits", "From WAIT to RUN, in virtual time", PERFETTO_SLICES },
	[GUEST_MESSAGES] = { "messages", "Time-travel messages except ACK, RUN and WAIT",
			     PERFETTO_SLICES },
	[GUEST_CONSOLE] = { "console", "Lines of output, and input", PERFETTO_SLICES },
	[GUEST_INTERRUPTS] = { "interrupts", "What the probe saw: interrupts, panics, warnings",
			       PERFETTO_SLICES },
	[GUEST_DIGESTS] = { "digests", "Memory hashes", PERFETTO_SLICES },
	[GUEST_RAM] = { "RAM changed", "Blocks that changed between two digests", PERFETTO_BYTES },
	[GUEST_DATA] = { "kernel data changed", "Blocks that changed between two digests",
			 PERFETTO_BYTES },
	[GUEST_MESSAGE_RATE] = { "messages per ms", "Both directions, including ACKs",
				 PERFETTO_COUNT },
	[GUEST_CONSOLE_RATE] = { "console per ms", "Bytes of output", PERFETTO_BYTES },
};

int tracks_prepare(struct tracks *tracks, uint32_t guest)
{
	return array_reach(tracks->guest, tracks->guest_count, guest);
}

static uint64_t guest_number(uint32_t guest, unsigned int track)
{
	return ((uint64_t)guest + 1) << GUEST_SHIFT | track;
}

static uint64_t device_number(uint32_t guest, uint64_t device, enum device_track track)
{
	return guest_number(guest, DEVICE_BASE + 2 * (unsigned int)device + track);
}

static void describe_guest(struct tracks *tracks, uint32_t guest)
{
	char text[NAME_SIZE];

	perfetto_track(tracks->writer, &(struct perfetto_track){
					       .id = guest_number(guest, GUEST_PROCESS),
					       .name = name_table_guest(tracks->names, guest, text),
					       .pid = (int32_t)guest + 1,
				       });
}

static void describe_guest_track(struct tracks *tracks, uint32_t guest, enum guest_track track)
{
	const struct track_text *text = &guest_texts[track];

	if (track == GUEST_PROCESS) {
		describe_guest(tracks, guest);
		return;
	}
	perfetto_track(tracks->writer, &(struct perfetto_track){
					       .id = guest_number(guest, track),
					       .parent = track_guest(tracks, guest, GUEST_PROCESS),
					       .name = text->name,
					       .description = text->description,
					       .shows = text->shows,
				       });
}

uint64_t track_guest(struct tracks *tracks, uint32_t guest, enum guest_track track)
{
	uint32_t bit = UINT32_C(1) << track;

	if (!(tracks->guest[guest].guest_tracks & bit)) {
		tracks->guest[guest].guest_tracks |= bit;
		describe_guest_track(tracks, guest, track);
	}
	return guest_number(guest, track);
}

static void describe_device(struct tracks *tracks, uint32_t guest, uint64_t device,
			    enum device_track track)
{
	const struct named_device *known = name_table_device(tracks->names, guest, device);
	char name[2 * NAME_SIZE + 48];

	snprintf(name, sizeof(name), "device %" PRIu64 "%s%s%s%s", device,
		 device == LAST_DEVICE ? " and on" : "", known && known->name[0] ? " " : "",
		 known ? known->name : "", track == DEVICE_FRAMES ? ": frames" : "");
	perfetto_track(tracks->writer,
		       &(struct perfetto_track){
			       .id = device_number(guest, device, track),
			       .parent = track_guest(tracks, guest, GUEST_PROCESS),
			       .name = name,
			       .description = track == DEVICE_FRAMES
						      ? "Frames sent and received"
						      : "Set-up, kicks, used buffers, calls",
		       });
}

uint64_t track_device(struct tracks *tracks, uint32_t guest, uint64_t device,
		      enum device_track track)
{
	uint64_t number = device < LAST_DEVICE ? device : LAST_DEVICE;
	uint64_t bit = UINT64_C(1) << number;

	if (!(tracks->guest[guest].device_tracks[track] & bit)) {
		tracks->guest[guest].device_tracks[track] |= bit;
		describe_device(tracks, guest, number, track);
	}
	return device_number(guest, number, track);
}

uint64_t track_notes(struct tracks *tracks)
{
	if (!tracks->notes)
		perfetto_track(tracks->writer, &(struct perfetto_track){
						       .id = NOTES_TRACK,
						       .name = "notes",
						       .description = "Diagnoses of the recorder",
					       });
	tracks->notes = true;
	return NOTES_TRACK;
}

uint64_t track_network(struct tracks *tracks, size_t index, const char *name)
{
	char text[NAME_SIZE + 16];

	snprintf(text, sizeof(text), "%s per ms", name);
	perfetto_track(tracks->writer, &(struct perfetto_track){
					       .id = NETWORK_TRACKS + index,
					       .name = text,
					       .description = "Bytes of received frames",
					       .shows = PERFETTO_BYTES,
				       });
	return NETWORK_TRACKS + index;
}

static void write_count(struct tracks *tracks, uint64_t track, uint64_t ms, uint64_t count)
{
	perfetto_event(tracks->writer, &(struct perfetto_event){
					       .now = ms * NS_PER_MS,
					       .track = track,
					       .type = PERFETTO_COUNTER,
					       .value = (int64_t)count,
				       });
}

void rate_add(struct rate *rate, struct tracks *tracks, uint64_t track, uint64_t now,
	      uint64_t amount)
{
	uint64_t ms = now / NS_PER_MS;

	if (rate->open && rate->ms != ms) {
		write_count(tracks, track, rate->ms, rate->sum);
		if (rate->ms + 1 != ms)
			write_count(tracks, track, rate->ms + 1, 0);
		rate->sum = 0;
	}
	rate->open = true;
	rate->ms = ms;
	rate->sum += amount;
}

void rate_finish(struct rate *rate, struct tracks *tracks, uint64_t track)
{
	if (!rate->open)
		return;
	write_count(tracks, track, rate->ms, rate->sum);
	write_count(tracks, track, rate->ms + 1, 0);
	rate->open = false;
}
