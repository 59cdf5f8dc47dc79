/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is who in a trace: the names of guests and of their devices, and how far each guest's clock
 * is from the trace's, learned from its records.
 *
 * Streaming: hand every record to cast_learn() in order, and ask at any time what is known by
 * then. Names are the trace's to choose; what is handed out here is printable (printable.h).
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
	bool wired;		  /* a card of ours in a network: the next two hold */
	char network[CAST_NAME];
	uint8_t mac[6];
};

struct cast_guest {
	char name[CAST_NAME]; /* never empty: "guest 3" when the trace does not say */
	bool seen;	      /* some record is of it */
	uint64_t offset;      /* ns: its own time and this make the trace's, modulo 2^64 */
	uint64_t asked;	      /* enum trace_operation: its last message that was no ACK */
	struct cast_device *device;
	size_t device_count;
};

/* Of all guests together; what a trace says of more is not kept. */
#define CAST_DEVICES_MAX 65536

struct cast {
	struct cast_guest *guest; /* by index */
	size_t count;
	size_t device_count; /* of all of them */
};

/* Learn from @record if it tells of anybody. 0 or -ENOMEM. */
int cast_learn(struct cast *cast, const struct trace_record *record);

/*
 * Its two halves, for who reads a trace's beginning ahead: who is who, once for each record; what
 * goes on, each time that it is read.
 */
int cast_meet(struct cast *cast, const struct trace_record *record);
void cast_follow(struct cast *cast, const struct trace_record *record);

void cast_free(struct cast *cast);

/* "n1", or "guest 3" in @text; for any index. @cast may be NULL, here and for names of devices. */
const char *cast_name(const struct cast *cast, uint32_t guest, char text[CAST_NAME]);

/* NULL when the trace has not told of it. */
const struct cast_device *cast_device(const struct cast *cast, uint32_t guest, uint64_t device);

/*
 * What to call @device of @guest, an index as in records: the name of its network if it is a
 * network card, else its name; with its number where that does not tell it from another one, or
 * nothing is known.
 */
#define CAST_DEVICE_TEXT (2 * CAST_NAME + 32)
const char *cast_device_name(const struct cast *cast, uint32_t guest, uint64_t device,
			     char text[CAST_DEVICE_TEXT]);

/* By name, or by number where no guest has that name. False: there is none (yet). */
bool cast_find(const struct cast *cast, const char *word, uint32_t *guest);

#endif
