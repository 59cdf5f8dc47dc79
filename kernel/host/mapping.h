/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of /proc/PID/maps. */
#ifndef TTREC_MAPPING_H
#define TTREC_MAPPING_H

#include <stdint.h>

struct mapping {
	uint64_t begin, end, offset, inode; /* inode 0: of no file */
	char permissions[5];		    /* "rw-s" */
};

/* Ignores what follows the inode number. Returns 0 or -EBADMSG. */
int mapping_parse(const char *line, struct mapping *mapping);

#endif
