// SPDX-License-Identifier: BSD-3-Clause
/* The table of record kinds, in a form that can be looked up. */
#include "format/trace/codec/table.h"

#include <assert.h>

#include "format/base/cleanup.h"

#define FIELD_INFO(field_name, field_unit) { #field_name, TRACE_UNIT_##field_unit },
#define FIELD_ONE(field_name, field_unit)  +1

const struct trace_kind_info table_kinds[TRACE_KIND_LIMIT] = {
#define KIND_INFO(kind_name, number, kind_direction, kind_payload, kind_doc) \
	[number] = {                                                         \
		.name = #kind_name,                                          \
		.doc = kind_doc,                                             \
		.direction = TRACE_##kind_direction,                         \
		.payload = TRACE_PAYLOAD_##kind_payload,                     \
		.field_count = 0 TRACE_FIELDS_##kind_name(FIELD_ONE),        \
		.field = { TRACE_FIELDS_##kind_name(FIELD_INFO) },           \
	},
	TRACE_KINDS(KIND_INFO)
};

#define COUNT_KIND(...) +1
static_assert(0 TRACE_KINDS(COUNT_KIND) == 0 TRACE_KIND_NAMES(COUNT_KIND),
	      "a kind has no name in upper case");
static_assert(TTTRACE_VERSION_NUMBER == TTREC_VERSION_NUMBER,
	      "tttrace.h and CMakeLists.txt name different versions");

static const char *const operations[] = {
#define OPERATION_NAME(name, number) [number] = #name,
	TRACE_OPERATIONS(OPERATION_NAME)
};

unsigned int trace_version_number(void)
{
	return TTTRACE_VERSION_NUMBER;
}

const struct trace_kind_info *trace_kind_info(uint32_t kind)
{
	return table_kind(kind);
}

const char *trace_operation_name(uint64_t op)
{
	return op < ARRAY_SIZE(operations) ? operations[op] : NULL;
}

const char *trace_region_name(uint64_t region)
{
	static const char *const names[] = {
		[TRACE_REGION_RAM] = "ram",
		[TRACE_REGION_IMAGE] = "data+bss",
	};

	return region < ARRAY_SIZE(names) ? names[region] : NULL;
}
