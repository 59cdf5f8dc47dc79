// SPDX-License-Identifier: BSD-3-Clause
/* The participant's events: their order, passing time up to them, and what runs when. */
#include "kernel/participant/participant_internal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

static struct participant_event *first_event(const struct participant *p)
{
	return link_empty(&p->events) ? NULL : link_event(p->events.next);
}

/*
 * Equal times run in the order they were added, except that of two on-stack events, each the end of
 * a delay, the newer goes first: it belongs to the inner delay, which has to end before the outer.
 */
static bool goes_before(const struct participant_event *event,
			const struct participant_event *other)
{
	return other->time > event->time ||
	       (other->time == event->time && other->on_stack && event->on_stack);
}

int participant_add(struct participant *p, struct participant_event *event, uint64_t time)
{
	struct participant_link *link = p->events.next;

	if (event->pending)
		return 0;
	event->pending = true;
	event->time = time;
	while (link != &p->events && !goes_before(event, link_event(link)))
		link = link->next;
	link_insert_before(link, &event->link);
	return participant_update_request(p, first_event(p)->time);
}

int participant_event_add(struct participant *p, struct participant_event *event, uint64_t time)
{
	int err = participant_usable(p);

	if (!err && (time < p->now || time > PARTICIPANT_TIME_NEVER))
		err = -EINVAL;
	return err ? err : participant_add(p, event, time);
}

bool participant_event_remove(struct participant *p, struct participant_event *event)
{
	(void)p;
	if (!event->pending)
		return false;
	link_remove(&event->link);
	event->pending = false;
	return true;
}

void participant_event_init(struct participant_event *event,
			    void (*run)(struct participant *, struct participant_event *),
			    void *context)
{
	*event = (struct participant_event){ .run = run, .context = context };
	link_init(&event->link);
}

int participant_interrupt(struct participant *p, struct participant_event *event)
{
	int err = participant_usable(p);

	if (!err)
		err = participant_exchange(p, TRACE_OP_GET, UINT64_MAX, NULL);
	return err ? err : participant_add(p, event, p->now);
}

/* ---- What runs, and when --------------------------------------------------------------------- */

void participant_interrupts_disable(struct participant *p)
{
	p->interrupts_off++;
}

void participant_interrupts_enable(struct participant *p)
{
	assert(p->interrupts_off > 0);
	if (--p->interrupts_off == 0)
		participant_deliver_deferred(p);
}

static void enter_interrupt(struct participant *p)
{
	p->interrupts_off++;
	p->in_interrupt++;
}

/* Without delivering: enabling interrupts delivers what has arrived meanwhile. */
static void leave_interrupt(struct participant *p)
{
	p->in_interrupt--;
	p->interrupts_off--;
}

static void expire(struct participant *p, struct participant_timer *timer)
{
	enter_interrupt(p);
	timer->expired(p, timer);
	leave_interrupt(p);
}

static void run_event(struct participant *p, struct participant_event *event)
{
	enter_interrupt(p);
	event->run(p, event);
	leave_interrupt(p);
}

/*
 * Interrupts first, then timers, as unblock_signals() does (arch/um/os-Linux/signal.c). Callbacks
 * may pass time and so bring up more.
 */
void participant_deliver_deferred(struct participant *p)
{
	while (!p->error) {
		if (!link_empty(&p->deferred_events)) {
			struct participant_event *event = link_event(p->deferred_events.next);

			participant_event_remove(p, event);
			run_event(p, event);
		} else if (!link_empty(&p->deferred_timers)) {
			struct participant_timer *timer =
				link_entry(p->deferred_timers.next, struct participant_timer, link);

			link_remove(&timer->link);
			timer->expiring = false;
			expire(p, timer);
		} else {
			break;
		}
	}
}

/* A timer's next period is asked for at once, even when its callback has to wait. */
static int deliver_timer(struct participant *p, struct participant_timer *timer)
{
	int err = 0;

	if (timer->interval)
		err = participant_add(p, &timer->event, p->now + timer->interval);
	if (err)
		return err;
	if (!p->interrupts_off) {
		expire(p, timer);
		participant_deliver_deferred(p);
	} else if (!timer->expiring) {
		timer->expiring = true;
		link_insert_before(&p->deferred_timers, &timer->link);
	}
	return p->error;
}

static int deliver_event(struct participant *p, struct participant_event *event)
{
	if (event->timer)
		return deliver_timer(p, event->timer);
	if (p->interrupts_off && !p->behaviour->delay_interrupted) {
		/* It is still pending, so that another interrupt does not add it twice. */
		event->pending = true;
		link_insert_before(&p->deferred_events, &event->link);
		return 0;
	}
	run_event(p, event);
	if (!p->interrupts_off)
		participant_deliver_deferred(p);
	return p->error;
}

/* ---- Passing time ---------------------------------------------------------------------------- */

static int go_to(struct participant *p, uint64_t time)
{
	bool must_wait;
	int err = participant_request(p, time, &must_wait);

	if (err)
		return err;
	return must_wait ? participant_wait(p) : participant_set_time(p, time);
}

/* The first event has been reached: @end only ends the delay, any other runs. */
static int reach(struct participant *p, struct participant_event *event,
		 const struct participant_event *end)
{
	participant_event_remove(p, event);
	if (p->now != event->time)
		return participant_fail(
			p, PARTICIPANT_PANIC_TIME, -EPROTO,
			"the controller has to RUN a client at the time of its last "
			"REQUEST",
			"run at %" PRIu64 ", but the event is at %" PRIu64, p->now, event->time);
	if (event == end)
		return 0;
	if (event->on_stack)
		return participant_fail(
			p, PARTICIPANT_PANIC_STACK, -EPROTO,
			"a callback must not delay beyond the delay that it interrupts",
			"on-stack event dequeued outside of the stack! time=%" PRIu64, p->now);
	return deliver_event(p, event);
}

/*
 * Pass time until @until, or if @idle until something happened, which may be only that an earlier
 * event was asked for while waiting.
 */
int participant_pass_time(struct participant *p, uint64_t until, bool idle)
{
	struct participant_event end = { .on_stack = true };
	bool finished = idle;
	int err = participant_add(p, &end, until);

	while (!err) {
		struct participant_event *event = first_event(p);

		err = go_to(p, event->time);
		if (!err && event == first_event(p)) {
			finished = finished || event == &end;
			err = reach(p, event, &end);
		}
		if (!err && first_event(p))
			err = participant_update_request(p, first_event(p)->time);
		if (!end.pending || finished)
			break;
	}
	participant_event_remove(p, &end);
	return err;
}
