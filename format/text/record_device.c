// SPDX-License-Identifier: BSD-3-Clause
/* Describes records of devices and interrupts, with names where known. */
#include <endian.h>
#include <string.h>

#include "format/vhost_user.h"
#include "format/base/cleanup.h"
#include "format/radio/radio_text.h"
#include "format/text/frame_text.h"
#include "format/text/record_internal.h"
#include "format/text/record_text.h"

/* The flags of every message: the version; of a kick also that it wants a reply. */
#define FLAGS_REQUEST 0x1
#define FLAGS_KICK    0x9

/* struct virtio_net_hdr_v1, in front of each frame */
#define NET_HEADER_SIZE 12

struct words {
	const struct record_view *view;
	const struct trace_record *record;
	const struct trace_kind_info *info;
	struct line *line;
};

/* The offset of the frame in the payload; false: it has none, or not the beginning of one. */
static bool frame_offset(const struct trace_record *record, size_t *offset)
{
	uint64_t before, queue;

	switch (record->kind) {
	case TRACE_lost:
		*offset = 0;
		return true;
	case TRACE_taken:
		before = 0;
		queue = record->taken.queue ^ 1;
		break;
	case TRACE_used:
		before = record->used.skip;
		queue = record->used.queue;
		break;
	case TRACE_wrote:
		before = record->wrote.offset;
		queue = record->wrote.queue;
		break;
	default:
		return false;
	}
	*offset = NET_HEADER_SIZE - (before < NET_HEADER_SIZE ? before : NET_HEADER_SIZE);
	return before <= NET_HEADER_SIZE && !(queue & 1);
}

bool record_frame(const struct name_table *names, const struct trace_record *record,
		  const uint8_t **frame, size_t *size)
{
	const struct named_device *device;
	size_t offset;

	if (!names || !record->payload || !frame_offset(record, &offset) ||
	    record->payload_size <= offset)
		return false;
	device = name_table_device(names, record->guest, record->field[0]);
	if (!device || device->virtio_id != VIRTIO_NET)
		return false;
	*frame = (const uint8_t *)record->payload + offset;
	*size = record->payload_size - offset;
	return true;
}

bool record_radio(const struct name_table *names, const struct trace_record *record,
		  struct radio_message *message)
{
	bool sent = record->kind == TRACE_taken && record->taken.queue == RADIO_SENDS;
	bool received = record->kind == TRACE_used && record->used.queue == RADIO_RECEIVES &&
			!record->used.skip;
	const struct named_device *device;

	if (!names || !record->payload || !(sent || received))
		return false;
	device = name_table_device(names, record->guest, record->field[0]);
	return device && device->virtio_id == RADIO_VIRTIO_ID &&
	       radio_message_parse(record->payload, record->payload_size, message);
}

static const struct named_device *device_of(const struct words *words)
{
	if (!words->view->names)
		return NULL;
	return name_table_device(words->view->names, words->record->guest, words->record->field[0]);
}

static void add_name(const struct words *words, const char *name)
{
	line_char(words->line, ' ');
	line_escaped(words->line, name, strlen(name), words->view->utf8);
}

static void add_device(const struct words *words)
{
	char text[DEVICE_NAME_SIZE];

	add_name(words, name_table_device_name(words->view->names, words->record->guest,
					       words->record->field[0], text));
}

/*
 * The queues of cards and consoles come in pairs, those of shares have names; elsewhere they have
 * numbers only.
 */
static void add_queue(const struct words *words, uint64_t queue)
{
	const struct named_device *device = device_of(words);

	if (device && device->virtio_id == RADIO_VIRTIO_ID && queue <= RADIO_RECEIVES) {
		line_text(words->line, queue == RADIO_SENDS ? " tx" : " rx");
	} else if (device &&
		   (device->virtio_id == VIRTIO_NET || device->virtio_id == VIRTIO_CONSOLE)) {
		line_text(words->line, queue & 1 ? " tx" : " rx");
		if (queue > 1)
			line_number(words->line, queue / 2);
	} else if (device && device->virtio_id == VIRTIO_FS && queue < 2) {
		line_text(words->line, queue ? " requests" : " forgets");
	} else {
		line_text(words->line, " queue ");
		line_number(words->line, queue);
	}
}

/* The name of the number in field @i, or the number. */
static void add_named(const struct words *words, unsigned int i)
{
	const char *name = record_field_name(words->record, i);

	line_char(words->line, ' ');
	if (name) {
		line_text(words->line, name);
		return;
	}
	line_text(words->line, words->info->field[i].name);
	line_char(words->line, ' ');
	line_number(words->line, words->record->field[i]);
}

static void add_flags(const struct words *words, uint64_t flags, uint64_t usual)
{
	if (flags == usual)
		return;
	line_text(words->line, " flags=");
	line_hex(words->line, flags);
}

static void add_size(const struct words *words, uint64_t size)
{
	line_char(words->line, ' ');
	line_number(words->line, size);
	line_text(words->line, size == 1 ? " byte" : " bytes");
}

static void add_payload(const struct words *words)
{
	if (words->record->payload && words->record->payload_size)
		record_add_bytes(words->line, words->record->payload, words->record->payload_size);
}

static void add_quoted(const struct words *words)
{
	if (!words->record->payload || !words->record->payload_size)
		return;
	line_text(words->line, " \"");
	line_escaped(words->line, words->record->payload, words->record->payload_size,
		     words->view->utf8);
	line_char(words->line, '"');
}

/* The text of a console, or bytes. */
static void add_content(const struct words *words)
{
	const struct named_device *device = device_of(words);

	if (device && device->virtio_id == VIRTIO_CONSOLE)
		add_quoted(words);
	else
		add_payload(words);
}

static void add_place(const struct words *words, size_t size, uint64_t head)
{
	const char *separator = " (";

	if (size) {
		line_text(words->line, separator);
		line_number(words->line, size);
		line_text(words->line, " bytes");
		separator = ", ";
	}
	if (head != UINT64_MAX) {
		line_text(words->line, separator);
		line_text(words->line, "head ");
		line_number(words->line, head);
	}
	if (size || head != UINT64_MAX)
		line_char(words->line, ')');
}

static bool add_radio(const struct words *words, uint64_t head)
{
	struct radio_message message;

	if (!record_radio(words->view->names, words->record, &message))
		return false;
	line_char(words->line, ' ');
	line_add_radio(words->line, &message);
	line_add_radio_link(words->line, &message);
	add_place(words, message.size, head);
	return true;
}

/* A frame is described first; false: there is none. */
static bool add_frame(const struct words *words, uint64_t head)
{
	const uint8_t *frame;
	size_t size;

	if (add_radio(words, head))
		return true;
	if (!record_frame(words->view->names, words->record, &frame, &size))
		return false;
	line_char(words->line, ' ');
	line_add_frame(words->line, frame, size);
	add_place(words, size, head);
	return true;
}

static void describe_device(const struct words *words)
{
	add_device(words);
}

/* Most bodies are 8 bytes: a u64, or the state of a vring: its number and a value, u32 both. */
static void add_body(const struct words *words)
{
	const struct trace_record *record = words->record;
	uint64_t body;

	if (record->payload_size != sizeof(body) || !record->payload) {
		if (record->payload_size)
			add_size(words, record->payload_size);
		add_payload(words);
		return;
	}
	memcpy(&body, record->payload, sizeof(body));
	body = le64toh(body);
	switch (record->request.request) {
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
	case VHOST_GET_VRING_BASE:
	case VHOST_SET_VRING_ENABLE:
		add_queue(words, body & UINT32_MAX);
		line_char(words->line, ' ');
		line_number(words->line, body >> 32);
		return;
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		add_queue(words, body & UINT8_MAX);
		return;
	}
	line_char(words->line, ' ');
	line_hex(words->line, body);
}

static void describe_request(const struct words *words)
{
	const struct trace_record *record = words->record;

	add_device(words);
	add_named(words, 1);
	add_body(words);
	add_flags(words, record->request.flags, FLAGS_REQUEST);
}

static void describe_reply(const struct words *words)
{
	const struct trace_record *record = words->record;

	add_device(words);
	add_named(words, 1);
	if (!record->payload_size) {
		line_char(words->line, ' ');
		line_hex(words->line, record->reply.value);
		return;
	}
	add_body(words);
}

static void describe_kick(const struct words *words)
{
	const struct trace_record *record = words->record;

	add_device(words);
	add_queue(words, record->kick.queue);
	line_text(words->line, " done ");
	line_number(words->line, record->kick.done);
	add_flags(words, record->kick.flags, FLAGS_KICK);
}

/*
 * The answer to a request of a share (struct fuse_out_header of linux/fuse.h: size, error, number
 * of the request) that is an error; false: not an error.
 */
static bool add_refusal(const struct words *words)
{
	const struct trace_record *record = words->record;
	const struct named_device *device = device_of(words);
	int32_t field[4];
	const char *name;

	if (!device || device->virtio_id != VIRTIO_FS || record->used.skip || !record->payload ||
	    record->payload_size != sizeof(field))
		return false;
	memcpy(field, record->payload, sizeof(field));
	if (field[0] != sizeof(field) || field[1] >= 0 || field[1] < -4095)
		return false;
	name = strerrorname_np(-field[1]);
	line_text(words->line, " error ");
	if (name)
		line_text(words->line, name);
	else
		line_number(words->line, (uint64_t)-field[1]);
	return true;
}

static void describe_used(const struct words *words)
{
	const struct trace_record *record = words->record;

	add_device(words);
	add_queue(words, record->used.queue);
	if (add_frame(words, record->used.head))
		return;
	line_text(words->line, " head ");
	line_number(words->line, record->used.head);
	if (add_refusal(words))
		return;
	add_size(words, record->used.skip + record->payload_size);
	add_content(words);
}

static void describe_wrote(const struct words *words)
{
	const struct trace_record *record = words->record;

	add_device(words);
	add_queue(words, record->wrote.queue);
	if (add_frame(words, record->wrote.head))
		return;
	line_text(words->line, " head ");
	line_number(words->line, record->wrote.head);
	line_text(words->line, " offset ");
	line_number(words->line, record->wrote.offset);
	add_size(words, record->payload_size);
	add_content(words);
}

static void describe_taken(const struct words *words)
{
	add_device(words);
	add_queue(words, words->record->taken.queue);
	if (add_frame(words, UINT64_MAX))
		return;
	add_size(words, words->record->payload_size);
	add_content(words);
}

static void describe_call(const struct words *words)
{
	const struct trace_record *record = words->record;

	add_device(words);
	if (record->call.request == VHOST_BACKEND_VRING_CALL)
		add_queue(words, record->call.queue);
	else
		add_named(words, 1);
	line_text(words->line, " #");
	line_number(words->line, record->call.sequence);
}

static void describe_called(const struct words *words)
{
	add_device(words);
	if (!words->record->called.value)
		return;
	line_text(words->line, " failed: ");
	line_hex(words->line, words->record->called.value);
}

/* The guest's own time, on the clock of the trace as all others. */
static void describe_irq(const struct words *words)
{
	const struct trace_record *record = words->record;
	const struct named_guest *guest = record_guest(words->view, record);

	if (record->irq.source == TRACE_IRQ_ENTRY) {
		line_char(words->line, ' ');
		line_number(words->line, record->irq.irq);
	} else {
		add_named(words, 0);
	}
	if (record->irq.time == UINT64_MAX) {
		line_text(words->line, " at an unknown time");
	} else {
		line_text(words->line, " at ");
		line_seconds(words->line, record->irq.time + (guest ? guest->offset : 0));
	}
}

/* Who does not get it. */
static void add_missing(const struct words *words)
{
	const uint64_t receiver = words->record->lost.receiver;
	char name[NAME_SIZE];

	if (!receiver || receiver > TRACE_GUEST_LIMIT)
		return;
	line_text(words->line, " to");
	add_name(words, name_table_guest(words->view->names, (uint32_t)(receiver - 1), name));
}

static void describe_lost(const struct words *words)
{
	add_device(words);
	add_named(words, 1);
	add_missing(words);
	if (add_frame(words, UINT64_MAX))
		return;
	add_size(words, words->record->payload_size);
	add_content(words);
}

/* Of the frame in the next record of the device. */
static void describe_sent(const struct words *words)
{
	const struct trace_record *record = words->record;
	const uint64_t sender = record->sent.sender < UINT32_MAX ? record->sent.sender : UINT32_MAX;
	char name[NAME_SIZE], device[DEVICE_NAME_SIZE];

	add_device(words);
	line_text(words->line, " by");
	add_name(words, name_table_guest(words->view->names, (uint32_t)sender, name));
	add_name(words, name_table_device_name(words->view->names, (uint32_t)sender,
					       record->sent.card, device));
	line_char(words->line, ' ');
	line_duration(words->line, record->sent.delay);
	line_text(words->line, " before");
}

bool record_describe_device(const struct record_view *view, const struct trace_record *record,
			    struct line *line)
{
	static void (*const describers[])(const struct words *) = {
		[TRACE_attach] = describe_device, [TRACE_detach] = describe_device,
		[TRACE_cut] = describe_device,	  [TRACE_request] = describe_request,
		[TRACE_reply] = describe_reply,	  [TRACE_kick] = describe_kick,
		[TRACE_used] = describe_used,	  [TRACE_wrote] = describe_wrote,
		[TRACE_taken] = describe_taken,	  [TRACE_call] = describe_call,
		[TRACE_called] = describe_called, [TRACE_lost] = describe_lost,
		[TRACE_irq] = describe_irq,	  [TRACE_sent] = describe_sent,
	};
	const struct words words = { view, record, trace_kind_info(record->kind), line };

	if (record->kind >= ARRAY_SIZE(describers) || !describers[record->kind])
		return false;
	describers[record->kind](&words);
	return true;
}
