// SPDX-License-Identifier: BSD-3-Clause
/* What vhost-user messages set up, and those that make no sense. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "tests/kernel/vhost/vhost_peer.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define MEMORY_SIZE (1u << 20)
#define RING_SIZE   64u
#define PAGE	    4096ull

static struct peer peer; /* too large for a stack */
static struct builder_memory memory;
static struct ring_builder driver;
static unsigned int descriptors;

static int stage_open(void **state)
{
	(void)state;
	descriptors = open_descriptors();
	builder_memory_create(&memory, MEMORY_SIZE);
	ring_builder_create(&driver, &memory, RING_SIZE);
	peer_open(&peer);
	return 0;
}

static int stage_open_set_up(void **state)
{
	stage_open(state);
	peer_set_up(&peer, &memory, &driver);
	return 0;
}

/* Nobody leaks, in any test. */
static int stage_close(void **state)
{
	(void)state;
	peer_close(&peer);
	ring_builder_destroy(&driver);
	builder_memory_destroy(&memory);
	assert_int_equal(open_descriptors(), descriptors);
	return 0;
}

#define expect_problem(error, text)                              \
	do {                                                     \
		assert_int_equal(error, -EBADMSG);               \
		assert_string_equal(peer.vhost.problem, (text)); \
	} while (0)

static int tell(uint32_t request, const void *body, uint32_t size)
{
	return peer_request(&peer, request, body, size, NULL, 0);
}

static int set_state(uint32_t request, uint32_t index, uint32_t number)
{
	return peer_set_state(&peer, request, index, number);
}

/* ---- What a guest does ---------------------------------------------------------------------- */

static void test_a_guest_sets_its_device_up(void **state)
{
	static struct vring_chain chain;
	const struct vring *ring = &peer.vhost.ring[0];
	unsigned int queue = 99;
	char data[5];

	(void)state;
	assert_int_equal(peer.vhost.features, VIRTIO_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES);
	assert_int_equal(peer.vhost.protocol_features,
			 VHOST_PROTOCOL_NEEDED | VHOST_PROTOCOL_CONFIG);
	assert_int_equal(ring->size, RING_SIZE);
	ring_builder_send(&driver, "hello", 5);
	assert_int_equal(set_state(VHOST_VRING_KICK, 0, 0), 0);
	assert_int_equal(vhost_kicked_queue(&peer.vhost, &peer.message, &queue), 0);
	assert_int_equal(queue, 0);
	assert_int_equal(vring_take(&peer.vhost.ring[0], &chain), 1);
	assert_int_equal(vring_chain_read(&chain, 0, data, 5), 5);
	assert_memory_equal(data, "hello", 5);
	assert_int_equal(tell(VHOST_GET_CONFIG, "\0\0\0\0\4\0\0\0\0\0\0\0conf", 16), 0);
	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_VRING_CALL, 0), 0);
}

/* Only the connection for calls is kept, besides the guest's own. */
static void test_descriptors_that_are_kept(void **state)
{
	(void)state;
	/* both ends of two connections, and the memory of the driver */
	assert_int_equal(open_descriptors(), descriptors + 5);
	assert_int_equal(peer_set_calls(&peer), 0);
	assert_int_equal(open_descriptors(), descriptors + 5);
	assert_true(fcntl(peer.vhost.call_fd, F_GETFD) & FD_CLOEXEC);
}

/* A driver that is unbound and bound again, then one that sleeps and wakes. */
static void test_a_guest_sets_its_device_up_again(void **state)
{
	static struct vring_chain chain;

	(void)state;
	ring_builder_send(&driver, "1", 1);
	assert_int_equal(vring_take(&peer.vhost.ring[0], &chain), 1);
	assert_int_equal(set_state(VHOST_SET_VRING_ENABLE, 0, 0), 0);
	ring_builder_send(&driver, "2", 1);
	assert_int_equal(set_state(VHOST_VRING_KICK, 0, 0), 0);
	assert_int_equal(vring_take(&peer.vhost.ring[0], &chain), 0);
	assert_int_equal(set_state(VHOST_SET_VRING_ENABLE, 0, 1), 0);
	assert_int_equal(vring_take(&peer.vhost.ring[0], &chain), 1);
	assert_int_equal(chain.head, 1);

	assert_int_equal(set_state(VHOST_GET_VRING_BASE, 0, 0), 0);
	assert_false(vring_ready(&peer.vhost.ring[0]));
	assert_int_equal(peer_set_memory(&peer, &memory), 0);
	assert_int_equal(vring_chain_read(&chain, 0, &(char[1]){}, 1), 0);
	assert_int_equal(set_state(VHOST_SET_VRING_BASE, 0, 7), 0);
	assert_int_equal(peer.vhost.ring[0].next_avail, 7);
	assert_int_equal(peer.vhost.ring[0].next_used, 7);
	assert_int_equal(set_state(VHOST_SET_VRING_ENABLE, 0, 1), 0);
}

/* 7.2 sends no more than the one region it has. */
static void test_memory_tables_of_all_kernels(void **state)
{
	struct {
		uint32_t count, padding;
		struct peer_region region[2];
	} table = { 1, 0, { { 0x1000, PAGE, 0x1000, 0 }, { 0x9000, PAGE, 0x9000, 2 * PAGE } } };
	const int fds[] = { memory.fd, memory.fd };
	struct vring_memory *mapped = &peer.vhost.memory;

	(void)state;
	assert_int_equal(peer_request(&peer, VHOST_SET_MEM_TABLE, &table, 40, fds, 1), 0);
	assert_int_equal(mapped->count, 1);
	assert_int_equal(peer_request(&peer, VHOST_SET_MEM_TABLE, &table, 72, fds, 1), 0);
	assert_int_equal(mapped->count, 1);
	table.count = 2;
	assert_int_equal(peer_request(&peer, VHOST_SET_MEM_TABLE, &table, 72, fds, 2), 0);
	assert_int_equal(mapped->count, 2);
	memory.data[2 * PAGE] = 0x77;
	assert_int_equal(*(uint8_t *)vring_memory_at_guest(mapped, 0x9000, 1), 0x77);
}

/* Without VHOST_USER_F_PROTOCOL_FEATURES nobody enables a ring: it is when it is started. */
static void test_a_guest_without_protocol_features(void **state)
{
	const uint64_t moved = BUILDER_USER_BASE - BUILDER_GUEST_BASE, index = 2;

	(void)state;
	assert_int_equal(peer_set_memory(&peer, &memory), 0);
	assert_int_equal(set_state(VHOST_SET_VRING_NUM, 2, RING_SIZE), 0);
	assert_int_equal(peer_set_ring(&peer, 2, driver.desc + moved, driver.used + moved,
				       driver.avail + moved),
			 0);
	assert_int_equal(peer_request(&peer, VHOST_SET_VRING_CALL, &index, 8, &memory.fd, 1), 0);
	assert_false(vring_ready(&peer.vhost.ring[2]));
	assert_int_equal(peer_request(&peer, VHOST_SET_VRING_KICK, &index, 8, &memory.fd, 1), 0);
	assert_true(vring_ready(&peer.vhost.ring[2]));
}

static void test_closing(void **state)
{
	(void)state;
	vhost_close(&peer.vhost);
	assert_int_equal(open_descriptors(), descriptors + 3);
	assert_false(peer.vhost.ring[0].enabled);
	assert_int_equal(peer.vhost.ring[0].size, 0);
	assert_int_equal(peer.vhost.memory.count, 0);
	vhost_close(&peer.vhost);
	assert_int_equal(vhost_call(&peer.vhost, VHOST_BACKEND_VRING_CALL, 0), -ENOTCONN);
}

/* A guest that connects anew: what was in flight on its old connection has no bytes. */
static void test_chain_of_an_earlier_connection(void **state)
{
	static struct vring_chain chain;
	int ends[2];

	(void)state;
	ring_builder_send(&driver, "hello", 5);
	assert_int_equal(vring_take(&peer.vhost.ring[0], &chain), 1);
	vhost_close(&peer.vhost);
	close_fd(&peer.fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	peer.fd = ends[0];
	vhost_open(&peer.vhost, ends[1]);
	assert_int_equal(peer_set_memory(&peer, &memory), 0);
	assert_int_equal(vring_chain_read(&chain, 0, &(char[1]){}, 1), 0);
}

/* ---- Messages that make no sense ------------------------------------------------------------ */

static void test_requests_of_the_wrong_length(void **state)
{
	static const struct {
		uint32_t request, min, max;
	} sizes[] = {
		{ VHOST_GET_FEATURES, 0, 0 },	  { VHOST_SET_FEATURES, 8, 8 },
		{ VHOST_SET_OWNER, 0, 0 },	  { VHOST_SET_MEM_TABLE, 8, 264 },
		{ VHOST_SET_VRING_NUM, 8, 8 },	  { VHOST_SET_VRING_ADDR, 40, 40 },
		{ VHOST_SET_VRING_BASE, 8, 8 },	  { VHOST_GET_VRING_BASE, 8, 8 },
		{ VHOST_SET_VRING_KICK, 8, 8 },	  { VHOST_SET_VRING_CALL, 8, 8 },
		{ VHOST_SET_VRING_ERR, 8, 8 },	  { VHOST_GET_PROTOCOL_FEATURES, 0, 0 },
		{ VHOST_GET_QUEUE_NUM, 0, 0 },	  { VHOST_SET_PROTOCOL_FEATURES, 8, 8 },
		{ VHOST_SET_VRING_ENABLE, 8, 8 }, { VHOST_SET_BACKEND_REQ_FD, 0, 0 },
		{ VHOST_GET_CONFIG, 12, 4096 },	  { VHOST_SET_CONFIG, 12, 4096 },
		{ VHOST_VRING_KICK, 8, 8 },
	};
	static const uint8_t body[512];
	char text[VHOST_NAME_TEXT], problem[VHOST_PROBLEM_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (uint32_t size = 0; size < 300; size++) {
			if (size >= sizes[i].min && size <= sizes[i].max)
				continue;
			snprintf(problem, sizeof(problem), "%s of %u bytes",
				 vhost_request_text(sizes[i].request, text), size);
			expect_problem(tell(sizes[i].request, body, size), problem);
		}
	}
	expect_problem(tell(99, body, 8), "request 99, which no guest sends");
	expect_problem(tell(4, NULL, 0), "request 4, which no guest sends");
}

static void test_descriptors_that_are_not_wanted(void **state)
{
	static const uint8_t body[40];
	char text[VHOST_NAME_TEXT], problem[VHOST_PROBLEM_TEXT];
	static const struct {
		uint32_t request, size;
	} without[] = { { VHOST_GET_FEATURES, 0 },    { VHOST_SET_FEATURES, 8 },
			{ VHOST_SET_VRING_NUM, 8 },   { VHOST_SET_VRING_ADDR, 40 },
			{ VHOST_GET_CONFIG, 12 },     { VHOST_VRING_KICK, 8 },
			{ VHOST_SET_VRING_ENABLE, 8 } };
	const int fds[] = { memory.fd, memory.fd };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		snprintf(problem, sizeof(problem), "%s with 1 descriptors",
			 vhost_request_text(without[i].request, text));
		expect_problem(
			peer_request(&peer, without[i].request, body, without[i].size, fds, 1),
			problem);
	}
	expect_problem(peer_request(&peer, VHOST_SET_BACKEND_REQ_FD, NULL, 0, fds, 2),
		       "SET_BACKEND_REQ_FD with 2 descriptors");
	expect_problem(tell(VHOST_SET_BACKEND_REQ_FD, NULL, 0),
		       "SET_BACKEND_REQ_FD with 0 descriptors");
	expect_problem(peer_request(&peer, VHOST_SET_BACKEND_REQ_FD, NULL, 0, fds, 1),
		       "SET_BACKEND_REQ_FD: not a stream socket");
	assert_int_equal(peer.vhost.call_fd, -1);
	expect_problem(peer_request(&peer, VHOST_SET_VRING_KICK, body, 8, NULL, 0),
		       "SET_VRING_KICK: 0x0 with 0 descriptors");
	expect_problem(peer_request(&peer, VHOST_SET_VRING_CALL, "\0\1\0\0\0\0\0", 8, fds, 1),
		       "SET_VRING_CALL: 0x100 with 1 descriptors");
	expect_problem(peer_request(&peer, VHOST_SET_VRING_ERR, "\0\2\0\0\0\0\0", 8, fds, 1),
		       "SET_VRING_ERR: 0x200 with 1 descriptors");
	assert_int_equal(peer_request(&peer, VHOST_SET_VRING_CALL, "\0\1\0\0\0\0\0", 8, NULL, 0),
			 0);
}

static void test_calls_over_what_is_no_stream_socket(void **state)
{
	int ends[2];
	auto_fd other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(peer_request(&peer, VHOST_SET_BACKEND_REQ_FD, NULL, 0, ends, 1), -EBADMSG);
	assert_int_equal(peer_request(&peer, VHOST_SET_BACKEND_REQ_FD, NULL, 0, &other, 1),
			 -EBADMSG);
	close(ends[0]);
	close(ends[1]);
}

struct table {
	uint32_t count, padding;
	struct peer_region region[VRING_REGIONS_MAX];
};

static int tell_table(const struct table *table, unsigned int fd_count)
{
	int fds[VRING_REGIONS_MAX];

	for (size_t i = 0; i < VRING_REGIONS_MAX; i++)
		fds[i] = memory.fd;
	return peer_request(&peer, VHOST_SET_MEM_TABLE, table, sizeof(*table), fds, fd_count);
}

static void test_memory_that_makes_no_sense(void **state)
{
	struct table table = { 0, 0, { { 0x1000, PAGE, 0x1000, 0 } } };

	(void)state;
	expect_problem(tell_table(&table, 0),
		       "SET_MEM_TABLE: 0 regions in 264 bytes with 0 descriptors");
	table.count = 9;
	assert_int_equal(tell_table(&table, 8), -EBADMSG);
	table.count = UINT32_MAX;
	assert_int_equal(tell_table(&table, 8), -EBADMSG);
	table.count = 2;
	assert_int_equal(peer_request(&peer, VHOST_SET_MEM_TABLE, &table, 40,
				      (int[]){ memory.fd, memory.fd }, 2),
			 -EBADMSG);
	assert_int_equal(tell_table(&table, 1), -EBADMSG);
	table.region[1] = table.region[0];
	expect_problem(tell_table(&table, 2),
		       "SET_MEM_TABLE: 4096 bytes at 0x1000 (0x1000 of its own), at 0x0 of the "
		       "file: missing, or given twice");
	table.count = 1;
	table.region[0].size = MEMORY_SIZE + 1;
	assert_int_equal(tell_table(&table, 1), -EBADMSG);
	table.region[0] = (struct peer_region){ 0x1000, PAGE, 0x1000, 0 };
	assert_int_equal(tell_table(&table, 2), -EBADMSG);
	assert_int_equal(tell_table(&table, 1), 0);
}

static void test_memory_that_may_not_be_written(void **state)
{
	const struct table table = { 1, 0, { { 0x1000, PAGE, 0x1000, 0 } } };
	auto_fd self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(peer_request(&peer, VHOST_SET_MEM_TABLE, &table, sizeof(table), &self, 1),
			 -EBADMSG);
	assert_non_null(strstr(peer.vhost.problem, strerror(EACCES)));
}

static void test_changes_under_a_ring_that_is_enabled(void **state)
{
	(void)state;
	expect_problem(peer_set_memory(&peer, &memory), "SET_MEM_TABLE: vring 0 is enabled");
	assert_int_equal(peer.vhost.memory.count, 1);
	expect_problem(set_state(VHOST_SET_VRING_NUM, 0, 8), "SET_VRING_NUM: vring 0 is enabled");
	expect_problem(set_state(VHOST_SET_VRING_BASE, 0, 8), "SET_VRING_BASE: vring 0 is enabled");
	expect_problem(peer_set_ring(&peer, 0, 0, 0, 0), "SET_VRING_ADDR: vring 0 is enabled");
	assert_true(vring_ready(&peer.vhost.ring[0]));
	assert_int_equal(vring_check(&peer.vhost.ring[0]), 0);
}

static void test_rings_that_are_not_there(void **state)
{
	static const uint32_t requests[] = { VHOST_SET_VRING_NUM, VHOST_SET_VRING_BASE,
					     VHOST_GET_VRING_BASE, VHOST_SET_VRING_ENABLE,
					     VHOST_VRING_KICK };
	char text[VHOST_NAME_TEXT], problem[VHOST_PROBLEM_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		snprintf(problem, sizeof(problem), "%s: vring 64 of at most 64",
			 vhost_request_text(requests[i], text));
		expect_problem(set_state(requests[i], 64, 1), problem);
		assert_int_equal(set_state(requests[i], UINT32_MAX, 1), -EBADMSG);
	}
	expect_problem(peer_set_ring(&peer, 64, 0, 0, 0), "SET_VRING_ADDR: vring 64 of at most 64");
	expect_problem(
		peer_request(&peer, VHOST_SET_VRING_KICK, "\x40\0\0\0\0\0\0", 8, &memory.fd, 1),
		"SET_VRING_KICK: vring 64 of at most 64");
	expect_problem(set_state(VHOST_VRING_KICK, 1, 0), "VRING_KICK: vring 1 is not set up");
}

static void test_rings_that_make_no_sense(void **state)
{
	static const uint32_t sizes[] = { 0, 3, 100, 2048, 0x10000, UINT32_MAX };
	const uint64_t end = BUILDER_USER_BASE + MEMORY_SIZE, good = BUILDER_USER_BASE;

	(void)state;
	assert_int_equal(peer_set_memory(&peer, &memory), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(set_state(VHOST_SET_VRING_NUM, 1, sizes[i]), -EBADMSG);
		assert_non_null(strstr(peer.vhost.problem, "expected a power of two up to 1024"));
	}
	expect_problem(set_state(VHOST_SET_VRING_BASE, 1, 0x10000), "SET_VRING_BASE: index 65536");
	assert_int_equal(peer_set_ring(&peer, 1, good, good, good), -EBADMSG);
	assert_int_equal(set_state(VHOST_SET_VRING_ENABLE, 1, 1), -EBADMSG);
	assert_int_equal(set_state(VHOST_SET_VRING_NUM, 1, 256), 0);
	assert_int_equal(peer_set_ring(&peer, 1, good + 8, good, good), -EBADMSG);
	assert_non_null(strstr(peer.vhost.problem, "SET_VRING_ADDR: vring 1: misaligned vring"));
	assert_int_equal(peer_set_ring(&peer, 1, end - 16, good, good), -EBADMSG);
	assert_non_null(strstr(peer.vhost.problem, "outside of its memory"));
	assert_int_equal(set_state(VHOST_SET_VRING_ENABLE, 1, 1), -EBADMSG);
	assert_int_equal(peer_set_ring(&peer, 1, good, good, good), 0);
	expect_problem(set_state(VHOST_SET_VRING_ENABLE, 1, 2), "SET_VRING_ENABLE: 2");
	assert_false(vring_ready(&peer.vhost.ring[1]));
}

/* The addresses were good when they were given, but the memory is another now. */
static void test_ring_in_memory_of_before(void **state)
{
	const struct table table = { 1, 0, { { 0x1000, PAGE, 0x1000, 0 } } };

	(void)state;
	assert_int_equal(set_state(VHOST_SET_VRING_ENABLE, 0, 0), 0);
	assert_int_equal(tell_table(&table, 1), 0);
	assert_int_equal(set_state(VHOST_SET_VRING_ENABLE, 0, 1), -EBADMSG);
	assert_non_null(strstr(peer.vhost.problem,
			       "SET_VRING_ENABLE: vring 0: vring outside of its "
			       "memory"));
}

static void test_configuration_of_the_wrong_length(void **state)
{
	const struct {
		uint32_t offset, size, flags;
		uint8_t data[4];
	} body = { 0, UINT32_MAX, 0, {} };

	(void)state;
	expect_problem(tell(VHOST_GET_CONFIG, &body, sizeof(body)),
		       "GET_CONFIG: 4294967295 bytes in a message of 16");
	expect_problem(tell(VHOST_SET_CONFIG, "\0\0\0\0\5\0\0\0\0\0\0", 12),
		       "SET_CONFIG: 5 bytes in a message of 12");
}

/* ---- Random messages ------------------------------------------------------------------------ */

#define ROUNDS 20000

static uint32_t random_size(struct random *random, uint32_t request)
{
	static const uint32_t sizes[] = { 0, 8, 12, 40, 72, 264 };

	if (random_chance(random, 70) && request == VHOST_SET_VRING_ADDR)
		return 40;
	if (random_chance(random, 70) && request == VHOST_SET_MEM_TABLE)
		return 72;
	if (random_chance(random, 70))
		return 8;
	return sizes[random_below(random, ARRAY_SIZE(sizes))];
}

/* Bodies of words that are small, addresses that exist, or anything. */
static void random_body(struct random *random, uint8_t *body, uint32_t size)
{
	for (uint32_t i = 0; i < size; i += 4) {
		uint64_t word = random_below(random, 4);

		if (random_chance(random, 20))
			word = 1u << random_below(random, 12);
		else if (random_chance(random, 20))
			word = random_below(random, 64) * PAGE;
		else if (random_chance(random, 5))
			word = random_next(random);
		memcpy(body + i, &word, 4);
		if (i + 8 <= size && random_chance(random, 40)) {
			memset(body + i + 4, 0, 4);
			i += 4;
		}
	}
}

static void test_random_messages(void **state)
{
	const int fds[] = { memory.fd, memory.fd, memory.fd };
	struct random random = { test_seed(1) };
	unsigned int applied = 0, refused = 0;
	static struct vring_chain chain;
	uint8_t body[264];

	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint32_t request = (uint32_t)random_below(&random, 38);
		uint32_t size = random_size(&random, request);
		unsigned int count = (unsigned int)random_below(&random, 3);
		int err;

		if (request != VHOST_SET_MEM_TABLE && random_chance(&random, 90))
			count = 0;
		random_body(&random, body, size);
		if (random_chance(&random, 2)) {
			peer_close(&peer);
			peer_open(&peer);
			peer_set_up(&peer, &memory, &driver);
		}
		peer.vhost.problem[0] = '\0';
		err = peer_request(&peer, request, body, size, fds, count);
		applied += !err;
		refused += err == -EBADMSG;
		assert_true(!err == !peer.vhost.problem[0]);
		for (unsigned int queue = 0; queue < VHOST_QUEUES_MAX; queue++) {
			struct vring *ring = &peer.vhost.ring[queue];

			if (ring->enabled)
				assert_int_equal(vring_check(ring), 0);
			vring_take(ring, &chain);
		}
	}
	assert_int_equal(applied + refused, ROUNDS);
	assert_true(applied > ROUNDS / 20);
	assert_true(refused > ROUNDS / 20);
}

#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)
#define SET_UP(test) cmocka_unit_test_setup_teardown(test, stage_open_set_up, stage_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SET_UP(test_a_guest_sets_its_device_up),
		SET_UP(test_descriptors_that_are_kept),
		SET_UP(test_a_guest_sets_its_device_up_again),
		STAGED(test_memory_tables_of_all_kernels),
		STAGED(test_a_guest_without_protocol_features),
		SET_UP(test_closing),
		SET_UP(test_chain_of_an_earlier_connection),
		STAGED(test_requests_of_the_wrong_length),
		STAGED(test_descriptors_that_are_not_wanted),
		STAGED(test_calls_over_what_is_no_stream_socket),
		STAGED(test_memory_that_makes_no_sense),
		STAGED(test_memory_that_may_not_be_written),
		SET_UP(test_changes_under_a_ring_that_is_enabled),
		SET_UP(test_rings_that_are_not_there),
		STAGED(test_rings_that_make_no_sense),
		SET_UP(test_ring_in_memory_of_before),
		STAGED(test_configuration_of_the_wrong_length),
		STAGED(test_random_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
