// SPDX-License-Identifier: BSD-3-Clause
/* The command line of a command: tables of options, read by argp. */
#include "format/base/command_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/diagnosis.h"
#include "format/base/units.h"
#include "format/base/words.h"

/* The key of an option without a letter is its place in the tables, after all letters. */
#define KEY_FIRST 0x100

struct parsing {
	const struct command_line *command;
	void *input;
};

/* ---- Values of options ----------------------------------------------------------------------- */

uint64_t option_number(const char *text, const char *option, uint64_t max, struct argp_state *state)
{
	unsigned int base = !strncmp(text, "0x", 2) ? 16 : 10;
	uint64_t value = 0;
	int err = number_parse(base == 16 ? text + 2 : text, base, max, &value);

	if (err == -ERANGE)
		argp_error(state, "invalid %s '%s': expected at most %" PRIu64, option, text, max);
	else if (err)
		argp_error(state, "invalid %s '%s': expected a whole number", option, text);
	return value;
}

static uint64_t read_number(const struct option_row *row, const char *text, const char *option,
			    struct argp_state *state)
{
	uint64_t most = row->most ?: row->size == sizeof(uint32_t) ? UINT32_MAX : UINT64_MAX;
	uint64_t value = option_number(text, option, most, state);

	if (value < row->least)
		argp_error(state, "invalid %s '%s': expected at least %" PRIu64, option, text,
			   row->least);
	return value;
}

static uint64_t read_time(const char *text, const char *option, struct argp_state *state)
{
	uint64_t ns = 0;

	if (duration_parse(text, &ns))
		argp_error(state, "invalid %s '%s': expected e.g. 10s, 1.5ms, 100us or 2m", option,
			   text);
	return ns;
}

static uint64_t read_size(const char *text, const char *option, struct argp_state *state)
{
	uint64_t bytes = 0;

	if (size_parse(text, &bytes) || !bytes)
		argp_error(state, "invalid %s '%s': expected a size such as 512M or 4G", option,
			   text);
	return bytes;
}

static uint64_t read_choice(const struct option_row *row, const char *text, const char *option,
			    struct argp_state *state)
{
	const char *const *names = row->names;
	char expected[64] = "";

	for (int i = 0; names[i]; i++) {
		if (!strcmp(text, names[i]))
			return row->least + (unsigned int)i;
		strcat(strcat(expected, !i ? "" : names[i + 1] ? ", " : " or "), names[i]);
	}
	argp_error(state, "invalid %s '%s': expected %s", option, text, expected);
	return 0;
}

static void add_word(const struct option_row *row, const char **list, const char *text,
		     const char *option, struct argp_state *state)
{
	size_t most = row->size / sizeof(*list) - 1;

	if (!words_add(list, most, text))
		argp_error(state, "%s: given more than %zu times", option, most);
}

static void store_number(void *field, size_t size, uint64_t value)
{
	if (size == sizeof(uint32_t))
		*(uint32_t *)field = (uint32_t)value;
	else
		*(uint64_t *)field = value;
}

static void take_option(const struct option_row *row, char *input, char *text,
			struct argp_state *state)
{
	void *field = input + row->field;
	char option[40];

	snprintf(option, sizeof(option), "--%s", row->name);
	if (row->given)
		*(bool *)(input + row->given) = true;
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		break;
	case OPTION_TEXT:
		*(const char **)field = text;
		break;
	case OPTION_NUMBER:
		store_number(field, row->size, read_number(row, text, option, state));
		break;
	case OPTION_TIME:
		store_number(field, row->size, read_time(text, option, state));
		break;
	case OPTION_SIZE:
		store_number(field, row->size, read_size(text, option, state));
		break;
	case OPTION_CHOICE:
		store_number(field, row->size, read_choice(row, text, option, state));
		break;
	case OPTION_LIST:
		add_word(row, field, text, option, state);
		break;
	case OPTION_CALL:
		row->take(text, input, state);
		break;
	case OPTION_HEADING:
	case OPTION_OTHER:
		break;
	}
}

/* ---- The other words ------------------------------------------------------------------------- */

static void take_argument(const struct parsing *parsing, char *text, struct argp_state *state)
{
	const struct command_line *command = parsing->command;

	if (command->take)
		command->take(text, parsing->input, state);
	else if (!command->most)
		argp_error(state, "unexpected argument '%s'", text);
	else if (state->arg_num >= command->most)
		argp_error(state, "%s", command->excess ?: "more than one trace given");
	else
		*(const char **)((char *)parsing->input + command->argument[state->arg_num]) = text;
}

static void check_end(const struct parsing *parsing, struct argp_state *state)
{
	if (state->arg_num < parsing->command->least)
		argp_error(state, "%s", parsing->command->missing ?: "missing trace file");
	if (parsing->command->check)
		parsing->command->check(parsing->input, state);
}

/* ---- argp ------------------------------------------------------------------------------------ */

static bool is_end(const struct option_row *row)
{
	return !row->name && !row->doc;
}

/* The next row of @command, from its first on; *@table is the one it is of. NULL: that was all. */
static const struct option_row *next_row(const struct command_line *command,
					 const struct option_row *row,
					 const struct option_table **table)
{
	if (!row)
		*table = command->table;
	row = row ? row + 1 : (*table)->rows;
	while (row && is_end(row))
		row = ++*table < command->table + COMMAND_TABLES ? (*table)->rows : NULL;
	return row;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	const struct parsing *parsing = state->input;
	const struct option_table *table;
	int place = KEY_FIRST;

	if (key == ARGP_KEY_ARG)
		take_argument(parsing, text, state);
	else if (key == ARGP_KEY_END)
		check_end(parsing, state);
	if (key == ARGP_KEY_ARG || key == ARGP_KEY_END)
		return 0;
	for (const struct option_row *row = next_row(parsing->command, NULL, &table); row;
	     row = next_row(parsing->command, row, &table), place++) {
		if (row->name && key == (row->letter ?: place)) {
			take_option(row, (char *)parsing->input + table->base, text, state);
			return 0;
		}
	}
	return ARGP_ERR_UNKNOWN;
}

/* The rows as argp has them, with an empty option at the end; malloc'ed. NULL: out of memory. */
static struct argp_option *list_options(const struct command_line *command)
{
	const struct option_table *table;
	struct argp_option *list;
	size_t count = 0;

	for (const struct option_row *row = next_row(command, NULL, &table); row;
	     row = next_row(command, row, &table))
		count++;
	list = calloc(count + 1, sizeof(*list));
	count = 0;
	for (const struct option_row *row = next_row(command, NULL, &table); row && list;
	     row = next_row(command, row, &table), count++) {
		bool other = row->kind == OPTION_OTHER;

		list[count] = (struct argp_option){
			.name = row->name,
			.key = !row->name || other ? 0 : row->letter ?: KEY_FIRST + (int)count,
			.arg = row->value,
			.flags = other ? OPTION_ALIAS | OPTION_HIDDEN : 0,
			.doc = row->doc,
			.group = row->group,
		};
	}
	return list;
}

void command_line_parse(const struct command_line *command, int argc, char **argv, void *input)
{
	auto_free struct argp_option *options = list_options(command);
	struct argp argp = {
		/* The help of an empty list leaks (glibc, argp/argp-help.c, hol_free). */
		.options = options && (options->name || options->doc) ? options : NULL,
		.parser = parse,
		.args_doc = command->usage,
		.doc = command->doc,
		.help_filter = command->help,
	};
	struct parsing parsing = { command, input };
	error_t err =
		options ? argp_parse(&argp, argc, argv, command->flags, NULL, &parsing) : ENOMEM;

	if (!err)
		return;
	fprintf(stderr, "%s: cannot read the command line: %s\n", argv[0], strerror(err));
	exit(EXIT_CANNOT);
}

bool command_line_has(const struct argp_state *state, const char *word)
{
	const struct command_line *command = ((const struct parsing *)state->input)->command;
	const struct option_table *table;

	for (const struct option_row *row = next_row(command, NULL, &table); row;
	     row = next_row(command, row, &table)) {
		size_t length = row->name ? strlen(row->name) : 0;

		if (length && !strncmp(word, "--", 2) && !strncmp(word + 2, row->name, length) &&
		    (!word[2 + length] || word[2 + length] == '='))
			return true;
		if (word[0] == '-' && word[1] && word[1] == row->letter && !word[2])
			return true;
	}
	return false;
}
