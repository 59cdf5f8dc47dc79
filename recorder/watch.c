// SPDX-License-Identifier: BSD-3-Clause
/* Watches consoles line by line for what the user expects and for what counts as failure. */
#include "recorder/watch.h"

#include <errno.h>
#include <regex.h>
#include <string.h>

#include "format/cleanup.h"
#include "format/console_line.h"

struct pattern {
	const char *text;
	regex_t regex;
	bool seen;
};

struct pattern_list {
	struct pattern *pattern;
	size_t count;
};

/* What has come of a line. */
struct console_line {
	char text[WATCH_LINE_MAX];
	size_t length;
	uint64_t now; /* of its last bytes */
};

struct watch {
	struct pattern_list expect, fail_on;
	struct console_line *line; /* by console */
	size_t consoles;
	bool failed;
	char failed_line[WATCH_LINE_MAX];
	size_t failed_console;
	uint64_t failed_now;
};

static const char *const default_fail_on[] = {
	"Kernel panic",
	"BUG:",
	"^ *not ok [0-9]",
	NULL,
};

static int compile(const char *const *texts, const char *option, struct pattern_list *list,
		   struct diagnosis *why)
{
	size_t count = 0;

	while (texts && texts[count])
		count++;
	list->pattern = calloc(count + 1, sizeof(*list->pattern));
	if (!list->pattern)
		return -ENOMEM;
	for (; list->count < count; list->count++) {
		struct pattern *pattern = &list->pattern[list->count];
		int code = regcomp(&pattern->regex, texts[list->count], REG_EXTENDED | REG_NOSUB);
		char reason[128];

		pattern->text = texts[list->count];
		if (!code)
			continue;
		regerror(code, &pattern->regex, reason, sizeof(reason));
		return diagnose(why, EXIT_USAGE, -EINVAL,
				"give a POSIX extended regular expression, see regex(7)",
				"%s '%s' is no regular expression: %s", option, pattern->text,
				reason);
	}
	return 0;
}

static void release(struct pattern_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		regfree(&list->pattern[i].regex);
	free(list->pattern);
}

int watch_create(const char *const *expect, const char *const *fail_on, size_t consoles,
		 struct watch **out, struct diagnosis *why)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return -ENOMEM;
	watch->consoles = consoles;
	watch->line = calloc(consoles, sizeof(*watch->line));
	if (!watch->line) {
		free(watch);
		return -ENOMEM;
	}
	err = compile(expect, "--expect", &watch->expect, why);
	if (!err)
		err = compile(fail_on ? fail_on : default_fail_on, "--fail-on", &watch->fail_on,
			      why);
	if (err)
		watch_destroy(watch);
	else
		*out = watch;
	return err;
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	release(&watch->expect);
	release(&watch->fail_on);
	free(watch->line);
	free(watch);
}

static void judge_line(struct watch *watch, size_t console)
{
	struct console_line *line = &watch->line[console];
	const char *text;

	line->text[line->length] = '\0';
	text = console_line_text(line->text);
	for (size_t i = 0; i < watch->expect.count; i++)
		if (!regexec(&watch->expect.pattern[i].regex, text, 0, NULL, 0))
			watch->expect.pattern[i].seen = true;
	for (size_t i = 0; !watch->failed && i < watch->fail_on.count; i++)
		if (!regexec(&watch->fail_on.pattern[i].regex, text, 0, NULL, 0)) {
			watch->failed = true;
			watch->failed_console = console;
			watch->failed_now = line->now;
			snprintf(watch->failed_line, sizeof(watch->failed_line), "%s", text);
		}
	line->length = 0;
}

void watch_feed(struct watch *watch, size_t console, uint64_t now, const char *text, size_t size)
{
	struct console_line *line = &watch->line[console];

	line->now = now;
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n') {
			judge_line(watch, console);
		} else if (text[i] != '\r' && text[i]) {
			if (line->length == WATCH_LINE_MAX - 1)
				judge_line(watch, console);
			line->text[line->length++] = text[i];
		}
	}
}

void watch_judge(struct watch *watch, struct watch_verdict *verdict)
{
	for (size_t i = 0; i < watch->consoles; i++)
		if (watch->line[i].length)
			judge_line(watch, i);
	*verdict = (struct watch_verdict){ .failed = watch->failed,
					   .console = watch->failed_console,
					   .now = watch->failed_now };
	snprintf(verdict->line, sizeof(verdict->line), "%s", watch->failed_line);
	for (size_t i = 0; i < watch->expect.count && !verdict->missing; i++)
		if (!watch->expect.pattern[i].seen)
			verdict->missing = watch->expect.pattern[i].text;
}

bool watch_failed(const struct watch *watch, size_t console)
{
	return watch->failed && watch->failed_console == console;
}

bool watch_expectation(const struct watch *watch, size_t index, const char **text, bool *seen)
{
	if (index >= watch->expect.count)
		return false;
	*text = watch->expect.pattern[index].text;
	*seen = watch->expect.pattern[index].seen;
	return true;
}
