/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The descriptors of a session: which are readable, and how much of each is read.
 *
 * sources_read() is one round: it polls all descriptors at once and reads the readable ones
 * (session_readers.c), which puts events into the inbox. From each it takes no more than was there
 * at the poll; the rest is read in the next round, without waiting. So everything that a
 * participant did before an event is in the inbox by then, whichever descriptor reports it.
 */
#ifndef TTREC_SESSION_SOURCES_H
#define TTREC_SESSION_SOURCES_H

#include <stddef.h>

#include "recorder/session/session_inbox.h"

struct epoll_event;

struct sources {
	int epoll_fd;
	struct epoll_event *ready; /* room for all that are open */
	size_t ready_space, open;
	struct source **requeued; /* with input that the last round left */
	size_t requeued_count, requeued_space;
	struct source **spare; /* room for the list while the previous one is processed */
	size_t spare_space;
	struct source **paused; /* until their events in the inbox are taken */
	size_t paused_count, paused_space;
	uint64_t round;
	struct inbox *inbox;
	int error; /* -ENOMEM: an event was lost */
};

int sources_init(struct sources *sources, struct inbox *inbox);
void sources_release(struct sources *sources);

/* Read @fd, which stays the caller's, as a source of @owner. 0 or -errno. */
int source_open(struct sources *sources, struct source *source, enum source_kind kind, int fd,
		void *owner);

/* Call it before the descriptor is closed. Does nothing to a source that is not open. */
void source_close(struct sources *sources, struct source *source);

/* For readers: not all input was read. */
void source_requeue(struct sources *sources, struct source *source);

/* Waits at most @timeout ms for input. */
void sources_read(struct sources *sources, int timeout);

/* Its events could not be taken yet: do not read it until they are. */
void sources_pause(struct sources *sources);

/* session_readers.c: read @source and put what came into the inbox. */
void source_read(struct sources *sources, struct source *source);

#endif
