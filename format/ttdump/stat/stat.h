/* SPDX-License-Identifier: BSD-3-Clause */
/* What the parts of `ttdump stat` share. */
#ifndef TTREC_STAT_H
#define TTREC_STAT_H

#include "format/trace/reader.h"
#include "format/text/name_table.h"
#include "format/text/frames.h"
#include "format/ttdump/base/ttdump.h"

/* Unknown operations are counted together, and so are numbers beyond those that occur. */
#define STAT_OPS     (TRACE_OP_LIMIT + 1)
#define STAT_DEVICES 64
#define STAT_IRQS    64
#define STAT_LOSSES  (TRACE_LOSS_NOBODY + 2)

/* Messages by direction: from the guest, to the guest. */
enum { STAT_FROM, STAT_TO };

struct stat_device {
	uint64_t requests, kicks, calls, changes; /* changes of its configuration: calls, too */
	uint64_t to_bytes, from_bytes;		  /* of payload, to and from the guest */
	uint64_t frames[2], frame_bytes[2];	  /* sent and received */
	uint64_t lost;				  /* of those that it sent */
};

struct stat_guest {
	bool seen;		       /* it has more than lines that describe it */
	uint64_t records, first, last; /* ns: when its first and last records were made */
	uint64_t messages[2][STAT_OPS];
	uint64_t console, input, entropy;		    /* bytes */
	uint64_t digests, low, high;			    /* how many, and the hash of the last */
	uint64_t irqs[STAT_IRQS], probed, panics, warnings; /* seen by the probe */
	struct stat_device *device;
	uint32_t device_count;
	uint64_t span_records, span; /* in the millisecond that is counted */
};

struct stat_kind {
	uint64_t records, payload;
	uint64_t raw;	  /* bytes as fixed-size fields: what the columns save is against this */
	uint64_t encoded; /* bytes of the columns */
	double stored;	  /* bytes of the file, estimated */
};

struct stat_network {
	char name[NAME_SIZE];
	uint64_t frames, bytes;
	uint64_t lost[STAT_LOSSES];
};

/* A millisecond of virtual time, and what happened in it. */
struct stat_span {
	uint64_t ms, records;
	uint64_t messages, kicks, calls, frames, console;
	uint32_t guest; /* that has most of the records */
	uint64_t guest_records;
};

#define STAT_BUSIEST_MAX 1000

struct stat_data {
	const char *path;
	struct name_table names;
	struct frames *frames;
	struct stat_guest *guest;
	uint32_t guest_count;
	struct stat_kind kind[TRACE_KIND_LIMIT];
	struct stat_network *network;
	size_t network_count;
	struct stat_span span;	   /* that is counted */
	struct stat_span *busiest; /* those with most records, the first the busiest */
	uint32_t busiest_wanted, busiest_count;
	uint64_t records, virtual_ns, wall_ns;
	uint64_t file_bytes, frame_count;
	uint64_t record_bytes, artifact_bytes; /* of the file */
	uint64_t artifacts, artifact_size;     /* and unpacked */
};

/* ---- Counting ------------------------------------------------------------------------------ */

/* Count @record where it belongs. 0 or -ENOMEM. (stat_count.c) */
int stat_count(struct stat_data *stat, const struct trace_record *record);

/* Count @record to its millisecond; @frame: it completed one. (stat_busiest.c) */
void stat_busiest_add(struct stat_data *stat, const struct trace_record *record, bool frame);
/* The last millisecond is over. */
void stat_busiest_end(struct stat_data *stat);

/*
 * What each kind of record takes. The bytes of the columns are exact: what was taken from each
 * while a record was decoded. Their share of the compressed frame is not, because zstd compresses
 * columns whole, and small ones together: each column is compressed again on its own, the size of
 * the frame divided among columns in proportion to that, and among records by their bytes.
 * (stat_size.c)
 */
struct stat_sizer;
struct stat_sizer *stat_sizer_create(void);
void stat_sizer_free(struct stat_sizer *sizer);
/* The reader has just decoded a record of @kind. */
void stat_sizer_add(struct stat_sizer *sizer, const struct trace_reader *reader,
		    struct stat_kind *kind);
/* Where the bytes of the file go; whatever is left is head, end and index. 0 or an error. */
int stat_frames(struct stat_data *stat, int fd);

/* ---- Printing ------------------------------------------------------------------------------ */

void stat_print_text(const struct stat_data *stat, struct trace_reader *reader);
void stat_print_json(const struct stat_data *stat, struct trace_reader *reader);

/* "REQUEST", or "unknown"; "lan", or "dev3". */
const char *stat_op_name(size_t op);
const char *stat_device_name(const struct stat_data *stat, uint32_t guest, uint32_t device,
			     char text[2 * NAME_SIZE]);
uint64_t stat_raw_bytes(const struct stat_data *stat);
double stat_ratio(uint64_t raw, uint64_t packed);

#endif
