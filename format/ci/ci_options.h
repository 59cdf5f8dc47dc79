/* SPDX-License-Identifier: BSD-3-Clause */
/* The CI options of all commands: a table of a command line. */
#ifndef TTREC_CI_OPTIONS_H
#define TTREC_CI_OPTIONS_H

#include <stdbool.h>

#include "format/base/command_line.h"

enum ci_service { CI_NONE, CI_GITHUB, CI_GITLAB };

#define CI_TOKEN 40

struct ci_options {
	enum ci_service service;
	const char *junit;    /* path; NULL */
	char token[CI_TOKEN]; /* that gives commands back their meaning; empty: they have it */
};

/* The fields are of a struct ci_options, zeroed. */
extern const struct option_row ci_rows[];

/* What --ci takes: "github"; NULL for CI_NONE. */
const char *ci_service_name(enum ci_service service);

/* Whether any report is requested. */
bool ci_wanted(const struct ci_options *options);

#endif
