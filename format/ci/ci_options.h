/* SPDX-License-Identifier: BSD-3-Clause */
/* The CI options of all commands: a child of a command's argp table. */
#ifndef TTREC_CI_OPTIONS_H
#define TTREC_CI_OPTIONS_H

#include <argp.h>
#include <stdbool.h>

enum ci_service { CI_NONE, CI_GITHUB, CI_GITLAB };

#define CI_TOKEN 40

struct ci_options {
	enum ci_service service;
	const char *junit;    /* path; NULL */
	char token[CI_TOKEN]; /* that gives commands back their meaning; empty: they have it */
};

/* Its input is a struct ci_options, zeroed. */
extern const struct argp ci_argp;

/* What --ci takes: "github"; NULL for CI_NONE. */
const char *ci_service_name(enum ci_service service);

/* Is anything asked for? */
bool ci_wanted(const struct ci_options *options);

#endif
