// SPDX-License-Identifier: BSD-3-Clause
/* A guest as the calendar sees it. */
#include <string.h>

#include "tests/recorder/calendar/calendar_model.h"

#define NO_EVENT UINT32_MAX

bool model_box_put(struct model_box *box, struct wire_message message)
{
	if (box->count == MODEL_BOX)
		return false;
	box->messages[(box->first + box->count++) % MODEL_BOX] = message;
	return true;
}

bool model_box_take(struct model_box *box, struct wire_message *message)
{
	if (!box->count)
		return false;
	*message = box->messages[box->first];
	box->first = (box->first + 1) % MODEL_BOX;
	box->count--;
	return true;
}

static void post(struct model *model, struct wire_message message)
{
	if (!model_box_put(&model->outbox, message))
		model->panic = "outbox full";
}

/* ---- arch/um/kernel/time.c ------------------------------------------------------------------- */

static void set_time(struct model *model, uint64_t time)
{
	if (time < model->time)
		model->panic = "time goes backwards";
	else if (time >= WIRE_TIME_NEVER)
		model->panic = "going to sleep forever";
	model->time = time;
}

/* The first half of time_travel_ext_req(): the ACK comes in model_receive(). */
static void ext_req(struct model *model, uint32_t op, uint64_t time)
{
	model->asked = (struct wire_message){ op, ++model->seq, time };
	post(model, model->asked);
}

static bool may_run_to(const struct model *model, uint64_t time)
{
	return !model->ext_waiting && model->free_until_valid && time < model->free_until;
}

uint64_t model_first(const struct model *model)
{
	return model->event_count ? model->events[0].time : WIRE_TIME_NEVER;
}

static void update_request(struct model *model)
{
	uint64_t time = model_first(model);

	if (model->prev_request_valid && time == model->prev_request)
		return;
	if (!model->is_5_10 && may_run_to(model, time))
		return;
	model->prev_request = time;
	model->prev_request_valid = true;
	ext_req(model, TRACE_OP_REQUEST, time);
}

static void add_event(struct model *model, uint64_t time, bool irq)
{
	uint32_t place = model->event_count;

	if (model->event_count == MODEL_EVENTS)
		return;
	while (place && model->events[place - 1].time > time)
		place--;
	memmove(&model->events[place + 1], &model->events[place],
		(model->event_count - place) * sizeof(model->events[0]));
	model->events[place] = (struct model_event){ time, model->event_numbers++, irq };
	model->event_count++;
	update_request(model);
}

static void propagate_time(struct model *model)
{
	if (!model->is_5_10 && model->last_propagated == model->time)
		return;
	ext_req(model, TRACE_OP_UPDATE, model->time);
	model->last_propagated = model->time;
}

static void ext_wait(struct model *model)
{
	model->prev_request_valid = false;
	if (!model->is_5_10)
		model->free_until_valid = false;
	model->ext_waiting = true;
	model->awaited_event = model->event_count ? model->events[0].number : NO_EVENT;
	model->activity = MODEL_WAITING;
	ext_req(model, TRACE_OP_WAIT, UINT64_MAX);
}

/* ---- The program ----------------------------------------------------------------------------- */

static void plan(struct model *model, enum model_deed deed, uint64_t value)
{
	if (model->todo_count == MODEL_TODO)
		return;
	model->todo[(model->todo_first + model->todo_count++) % MODEL_TODO] =
		(struct model_todo){ deed, value };
}

/* Mostly round numbers, so that clients meet at the same time. */
static uint64_t random_delay(struct random *random)
{
	switch (random_below(random, 4)) {
	case 0:
		return 0;
	case 1:
		return random_below(random, 5000);
	default:
		return 1000 * random_below(random, 40);
	}
}

static bool likely(struct model *model, unsigned int percent)
{
	return random_chance(&model->program, percent * model->vigor / 100);
}

static void plan_deeds(struct model *model)
{
	struct random *random = &model->program;

	if (likely(model, 50))
		plan(model, MODEL_ADD, random_delay(random));
	if (likely(model, 25)) {
		plan(model, MODEL_UPDATE, 0);
		plan(model, MODEL_KICK, random_next(random));
	}
	if (random_chance(random, 5))
		plan(model, MODEL_BROADCAST, random_next(random));
	if (random_chance(random, 5))
		plan(model, MODEL_TOD, 0);
	if (likely(model, 35))
		plan(model, MODEL_ADD, random_delay(random));
	if (likely(model, 15))
		plan(model, MODEL_ADD, 100000 + random_delay(random));
	if (random_chance(random, 1) && random_chance(random, 20))
		plan(model, MODEL_EXIT, 0);
}

static void deliver_first(struct model *model, struct model_effects *effects)
{
	struct model_event event = model->events[0];

	if (event.time != model->time)
		model->panic = "event delivered at another time than its own";
	model->event_count--;
	memmove(&model->events[0], &model->events[1],
		model->event_count * sizeof(model->events[0]));
	if (event.irq)
		model->irq_pending = false;
	model->settled = false;
	effects->served = true;
	plan_deeds(model);
}

static void do_deed(struct model *model, struct model_effects *effects)
{
	struct model_todo todo = model->todo[model->todo_first];

	model->todo_first = (model->todo_first + 1) % MODEL_TODO;
	model->todo_count--;
	switch (todo.deed) {
	case MODEL_ADD:
		add_event(model, model->time + todo.value, false);
		break;
	case MODEL_UPDATE:
		propagate_time(model);
		break;
	case MODEL_KICK:
		model->activity = MODEL_KICKING;
		effects->kicks = true;
		effects->target = todo.value;
		break;
	case MODEL_BROADCAST:
		ext_req(model, TRACE_OP_BROADCAST, todo.value);
		break;
	case MODEL_TOD:
		ext_req(model, TRACE_OP_GET_TOD, UINT64_MAX);
		break;
	case MODEL_EXIT:
		model->activity = MODEL_GONE;
		post(model, (struct wire_message){ MODEL_CLOSE, 0, 0 });
		break;
	}
}

/* time_travel_update_time(): run on, or ask and WAIT. */
static void go_on(struct model *model, struct model_effects *effects)
{
	if (!model->settled) {
		model->settled = true;
		update_request(model);
	} else if (may_run_to(model, model_first(model))) {
		set_time(model, model_first(model));
		deliver_first(model, effects);
	} else {
		model->settled = false;
		ext_wait(model);
	}
}

/* ---- The interface --------------------------------------------------------------------------- */

void model_init(struct model *model, uint64_t id, uint64_t seed, unsigned int vigor)
{
	struct random random = { seed ^ (id * 0x2545f4914f6cdd1d) };

	*model = (struct model){ .id = id, .vigor = vigor };
	model->is_5_10 = random_chance(&random, 30);
	model->program.state = random_next(&random);
}

void model_start(struct model *model)
{
	model->activity = MODEL_STARTING;
	ext_req(model, TRACE_OP_START, model->id);
}

bool model_has_token(const struct model *model)
{
	return model->activity == MODEL_RUNNING || model->activity == MODEL_KICKING;
}

bool model_can_step(const struct model *model)
{
	if (model->asked.op)
		return false;
	return model->activity == MODEL_RUNNING ||
	       (model->activity == MODEL_WAITING && model->irq_raised && !model->irq_handling);
}

void model_step(struct model *model, struct model_effects *effects)
{
	if (model->activity == MODEL_WAITING) {
		model->irq_raised = false;
		model->irq_handling = true;
		ext_req(model, TRACE_OP_GET, UINT64_MAX);
	} else if (model->todo_count) {
		do_deed(model, effects);
	} else {
		go_on(model, effects);
	}
}

bool model_reads(const struct model *model)
{
	return model->asked.op || model->activity == MODEL_WAITING ||
	       model->activity == MODEL_KICKING;
}

/* vu_req_read_message(): GET is answered, now the event and its REQUEST. */
static void irq_enter_event(struct model *model)
{
	if (!model->irq_pending) {
		model->irq_pending = true;
		add_event(model, model->time, true);
	}
}

static void irq_end(struct model *model, struct model_effects *effects)
{
	model->irq_handling = false;
	effects->irq_done = true;
}

static void receive_ack(struct model *model, const struct wire_message *ack,
			struct model_effects *effects)
{
	uint32_t op = model->asked.op;

	if (ack->seq != model->asked.seq || !op) {
		model->panic = "ACK message has different seqno";
		return;
	}
	model->asked.op = 0;
	if (op == TRACE_OP_GET)
		set_time(model, ack->time);
	if (op == TRACE_OP_START) {
		model->activity = MODEL_RUNNING;
		for (unsigned int i = 0; i < 3; i++)
			plan_deeds(model);
		plan(model, MODEL_ADD, 1 + random_delay(&model->program));
	}
	if (!model->irq_handling)
		return;
	if (op == TRACE_OP_GET)
		irq_enter_event(model);
	if (!model->asked.op)
		irq_end(model, effects);
}

static void receive_run(struct model *model, uint64_t time, struct model_effects *effects)
{
	if (model->activity != MODEL_WAITING || model->asked.op || model->irq_handling ||
	    model->irq_raised) {
		model->panic = "RUN is swallowed";
		return;
	}
	set_time(model, time);
	model->ext_waiting = false;
	model->prev_request_valid = false;
	model->activity = MODEL_RUNNING;
	if (model->event_count && model->events[0].number == model->awaited_event)
		deliver_first(model, effects);
}

void model_receive(struct model *model, const struct wire_message *message,
		   struct model_effects *effects)
{
	if (message->op == TRACE_OP_ACK) {
		receive_ack(model, message, effects);
		return;
	}
	/* A kernel answers before it does what RUN made it do. */
	post(model, (struct wire_message){ TRACE_OP_ACK, message->seq, 0 });
	if (message->op == TRACE_OP_RUN)
		receive_run(model, message->time, effects);
	if (message->op == TRACE_OP_FREE_UNTIL) {
		model->free_until = message->time;
		model->free_until_valid = true;
	}
}

void model_kick_done(struct model *model)
{
	model->activity = MODEL_RUNNING;
}
