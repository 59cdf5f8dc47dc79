// SPDX-License-Identifier: BSD-3-Clause
/* A calendar among model guests. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/recorder/calendar_world.h"

#define NOBODY	  UINT32_MAX
#define STEPS_MAX 3000000

__attribute__((format(printf, 2, 3), noreturn)) static void broken(const struct world *world,
								   const char *format, ...)
{
	char text[256], line[256];
	uint32_t position = 0;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	while (calendar_describe(world->calendar, &position, line, sizeof(line)))
		print_message("  %s\n", line);
	fail_msg("seed %" PRIu64 " interleaving %" PRIu64 " %s: %s", world->options.seed,
		 world->options.interleaving,
		 world->options.grant == CALENDAR_GRANT_EACH ? "each" : "window", text);
	abort();
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
	world->services = grown(world->services, world->service_count, &world->service_capacity,
				sizeof(*world->services));
	world->services[world->service_count++] =
		(struct world_service){ client->model.id, client->model.time + client->offset };
}

/* ---- What the calendar wants ----------------------------------------------------------------- */

static uint32_t index_of(const struct world *world, uint32_t handle)
{
	for (uint32_t i = 0; i < world->count; i++)
		if (world->clients[i].connected && world->clients[i].handle == handle &&
		    world->clients[i].model.activity != MODEL_ABSENT)
			return i;
	broken(world, "action for handle %" PRIu32 ", which nobody has", handle);
}

/* @granted: the message before was FREE_UNTIL to the same client. */
static void check_order(const struct world *world, const struct world_client *client,
			const struct wire_message *message, bool granted)
{
	char name[WIRE_NAME_TEXT];

	wire_operation_text(message->op, name);
	if (client->model.activity != MODEL_GONE && !model_reads(&client->model))
		broken(world, "%s to id %" PRIu64 ", which runs", name, client->model.id);
	if (message->op != TRACE_OP_RUN)
		return;
	if (client->open_questions)
		broken(world, "RUN to id %" PRIu64 ", which asks", client->model.id);
	if (client->open_orders != (granted ? 1 : 0))
		broken(world, "RUN to id %" PRIu64 ", which has not acknowledged",
		       client->model.id);
	if (granted != (world->options.grant == CALENDAR_GRANT_WINDOW))
		broken(world, "RUN to id %" PRIu64 " with the wrong grant", client->model.id);
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
		broken(world, "inbox of id %" PRIu64 " is full", client->model.id);
}

static void carry_out(struct world *world)
{
	uint32_t granted = NOBODY;
	struct calendar_action action;

	while (calendar_next(world->calendar, &action)) {
		struct world_client *client;

		if (world->ended &&
		    (action.kind != CALENDAR_SEND || action.message.op == TRACE_OP_RUN))
			broken(world, "not quiet after the end");
		if (action.kind == CALENDAR_IDLE_END || action.kind == CALENDAR_LIMIT) {
			world->ended = true;
			world->end = action.kind;
			continue;
		}
		client = &world->clients[index_of(world, action.client)];
		if (action.kind == CALENDAR_ADMIT) {
			client->offset = action.offset;
			continue;
		}
		send_to_guest(world, client, action.message, granted == action.client);
		granted = action.message.op == TRACE_OP_FREE_UNTIL ? action.client : NOBODY;
	}
}

static void check_calendar(struct world *world)
{
	uint32_t running = 0, tokens = 0;

	for (uint32_t i = 0; i < world->count; i++) {
		const struct world_client *client = &world->clients[i];

		tokens += model_has_token(&client->model);
		if (client->connected)
			running += calendar_client_state(world->calendar, client->handle) ==
				   CALENDAR_RUNNING;
	}
	if (running > 1 || tokens > 1)
		broken(world, "%" PRIu32 " run, %" PRIu32 " think they do", running, tokens);
	if (calendar_now(world->calendar) < world->now)
		broken(world, "time goes back");
	world->now = calendar_now(world->calendar);
}

/* ---- What happens next ----------------------------------------------------------------------- */

static void start_interrupt(struct world *world, uint32_t kicker, uint64_t wanted)
{
	uint32_t target = (uint32_t)(wanted % world->count);
	struct model *model = &world->clients[target].model;

	if (target == kicker || model->activity != MODEL_WAITING || model->irq_raised ||
	    model->irq_handling) {
		model_kick_done(&world->clients[kicker].model);
		return;
	}
	model->irq_raised = true;
	world->clients[target].kicked_by = kicker;
}

static void take_effects(struct world *world, uint32_t index, const struct model_effects *effects)
{
	const struct world_client *client = &world->clients[index];

	if (client->model.panic)
		broken(world, "id %" PRIu64 " panics: %s", client->model.id, client->model.panic);
	if (effects->served)
		log_service(world, client);
	if (effects->kicks)
		start_interrupt(world, index, effects->target);
	if (effects->irq_done)
		model_kick_done(&world->clients[client->kicked_by].model);
}

static void connect_client(struct world *world, struct world_client *client)
{
	if (calendar_connect(world->calendar, &client->handle))
		broken(world, "cannot connect");
	client->connected = true;
	model_start(&client->model);
}

static void close_client(struct world *world, struct world_client *client)
{
	calendar_disconnect(world->calendar, client->handle);
	client->connected = false;
	carry_out(world);
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
	if (calendar_receive(world->calendar, client->handle, &message))
		broken(world, "refused: %s", calendar_last_fault(world->calendar)->text);
	carry_out(world);
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
	check_calendar(world);
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
			broken(world, "id %" PRIu64 " does not wait at the end", client->model.id);
		if (model_first(&client->model) + client->offset < limit)
			broken(world, "id %" PRIu64 " has not got its event", client->model.id);
	}
}

void world_run(struct world *world, const struct world_options *options)
{
	const struct calendar_options calendar_options = {
		.grant = options->grant,
		.expected = options->guests,
		.limit = options->limit,
	};
	size_t steps = 0;

	*world = (struct world){
		.options = *options,
		.choice = { options->interleaving },
		.count = options->guests + options->latecomers,
	};
	assert_true(world->count <= WORLD_CLIENTS);
	assert_int_equal(calendar_create(&calendar_options, &world->calendar), 0);
	for (uint32_t i = 0; i < world->count; i++)
		model_init(&world->clients[i].model, i, options->seed, options->vigor);

	while (world_step(world))
		if (++steps > STEPS_MAX)
			broken(world, "does not come to an end");
	for (uint32_t i = 0; i < world->count; i++)
		if (world->clients[i].connected && !world->ended)
			broken(world, "nothing can happen any more");
	check_nobody_starved(world);
}

void world_clear(struct world *world)
{
	for (uint32_t i = 0; i < world->count; i++)
		free(world->clients[i].crossings);
	free(world->services);
	calendar_destroy(world->calendar);
}
