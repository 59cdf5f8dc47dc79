// SPDX-License-Identifier: BSD-3-Clause
/*
 * The participant's messages: sending, awaiting answers, serving sources meanwhile.
 */
#include "kernel/host/unix_socket.h"
#include "kernel/participant/participant_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "format/base/array.h"

/* What ended a wait. */
enum awaited { AWAITED_CONTROLLER, AWAITED_OTHER };

int participant_set_time(struct participant *p, uint64_t ns)
{
	if (ns < p->now)
		return participant_fail(p, PARTICIPANT_PANIC_BACKWARDS, -EPROTO,
					"the controller has to answer with a time that never falls",
					"time goes backwards %" PRIu64 " -> %" PRIu64, p->now, ns);
	if (ns >= PARTICIPANT_TIME_NEVER && !p->behaviour->idle_second)
		return participant_fail(p, PARTICIPANT_PANIC_FOREVER, -EDEADLK,
					"nobody in the simulation has anything left to do",
					"the system was going to sleep forever, aborting");
	p->now = ns;
	return 0;
}

/*
 * A lost controller shows in the next read, as in the kernel, which ignores what writing returns:
 * what the controller wrote before it went is still read.
 */
static int send_message(struct participant *p, const struct wire_message *message)
{
	size_t done = 0;

	while (done < sizeof(*message)) {
		ssize_t sent = send(p->fd, (const char *)message + done, sizeof(*message) - done,
				    MSG_NOSIGNAL);

		if (sent >= 0) {
			done += (size_t)sent;
		} else if (errno == EAGAIN) {
			struct pollfd writable = { .fd = p->fd, .events = POLLOUT };

			poll(&writable, 1, -1);
		} else if (errno == EPIPE || errno == ECONNRESET) {
			break;
		} else if (errno != EINTR) {
			return participant_fail(p, PARTICIPANT_PANIC_LINK, -errno, NULL,
						"cannot write to the controller: %m");
		}
	}
	p->stat.sent++;
	return 0;
}

/* One read of one message, as long as it is: the kernel does not put halves together. */
static ssize_t receive(struct participant *p, struct wire_message *message)
{
	DESCRIPTORS_CONTROL(2) control;
	struct iovec part = { .iov_base = message, .iov_len = sizeof(*message) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };

	for (;;) {
		ssize_t size;

		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		size = recvmsg(p->fd, &header, MSG_CMSG_CLOEXEC);
		if (size >= 0) {
			descriptors_take(&header, NULL, 0);
			return size;
		}
		if (errno == EAGAIN) {
			struct pollfd readable = { .fd = p->fd, .events = POLLIN };

			poll(&readable, 1, -1);
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}

/* Read a message, handle it and, unless it is an ACK, acknowledge it. */
static int handle_message(struct participant *p, struct wire_message *message)
{
	struct wire_message ack = { .op = TRACE_OP_ACK };
	ssize_t size = receive(p, message);
	int err = 0;

	if (size == 0)
		return participant_fail(
			p, PARTICIPANT_PANIC_LINK, -EPIPE,
			"the controller has ended or disconnected this client; see its messages",
			"time-travel external link is broken");
	if (size != sizeof(*message))
		return participant_fail(p, PARTICIPANT_PANIC_MESSAGE,
					size < 0 ? (int)size : -EBADMSG,
					"the controller has to write whole messages of 16 bytes",
					"invalid time-travel message - %zd bytes", size);
	p->stat.received++;
	switch (message->op) {
	case TRACE_OP_ACK:
		return 0;
	case TRACE_OP_RUN:
		p->stat.swallowed += p->exchanging || !p->waiting;
		err = participant_set_time(p, message->time);
		break;
	case TRACE_OP_FREE_UNTIL:
		p->free_until_valid = true;
		p->free_until = message->time;
		break;
	case TRACE_OP_BROADCAST:
		if (p->behaviour->broadcast) {
			p->broadcast_new = true;
			p->broadcast = message->time;
			break;
		}
		/* fall through */
	default:
		p->stat.unexpected++;
	}
	if (err)
		return err;
	ack.seq = message->seq;
	return send_message(p, &ack);
}

/* Put the sources into the poll array; returns their number, after which there is room for two. */
static nfds_t poll_sources(struct participant *p)
{
	nfds_t count = 0;

	for (struct participant_link *link = p->sources.next; link != &p->sources;
	     link = link->next) {
		struct participant_source *source =
			link_entry(link, struct participant_source, link);

		p->poll[count++] = (struct pollfd){ .fd = source->fd, .events = POLLIN };
	}
	return count;
}

/*
 * Serve the first source that is ready. Only one: its handler may have changed the list, and its
 * exchange takes time, so the caller checks again.
 */
static bool serve_source(struct participant *p)
{
	struct participant_link *link = p->sources.next;

	for (size_t i = 0; i < p->source_count; i++, link = link->next) {
		struct participant_source *source;

		if (!p->poll[i].revents)
			continue;
		source = link_entry(link, struct participant_source, link);
		p->serving = true;
		source->handle(p, source);
		p->serving = false;
		return true;
	}
	return false;
}

/* The kernel has its signals back (unblock_signals_hard): interrupts that came meanwhile. */
static int serve_sources(struct participant *p)
{
	if (p->exchanging || p->serving || !p->source_count)
		return p->error;
	do {
		nfds_t count = poll_sources(p);

		if (poll(p->poll, count, 0) <= 0)
			break;
	} while (serve_source(p) && !p->error);
	return p->error;
}

/*
 * Wait for @other (-1: none) or the controller to be readable; sources have precedence, then
 * @other. A source that is being served is not served again, so it waits like a device that polls.
 */
static int await(struct participant *p, int other, enum awaited *awaited)
{
	for (;;) {
		nfds_t count = p->serving ? 0 : poll_sources(p);

		p->poll[count] = (struct pollfd){ .fd = other, .events = POLLIN };
		p->poll[count + 1] = (struct pollfd){ .fd = p->fd, .events = POLLIN };
		if (poll(p->poll, count + 2, -1) < 0)
			continue;
		if (count && serve_source(p)) {
			if (p->error)
				return p->error;
			continue;
		}
		*awaited = p->poll[count].revents ? AWAITED_OTHER : AWAITED_CONTROLLER;
		return 0;
	}
}

int participant_exchange(struct participant *p, enum trace_operation op, uint64_t time,
			 uint64_t *answer)
{
	struct wire_message message = { .op = op, .seq = ++p->seq, .time = time };
	uint32_t seq = message.seq;
	int err;

	if (p->error)
		return p->error;
	p->exchanging++;
	err = send_message(p, &message);
	while (!err && message.op != TRACE_OP_ACK)
		err = handle_message(p, &message);
	if (!err && message.seq != seq)
		err = participant_fail(p, PARTICIPANT_PANIC_SEQUENCE, -EPROTO,
				       "the controller has to answer messages in their order, with "
				       "their seq",
				       "ACK message has different seqno! op=%u, seq=%u != %u "
				       "time=%" PRIu64,
				       op, message.seq, seq, message.time);
	if (!err && op == TRACE_OP_GET)
		err = participant_set_time(p, message.time);
	p->exchanging--;
	if (err)
		return err;
	if (answer)
		*answer = message.time;
	return serve_sources(p);
}

/* Whether it may go to @time without asking. */
static bool within_window(const struct participant *p, uint64_t time)
{
	return !p->waiting && p->free_until_valid && time < p->free_until;
}

int participant_update_request(struct participant *p, uint64_t time)
{
	if (p->request_valid && p->request == time)
		return 0;
	if (!p->behaviour->request_in_window && within_window(p, time))
		return 0;
	p->request = time;
	p->request_valid = true;
	return participant_exchange(p, TRACE_OP_REQUEST, time, NULL);
}

/* Ask for @time unless it is free; @must_wait says whether the controller decides when. */
int participant_request(struct participant *p, uint64_t time, bool *must_wait)
{
	*must_wait = !within_window(p, time);
	return *must_wait ? participant_update_request(p, time) : 0;
}

/* In 5.10 signals are on while the guest waits, so alarms held back by idle go off there. */
static void wait_with_interrupts(struct participant *p)
{
	unsigned int saved = p->interrupts_off;

	if (!p->behaviour->delay_interrupted)
		return;
	p->interrupts_off = 0;
	participant_deliver_deferred(p);
	p->interrupts_off = saved;
}

int participant_wait(struct participant *p)
{
	struct wire_message message = { .op = TRACE_OP_ACK };
	enum awaited awaited;
	int err;

	p->request_valid = false;
	if (!p->behaviour->window_survives)
		p->free_until_valid = false;
	p->waiting++;
	err = participant_exchange(p, TRACE_OP_WAIT, UINT64_MAX, NULL);
	while (!err && message.op != TRACE_OP_RUN) {
		wait_with_interrupts(p);
		err = p->error ? p->error : await(p, -1, &awaited);
		if (!err)
			err = handle_message(p, &message);
	}
	p->waiting--;
	/* It may have asked for more while it waited: that is void once it runs. */
	p->request_valid = false;
	return err;
}

int participant_wait_readable(struct participant *p, int fd)
{
	int err = participant_usable(p);

	while (!err) {
		struct wire_message message;
		enum awaited awaited;

		err = await(p, fd, &awaited);
		if (!err && awaited == AWAITED_OTHER)
			return 0;
		if (!err)
			err = handle_message(p, &message);
	}
	return err;
}

int participant_propagate(struct participant *p)
{
	int err = participant_usable(p);

	if (err || (!p->behaviour->update_always && p->propagated == p->now))
		return err;
	err = participant_exchange(p, TRACE_OP_UPDATE, p->now, NULL);
	if (!err)
		p->propagated = p->now;
	return err;
}

int participant_time_of_day(struct participant *p, uint64_t *tod)
{
	int err = participant_usable(p);

	if (!err && p->behaviour->time_of_day_always)
		return participant_exchange(p, TRACE_OP_GET_TOD, UINT64_MAX, tod);
	if (!err && !p->time_of_day_known) {
		err = participant_exchange(p, TRACE_OP_GET_TOD, UINT64_MAX, &p->time_of_day);
		/* The answer counts for now, and only the controller knows when that is. */
		if (!err)
			err = participant_exchange(p, TRACE_OP_GET, UINT64_MAX, NULL);
		p->time_of_day -= p->now;
		p->time_of_day_known = !err;
	}
	if (!err)
		*tod = p->time_of_day + p->now;
	return err;
}

int participant_broadcast(struct participant *p, uint64_t value)
{
	int err = participant_usable(p);

	if (!err && !p->behaviour->broadcast)
		err = -EOPNOTSUPP;
	return err ? err : participant_exchange(p, TRACE_OP_BROADCAST, value, NULL);
}

bool participant_broadcast_take(struct participant *p, uint64_t *value)
{
	bool taken = p->broadcast_new;

	p->broadcast_new = false;
	if (taken)
		*value = p->broadcast;
	return taken;
}

static bool source_added(const struct participant *p, const struct participant_source *source)
{
	const struct participant_link *link = p->sources.next;

	while (link != &p->sources && link != &source->link)
		link = link->next;
	return link != &p->sources;
}

int participant_source_add(struct participant *p, struct participant_source *source)
{
	if (source_added(p, source))
		return -EALREADY;
	if (array_room(p->poll, p->poll_size, p->source_count + 3, 8))
		return -ENOMEM;
	link_insert_before(&p->sources, &source->link);
	p->source_count++;
	return 0;
}

void participant_source_remove(struct participant *p, struct participant_source *source)
{
	if (!source_added(p, source))
		return;
	link_remove(&source->link);
	p->source_count--;
}
