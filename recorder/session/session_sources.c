// SPDX-License-Identifier: BSD-3-Clause
/* Which descriptors are readable. */
#include "recorder/session/session_sources.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"

int sources_init(struct sources *sources, struct inbox *inbox)
{
	*sources = (struct sources){ .inbox = inbox, .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	return sources->epoll_fd < 0 ? -errno : 0;
}

void sources_release(struct sources *sources)
{
	close_fd(&sources->epoll_fd);
	free(sources->ready);
	free(sources->requeued);
	free(sources->spare);
	free(sources->paused);
}

/*
 * All open sources can be reported at once, so that a round sees everything that a participant did.
 */
static int make_room(struct sources *sources)
{
	struct epoll_event *grown = array_reserve(sources->ready, &sources->ready_space,
						  sources->open + 1, 64, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	sources->ready = grown;
	return 0;
}

/*
 * A console is edge-triggered: it is reported when output arrives, even if earlier output is
 * unread.
 */
static int listen_to(struct sources *sources, struct source *source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

	if (source->kind == SOURCE_CONSOLE)
		event.events |= EPOLLET;
	return epoll_ctl(sources->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) ? -errno : 0;
}

int source_open(struct sources *sources, struct source *source, enum source_kind kind, int fd,
		void *owner)
{
	int err = make_room(sources);

	if (err)
		return err;
	*source = (struct source){ .kind = kind, .fd = fd, .owner = owner };
	err = listen_to(sources, source);
	if (err)
		return err;
	source->state = SOURCE_OPEN;
	sources->open++;
	return 0;
}

static void remove_from(struct source **list, size_t *count, const struct source *source)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		if (list[i] != source)
			list[kept++] = list[i];
	*count = kept;
}

void source_close(struct sources *sources, struct source *source)
{
	if (source->state == SOURCE_CLOSED)
		return;
	if (source->state == SOURCE_OPEN)
		epoll_ctl(sources->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	else
		remove_from(sources->paused, &sources->paused_count, source);
	if (source->requeued)
		remove_from(sources->requeued, &sources->requeued_count, source);
	source->requeued = false;
	source->state = SOURCE_CLOSED;
	sources->open--;
}

static int append(struct source ***list, size_t *count, size_t *space, struct source *source)
{
	if (array_room(*list, *space, *count + 1, 16))
		return -ENOMEM;
	(*list)[(*count)++] = source;
	return 0;
}

void source_requeue(struct sources *sources, struct source *source)
{
	if (source->requeued)
		return;
	if (append(&sources->requeued, &sources->requeued_count, &sources->requeued_space, source))
		sources->error = -ENOMEM;
	else
		source->requeued = true;
}

static void swap(size_t *a, size_t *b)
{
	size_t kept = *a;

	*a = *b;
	*b = kept;
}

static void read_once(struct sources *sources, struct source *source)
{
	if (source->state != SOURCE_OPEN || source->round == sources->round)
		return;
	source->round = sources->round;
	source_read(sources, source);
}

/*
 * Move the sources that the last round did not read completely to sources->spare. Returns their
 * number.
 */
static size_t take_requeued(struct sources *sources)
{
	struct source **list = sources->requeued;
	size_t count = sources->requeued_count;

	sources->requeued = sources->spare;
	sources->spare = list;
	sources->requeued_count = 0;
	swap(&sources->requeued_space, &sources->spare_space);
	for (size_t i = 0; i < count; i++)
		list[i]->requeued = false;
	return count;
}

/* A paused source is read in a later round. */
static void read_requeued(struct sources *sources, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct source *source = sources->spare[i];

		if (source->state == SOURCE_PAUSED)
			source_requeue(sources, source);
		else
			read_once(sources, source);
	}
}

/* Its events have been taken: read it again. */
static void go_on(struct sources *sources)
{
	size_t kept = 0;

	for (size_t i = 0; i < sources->paused_count; i++) {
		struct source *source = sources->paused[i];

		if (source->waiting) {
			sources->paused[kept++] = source;
			continue;
		}
		source->state = SOURCE_OPEN;
		if (listen_to(sources, source))
			sources->error = -ENOMEM;
	}
	sources->paused_count = kept;
}

void sources_pause(struct sources *sources)
{
	for (size_t i = 0; i < sources->inbox->count; i++) {
		struct source *source = sources->inbox->event[i].source;

		if (!source || source->state != SOURCE_OPEN)
			continue;
		if (append(&sources->paused, &sources->paused_count, &sources->paused_space,
			   source)) {
			sources->error = -ENOMEM;
			return;
		}
		epoll_ctl(sources->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
		source->state = SOURCE_PAUSED;
	}
}

/* Whether there is something to read without a notification. */
static bool has_more(const struct sources *sources)
{
	for (size_t i = 0; i < sources->requeued_count; i++)
		if (sources->requeued[i]->state == SOURCE_OPEN)
			return true;
	return false;
}

void sources_read(struct sources *sources, int timeout)
{
	size_t left;
	int count;

	go_on(sources);
	sources->round++;
	count = epoll_wait(sources->epoll_fd, sources->ready, (int)sources->ready_space,
			   has_more(sources) ? 0 : timeout);
	left = take_requeued(sources);
	for (int i = 0; i < count; i++)
		read_once(sources, sources->ready[i].data.ptr);
	read_requeued(sources, left);
}
