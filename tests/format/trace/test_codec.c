// SPDX-License-Identifier: BSD-3-Clause
/*
 * Properties of the coder, without any file: whatever goes in comes out, however absurd, and
 * whatever bytes the decoder is given, it ends with an answer.
 *
 * TTREC_TEST_SEED repeats a run, TTREC_TEST_ROUNDS makes it longer.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "format/trace/codec/decode.h"
#include "format/trace/codec/encode.h"
#include "tests/format/trace/sample.h"
#include "tests/seed.h"

struct coder {
	struct encoder encoder;
	struct columns *columns;
	struct record_predictor predictor;
	struct decoder *decoder;
	uint8_t *content;
	size_t size;
};

static void coder_init(struct coder *coder)
{
	memset(coder, 0, sizeof(*coder));
	assert_int_equal(columns_create(&coder->columns), 0);
	assert_int_equal(decoder_create(&coder->decoder), 0);
	coder->content = malloc(CHUNK_CONTENT_MAX);
	assert_non_null(coder->content);
}

static void coder_release(struct coder *coder)
{
	encoder_release(&coder->encoder);
	columns_destroy(coder->columns);
	decoder_destroy(coder->decoder);
	free(coder->content);
}

static void join_segments(struct coder *coder)
{
	struct segment segments[COLUMNS_SEGMENTS];

	columns_content(coder->columns, &coder->predictor, 0, segments);
	coder->size = 0;
	for (size_t i = 0; i < COLUMNS_SEGMENTS; i++) {
		memcpy(coder->content + coder->size, segments[i].data, segments[i].size);
		coder->size += segments[i].size;
	}
}

/* Encode one chunk of up to @count absurd records into coder->content; they end up in @sample. */
static void encode_absurd(struct coder *coder, struct sample_random *random, size_t count,
			  struct sample *sample)
{
	encoder_begin(&coder->encoder, coder->columns);
	while (count--) {
		const struct trace_kind_info *info;
		struct trace_record record;

		sample_absurd(random, &record);
		info = trace_kind_info(record.kind);
		if (columns_full(coder->columns, record.payload_size))
			break;
		assert_int_equal(encoder_add(&coder->encoder, &record, info->field_count,
					     info->direction != TRACE_SIDE),
				 0);
		sample_add(sample, &record);
	}
	join_segments(coder);
}

static void decode_all(struct coder *coder, const struct sample *sample)
{
	struct trace_record record;
	unsigned int field_count;
	bool chained;

	assert_int_equal(decoder_begin(coder->decoder, coder->content, coder->size), 0);
	for (size_t i = 0; i < sample->count; i++) {
		struct trace_record expected = sample->record[i];

		expected.number = coder->columns->first_number + i;
		assert_int_equal(decoder_next(coder->decoder, &record, &field_count, &chained), 1);
		sample_assert_equal(&expected, &record);
	}
	assert_int_equal(decoder_next(coder->decoder, &record, &field_count, &chained), 0);
}

static void absurd_records_come_back(void **state)
{
	uint64_t seed = test_seed(SEED_OF_CLOCK);
	uint64_t rounds = test_rounds(60);
	struct sample_random random = { seed };
	struct coder coder;

	(void)state;
	coder_init(&coder);
	while (rounds--) {
		struct sample sample = { 0 };
		size_t count = 1 + sample_below(&random, sample_below(&random, 4) ? 300 : 16384);

		encode_absurd(&coder, &random, count, &sample);
		decode_all(&coder, &sample);
		sample_release(&sample);
	}
	for (uint32_t i = 0; i < coder.encoder.predictor.guest_limit; i++)
		assert_int_equal(coder.encoder.predictor.guests[i].chain,
				 coder.decoder->predictor.guests[i].chain);
	coder_release(&coder);
}

/* The widest a chunk can get: every prediction wrong, every number at its longest. */
static void widest_chunk_fits(void **state)
{
	struct sample_random random = { test_seed(1) };
	struct sample sample = { 0 };
	struct coder coder;

	(void)state;
	coder_init(&coder);
	encoder_begin(&coder.encoder, coder.columns);
	for (uint32_t i = 0; !columns_full(coder.columns, 0); i++) {
		struct trace_record record = {
			.kind = i & 1 ? TRACE_from : TRACE_digest,
			.guest = TRACE_GUEST_LIMIT - 1 - i,
			.now = 1 + sample_random(&random),
			.field = { sample_random(&random), sample_random(&random),
				   sample_random(&random), i & 1 ? 0 : sample_random(&random) },
		};

		assert_int_equal(encoder_add(&coder.encoder, &record, i & 1 ? 3 : 4, true), 0);
		sample_add(&sample, &record);
	}
	join_segments(&coder);
	assert_int_equal(sample.count, CHUNK_RECORDS_MAX);
	assert_true(coder.size <= CHUNK_CONTENT_MAX);
	decode_all(&coder, &sample);
	sample_release(&sample);
	coder_release(&coder);
}

/* Decode whatever it is; what matters is that it ends, and that sanitizers stay silent. */
static void decode_anything(const uint8_t *content, size_t size)
{
	/* Exactly as large as the content: reading behind it is found out. */
	uint8_t *copy = malloc(size);
	struct trace_record record;
	struct decoder *decoder;
	unsigned int field_count;
	uint64_t sum = 0;
	bool chained;
	int got = 0;

	memcpy(copy, content, size);
	assert_int_equal(decoder_create(&decoder), 0);
	if (!decoder_begin(decoder, copy, size))
		while ((got = decoder_next(decoder, &record, &field_count, &chained)) > 0)
			for (size_t i = 0; i < record.payload_size; i++)
				sum += ((const uint8_t *)record.payload)[i];
	assert_true(got == 0 || got == -EBADMSG);
	assert_true(got == 0 || decoder->problem);
	assert_true(sum < UINT64_MAX);
	decoder_destroy(decoder);
	free(copy);
}

static void any_content_is_decoded_or_refused(void **state)
{
	uint64_t seed = test_seed(SEED_OF_CLOCK);
	uint64_t rounds = test_rounds(60) * 100;
	struct sample_random random = { seed };
	struct sample sample = { 0 };
	struct coder coder;

	(void)state;
	coder_init(&coder);
	encode_absurd(&coder, &random, 40, &sample);
	while (rounds--) {
		size_t at = sample_below(&random, coder.size);
		uint8_t before = coder.content[at];
		size_t size = sample_below(&random, 8) ? coder.size
						       : CHUNK_HEAD_SIZE + at % (coder.size - 31);

		coder.content[at] = (uint8_t)sample_random(&random);
		decode_anything(coder.content, size);
		if (sample_below(&random, 4))
			coder.content[at] = before;
		if (sample_below(&random, 50) == 0) {
			sample_release(&sample);
			encode_absurd(&coder, &random, 40, &sample);
		}
	}
	sample_release(&sample);
	coder_release(&coder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absurd_records_come_back),
		cmocka_unit_test(widest_chunk_fits),
		cmocka_unit_test(any_content_is_decoded_or_refused),
	};

	return cmocka_run_group_tests_name("format: coder", tests, NULL, NULL);
}
