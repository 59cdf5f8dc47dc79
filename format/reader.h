/* SPDX-License-Identifier: BSD-3-Clause */
/* The reader from the inside. */
#ifndef TTREC_READER_H
#define TTREC_READER_H

#include "format/decode.h"
#include "format/frame_read.h"

struct trace_reader {
	int fd;
	int error; /* stays, until a seek */
	struct trace_header header;
	char names[FEATURE_NAMES_MAX];
	size_t names_size;
	struct frame_reader frames;
	struct decoder *decoder;
	uint64_t at;	/* number of the next record */
	uint64_t skip;	/* records before this one are decoded but not handed out */
	char problem[256];
};

/* A reader of an open file; takes @fd, also when it fails. */
int reader_open_fd(int fd, struct trace_reader **reader);

/* As trace_reader_next, but hands out records of unknown kinds as well. */
int reader_next_any(struct trace_reader *reader, struct trace_record *record,
		    unsigned int *field_count, bool *chained);

/* Check the end chunk against what was read. */
int reader_check_end(struct trace_reader *reader, const struct chunk *chunk);

/* Read and check the head of a file into @reader. */
int reader_head(struct trace_reader *reader);

#endif
