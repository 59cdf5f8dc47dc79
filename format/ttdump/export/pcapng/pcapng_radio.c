// SPDX-License-Identifier: BSD-3-Clause
/* Frames of simulated radios: who sent what is received. */
#include "format/ttdump/export/pcapng/pcapng_radio.h"

#include <stdlib.h>
#include <xxhash.h>

#include "format/radio/radio_message.h"
#include "format/text/record_text.h"

/* So many of the last frames are looked at: a medium delays them by milliseconds. */
#define SENT_MAX 1024u

struct sent {
	uint64_t hash, time;
	uint32_t guest, device;
};

struct pcapng_radio {
	struct sent sent[SENT_MAX]; /* a ring */
	uint64_t count;		    /* ever */
	uint64_t seed;		    /* so that a trace cannot be made to cause collisions */
};

struct pcapng_radio *pcapng_radio_create(void)
{
	struct pcapng_radio *radio = calloc(1, sizeof(*radio));

	if (radio)
		radio->seed = (uintptr_t)radio ^ (uintptr_t)&radio;
	return radio;
}

void pcapng_radio_free(struct pcapng_radio *radio)
{
	free(radio);
}

static uint64_t hash_of(const struct pcapng_radio *radio, const struct radio_message *message)
{
	return XXH3_64bits_withSeed(message->data, message->size, radio->seed);
}

static const struct sent *find_sent(const struct pcapng_radio *radio, uint64_t hash)
{
	uint64_t oldest = radio->count > SENT_MAX ? radio->count - SENT_MAX : 0;

	for (uint64_t i = radio->count; i > oldest; i--)
		if (radio->sent[(i - 1) % SENT_MAX].hash == hash)
			return &radio->sent[(i - 1) % SENT_MAX];
	return NULL;
}

static void set_sender(struct frame *frame, const struct sent *sent)
{
	frame->known = true;
	frame->from_guest = sent->guest;
	frame->from_device = sent->device;
	frame->sent = sent->time;
}

static void feed_sent(struct pcapng_radio *radio, uint64_t hash, const struct trace_record *record,
		      struct frame *frame)
{
	struct sent *sent = &radio->sent[radio->count++ % SENT_MAX];

	*sent = (struct sent){ hash, record->now, record->guest, (uint32_t)record->taken.device };
	frame->sending = true;
	frame->to_guest = frame->to_device = UINT32_MAX;
	set_sender(frame, sent);
}

static void feed_received(const struct pcapng_radio *radio, uint64_t hash,
			  const struct trace_record *record, struct frame *frame)
{
	const struct sent *sent = find_sent(radio, hash);

	frame->to_guest = record->guest;
	frame->to_device = (uint32_t)record->used.device;
	if (sent && sent->time <= record->now)
		set_sender(frame, sent);
}

bool pcapng_radio_feed(struct pcapng_radio *radio, const struct name_table *name_table,
		       const struct trace_record *record, struct frame *frame,
		       struct radiotap *radiotap)
{
	struct radio_message message;

	if (!record_radio(name_table, record, &message) || message.status)
		return false;
	*radiotap = (struct radiotap){ .frequency = message.frequency,
				       .rate = message.rate,
				       .has_signal = message.has_signal,
				       .signal = message.signal };
	*frame = (struct frame){
		.record = record->number,
		.network = name_table_device(name_table, record->guest, record->field[0])->name,
		.data = message.data,
		.size = message.size,
		.from_guest = UINT32_MAX,
		.from_device = UINT32_MAX,
		.received = record->now,
		.radio = radiotap,
	};
	if (record->kind == TRACE_taken)
		feed_sent(radio, hash_of(radio, &message), record, frame);
	else
		feed_received(radio, hash_of(radio, &message), record, frame);
	return true;
}
