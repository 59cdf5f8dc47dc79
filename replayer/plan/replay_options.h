/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of ttreplay. */
#ifndef TTREC_REPLAY_OPTIONS_H
#define TTREC_REPLAY_OPTIONS_H

#include <stdbool.h>

#include "kernel/guest/guest_replace.h"
#include "format/ci/ci_options.h"
#include "replayer/cursor/cursor.h"
#include "replayer/cursor/until.h"

/* So many guests' memories can be written down. */
#define DUMPS_MAX 64

struct replay_dump {
	const char *guest; /* name or number */
	const char *file;
};

/* So many [NAME=]FILE for one part of guests. */
#define REPLACE_MAX 64

#define REPORTS_MAX 8

struct replay_options {
	const char *trace;
	struct cursor_options cursor;
	struct until until; /* becomes cursor.until_record */
	const char *only;   /* names or numbers of guests, with commas; NULL: all */
	const char *replace[GUEST_PARTS][REPLACE_MAX + 1]; /* [NAME=]FILE; each ends with NULL */
	bool console;					   /* show it */
	bool named;		    /* with the guest's name before each line: there are several */
	const char *gdb;	    /* the guest to debug; NULL */
	char *const *gdb_arguments; /* more for gdb, NULL-terminated; NULL */
	struct replay_dump dump[DUMPS_MAX];
	size_t dump_count;
	bool json;
	const char *report[REPORTS_MAX + 1]; /* files of the report; ends with NULL */
	struct ci_options ci;
	bool trust;	    /* run the trace's program even if it cannot be isolated */
	bool continue_live; /* continue live from the recording, with these: */
	const char *output; /* path of the new trace; NULL: ttrec's default */
	const char *disk[REPLACE_MAX + 1]; /* [NAME[:N]=]FILE; ends with NULL */
	bool hang_timeout_given;
	bool max_memory_given;
	uint64_t max_memory; /* bytes for all guests together and their files */
	uint64_t max_disk;   /* bytes that may be written to file systems; 0: what is free */
	uint64_t max_cpu;    /* ns of CPU time of each guest; 0: any */
	uint64_t max_wall;   /* ns of wall time; 0: none */
	struct sandbox_groups *groups; /* control groups for their sandboxes */
};

/* Parse; on a usage error prints it and exits with EXIT_USAGE, as argp does. */
void replay_options_parse(int argc, char **argv, struct replay_options *options);

#endif
