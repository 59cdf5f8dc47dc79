/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The name table of a trace: the names of guests and of their devices, and the offset of each
 * guest's clock from the trace's, learned from its records. * Streaming: pass every record to
 * name_table_learn() in order, and query names at any time. Names come from the trace and are made
 * printable (printable.h).
 */
#ifndef TTREC_NAME_TABLE_H
#define TTREC_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/tttrace.h"

#define NAME_SIZE 64

struct named_device {
	uint32_t virtio_id;	  /* 1 net, 2 block, 3 console, 4 rng (VIRTIO 1.2, section 5) */
	char name[2 * NAME_SIZE]; /* as recorded: "net lan 02:01:7d:56:ae:80" */
	bool wired;		  /* a simulated network card: the next two are valid */
	char network[NAME_SIZE];
	uint8_t mac[6];
};

struct named_guest {
	char name[NAME_SIZE]; /* never empty: "guest 3" if the trace has no name */
	bool seen;	      /* some record is of it */
	uint64_t offset;      /* ns: its own time and this make the trace's, modulo 2^64 */
	uint64_t asked;	      /* enum trace_operation: its last message that was no ACK */
	struct named_device *device;
	size_t device_count;
};

/* Limit for all guests together; further ones are ignored. */
#define NAMED_DEVICES_MAX 65536

struct name_table {
	struct named_guest *guest; /* by index */
	size_t count;
	size_t device_count; /* of all of them */
};

/* Learn names from @record, if it has any. 0 or -ENOMEM. */
int name_table_learn(struct name_table *names, const struct trace_record *record);

/*
 * Its two halves, for callers that read the beginning of a trace ahead: names, once for each
 * record; state, each time that a record is read.
 */
int name_table_meet(struct name_table *names, const struct trace_record *record);
void name_table_follow(struct name_table *names, const struct trace_record *record);

void name_table_free(struct name_table *names);

/* "n1", or "guest 3" in @text; for any index. @names may be NULL, here and for names of devices. */
const char *name_table_guest(const struct name_table *names, uint32_t guest, char text[NAME_SIZE]);

/* NULL if the trace has not described it. */
const struct named_device *name_table_device(const struct name_table *names, uint32_t guest,
					     uint64_t device);

/*
 * The display name of @device of @guest, an index as in records: the name of its network if it is a
 * network card, else its name; with its number if that is ambiguous or unknown.
 */
#define DEVICE_NAME_SIZE (2 * NAME_SIZE + 32)
const char *name_table_device_name(const struct name_table *names, uint32_t guest, uint64_t device,
				   char text[DEVICE_NAME_SIZE]);

/* By name, or by number if no guest has that name. False: there is none (yet). */
bool name_table_find(const struct name_table *names, const char *word, uint32_t *guest);

#endif
