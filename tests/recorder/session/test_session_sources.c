// SPDX-License-Identifier: BSD-3-Clause
/* What a round reads of time-travel connections, over real sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/session/member/session_client.h"
#include "recorder/session/session_sources.h"

#define CLIENTS 100

struct peers {
	struct sources sources;
	struct inbox inbox;
	struct partition *partition;
	struct client client[CLIENTS];
	int peer[CLIENTS];
	size_t count;
};

static void open_peers(struct peers *peers, size_t count)
{
	const struct calendar_options options = { .expected = 1 };
	int pair[2];

	memset(peers, 0, sizeof(*peers));
	assert_int_equal(sources_init(&peers->sources, &peers->inbox), 0);
	assert_int_equal(partition_create(&options, NULL, &peers->partition), 0);
	for (size_t i = 0; i < count; i++) {
		struct client *client = &peers->client[i];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		*client = (struct client){ .state = CLIENT_RUNNING,
					   .fd = pair[0],
					   .upstream_fd = -1,
					   .index = (uint32_t)i,
					   .partition = peers->partition };
		peers->peer[i] = pair[1];
		assert_int_equal(source_open(&peers->sources, &client->source, SOURCE_CLIENT,
					     pair[0], client),
				 0);
	}
	peers->count = count;
}

static void close_peers(struct peers *peers)
{
	for (size_t i = 0; i < peers->count; i++) {
		close(peers->client[i].fd);
		close(peers->peer[i]);
	}
	partition_destroy(peers->partition);
	inbox_release(&peers->inbox);
	sources_release(&peers->sources);
}

static void say(struct peers *peers, size_t number, const uint32_t *ops, size_t count)
{
	struct wire_message message[8];

	for (size_t i = 0; i < count; i++)
		message[i] = (struct wire_message){ .op = ops[i], .seq = (uint32_t)i };
	assert_int_equal(wire_send(peers->peer[number], message, count), 0);
}

static bool any(const void *context, const struct event *event)
{
	(void)context;
	(void)event;
	return true;
}

/* The next round has messages with just these operations. */
static void round_has(struct peers *peers, const uint32_t *ops, size_t count)
{
	struct event event;

	sources_read(&peers->sources, 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(inbox_take(&peers->inbox, any, NULL, &event));
		assert_int_equal(event.kind, EVENT_MESSAGE);
		assert_int_equal(event.message.op, ops[i]);
	}
	assert_int_equal(peers->inbox.count, 0);
}

/* What a client did between two messages of one read is reported in the next round at the
 * earliest.
 */
static void test_a_message_behind_another_is_for_the_next_round(void **state)
{
	static const uint32_t ops[] = { TRACE_OP_ACK, TRACE_OP_ACK, TRACE_OP_REQUEST, TRACE_OP_ACK,
					TRACE_OP_WAIT };
	struct peers peers;

	(void)state;
	open_peers(&peers, 1);
	say(&peers, 0, ops, 5);
	round_has(&peers, ops, 2);
	round_has(&peers, ops + 2, 1);
	round_has(&peers, ops + 3, 1);
	round_has(&peers, ops + 4, 1);
	round_has(&peers, NULL, 0);
	close_peers(&peers);
}

/* It is not waited for: a round with a timeout that never ends comes back. */
static void test_what_is_left_does_not_wait(void **state)
{
	static const uint32_t ops[] = { TRACE_OP_GET, TRACE_OP_WAIT };
	struct peers peers;
	struct event event;

	(void)state;
	open_peers(&peers, 1);
	say(&peers, 0, ops, 2);
	for (size_t i = 0; i < 2; i++) {
		sources_read(&peers.sources, -1);
		assert_true(inbox_take(&peers.inbox, any, NULL, &event));
		assert_int_equal(event.message.op, ops[i]);
	}
	close_peers(&peers);
}

static void test_all_that_is_there_is_in_one_round(void **state)
{
	static const uint32_t ops[] = { TRACE_OP_WAIT };
	struct peers peers;
	struct event event;

	(void)state;
	open_peers(&peers, CLIENTS);
	for (size_t i = CLIENTS; i--;)
		say(&peers, i, ops, 1);
	sources_read(&peers.sources, 0);
	assert_int_equal(peers.inbox.count, CLIENTS);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		assert_true(inbox_take(&peers.inbox, any, NULL, &event));
		assert_int_equal(event.participant, i);
	}
	close_peers(&peers);
}

static void test_what_was_not_taken_is_not_read_over(void **state)
{
	static const uint32_t ops[] = { TRACE_OP_GET, TRACE_OP_WAIT };
	struct peers peers;
	struct event event;

	(void)state;
	open_peers(&peers, 1);
	say(&peers, 0, ops, 2);
	sources_read(&peers.sources, 0);
	sources_pause(&peers.sources);
	for (int i = 0; i < 3; i++)
		sources_read(&peers.sources, 0);
	assert_int_equal(peers.inbox.count, 1);
	assert_true(inbox_take(&peers.inbox, any, NULL, &event));
	round_has(&peers, ops + 1, 1);
	say(&peers, 0, ops, 1);
	round_has(&peers, ops, 1);
	close_peers(&peers);
}

/* What a client said before it left comes before its end, and half a message is reported. */
static void test_the_end_of_a_connection(void **state)
{
	static const uint32_t ops[] = { TRACE_OP_GET, TRACE_OP_WAIT };
	struct peers peers;
	struct event event;

	(void)state;
	open_peers(&peers, 1);
	say(&peers, 0, ops, 2);
	assert_int_equal(write(peers.peer[0], "half", 4), 4);
	shutdown(peers.peer[0], SHUT_RDWR);
	round_has(&peers, ops, 1);
	round_has(&peers, ops + 1, 1);
	sources_read(&peers.sources, 0);
	assert_true(inbox_take(&peers.inbox, any, NULL, &event));
	assert_int_equal(event.kind, EVENT_LEFT);
	assert_int_equal(event.value, 4);
	assert_int_equal(peers.client[0].source.state, SOURCE_CLOSED);
	round_has(&peers, NULL, 0);
	close_peers(&peers);
}

static void test_a_source_that_is_closed_has_nothing_left(void **state)
{
	static const uint32_t ops[] = { TRACE_OP_GET, TRACE_OP_WAIT };
	struct peers peers;

	(void)state;
	open_peers(&peers, 2);
	say(&peers, 0, ops, 2);
	round_has(&peers, ops, 1);
	source_close(&peers.sources, &peers.client[0].source);
	round_has(&peers, NULL, 0);
	/* One that is paused, too. */
	say(&peers, 1, ops, 2);
	sources_read(&peers.sources, 0);
	sources_pause(&peers.sources);
	source_close(&peers.sources, &peers.client[1].source);
	inbox_forget(&peers.inbox, &peers.client[1].source);
	round_has(&peers, NULL, 0);
	close_peers(&peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_behind_another_is_for_the_next_round),
		cmocka_unit_test(test_what_is_left_does_not_wait),
		cmocka_unit_test(test_all_that_is_there_is_in_one_round),
		cmocka_unit_test(test_what_was_not_taken_is_not_read_over),
		cmocka_unit_test(test_the_end_of_a_connection),
		cmocka_unit_test(test_a_source_that_is_closed_has_nothing_left),
	};

	return cmocka_run_group_tests_name("session sources", tests, NULL, NULL);
}
