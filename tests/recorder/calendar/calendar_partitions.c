// SPDX-License-Identifier: BSD-3-Clause
/* Worlds whose calendars have devices, and partitions that run in windows. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recorder/calendar/calendar_world.h"

/* Mostly round numbers, as guests have them: both are often due at once. */
static uint64_t delay(uint64_t wanted)
{
	return wanted % 3 ? 1000 * (wanted / 3 % 40) : wanted / 3 % 5000;
}

static uint64_t first_time(const struct world_devices *devices)
{
	return devices->event_count ? devices->events[0].time : WIRE_TIME_NEVER;
}

static void tell_calendar(const struct world *world, struct world_partition *partition)
{
	if (calendar_set_device_turn(partition->calendar, first_time(&partition->devices)))
		world_broken(world, "cannot set the devices' event");
}

static void add_event(struct world_devices *devices, struct world_event event)
{
	uint32_t place = devices->event_count;

	if (place == WORLD_EVENTS)
		return;
	for (; place && devices->events[place - 1].time > event.time; place--)
		devices->events[place] = devices->events[place - 1];
	devices->events[place] = event;
	devices->event_count++;
}

static struct world_event take_event(struct world_devices *devices)
{
	struct world_event event = devices->events[0];

	memmove(&devices->events[0], &devices->events[1],
		--devices->event_count * sizeof(devices->events[0]));
	return event;
}

/* For a guest of the same partition; those are @number, @number + partitions and so on. */
static void add_random_event(struct world *world, uint32_t number, uint64_t now)
{
	struct world_devices *devices = &world->partitions[number].devices;
	uint32_t target = (uint32_t)random_below(&devices->program, world->count);
	uint64_t time = now + delay(random_next(&devices->program));

	if (world->clients[target].partition == number)
		add_event(devices, (struct world_event){ time, target });
}

void world_devices_init(struct world *world, uint32_t number)
{
	struct world_devices *devices = &world->partitions[number].devices;

	devices->kicker = WORLD_NO_CLIENT;
	if (!world->options.devices)
		return;
	devices->program.state = world->options.seed * 31 + number;
	for (unsigned int i = 0; i < 4; i++)
		add_random_event(world, number, 0);
	tell_calendar(world, &world->partitions[number]);
}

void world_devices_kick(struct world *world, uint32_t kicker, uint64_t wanted)
{
	struct world_client *client = &world->clients[kicker];
	struct world_partition *partition = &world->partitions[client->partition];
	uint64_t now = calendar_now(partition->calendar);
	struct world_event event = { now + delay(wanted >> 16 & 0xffffff),
				     (uint32_t)(wanted % world->count) };

	if (world->clients[event.target].partition == client->partition) {
		add_event(&partition->devices, event);
		tell_calendar(world, partition);
	} else if (partition->frame_count < WORLD_EVENTS) {
		event.time += WORLD_LOOKAHEAD;
		partition->frames[partition->frame_count++] =
			(struct world_frame){ now, kicker, event };
	}
	partition->devices.kicker = kicker;
}

/* Returns false when the guest is not one that can be interrupted. */
static bool interrupt(struct world *world, uint32_t target)
{
	struct model *model = &world->clients[target].model;

	if (model->activity != MODEL_WAITING)
		return false;
	if (model->irq_raised || model->irq_handling)
		world_broken(world, "interrupt of id %" PRIu64 " in the middle of another",
			     model->id);
	model->irq_raised = true;
	world->clients[target].kicked_by = WORLD_NO_CLIENT;
	world->interrupts++;
	return true;
}

void world_devices_turn(struct world *world, struct world_partition *partition)
{
	struct world_devices *devices = &partition->devices;
	uint32_t number = (uint32_t)(partition - world->partitions);
	uint64_t now = calendar_now(partition->calendar);

	if (now >= world->horizon)
		world_broken(world, "the devices act past their window");
	devices->in_turn = true;
	while (first_time(devices) <= now) {
		struct world_event event = take_event(devices);

		if (random_chance(&devices->program, world->options.vigor / 4))
			add_random_event(world, number, now);
		if (interrupt(world, event.target))
			return;
	}
	devices->in_turn = false;
	tell_calendar(world, partition);
	if (calendar_device_turn_done(partition->calendar))
		world_broken(world, "the devices cannot give the token back");
}

static bool is_before(const struct world_frame *a, const struct world_frame *b)
{
	return a->sent != b->sent ? a->sent < b->sent : a->from < b->from;
}

/* In order of sending, then of guests; what one guest has sent at once stays in order. */
static void switch_frames(struct world *world)
{
	static struct world_frame all[WORLD_PARTITIONS * WORLD_EVENTS];
	size_t count = 0;

	for (uint32_t i = 0; i < world->partition_count; i++) {
		struct world_partition *partition = &world->partitions[i];

		for (uint32_t j = 0; j < partition->frame_count; j++) {
			size_t place = count++;

			for (; place && is_before(&partition->frames[j], &all[place - 1]); place--)
				all[place] = all[place - 1];
			all[place] = partition->frames[j];
		}
		partition->frame_count = 0;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t number = world->clients[all[i].event.target].partition;

		if (all[i].event.time < world->horizon)
			world_broken(world, "a frame arrives before the end of its window");
		add_event(&world->partitions[number].devices, all[i].event);
	}
	for (uint32_t i = 0; i < world->partition_count; i++)
		tell_calendar(world, &world->partitions[i]);
}

/* As the session does it: the first event of anybody, and as far as nobody can be heard of. */
static void open_next(struct world *world)
{
	uint64_t first = WIRE_TIME_NEVER, limit = world->options.limit;

	for (uint32_t i = 0; i < world->partition_count; i++) {
		uint64_t time = calendar_next_event(world->partitions[i].calendar);

		first = time < first ? time : first;
	}
	if (first >= WIRE_TIME_NEVER || (limit && first >= limit)) {
		world->ended = true;
		world->end = first >= WIRE_TIME_NEVER ? CALENDAR_IDLE_END : CALENDAR_LIMIT;
		return;
	}
	world->horizon = first + WORLD_LOOKAHEAD;
	if (limit && world->horizon > limit)
		world->horizon = limit;
	for (uint32_t i = 0; i < world->partition_count; i++)
		if (calendar_next_event(world->partitions[i].calendar) < world->horizon &&
		    calendar_open_window(world->partitions[i].calendar, world->horizon))
			world_broken(world, "cannot open a window");
}

bool world_next_window(struct world *world)
{
	for (uint32_t i = 0; i < world->partition_count; i++)
		if (!calendar_window_done(world->partitions[i].calendar))
			return false;
	switch_frames(world);
	open_next(world);
	return true;
}
