/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of record kinds, for those in the library who need it for every record. */
#ifndef TTREC_TABLE_H
#define TTREC_TABLE_H

#include "format/tttrace.h"

extern const struct trace_kind_info table_kinds[TRACE_KIND_LIMIT];

static inline const struct trace_kind_info *table_kind(uint32_t kind)
{
	return kind < TRACE_KIND_LIMIT && table_kinds[kind].name ? &table_kinds[kind] : NULL;
}

#endif
