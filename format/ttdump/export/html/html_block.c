// SPDX-License-Identifier: BSD-3-Clause
/* Records in columns, as the page of `ttdump export html` reads them. */
#include "format/ttdump/export/html/html_block.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

/* A block is unpacked at once, here and in the browser. */
#define RECORDS_MAX (64u * 1024)
#define TEXT_MAX    (4u * 1024 * 1024)

static void add_number(struct line *column, uint64_t value)
{
	char bytes[10];
	size_t size = 0;

	for (; value > 127; value >>= 7)
		bytes[size++] = (char)(value | 128);
	bytes[size++] = (char)value;
	line_bytes(column, bytes, size);
}

static uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

/* What the page draws by, besides the kind: an operation, a source, a status. */
static uint64_t detail_of(const struct trace_record *record)
{
	switch (record->kind) {
	case TRACE_from:
	case TRACE_to:
		return record->from.op;
	case TRACE_irq:
		return record->irq.source;
	case TRACE_note:
		return record->note.status;
	case TRACE_exit:
		return record->exit.status | record->exit.signal;
	}
	return 0;
}

static void add_text(struct html_block *block, const struct record_view *view,
		     const struct trace_record *record)
{
	bool console = record->kind == TRACE_console || record->kind == TRACE_input;
	struct line *column = console ? &block->console : &block->text;
	size_t before = column->size;

	if (console)
		line_bytes(column, record->payload, record->payload_size);
	else
		record_describe(view, record, column);
	add_number(&block->length, column->size - before);
	block->bytes += column->size - before;
}

void html_block_add(struct html_block *block, const struct record_view *view,
		    const struct trace_record *record)
{
	if (!block->records++)
		block->first = record->number;
	add_number(&block->kind, record->kind);
	add_number(&block->guest, record->guest);
	add_number(&block->moment, zigzag(record->now - block->now));
	add_number(&block->detail, detail_of(record));
	add_text(block, view, record);
	block->now = record->now;
}

/* UINT32_MAX, no guest, becomes 0. */
static void add_card(struct line *column, uint32_t guest, uint32_t device)
{
	add_number(column, guest + 1u);
	add_number(column, device + 1u);
}

void html_block_add_frame(struct html_block *block, const struct frame *frame)
{
	bool timed = frame->known && frame->sent <= frame->received;

	block->frames++;
	add_number(&block->frame, frame->record - block->first);
	add_card(&block->frame, frame->from_guest, frame->from_device);
	add_card(&block->frame, frame->to_guest, frame->to_device);
	add_number(&block->frame, frame->lost ? frame->reason + 1 : 0);
	add_number(&block->frame, timed ? frame->received - frame->sent : 0);
	add_number(&block->frame, frame->size);
	line_bytes(&block->network, frame->network, strlen(frame->network) + 1);
	block->bytes += strlen(frame->network);
}

bool html_block_full(const struct html_block *block)
{
	return block->records >= RECORDS_MAX || block->bytes >= TEXT_MAX;
}

static void put_column(struct line *bytes, const struct line *column)
{
	uint32_t size = htole32((uint32_t)column->size);

	line_bytes(bytes, &size, sizeof(size));
	line_bytes(bytes, column->text, column->size);
	bytes->failed |= column->failed;
}

int html_block_finish(struct html_block *block, struct line *bytes)
{
	bytes->size = 0;
	add_number(&block->sizes, block->records);
	add_number(&block->sizes, block->frames);
	add_number(&block->sizes, block->first);
#define HTML_COLUMN(name)                \
	put_column(bytes, &block->name); \
	block->name.size = 0;
	HTML_COLUMNS(HTML_COLUMN)
#undef HTML_COLUMN
	block->records = block->frames = block->bytes = 0;
	block->now = 0;
	return bytes->failed ? -ENOMEM : 0;
}

void html_block_free(struct html_block *block)
{
#define HTML_COLUMN(name) line_free(&block->name);
	HTML_COLUMNS(HTML_COLUMN)
#undef HTML_COLUMN
}
