/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader from the inside. */
#ifndef TTREC_READER_H
#define TTREC_READER_H

#include "format/base/cleanup.h"
#include "format/trace/codec/decode.h"
#include "format/trace/frame_read.h"

/* Where an embedded file is: at or after @position is the next frame of a file. */
struct artifact_place {
	char *path;
	uint64_t position;
};

struct trace_reader {
	int fd;
	char *directory; /* where the trace is */
	int error;	 /* stays, until a seek */
	bool usable;	 /* the head was accepted */
	struct trace_header header;
	char names[FEATURE_NAMES_MAX];
	size_t names_size;
	struct frame_reader frames;
	struct decoder *decoder;
	struct frame_reader artifacts; /* a second position, for embedded files */
	struct artifact_place *places; /* of all files, once one was looked for by its path */
	size_t place_count;
	bool places_searched;
	int places_error; /* what ended the search for more */
	uint64_t files;	  /* file frames seen */
	uint64_t at;	  /* number of the next record */
	uint64_t skip;	  /* records before this one are not handed out */
	char problem[256];
};

static inline void reader_cleanup(struct trace_reader **reader)
{
	trace_reader_close(*reader);
}

#define auto_reader cleanup(reader_cleanup) struct trace_reader

/* As trace_reader_next, but hands out records of unknown kinds as well. */
int reader_next_any(struct trace_reader *reader, struct trace_record *record,
		    unsigned int *field_count, bool *chained);

struct index_item;

/*
 * Go on with the records chunk at @start, or from the beginning if that is all zeros, and follow
 * @guest. Returns 0, or the error that made the reader unusable.
 */
int reader_go(struct trace_reader *reader, const struct index_item *start, uint32_t guest);

/* The content of a file chunk. */
struct artifact_entry {
	uint64_t next; /* offset of the frame after it */
	uint64_t size;
	uint64_t origin;
	uint32_t content;
	uint32_t mode;
	bool stored; /* in a store, not in the trace */
	uint8_t sha256[32];
	char path[ARTIFACT_PATH_MAX + 1];
};

/*
 * The first file chunk at or after *@position, which is moved behind it. @index says whether the
 * index may be used to skip frames. Returns 1, 0 when there is none, or an error.
 */
int artifact_find(struct trace_reader *reader, uint64_t *position, bool index,
		  struct artifact_entry *entry);

/* Called with the parts of a content, in order. Returns 0 or an error that ends the reading. */
typedef int artifact_sink(void *context, const uint8_t *data, size_t size);

/*
 * Hand the whole content to @sink (may be NULL) and check its SHA-256. Returns 0, -EBADMSG, -EPIPE
 * when it is not all there, -ENODATA when it is in a store that is not here, -ESTALE when that has
 * another one, or the error of @sink.
 */
int artifact_read(struct trace_reader *reader, const struct artifact_entry *entry,
		  artifact_sink *sink, void *context);

/* The same into @fd, as trace_reader_copy does. */
int artifact_copy(struct trace_reader *reader, const struct artifact_entry *entry, int fd,
		  uint64_t max_bytes);

/* Free what trace_reader_find remembers. */
void artifact_forget(struct trace_reader *reader);

#endif
