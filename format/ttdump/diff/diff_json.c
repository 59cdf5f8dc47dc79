// SPDX-License-Identifier: BSD-3-Clause
/* ttdump diff --json: what was found, as one object; its keys are in ttdump-diff(1). */
#include <errno.h>

#include "format/base/printable.h"
#include "format/text/record_json.h"
#include "format/ttdump/diff/diff.h"

static const char *const sides[2] = { "a", "b" };

static json_t *integer(uint64_t number)
{
	return json_integer((json_int_t)number);
}

/* A path may be no UTF-8. */
static json_t *text_json(const char *text)
{
	json_t *string = json_string(text);

	return string ? string : json_null();
}

static json_t *trace_json(const struct diff *diff, int s)
{
	char uuid[UUID_TEXT];
	json_t *object = json_object();

	json_object_set_new(object, "trace", text_json(diff->path[s]));
	json_object_set_new(
		object, "uuid",
		json_string(uuid_text(trace_reader_header(diff->reader[s])->uuid, uuid)));
	json_object_set_new(object, "problem",
			    diff->end[s] < 0 ? json_string(diff->problem[s]) : json_null());
	return object;
}

static json_t *items_json(const struct difference_pair *pair)
{
	struct difference list[DIFFERENCE_MAX];
	size_t count = difference_list(pair->pair[0], pair->pair[1], list);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s}", "field",
						       list[i].field, "a", list[i].before, "b",
						       list[i].after, "by", list[i].by));
	return array;
}

static json_t *first_json(struct diff *diff)
{
	const struct trace_difference *first = &diff->compare.first;
	struct difference_pair pair;
	json_t *object;

	if (!diff->compare.diverged)
		return json_null();
	if (difference_load(diff->reader[0], diff->reader[1], first, &pair))
		return NULL;
	object = json_object();
	json_object_set_new(object, "guest", integer(first->guest));
	for (int s = 0; s < 2; s++)
		json_object_set_new(object, sides[s],
				    pair.pair[s] ? record_json(&diff->names[s], pair.pair[s])
						 : json_null());
	json_object_set_new(object, "differs", items_json(&pair));
	return object;
}

static json_t *kind_json(const struct diff_kind *kind, const struct trace_kind_info *info)
{
	json_t *object = json_object(), *fields = json_object();

	json_object_set_new(object, "changed", integer(kind->changed));
	json_object_set_new(object, "only_a", integer(kind->only[0]));
	json_object_set_new(object, "only_b", integer(kind->only[1]));
	for (unsigned int i = 0; i < info->field_count; i++)
		if (kind->field[i])
			json_object_set_new(fields, info->field[i].name, integer(kind->field[i]));
	if (kind->payload)
		json_object_set_new(fields, "payload", integer(kind->payload));
	json_object_set_new(object, "fields", fields);
	return object;
}

static json_t *kinds_json(const struct diff_tail *tail)
{
	json_t *object = json_object();

	for (uint32_t i = 0; i < TRACE_KIND_LIMIT; i++) {
		const struct diff_kind *kind = &tail->kind[i];

		if (trace_kind_info(i) && (kind->changed || kind->only[0] || kind->only[1]))
			json_object_set_new(object, trace_kind_info(i)->name,
					    kind_json(kind, trace_kind_info(i)));
	}
	return object;
}

static json_t *streak_json(const struct diff_streak *streak)
{
	json_t *object;

	if (!streak->count)
		return json_null();
	object = json_object();
	json_object_set_new(object, "a", integer(streak->number[0]));
	json_object_set_new(object, "b", integer(streak->number[1]));
	json_object_set_new(object, "now", integer(streak->now[0]));
	json_object_set_new(object, "records", integer(streak->count));
	json_object_set_new(object, "shifted", integer(streak->shifted));
	return object;
}

static json_t *tail_json(const struct diff_tail *tail)
{
	json_t *object = json_object();

	json_object_set_new(object, "equal", integer(tail->equal));
	json_object_set_new(object, "shifted", integer(tail->shifted));
	json_object_set_new(object, "changed", integer(tail->changed));
	json_object_set_new(object, "only_a", integer(tail->only[0]));
	json_object_set_new(object, "only_b", integer(tail->only[1]));
	json_object_set_new(object, "kinds", kinds_json(tail));
	json_object_set_new(object, "again", streak_json(&tail->streak));
	json_object_set_new(object, "again_but_checks", streak_json(&tail->crossings));
	return object;
}

/* Where histories part: the record and its time in each trace, or null. */
static json_t *place_json(const struct trace_difference *first)
{
	json_t *object = json_object();

	for (int s = 0; s < 2; s++)
		json_object_set_new(object, sides[s],
				    first->there[s] ? json_pack("{s:I, s:I}", "number",
								(json_int_t)first->number[s], "now",
								(json_int_t)first->now[s])
						    : json_null());
	return object;
}

static json_t *guest_json(const struct diff *diff, uint32_t index)
{
	const struct compare_guest *guest = &diff->compare.guest[index];
	const struct diff_tail *tail = diff_tail(diff, index);
	json_t *object = json_object();
	char name[NAME_SIZE];

	json_object_set_new(object, "guest", integer(index));
	json_object_set_new(object, "name",
			    json_string(name_table_guest(
				    &diff->names[index >= diff->names[0].count], index, name)));
	json_object_set_new(object, "equal", json_boolean(!guest->diverged));
	json_object_set_new(object, "parts",
			    guest->diverged ? place_json(&guest->first) : json_null());
	json_object_set_new(object, "later", tail ? tail_json(tail) : json_null());
	return object;
}

static json_t *guests_json(const struct diff *diff)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < diff->compare.guest_count; i++) {
		const struct compare_guest *guest = &diff->compare.guest[i];

		if ((guest->seen[0] || guest->seen[1]) &&
		    (!diff->guest || i == diff->options.guest))
			json_array_append_new(array, guest_json(diff, i));
	}
	return array;
}

static json_t *line_json(int s, const struct diff_line *line)
{
	json_t *object = json_object();

	json_object_set_new(object, "guest",
			    line->guest == DIFF_ALL_GUESTS ? json_null()
							   : json_integer(line->guest));
	json_object_set_new(object, "only", json_string(sides[s]));
	json_object_set_new(object, "text", json_string(printable(line->text)));
	return object;
}

static json_t *start_json(const struct diff_start *start)
{
	json_t *array = json_array();

	for (int s = 0; s < 2; s++)
		for (size_t i = 0; i < start->count[s]; i++)
			json_array_append_new(array, line_json(s, &start->line[s][i]));
	return array;
}

int diff_print_json(struct diff *diff, const struct diff_start *start)
{
	json_t *object = json_object();
	json_t *first = first_json(diff);

	if (!first)
		return -EIO;
	json_object_set_new(object, "version", json_integer(1));
	json_object_set_new(object, "verdict", json_string(diff_verdict(diff)));
	json_object_set_new(object, "a", trace_json(diff, 0));
	json_object_set_new(object, "b", trace_json(diff, 1));
	json_object_set_new(object, "first", first);
	if (!diff->only_first)
		json_object_set_new(object, "guests", guests_json(diff));
	json_object_set_new(object, "started", start_json(start));
	dump_json(object);
	return 0;
}
