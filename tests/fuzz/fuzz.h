/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What fuzz targets share. A target is a file fuzz_NAME.c with fuzz_one(), which is given one input
 * and finds faults with sanitizers and with fuzz_expect().
 *
 * An input that is not a file of its own kind is a list of decisions: fuzz_byte() and its kin take
 * them from its front, and give zeros once it is used up, so that every input means something.
 */
#ifndef TTREC_FUZZ_H
#define TTREC_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns 0, or -1: the input teaches nothing and is not to be kept. */
int fuzz_one(const uint8_t *data, size_t size);

/* Entry points and services of libFuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

uint8_t fuzz_byte(struct fuzz_input *input);
uint16_t fuzz_u16(struct fuzz_input *input);
uint32_t fuzz_u32(struct fuzz_input *input);
uint64_t fuzz_u64(struct fuzz_input *input);
/* Below @limit, which is at most 256. */
unsigned int fuzz_below(struct fuzz_input *input, unsigned int limit);
/* The next bytes, at most @most of them; *@size says how many there are. */
const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t most, size_t *size);

/* A file of this process, @name in a directory of its own. The text stays. */
const char *fuzz_path(const char *name);
void fuzz_store(const char *path, const void *data, size_t size);

/* End the program, as a fault that was found, unless @good. */
void fuzz_check(bool good, const char *file, int line, const char *what);
#define fuzz_expect(condition) fuzz_check((condition), __FILE__, __LINE__, #condition)

/* For custom mutators: the same seed makes the same changes. */
struct fuzz_random {
	uint64_t state;
};
uint64_t fuzz_random(struct fuzz_random *random);
size_t fuzz_random_below(struct fuzz_random *random, size_t limit);
/* A number at which something may break. */
uint64_t fuzz_random_number(struct fuzz_random *random, uint64_t before);

#endif
