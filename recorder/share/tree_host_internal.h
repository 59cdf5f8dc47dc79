/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the parts of a tree of the host: its directories, its files, and what is written to them.
 */
#ifndef TTREC_TREE_HOST_INTERNAL_H
#define TTREC_TREE_HOST_INTERNAL_H

#include <limits.h>

#include "recorder/share/tree_host.h"
#include "recorder/share/tree_internal.h"

/* Files that are kept open: those that were used last. */
#define OPEN_MAX_FILES 16

struct open_file {
	const struct tree_node *node;
	int fd;
	uint64_t used; /* at which count of uses */
};

struct tree_host {
	int fd; /* of the directory */
	uid_t uid;
	gid_t gid;
	bool writes; /* changes of the tree go to its files */
	struct open_file file[OPEN_MAX_FILES];
	uint64_t reads;
	void *inodes; /* tsearch(3) */
	tree_report *report;
	void *user;
};

/* ---- tree_host_file.c ----------------------------------------------------------------------- */

/* The path below the share's directory. 0 or -ENAMETOOLONG. */
int tree_host_path(const struct tree_path *path, char text[PATH_MAX]);
/* Below the directory, whatever others do to it meanwhile. A descriptor or -errno. */
int tree_host_open_beneath(const struct tree_host *host, const struct tree_path *path, int flags);
/* An error of a source, as the guest gets it. What this machine lacks is not the guest's. */
int tree_host_error(int err);
/* Once for a node. */
void tree_host_report(const struct tree_host *host, struct tree_node *node, const char *what);
/* A descriptor that stays the host's, valid until the next call; 0 or -errno. */
int tree_host_open_file(struct tree_host *host, struct tree_node *node, int *fd);

#endif
