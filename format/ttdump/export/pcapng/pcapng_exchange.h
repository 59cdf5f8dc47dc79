/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A record as a packet of a link type of our own, to be taken apart by ttrec.lua:
 *
 *	u8	version of this layout: 1
 *	u8	kind of the record
 *	u8	number of its fields
 *	u8	zero
 *	u32	guest
 *	u64	number of the record
 *	u64	each field
 *	u8, text	name of the guest, with its size before
 *	u8, text	name of the device; of size 0 when the record is of none
 *	bytes	payload
 *
 * All integers are little-endian. The payload may be cut short, as packets may be.
 */
#ifndef TTREC_PCAPNG_EXCHANGE_H
#define TTREC_PCAPNG_EXCHANGE_H

#include "format/text/name_table.h"
#include "format/ttdump/export/pcapng/pcapng.h"

/* Add @record to @line as a packet on @interface. @body is room for it, and what it was before. */
void pcapng_add_exchange(struct line *line, struct line *body, uint32_t interface,
			 const struct name_table *name_table, const struct trace_record *record);

#endif
