// SPDX-License-Identifier: BSD-3-Clause
/*
 * What a guest writes to its consoles, cut anywhere: the script that types, the watch that judges,
 * the last words of a kernel, and the comparison of two consoles.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/wire/wire.h"
#include "recorder/device/device_console_script.h"
#include "recorder/watch/final_output.h"
#include "recorder/watch/watch.h"
#include "tests/fuzz/fuzz.h"

#define CONSOLES   3
#define TYPED_ONCE 1000

static const struct console_step steps[] = {
	{ "login: ?$", 0, "root\n" },
	{ NULL, 1000, "" },
	{ "(#|\\$) $", 5, "ls\n" },
	{ NULL, 0, "exit\n" },
	{ "^a*b", 0, "" },
	{ "", 0, "last" },
	{ NULL, 0, NULL },
};

/* The texts come one after the other; none twice, none before its time. */
static void type_what_is_due(struct console_script *script, uint64_t now, size_t *typed)
{
	size_t size;

	for (int i = 0; i < 16 && console_script_due(script) <= now; i++) {
		fuzz_expect(console_script_text(script, &size));
		*typed += size;
		console_script_sent(script, now, size);
	}
	fuzz_expect(*typed <= TYPED_ONCE);
}

static struct watch *open_watch(struct fuzz_input *input)
{
	static const char *const expect[] = { "passed", "^[a-z]+ [0-9]+$", NULL };
	static const char *const fail_on[] = { "default", "FAIL", NULL };
	static const char *const allow[] = { "FAIL: known", "WARNING", NULL };
	uint8_t how = fuzz_byte(input);
	const struct watch_options options = {
		.consoles = CONSOLES,
		.expect = how & 1 ? expect : NULL,
		.fail_on = how & 2 ? fail_on : NULL,
		.allow = how & 4 ? allow : NULL,
		.defaults = how & 8,
		.program = how & 16,
	};
	struct diagnosis why = { .status = 0 };
	struct watch *watch;

	fuzz_expect(!watch_create(&options, &watch, &why));
	if (how & 32)
		fuzz_expect(!watch_allow(watch, 1, allow, &why));
	return watch;
}

/* Judging does not change what is known, so that it gives the same again. */
static void check_verdict(struct watch *watch)
{
	static struct watch_verdict verdict, again;
	const char *text;
	uint64_t now;
	bool seen;

	memset(&verdict, 0, sizeof(verdict));
	memset(&again, 0, sizeof(again));
	watch_judge(watch, &verdict);
	watch_judge(watch, &again);
	fuzz_expect(verdict.failure.count == again.failure.count &&
		    verdict.warning.count == again.warning.count);
	fuzz_expect(strlen(verdict.failure.line) < WATCH_LINE_MAX);
	fuzz_expect(!verdict.failure.count || verdict.failure.console < CONSOLES);
	for (size_t i = 0; i < CONSOLES; i++) {
		watch_failure(watch, i);
		watch_restarted(watch, i, &now);
	}
	for (size_t i = 0; watch_expectation(watch, i, &text, &seen); i++)
		;
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct watch *watch = open_watch(&input);
	struct console_script *script;
	struct final_output output = { .length = 0 };
	uint64_t now = 0;
	size_t typed = 0;

	fuzz_expect(!console_script_create(steps, &script));
	console_script_sent(script, 0, 0);
	while (input.left) {
		uint8_t head = fuzz_byte(&input);
		size_t count;
		const uint8_t *text = fuzz_bytes(&input, head >> 2, &count);

		now += head;
		watch_feed(watch, head & 3 ? (head & 3u) - 1 : 0, now, (const char *)text, count);
		console_script_output(script, now, text, count);
		final_output_feed(&output, (const char *)text, count);
		fuzz_expect(output.length < FINAL_OUTPUT_LINE);
		type_what_is_due(script, now, &typed);
	}
	check_verdict(watch);
	console_script_destroy(script);
	watch_destroy(watch);
	return 0;
}
