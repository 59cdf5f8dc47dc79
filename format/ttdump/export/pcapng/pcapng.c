// SPDX-License-Identifier: BSD-3-Clause
/* The blocks of a pcapng file. */
#include "format/ttdump/export/pcapng/pcapng.h"

#include <string.h>

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, NAMES = 4, PACKET = 6 };
enum { OPTIONS_END = 0, COMMENT = 1 };
enum { SECTION_APPLICATION = 4 };
enum { INTERFACE_NAME = 2, INTERFACE_DESCRIPTION = 3, INTERFACE_RESOLUTION = 9 };

#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define RESOLUTION_NS	 9 /* a power of ten, negative */
#define OPTION_MAX	 UINT16_MAX

static void add_number(struct line *line, uint64_t value, size_t size)
{
	uint8_t bytes[sizeof(value)];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	line_bytes(line, bytes, size);
}

static void add_u16(struct line *line, uint16_t value)
{
	add_number(line, value, sizeof(value));
}

void pcapng_add_u32(struct line *line, uint32_t value)
{
	add_number(line, value, sizeof(value));
}

void pcapng_add_u64(struct line *line, uint64_t value)
{
	add_number(line, value, sizeof(value));
}

/* Everything in a block begins at a multiple of four bytes. */
static void add_padded(struct line *line, const void *data, size_t size)
{
	line_bytes(line, data, size);
	add_number(line, 0, (4 - size % 4) % 4);
}

static void add_option(struct line *line, uint16_t code, const void *value, size_t size)
{
	if (size > OPTION_MAX)
		size = OPTION_MAX;
	add_u16(line, code);
	add_u16(line, (uint16_t)size);
	add_padded(line, value, size);
}

static void add_text(struct line *line, uint16_t code, const char *text)
{
	add_option(line, code, text, strlen(text));
}

static size_t begin_block(struct line *line, uint32_t type)
{
	size_t start = line->size;

	pcapng_add_u32(line, type);
	pcapng_add_u32(line, 0); /* the size, set by end_block() */
	return start;
}

static void end_block(struct line *line, size_t start)
{
	uint32_t size = (uint32_t)(line->size - start + sizeof(uint32_t));
	char *place;

	pcapng_add_u32(line, size);
	if (line->failed)
		return;
	place = line->text + start + sizeof(uint32_t);
	memcpy(place, line->text + line->size - sizeof(uint32_t), sizeof(uint32_t));
}

void pcapng_add_section(struct line *line, const char *application, const char *comment)
{
	size_t start = begin_block(line, SECTION);

	pcapng_add_u32(line, BYTE_ORDER_MAGIC);
	add_u16(line, 1); /* version 1.0 */
	add_u16(line, 0);
	pcapng_add_u64(line, UINT64_MAX); /* how long it is is not known yet */
	add_text(line, COMMENT, comment);
	add_text(line, SECTION_APPLICATION, application);
	add_option(line, OPTIONS_END, NULL, 0);
	end_block(line, start);
}

void pcapng_add_interface(struct line *line, enum pcapng_link link, const char *name,
			  const char *description)
{
	static const uint8_t resolution = RESOLUTION_NS;
	size_t start = begin_block(line, INTERFACE);

	add_u16(line, (uint16_t)link);
	add_u16(line, 0);
	pcapng_add_u32(line, 0); /* packets of any size */
	add_text(line, INTERFACE_NAME, name);
	add_text(line, INTERFACE_DESCRIPTION, description);
	add_option(line, INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
	add_option(line, OPTIONS_END, NULL, 0);
	end_block(line, start);
}

void pcapng_add_name(struct line *line, enum pcapng_address type, const uint8_t *address,
		     const char *name)
{
	static const size_t sizes[] = { [PCAPNG_IPV4] = 4, [PCAPNG_IPV6] = 16, [PCAPNG_MAC] = 6 };
	size_t start = begin_block(line, NAMES), length = strlen(name) + 1;

	add_u16(line, (uint16_t)type);
	add_u16(line, (uint16_t)(sizes[type] + length));
	line_bytes(line, address, sizes[type]);
	line_bytes(line, name, length);
	add_number(line, 0, (4 - (sizes[type] + length) % 4) % 4);
	add_option(line, OPTIONS_END, NULL, 0); /* of the names: it looks the same */
	end_block(line, start);
}

void pcapng_add_packet(struct line *line, const struct pcapng_packet *packet)
{
	size_t start = begin_block(line, PACKET);

	pcapng_add_u32(line, packet->interface);
	pcapng_add_u32(line, (uint32_t)(packet->time >> 32));
	pcapng_add_u32(line, (uint32_t)packet->time);
	pcapng_add_u32(line, (uint32_t)packet->captured);
	pcapng_add_u32(line, (uint32_t)packet->size);
	add_padded(line, packet->data, packet->captured);
	if (packet->comment) {
		add_option(line, COMMENT, packet->comment, packet->comment_size);
		add_option(line, OPTIONS_END, NULL, 0);
	}
	end_block(line, start);
}
