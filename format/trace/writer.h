/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The writer from the inside.
 *
 * The recorder's thread encodes: a message becomes one to three bytes of columns, which is less
 * work than to hand the message itself to another CPU. Whole columns go through a queue to the
 * writer's thread, which compresses, hashes and writes; it also takes columns that are not full yet
 * when they have waited long enough. Columns are a fixed number, so memory is bounded: when all are
 * queued, appending waits.
 */
#ifndef TTREC_WRITER_H
#define TTREC_WRITER_H

#include <nettle/sha2.h>
#include <pthread.h>

#include "format/store/store.h"
#include "format/trace/frame_write.h"
#include "format/trace/codec/record_predictor.h"

#define WRITER_COLUMNS	4
#define WRITER_FLUSH_NS 100000000ULL
#define WRITER_LEVEL	3

/* A file to embed, in the order of the calls; worked on in steps, so that records never wait. */
struct embed {
	struct embed *next;
	char *path;
	const uint8_t *data; /* NULL: it is in @fd, from @offset on */
	int fd;
	uint64_t offset;
	uint64_t size;
	uint64_t done; /* bytes hashed, then bytes stored */
	uint32_t mode;
	uint32_t content; /* number of the content in the file */
	uint64_t origin;  /* offset of the first file frame with this content */
	uint8_t sha256[32];
	struct sha256_ctx hash;
	bool stored; /* its content is in the store */
	enum {
		EMBED_REFERENCE, /* to a content that is in a store already */
		EMBED_HASH,
		EMBED_CHECK, /* whether the store has it */
		EMBED_KEEP,  /* in the store */
		EMBED_STORE, /* in the trace */
		EMBED_DONE,
	} step;
};

struct trace_writer {
	pthread_mutex_t lock; /* what follows, up to the thread's own */
	pthread_cond_t work;  /* for the thread */
	pthread_cond_t done;  /* for the recorder */
	struct encoder encoder;
	struct columns *full, **full_end; /* to be written, oldest first */
	struct columns *empty;
	uint64_t flush_wanted; /* records that must be in the file */
	uint64_t flushed;      /* records that are */
	uint64_t file_bytes, artifact_bytes, stored_bytes;
	struct embed *embeds, **embeds_end;
	uint64_t embeds_wanted, embeds_done;
	int error; /* stays */
	bool closing;

	/* The thread's own. */
	pthread_t thread;
	uint64_t flush_ns;
	uint64_t deadline; /* when columns are taken even if they are not full */
	struct frame_writer frames;
	struct record_predictor predictor;
	struct embed *embedding; /* next to work on; those before it are done */
	uint8_t *piece, *other;	 /* what was read of a file, of the store; NULL: nothing was */
	char *store;		 /* directory; NULL: all is in the trace */
	uint64_t store_least;
	struct store_reader *checked; /* of the file that is compared with the store */
	struct store_writer *kept;    /* of the one that is put into it */
	uint32_t contents;
	uint64_t artifacts;
	uint64_t now; /* of the last chunk written */
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

/* As trace_writer_embed, of a content that is in a store already, with that hash. */
int writer_embed_stored(struct trace_writer *writer, const char *path, uint32_t mode, uint64_t size,
			const uint8_t sha256[32]);

/* The writer's thread. */
void *writer_run(void *writer);

/* Do one step (at most 1 MiB) of embedding. Returns 0, or the error that stays. */
int writer_embed_step(struct trace_writer *writer, struct embed *embed);
void writer_embed_free(struct embed *embed);

#endif
