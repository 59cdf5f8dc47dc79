// SPDX-License-Identifier: BSD-3-Clause
/* The devices' turn: the one event of the session's devices; and windows, in which a calendar runs
 * alone.
 */
#include <assert.h>

#include "recorder/calendar/calendar_internal.h"

static void take_back_if_needed(struct calendar *calendar)
{
	if (!calendar_overrun_possible(calendar))
		return;
	calendar->devices_wait = true;
	calendar_take_back(calendar);
}

int calendar_set_device_turn(struct calendar *calendar, uint64_t time)
{
	int err = calendar_queue_reserve(calendar, calendar->present);

	if (err)
		return err;
	calendar->device_turn = time < calendar->now ? calendar->now : time;
	take_back_if_needed(calendar);
	calendar_schedule(calendar);
	return 0;
}

bool calendar_is_bound_acknowledged(const struct calendar *calendar)
{
	return !calendar->devices_wait;
}

int calendar_device_turn_done(struct calendar *calendar)
{
	int err = calendar_queue_reserve(calendar, calendar->present);

	if (err)
		return err;
	assert(calendar->devices_run);
	calendar->devices_run = false;
	calendar_schedule(calendar);
	return 0;
}

int calendar_open_window(struct calendar *calendar, uint64_t end)
{
	int err = calendar_queue_reserve(calendar, calendar->present);

	if (err)
		return err;
	assert(calendar->options.windowed && end >= calendar->window);
	calendar->window = end;
	calendar->window_done = false;
	calendar_schedule(calendar);
	return 0;
}

void calendar_narrow(struct calendar *calendar, uint64_t end)
{
	if (end >= calendar->window)
		return;
	assert(calendar->options.windowed && end > calendar->now);
	calendar->window = end;
	take_back_if_needed(calendar);
}

int calendar_narrow_window(struct calendar *calendar, uint64_t end)
{
	int err = calendar_queue_reserve(calendar, calendar->present);

	if (!err)
		calendar_narrow(calendar, end);
	return err;
}

void calendar_set_reach(struct calendar *calendar, uint64_t reach)
{
	calendar->reach = reach;
}

uint64_t calendar_window_end(const struct calendar *calendar)
{
	return calendar->window;
}

bool calendar_window_done(const struct calendar *calendar)
{
	return calendar->window_done;
}
