// SPDX-License-Identifier: BSD-3-Clause
/*
 * Removes expected records from full columns, in the writing thread: the recorder does not wait for
 * it. Tag, context, guest and kind become shorter in their place; nothing can become longer.
 */
#include "format/trace/codec/encode.h"

/* So many messages to one record of another kind are messages alone. */
#define MESSAGES_ALONE 64

/* Positions of reading and writing in the columns. */
struct packing {
	struct columns *columns;
	struct record_predictor *predictor;
	const uint8_t *in[COLUMNS];
	uint8_t *out[COLUMNS];
	unsigned int run; /* expected records not yet written down */
};

static uint32_t next_guest(const uint8_t **in)
{
	uint32_t guest = 0;

	for (unsigned int shift = 0;; shift += 7) {
		guest |= (uint32_t)(**in & 0x7f) << shift;
		if (!(*(*in)++ & 0x80))
			return guest;
	}
}

static inline uint64_t next_token(struct packing *packing)
{
	uint8_t tag = *packing->in[COLUMN_TAG]++, context = 0, kind = 0, fields = 0;
	uint32_t guest = 0;

	if (tag & TAG_CONTEXT)
		context = *packing->in[COLUMN_CONTEXT]++;
	if (context & CONTEXT_GUEST)
		guest = next_guest(&packing->in[COLUMN_GUEST]);
	if ((tag & TAG_OP_MASK) == TAG_RECORD) {
		kind = *packing->in[COLUMN_KIND]++;
		fields = *packing->in[COLUMN_KIND]++;
	}
	return record_token(tag, context, kind, fields, guest);
}

static inline void put_run(struct packing *packing)
{
	if (packing->run)
		*packing->out[COLUMN_TAG]++ = run_tag(packing->run);
	packing->run = 0;
}

static void put_token(struct packing *packing, uint64_t token)
{
	uint8_t tag = token_tag(token), context = token_context(token);

	*packing->out[COLUMN_TAG]++ = tag;
	if (tag & TAG_CONTEXT)
		*packing->out[COLUMN_CONTEXT]++ = context;
	if (context & CONTEXT_GUEST)
		packing->out[COLUMN_GUEST] =
			put_varint(packing->out[COLUMN_GUEST], token_guest(token));
	if ((tag & TAG_OP_MASK) == TAG_RECORD) {
		*packing->out[COLUMN_KIND]++ = token_kind(token);
		*packing->out[COLUMN_KIND]++ = token_fields(token);
	}
}

static inline void pack_record(struct packing *packing)
{
	uint64_t token = next_token(packing);

	if (token == record_predictor_expect(packing->predictor)) {
		if (++packing->run == TAG_RUN_MAX)
			put_run(packing);
	} else {
		put_run(packing);
		put_token(packing, token);
	}
	record_predictor_learn(packing->predictor, token);
}

/*
 * Messages alone are as short after compression as they are: only where other records come often
 * among them is it worth the time.
 */
static bool is_worth_it(const struct columns *columns)
{
	size_t others = (size_t)(columns->end[COLUMN_KIND] - columns->begin[COLUMN_KIND]) / 2;

	return others * MESSAGES_ALONE >= columns->count;
}

void columns_pack(struct columns *columns, struct record_predictor *predictor)
{
	static const enum column packed[] = {
		COLUMN_TAG,
		COLUMN_CONTEXT,
		COLUMN_GUEST,
		COLUMN_KIND,
	};
	struct packing packing = { .columns = columns, .predictor = predictor };

	if (!columns->pack && !is_worth_it(columns))
		return;
	record_predictor_begin(predictor);
	for (int i = 0; i < COLUMNS; i++)
		packing.in[i] = packing.out[i] = columns->begin[i];
	for (uint32_t i = 0; i < columns->count; i++)
		pack_record(&packing);
	put_run(&packing);
	for (size_t i = 0; i < sizeof(packed) / sizeof(*packed); i++)
		columns->end[packed[i]] = packing.out[packed[i]];
}
