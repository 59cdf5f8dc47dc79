/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the cursor share: cursor.c (the walk), cursor_compare.c (differences),
 * cursor_message.c, cursor_device.c, cursor_memory.c and cursor_probe.c (what is done with each
 * kind of record).
 */
#ifndef TTREC_CURSOR_INTERNAL_H
#define TTREC_CURSOR_INTERNAL_H

#include "replayer/cursor/cursor.h"
#include "replayer/cursor/interfaces.h"

#define CURSOR_BATCH 16

/* Text of what was expected and what came. */
#define CURSOR_TEXT 160

/* The buffers that a kick was done with, until their contents have been compared. */
struct cursor_kick {
	unsigned int device, queue;
	uint16_t head[VRING_SIZE_MAX];
	size_t count;
	bool compared; /* there was a taken record */
	bool offers; /* it is of a program's device: taken records are of what it made available */
	size_t at;   /* the buffer whose content comes next */
	size_t offset; /* in it, bytes */
};

/* What a device has written to a buffer that is not yet completed. */
struct cursor_written {
	uint64_t device, queue, head;
	uint64_t end; /* as far as it is written, bytes */
};

struct cursor {
	struct trace_reader *reader;
	struct guest *guest;
	const struct cursor_options *options;
	struct cursor_report *report;
	struct diagnosis *why;
	struct interfaces interfaces;
	struct wire_message batch[CURSOR_BATCH];
	size_t batch_count;
	bool start_acked;
	bool killed; /* when it was recorded, and all that was recorded up to then was replayed */
	/*
	 * Console output the recording has up to here and the guest has not been checked for yet.
	 */
	char *console;
	size_t console_size, console_space;
	uint8_t *block_hashes; /* parts of a digest's block hashes, to be completed */
	size_t hashes_size, hashes_space;
	bool probing;		  /* interrupts are compared */
	struct trace_record *irq; /* those to be taken before the guest's next message */
	size_t irq_count, irq_space;
	struct cursor_kick kick;
	struct cursor_written written;
	struct vring_chain chain;     /* the current one */
	struct vhost_message message; /* the one that is expected */
};

/*
 * The functions below return 0, 1 when the walk must end because of a difference, or a negative
 * errno.
 */

typedef int cursor_step(struct cursor *cursor, const struct trace_record *record);

/* ---- cursor_compare.c ----------------------------------------------------------------------- */

/*
 * Record a difference; only the first is described. @can_go_on: what follows can still be compared.
 */
int cursor_diverge(struct cursor *cursor, const struct trace_record *record, bool can_go_on,
		   const char *expected, const char *got);

/* Compare two texts of the console of a replaced guest; differences are only counted. */
void cursor_compare_text(struct cursor *cursor, const struct trace_record *record,
			 const char *expected, size_t expected_size, const char *got,
			 size_t got_size);

/* The trace contains something that no recorder writes. */
int cursor_doubt(struct cursor *cursor, const struct trace_record *record, const char *what);

void cursor_describe(const struct interface_event *event, char text[CURSOR_TEXT]);

/* Wait for the guest's next move; another one than @expected is a difference. */
int cursor_await(struct cursor *cursor, const struct trace_record *record,
		 const struct interface_event *expected, struct interface_event *event);

/* How long to wait for the guest's next move, ns; 0: forever. */
uint64_t cursor_patience(const struct cursor *cursor);

/*
 * The guest is blocked: the interrupts that it took since and what it wrote are complete, and must
 * be what the recording has.
 */
int cursor_compare_past(struct cursor *cursor, const struct trace_record *record);

/* ---- cursor_visit.c ------------------------------------------------------------------------- */

/* Call the visitor, if there is one, before @next. */
cursor_step cursor_visit;
/* The walk is over. */
int cursor_visit_end(struct cursor *cursor);

/* ---- What is done with a record ------------------------------------------------------------- */

/* cursor_message.c */
cursor_step cursor_replay_from, cursor_replay_to, cursor_replay_console, cursor_replay_entropy,
	cursor_replay_leave, cursor_replay_exit;
/* Send what is kept. Before each record but one that is sent, too. */
int cursor_flush(struct cursor *cursor);
/* What sending to the guest returned, unless the guest is the reason: its next record shows that.
 */
int cursor_sent(struct cursor *cursor, int err);

/* cursor_device.c */
cursor_step cursor_replay_attach, cursor_replay_request, cursor_replay_reply, cursor_replay_kick,
	cursor_replay_taken, cursor_replay_wrote, cursor_replay_used, cursor_replay_call,
	cursor_replay_called, cursor_replay_cut;
/* Give back what a kick was done with. Before each record but one of what it contains. */
cursor_step cursor_finish_kick;

/* cursor_probe.c */
cursor_step cursor_replay_irq, cursor_compare_irqs;
/* The guest has sent its START, and is blocked. */
void cursor_probe_attach(struct cursor *cursor);
/* Do not compare interrupts from here on, because of @format, ... */
void cursor_probe_stop(struct cursor *cursor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void cursor_probe_release(struct cursor *cursor);

/* cursor_memory.c */
cursor_step cursor_replay_digest;
/* Flip the bit that the options name. */
int cursor_flip_bit(struct cursor *cursor);

#endif
