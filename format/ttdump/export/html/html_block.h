/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records in columns, as the page of `ttdump export html` reads them (html/blocks.js).
 *
 * A block is a number of columns one after the other, each a count of bytes (u32, little-endian)
 * and these bytes. Numbers in a column are varints (seven bits a byte, least first, the top bit
 * says that more follow). Differences are zigzag: 0, -1, 1, -2 are 0, 1, 2, 3.
 *
 *   sizes     number of records, number of frames, number of the first record
 *   kind      of each record: enum trace_kind
 *   guest     of each record
 *   moment    of each record: its time, as difference to the one before, to 0 at the first of a
 * block detail    of each record: one number that the page draws by, see detail_of() length    of
 * each record: bytes of its text text      of each record but for consoles: what record_describe()
 * says, ASCII console   what is printed and typed, as it is frame     of each frame, eight numbers:
 * record from the first on; sender and its device, receiver and its device (each plus one, 0
 * nobody); 0 received, else the reason of the loss plus one; nanoseconds since it was sent (0 also
 * when that is not known); its size network   of each frame: its name and a NUL
 */
#ifndef TTREC_HTML_BLOCK_H
#define TTREC_HTML_BLOCK_H

#include "format/text/frames.h"
#include "format/base/line.h"
#include "format/text/record_text.h"

#define HTML_COLUMNS(COLUMN) \
	COLUMN(sizes)        \
	COLUMN(kind)         \
	COLUMN(guest)        \
	COLUMN(moment)       \
	COLUMN(detail)       \
	COLUMN(length)       \
	COLUMN(text)         \
	COLUMN(console)      \
	COLUMN(frame)        \
	COLUMN(network)

struct html_block {
	uint64_t first; /* number of the first record */
	uint64_t records, frames;
	uint64_t now; /* of the last one */
	size_t bytes; /* of text so far */
#define HTML_COLUMN(name) struct line name;
	HTML_COLUMNS(HTML_COLUMN)
#undef HTML_COLUMN
};

/* Add @record, which @view describes. */
void html_block_add(struct html_block *block, const struct record_view *view,
		    const struct trace_record *record);

/* Add @frame, which the record added last completes. */
void html_block_add_frame(struct html_block *block, const struct frame *frame);

/* It is time to write it. */
bool html_block_full(const struct html_block *block);

/* Put all columns into @bytes, which is cleared before, and begin anew. 0 or -ENOMEM. */
int html_block_finish(struct html_block *block, struct line *bytes);

void html_block_free(struct html_block *block);

#endif
