// SPDX-License-Identifier: BSD-3-Clause
/* What fuzz targets share, and their entry points. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[64];

/* What the code under test prints is of no interest; libFuzzer reports on standard error. */
static void fuzz_silence(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDOUT_FILENO) < 0)
		abort();
	close(null);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *parent = getenv("TMPDIR");

	(void)argc;
	(void)argv;
	fuzz_silence();
	snprintf(directory, sizeof(directory), "%s/fuzz-XXXXXX", parent ? parent : "/tmp");
	if (!mkdtemp(directory)) {
		perror(directory);
		abort();
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_one(data, size);
}

const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t most, size_t *size)
{
	const uint8_t *at = input->at;

	*size = input->left < most ? input->left : most;
	/* An empty input may be a null pointer. */
	if (*size)
		input->at += *size;
	input->left -= *size;
	return at;
}

static uint64_t fuzz_number(struct fuzz_input *input, size_t bytes)
{
	uint64_t value = 0;
	const uint8_t *at;
	size_t size;

	at = fuzz_bytes(input, bytes, &size);
	while (size--)
		value = value << 8 | at[size];
	return value;
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
	return (uint8_t)fuzz_number(input, 1);
}

uint16_t fuzz_u16(struct fuzz_input *input)
{
	return (uint16_t)fuzz_number(input, 2);
}

uint32_t fuzz_u32(struct fuzz_input *input)
{
	return (uint32_t)fuzz_number(input, 4);
}

uint64_t fuzz_u64(struct fuzz_input *input)
{
	return fuzz_number(input, 8);
}

unsigned int fuzz_below(struct fuzz_input *input, unsigned int limit)
{
	return fuzz_byte(input) % limit;
}

const char *fuzz_path(const char *name)
{
	static char path[8][128];
	static unsigned int next;
	char *text = path[next++ % 8];

	snprintf(text, sizeof(path[0]), "%s/%s", directory, name);
	return text;
}

void fuzz_store(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "we");

	if (!file || (size && fwrite(data, size, 1, file) != 1) || fclose(file)) {
		perror(path);
		abort();
	}
}

void fuzz_check(bool good, const char *file, int line, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* SplitMix64, Steele, Lea and Flood 2014. */
uint64_t fuzz_random(struct fuzz_random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

size_t fuzz_random_below(struct fuzz_random *random, size_t limit)
{
	return (size_t)(fuzz_random(random) % limit);
}

uint64_t fuzz_random_number(struct fuzz_random *random, uint64_t before)
{
	switch (fuzz_random_below(random, 6)) {
	case 0:
		return fuzz_random_below(random, 16);
	case 1:
		return 0 - (uint64_t)fuzz_random_below(random, 3);
	case 2:
		return (1ull << fuzz_random_below(random, 64)) - fuzz_random_below(random, 2);
	case 3:
		return before + 1 - 2 * fuzz_random_below(random, 2);
	case 4:
		return before ^ 1ull << fuzz_random_below(random, 64);
	default:
		return fuzz_random(random);
	}
}
