/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The descriptors of a session: which are readable, and what is read of them.
 *
 * sources_read() is one round: it asks for all descriptors at once, has each that is readable read
 * (session_readers.c), and puts what came into the inbox. Of one descriptor a round takes no more
 * than what was there when it was asked for; the rest is read in the next round, without waiting.
 * So everything that a participant did before an event is in the inbox by then, whichever
 * descriptor reports it.
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
	struct source **requeued; /* with more to be read than their round took */
	size_t requeued_count, requeued_space;
	struct source **spare; /* room for the list while the one before it is worked off */
	size_t spare_space;
	struct source **paused; /* until what is in the inbox of them was taken */
	size_t paused_count, paused_space;
	uint64_t round;
	struct inbox *inbox;
	int error; /* -ENOMEM: something was lost */
};

int sources_init(struct sources *sources, struct inbox *inbox);
void sources_release(struct sources *sources);

/* Have @fd, which stays the caller's, read as a source of @owner. 0 or -errno. */
int source_open(struct sources *sources, struct source *source, enum source_kind kind, int fd,
		void *owner);

/* Before its descriptor is closed; does nothing to one that is not open. */
void source_close(struct sources *sources, struct source *source);

/* For readers: there is more. */
void source_requeue(struct sources *sources, struct source *source);

/* Waits at most @timeout ms for something to come. */
void sources_read(struct sources *sources, int timeout);

/* What is in the inbox still was not taken: nothing more is read of it meanwhile. */
void sources_pause(struct sources *sources);

/* session_readers.c: read @source and put what came into the inbox. */
void source_read(struct sources *sources, struct source *source);

#endif
