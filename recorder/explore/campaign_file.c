// SPDX-License-Identifier: BSD-3-Clause
/* DIR/campaign.json: what a campaign knows, between two runs of it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "recorder/explore/campaign_state.h"

#define FILE_NAME    "campaign.json"
#define FILE_VERSION 1

static char *file_path(const char *directory, const char *suffix)
{
	char *path;

	return asprintf(&path, "%s/" FILE_NAME "%s", directory, suffix) < 0 ? NULL : path;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static json_t *numbers_json(const uint64_t *list, size_t count)
{
	json_t *json = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(json, json_integer((json_int_t)list[i]));
	return json;
}

static json_t *parts_json(const struct campaign_state *state)
{
	json_t *json = json_array();

	for (size_t i = 0; i < state->part_count; i++)
		json_array_append_new(json,
				      json_pack("{s:I, s:I, s:I, s:I, s:I}", "first",
						(json_int_t)state->parts[i].first, "step",
						(json_int_t)state->parts[i].step, "count",
						(json_int_t)state->parts[i].count, "virtual_ns",
						(json_int_t)state->parts[i].virtual_ns, "repeated",
						(json_int_t)state->parts[i].repeated));
	return json;
}

static json_t *result_json(const struct campaign_kind *kind)
{
	const struct found_result *result = &kind->result;

	if (!kind->made)
		return json_null();
	return json_pack("{s:b, s:s, s:i, s:i, s:b}", "same", result->same, "again", result->again,
			 "replays", (int)result->replays, "identical", (int)result->identical,
			 "kept", result->kept);
}

static json_t *kinds_json(const struct campaign_state *state)
{
	json_t *json = json_array();

	for (size_t i = 0; i < state->kind_count; i++) {
		const struct campaign_kind *kind = &state->kinds[i];
		const struct trial_outcome *outcome = &kind->outcome;

		json_array_append_new(json,
				      json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o}", "name",
						kind->name, "guest", outcome->guest, "code",
						outcome->code, "line", outcome->line, "virtual_ns",
						(json_int_t)outcome->virtual_ns, "fingerprint",
						(json_int_t)outcome->fingerprint, "result",
						result_json(kind), "seeds",
						numbers_json(kind->seeds, kind->count)));
	}
	return json;
}

static json_t *differences_json(const struct campaign_state *state)
{
	json_t *json = json_array();

	for (size_t i = 0; i < state->difference_count; i++)
		json_array_append_new(json, json_pack("{s:I, s:s, s:s}", "seed",
						      (json_int_t)state->differences[i].seed,
						      "first", state->differences[i].first, "again",
						      state->differences[i].again));
	return json;
}

static json_t *fresh_json(const struct campaign_state *state)
{
	json_t *json = json_array();

	for (size_t i = 0; i < CAMPAIGN_FRESH; i++)
		json_array_append_new(json, state->fresh[i].run ? json_string(state->fresh[i].kind)
								: json_null());
	return json;
}

int campaign_save(const struct campaign_state *state, const char *directory)
{
	auto_free char *path = file_path(directory, ""), *part = file_path(directory, ".part");
	json_t *json =
		json_pack("{s:i, s:s, s:o, s:I, s:o, s:o, s:o, s:o}", "version", FILE_VERSION,
			  "identity", state->identity, "parts", parts_json(state), "runs",
			  (json_int_t)campaign_runs(state), "kinds", kinds_json(state), "overtime",
			  numbers_json(state->overtime, state->overtime_count), "differences",
			  differences_json(state), "fresh", fresh_json(state));
	int err = json && path && part ? 0 : -ENOMEM;

	errno = EIO;
	if (!err && json_dump_file(json, part, JSON_INDENT(1)))
		err = -errno;
	if (!err && rename(part, path))
		err = -errno;
	json_decref(json);
	return err;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static uint64_t number_of(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

static void text_of(const json_t *json, const char *key, char *text, size_t size)
{
	snprintf(text, size, "%s", json_string_value(json_object_get(json, key)) ?: "");
}

static int read_numbers(const json_t *json, uint64_t **list, size_t *count)
{
	const json_t *item;
	size_t i;
	int err = 0;

	json_array_foreach(json, i, item) err =
		err ?: array_push(*list, *count, (uint64_t)json_integer_value(item));
	return err;
}

static int read_parts(const json_t *json, struct campaign_state *state)
{
	const json_t *item;
	size_t i;
	int err = 0;

	json_array_foreach(json, i, item)
	{
		struct campaign_part part = { .first = number_of(item, "first"),
					      .step = number_of(item, "step"),
					      .count = number_of(item, "count"),
					      .virtual_ns = number_of(item, "virtual_ns"),
					      .repeated = number_of(item, "repeated") };

		if (!part.step || part.first > SEEDS_MAX || part.step > SEEDS_SHARDS_MAX ||
		    part.count > SEEDS_MAX)
			return -EBADMSG;
		err = err ?: array_push(state->parts, state->part_count, part);
	}
	return err ?: state->part_count ? err : -EBADMSG;
}

static void read_result(const json_t *json, struct campaign_kind *kind)
{
	kind->made = json_is_object(json);
	kind->result.same = json_is_true(json_object_get(json, "same"));
	kind->result.kept = json_is_true(json_object_get(json, "kept"));
	kind->result.replays = (unsigned int)number_of(json, "replays");
	kind->result.identical = (unsigned int)number_of(json, "identical");
	text_of(json, "again", kind->result.again, sizeof(kind->result.again));
}

static int read_kinds(const json_t *json, struct campaign_state *state)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json, i, item)
	{
		struct campaign_kind *kind = array_add(state->kinds, state->kind_count);

		if (!kind)
			return -ENOMEM;
		text_of(item, "guest", kind->outcome.guest, sizeof(kind->outcome.guest));
		text_of(item, "code", kind->outcome.code, sizeof(kind->outcome.code));
		text_of(item, "line", kind->outcome.line, sizeof(kind->outcome.line));
		kind->outcome.verdict = TRIAL_FAILED;
		kind->outcome.virtual_ns = number_of(item, "virtual_ns");
		kind->outcome.fingerprint = number_of(item, "fingerprint");
		/* Not what the file says: it becomes the name of a directory. */
		trial_outcome_kind(&kind->outcome, kind->name);
		read_result(json_object_get(item, "result"), kind);
		if (read_numbers(json_object_get(item, "seeds"), &kind->seeds, &kind->count))
			return -ENOMEM;
		if (!kind->count)
			return -EBADMSG;
	}
	return 0;
}

static int read_differences(const json_t *json, struct campaign_state *state)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json, i, item)
	{
		struct campaign_difference *difference =
			array_add(state->differences, state->difference_count);

		if (!difference)
			return -ENOMEM;
		difference->seed = number_of(item, "seed");
		text_of(item, "first", difference->first, sizeof(difference->first));
		text_of(item, "again", difference->again, sizeof(difference->again));
	}
	return 0;
}

static void read_fresh(const json_t *json, struct campaign_state *state)
{
	for (size_t i = 0; i < CAMPAIGN_FRESH; i++) {
		const json_t *item = json_array_get(json, i);

		state->fresh[i].run = json_is_string(item);
		snprintf(state->fresh[i].kind, sizeof(state->fresh[i].kind), "%s",
			 json_string_value(item) ?: "");
	}
}

static int read_state(const json_t *json, struct campaign_state *state)
{
	int err;

	if (number_of(json, "version") != FILE_VERSION)
		return -EBADMSG;
	text_of(json, "identity", state->identity, sizeof(state->identity));
	read_fresh(json_object_get(json, "fresh"), state);
	err = read_parts(json_object_get(json, "parts"), state);
	if (!err)
		err = read_kinds(json_object_get(json, "kinds"), state);
	if (!err)
		err = read_differences(json_object_get(json, "differences"), state);
	return err ? err
		   : read_numbers(json_object_get(json, "overtime"), &state->overtime,
				  &state->overtime_count);
}

int campaign_load(struct campaign_state *state, const char *directory)
{
	auto_free char *path = file_path(directory, "");
	auto_file *file = path ? fopen(path, "re") : NULL;
	json_t *json;
	int err;

	*state = (struct campaign_state){ 0 };
	if (!file)
		return path ? -errno : -ENOMEM;
	json = json_loadf(file, 0, NULL);
	err = json ? read_state(json, state) : -EBADMSG;
	json_decref(json);
	if (err)
		campaign_release(state);
	return err;
}
