// SPDX-License-Identifier: BSD-3-Clause
/*
 * The Ethernet frames of a trace: sender, time and receivers of each.
 *
 * Source of the header in front of a frame: VIRTIO 1.2, section 5.1.6.
 */
#include "format/text/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/vhost_user.h"
#include "format/base/array.h"
#include "format/text/frame_origin.h"

#define F_VERSION_1	   (1ULL << 32)
#define HEADER_SIZE	   12
#define LEGACY_HEADER_SIZE 10 /* without num_buffers */
#define QUEUE_RECEIVE	   0
/* The most that the recorder's cards deliver: an Ethernet frame of 64 KiB. */
#define FRAME_MAX 65550u

/* The state of a card. */
struct card {
	size_t header_size;
	bool has_sent; /* a sent record precedes what comes next */
	struct frame_origin sent;
	struct frame_origins *origins; /* NULL: no sender is known yet */
};

struct card_list {
	struct card *card; /* by number of the device */
	size_t count;
};

struct frames {
	const struct name_table *names;
	struct card_list *guest; /* by index */
	size_t guest_count;
	uint8_t whole[FRAME_MAX]; /* a frame of which the record does not have the first zeros */
};

struct frames *frames_create(const struct name_table *names)
{
	struct frames *frames = calloc(1, sizeof(*frames));

	if (frames)
		frames->names = names;
	return frames;
}

void frames_free(struct frames *frames)
{
	if (!frames)
		return;
	for (size_t i = 0; i < frames->guest_count; i++) {
		for (size_t j = 0; j < frames->guest[i].count; j++)
			free(frames->guest[i].card[j].origins);
		free(frames->guest[i].card);
	}
	free(frames->guest);
	free(frames);
}

static int add_cards(struct card_list *list, size_t device)
{
	size_t before = list->count;
	int err = array_reach(list->card, list->count, device);

	for (size_t i = before; i < list->count; i++)
		list->card[i].header_size = HEADER_SIZE;
	return err;
}

/* The name table has the device, so the number is bounded by the trace's records. */
static int find_card(struct frames *frames, uint32_t guest, uint64_t device, struct card **card)
{
	int err = array_reach(frames->guest, frames->guest_count, guest);

	if (!err)
		err = add_cards(&frames->guest[guest], device);
	if (!err)
		*card = &frames->guest[guest].card[device];
	return err;
}

static void learn_features(struct card *card, const struct trace_record *record)
{
	const uint8_t *body = record->payload;
	uint64_t features = 0;

	if (record->request.request != VHOST_SET_FEATURES ||
	    record->payload_size != sizeof(features))
		return;
	for (size_t i = 0; i < sizeof(features); i++)
		features |= (uint64_t)body[i] << 8 * i;
	card->header_size = features & F_VERSION_1 ? HEADER_SIZE : LEGACY_HEADER_SIZE;
}

/* The first @zeros bytes of a frame, which is longer, are not in @record. */
static bool add_zeros(struct frames *frames, size_t zeros, const struct trace_record *record,
		      struct frame *frame)
{
	if (zeros > FRAME_MAX || record->payload_size > FRAME_MAX - zeros)
		return false;
	memset(frames->whole, 0, zeros);
	if (record->payload_size)
		memcpy(frames->whole + zeros, record->payload, record->payload_size);
	frame->data = frames->whole;
	frame->size = zeros + record->payload_size;
	return true;
}

/* False: there is only a header, or more than a frame. */
static bool take_received(struct frames *frames, const struct card *card,
			  const struct trace_record *record, struct frame *frame)
{
	uint64_t skip = record->used.skip;
	size_t header = card->header_size;

	if (record->used.queue != QUEUE_RECEIVE)
		return false;
	if (skip > header)
		return add_zeros(frames, skip - header, record, frame);
	header -= skip;
	if (record->payload_size <= header || record->payload_size - header > FRAME_MAX)
		return false;
	frame->data = (const uint8_t *)record->payload + header;
	frame->size = record->payload_size - header;
	return true;
}

static bool take_frame(struct frames *frames, const struct card *card,
		       const struct trace_record *record, struct frame *frame)
{
	if (record->kind == TRACE_used) {
		frame->to_guest = record->guest;
		frame->to_device = (uint32_t)record->used.device;
		return take_received(frames, card, record, frame);
	}
	frame->lost = true;
	frame->reason = record->lost.reason;
	frame->to_guest = frame->to_device = UINT32_MAX;
	if (record->lost.receiver && record->lost.receiver <= TRACE_GUEST_LIMIT &&
	    record->lost.card < UINT32_MAX) {
		frame->to_guest = (uint32_t)(record->lost.receiver - 1);
		frame->to_device = (uint32_t)record->lost.card;
	}
	frame->data = record->payload;
	frame->size = record->payload_size;
	return true;
}

static int learn_origin(struct card *card, const struct frame *frame)
{
	if (!card->has_sent)
		return 0;
	card->has_sent = false;
	if (!card->origins)
		card->origins = calloc(1, sizeof(*card->origins));
	if (!card->origins)
		return -ENOMEM;
	frame_origin_learn(card->origins, frame->data, frame->size, &card->sent);
	return 0;
}

/* Nothing is expected of a card without a sent record. */
static void set_origin(const struct card *card, struct frame *frame)
{
	struct frame_origin origin;

	if (!card->origins ||
	    !frame_origin_expect(card->origins, frame->data, frame->size, &origin))
		return;
	if (origin.delay > frame->received || origin.sender >= TRACE_GUEST_LIMIT ||
	    origin.card >= UINT32_MAX)
		return;
	frame->known = true;
	frame->from_guest = (uint32_t)origin.sender;
	frame->from_device = (uint32_t)origin.card;
	frame->sent = frame->received - origin.delay;
}

/* @record is a used or lost one of a card in @network. */
static int feed_frame(struct frames *frames, struct card *card, const char *network,
		      const struct trace_record *record, struct frame *frame)
{
	int err;

	*frame = (struct frame){
		.record = record->number,
		.network = network,
		.from_guest = UINT32_MAX,
		.from_device = UINT32_MAX,
		.received = record->now,
	};
	if (!take_frame(frames, card, record, frame))
		return 0;
	err = learn_origin(card, frame);
	if (err)
		return err;
	set_origin(card, frame);
	return 1;
}

static void feed_sent(struct card *card, const struct trace_record *record)
{
	card->has_sent = true;
	card->sent =
		(struct frame_origin){ record->sent.sender, record->sent.card, record->sent.delay };
}

static bool concerns_cards(uint32_t kind)
{
	return kind == TRACE_used || kind == TRACE_lost || kind == TRACE_request ||
	       kind == TRACE_sent;
}

int frames_feed(struct frames *frames, const struct trace_record *record, struct frame *frame)
{
	const struct named_device *device;
	struct card *card;
	int err;

	if (!concerns_cards(record->kind))
		return 0;
	/* The device is the first field of all of them. */
	device = name_table_device(frames->names, record->guest, record->field[0]);
	if (!device || !device->wired)
		return 0;
	err = find_card(frames, record->guest, record->field[0], &card);
	if (err)
		return err;
	if (record->kind == TRACE_request)
		learn_features(card, record);
	else if (record->kind == TRACE_sent)
		feed_sent(card, record);
	else
		return feed_frame(frames, card, device->network, record, frame);
	return 0;
}
