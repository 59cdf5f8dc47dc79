/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `ttrec run PROGRAM`: packs a program of this machine into an initial file system for a guest, and
 * finds the kernel that it runs on. What packs is kernel/uml/make-initramfs.sh, what finds is
 * kernel/uml/build-uml.sh; both are beside the commands (libexec).
 */
#ifndef TTREC_GUEST_PROGRAM_H
#define TTREC_GUEST_PROGRAM_H

#include "recorder/run/run_options.h"
#include "format/base/diagnosis.h"

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

/* ---- Scripts that belong to the commands and are beside them, see kernel/uml (guest_script.c) ---
 */

struct script {
	char *path;
	int out_fd; /* gets its standard output */
	char *text; /* what it said to standard error */
};

/* A path beside the commands; the caller frees it. NULL: out of memory. */
char *script_path(const char *name);

/* Returns its exit status, or -errno; also where it could not start one of its commands. */
int script_run(struct script *script, char *const *arguments);

/* What a script says last, "NAME: what" and "  hint: what to do", as a diagnosis. */
int script_failed(const struct script *script, int err, struct diagnosis *why);

/* guest_root.c: the same of `ttrec run --root PATH`. */
int guest_root_prepare(struct run_options *options, struct diagnosis *why);

/* The kernel for a program or a root file system, into options->packed.kernel. */
int guest_find_kernel(struct run_options *options, struct diagnosis *why);

#endif
