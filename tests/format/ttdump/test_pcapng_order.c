// SPDX-License-Identifier: BSD-3-Clause
/* Packets come in the order of time, and a frame that many get is one packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/ttdump/export/pcapng/pcapng.h"
#include "format/ttdump/export/pcapng/pcapng_order.h"

#define PACKET	6 /* the type of its block */
#define HEAD	28
#define RECORDS 0 /* interfaces */
#define NETWORK 1

struct stage {
	struct name_table names;
	struct pcapng_order *order;
	FILE *out;
	char *text;
	size_t size;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	stage->out = open_memstream(&stage->text, &stage->size);
	assert_non_null(stage->out);
	stage->order = pcapng_order_create(&stage->names, stage->out);
	assert_non_null(stage->order);
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	pcapng_order_free(stage->order);
	fclose(stage->out);
	free(stage->text);
	free(stage);
	return 0;
}

static void add_record(struct stage *stage, uint64_t time, size_t size)
{
	const struct pcapng_packet packet = { .interface = RECORDS,
					      .time = time,
					      .data = calloc(1, size),
					      .captured = size,
					      .size = size };
	struct line line = { 0 };

	pcapng_add_packet(&line, &packet);
	assert_int_equal(pcapng_order_add(stage->order, time, line.text, line.size), 0);
	line_free(&line);
	free((void *)packet.data);
}

static struct frame frame_of(const char *text, uint64_t sent, uint64_t received)
{
	return (struct frame){ .record = 5,
			       .network = "lan",
			       .data = (const uint8_t *)text,
			       .size = strlen(text),
			       .known = true,
			       .sent = sent,
			       .to_guest = UINT32_MAX,
			       .to_device = UINT32_MAX,
			       .received = received };
}

static void add_frame(struct stage *stage, const struct frame *frame, uint32_t guest)
{
	const struct trace_record record = { .kind = frame->lost ? TRACE_lost : TRACE_used,
					     .now = frame->received,
					     .guest = guest };

	assert_int_equal(pcapng_order_add_frame(stage->order, NETWORK, frame, &record), 0);
}

/* Guest 0 has sent it. */
static void receive(struct stage *stage, const char *text, uint64_t sent, uint64_t received,
		    uint32_t guest)
{
	const struct frame frame = frame_of(text, sent, received);

	add_frame(stage, &frame, guest);
}

static uint32_t get(const char *text)
{
	uint32_t value;

	memcpy(&value, text, sizeof(value));
	return value;
}

/* "TIME" of a record, "TIME:frame:comment" of a frame, one after the other. */
static void describe(const struct stage *stage, char *words, size_t room)
{
	size_t used = 0;

	words[0] = '\0';
	for (size_t at = 0; at < stage->size; at += get(stage->text + at + 4)) {
		const char *block = stage->text + at;
		uint64_t time = (uint64_t)get(block + 12) << 32 | get(block + 16);
		uint32_t size = get(block + 20);
		const char *comment = block + HEAD + (size + 3) / 4 * 4;

		assert_int_equal(get(block), PACKET);
		assert_int_equal(get(block + get(block + 4) - 4), get(block + 4));
		used += (size_t)snprintf(words + used, room - used, "%s%llu", used ? " | " : "",
					 (unsigned long long)time);
		if (get(block + 8) == NETWORK)
			used += (size_t)snprintf(words + used, room - used, ":%.*s:%.*s", (int)size,
						 block + HEAD, (int)(get(comment) >> 16),
						 comment + 4);
		assert_true(used < room);
	}
}

static void assert_written(struct stage *stage, const char *expected)
{
	char words[4096];

	assert_int_equal(pcapng_order_finish(stage->order), 0);
	fflush(stage->out);
	describe(stage, words, sizeof(words));
	assert_string_equal(words, expected);
}

static void frame_stands_where_it_was_sent(void **state)
{
	struct stage *stage = *state;

	add_record(stage, 1, 4);
	add_record(stage, 10, 5);
	add_record(stage, 10, 6);
	add_record(stage, 11, 7);
	add_record(stage, 20, 8);
	receive(stage, "second", 11, 20, 1);
	receive(stage, "first", 10, 20, 1);
	assert_written(stage, "1 | 10 | 10 | "
			      "10:first:from guest 0 to guest 1 (10ns); record 5 | 11 | "
			      "11:second:from guest 0 to guest 1 (9ns); record 5 | 20");
}

static void broadcast_is_one_packet(void **state)
{
	struct stage *stage = *state;

	receive(stage, "all", 10, 20, 1);
	receive(stage, "all", 10, 30, 2);
	receive(stage, "all", 11, 31, 2);
	receive(stage, "other", 10, 30, 2);
	assert_written(stage, "10:all:from guest 0 to guest 1 (10ns), guest 2 (20ns); record 5 | "
			      "10:other:from guest 0 to guest 2 (20ns); record 5 | "
			      "11:all:from guest 0 to guest 2 (20ns); record 5");
}

/* Of two that are equal each gets both. */
static void frames_sent_twice_are_two(void **state)
{
	struct stage *stage = *state;

	receive(stage, "twin", 10, 20, 1);
	receive(stage, "twin", 10, 20, 1);
	receive(stage, "twin", 10, 20, 2);
	receive(stage, "twin", 10, 20, 2);
	assert_written(stage, "10:twin:from guest 0 to guest 1 (10ns), guest 2 (10ns); record 5 | "
			      "10:twin:from guest 0 to guest 1 (10ns), guest 2 (10ns); record 5");
}

static void losses_are_said(void **state)
{
	struct frame nobody = frame_of("a", 10, 10), no_buffer = frame_of("b", 11, 20),
		     some = frame_of("c", 12, 12);
	struct stage *stage = *state;

	nobody.lost = no_buffer.lost = true;
	nobody.reason = TRACE_LOSS_NOBODY;
	no_buffer.reason = TRACE_LOSS_NO_BUFFER;
	add_frame(stage, &nobody, 0);
	receive(stage, "b", 11, 20, 1);
	add_frame(stage, &no_buffer, 2);
	/* Recorded of its sender, guest 0, before others have got it. */
	some.lost = true;
	some.to_guest = 3;
	some.to_device = 0;
	add_frame(stage, &some, 0);
	receive(stage, "c", 12, 22, 1);
	assert_written(stage, "10:a:from guest 0, lost: nobody there; record 5 | "
			      "11:b:from guest 0 to guest 1 (9ns), guest 2 (lost: no buffer); "
			      "record 5 | "
			      "12:c:from guest 0 to guest 3 (lost: by the link), guest 1 (10ns); "
			      "record 5");
}

/* What is not known is not guessed, and not put together. */
static void unknown_senders_stay_unknown(void **state)
{
	struct frame frame = frame_of("a", 0, 20);
	struct stage *stage = *state;

	frame.known = false;
	frame.from_guest = frame.from_device = UINT32_MAX;
	add_frame(stage, &frame, 1);
	add_frame(stage, &frame, 2);
	frame.lost = true;
	frame.reason = 99;
	add_frame(stage, &frame, 3);
	assert_written(stage, "20:a:to guest 1, sender not recorded; record 5 | "
			      "20:a:to guest 2, sender not recorded; record 5 | "
			      "20:a:at guest 3, lost: for an unknown reason; record 5");
}

static void many_receivers_are_counted(void **state)
{
	char words[4096];
	struct stage *stage = *state;

	for (uint32_t i = 1; i <= 20; i++)
		receive(stage, "all", 10, 20, i);
	assert_int_equal(pcapng_order_finish(stage->order), 0);
	fflush(stage->out);
	describe(stage, words, sizeof(words));
	assert_non_null(strstr(words, "guest 15 (10ns), guest 16 (10ns) and 4 more; record 5"));
}

/* Memory is bounded: what came long ago is in the file, and what is found then stands late. */
static void what_waits_is_bounded(void **state)
{
	const size_t size = 64 * 1024;
	struct stage *stage = *state;

	receive(stage, "early", 0, 1, 1);
	for (uint64_t time = 1; time <= 1000; time++) {
		add_record(stage, time, size);
		fflush(stage->out);
		assert_in_range(stage->size + 33 * 1024 * 1024, time * size, UINT64_MAX);
	}
	assert_true(stage->size > 20 * 1024 * 1024);
	receive(stage, "late", 1, 1000, 1);
	receive(stage, "early", 0, 1000, 2);
	assert_int_equal(pcapng_order_finish(stage->order), 0);
	fflush(stage->out);
	assert_in_range(stage->size, 1000 * size, 1000 * (size + 64) + 1024);
}

static size_t count_packets(const struct stage *stage, const char *comment)
{
	size_t count = 0;

	for (size_t at = 0; at < stage->size; at += get(stage->text + at + 4))
		count += memmem(stage->text + at, get(stage->text + at + 4), comment,
				strlen(comment)) != NULL;
	return count;
}

/* Where each is compared with all that were sent then this takes many minutes. */
static void many_at_one_time_take_no_longer(void **state)
{
	const unsigned int sent = 60000;
	struct stage *stage = *state;
	char text[16];

	alarm(60);
	for (uint32_t guest = 1; guest <= 2; guest++)
		for (unsigned int i = 0; i < sent; i++)
			receive(stage, "twin", 10, 20, guest);
	assert_int_equal(pcapng_order_finish(stage->order), 0);
	for (uint32_t guest = 1; guest <= 2; guest++)
		for (unsigned int i = 0; i < sent; i++) {
			snprintf(text, sizeof(text), "%u", i);
			receive(stage, text, 11, 20, guest);
		}
	assert_int_equal(pcapng_order_finish(stage->order), 0);
	alarm(0);
	fflush(stage->out);
	assert_int_equal(count_packets(stage, "to guest 1 (10ns), guest 2 (10ns)"), sent);
	assert_int_equal(count_packets(stage, "to guest 1 (9ns), guest 2 (9ns)"), sent);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(frame_stands_where_it_was_sent), TEST(broadcast_is_one_packet),
		TEST(frames_sent_twice_are_two),      TEST(losses_are_said),
		TEST(unknown_senders_stay_unknown),   TEST(many_receivers_are_counted),
		TEST(what_waits_is_bounded),	      TEST(many_at_one_time_take_no_longer),
	};

	return cmocka_run_group_tests_name("format: pcapng order", tests, NULL, NULL);
}
