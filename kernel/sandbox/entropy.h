/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest's getrandom(2) and /dev/random, answered through seccomp notifications. */
#ifndef TTREC_ENTROPY_H
#define TTREC_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The source field of an entropy record. */
enum entropy_source {
	ENTROPY_GETRANDOM,  /* getrandom(2): bytes go into the guest's buffer */
	ENTROPY_DEV_RANDOM, /* open of /dev/random or /dev/urandom: bytes to read from it */
};

/*
 * Bytes an opened /dev/random holds. A guest that reads on blocks there: nothing unrecorded comes.
 */
#define ENTROPY_DEVICE_BYTES (64u * 1024)
/*
 * How often a guest may open one: each open takes a descriptor of the recorder's and the bytes a
 * place in the trace. User-Mode Linux opens it once (arch/um/drivers/random.c).
 */
#define ENTROPY_OPENS_MAX 16
/* The most one getrandom(2) gives; the call may return less than was asked for. */
#define ENTROPY_CALL_MAX (64u * 1024)

struct sandbox;

struct entropy_request {
	enum entropy_source source;
	uint64_t requested; /* bytes the guest asked for; ENTROPY_DEVICE_BYTES for an open */
	uint64_t id;	    /* of the notification */
	pid_t pid;
	uint64_t address; /* of the guest's buffer */
};

/* A stream of bytes that depends on nothing but @seed, @id and how much was taken before. */
struct entropy_stream;
int entropy_stream_create(uint64_t seed, uint64_t id, struct entropy_stream **stream);
void entropy_stream_take(struct entropy_stream *stream, void *data, size_t size);
void entropy_stream_destroy(struct entropy_stream *stream);

/*
 * One notification of the guest in @sandbox. Other notifications are answered or allowed here
 * (host_facts.h). Returns 1 if @request asks for bytes, 0 if there is nothing to answer (also if
 * the process has died), -EPIPE if no process is left, or another negative errno.
 */
int entropy_receive(const struct sandbox *sandbox, struct entropy_request *request);

/*
 * Answer with @size bytes, at most request->requested; 0 bytes refuse an open. *@held receives the
 * write end of the pipe that serves as the opened /dev/random (keep it open until the guest ends),
 * else -1.
 */
int entropy_answer(int fd, const struct entropy_request *request, const void *data, size_t size,
		   int *held);

#endif
