// SPDX-License-Identifier: BSD-3-Clause
/* How a run went, from what it printed (`ttrec run --json`) and how its process ended. */
#include "recorder/explore/trial/trial_outcome.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <xxhash.h>

#include "format/base/cleanup.h"
#include "format/base/diagnosis.h"
#include "format/base/printable.h"

static const char *string_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key)) ?: "";
}

static uint64_t number_of(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

/* ---- The line that failed ------------------------------------------------------------------- */

/* "console output of n2: LINE": takes the guest out of it. */
static const char *split_reason(const char *reason, char guest[64])
{
	static const char of_one[] = "console output: ", of_several[] = "console output of ";
	const char *name, *colon;

	*guest = '\0';
	if (!strncmp(reason, of_one, sizeof(of_one) - 1))
		return reason + sizeof(of_one) - 1;
	if (strncmp(reason, of_several, sizeof(of_several) - 1))
		return reason;
	name = reason + sizeof(of_several) - 1;
	colon = strstr(name, ": ");
	if (!colon)
		return reason;
	snprintf(guest, 64, "%.*s", (int)(colon - name), name);
	return colon + 2;
}

/* How a run ended that no code names. */
static const char *status_code(int status)
{
	return status == EXIT_PROTOCOL ? "protocol" : "failed";
}

static void read_failure(const json_t *json, int status, struct trial_outcome *outcome)
{
	const json_t *first = json_array_get(json_object_get(json, "findings"), 0);
	const char *code = string_of(json, "code");
	const char *line = split_reason(string_of(json, "reason"), outcome->guest);

	snprintf(outcome->line, sizeof(outcome->line), "%s", line);
	/* The only guest needs no name. */
	if (!*outcome->guest && json_array_size(json_object_get(json, "guests")) > 1)
		snprintf(outcome->guest, sizeof(outcome->guest), "%s", string_of(first, "guest"));
	snprintf(outcome->code, sizeof(outcome->code), "%s", *code ? code : status_code(status));
}

/* Where the machine's clock ended it, another machine would not have. */
static bool is_overtime(const struct trial_outcome *outcome)
{
	return strcmp(outcome->code, "console-line") && strstr(outcome->line, " of wall time");
}

/* ---- Everything else ------------------------------------------------------------------------ */

static uint64_t add_text(uint64_t hash, const char *text)
{
	return XXH64(text, strlen(text) + 1, hash);
}

static uint64_t add_number(uint64_t hash, uint64_t number)
{
	return XXH64(&number, sizeof(number), hash);
}

/* What has nothing to do with this machine, and is there with and without a trace. */
static uint64_t take_fingerprint(const json_t *json)
{
	uint64_t hash = add_text(0, string_of(json, "reason"));
	const json_t *guest;
	size_t i;

	hash = add_number(hash, number_of(json, "messages"));
	hash = add_number(hash, number_of(json, "virtual_ns"));
	json_array_foreach(json_object_get(json, "guests"), i, guest)
	{
		hash = add_number(hash, number_of(guest, "status"));
		hash = add_number(hash, number_of(guest, "signal"));
		hash = add_number(hash, number_of(guest, "messages"));
		hash = add_number(hash, number_of(guest, "interrupts"));
		hash = add_text(hash, string_of(guest, "console_hash"));
	}
	return hash;
}

/* The line that is the result, whatever other lines there are. */
static json_t *find_result(const char *text)
{
	const char *found = NULL;

	for (const char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
		if (!strncmp(at, "{\"", 2))
			found = at;
	return found ? json_loads(found, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
}

/* Without a result: the first line that it printed, without the name of the command. */
static void read_complaint(const char *text, int status, struct trial_outcome *outcome)
{
	size_t length;

	text += !strncmp(text, "ttrec: ", 7) ? 7 : 0;
	length = strcspn(text, "\n");
	if (length)
		snprintf(outcome->line, sizeof(outcome->line), "%.*s", (int)length, text);
	else if (WIFSIGNALED(status))
		snprintf(outcome->line, sizeof(outcome->line), "a run was killed by SIG%s",
			 sigabbrev_np(WTERMSIG(status)) ?: "?");
	else
		snprintf(outcome->line, sizeof(outcome->line), "a run ended with exit status %d",
			 WEXITSTATUS(status));
	printable(outcome->line);
}

static enum trial_verdict verdict_of(int status, const struct trial_outcome *outcome)
{
	if (!WIFEXITED(status))
		return TRIAL_SHORTAGE;
	status = WEXITSTATUS(status);
	if (status > 128)
		return TRIAL_STOPPED;
	if (status == EXIT_USAGE || status == EXIT_DAMAGED)
		return TRIAL_REFUSED;
	if (!outcome->given || status == EXIT_CANNOT)
		return TRIAL_SHORTAGE;
	if (!status)
		return TRIAL_PASSED;
	return is_overtime(outcome) ? TRIAL_OVERTIME : TRIAL_FAILED;
}

void trial_outcome_read(const char *text, int status, struct trial_outcome *outcome)
{
	json_t *json = find_result(text);

	*outcome = (struct trial_outcome){ .given = json };
	if (json) {
		read_failure(json, WEXITSTATUS(status), outcome);
		outcome->virtual_ns = number_of(json, "virtual_ns");
		outcome->wall_ns = number_of(json, "wall_ns");
		outcome->fingerprint = take_fingerprint(json);
		json_decref(json);
	} else {
		read_complaint(text, status, outcome);
	}
	outcome->verdict = verdict_of(status, outcome);
}

bool trial_outcome_same(const struct trial_outcome *one, const struct trial_outcome *other)
{
	return one->verdict == other->verdict && one->fingerprint == other->fingerprint &&
	       !strcmp(one->guest, other->guest) && !strcmp(one->line, other->line);
}

void trial_outcome_kind(const struct trial_outcome *outcome, char name[KIND_NAME])
{
	char text[KIND_TEXT];

	kind_normalise(outcome->line, text);
	kind_name(outcome->code, outcome->guest, text, name);
}
