/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording: sockets, guests and devices on one side, calendars and trace on the other.
 *
 * A round of the loop (session.c): descriptors are read (session_sources.h) and what came is put
 * into the inbox (session_inbox.h); the turn takes it out in a defined order (session_turn.h),
 * appends records to the journal (session_journal.h) and leaves effects (session_effects.h), which
 * the loop carries out (session_delivery.h).
 *
 * Clients that may only be run one after the other form a partition, with a calendar of its own.
 * Partitions are connected by networks with a delay, and run in parallel in windows of that length
 * (session_window.h). `ttrec serve` is one partition without windows.
 */
#ifndef TTREC_SESSION_H
#define TTREC_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/network/network.h"
#include "recorder/session/journal/session_merge.h"
#include "recorder/session/journal/session_options.h"
#include "recorder/session/journal/session_result.h"

struct guest;
struct probe;
struct session;

/*
 * Call process_hold_stop() before. @writer may be NULL: nothing is recorded; it stays the caller's.
 */
int session_create(const struct session_options *options, struct trace_writer *writer,
		   struct session **session);
void session_destroy(struct session *session);

/*
 * A partition in which @expected clients are waited for before time begins. All partitions are
 * added before anything else. Returns its number in *@partition.
 */
int session_add_partition(struct session *session, uint32_t expected, size_t *partition);

/* Accept clients on @fd in the first partition; taken over unless this fails. */
int session_listen(struct session *session, int fd);

/*
 * Serve the sandbox of @guest (stays the caller's), which was just opened. Guests are numbered from
 * 0 in the order in which they are added, in the trace, too.
 */
int session_add_guest(struct session *session, struct guest *guest,
		      const struct session_guest_options *options);

/* Judge the consoles of all guests together; each is the console of its number. */
void session_watch(struct session *session, struct watch *watch);

/* Record the interrupts of all guests as @probe sees them; stays the caller's, until after. */
int session_add_probe(struct session *session, struct probe *probe);

/* What answers at socket number @number of guest @guest; taken over, also on error. */
int session_add_device(struct session *session, size_t guest, unsigned int number,
		       struct device *device);

/* A device program, of which session_program.h says more. */
int session_add_program(struct session *session, const struct session_program_options *options,
			size_t *number);

/* Program number @program answers at socket number @number of guest @guest. */
int session_add_program_device(struct session *session, size_t guest, unsigned int number,
			       size_t program);

/*
 * A partition whose clients are another scheduler's, which listens at @path (stays the caller's):
 * all messages are relayed and recorded. It takes the place of session_add_partition(), is the
 * only partition, and has no devices but those of programs.
 */
int session_add_upstream(struct session *session, const char *path, size_t *partition);

/*
 * A network with ports in several partitions: its frames wait for the end of the window. @ports[i]
 * is port number i, in partition @partitions[i]. All stay the caller's.
 */
int session_add_network(struct session *session, struct network *network,
			struct network_port *const *ports, struct device *const *devices,
			const size_t *partitions, size_t count);

/*
 * Have @observer called for each record, in the order of the trace; not of what is written when the
 * host ends a recording while guests run, at any place.
 */
void session_observe(struct session *session, merge_observer *observer, void *context);

/*
 * Records of faults, whose times are known in advance, in the order of these times; they stay the
 * caller's. See merge_plan().
 */
void session_plan(struct session *session, const struct trace_record *records, size_t count);

/* Run until all clients have left or the recording is ended. Returns 0; the outcome is in @result.
 */
int session_run(struct session *session, struct session_result *result);

/*
 * How often the untimed program number @program interrupted guests when no guest waited for it: at
 * moments that this machine's clock chose.
 */
uint64_t session_program_unprompted(const struct session *session, size_t program);

/* Valid until the session is destroyed. */
const struct session_guest_result *session_guest_result(const struct session *session,
							size_t guest);

#endif
