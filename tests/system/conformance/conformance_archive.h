/* SPDX-License-Identifier: BSD-3-Clause */
/* An initial file system that holds nothing but init. */
#ifndef TTREC_CONFORMANCE_ARCHIVE_H
#define TTREC_CONFORMANCE_ARCHIVE_H

/* Write to @image a cpio archive with the program @init as /init. Returns 0 or a negative errno. */
int conformance_archive(const char *image, const char *init);

#endif
