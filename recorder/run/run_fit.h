/* SPDX-License-Identifier: BSD-3-Clause */
/* Does what a guest is given fit together? Seen before anything is started. */
#ifndef TTREC_RUN_FIT_H
#define TTREC_RUN_FIT_H

#include "kernel/guest/guest.h"
#include "recorder/lab/lab.h"

/*
 * Diagnoses an initrd that cannot fit into the guest's memory, and a root file system that the
 * kernel does not know. What is not understood is left to the guest. 0 or -EINVAL.
 */
int run_fit_check(const struct lab_guest *lab, const struct guest_spec *spec,
		  struct diagnosis *why);

#endif
