// SPDX-License-Identifier: BSD-3-Clause
/* The words for each kind of record, how lines are aligned, and absurd records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/text/record_json.h"
#include "format/text/record_text.h"
#include "tests/format/trace/sample.h"
#include "tests/seed.h"

#define TEXT(text) .payload = (text), .payload_size = sizeof(text) - 1

static struct name_table names;
static struct record_view view = { .names = &names };

static void learn(const struct trace_record *record)
{
	assert_int_equal(name_table_learn(&names, record), 0);
}

/* Guest 0: a card, a console, two disks of one name, a program and a share; guest 1, 5 us behind,
 * nothing.
 */
static int introduce(void **state)
{
	static const struct trace_record records[] = {
		{ .kind = TRACE_meta, TEXT("name=n1") },
		{ .kind = TRACE_meta, TEXT("device=1 net lan 02:01:7d:56:ae:80") },
		{ .kind = TRACE_meta, TEXT("device=3 console") },
		{ .kind = TRACE_meta, TEXT("device=2 disk zeros") },
		{ .kind = TRACE_meta, TEXT("device=2 disk zeros") },
		{ .kind = TRACE_meta, TEXT("device=29 program \x1b[31mred") },
		{ .kind = TRACE_meta, TEXT("device=26 share data") },
		{ .kind = TRACE_meta, .guest = 1, TEXT("name=second") },
		{ .kind = TRACE_join, .guest = 1, .join = { 2, 5000 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		learn(&records[i]);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	name_table_free(&names);
	record_view_release(&view);
	view = (struct record_view){ .names = &names };
	return 0;
}

static void assert_described(const struct trace_record *record, const char *expected)
{
	struct line line = { 0 };

	record_describe(&view, record, &line);
	line_char(&line, '\0');
	assert_string_equal(line.text, expected);
	line_free(&line);
}

#define FROM(...)                                                        \
	{                                                                \
		.kind = TRACE_from, .now = 1000, .from = { __VA_ARGS__ } \
	}
#define TO(...)                                                      \
	{                                                            \
		.kind = TRACE_to, .now = 1000, .to = { __VA_ARGS__ } \
	}

static void messages(void **state)
{
	static const struct {
		struct trace_record record;
		const char *text;
	} cases[] = {
		{ FROM(TRACE_OP_START, 1, 42), "START      id 42 #1" },
		{ TO(TRACE_OP_ACK, 1, 0), "ACK        #1" },
		{ FROM(TRACE_OP_GET_TOD, 2, UINT64_MAX), "GET_TOD    #2" },
		{ TO(TRACE_OP_ACK, 2, 1767225600000000001),
		  "ACK        2026-01-01T00:00:00.000000001Z #2" },
		{ FROM(TRACE_OP_GET, 3, UINT64_MAX), "GET        #3" },
		{ TO(TRACE_OP_ACK, 3, 1000), "ACK        0.000001000 #3" },
		{ FROM(TRACE_OP_REQUEST, 4, 1256), "REQUEST    +256ns (0.000001256) #4" },
		{ FROM(TRACE_OP_REQUEST, 4, 1000), "REQUEST    +0 (0.000001000) #4" },
		{ FROM(TRACE_OP_REQUEST, 4, INT64_MAX), "REQUEST    never #4" },
		{ FROM(TRACE_OP_WAIT, 5, UINT64_MAX), "WAIT       #5" },
		{ TO(TRACE_OP_RUN, 1, 1000), "RUN        #1" },
		{ TO(TRACE_OP_FREE_UNTIL, 2, 3000), "FREE_UNTIL +2us (0.000003000) #2" },
		{ FROM(TRACE_OP_ACK, 1, 0), "ACK        #1" },
		{ FROM(TRACE_OP_UPDATE, 6, 1000), "UPDATE     #6" },
		{ FROM(TRACE_OP_UPDATE, 6, 1700), "UPDATE     +700ns (0.000001700) #6" },
		{ FROM(TRACE_OP_BROADCAST, 7, 0xdead), "BROADCAST  0xdead #7" },
		{ FROM(99, 8, 1), "operation 99 -999ns (0.000000001) #8" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		learn(&cases[i].record);
		assert_described(&cases[i].record, cases[i].text);
	}
}

/* A guest's own clock is told on that of the trace. */
static void another_clock(void **state)
{
	struct trace_record request = {
		.kind = TRACE_from, .guest = 1, .now = 6000, .from = { TRACE_OP_REQUEST, 1, 2000 }
	};
	struct trace_record irq = { .kind = TRACE_irq, .guest = 1, .irq = { 0, 3, 2000 } };
	struct trace_record run = {
		.kind = TRACE_to, .guest = 1, .now = 9000, .to = { TRACE_OP_RUN, 1, 2000 }
	};

	(void)state;
	assert_described(&request, "REQUEST    +1us (0.000007000) #1");
	assert_described(&irq, "irq        3 at 0.000007000");
	learn(&run);
	assert_described(&run, "RUN        #1");
	request.now = 9000;
	assert_described(&request, "REQUEST    +0 (0.000009000) #1");
}

static void everything_else(void **state)
{
	static const uint8_t refusal[16] = { 16, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 7 };
	static const uint8_t frame[] = { 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					 2, 1, 0x7d, 0x56, 0xae, 0x80, 0x88, 0xb5 };
	static const uint8_t number[8] = { 1, 0, 0, 0, 0, 1, 0, 0 };
	static const uint8_t bytes[40] = { 0xab };
	static const struct {
		struct trace_record record;
		const char *text;
	} cases[] = {
		{ { .kind = TRACE_console, TEXT("login: \x1b[0m\n") },
		  "console    \"login: \\x1b[0m\\n\"" },
		{ { .kind = TRACE_entropy, .entropy = { 0, 4 }, TEXT("abcd") },
		  "entropy    getrandom 4 bytes 61626364" },
		{ { .kind = TRACE_entropy, .entropy = { 7, 9 }, TEXT("ab") },
		  "entropy    source 7 9 wanted, 2 bytes 6162" },
		{ { .kind = TRACE_digest, .digest = { 0, 4096, 2, 1 }, TEXT("abc") },
		  "digest     ram 00000000000000010000000000000002, 4096-byte blocks, block "
		  "hashes, 3 bytes" },
		{ { .kind = TRACE_digest, .digest = { 1, 0, 0, 0 }, TEXT("abc") },
		  "digest     data+bss block hashes, 3 bytes, goes on" },
		{ { .kind = TRACE_exit, .exit = { 3, 0 } }, "exit       status 3" },
		{ { .kind = TRACE_exit, .exit = { 0, 11 } }, "exit       by signal 11 SIGSEGV" },
		{ { .kind = TRACE_join, .join = { UINT64_MAX, 7 }, TEXT("p") },
		  "join       id 0xffffffffffffffff, clock +7ns \"p\"" },
		{ { .kind = TRACE_leave }, "leave" },
		{ { .kind = TRACE_note, .note = { 5 }, TEXT("deadlock") },
		  "note       status 5 \"deadlock\"" },
		{ { .kind = TRACE_wall, .wall = { 1500000000 } },
		  "wall       1.500000000 of wall clock" },
		{ { .kind = TRACE_attach, .attach = { 0 } }, "attach     lan" },
		{ { .kind = TRACE_detach, .detach = { 3 } }, "detach     disk zeros (dev3)" },
		{ { .kind = TRACE_cut, .cut = { 4 } }, "cut        program ?[31mred" },
		{ { .kind = TRACE_cut, .cut = { 9 } }, "cut        dev9" },
		{ { .kind = TRACE_request,
		    .request = { 0, 8, 1 },
		    .payload = number,
		    .payload_size = 8 },
		  "request    lan SET_VRING_NUM tx 256" },
		{ { .kind = TRACE_request,
		    .request = { 2, 12, 9 },
		    .payload = number,
		    .payload_size = 8 },
		  "request    disk zeros (dev2) SET_VRING_KICK queue 1 flags=0x9" },
		{ { .kind = TRACE_request,
		    .request = { 0, 77, 1 },
		    .payload = bytes,
		    .payload_size = 40 },
		  "request    lan request 77 40 bytes ab00000000000000000000000000000000000000000"
		  "000000000000000000000..." },
		{ { .kind = TRACE_reply, .reply = { 0, 1, 0x150000020 } },
		  "reply      lan GET_FEATURES 0x150000020" },
		{ { .kind = TRACE_kick, .kick = { 0, 1, 9, 2 } }, "kick       lan tx done 2" },
		{ { .kind = TRACE_kick, .kick = { 2, 0, 1, 0 } },
		  "kick       disk zeros (dev2) queue 0 done 0 flags=0x1" },
		{ { .kind = TRACE_used,
		    .used = { 0, 0, 6, 10 },
		    .payload = frame,
		    .payload_size = 16 },
		  "used       lan rx 02:01:7d:56:ae:80 > ff:ff:ff:ff:ff:ff type 0x88b5, 0 bytes "
		  "(14 bytes, head 6)" },
		{ { .kind = TRACE_used, .used = { 0, 0, 6, 4000 }, TEXT("ab") },
		  "used       lan rx head 6 4002 bytes 6162" },
		{ { .kind = TRACE_used, .used = { 1, 0, 0, 0 }, TEXT("ls\n") },
		  "used       console rx head 0 3 bytes \"ls\\n\"" },
		{ { .kind = TRACE_taken, .taken = { 1, 1 }, TEXT("$ \x1b[K") },
		  "taken      console tx 5 bytes \"$ \\x1b[K\"" },
		{ { .kind = TRACE_wrote, .wrote = { 2, 0, 3, 512 }, TEXT("a") },
		  "wrote      disk zeros (dev2) queue 0 head 3 offset 512 1 byte 61" },
		{ { .kind = TRACE_kick, .kick = { 5, 0, 9, 1 } },
		  "kick       share data forgets done 1" },
		{ { .kind = TRACE_used,
		    .used = { 5, 1, 6, 0 },
		    .payload = refusal,
		    .payload_size = 16 },
		  "used       share data requests head 6 error ENOENT" },
		{ { .kind = TRACE_used, .used = { 5, 1, 6, 0 }, TEXT("a") },
		  "used       share data requests head 6 1 byte 61" },
		{ { .kind = TRACE_call, .call = { 0, 4, 0, 15 } }, "call       lan rx #15" },
		{ { .kind = TRACE_call, .call = { 0, 2, 0, 16 } },
		  "call       lan CONFIG_CHANGE #16" },
		{ { .kind = TRACE_called, .called = { 0, 0 } }, "called     lan" },
		{ { .kind = TRACE_called, .called = { 0, 1 } }, "called     lan failed: 0x1" },
		{ { .kind = TRACE_irq, .irq = { TRACE_IRQ_ENTRY, 2, 5 } },
		  "irq        2 at 0.000000005" },
		{ { .kind = TRACE_irq, .irq = { TRACE_IRQ_WARN, 0, UINT64_MAX }, TEXT("a.c:1") },
		  "irq        warning at an unknown time \"a.c:1\"" },
		{ { .kind = TRACE_lost, .lost = { 0, TRACE_LOSS_NOBODY }, TEXT("frame") },
		  "lost       lan nobody there a frame of 5 bytes (5 bytes)" },
		{ { .kind = TRACE_lost, .lost = { 0, TRACE_LOSS_RANDOM, 2, 0 }, TEXT("frame") },
		  "lost       lan by the link to second a frame of 5 bytes (5 bytes)" },
		{ { .kind = TRACE_sent, .sent = { 0, 1, 0, 100000 } },
		  "sent       lan by second dev0 100us before" },
		{ { .kind = TRACE_sent, .sent = { 0, UINT64_MAX, 7, 0 } },
		  "sent       lan by guest 4294967295 dev7 0 before" },
		/* Payloads that were not kept. */
		{ { .kind = TRACE_console, .payload_size = 7 }, "console    7 bytes" },
		{ { .kind = TRACE_used, .used = { 0, 0, 1, 10 }, .payload_size = 90 },
		  "used       lan rx head 1 100 bytes" },
		{ { .kind = 63 }, "kind 63" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_described(&cases[i].record, cases[i].text);
}

static char *print(const struct trace_record *records, size_t count)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(record_print(&view, &records[i], out), 0);
	fclose(out);
	return text;
}

static const struct trace_record lines[] = {
	{ .number = 9, .now = 1000, .kind = TRACE_attach },
	{ .number = 10, .now = 1256, .guest = 1, .kind = TRACE_leave },
	{ .number = 123456789, .now = 5000000001000, .kind = TRACE_exit, .exit = { 1, 0 } },
	{ .number = 123456790, .now = 5000000000000, .kind = TRACE_exit },
};

static void lines_stand_below_each_other(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	view.indent = "  ";
	text = print(lines, ARRAY_SIZE(lines));
	assert_string_equal(
		text,
		"         9  0.000001000             +0  n1     <- attach     lan\n"
		"        10  0.000001256         +256ns  second <- leave\n"
		"  123456789  5000.000001000  +4999.999999744s  n1     <- exit       status 1\n"
		"  123456790  5000.000000000              -1us  n1     <- exit       status 0\n");
}

static void without_a_name_table(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	view.names = NULL;
	text = print(lines, 2);
	assert_string_equal(text,
			    "       9  0.000001000             +0  guest 0 <- attach     dev0\n"
			    "      10  0.000001256         +256ns  guest 1 <- leave\n");
}

static void colours(void **state)
{
	auto_free char *text = NULL;

	(void)state;
	view.colour = true;
	text = print(lines + 1, 2);
	assert_non_null(strstr(text, "\x1b[33msecond <-\x1b[0m leave\n"));
	assert_non_null(
		strstr(text, "\x1b[36mn1     <-\x1b[0m \x1b[1;31mexit       status 1\x1b[0m\n"));
}

/* Whatever a record says, with a names and without, its line is one line of printable ASCII, and
 * its object is JSON. */
static void absurd_records(void **state)
{
	struct sample_random random = { test_seed(7) };
	struct trace_record record;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		auto_free char *text = NULL;
		json_t *object;
		size_t length;

		sample_absurd(&random, &record);
		record.guest %= 3;
		if (i % 2 && record.kind >= TRACE_attach)
			record.field[0] %= 6;
		view.names = i % 3 ? &names : NULL;
		text = print(&record, 1);
		length = strlen(text);
		assert_int_equal(text[length - 1], '\n');
		for (size_t j = 0; j + 1 < length; j++)
			assert_true(text[j] >= ' ' && text[j] <= '~');
		object = record_json(&names, &record);
		assert_non_null(object);
		assert_true(json_is_string(json_object_get(object, "guest_name")));
		json_decref(object);
	}
}

/* A trace that names devices without end takes no memory without end. */
static void too_many_devices(void **state)
{
	struct trace_record record = { .kind = TRACE_meta, TEXT("device=2 disk") };

	(void)state;
	for (int i = 0; i < NAMED_DEVICES_MAX + 10; i++) {
		record.guest = (uint32_t)i % 8;
		learn(&record);
	}
	assert_int_equal(names.device_count, NAMED_DEVICES_MAX);
	assert_non_null(name_table_device(&names, 7, 100));
	assert_null(name_table_device(&names, 7, NAMED_DEVICES_MAX / 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_GUESTS(test) cmocka_unit_test_setup_teardown(test, introduce, forget)
		WITH_GUESTS(messages),
		WITH_GUESTS(another_clock),
		WITH_GUESTS(everything_else),
		WITH_GUESTS(lines_stand_below_each_other),
		WITH_GUESTS(without_a_name_table),
		WITH_GUESTS(colours),
		WITH_GUESTS(absurd_records),
		WITH_GUESTS(too_many_devices),
#undef WITH_GUESTS
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
