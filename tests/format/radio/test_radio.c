// SPDX-License-Identifier: BSD-3-Clause
/* Frames of simulated radios: messages, words, the radiotap header, and what is cut off or absurd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/radio/radio_text.h"
#include "format/radio/radiotap.h"
#include "tests/seed.h"

enum {
	RECEIVER = 1,
	TRANSMITTER = 2,
	FRAME = 3,
	FLAGS = 4,
	RX_RATE = 5,
	SIGNAL = 6,
	FREQUENCY = 19
};

static const uint8_t radio_address[] = { 0x42, 0, 0, 0, 1, 0 };

struct text {
	uint8_t bytes[512];
	size_t size;
};

static void add(struct text *text, uint16_t type, const void *data, size_t size)
{
	const uint16_t head[2] = { (uint16_t)(size + 4), type };

	memcpy(text->bytes + text->size, head, sizeof(head));
	memcpy(text->bytes + text->size + 4, data, size);
	text->size += (size + 4 + 3) & ~(size_t)3;
}

static void add_u32(struct text *text, uint16_t type, uint32_t value)
{
	add(text, type, &value, sizeof(value));
}

static void begin(struct text *text, uint8_t command)
{
	*text = (struct text){ .size = 20 };
	text->bytes[16] = command;
}

static void finish(struct text *text)
{
	text->bytes[0] = (uint8_t)text->size;
	text->bytes[1] = (uint8_t)(text->size >> 8);
}

static void make_frame(struct text *text, const void *frame, size_t size)
{
	begin(text, 2);
	add(text, RECEIVER, radio_address, sizeof(radio_address));
	add(text, FRAME, frame, size);
	add_u32(text, RX_RATE, 1);
	add_u32(text, SIGNAL, (uint32_t)-50);
	add_u32(text, FREQUENCY, 2437);
	finish(text);
}

/* Control, flags, duration, receiver, transmitter, third address, sequence, and @body. */
static size_t make_80211(uint8_t control, uint8_t flags, const void *body, size_t size,
			 uint8_t *frame)
{
	const uint8_t head[24] = { control, flags, 0, 0, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0 };

	memcpy(frame, head, sizeof(head));
	if (size)
		memcpy(frame + sizeof(head), body, size);
	return sizeof(head) + size;
}

#define BETWEEN	       "02:00:00:00:01:00 > 02:00:00:00:00:00 "
#define BYTES(...)     (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define BODY(...)      { __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })
#define SNAP	       0xaa, 0xaa, 3, 0, 0, 0
#define KEY(high, low) SNAP, 0x88, 0x8e, 2, 3, 0, 95, 2, high, low

static void test_frames_in_words(void **state)
{
	static const struct {
		uint8_t control, flags;
		uint8_t body[40];
		size_t size;
		const char *words;
	} cases[] = {
		{ 0x80, 0, BODY(1, 2, 3, 4, 5, 6, 7, 8, 100, 0, 1, 0, 0, 3, 'l', 'a', 'b'),
		  "beacon \"lab\"" },
		{ 0x80, 0, BODY(1, 2, 3, 4, 5, 6, 7, 8, 100, 0, 1, 0, 0, 3, 'l', 27, '"'),
		  "beacon \"l\\x1b\\\"\"" },
		{ 0x80, 0, BODY(1, 2, 3, 4, 5, 6, 7, 8, 100, 0, 1, 0, 0, 30, 'l'), "beacon" },
		{ 0x40, 0, BODY(0, 0), "probe request for any network" },
		{ 0x50, 8, BODY(1, 2, 3, 4, 5, 6, 7, 8, 100, 0, 1, 0, 1, 1, 2, 0, 1, 'x'),
		  "probe response \"x\", again" },
		{ 0xb0, 0, BODY(0, 0, 1, 0, 0, 0), "authentication open 1" },
		{ 0xb0, 0, BODY(3, 0, 1, 0, 126, 0), "authentication SAE commit" },
		{ 0xb0, 0, BODY(3, 0, 2, 0, 1, 0),
		  "authentication SAE confirm, refused with status 1" },
		{ 0xb0, 0, BODY(3), "authentication" },
		{ 0x00, 0, BODY(1, 0, 10, 0, 0, 3, 'l', 'a', 'b'), "association request \"lab\"" },
		{ 0x10, 0, BODY(1, 0, 0, 0, 1, 0), "association response" },
		{ 0x10, 0, BODY(1, 0, 17, 0), "association response, refused with status 17" },
		{ 0xc0, 0, BODY(15, 0), "deauthentication, reason 15" },
		{ 0xc0, 0x40, BODY(15, 0), "deauthentication, encrypted" },
		{ 0x08, 1, BODY(KEY(0x00, 0x8a)), "EAPOL key 1 of 4" },
		{ 0x88, 1, BODY(0, 0, KEY(0x01, 0x0a)), "EAPOL key 2 of 4" },
		{ 0x08, 1, BODY(KEY(0x13, 0xca)), "EAPOL key 3 of 4" },
		{ 0x08, 1, BODY(KEY(0x03, 0x0a)), "EAPOL key 4 of 4" },
		{ 0x08, 1, BODY(KEY(0x13, 0x82)), "EAPOL group key 1 of 2" },
		{ 0x08, 1, BODY(SNAP, 0x88, 0x8e, 2, 1, 0, 0), "EAPOL start" },
		{ 0x08, 1, BODY(SNAP, 0x08, 0x06), "data of type 0x0806" },
		{ 0x08, 0x41, BODY(SNAP, 0x08, 0x06), "encrypted data" },
		{ 0x48, 1, BODY(0), "no data" },
		{ 0xd4, 0, BODY(0), "ACK" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct radio_message message = { 0 };
		struct line line = { 0 };
		uint8_t frame[128];

		message.data = frame;
		message.size = make_80211(cases[i].control, cases[i].flags, cases[i].body,
					  cases[i].size, frame);
		line_add_radio(&line, &message);
		line_char(&line, '\0');
		if (strncmp(line.text, BETWEEN, strlen(BETWEEN)) != 0 ||
		    strcmp(line.text + strlen(BETWEEN), cases[i].words) != 0)
			fail_msg("'%s', not '%s'", line.text, cases[i].words);
		line_free(&line);
	}
}

static void test_a_frame_with_its_link(void **state)
{
	struct radio_message message;
	struct line line = { 0 };
	struct text text;
	uint8_t frame[64];

	(void)state;
	make_frame(&text, frame, make_80211(0x48, 1, NULL, 0, frame));
	assert_true(radio_message_parse(text.bytes, sizeof(text.bytes), &message));
	assert_false(message.status);
	assert_int_equal(message.size, 24);
	assert_memory_equal(message.receiver, radio_address, 6);
	line_add_radio_link(&line, &message);
	line_char(&line, '\0');
	assert_string_equal(line.text, " at 2437 MHz, 2 Mbit/s, -50 dBm");
	line_free(&line);
}

static void test_what_became_of_a_frame(void **state)
{
	static const struct {
		uint32_t flags;
		const char *words;
	} cases[] = {
		{ 1 | 4, "sent by 42:00:00:00:01:00: acknowledged" },
		{ 1, "sent by 42:00:00:00:01:00: no acknowledgement" },
		{ 1 | 2, "sent by 42:00:00:00:01:00: not to be acknowledged" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct radio_message message;
		struct line line = { 0 };
		struct text text;

		begin(&text, 3);
		add(&text, TRANSMITTER, radio_address, sizeof(radio_address));
		add_u32(&text, FLAGS, cases[i].flags);
		finish(&text);
		assert_true(radio_message_parse(text.bytes, text.size, &message));
		assert_true(message.status);
		line_add_radio(&line, &message);
		line_char(&line, '\0');
		assert_string_equal(line.text, cases[i].words);
		line_free(&line);
	}
}

static void test_what_is_no_frame(void **state)
{
	struct radio_message message;
	struct text text;

	(void)state;
	assert_false(radio_message_parse(NULL, 0, &message));
	begin(&text, 7);
	add(&text, TRANSMITTER, radio_address, sizeof(radio_address));
	finish(&text);
	assert_false(radio_message_parse(text.bytes, text.size, &message));
	begin(&text, 2);
	finish(&text);
	assert_false(radio_message_parse(text.bytes, text.size, &message));
}

/* Cut off anywhere, and with any byte changed: read within its bounds (sanitizers look). */
static void test_hostile_messages(void **state)
{
	struct text text;
	uint8_t frame[64];

	(void)state;
	make_frame(&text, frame,
		   make_80211(0x80, 0,
			      BYTES(1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 1, 0, 0, 3, 'l', 'a', 'b'),
			      frame));
	srand((unsigned int)test_seed(1));
	for (size_t i = 0; i < 20000; i++) {
		size_t size = (size_t)rand() % (text.size + 1);
		uint8_t *copy = malloc(size + 1);
		struct radio_message message;
		struct line line = { 0 };

		assert_non_null(copy);
		memcpy(copy, text.bytes, size);
		copy = realloc(copy, size ? size : 1);
		if (size)
			copy[(size_t)rand() % size] = (uint8_t)rand();
		if (radio_message_parse(copy, size, &message)) {
			line_add_radio(&line, &message);
			line_add_radio_link(&line, &message);
		}
		line_free(&line);
		free(copy);
	}
}

static void test_radiotap_headers(void **state)
{
	static const struct {
		struct radiotap radiotap;
		uint8_t bytes[32];
		size_t size;
	} cases[] = {
		{ { .rate = RADIO_RATE_NONE }, { 0, 0, 8, 0 }, 8 },
		{ { .rate = 2, .frequency = 2412, .has_signal = true, .signal = -50 },
		  { 0, 0, 15, 0, 0x2c, 0, 0, 0, 2, 0, 0x6c, 0x09, 0xa0, 0, 0xce },
		  15 },
		{ { .rate = 12, .frequency = 5180, .lost = true },
		  { 0, 0, 16, 0, 0x0c, 0x80, 0, 0, 12, 0, 0x3c, 0x14, 0x40, 1, 1, 0 },
		  16 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct line line = { 0 };

		line_add_radiotap(&line, &cases[i].radiotap);
		assert_int_equal(line.size, cases[i].size);
		assert_memory_equal(line.text, cases[i].bytes, cases[i].size);
		line_free(&line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_in_words),
		cmocka_unit_test(test_a_frame_with_its_link),
		cmocka_unit_test(test_what_became_of_a_frame),
		cmocka_unit_test(test_what_is_no_frame),
		cmocka_unit_test(test_hostile_messages),
		cmocka_unit_test(test_radiotap_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
