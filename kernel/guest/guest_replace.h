/* SPDX-License-Identifier: BSD-3-Clause */
/* Recorded guests with another kernel or initrd than they had: to see what these change. */
#ifndef TTREC_GUEST_REPLACE_H
#define TTREC_GUEST_REPLACE_H

#include "kernel/guest/guest.h"

enum guest_part { GUEST_KERNEL, GUEST_INITRD, GUEST_PARTS };

/* "kernel", "initrd": also the name of the option that replaces it. */
const char *guest_part_name(enum guest_part part);

/* "another kernel", "another kernel and initrd" of a guest; "" when nothing was replaced. */
#define GUEST_REPLACED_TEXT 48
const char *guest_replaced_text(const struct guest_recorded *guest, char text[GUEST_REPLACED_TEXT]);

/*
 * Replace @part as given in @text, "[NAME=]FILE": that of the guest with this name, or of all
 * guests that have one, which must then be the same. The guests were read with their files. A
 * kernel comes with the libraries that it needs on this machine. guest_recorded tells what was
 * replaced.
 */
int guest_specs_replace(struct guest_recorded *guests, size_t count, enum guest_part part,
			const char *text, struct diagnosis *why);

#endif
