// SPDX-License-Identifier: BSD-3-Clause
/* A record as a packet of a link type of our own. */
#include "format/ttdump/export/pcapng/pcapng_exchange.h"

#include <string.h>

#include "format/text/record_names.h"

#define LAYOUT 1

/* So much of a payload is there: text to be searched, of bytes what a look is worth. */
#define TEXT_MAX  (64u * 1024)
#define BYTES_MAX 64u

static void add_byte(struct line *line, size_t value)
{
	line_char(line, (char)(uint8_t)value);
}

static void add_name(struct line *line, const char *name)
{
	size_t size = strlen(name);

	if (size > UINT8_MAX)
		size = UINT8_MAX;
	add_byte(line, size);
	line_bytes(line, name, size);
}

static const char *device_name(const struct name_table *name_table,
			       const struct trace_record *record)
{
	const struct named_device *device = NULL;

	if (record_has_device(record))
		device = name_table_device(name_table, record->guest, record->field[0]);
	return device ? device->name : "";
}

static size_t payload_kept(const struct trace_kind_info *info, const struct trace_record *record)
{
	size_t most = info->payload == TRACE_PAYLOAD_TEXT ? TEXT_MAX : BYTES_MAX;

	return record->payload_size < most ? record->payload_size : most;
}

void pcapng_add_exchange(struct line *line, struct line *body, uint32_t interface,
			 const struct name_table *name_table, const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);
	size_t kept = payload_kept(info, record);
	struct pcapng_packet packet = { .interface = interface, .time = record->now };
	char name[NAME_SIZE];

	body->size = 0;
	add_byte(body, LAYOUT);
	add_byte(body, record->kind);
	add_byte(body, info->field_count);
	add_byte(body, 0);
	pcapng_add_u32(body, record->guest);
	pcapng_add_u64(body, record->number);
	for (unsigned int i = 0; i < info->field_count; i++)
		pcapng_add_u64(body, record->field[i]);
	add_name(body, name_table_guest(name_table, record->guest, name));
	add_name(body, device_name(name_table, record));
	line_bytes(body, record->payload, kept);
	packet.data = body->text;
	packet.captured = body->size;
	packet.size = body->size + record->payload_size - kept;
	pcapng_add_packet(line, &packet);
	line->failed |= body->failed;
}
