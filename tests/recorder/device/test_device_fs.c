// SPDX-License-Identifier: BSD-3-Clause
/* A share as a device: its queues, its time, and drivers that break the rules. */
#include <endian.h>
#include <errno.h>
#include <linux/fuse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "recorder/share/share_request.h"
#include "recorder/share/tree.h"
#include "tests/recorder/device/device_stage.h"

#define US    1000ull
#define MS    (1000 * US)
#define EPOCH 1767225600000000000ull /* 2026-01-01 */

enum { FORGETS, REQUESTS };

static struct device_stage stage;
static uint64_t answer; /* guest address of the last one asked for */

static const char *problem(unsigned int queue)
{
	return stage.vhost.ring[queue].problem;
}

static void open_share(uint64_t latency, uint64_t bandwidth)
{
	const struct tree_attr root = { .mode = S_IFDIR | 0755 };
	struct device_fs_options options = { .tag = "a tag of 36 bytes, all of the field.",
					     .writable = true,
					     .latency = latency,
					     .bandwidth = bandwidth,
					     .epoch = EPOCH };
	struct device *device;

	assert_int_equal(tree_create(&root, &options.tree), 0);
	assert_int_equal(device_fs_create(&options, &device), 0);
	device_stage_open(&stage, device, NULL);
}

static int open_usual(void **state)
{
	(void)state;
	open_share(20 * US, 0);
	return 0;
}

static int open_slow(void **state)
{
	(void)state;
	open_share(1 * MS, 1000000);
	return 0;
}

static int close_share(void **state)
{
	(void)state;
	device_stage_close(&stage);
	return 0;
}

/* Make a request available, as the driver does: a header, the rest, room for the answer. */
static void ask_of_size(unsigned int queue, uint32_t opcode, uint64_t node, const void *body,
			uint32_t size, uint32_t length, uint32_t room)
{
	struct builder_memory *memory = &stage.memory;
	const struct fuse_in_header header = {
		.len = length, .opcode = opcode, .unique = 7, .nodeid = node
	};
	uint64_t where = builder_memory_allocate(memory, sizeof(header) + size);
	struct builder_part part[3] = { { where, sizeof(header), false } };
	unsigned int count = 1;

	memcpy(builder_memory_at(memory, where), &header, sizeof(header));
	if (size) {
		memcpy(builder_memory_at(memory, where + sizeof(header)), body, size);
		part[count++] = (struct builder_part){ where + sizeof(header), size, false };
	}
	if (room) {
		answer = builder_memory_allocate(memory, room);
		part[count++] = (struct builder_part){ answer, room, true };
	}
	assert_true(ring_builder_add(&stage.queue[queue], part, count, BUILDER_INDIRECT) >= 0);
}

static void ask(uint32_t opcode, uint64_t node, const void *body, uint32_t size, uint32_t room)
{
	ask_of_size(REQUESTS, opcode, node, body, size,
		    (uint32_t)sizeof(struct fuse_in_header) + size, room);
}

static void ask_init(void)
{
	const struct fuse_init_in in = { .major = 7, .minor = 41, .max_readahead = 131072 };

	ask(FUSE_INIT, 0, &in, sizeof(in), 80);
}

static void begin(void)
{
	ask_init();
	assert_int_equal(device_stage_kick(&stage, REQUESTS), 0);
	assert_int_equal(device_stage_pass(&stage, stage.clock + MS), 0);
	assert_int_equal(stage.used_count, 1);
	stage.used_count = 0;
}

static const struct fuse_out_header *answered(void)
{
	return builder_memory_at(&stage.memory, answer);
}

/* ---- As drivers do --------------------------------------------------------------------------- */

static void configuration(void **state)
{
	const uint8_t *config = stage.device->config;
	uint32_t queues;

	(void)state;
	assert_int_equal(stage.device->class->virtio_id, 26);
	assert_int_equal(stage.device->class->queues, 2);
	assert_memory_equal(config, "a tag of 36 bytes, all of the field.", 36);
	memcpy(&queues, config + 36, sizeof(queues));
	assert_int_equal(le32toh(queues), 1);
}

static void requests_take_their_time(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 3; i++)
		ask(FUSE_STATFS, 1, NULL, 0, 96);
	assert_int_equal(device_stage_kick(&stage, REQUESTS), 0);
	assert_int_equal(stage.used_count, 0);
	assert_int_equal(device_stage_pass(&stage, 2 * MS), 0);
	assert_int_equal(stage.used_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(stage.used[i].time, 1 * MS + (i + 1) * 20 * US);
		assert_int_equal(stage.used[i].written, 96);
	}
	assert_int_equal(device_stage_calls(&stage), 1u << REQUESTS);
	assert_int_equal(answered()->error, 0);
	assert_int_equal(answered()->unique, 7);
}

/* 1 ms, and a microsecond for each byte of request and answer. */
static void bytes_take_their_time(void **state)
{
	(void)state;
	ask_init();
	assert_int_equal(device_stage_kick(&stage, REQUESTS), 0);
	assert_int_equal(device_stage_pass(&stage, 5 * MS), 0);
	assert_int_equal(stage.used[0].time, 1 * MS + (40 + sizeof(struct fuse_init_in) + 80) * US);
}

/* They have no answer: they are done at once. */
static void forgotten_at_once(void **state)
{
	const struct fuse_forget_in forget = { .nlookup = 1 };

	(void)state;
	begin();
	ask_of_size(FORGETS, FUSE_FORGET, 1, &forget, sizeof(forget), 48, 0);
	ask_of_size(FORGETS, FUSE_FORGET, 999, &forget, sizeof(forget), 48, 0);
	assert_int_equal(stage.device->class->kick(stage.device, FORGETS), 2);
	assert_int_equal(stage.used_count, 0);
	assert_int_equal(*ring_builder_used_index(&stage.queue[FORGETS]), 2);
}

/* What is made now has the date of now. */
static void dates(void **state)
{
	static const struct {
		struct fuse_mkdir_in in;
		char name[8];
	} body = { { .mode = 0700 }, "folder" };
	const struct fuse_entry_out *entry;

	(void)state;
	begin();
	assert_int_equal(device_stage_pass(&stage, 5000 * MS), 0);
	ask(FUSE_MKDIR, 1, &body, sizeof(body), 16 + sizeof(*entry));
	assert_int_equal(device_stage_kick(&stage, REQUESTS), 0);
	assert_int_equal(device_stage_pass(&stage, 5001 * MS), 0);
	assert_int_equal(answered()->error, 0);
	entry = (const void *)(answered() + 1);
	assert_int_equal(entry->attr.mtime, EPOCH / 1000000000 + 5);
	assert_int_equal(entry->attr.mtimensec, 20 * US);
}

/* ---- As drivers must not ----------------------------------------------------------------------
 */

static void ends_with(const char *why)
{
	assert_int_equal(device_stage_kick(&stage, REQUESTS), 0);
	assert_int_equal(device_stage_pass(&stage, stage.clock + 10 * MS), -EBADMSG);
	assert_string_equal(problem(REQUESTS), why);
}

static void lies_about_its_length(void **state)
{
	(void)state;
	begin();
	ask_of_size(REQUESTS, FUSE_STATFS, 1, NULL, 0, 4096, 96);
	ends_with("a request of 4096 bytes has 40");
}

static void has_no_room(void **state)
{
	(void)state;
	begin();
	ask(FUSE_STATFS, 1, NULL, 0, 0);
	ends_with("no room for an answer of 16 bytes");
}

static void has_little_room(void **state)
{
	(void)state;
	begin();
	ask(FUSE_STATFS, 1, NULL, 0, 95);
	ends_with("no room for an answer of 96 bytes");
}

static void asks_for_too_much(void **state)
{
	(void)state;
	begin();
	ask(FUSE_STATFS, 1, NULL, 0, 2 << 20);
	assert_int_equal(device_stage_kick(&stage, REQUESTS), -EBADMSG);
	assert_non_null(strstr(problem(REQUESTS), "the maximum is 1056768"));
}

static void asks_in_the_wrong_queue(void **state)
{
	(void)state;
	begin();
	ask_of_size(FORGETS, FUSE_STATFS, 1, NULL, 0, 40, 96);
	assert_int_equal(stage.device->class->kick(stage.device, FORGETS), -EBADMSG);
	assert_string_equal(problem(FORGETS), "a request with an answer: expected FORGET");
	assert_int_equal(stage.device->class->kick(stage.device, 2), -EBADMSG);
}

/* Its memory is gone, or its ring is another, when the time of a request has come. */
static void takes_its_memory_away(void **state)
{
	(void)state;
	begin();
	ask(FUSE_STATFS, 1, NULL, 0, 96);
	assert_int_equal(device_stage_kick(&stage, REQUESTS), 0);
	vring_memory_clear(&stage.vhost.memory);
	builder_memory_attach(&stage.memory, &stage.vhost.memory);
	assert_int_equal(device_stage_pass(&stage, stage.clock + MS), 0);
	assert_int_equal(stage.used_count, 0);
	ask(FUSE_STATFS, 1, NULL, 0, 96);
	assert_int_equal(device_stage_kick(&stage, REQUESTS), 0);
	assert_int_equal(device_stage_pass(&stage, stage.clock + MS), 0);
	assert_int_equal(stage.used_count, 1);
}

#define TEST(test, open) cmocka_unit_test_setup_teardown(test, open, close_share)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(configuration, open_usual),
		TEST(requests_take_their_time, open_usual),
		TEST(bytes_take_their_time, open_slow),
		TEST(forgotten_at_once, open_usual),
		TEST(dates, open_usual),
		TEST(lies_about_its_length, open_usual),
		TEST(has_no_room, open_usual),
		TEST(has_little_room, open_usual),
		TEST(asks_for_too_much, open_usual),
		TEST(asks_in_the_wrong_queue, open_usual),
		TEST(takes_its_memory_away, open_usual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
