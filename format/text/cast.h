/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The name table of a trace: the names of guests and of their devices, and the offset of each
 * guest's clock from the trace's, learned from its records. * Streaming: pass every record to
 * cast_learn() in order, and query at any time what is known by then. Names come from the trace and
 * are made printable (printable.h).
 */
#ifndef TTREC_CAST_H
#define TTREC_CAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/tttrace.h"

#define CAST_NAME 64

struct cast_device {
	uint32_t virtio_id;	  /* 1 net, 2 block, 3 console, 4 rng (VIRTIO 1.2, section 5) */
	char name[2 * CAST_NAME]; /* as recorded: "net lan 02:01:7d:56:ae:80" */
	bool wired;		  /* a simulated network card: the next two are valid */
	char network[CAST_NAME];
	uint8_t mac[6];
};

struct cast_guest {
	char name[CAST_NAME]; /* never empty: "guest 3" if the trace has no name */
	bool seen;	      /* some record is of it */
	uint64_t offset;      /* ns: its own time and this make the trace's, modulo 2^64 */
	uint64_t asked;	      /* enum trace_operation: its last message that was no ACK */
	struct cast_device *device;
	size_t device_count;
};

/* Limit for all guests together; further ones are ignored. */
#define CAST_DEVICES_MAX 65536

struct cast {
	struct cast_guest *guest; /* by index */
	size_t count;
	size_t device_count; /* of all of them */
};

/* Learn names from @record, if it has any. 0 or -ENOMEM. */
int cast_learn(struct cast *cast, const struct trace_record *record);

/*
 * Its two halves, for callers that read the beginning of a trace ahead: names, once for each
 * record; state, each time that a record is read.
 */
int cast_meet(struct cast *cast, const struct trace_record *record);
void cast_follow(struct cast *cast, const struct trace_record *record);

void cast_free(struct cast *cast);

/* "n1", or "guest 3" in @text; for any index. @cast may be NULL, here and for names of devices. */
const char *cast_name(const struct cast *cast, uint32_t guest, char text[CAST_NAME]);

/* NULL if the trace has not described it. */
const struct cast_device *cast_device(const struct cast *cast, uint32_t guest, uint64_t device);

/*
 * The display name of @device of @guest, an index as in records: the name of its network if it is a
 * network card, else its name; with its number if that is ambiguous or unknown.
 */
#define CAST_DEVICE_TEXT (2 * CAST_NAME + 32)
const char *cast_device_name(const struct cast *cast, uint32_t guest, uint64_t device,
			     char text[CAST_DEVICE_TEXT]);

/* By name, or by number if no guest has that name. False: there is none (yet). */
bool cast_find(const struct cast *cast, const char *word, uint32_t *guest);

#endif
