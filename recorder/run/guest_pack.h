/* SPDX-License-Identifier: BSD-3-Clause */
/* Packs a program, and what it needs, into the initial file system of a guest. */
#ifndef TTREC_GUEST_PACK_H
#define TTREC_GUEST_PACK_H

#include "recorder/run/run_options.h"

/*
 * What the first word of @options->kernel names, a program or a directory with one, with the files
 * of --add, into @options->packed.
 */
int guest_pack(struct run_options *options, bool is_directory, struct diagnosis *why);

#endif
