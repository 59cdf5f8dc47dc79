// SPDX-License-Identifier: BSD-3-Clause
/* The bytes of a seed: old traces have them, so they stay what they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/entropy.h"

/* Seed 7, guest 8: ChaCha20 of zeros, its key the SHA-256 of "ttrec:" and both numbers. */
static const uint8_t expected[100] = {
	0x4d, 0xd5, 0x5a, 0x42, 0x0d, 0x93, 0x07, 0xfd, 0xe3, 0xd6, 0x9d, 0xc4, 0xf9, 0x18, 0x92,
	0xfe, 0x49, 0x33, 0x9c, 0x94, 0x33, 0x17, 0x1d, 0x80, 0x27, 0x05, 0x4c, 0x9f, 0xd8, 0xa9,
	0x3e, 0xfa, 0x9e, 0xe0, 0xdb, 0x4b, 0x2c, 0xf1, 0xee, 0xbf, 0x7e, 0x43, 0x81, 0x95, 0xdc,
	0xab, 0x84, 0x35, 0x2b, 0xc6, 0xb3, 0x11, 0x8f, 0xc9, 0xc9, 0x0c, 0xde, 0xda, 0x0c, 0x63,
	0xe8, 0xa2, 0x09, 0xa6, 0x2b, 0x7f, 0x75, 0xf3, 0xbe, 0xe5, 0xad, 0xb5, 0x3d, 0xf9, 0x3d,
	0x3b, 0xa1, 0xc0, 0x15, 0x2f, 0x1b, 0xfd, 0xc6, 0x39, 0xf6, 0x56, 0x16, 0xe6, 0xc4, 0x8e,
	0x71, 0x8a, 0x69, 0x42, 0x33, 0xb5, 0xa3, 0x6e, 0xea, 0xba,
};

static void take_in_pieces(const size_t *piece, size_t count)
{
	uint8_t bytes[sizeof(expected)];
	struct entropy_stream *stream;
	size_t done = 0;

	assert_int_equal(entropy_stream_create(7, 8, &stream), 0);
	for (size_t i = 0; i < count; done += piece[i++])
		entropy_stream_take(stream, bytes + done, piece[i]);
	entropy_stream_destroy(stream);
	assert_int_equal(done, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(bytes));
}

static void a_seed_has_its_bytes(void **state)
{
	const size_t pieces[] = { sizeof(expected) };

	(void)state;
	take_in_pieces(pieces, ARRAY_SIZE(pieces));
}

static void pieces_do_not_matter(void **state)
{
	const size_t pieces[] = { 1, 63, 0, 3, 29, 4 }, across[] = { 65, 35 };

	(void)state;
	take_in_pieces(pieces, ARRAY_SIZE(pieces));
	take_in_pieces(across, ARRAY_SIZE(across));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_has_its_bytes),
		cmocka_unit_test(pieces_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
