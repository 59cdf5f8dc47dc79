/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seed of a randomised test, and how long it goes on. Both are printed, so that a run that
 * failed can be repeated: TTREC_TEST_SEED=N TTREC_TEST_ROUNDS=N PROGRAM.
 */
#ifndef TTREC_TESTS_SEED_H
#define TTREC_TESTS_SEED_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* In place of a default seed: another one in each run. */
#define SEED_OF_CLOCK 0

static inline uint64_t test_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t number = text ? strtoull(text, NULL, 0) : otherwise;

	print_message("# %s=%" PRIu64 "\n", name, number);
	return number;
}

static inline uint64_t test_seed(uint64_t otherwise)
{
	return test_number("TTREC_TEST_SEED", otherwise ? otherwise : (uint64_t)time(NULL));
}

static inline uint64_t test_rounds(uint64_t otherwise)
{
	return test_number("TTREC_TEST_ROUNDS", otherwise);
}

#endif
