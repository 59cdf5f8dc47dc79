// SPDX-License-Identifier: BSD-3-Clause
/* What a frame costs in a trace: little more than its bytes, before anything is compressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/trace/codec/decode.h"
#include "format/trace/codec/encode.h"
#include "tests/format/trace/sample.h"

#define PINGS	     1000
#define FRAME_BYTES  8.0  /* at most so much above the frame itself, with all its messages */
#define BUSY_BYTES   12.0 /* and with timers that have nothing to do with frames */
#define JITTER_BYTES 10.0 /* and where nobody can know when it comes */

struct cost {
	struct encoder encoder;
	struct columns *columns;
	struct record_predictor predictor;
	struct decoder *decoder;
	uint8_t *content;
	uint64_t bytes; /* of all chunks */
	size_t read;	/* records that came back */
};

static void cost_init(struct cost *cost)
{
	*cost = (struct cost){ .content = malloc(CHUNK_CONTENT_MAX) };
	assert_non_null(cost->content);
	assert_int_equal(columns_create(&cost->columns), 0);
	assert_int_equal(decoder_create(&cost->decoder), 0);
}

static void cost_release(struct cost *cost)
{
	encoder_release(&cost->encoder);
	columns_destroy(cost->columns);
	decoder_destroy(cost->decoder);
	free(cost->content);
}

/* Count the chunk's bytes and read it back. */
static void end_chunk(struct cost *cost, const struct sample *sample)
{
	struct segment segments[COLUMNS_SEGMENTS];
	struct trace_record record;
	unsigned int field_count;
	size_t size = 0;
	bool chained;

	columns_content(cost->columns, &cost->predictor, 0, segments);
	for (size_t i = 0; i < COLUMNS_SEGMENTS; i++) {
		memcpy(cost->content + size, segments[i].data, segments[i].size);
		size += segments[i].size;
		if (getenv("TTREC_COLUMNS"))
			print_message("column %zu: %zu\n", i, segments[i].size);
	}
	cost->bytes += size;
	assert_int_equal(decoder_begin(cost->decoder, cost->content, size), 0);
	while (decoder_next(cost->decoder, &record, &field_count, &chained) > 0)
		sample_assert_equal(&sample->record[cost->read++], &record);
}

/* In chunks of @chunk records. Returns bytes. */
static uint64_t encode(const struct sample *sample, size_t chunk)
{
	struct cost cost;
	uint64_t bytes;

	cost_init(&cost);
	for (size_t i = 0; i < sample->count; i++) {
		const struct trace_record *record = &sample->record[i];
		const struct trace_kind_info *info = trace_kind_info(record->kind);

		if (i % chunk == 0 || columns_full(cost.columns, record->payload_size)) {
			if (i)
				end_chunk(&cost, sample);
			encoder_begin(&cost.encoder, cost.columns);
		}
		assert_int_equal(encoder_add(&cost.encoder, record, info->field_count,
					     info->direction != TRACE_SIDE),
				 0);
	}
	end_chunk(&cost, sample);
	assert_int_equal(cost.read, sample->count);
	bytes = cost.bytes;
	cost_release(&cost);
	return bytes;
}

static double frame_cost(size_t chunk, enum sample_lab kind)
{
	struct sample sample = { 0 };
	uint64_t frames = 0, frame_bytes = sample_network(&sample, PINGS, kind), bytes;
	double cost;

	for (size_t i = 0; i < sample.count; i++)
		frames += sample.record[i].kind == TRACE_kick;
	bytes = encode(&sample, chunk);
	cost = (double)(bytes - frame_bytes) / (double)frames;
	print_message("%zu records, %zu frames, chunks of %zu: %.2f bytes a frame above its own\n",
		      sample.count, (size_t)frames, chunk, cost);
	sample_release(&sample);
	return cost;
}

static void frame_costs_little_more_than_its_bytes(void **state)
{
	(void)state;
	assert_true(frame_cost(CHUNK_RECORDS_MAX, SAMPLE_IDLE) <= FRAME_BYTES);
}

/* A recorder writes what it has every 100 ms, and each chunk has to learn anew. */
static void frame_costs_little_in_small_chunks(void **state)
{
	(void)state;
	assert_true(frame_cost(3000, SAMPLE_IDLE) <= FRAME_BYTES);
}

/* Here the bytes are also those of timers that have nothing to do with frames. */
static void frame_costs_little_among_timers(void **state)
{
	(void)state;
	assert_true(frame_cost(CHUNK_RECORDS_MAX, SAMPLE_BUSY) <= BUSY_BYTES);
}

/* Each frame has a record then that says when it was sent. */
static void frame_with_jitter_costs_little(void **state)
{
	(void)state;
	assert_true(frame_cost(CHUNK_RECORDS_MAX, SAMPLE_JITTER) <= JITTER_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_costs_little_more_than_its_bytes),
		cmocka_unit_test(frame_costs_little_in_small_chunks),
		cmocka_unit_test(frame_costs_little_among_timers),
		cmocka_unit_test(frame_with_jitter_costs_little),
	};

	return cmocka_run_group_tests_name("format: network cost", tests, NULL, NULL);
}
