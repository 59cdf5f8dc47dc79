// SPDX-License-Identifier: BSD-3-Clause
/* Plays a scripted controller against a participant. */
#include "tests/kernel/participant/participant_script.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A participant that does not say what it should within this is stuck. */
#define PATIENCE_MS 10000

static bool leave(struct script *script, size_t step, const char *format, ...)
{
	int length = snprintf(script->wrong, sizeof(script->wrong), "step %zu: ", step);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(script->wrong + length, sizeof(script->wrong) - (size_t)length, format,
		  arguments);
	va_end(arguments);
	return false;
}

static bool hear(struct script *script, size_t step, uint32_t op, uint64_t time, uint32_t *seq)
{
	struct pollfd readable = { .fd = script->fd, .events = POLLIN };
	struct wire_message message;
	ssize_t size;

	if (poll(&readable, 1, PATIENCE_MS) <= 0)
		return leave(script, step, "waited for operation %u in vain", op);
	size = recv(script->fd, &message, sizeof(message), MSG_WAITALL);
	if (size != sizeof(message))
		return leave(script, step, "operation %u expected, the socket ended", op);
	if (message.op != op || message.time != time)
		return leave(script, step, "operation %u at %" PRIu64 " expected, %u at %" PRIu64,
			     op, time, message.op, message.time);
	*seq = message.seq;
	return true;
}

static bool say(struct script *script, uint32_t op, uint32_t seq, uint64_t time)
{
	struct wire_message message = { .op = op, .seq = seq, .time = time };

	/* A participant that has panicked reads no more; what it said is what counts. */
	send(script->fd, &message, sizeof(message), MSG_NOSIGNAL);
	return true;
}

static bool answer_with_fds(struct script *script)
{
	struct wire_message message = { .op = TRACE_OP_ACK, .seq = script->heard_seq };
	union {
		struct cmsghdr header;
		char data[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = &message, .iov_len = sizeof(message) };
	struct msghdr header = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control) };

	control.header.cmsg_len = CMSG_LEN(2 * sizeof(int));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.header), script->pipe, sizeof(script->pipe));
	sendmsg(script->fd, &header, MSG_NOSIGNAL);
	return true;
}

static bool play(struct script *script, size_t number)
{
	const struct script_step *step = &script->steps[number];
	uint32_t seq;

	switch (step->action) {
	case SCRIPT_EXPECT:
		return hear(script, number, step->op, step->time, &script->heard_seq);
	case SCRIPT_ANSWER:
		return say(script, TRACE_OP_ACK, script->heard_seq, step->time);
	case SCRIPT_MISANSWER:
		return say(script, TRACE_OP_ACK, script->heard_seq + 1, 0);
	case SCRIPT_SEND:
		return say(script, step->op, ++script->said_seq, step->time);
	case SCRIPT_ACKED:
		if (!hear(script, number, TRACE_OP_ACK, 0, &seq))
			return false;
		return seq == script->said_seq || leave(script, number, "ACK of another message");
	case SCRIPT_POKE:
		return write(script->pipe[1], "!", 1) == 1;
	case SCRIPT_FDS:
		return answer_with_fds(script);
	case SCRIPT_HALF:
		return send(script->fd, "halfhalfhalfhalf", step->time, MSG_NOSIGNAL) > 0;
	case SCRIPT_CLOSE:
		shutdown(script->fd, SHUT_RDWR);
		return true;
	}
	return false;
}

static void *play_all(void *argument)
{
	struct script *script = argument;
	char more;

	for (size_t i = 0; i < script->count; i++) {
		if (!play(script, i)) {
			shutdown(script->fd, SHUT_RDWR);
			return NULL;
		}
	}
	if (recv(script->fd, &more, 1, 0) > 0) {
		leave(script, script->count, "the participant said more");
		shutdown(script->fd, SHUT_RDWR);
	}
	return NULL;
}

void script_begin(struct script *script, enum participant_kernel kernel,
		  const struct script_step *steps, size_t count)
{
	struct participant_options options = { .size = sizeof(options), .kernel = kernel };
	int pair[2];

	*script = (struct script){ .steps = steps, .count = count, .said_seq = 1000 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe2(script->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	script->fd = pair[0];
	assert_int_equal(participant_create(&options, &script->participant), 0);
	assert_int_equal(participant_attach(script->participant, pair[1], 7), 0);
	assert_int_equal(pthread_create(&script->thread, NULL, play_all, script), 0);
	if (count > 1 && steps[0].op == TRACE_OP_START && steps[1].action == SCRIPT_ANSWER)
		assert_int_equal(participant_start(script->participant), 0);
}

void script_end(struct script *script)
{
	participant_destroy(script->participant);
	pthread_join(script->thread, NULL);
	close(script->fd);
	close(script->pipe[0]);
	close(script->pipe[1]);
	if (script->wrong[0])
		fail_msg("%s", script->wrong);
}

char order[32];

void order_note(char letter)
{
	size_t length = strlen(order);

	assert_true(length + 1 < sizeof(order));
	order[length] = letter;
	order[length + 1] = '\0';
}

int order_begin(void **state)
{
	(void)state;
	order[0] = '\0';
	return 0;
}

static void run_named(struct participant *p, struct participant_event *event)
{
	struct named_event *named = event->context;

	order_note(named->letter);
	named->ran_at = participant_now(p);
	assert_true(participant_in_interrupt(p));
	if (named->delay)
		participant_delay(p, named->delay);
}

void named_init(struct named_event *named, char letter, uint64_t delay)
{
	*named = (struct named_event){ .letter = letter, .delay = delay };
	participant_event_init(&named->event, run_named, named);
}

void tick(struct participant *p, struct participant_timer *timer)
{
	uint64_t *ran_at = timer->context;

	*ran_at = participant_now(p);
	order_note('t');
}

void take_interrupt(struct participant *p, struct participant_source *source)
{
	char byte;

	order_note('!');
	assert_int_equal(read(source->fd, &byte, 1), 1);
	participant_interrupt(p, source->context);
}
