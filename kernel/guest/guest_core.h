/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of a guest as an ELF core, for debuggers: what its process has mapped, with the
 * kernel's text, data and bss, the guest's physical memory and its vmalloc area at the addresses
 * that the kernel knows them by, and the registers of its process.
 *
 * p_paddr of what is physical memory is its physical address, of all else 0.
 */
#ifndef TTREC_GUEST_CORE_H
#define TTREC_GUEST_CORE_H

#include "kernel/guest/guest.h"

/*
 * Write it to a new file @path, sparse where there are zeros. The guest is stopped while it is
 * written, and no other process may debug it. -ESRCH: it has ended.
 */
int guest_write_core(const struct guest *guest, const char *path, struct diagnosis *why);

#endif
