/* SPDX-License-Identifier: BSD-3-Clause */
/* What a campaign runs, as a hash: what was found with something else does not belong to it. */
#ifndef TTREC_CAMPAIGN_IDENTITY_H
#define TTREC_CAMPAIGN_IDENTITY_H

#include "recorder/lab/lab.h"
#include "recorder/run/run_options.h"

/*
 * Of the lab's text, kernels, initrds and options that change what happens. Disk images are not
 * read, they may be large: their names and sizes count. @lab may be NULL.
 */
int campaign_identity(const struct run_options *options, const struct lab *lab, char identity[17],
		      struct diagnosis *why);

#endif
