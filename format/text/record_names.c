// SPDX-License-Identifier: BSD-3-Clause
/* Names of values in records. */
#include "format/text/record_names.h"

#include <string.h>

#include "format/vhost_user.h"
#include "format/base/cleanup.h"

static const char *const requests[] = {
#define NAME(name, number) [number] = #name,
	VHOST_REQUESTS(NAME)
#undef NAME
};

static const char *const calls[] = {
	[VHOST_BACKEND_CONFIG_CHANGE] = "CONFIG_CHANGE", [VHOST_BACKEND_VRING_CALL] = "VRING_CALL"
};

static const char *const irq_sources[] = {
	[TRACE_IRQ_ENTRY] = "interrupt",
	[TRACE_IRQ_PANIC] = "panic",
	[TRACE_IRQ_WARN] = "warning",
};

static const char *const losses[] = {
	[TRACE_LOSS_RANDOM] = "by the link",
	[TRACE_LOSS_NO_BUFFER] = "no buffer",
	[TRACE_LOSS_NOBODY] = "nobody there",
	[TRACE_LOSS_PARTITION] = "partition",
};

static const char *const entropy_sources[] = { "getrandom", "/dev/random" };

static const struct {
	uint32_t kind;
	unsigned int field;
	const char *const *names;
	size_t count;
} tables[] = {
	{ TRACE_request, 1, requests, ARRAY_SIZE(requests) },
	{ TRACE_reply, 1, requests, ARRAY_SIZE(requests) },
	{ TRACE_call, 1, calls, ARRAY_SIZE(calls) },
	{ TRACE_irq, 0, irq_sources, ARRAY_SIZE(irq_sources) },
	{ TRACE_lost, 1, losses, ARRAY_SIZE(losses) },
	{ TRACE_entropy, 0, entropy_sources, ARRAY_SIZE(entropy_sources) },
};

const char *record_field_name(const struct trace_record *record, unsigned int i)
{
	if (record->kind == TRACE_digest && i == 0)
		return trace_region_name(record->digest.region);
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
		if (tables[t].kind == record->kind && tables[t].field == i)
			return record->field[i] < tables[t].count
				       ? tables[t].names[record->field[i]]
				       : NULL;
	return NULL;
}

static const struct {
	const char *arrow, *word;
} directions[] = {
	[TRACE_IN] = { "<-", "in" },
	[TRACE_OUT] = { "->", "out" },
	[TRACE_CHECK] = { "==", "check" },
	[TRACE_SIDE] = { "--", "side" },
};

const char *record_arrow(const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	return info ? directions[info->direction].arrow : "??";
}

const char *record_direction(const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	return info ? directions[info->direction].word : "unknown";
}

bool record_has_device(const struct trace_record *record)
{
	const struct trace_kind_info *info = trace_kind_info(record->kind);

	return info && info->field_count && !strcmp(info->field[0].name, "device");
}
