// SPDX-License-Identifier: BSD-3-Clause
/* The command line of a command, read by argp. */
#include "format/base/command_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/diagnosis.h"
#include "format/base/units.h"
#include "format/base/words.h"

void command_line_parse(const struct argp *argp, int argc, char **argv, unsigned int flags,
			void *input)
{
	error_t err = argp_parse(argp, argc, argv, flags, NULL, input);

	if (!err)
		return;
	fprintf(stderr, "%s: cannot read the command line: %s\n", argv[0], strerror(err));
	exit(EXIT_CANNOT);
}

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

uint64_t option_time(const char *text, const char *option, struct argp_state *state)
{
	uint64_t ns = 0;

	if (duration_parse(text, &ns))
		argp_error(state, "invalid %s '%s': expected e.g. 10s, 1.5ms, 100us or 2m", option,
			   text);
	return ns;
}

uint64_t option_size(const char *text, const char *option, struct argp_state *state)
{
	uint64_t bytes = 0;

	if (size_parse(text, &bytes) || !bytes)
		argp_error(state, "invalid %s '%s': expected a size such as 512M or 4G", option,
			   text);
	return bytes;
}

int option_choice(const char *text, const char *option, const char *const *names,
		  struct argp_state *state)
{
	char expected[64] = "";

	for (int i = 0; names[i]; i++) {
		if (!strcmp(text, names[i]))
			return i;
		strcat(strcat(expected, !i ? "" : names[i + 1] ? ", " : " or "), names[i]);
	}
	argp_error(state, "invalid %s '%s': expected %s", option, text, expected);
	return 0;
}

void option_add(const char **list, size_t most, const char *text, const char *option,
		struct argp_state *state)
{
	if (!words_add(list, most, text))
		argp_error(state, "%s: given more than %zu times", option, most);
}
