/* SPDX-License-Identifier: BSD-3-Clause */
/* What the trace has before a divergence: of the guest that diverged, and of its peers. */
#ifndef TTREC_CONTEXT_H
#define TTREC_CONTEXT_H

#include "format/text/name_table.h"
#include "format/tttrace.h"

#define CONTEXT_OWN	  20  /* records of the guest itself, at most */
#define CONTEXT_CONSOLE	  400 /* bytes that are shown of a console record: the last ones */
#define CONTEXT_PEER	  5   /* of each peer */
#define CONTEXT_PEERS_MAX 8

/* The last records of one guest, oldest first. */
struct context_guest {
	uint32_t guest;
	struct trace_record *record; /* with copies of their payloads */
	size_t count;
};

/* Number 0 is the guest itself, then its peers, the most recently active first. */
struct context {
	struct name_table names; /* the names known by then */
	struct context_guest guest[1 + CONTEXT_PEERS_MAX];
	size_t count;
	size_t peers; /* that there are in all; the others are left out */
};

/* Read the records before record @number of @guest in the trace at @path. */
int context_read(const char *path, uint32_t guest, uint64_t number, struct context *context);
void context_free(struct context *context);

#endif
