/* SPDX-License-Identifier: BSD-3-Clause */
/* The devices and networks of a lab that is being set up. */
#ifndef TTREC_RUN_DEVICES_H
#define TTREC_RUN_DEVICES_H

#include "recorder/run/run_lab.h"

/* Make networks, their ports, and every guest's devices, and describe the latter in its spec. */
int run_devices_create(const struct run_options *options, struct run_lab *lab,
		       struct diagnosis *why);

void run_devices_destroy(struct run_guest *guest);
void run_networks_destroy(struct run_lab *lab);

#endif
