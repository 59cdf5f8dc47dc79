// SPDX-License-Identifier: BSD-3-Clause
/*
 * What is typed into a console: steps as mappings, or as lines such as `at 1.5s send "ls\n"` and
 * `expect /login:/ then send "root\n"`.
 */
#include "recorder/lab/lab_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"

static const char line_right[] = "a line such as at 1.5s send \"ls\\n\" or expect /login:/ then "
				 "after 1ms send \"root\\n\"";

/* ---- As a mapping --------------------------------------------------------------------------- */

struct step_form {
	char *expect, *send;
	uint64_t at, after;
};

static const struct lab_key step_keys[] = {
	LAB_KEY("at", lab_type_duration, struct step_form, at, .doc = "not before this time"),
	LAB_KEY("expect", lab_type_pattern, struct step_form, expect,
		.doc = "a line must match first"),
	LAB_KEY("after", lab_type_duration, struct step_form, after,
		.doc = "time to wait after the match"),
	LAB_KEY("send", lab_type_text, struct step_form, send, .required = true,
		.doc = "the text to type, including \"\\n\" at its end"),
};

const struct lab_schema lab_step_schema = { "a step of a console", step_keys, ARRAY_SIZE(step_keys),
					    false, false };

static int read_mapping(struct lab_reader *reader, const yaml_node_t *node, struct step_form *form)
{
	struct lab_map map;
	int err = lab_read(reader, &lab_step_schema, node, form, &map);

	if (!err && lab_map_has(&map, "at") && lab_map_has(&map, "expect"))
		err = lab_error(reader, lab_map_place(&map, "at"),
				"use 'after' for a time after the match",
				"a step has 'at' or 'expect', not both");
	if (!err && lab_map_has(&map, "after") && !lab_map_has(&map, "expect"))
		err = lab_error(reader, lab_map_place(&map, "after"), "use 'at' for a time",
				"'after' needs 'expect'");
	return err;
}

/* ---- As a line ------------------------------------------------------------------------------ */

static void skip_blanks(const char **line)
{
	*line += strspn(*line, " \t");
}

/* Take @word if it comes next. */
static bool take_word(const char **line, const char *word)
{
	size_t length = strlen(word);

	skip_blanks(line);
	if (strncmp(*line, word, length) || isalnum((unsigned char)(*line)[length]))
		return false;
	*line += length;
	skip_blanks(line);
	return true;
}

static int take_time(const char **line, uint64_t *time)
{
	size_t length = strcspn(*line, " \t");
	auto_free char *text = strndup(*line, length);

	if (!text)
		return -ENOMEM;
	*line += length;
	return lab_type_duration.parse(text, time) ? -EINVAL : 0;
}

/* /regex/, in which \/ is a slash. */
static int take_pattern(const char **line, char **pattern)
{
	const char *end = *line + 1;

	if (**line != '/')
		return -EINVAL;
	while (*end && *end != '/')
		end += *end == '\\' && end[1] ? 2 : 1;
	if (!*end || end == *line + 1)
		return -EINVAL;
	*pattern = strndup(*line + 1, (size_t)(end - *line - 1));
	*line = end + 1;
	return *pattern ? 0 : -ENOMEM;
}

/* Of what follows a backslash: how much was read, 0 when it is nothing. */
static size_t unescape(const char *text, char *byte)
{
	static const char letters[] = "nrtae\\\"", bytes[] = "\n\r\t\a\033\\\"";
	const char *letter = *text ? strchr(letters, *text) : NULL;
	char digits[3] = { 0 };
	uint8_t value;

	if (letter) {
		*byte = bytes[letter - letters];
		return 1;
	}
	if (*text != 'x')
		return 0;
	strncpy(digits, text + 1, 2);
	if (hex_parse(digits, &value, 1))
		return 0;
	*byte = (char)value;
	return *byte ? 3 : 0;
}

static int take_quoted(const char **line, char **text)
{
	const char *from = *line;
	char *to = malloc(strlen(from) + 1);

	if (!to)
		return -ENOMEM;
	*text = to;
	if (*from++ != '"')
		return -EINVAL;
	while (*from && *from != '"') {
		if (*from == '\\') {
			size_t length = unescape(from + 1, to);

			if (!length)
				return -EINVAL;
			from += length + 1;
			to++;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	*line = from + 1;
	return *from && to > *text ? 0 : -EINVAL;
}

static int parse_line(const char *line, struct step_form *form)
{
	int err = 0;

	if (take_word(&line, "at")) {
		err = take_time(&line, &form->at);
	} else if (take_word(&line, "expect")) {
		err = take_pattern(&line, &form->expect);
		take_word(&line, "then");
		if (!err && take_word(&line, "after"))
			err = take_time(&line, &form->after);
	}
	if (!err && !take_word(&line, "send"))
		err = -EINVAL;
	if (!err)
		err = take_quoted(&line, &form->send);
	if (err)
		return err;
	skip_blanks(&line);
	return *line ? -EINVAL : 0;
}

static int read_line(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		     struct step_form *form)
{
	char quote[LAB_QUOTE], advice[LAB_ADVICE];
	auto_free char *line = NULL;
	const char *text;
	int err = lab_scalar(reader, node, key->name, line_right, &text);

	if (err)
		return err;
	line = lab_number_text(reader, text);
	err = line ? parse_line(line, form) : -ENOMEM;
	if (err == -ENOMEM)
		return lab_out_of_memory(reader);
	snprintf(advice, sizeof(advice), "expected %s", line_right);
	if (err)
		return lab_error(reader, node, advice, "invalid console step '%s'",
				 lab_quote(text, quote));
	return form->expect ? lab_check_pattern(reader, node, form->expect) : 0;
}

/* ---- The script ----------------------------------------------------------------------------- */

static int read_step(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		     struct console_step *step)
{
	struct step_form form = { 0 };
	int err = node->type == YAML_MAPPING_NODE ? read_mapping(reader, node, &form)
						  : read_line(reader, key, node, &form);

	if (err) {
		free(form.expect);
		free(form.send);
		return err;
	}
	*step = (struct console_step){ .expect = form.expect,
				       .at = form.expect ? form.after : form.at,
				       .text = form.send };
	return 0;
}

static int read_script(struct lab_reader *reader, const struct lab_key *key,
		       const yaml_node_t *node, void *field)
{
	struct console_step **steps = field;
	size_t count;
	int err;

	if (lab_is_null(node))
		return 0;
	err = lab_list(reader, node, key->name, false, &count);
	if (err)
		return err;
	*steps = calloc(count + 1, sizeof(**steps));
	if (!*steps)
		return lab_out_of_memory(reader);
	for (size_t i = 0; !err && i < count; i++)
		err = read_step(reader, key, lab_item(reader, node, i), &(*steps)[i]);
	return err;
}

const struct lab_type lab_type_script = { "a list of steps", read_script, NULL, NULL };
