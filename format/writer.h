/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer from the inside: a ring of records between the recorder's thread (producer) and the
 * thread that encodes, compresses and writes (consumer).
 */
#ifndef TTREC_WRITER_H
#define TTREC_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "format/frame_write.h"

#define WRITER_RING_SIZE (4u * 1024 * 1024)
/* The consumer is woken when this much waits: about a chunk of messages. */
#define WRITER_WAKE_SIZE (512u * 1024)
#define WRITER_FLUSH_NS	 100000000ULL
#define WRITER_LEVEL	 3
#define CACHE_LINE	 64

/*
 * A record in the ring: this, field_count u64, the payload, padding to 8. An entry never wraps; a
 * kind of 0 says that the next one stands at the ring's start.
 */
struct ring_entry {
	uint64_t now;
	uint32_t payload_size;
	uint16_t guest;
	uint8_t kind;
	uint8_t field_count : 7;
	uint8_t chained : 1;
	uint64_t field[];
};
_Static_assert(sizeof(struct ring_entry) == 16, "entries are packed");

/* A file to embed, in the order of the calls; consumed step by step so that records never wait. */
struct embed {
	struct embed *next;
	char *path;
	const uint8_t *data;
	uint64_t size;
	uint64_t done; /* bytes hashed, then bytes stored */
	uint32_t mode;
	uint32_t content; /* number of the content in the file */
	uint8_t sha256[32];
	void *hash; /* EVP_MD_CTX while hashing, NULL afterwards */
	enum { EMBED_HASH, EMBED_STORE, EMBED_DONE } step;
};

struct trace_writer {
	/* The producer's own. */
	uint8_t *ring;
	uint64_t tail;	    /* bytes ever put in */
	uint64_t tail_limit; /* up to here there is room for sure */
	uint64_t wake_at;
	uint64_t next_number;

	_Alignas(CACHE_LINE) _Atomic uint64_t published; /* tail, for the consumer */
	_Alignas(CACHE_LINE) _Atomic uint64_t consumed;	 /* head, for the producer */
	_Atomic int error;
	_Atomic uint64_t file_bytes;
	_Atomic uint64_t artifact_bytes;

	pthread_mutex_t lock; /* what follows, up to the consumer's own */
	pthread_cond_t work;  /* for the consumer */
	pthread_cond_t done;  /* for the producer */
	bool poke;	      /* look at the ring now */
	bool closing;
	uint64_t flush_wanted; /* bytes of the ring that must be in the file */
	uint64_t flushed;
	uint64_t embeds_wanted, embeds_done;
	struct embed *embeds, **embeds_end;

	/* The consumer's own. */
	pthread_t thread;
	uint64_t flush_ns;
	struct encoder *encoder;
	struct frame_writer frames;
	struct embed *embedding; /* next to work on; those before it are done */
	uint32_t contents;
	uint64_t artifacts;
};

/* Append any record, also of a kind that this version does not know. */
int writer_append(struct trace_writer *writer, const struct trace_record *record,
		  unsigned int field_count, bool chained, uint64_t *number);

/*
 * As trace_writer_create, but with @header (its version is ignored) instead of a fresh one, and the
 * names of the features in it: at most FEATURE_NAMES_MAX bytes.
 */
int writer_create(const char *path, const struct trace_writer_options *options,
		  const struct trace_header *header, const char *names, size_t names_size,
		  struct trace_writer **writer);

/* The consumer's thread. */
void *writer_run(void *writer);

/* Do at most one step (1 MiB) of embedding. Returns 0, or the error that stays. */
int writer_embed_step(struct trace_writer *writer, struct embed *embed);
void writer_embed_free(struct embed *embed);

#endif
