// SPDX-License-Identifier: BSD-3-Clause
/* Calendars among model guests. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/recorder/calendar/calendar_world.h"

#define STEPS_MAX 3000000

void world_broken(const struct world *world, const char *format, ...)
{
	char text[256], line[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (uint32_t i = 0; i < world->partition_count; i++) {
		uint32_t position = 0;

		while (calendar_describe(world->partitions[i].calendar, &position, line,
					 sizeof(line)))
			print_message("  %s\n", line);
	}
	fail_msg("seed %" PRIu64 " interleaving %" PRIu64 " %s, %" PRIu32 " partitions: %s",
		 world->options.seed, world->options.interleaving,
		 world->options.grant == CALENDAR_GRANT_EACH ? "each" : "window",
		 world->partition_count, text);
	abort();
}

static struct calendar *calendar_of(const struct world *world, const struct world_client *client)
{
	return world->partitions[client->partition].calendar;
}

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity ? 2 * *capacity : 256;
	items = reallocarray(items, *capacity, size);
	assert_non_null(items);
	return items;
}

static void log_crossing(struct world_client *client, bool to_guest, struct wire_message message)
{
	client->crossings = grown(client->crossings, client->crossing_count,
				  &client->crossing_capacity, sizeof(*client->crossings));
	client->crossings[client->crossing_count++] = (struct world_crossing){ to_guest, message };
}

static void log_service(struct world *world, const struct world_client *client)
{
	struct world_partition *partition = &world->partitions[client->partition];
	uint64_t time = client->model.time + client->offset;

	if (time >= world->horizon)
		world_broken(world, "id %" PRIu64 " runs past its window", client->model.id);
	partition->services = grown(partition->services, partition->service_count,
				    &partition->service_capacity, sizeof(*partition->services));
	partition->services[partition->service_count++] =
		(struct world_service){ client->model.id, time };
}

/* ---- What the calendar wants ----------------------------------------------------------------- */

static uint32_t index_of(const struct world *world, uint32_t partition, uint32_t handle)
{
	for (uint32_t i = 0; i < world->count; i++)
		if (world->clients[i].partition == partition && world->clients[i].connected &&
		    world->clients[i].handle == handle &&
		    world->clients[i].model.activity != MODEL_ABSENT)
			return i;
	world_broken(world, "action for handle %" PRIu32 ", which nobody has", handle);
}

/* @granted: the message before was FREE_UNTIL to the same client. */
static void check_order(const struct world *world, const struct world_client *client,
			const struct wire_message *message, bool granted)
{
	char name[WIRE_NAME_TEXT];

	wire_operation_text(message->op, name);
	if (client->model.activity != MODEL_GONE && !model_reads(&client->model))
		world_broken(world, "%s to id %" PRIu64 ", which runs", name, client->model.id);
	if (message->op != TRACE_OP_RUN)
		return;
	if (client->open_questions)
		world_broken(world, "RUN to id %" PRIu64 ", which asks", client->model.id);
	if (client->open_orders != (granted ? 1 : 0))
		world_broken(world, "RUN to id %" PRIu64 ", which has not acknowledged",
			     client->model.id);
	if (granted != (world->options.grant == CALENDAR_GRANT_WINDOW))
		world_broken(world, "RUN to id %" PRIu64 " with the wrong grant", client->model.id);
}

static void send_to_guest(struct world *world, struct world_client *client,
			  struct wire_message message, bool granted)
{
	check_order(world, client, &message, granted);
	log_crossing(client, true, message);
	if (message.op == TRACE_OP_ACK)
		client->open_questions--;
	else
		client->open_orders++;
	if (!model_box_put(&client->model.inbox, message))
		world_broken(world, "inbox of id %" PRIu64 " is full", client->model.id);
}

static void carry_out_action(struct world *world, uint32_t number,
			     const struct calendar_action *action, uint32_t *granted)
{
	struct world_client *client;

	switch (action->kind) {
	case CALENDAR_IDLE_END:
	case CALENDAR_LIMIT:
		world->ended = true;
		world->end = action->kind;
		return;
	case CALENDAR_WINDOW:
		return;
	case CALENDAR_DEVICE_TURN:
		world_devices_turn(world, &world->partitions[number]);
		return;
	case CALENDAR_ADMIT:
		world->clients[index_of(world, number, action->client)].offset = action->offset;
		return;
	case CALENDAR_SEND:
		client = &world->clients[index_of(world, number, action->client)];
		send_to_guest(world, client, action->message, *granted == action->client);
		*granted = action->message.op == TRACE_OP_FREE_UNTIL ? action->client
								     : WORLD_NO_CLIENT;
		return;
	}
}

/* Whoever kicked a device goes on as soon as it can no longer overlook what came of it. */
static void answer_kick(struct world_partition *partition, struct world_client *clients)
{
	uint32_t kicker = partition->devices.kicker;

	if (kicker == WORLD_NO_CLIENT || !calendar_is_bound_acknowledged(partition->calendar))
		return;
	partition->devices.kicker = WORLD_NO_CLIENT;
	model_kick_done(&clients[kicker].model);
}

static void carry_out(struct world *world, uint32_t number)
{
	struct world_partition *partition = &world->partitions[number];
	uint32_t granted = WORLD_NO_CLIENT;
	struct calendar_action action;

	while (calendar_next(partition->calendar, &action)) {
		if (world->ended &&
		    (action.kind != CALENDAR_SEND || action.message.op == TRACE_OP_RUN))
			world_broken(world, "not quiet after the end");
		carry_out_action(world, number, &action, &granted);
	}
	answer_kick(partition, world->clients);
}

static void check_partition(struct world *world, uint32_t number)
{
	struct world_partition *partition = &world->partitions[number];
	uint32_t running = 0, tokens = 0;

	for (uint32_t i = 0; i < world->count; i++) {
		const struct world_client *client = &world->clients[i];

		if (client->partition != number)
			continue;
		tokens += model_has_token(&client->model);
		if (client->connected)
			running += calendar_client_state(partition->calendar, client->handle) ==
				   CALENDAR_RUNNING;
	}
	if (running > 1 || tokens > 1 || (partition->devices.in_turn && (running || tokens)))
		world_broken(world, "%" PRIu32 " run, %" PRIu32 " think they do%s", running, tokens,
			     partition->devices.in_turn ? ", in the devices' turn" : "");
	if (calendar_now(partition->calendar) < partition->now)
		world_broken(world, "time goes back");
	partition->now = calendar_now(partition->calendar);
}

/* ---- What happens next ----------------------------------------------------------------------- */

static void start_interrupt(struct world *world, uint32_t kicker, uint64_t wanted)
{
	uint32_t target = (uint32_t)(wanted % world->count);
	struct model *model = &world->clients[target].model;
	bool same_partition = world->clients[target].partition == world->clients[kicker].partition;

	if (world->options.devices && (!same_partition || wanted >> 63)) {
		world_devices_kick(world, kicker, wanted);
		carry_out(world, world->clients[kicker].partition);
		return;
	}
	if (target == kicker || model->activity != MODEL_WAITING || model->irq_raised ||
	    model->irq_handling) {
		model_kick_done(&world->clients[kicker].model);
		return;
	}
	model->irq_raised = true;
	world->clients[target].kicked_by = kicker;
}

static void interrupt_done(struct world *world, const struct world_client *client)
{
	if (client->kicked_by == WORLD_NO_CLIENT) {
		world_devices_turn(world, &world->partitions[client->partition]);
		carry_out(world, client->partition);
	} else {
		model_kick_done(&world->clients[client->kicked_by].model);
	}
}

static void take_effects(struct world *world, uint32_t index, const struct model_effects *effects)
{
	const struct world_client *client = &world->clients[index];

	if (client->model.panic)
		world_broken(world, "id %" PRIu64 " panics: %s", client->model.id,
			     client->model.panic);
	if (effects->served)
		log_service(world, client);
	if (effects->kicks)
		start_interrupt(world, index, effects->target);
	if (effects->irq_done)
		interrupt_done(world, client);
}

static void connect_client(struct world *world, struct world_client *client)
{
	if (calendar_connect(calendar_of(world, client), &client->handle))
		world_broken(world, "cannot connect");
	client->connected = true;
	model_start(&client->model);
}

static void close_client(struct world *world, struct world_client *client)
{
	calendar_disconnect(calendar_of(world, client), client->handle);
	client->connected = false;
	carry_out(world, client->partition);
}

static void deliver_to_calendar(struct world *world, struct world_client *client)
{
	struct wire_message message;

	model_box_take(&client->model.outbox, &message);
	if (message.op == MODEL_CLOSE) {
		close_client(world, client);
		return;
	}
	log_crossing(client, false, message);
	if (message.op == TRACE_OP_ACK)
		client->open_orders--;
	else
		client->open_questions++;
	if (calendar_receive(calendar_of(world, client), client->handle, &message))
		world_broken(world, "refused: %s",
			     calendar_last_fault(calendar_of(world, client))->text);
	carry_out(world, client->partition);
}

static void deliver_to_guest(struct world *world, uint32_t index)
{
	struct model *model = &world->clients[index].model;
	struct model_effects effects = {};
	struct wire_message message;

	model_box_take(&model->inbox, &message);
	model_receive(model, &message, &effects);
	take_effects(world, index, &effects);
}

static void step_guest(struct world *world, uint32_t index)
{
	struct model_effects effects = {};

	model_step(&world->clients[index].model, &effects);
	take_effects(world, index, &effects);
}

enum happening { CONNECT, TO_CALENDAR, TO_GUEST, STEP };

static bool is_possible(const struct world_client *client, enum happening what)
{
	const struct model *model = &client->model;

	switch (what) {
	case CONNECT:
		return model->activity == MODEL_ABSENT;
	case TO_CALENDAR:
		return client->connected && model->outbox.count;
	case TO_GUEST:
		return model_reads(model) && model->inbox.count;
	case STEP:
		return model_can_step(model);
	}
	return false;
}

static void happen(struct world *world, uint32_t index, enum happening what)
{
	struct world_client *client = &world->clients[index];

	switch (what) {
	case CONNECT:
		connect_client(world, client);
		break;
	case TO_CALENDAR:
		deliver_to_calendar(world, client);
		break;
	case TO_GUEST:
		deliver_to_guest(world, index);
		break;
	case STEP:
		step_guest(world, index);
		break;
	}
}

static void open_windows(struct world *world)
{
	do {
		for (uint32_t i = 0; i < world->partition_count; i++) {
			carry_out(world, i);
			check_partition(world, i);
		}
	} while (world->options.partitions && !world->ended && world_next_window(world));
}

/* One of all the things that can happen. Returns false when nothing can. */
static bool world_step(struct world *world)
{
	struct {
		uint32_t index;
		enum happening what;
	} possible[WORLD_CLIENTS * 4];
	uint64_t count = 0, chosen;

	for (uint32_t i = 0; i < world->count; i++) {
		for (enum happening what = CONNECT; what <= STEP; what++) {
			if (!is_possible(&world->clients[i], what))
				continue;
			possible[count].index = i;
			possible[count++].what = what;
		}
	}
	if (!count)
		return false;
	chosen = random_below(&world->choice, count);
	/* Latecomers come late, not at once. */
	if (possible[chosen].what == CONNECT && possible[chosen].index >= world->options.guests &&
	    !random_chance(&world->choice, 1))
		return true;
	happen(world, possible[chosen].index, possible[chosen].what);
	open_windows(world);
	return true;
}

/* Everybody got all that was due before the end. */
static void check_nobody_starved(const struct world *world)
{
	uint64_t limit = world->options.limit ? world->options.limit : WIRE_TIME_NEVER;

	for (uint32_t i = 0; i < world->count; i++) {
		const struct world_client *client = &world->clients[i];

		if (client->model.activity == MODEL_GONE ||
		    client->model.activity == MODEL_STARTING)
			continue;
		if (client->model.activity != MODEL_WAITING)
			world_broken(world, "id %" PRIu64 " does not wait at the end",
				     client->model.id);
		if (model_first(&client->model) + client->offset < limit)
			world_broken(world, "id %" PRIu64 " has not got its event",
				     client->model.id);
	}
}

static void create_partition(struct world *world, uint32_t number)
{
	const struct world_options *options = &world->options;
	struct calendar_options calendar_options = {
		.grant = options->grant,
		.limit = options->limit,
		.windowed = options->partitions,
	};

	for (uint32_t i = 0; i < options->guests; i++)
		calendar_options.expected += i % world->partition_count == number;
	assert_int_equal(calendar_create(&calendar_options, &world->partitions[number].calendar),
			 0);
	world_devices_init(world, number);
	if (options->partitions)
		assert_int_equal(
			calendar_open_window(world->partitions[number].calendar, world->horizon),
			0);
	carry_out(world, number);
}

static void create(struct world *world, const struct world_options *options)
{
	*world = (struct world){
		.options = *options,
		.choice = { options->interleaving },
		.partition_count = options->partitions ? options->partitions : 1,
		.horizon = options->partitions ? WORLD_LOOKAHEAD : UINT64_MAX,
		.count = options->guests + options->latecomers,
	};
	assert_true(world->count <= WORLD_CLIENTS && world->partition_count <= options->guests);
	for (uint32_t i = 0; i < world->count; i++) {
		world->clients[i].partition = i % world->partition_count;
		model_init(&world->clients[i].model, i, options->seed, options->vigor);
	}
	for (uint32_t i = 0; i < world->partition_count; i++)
		create_partition(world, i);
}

void world_run(struct world *world, const struct world_options *options)
{
	size_t steps = 0;

	create(world, options);
	while (world_step(world))
		if (++steps > STEPS_MAX)
			world_broken(world, "does not come to an end");
	for (uint32_t i = 0; i < world->count; i++)
		if (world->clients[i].connected && !world->ended)
			world_broken(world, "nothing can happen any more");
	check_nobody_starved(world);
}

void world_clear(struct world *world)
{
	for (uint32_t i = 0; i < world->count; i++)
		free(world->clients[i].crossings);
	for (uint32_t i = 0; i < world->partition_count; i++) {
		free(world->partitions[i].services);
		calendar_destroy(world->partitions[i].calendar);
	}
}
