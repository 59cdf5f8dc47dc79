/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tree of a directory of the host, which is read as it is used.
 *
 * Nothing outside of the directory is reached: symbolic links are nodes of the tree and are not
 * followed. Files of the user who runs this belong to root in the tree. The time of a file's last
 * access and of its change of status is that of its modification, as the host's own depend on who
 * looked at it when.
 */
#ifndef TTREC_TREE_HOST_H
#define TTREC_TREE_HOST_H

#include "recorder/share/tree.h"

/* A directory or file that the tree was read from is not what it was, or cannot be read. */
typedef void tree_report(void *user, const char *path, const char *what);

/*
 * @through: what is changed in the tree is changed in the directory, too, as far as the user may.
 * 0 or -errno: -ENOTDIR, -EACCES, ...
 */
int tree_host_open(const char *path, bool through, struct tree **tree);

/* Have @report called with @user; each file is reported once. */
void tree_host_set_report(struct tree *tree, tree_report *report, void *user);

#endif
