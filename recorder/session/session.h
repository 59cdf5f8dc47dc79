/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording: sockets, guests and devices on one side, calendars and trace on the other.
 *
 * A round of the loop (session.c): descriptors are read (session_sources.h) and their input becomes
 * events in the inbox (session_inbox.h); the turn takes these in a defined order (session_turn.h),
 * appends records to the journal (session_journal.h) and leaves effects (session_effects.h), which
 * the loop carries out (session_delivery.h).
 *
 * A partition is a set of clients that run one at a time; it has its own calendar. Partitions are
 * connected by networks with a delay, and run in parallel in windows of that length
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

/* Call process_hold_stop() first. @writer stays the caller's; NULL records nothing. */
int session_create(const struct session_options *options, struct trace_writer *writer,
		   struct session **session);
void session_destroy(struct session *session);

/*
 * Add a partition that waits for @expected clients before time starts. Add all partitions before
 * anything else. Returns its number in *@partition.
 */
int session_add_partition(struct session *session, uint32_t expected, size_t *partition);

/* Accept clients on @fd in the first partition. Takes ownership of @fd unless it fails. */
int session_listen(struct session *session, int fd);

/*
 * Serve the sandbox of @guest, which was just opened and stays the caller's. Guests are numbered
 * from 0 in the order in which they are added, also in the trace.
 */
int session_add_guest(struct session *session, struct guest *guest,
		      const struct session_guest_options *options);

/* Judge the consoles of all guests together; a console has the number of its guest. */
void session_watch(struct session *session, struct watch *watch);

/*
 * Record the interrupts that @probe sees in all guests. @probe stays the caller's and must outlive
 * the session.
 */
int session_add_probe(struct session *session, struct probe *probe);

/*
 * Serve socket number @number of guest @guest with a device. Takes ownership of it, also on error.
 */
int session_add_device(struct session *session, size_t guest, unsigned int number,
		       struct device *device);

/* Add a device program, see session_program.h. */
int session_add_program(struct session *session, const struct session_program_options *options,
			size_t *number);

/* Serve socket number @number of guest @guest with program number @program. */
int session_add_program_device(struct session *session, size_t guest, unsigned int number,
			       size_t program);

/*
 * Add a partition whose clients are scheduled by another scheduler, which listens at @path (stays
 * the caller's): all messages are relayed and recorded. Called in place of session_add_partition();
 * there is only this partition, and its only devices are those of programs.
 */
int session_add_upstream(struct session *session, const char *path, size_t *partition);

/*
 * Add a network with ports in several partitions: its frames wait for the end of the window.
 * @ports[i] is port number i, in partition @partitions[i]. All stay the caller's.
 */
int session_add_network(struct session *session, struct network *network,
			struct network_port *const *ports, struct device *const *devices,
			const size_t *partitions, size_t count);

/*
 * Call @observer for each record in the order of the trace, except for those written when the host
 * ends a recording while guests run: their place is arbitrary.
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
 * How often the untimed program number @program interrupted guests that were not waiting for it,
 * that is, at times that depend on the host's clock.
 */
uint64_t session_program_unprompted(const struct session *session, size_t program);

/* Valid until the session is destroyed. */
const struct session_guest_result *session_guest_result(const struct session *session,
							size_t guest);

#endif
