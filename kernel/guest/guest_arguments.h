/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of a UML kernel: the user's arguments, those of the sandbox, and those that are
 * refused because they would break determinism.
 */
#ifndef TTREC_GUEST_ARGUMENTS_H
#define TTREC_GUEST_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/base/diagnosis.h"
#include "kernel/image/image.h"

/* Interfaces that are not recorded. Refused by name; `--allow NAME` accepts a run that may not
 * replay. */
struct refused_argument {
	const char *name; /* what --allow takes */
	const char *why;
	const char *instead;
};

struct guest_device;

struct guest_arguments_options {
	char *const *user;		   /* the kernel's arguments as given, NULL-terminated */
	const char *const *allow;	   /* names from --allow, NULL-terminated; may be NULL */
	uint64_t id;			   /* of this guest for the scheduler */
	const struct guest_device *device; /* what it finds at its device sockets */
	size_t device_count;
	const char
		*work_cost; /* see guest_patches.h; passed to kernels that support it. NULL: off */
	bool work_cost_given; /* given by the user: a kernel without support is refused */
};

/*
 * Refuse what of @user, NULL-terminated, breaks determinism or is ttrec's to set, all of it at
 * once.
 * @allow: as above. 0 or -EINVAL.
 */
int guest_arguments_check(char *const *user, const char *const *allow, struct diagnosis *why);

/*
 * Build the guest's argv in *@arguments (free with guest_arguments_free): "linux", the user's
 * arguments with the initrd brought into the sandbox (its content is added to @files), a console
 * that is captured unless the user chose one, umid, its devices and the time-travel socket.
 * *@host_files is set when an allowed argument names files of the host.
 */
int guest_arguments_build(const struct guest_arguments_options *options, struct image_files *files,
			  char ***arguments, bool *host_files, struct diagnosis *why);
void guest_arguments_free(char **arguments);

/*
 * The unrecorded, allowed interface that a guest's @argument opens; NULL if it opens none, or a
 * device of the recorder.
 */
const struct refused_argument *guest_argument_allowed(const char *argument);

#endif
