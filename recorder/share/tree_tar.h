/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tree of a tar archive, such as `docker export` or `podman export` writes, compressed or not
 * (gzip, bzip2, xz, zstd, lz4). It is read once, by libarchive; contents go into a file without a
 * name, so the archive is not needed any more.
 *
 * Owners, modes, times, device nodes, symbolic links and hard links are those of the archive;
 * extended attributes are left out. "./" and "/" in front of names are removed. Of several entries
 * with one name the last counts, as for tar. Refused, with the name of the entry: "..", names that
 * lead through a symbolic link or a file, hard links to what is not there, an archive that ends
 * early.
 */
#ifndef TTREC_TREE_TAR_H
#define TTREC_TREE_TAR_H

#include <stdbool.h>

#include "format/base/diagnosis.h"
#include "recorder/share/tree.h"

/* 0, or -errno with @why if it is the archive's. */
int tree_tar_open(const char *path, struct tree **tree, struct diagnosis *why);

/* Does it begin like one? */
bool tree_tar_probe(const char *path);

#endif
