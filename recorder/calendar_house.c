// SPDX-License-Identifier: BSD-3-Clause
/* The house: the one event of the session's devices; and windows, in which a calendar runs alone.
 */
#include <assert.h>

#include "recorder/calendar_internal.h"

int calendar_set_house(struct calendar *calendar, uint64_t time)
{
	int err = calendar_queue_reserve(calendar, calendar->present);

	if (err)
		return err;
	calendar->house = time < calendar->now ? calendar->now : time;
	if (calendar_overrun_possible(calendar)) {
		calendar->house_waits = true;
		calendar_take_back(calendar);
	}
	calendar_schedule(calendar);
	return 0;
}

bool calendar_house_heard(const struct calendar *calendar)
{
	return !calendar->house_waits;
}

int calendar_house_done(struct calendar *calendar)
{
	int err = calendar_queue_reserve(calendar, calendar->present);

	if (err)
		return err;
	assert(calendar->house_runs);
	calendar->house_runs = false;
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

bool calendar_window_done(const struct calendar *calendar)
{
	return calendar->window_done;
}
