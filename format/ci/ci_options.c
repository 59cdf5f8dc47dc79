// SPDX-License-Identifier: BSD-3-Clause
/* The options about CI of every command that has them. */
#include "format/ci/ci_options.h"

#include <string.h>

#include "format/base/cleanup.h"

/* Apart from the keys of any command. */
enum option_key { KEY_CI = 0x1000, KEY_JUNIT };

static const struct argp_option table[] = {
	{ "ci", KEY_CI, "github|gitlab", 0, "report failures in the format of this CI", 6 },
	{ "junit", KEY_JUNIT, "FILE", 0, "write results as JUnit XML", 6 },
	{ 0 },
};

static const char *const names[] = { [CI_GITHUB] = "github", [CI_GITLAB] = "gitlab" };

const char *ci_service_name(enum ci_service service)
{
	return names[service];
}

static enum ci_service parse_service(const char *text, struct argp_state *state)
{
	for (size_t i = CI_GITHUB; i < ARRAY_SIZE(names); i++)
		if (!strcmp(text, names[i]))
			return (enum ci_service)i;
	argp_error(state, "invalid --ci '%s': expected github or gitlab", text);
	return CI_NONE;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct ci_options *options = state->input;

	switch (key) {
	case KEY_CI:
		options->service = parse_service(text, state);
		return 0;
	case KEY_JUNIT:
		options->junit = text;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp ci_argp = { .options = table, .parser = parse };

bool ci_wanted(const struct ci_options *options)
{
	return options->service || options->junit;
}
