/* SPDX-License-Identifier: BSD-3-Clause */
/* Records to test with: realistic ones, and absurd ones. Shared by the tests of format/. */
#ifndef TTREC_TESTS_SAMPLE_H
#define TTREC_TESTS_SAMPLE_H

#include <stdbool.h>

#include "format/tttrace.h"

/* A small generator of random numbers: the same seed gives the same records on every machine. */
struct sample_random {
	uint64_t state;
};
uint64_t sample_random(struct sample_random *random);
uint64_t sample_below(struct sample_random *random, uint64_t limit);

/* Records that keep their payload. */
struct sample {
	struct trace_record *record;
	size_t count, room;
};
void sample_add(struct sample *sample, const struct trace_record *record);
void sample_release(struct sample *sample);

/*
 * Append the six messages of one timer event of one guest: it asks for @time, waits, is run there.
 * @seq and @run_seq count up.
 */
void sample_exchange(struct sample *sample, uint32_t guest, uint64_t offset, uint64_t now,
		     uint64_t time, uint64_t *seq, uint64_t *run_seq);

/* A recording as it happens: @guests guests that join, tick, print, read random bytes and end. */
void sample_recording(struct sample *sample, uint32_t guests, unsigned int events, uint64_t seed);

/*
 * A lab of two guests of which the one pings the other once a second through a network of 100 us:
 * two frames a ping, and now and then two of ARP. Busy guests look at the clock and have other
 * timers as well; with jitter each frame takes another time, up to twice as long. Ends with one of
 * each rarer record. Returns how many bytes all frames have.
 */
enum sample_lab { SAMPLE_IDLE, SAMPLE_BUSY, SAMPLE_JITTER };
uint64_t sample_network(struct sample *sample, unsigned int pings, enum sample_lab kind);

/* One record of arbitrary content; its payload points into static memory. */
void sample_absurd(struct sample_random *random, struct trace_record *record);

/* Fails the running test with both records when they differ. */
void sample_assert_equal(const struct trace_record *expected, const struct trace_record *actual);
bool sample_equal(const struct trace_record *a, const struct trace_record *b);

/* A file's content to embed: compressible to about half. */
void *sample_content(size_t size, uint64_t seed);

/* A small complete trace with every kind of frame in it, and the records of which are @sample. */
void sample_write_small(struct sample *sample, const char *path);

/* Write all of @sample to @path as a complete trace. */
void sample_write(const struct sample *sample, const char *path);

/* Read @path: it must begin as @sample. Returns the number of records; *@end is how it ended. */
size_t sample_read(const struct sample *sample, const char *path, int *end);

/* A new directory for the test's files, removed with its content at exit. */
const char *sample_directory(void);
/* "DIRECTORY/name"; stays valid, and a program can have 32 of them. */
const char *sample_path(const char *name);

/* A file's bytes, whole. */
void *sample_load(const char *path, size_t *size);
void sample_store(const char *path, const void *data, size_t size);

#endif
