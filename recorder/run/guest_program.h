/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `ttrec run PROGRAM`: packs a program of this machine into an initial file system for a guest, and
 * finds the kernel that it runs on. What packs is kernel/uml/make-initramfs.sh, what finds is
 * kernel/uml/build-uml.sh; both are beside the commands (libexec).
 */
#ifndef TTREC_GUEST_PROGRAM_H
#define TTREC_GUEST_PROGRAM_H

#include "recorder/run/run_options.h"

/*
 * If the first word of @options->kernel names a program, a script or a directory with one, and no
 * kernel: pack it, and make @options those of the guest that runs it. Else nothing is changed.
 */
int guest_program_prepare(struct run_options *options, struct diagnosis *why);

/* What that holds. */
void guest_program_release(struct run_options *options);

/*
 * What the first word of @options->kernel names, a program or a directory with one, with the files
 * of --add, into @options->packed.
 */
int guest_pack(struct run_options *options, bool is_directory, struct diagnosis *why);

#endif
