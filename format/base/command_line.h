/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of a command: tables of options, read by argp. */
#ifndef TTREC_COMMAND_LINE_H
#define TTREC_COMMAND_LINE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the value of an option is read, and the type of the field that it is stored in. */
enum option_kind {
	OPTION_HEADING, /* no option: @doc is a line of the help */
	OPTION_OTHER,	/* @name is a hidden other name of the option before */
	OPTION_FLAG,	/* bool, which becomes true */
	OPTION_TEXT,	/* const char * */
	OPTION_NUMBER,	/* uint32_t or uint64_t: a whole number, decimal or with 0x */
	OPTION_TIME,	/* uint64_t: a duration in ns */
	OPTION_SIZE,	/* uint64_t: a size above 0, in bytes */
	OPTION_CHOICE,	/* an enum: one of @names */
	OPTION_LIST, /* an array of const char *, which keeps a NULL at its end: can be repeated */
	OPTION_CALL, /* interpreted by @take */
};

/* Store the value @text, or NULL, in @input. Reports an invalid one by argp_error(). */
typedef void option_take(char *text, void *input, struct argp_state *state);

struct option_row {
	const char *name;
	int letter;	   /* -o; 0: none */
	const char *value; /* its name in the help; NULL: the option has no value */
	const char *doc;
	int group; /* of the help */
	enum option_kind kind;
	size_t field, size;	  /* of the field, in the input of the command: OPTION_FIELD() */
	size_t given;		  /* the offset of a bool that is set, too; 0: none */
	uint64_t least;		  /* of a number; the value of the first choice */
	uint64_t most;		  /* of a number; 0: the largest that the field can hold */
	const char *const *names; /* ends with NULL */
	option_take *take;
};

#define OPTION_FIELD(type, member) \
	.field = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* The rows of options that several commands have are a table of their own; ends without a name. */
struct option_table {
	const struct option_row *rows;
	size_t base; /* the offset in the input of the struct with the fields */
};

#define COMMAND_TABLES	  7
#define COMMAND_ARGUMENTS 2

struct command_line {
	const char *usage, *doc; /* args_doc and doc of struct argp */
	struct option_table table[COMMAND_TABLES];
	/*
	 * Words that are not options: each is stored in the const char * at this offset, and the
	 * first @least are required; or @take gets each of them.
	 */
	unsigned int least, most;
	size_t argument[COMMAND_ARGUMENTS];
	const char *missing, *excess; /* NULL: of a trace */
	option_take *take;
	void (*check)(void *input, struct argp_state *state);  /* at the end; NULL */
	char *(*help)(int key, const char *text, void *input); /* the help_filter; NULL */
	unsigned int flags;				       /* of argp_parse() */
};

/*
 * Parse into @input. A usage error is printed and ends the process with EXIT_USAGE, lack of memory
 * with EXIT_CANNOT: options that were not parsed must not be taken as not given.
 */
void command_line_parse(const struct command_line *command, int argc, char **argv, void *input);

/*
 * Whether @word is an option of the parsed command, alone or followed by "=" and a value. For an
 * option_take.
 */
bool command_line_has(const struct argp_state *state, const char *word);

/*
 * Parse the whole number @text, at most @max, the value of @option ("--seed"), for options that
 * also take other values.
 */
uint64_t option_number(const char *text, const char *option, uint64_t max,
		       struct argp_state *state);

#endif
