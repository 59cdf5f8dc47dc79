/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest for the cursor without a kernel: a process that speaks the guest's half at every
 * interface, and the trace of what it does.
 *
 * It always lives the same life: it connects for time and to device 0, sets up two vrings, prints,
 * sends a frame, waits, is interrupted for a frame that came, prints what was in it, leaves and
 * ends. A twist is one thing that it does differently.
 */
#ifndef TTREC_TEST_FAKE_GUEST_H
#define TTREC_TEST_FAKE_GUEST_H

#include "kernel/guest/guest.h"
#include "tests/kernel/vhost/ring_builder.h"

enum fake_twist {
	FAKE_TRUE,
	FAKE_OTHER_TIME,
	FAKE_OTHER_SEQ,
	FAKE_OTHER_CONSOLE,
	FAKE_OTHER_DEVICE,
	FAKE_OTHER_REQUEST,
	FAKE_OTHER_FLAGS,
	FAKE_OTHER_VALUE,
	FAKE_OTHER_BODY,
	FAKE_OTHER_SIZE,
	FAKE_OTHER_QUEUE,
	FAKE_NO_FRAME,
	FAKE_OTHER_FRAME,
	FAKE_SHORT_FRAME,
	FAKE_LONG_FRAME,
	FAKE_NO_BUFFER,
	FAKE_SMALL_BUFFER,
	FAKE_OTHER_CALLED,
	FAKE_NONSENSE,
	FAKE_SILENT,
	FAKE_DIES,
	FAKE_OTHER_STATUS,
	FAKE_CLOSES, /* its device, before it leaves: nothing that is compared */
};

/* The guest's ends of its connections; -1: not open. */
struct fake_interfaces {
	int time, device, calls, console, supervisor;
};

struct fake_guest;

/* Called in the process of the guest, before each thing that it does and can be seen. */
typedef void fake_disturb(struct fake_guest *fake, struct fake_interfaces *interfaces);

struct fake_guest {
	struct guest guest; /* as the cursor gets it */
	struct guest_spec spec;
	struct builder_memory memory;
	struct ring_builder ring[2];
	pid_t pid;
	fake_disturb *disturb; /* may be NULL */
};

void fake_guest_start(struct fake_guest *fake, enum fake_twist twist);
void fake_guest_start_disturbed(struct fake_guest *fake, enum fake_twist twist,
				fake_disturb *before);
void fake_guest_end(struct fake_guest *fake);

/* ---- Its trace ------------------------------------------------------------------------------ */

#define FAKE_RECORDS_MAX 640

struct fake_trace {
	struct trace_record record[FAKE_RECORDS_MAX];
	size_t count;
};

/* What a recorder writes of a guest without a twist. Payloads are static. */
void fake_trace_make(struct fake_trace *trace);

/* The record of this kind, counted from 0. */
struct trace_record *fake_trace_find(struct fake_trace *trace, enum trace_kind kind,
				     unsigned int which);

/* Put @record before place @at. */
void fake_trace_insert(struct fake_trace *trace, size_t at, const struct trace_record *record);

/* Write it to a file and open that for reading. */
struct trace_reader *fake_trace_open(const struct fake_trace *trace);

#endif
