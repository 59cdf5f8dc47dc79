/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hashes of a lab's disk images, computed by a thread beside the recording: no guest waits for
 * them. They are in the trace from its end on, as the embedded file RUN_DISKS_NAME.
 */
#ifndef TTREC_RUN_DISKS_H
#define TTREC_RUN_DISKS_H

#include "recorder/run/run_settings.h"

/* Lines "GUEST DEVICE HASH", see ttrace(5). */
#define RUN_DISKS_NAME "/ttrec/disks"

struct run_disks;

/*
 * Begin; *@disks is NULL where no disk has an image. The thread runs on the CPUs of the caller.
 * Images of disks that are to be embedded, or with @embed all, are embedded and not hashed.
 */
int run_disks_start(const struct lab *lab, bool embed, struct trace_writer *writer,
		    struct run_disks **disks);

/*
 * Wait for the hashes and put them into the trace. An image that changed meanwhile has none:
 * *@changed is the path of the first such one, or NULL. @disks may be NULL; it must stay until the
 * writer is closed.
 */
int run_disks_finish(struct run_disks *disks, struct trace_writer *writer, const char **changed);

/* Also ends the thread. */
void run_disks_destroy(struct run_disks *disks);

/* The hashes that the trace has, for the disks of @settings. 0 or an error of reading. */
int run_disks_read(struct trace_reader *reader, struct run_settings *settings);

#endif
