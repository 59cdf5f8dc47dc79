// SPDX-License-Identifier: BSD-3-Clause
/* A stage for scripted tests of a session's turn. */
#include "tests/recorder/session/session_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/session/session_window.h"

/* Descriptors that are never used: nothing is carried out. */
#define NO_SOCKET 1000

static struct stage *current;

__attribute__((format(printf, 2, 3))) static void note(char *log, const char *format, ...)
{
	size_t length = strlen(log);
	va_list arguments;

	if (length && length + 1 < STAGE_LOG)
		log[length++] = ' ';
	va_start(arguments, format);
	vsnprintf(log + length, STAGE_LOG - length, format, arguments);
	va_end(arguments);
}

void stage_check(int line, char *log, const char *expected)
{
	if (strcmp(log, expected))
		fail_msg("line %d: expected\n  %s\nbut it was\n  %s", line, expected, log);
	*log = '\0';
}

void stage_forget(struct stage *stage)
{
	*stage->records = *stage->effects = '\0';
}

/* ---- Records --------------------------------------------------------------------------------- */

/* The writer is this one: the trace library's is not linked. */
int trace_writer_append(struct trace_writer *writer, const struct trace_record *record,
			uint64_t *number)
{
	char *log = current->records;
	char name[WIRE_NAME_TEXT];

	(void)writer;
	(void)number;
	switch (record->kind) {
	case TRACE_from:
	case TRACE_to:
		note(log, "n%u:%s:%s", record->guest, record->kind == TRACE_from ? "from" : "to",
		     wire_operation_text((uint32_t)record->from.op, name));
		break;
	case TRACE_console:
		note(log, "n%u:console:%.*s", record->guest, (int)record->payload_size,
		     (const char *)record->payload);
		break;
	default:
		note(log, "n%u:%s", record->guest, trace_kind_info(record->kind)->name);
		break;
	}
	return 0;
}

/* ---- The device ------------------------------------------------------------------------------ */

static int stage_device_kick(struct device *device, unsigned int queue)
{
	struct stage_device *own = (struct stage_device *)device;

	(void)queue;
	device_schedule(device, device->host->now(device) + own->delay);
	return 0;
}

static int stage_device_fire(struct device *device)
{
	device_unschedule(device);
	device->calls |= 1;
	return 0;
}

static void stage_device_destroy(struct device *device)
{
	(void)device;
}

static const struct device_class stage_class = { .name = "stage",
						 .queues = 1,
						 .kick = stage_device_kick,
						 .fire = stage_device_fire,
						 .destroy = stage_device_destroy };

/* ---- Opening --------------------------------------------------------------------------------- */

static void open_partition(struct stage *stage, const struct stage_options *options)
{
	struct turn *turn = &stage->turn;
	struct partition *partition;
	struct calendar_options calendar = turn->calendar;

	calendar.expected = (uint32_t)options->guests + options->program;
	assert_int_equal(partition_create(&calendar, NULL, &partition), 0);
	partition->journal = &turn->journal;
	partition->effects = &turn->effects;
	partition->outcome = &turn->outcome;
	partition->number = turn->partition_count;
	turn->partition[turn->partition_count++] = partition;
}

static void open_guest(struct stage *stage, size_t number, struct partition *partition)
{
	static char name[] = "guest";
	struct stage_guest *own = &stage->guest[number];
	struct session_guest *guest;

	own->spec = (struct guest_spec){
		.name = name, .id = number + 1, .device = own->about, .device_count = 1
	};
	vhost_open(&own->vhost[0], -1);
	own->vhost[0].call_fd = NO_SOCKET;
	own->vhost[0].ring[0].size = 8;
	own->guest = (struct guest){ .spec = &own->spec, .device = own->vhost, .time_fd = -1 };
	assert_int_equal(session_guest_create(&stage->turn.guests, &own->guest, partition, 1), 0);
	guest = stage->turn.guests.guest[number];
	if (stage->program) {
		assert_int_equal(session_program_add_device(stage->program, guest, 0), 0);
		return;
	}
	own->device =
		(struct stage_device){ .device = { .class = &stage_class, .due = WIRE_TIME_NEVER },
				       .delay = 100 };
	assert_int_equal(session_device_init(&guest->device[0], guest, 0, &own->device.device), 0);
}

void stage_open(struct stage *stage, struct stage_options options)
{
	static struct trace_writer *const writer = (struct trace_writer *)&current;
	const struct session_program_options program = {
		.name = "program", .socket = "", .time_fd = NO_SOCKET, .process = -1
	};
	struct turn *turn = &stage->turn;

	*stage = (struct stage){ .result = { .end = SESSION_DONE } };
	current = stage;
	options.partitions += !options.partitions;
	turn->calendar = (struct calendar_options){ .limit = options.limit,
						    .windowed = options.partitions > 1 };
	turn->window.lookahead = options.lookahead ? options.lookahead : WIRE_TIME_NEVER;
	turn->outcome.result = &stage->result;
	turn->effects.outcome = &turn->outcome;
	turn->guests.digest = DIGEST_OFF;
	turn->partition = calloc(STAGE_PARTITIONS, sizeof(struct partition *));
	assert_non_null(turn->partition);
	assert_int_equal(journal_open(&turn->journal, options.partitions, writer, &turn->outcome),
			 0);
	if (options.program) {
		turn->program = &stage->program;
		assert_int_equal(session_program_create(&program, 0, &stage->program), 0);
		turn->program_count = 1;
	}
	for (size_t i = 0; i < options.partitions; i++) {
		open_partition(stage, &options);
		for (size_t j = 0; j < options.guests; j++)
			open_guest(stage, i * options.guests + j, turn->partition[i]);
		turn_touched(turn, turn->partition[i]);
	}
}

void stage_close(struct stage *stage)
{
	struct turn *turn = &stage->turn;

	inbox_release(&turn->inbox);
	effects_release(&turn->effects);
	clients_release(&turn->clients);
	for (size_t i = 0; i < turn->partition_count; i++)
		partition_destroy(turn->partition[i]);
	free(turn->partition);
	session_guests_release(&turn->guests);
	if (stage->program)
		session_program_destroy(stage->program);
	journal_close(&turn->journal);
}

struct session_guest *stage_session_guest(struct stage *stage, size_t guest)
{
	return stage->turn.guests.guest[guest];
}

/* ---- Events ---------------------------------------------------------------------------------- */

static void put(struct stage *stage, struct event event, const struct partition *partition)
{
	event.time = partition_now(partition);
	assert_int_equal(inbox_put(&stage->turn.inbox, &event), 0);
}

void stage_put_guest(struct stage *stage, size_t number, enum event_kind kind)
{
	struct session_guest *guest = stage_session_guest(stage, number);

	put(stage,
	    (struct event){ .kind = kind,
			    .guest = guest,
			    .participant = guest->index,
			    .member = JOINED_GUEST,
			    .fd = -1,
			    .upstream_fd = -1 },
	    guest->partition);
}

void stage_put_device(struct stage *stage, size_t number, enum event_kind kind)
{
	struct session_guest *guest = stage_session_guest(stage, number);

	put(stage,
	    (struct event){
		    .kind = kind, .device = &guest->device[0], .participant = guest->index },
	    guest->partition);
}

void stage_join(struct stage *stage, size_t guest)
{
	stage_put_guest(stage, guest, EVENT_JOINED);
}

void stage_join_program(struct stage *stage)
{
	put(stage,
	    (struct event){ .kind = EVENT_JOINED,
			    .program = stage->program,
			    .participant = EVENT_NO_PARTICIPANT,
			    .member = JOINED_PROGRAM,
			    .fd = -1,
			    .upstream_fd = -1 },
	    stage->turn.partition[0]);
}

static void put_message(struct stage *stage, struct client *client, struct wire_message message)
{
	put(stage,
	    (struct event){ .kind = EVENT_MESSAGE,
			    .client = client,
			    .participant = client->index,
			    .message = message },
	    client->partition);
}

void stage_send(struct stage *stage, size_t guest, uint32_t op, uint64_t time)
{
	put_message(
		stage, stage_session_guest(stage, guest)->client,
		(struct wire_message){ .op = op, .seq = ++stage->guest[guest].said, .time = time });
}

void stage_ack(struct stage *stage, size_t number)
{
	struct stage_guest *guest = &stage->guest[number];

	assert_true(guest->sent_count > 0);
	put_message(stage, stage_session_guest(stage, number)->client,
		    (struct wire_message){ .op = TRACE_OP_ACK, .seq = guest->sent[0] });
	memmove(guest->sent, guest->sent + 1, --guest->sent_count * sizeof(guest->sent[0]));
}

void stage_program_send(struct stage *stage, uint32_t op, uint64_t time)
{
	put_message(stage, stage->program->client,
		    (struct wire_message){ .op = op, .seq = ++stage->program_said, .time = time });
}

void stage_print(struct stage *stage, size_t number, const char *text)
{
	struct session_guest *guest = stage_session_guest(stage, number);
	size_t size = strlen(text);

	guest->console.text = realloc(guest->console.text, guest->console.size + size + 1);
	assert_non_null(guest->console.text);
	guest->console.space = guest->console.size + size + 1;
	memcpy(guest->console.text + guest->console.size, text, size);
	guest->console.size += size;
	stage_put_guest(stage, number, EVENT_CONSOLE);
}

void stage_leave(struct stage *stage, size_t guest)
{
	struct client *client = stage_session_guest(stage, guest)->client;

	put(stage,
	    (struct event){ .kind = EVENT_LEFT, .client = client, .participant = client->index },
	    client->partition);
}

void stage_kick(struct stage *stage, size_t guest)
{
	struct vhost_message *request = &stage_session_guest(stage, guest)->device[0].request;

	*request = (struct vhost_message){ .request = VHOST_VRING_KICK,
					   .flags = VHOST_FLAG_VERSION | VHOST_FLAG_NEED_REPLY,
					   .size = 8 };
	stage_put_device(stage, guest, EVENT_REQUEST);
}

void stage_program_call(struct stage *stage, size_t guest)
{
	struct program_link *link = stage_session_guest(stage, guest)->device[0].link;

	link->incoming = (struct vhost_message){ .request = VHOST_BACKEND_VRING_CALL,
						 .flags = VHOST_FLAG_NEED_REPLY,
						 .size = 8 };
	stage_put_device(stage, guest, EVENT_PROGRAM_CALL);
}

void stage_signal(struct stage *stage, int signal)
{
	const struct event event = { .kind = EVENT_STOP, .value = (uint64_t)signal };

	assert_int_equal(inbox_put(&stage->turn.inbox, &event), 0);
}

/* ---- Effects --------------------------------------------------------------------------------- */

static const char *const effect_names[] = {
	[EFFECT_OPEN_CLIENT] = "open",	    [EFFECT_CLOSE_CLIENT] = "leave",
	[EFFECT_SEND_UPSTREAM] = "up",	    [EFFECT_REPLY_VALUE] = "reply",
	[EFFECT_REPLY_BODY] = "body",	    [EFFECT_CALL] = "call",
	[EFFECT_OPEN_CALLED] = "listen",    [EFFECT_CUT] = "cut",
	[EFFECT_CLOSE] = "close",	    [EFFECT_ENTROPY] = "entropy",
	[EFFECT_FORWARD] = "forward",	    [EFFECT_ANSWER_CALL] = "answer",
	[EFFECT_DISCONNECT] = "disconnect",
};

static void remember_sent(struct stage *stage, const struct client *client,
			  const struct wire_message *message)
{
	struct stage_guest *guest;

	if (!client->guest || message->op == TRACE_OP_ACK)
		return;
	guest = &stage->guest[client->guest->index];
	guest->sent[guest->sent_count++] = message->seq;
}

static void note_effect(struct stage *stage, const struct effect *effect)
{
	char name[WIRE_NAME_TEXT];

	switch (effect->kind) {
	case EFFECT_SEND:
	case EFFECT_SEND_START:
		remember_sent(stage, effect->client, &effect->message);
		note(stage->effects, "n%u>%s", effect->client->index,
		     wire_operation_text(effect->message.op, name));
		break;
	case EFFECT_OPEN_CLIENT:
	case EFFECT_CLOSE_CLIENT:
	case EFFECT_SEND_UPSTREAM:
		note(stage->effects, "n%u>%s", effect->client->index, effect_names[effect->kind]);
		break;
	case EFFECT_CALL:
		session_device_record_call(effect->device, effect->request, effect->queue);
		note(stage->effects, "n%u>call", effect->device->guest->index);
		break;
	default:
		note(stage->effects, "n%u>%s", effect->device->guest->index,
		     effect_names[effect->kind]);
		break;
	}
}

static void carry_out(struct stage *stage)
{
	for (size_t i = 0; i < stage->turn.effects.count; i++)
		note_effect(stage, &stage->turn.effects.effect[i]);
	effects_clear(&stage->turn.effects);
}

void stage_run(struct stage *stage)
{
	struct turn *turn = &stage->turn;
	struct event event;
	bool more = true;

	while (more) {
		while (!turn->outcome.over &&
		       inbox_take(&turn->inbox, turn_may_take, turn, &event)) {
			turn_take(turn, &event);
			carry_out(stage);
		}
		more = window_advance(turn);
		carry_out(stage);
		more = more || inbox_has(&turn->inbox, turn_may_take, turn);
		more = more && !turn->outcome.over;
	}
}

void stage_boot_each(struct stage *stage, const uint64_t *times)
{
	for (size_t i = 0; i < stage->turn.guests.count; i++) {
		stage_join(stage, i);
		stage_run(stage);
		stage_send(stage, i, TRACE_OP_START, i + 1);
	}
	stage_run(stage);
	for (size_t i = 0; i < stage->turn.guests.count; i++) {
		stage_put_device(stage, i, EVENT_ATTACHED);
		stage_send(stage, i, TRACE_OP_REQUEST, times[i]);
		stage_run(stage);
		stage_send(stage, i, TRACE_OP_WAIT, 0);
		stage_run(stage);
	}
	stage_forget(stage);
}

void stage_boot(struct stage *stage, uint64_t time)
{
	const uint64_t times[STAGE_GUESTS] = { time, time, time, time };

	stage_boot_each(stage, times);
}
