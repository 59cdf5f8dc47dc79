// SPDX-License-Identifier: BSD-3-Clause
/* The participant's clock and timers: what a guest's kernel builds on its list of events. */
#include "kernel/participant/participant_internal.h"

#include <errno.h>

void participant_timer_init(struct participant_timer *timer,
			    void (*expired)(struct participant *, struct participant_timer *),
			    void *context)
{
	*timer = (struct participant_timer){ .expired = expired, .context = context };
	participant_event_init(&timer->event, NULL, NULL);
	timer->event.timer = timer;
	link_init(&timer->link);
}

void participant_timer_stop(struct participant *p, struct participant_timer *timer)
{
	participant_event_remove(p, &timer->event);
	link_remove(&timer->link);
	timer->expiring = false;
	timer->interval = 0;
}

int participant_timer_once(struct participant *p, struct participant_timer *timer, uint64_t delta)
{
	int err = participant_usable(p);

	if (err)
		return err;
	if (delta < PARTICIPANT_TIMER_MIN)
		delta = PARTICIPANT_TIMER_MIN;
	if (delta > PARTICIPANT_TIMER_MAX)
		delta = PARTICIPANT_TIMER_MAX;
	participant_timer_stop(p, timer);
	return participant_add(p, &timer->event, p->now + delta + 1);
}

int participant_timer_periodic(struct participant *p, struct participant_timer *timer,
			       uint64_t interval)
{
	int err = participant_usable(p);

	if (!err && (!interval || interval > PARTICIPANT_TIME_NEVER - p->now))
		err = -EINVAL;
	if (err)
		return err;
	participant_timer_stop(p, timer);
	timer->interval = interval;
	return participant_add(p, &timer->event, p->now + interval);
}

static uint64_t shown(const struct participant *p)
{
	return p->now - p->now % PARTICIPANT_CLOCK_COST;
}

static bool time_is_held(const struct participant *p)
{
	return p->waiting || p->serving;
}

int participant_delay(struct participant *p, uint64_t delay)
{
	int err = participant_usable(p);

	if (!err && time_is_held(p))
		err = -EBUSY;
	if (!err && delay > PARTICIPANT_TIME_NEVER - p->now)
		err = -EINVAL;
	if (err)
		return err;
	if (p->behaviour->delay_interrupted)
		return participant_pass_time(p, p->now + delay, false);
	participant_interrupts_disable(p);
	err = participant_pass_time(p, p->now + delay, false);
	participant_interrupts_enable(p);
	return err ? err : p->error;
}

int participant_read_clock(struct participant *p, uint64_t *clock)
{
	int err = participant_usable(p);

	if (!err && !p->interrupts_off && !time_is_held(p))
		err = participant_delay(p, PARTICIPANT_CLOCK_COST);
	if (!err)
		*clock = shown(p);
	return err;
}

int participant_idle(struct participant *p)
{
	uint64_t second = UINT64_C(1000000000);
	int err = participant_usable(p);

	if (!err && (p->interrupts_off || time_is_held(p)))
		err = -EBUSY;
	if (err)
		return err;
	participant_interrupts_disable(p);
	err = participant_pass_time(
		p, p->behaviour->idle_second ? p->now + second : PARTICIPANT_TIME_NEVER, true);
	participant_interrupts_enable(p);
	return err ? err : p->error;
}

int participant_run(struct participant *p)
{
	int err = 0;

	for (p->stopped = false; !err && !p->stopped;)
		err = participant_idle(p);
	return err;
}

void participant_stop(struct participant *p)
{
	p->stopped = true;
}

struct sleeper {
	struct participant_timer timer;
	uint64_t clock;
	bool awake;
};

static int sleeper_program(struct participant *p, struct sleeper *sleeper)
{
	uint64_t clock = shown(p);

	return participant_timer_once(p, &sleeper->timer,
				      sleeper->clock > clock ? sleeper->clock - clock : 0);
}

/* The clock is coarser than the timer, so a timer can be early (hrtimer_interrupt). */
static void sleeper_expired(struct participant *p, struct participant_timer *timer)
{
	struct sleeper *sleeper = timer->context;

	if (shown(p) >= sleeper->clock)
		sleeper->awake = true;
	else
		sleeper_program(p, sleeper);
}

int participant_sleep_until(struct participant *p, uint64_t clock)
{
	struct sleeper sleeper = { .clock = clock };
	int err = participant_usable(p);

	if (!err && (p->interrupts_off || time_is_held(p)))
		err = -EBUSY;
	if (!err && clock > PARTICIPANT_TIME_NEVER)
		err = -EINVAL;
	if (err)
		return err;
	if (p->behaviour->no_sleep_in_past && shown(p) >= clock)
		return 0;
	participant_timer_init(&sleeper.timer, sleeper_expired, &sleeper);
	err = sleeper_program(p, &sleeper);
	while (!err && !sleeper.awake)
		err = participant_idle(p);
	participant_timer_stop(p, &sleeper.timer);
	return err;
}

int participant_sleep(struct participant *p, uint64_t duration)
{
	if (duration > PARTICIPANT_TIME_NEVER - p->now)
		return -EINVAL;
	return participant_sleep_until(p, shown(p) + duration);
}
