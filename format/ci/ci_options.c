// SPDX-License-Identifier: BSD-3-Clause
/* The options about CI of every command that has them. */
#include "format/ci/ci_options.h"

static const char *const names[] = { "github", "gitlab", NULL };

const struct option_row ci_rows[] = {
	{ "ci", 0, "github|gitlab", "report failures in the format of this CI", 6, OPTION_CHOICE,
	  OPTION_FIELD(struct ci_options, service), .least = CI_GITHUB, .names = names },
	{ "junit", 0, "FILE", "write results as JUnit XML", 6, OPTION_TEXT,
	  OPTION_FIELD(struct ci_options, junit) },
	{ 0 },
};

const char *ci_service_name(enum ci_service service)
{
	return service ? names[service - CI_GITHUB] : NULL;
}

bool ci_wanted(const struct ci_options *options)
{
	return options->service || options->junit;
}
