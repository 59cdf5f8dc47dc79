// SPDX-License-Identifier: BSD-3-Clause
/* Input from outside as events, in the order in which they are handled. */
#include "recorder/session/session_inbox.h"

#include <string.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"

#define compare(a, b) ((a) == (b) ? 0 : (a) < (b) ? -1 : 1)

/* Less than 0: @left is handled before @right. */
static int compare_events(const struct event *left, const struct event *right)
{
	int order = compare(left->time, right->time);

	if (!order)
		order = compare(left->kind, right->kind);
	if (!order)
		order = compare(left->participant, right->participant);
	return order ? order : compare(left->number, right->number);
}

static int make_room(struct inbox *inbox)
{
	struct event *grown =
		array_reserve(inbox->event, &inbox->space, inbox->count + 1, 16, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	inbox->event = grown;
	return 0;
}

int inbox_put(struct inbox *inbox, const struct event *event)
{
	struct event added = *event;
	size_t at = inbox->count;

	if (make_room(inbox))
		return -ENOMEM;
	added.number = inbox->numbers++;
	/* The usual case: the inbox is empty, or the others are earlier. */
	while (at && compare_events(&added, &inbox->event[at - 1]) < 0)
		at--;
	memmove(&inbox->event[at + 1], &inbox->event[at], (inbox->count - at) * sizeof(added));
	inbox->event[at] = added;
	inbox->count++;
	if (added.source)
		added.source->waiting++;
	return 0;
}

static void drop(struct inbox *inbox, size_t at)
{
	if (inbox->event[at].source)
		inbox->event[at].source->waiting--;
	inbox->count--;
	memmove(&inbox->event[at], &inbox->event[at + 1],
		(inbox->count - at) * sizeof(*inbox->event));
}

bool inbox_take(struct inbox *inbox, inbox_filter *may_take, const void *context,
		struct event *event)
{
	for (size_t i = 0; i < inbox->count; i++) {
		if (!may_take(context, &inbox->event[i]))
			continue;
		*event = inbox->event[i];
		drop(inbox, i);
		return true;
	}
	return false;
}

bool inbox_has(const struct inbox *inbox, inbox_filter *may_take, const void *context)
{
	for (size_t i = 0; i < inbox->count; i++)
		if (may_take(context, &inbox->event[i]))
			return true;
	return false;
}

static void close_connections(struct event *event)
{
	if (event->kind != EVENT_JOINED)
		return;
	/* The descriptor of a guest belongs to the guest. */
	if (event->member != JOINED_GUEST)
		close_fd(&event->fd);
	close_fd(&event->upstream_fd);
}

void inbox_forget(struct inbox *inbox, struct source *source)
{
	for (size_t i = inbox->count; i--;) {
		if (inbox->event[i].source != source)
			continue;
		close_connections(&inbox->event[i]);
		drop(inbox, i);
	}
}

void inbox_release(struct inbox *inbox)
{
	for (size_t i = 0; i < inbox->count; i++)
		close_connections(&inbox->event[i]);
	free(inbox->event);
	*inbox = (struct inbox){ 0 };
}
