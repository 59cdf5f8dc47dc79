// SPDX-License-Identifier: BSD-3-Clause
/* The console: what the guest writes is recorded, and a script answers it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/recorder/device/device_stage.h"
#include "tests/recorder/random.h"
#include "tests/seed.h"

#define RX 0
#define TX 1

static struct device_stage stage;
static uint64_t room[64]; /* for input, in the order in which the device uses it */
static unsigned int rooms;

static void open_console(const struct console_step *steps)
{
	device_stage_open(&stage, device_console_create(steps), NULL);
	rooms = 0;
}

static void close_console(void)
{
	device_stage_close(&stage);
}

static void give_room(unsigned int count, uint32_t size)
{
	while (count--)
		ring_builder_receive(&stage.queue[RX], size, &room[rooms++]);
	assert_int_equal(device_stage_kick(&stage, RX), 0);
}

/* The guest writes; @size bytes a buffer. */
static void write_pieces(const char *text, size_t size)
{
	size_t left = strlen(text);

	while (left) {
		uint32_t piece = (uint32_t)(left < size ? left : size);

		ring_builder_send(&stage.queue[TX], text, piece);
		assert_int_equal(device_stage_kick(&stage, TX), 1);
		text += piece;
		left -= piece;
	}
}

static void write_text(const char *text)
{
	write_pieces(text, SIZE_MAX);
}

/* All that was typed, until now. */
static const char *typed(void)
{
	static char text[8192];
	size_t size = 0;
	unsigned int used = 0;

	for (size_t i = 0; i < stage.used_count; i++) {
		if (stage.used[i].queue != RX)
			continue;
		memcpy(text + size, builder_memory_at(&stage.memory, room[used++]),
		       stage.used[i].written);
		size += stage.used[i].written;
	}
	text[size] = '\0';
	return text;
}

static void assert_typed_by(uint64_t time, const char *text)
{
	assert_int_equal(device_stage_pass(&stage, time), 0);
	assert_string_equal(typed(), text);
}

static void output_is_recorded(void **state)
{
	(void)state;
	open_console(NULL);
	assert_int_equal(stage.device->class->virtio_id, 3);
	write_text("hello\n");
	write_text("world");
	assert_int_equal(stage.taken_size, 11);
	assert_memory_equal(stage.taken, "hello\nworld", 11);
	assert_int_equal(device_stage_pass(&stage, 1000), 0);
	assert_int_equal(stage.used_count, 0);
	close_console();
}

static void typed_at_its_time(void **state)
{
	const struct console_step steps[] = { { NULL, 1000, "one" },
					      { NULL, 1000, "two" },
					      { NULL, 500, "three" },
					      { NULL, 3000, "four" },
					      { NULL, 0, NULL } };

	(void)state;
	open_console(steps);
	give_room(8, 4096);
	assert_int_equal(stage.device->due, 1000);
	assert_typed_by(999, "");
	assert_typed_by(1000, "onetwothree");
	assert_typed_by(2999, "onetwothree");
	assert_typed_by(3000, "onetwothreefour");
	assert_int_equal(stage.used[3].time, 3000);
	assert_int_equal(device_stage_calls(&stage), 1 << RX);
	assert_int_equal(stage.device->due, WIRE_TIME_NEVER);
	close_console();
}

static void answers_what_it_expects(void **state)
{
	const struct console_step steps[] = { { "login: $", 0, "root\n" },
					      { "^[Pp]assword", 250, "secret\n" },
					      { "#", 0, "halt\n" },
					      { NULL, 0, NULL } };

	(void)state;
	open_console(steps);
	give_room(8, 4096);
	write_text("Debian\r\n\r\nguest login: ");
	assert_typed_by(0, "root\n");
	stage.clock = 100;
	write_text("root\r\nPassword: ");
	assert_typed_by(349, "root\n");
	assert_typed_by(350, "root\nsecret\n");
	write_text("\r\n# ");
	assert_typed_by(350, "root\nsecret\nhalt\n");
	close_console();
}

/* However the output is cut into pieces, the script finds the same. */
static void pieces_do_not_matter(void **state)
{
	const struct console_step steps[] = { { "alpha beta", 0, "1" },
					      { "^gamma 2", 0, "2" },
					      { "delta", 0, "3" },
					      { NULL, 0, NULL } };

	(void)state;
	for (size_t size = 1; size < 40; size++) {
		open_console(steps);
		give_room(8, 4096);
		write_pieces("x alpha beta y\r\nx gamma 2\ngamma 2\n--delta--", size);
		assert_typed_by(10, "123");
		close_console();
	}
}

static void carriage_returns_are_no_part_of_a_line(void **state)
{
	const struct console_step steps[] = { { "^ready$", 0, "1" }, { NULL, 0, NULL } };

	(void)state;
	open_console(steps);
	give_room(1, 16);
	ring_builder_send(&stage.queue[TX], "\rre\0ady\r\n", 10);
	assert_int_equal(device_stage_kick(&stage, TX), 1);
	assert_typed_by(0, "1");
	close_console();
}

/* What one step matched is not looked at by the next. */
static void a_match_is_used_up(void **state)
{
	const struct console_step steps[] = { { "ok", 0, "1" },
					      { "ok", 0, "2" },
					      { "^more", 0, "3" },
					      { "", 0, "4" },
					      { NULL, 0, NULL } };

	(void)state;
	open_console(steps);
	give_room(8, 4096);
	write_text("ok");
	assert_typed_by(1, "1");
	/* This "more" is no beginning of a line. */
	write_text(" okmore");
	assert_typed_by(2, "12");
	write_text("\nmore");
	assert_typed_by(3, "1234");
	close_console();
}

/* Two matches in one piece of output, and the second text is due before the first. */
static void texts_keep_their_order(void **state)
{
	const struct console_step steps[] = { { "a", 1000, "1" },
					      { "b", 10, "2" },
					      { NULL, 0, NULL } };

	(void)state;
	open_console(steps);
	give_room(8, 4096);
	write_text("ab");
	assert_typed_by(999, "");
	assert_typed_by(1000, "12");
	close_console();
}

/* After a step that expects nothing, only what comes after it was sent counts. */
static void old_output_does_not_count(void **state)
{
	const struct console_step steps[] = { { NULL, 100, "1" },
					      { "[$]", 0, "2" },
					      { NULL, 0, NULL } };

	(void)state;
	open_console(steps);
	give_room(8, 4096);
	write_text("prompt$ ");
	assert_typed_by(100, "1");
	write_text("1\n");
	assert_typed_by(101, "1");
	write_text("prompt$ ");
	assert_typed_by(102, "12");
	close_console();
}

static void empty_texts_only_wait(void **state)
{
	const struct console_step steps[] = {
		{ NULL, 50, "" }, { "go", 100, "" }, { NULL, 0, "1" }, { NULL, 0, NULL }
	};

	(void)state;
	open_console(steps);
	give_room(8, 4096);
	assert_typed_by(50, "");
	write_text("go\n");
	assert_typed_by(149, "");
	assert_typed_by(150, "1");
	assert_int_equal(stage.used_count, 1);
	close_console();
}

static void text_waits_for_room(void **state)
{
	const struct console_step steps[] = { { NULL, 10, "0123456789" }, { NULL, 0, NULL } };

	(void)state;
	open_console(steps);
	give_room(2, 4);
	assert_typed_by(10, "01234567");
	assert_int_equal(stage.device->due, WIRE_TIME_NEVER);
	stage.clock = 500;
	give_room(1, 4);
	assert_typed_by(500, "0123456789");
	assert_int_equal(stage.used[2].time, 500);
	close_console();
}

static void lines_are_bounded(void **state)
{
	const struct console_step steps[] = { { "^end$", 0, "1" }, { NULL, 0, NULL } };
	static char text[DEVICE_CONSOLE_LINE_MAX + 5];

	(void)state;
	open_console(steps);
	give_room(1, 16);
	memset(text, 'x', DEVICE_CONSOLE_LINE_MAX);
	memcpy(text + DEVICE_CONSOLE_LINE_MAX, "end", 4);
	write_text(text);
	assert_typed_by(0, "1");
	close_console();
}

static void any_bytes(void **state)
{
	const struct console_step steps[] = { { "^never this$", 0, "1" }, { NULL, 0, NULL } };
	struct random random = { test_seed(1) };
	uint8_t bytes[300];
	uint32_t written;
	uint16_t head;

	(void)state;
	open_console(steps);
	for (unsigned int i = 0; i < 300; i++) {
		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (uint8_t)random_next(&random);
		ring_builder_send(&stage.queue[TX], bytes, (uint32_t)(i % sizeof(bytes)));
		assert_int_equal(device_stage_kick(&stage, TX), 1);
		assert_true(ring_builder_take_used(&stage.queue[TX], &head, &written));
	}
	assert_typed_by(1, "");
	close_console();
}

static void impossible_buffers_end_it(void **state)
{
	const struct console_step steps[] = { { NULL, 0, "1" }, { NULL, 0, NULL } };
	static uint8_t zeros[64 * 1024 + 1];

	(void)state;
	open_console(steps);
	ring_builder_send(&stage.queue[TX], zeros, sizeof(zeros) - 1);
	ring_builder_send(&stage.queue[TX], zeros, sizeof(zeros));
	assert_int_equal(device_stage_kick(&stage, TX), -EBADMSG);
	assert_non_null(strstr(stage.vhost.ring[TX].problem, "65537 bytes of output"));
	ring_builder_send(&stage.queue[RX], "hello", 5);
	assert_int_equal(device_stage_kick(&stage, RX), 0);
	assert_int_equal(device_stage_pass(&stage, 0), -EBADMSG);
	assert_non_null(strstr(stage.vhost.ring[RX].problem, "an empty buffer"));
	assert_int_equal(device_stage_kick(&stage, 2), -EBADMSG);
	close_console();
}

static void expressions_are_checked(void **state)
{
	const struct console_step steps[] = { { "fine", 0, "1" },
					      { "(", 0, "2" },
					      { NULL, 0, NULL } };

	(void)state;
	assert_null(device_console_create(steps));
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_is_recorded),
		cmocka_unit_test(typed_at_its_time),
		cmocka_unit_test(answers_what_it_expects),
		cmocka_unit_test(pieces_do_not_matter),
		cmocka_unit_test(carriage_returns_are_no_part_of_a_line),
		cmocka_unit_test(a_match_is_used_up),
		cmocka_unit_test(texts_keep_their_order),
		cmocka_unit_test(old_output_does_not_count),
		cmocka_unit_test(empty_texts_only_wait),
		cmocka_unit_test(text_waits_for_room),
		cmocka_unit_test(lines_are_bounded),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(impossible_buffers_end_it),
		cmocka_unit_test(expressions_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
