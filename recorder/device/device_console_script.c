// SPDX-License-Identifier: BSD-3-Clause
/* The script of a console: what is sent, and when. */
#include "recorder/device/device_console_script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/pattern/pattern.h"

struct step {
	const struct console_step *is;
	struct pattern *expect; /* NULL: it expects nothing */
	uint64_t due;		/* of steps that were matched already */
};

struct console_script {
	struct step *step;
	size_t count;
	size_t sending; /* steps before this index were sent */
	size_t waiting; /* steps before this index have a time at which they are sent; at least
			   @sending */
	size_t sent;	/* bytes of the step that is being sent */
	/* The guest's current line, without the part that a step has matched. */
	char line[DEVICE_CONSOLE_LINE_MAX + 1];
	size_t size;
	bool continued; /* it does not start at the beginning of a line */
};

static int compile(struct step *step)
{
	char reason[PATTERN_REASON];

	return step->is->expect ? pattern_compile(step->is->expect, &step->expect, reason) : 0;
}

static size_t count_steps(const struct console_step *steps)
{
	size_t count = 0;

	while (steps && steps[count].text)
		count++;
	return count;
}

/* A step without @expect gets its time once all steps before it were sent. */
static void time_plain_step(struct console_script *script, uint64_t now)
{
	struct step *step = &script->step[script->waiting];

	if (script->waiting == script->count || script->waiting > script->sending ||
	    step->is->expect)
		return;
	step->due = step->is->at > now ? step->is->at : now;
	script->waiting++;
}

static void skip_empty_texts(struct console_script *script, uint64_t now)
{
	while (script->sending < script->waiting && script->step[script->sending].due <= now &&
	       !script->step[script->sending].is->text[script->sent]) {
		script->sending++;
		script->sent = 0;
		time_plain_step(script, now);
	}
}

static int add_steps(struct console_script *script, const struct console_step *steps, size_t count)
{
	script->step = calloc(count + 1, sizeof(*script->step));
	if (!script->step)
		return -ENOMEM;
	for (; script->count < count; script->count++) {
		struct step *step = &script->step[script->count];
		int err;

		step->is = &steps[script->count];
		err = compile(step);
		if (err)
			return err;
	}
	return 0;
}

int console_script_create(const struct console_step *steps, struct console_script **out)
{
	struct console_script *script = calloc(1, sizeof(*script));
	int err;

	if (!script)
		return -ENOMEM;
	err = add_steps(script, steps, count_steps(steps));
	if (err) {
		console_script_destroy(script);
		return err;
	}
	time_plain_step(script, 0);
	*out = script;
	return 0;
}

void console_script_destroy(struct console_script *script)
{
	if (!script)
		return;
	for (size_t i = 0; i < script->count; i++)
		pattern_free(script->step[i].expect);
	free(script->step);
	free(script);
}

/* ---- What the guest writes ------------------------------------------------------------------ */

static void drop_from_line(struct console_script *script, size_t size)
{
	script->size -= size;
	memmove(script->line, script->line + size, script->size);
	script->continued = script->continued || size;
}

/* The step that waits for output; NULL: steps before it have to be sent first. */
static struct step *expecting_step(const struct console_script *script)
{
	struct step *step = &script->step[script->waiting];

	/*
	 * A step before it expects nothing and was not sent yet: output before that does not count.
	 */
	if (script->waiting > script->sending && !step[-1].is->expect)
		return NULL;
	return script->waiting < script->count && step->is->expect ? step : NULL;
}

/* If the line matches, the next step is matched against what follows. */
static bool match_line(struct console_script *script, uint64_t now)
{
	struct step *step = expecting_step(script);
	size_t end;

	if (!step)
		return false;
	script->line[script->size] = '\0';
	if (pattern_match(step->expect, script->line, script->continued, &end) != 1)
		return false;
	/* Sent in order: not before the previous step. */
	step->due = device_time_add(now, step->is->at);
	script->waiting++;
	drop_from_line(script, end);
	return true;
}

static void look_at_line(struct console_script *script, uint64_t now)
{
	while (match_line(script, now))
		;
	/* Output that came too early for the next step does not count. */
	if (!expecting_step(script))
		drop_from_line(script, script->size);
}

static void end_line(struct console_script *script, uint64_t now)
{
	look_at_line(script, now);
	script->size = 0;
	script->continued = false;
}

void console_script_output(struct console_script *script, uint64_t now, const void *text,
			   size_t size)
{
	const char *next = text;

	for (; size; next++, size--) {
		if (*next == '\n')
			end_line(script, now);
		else if (*next != '\r' && *next)
			script->line[script->size++] = *next;
		if (script->size == DEVICE_CONSOLE_LINE_MAX)
			end_line(script, now);
	}
	if (script->size)
		look_at_line(script, now);
	skip_empty_texts(script, now);
}

/* ---- What is sent --------------------------------------------------------------------------- */

uint64_t console_script_due(const struct console_script *script)
{
	return script->sending < script->waiting ? script->step[script->sending].due
						 : WIRE_TIME_NEVER;
}

const char *console_script_text(const struct console_script *script, size_t *size)
{
	const char *text = script->step[script->sending].is->text + script->sent;

	*size = strlen(text);
	return text;
}

void console_script_sent(struct console_script *script, uint64_t now, size_t size)
{
	script->sent += size;
	skip_empty_texts(script, now);
}
