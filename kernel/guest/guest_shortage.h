/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shortages of the host that a guest's kernel reports on its console. System calls of the kernel
 * are not recorded: a run in which one fails for lack of a host resource, or in which the host
 * kills a process of the guest, cannot be replayed.
 */
#ifndef TTREC_GUEST_SHORTAGE_H
#define TTREC_GUEST_SHORTAGE_H

#include <stddef.h>

#include "format/base/diagnosis.h"

/*
 * The first such line among @size bytes of console output at @text: *@at is where it begins.
 * Returns a negative errno: -EAGAIN, processes were short; -ENOMEM; -ESRCH, a process was killed;
 * or 0 without such a line.
 */
int guest_shortage_find(const char *text, size_t size, size_t *at);

/*
 * The diagnosis of @error, which guest_shortage_find() returned for the guest @name: @when it was,
 * "at t=1.5 s". Returns @error.
 */
int guest_shortage_diagnose(int error, const char *name, const char *when, struct diagnosis *why);

/* The hint where the host may have killed a process of a guest. */
#define GUEST_KILLED_HINT                                                                      \
	"see whether this machine was out of memory (its kernel's log, dmesg), or who killed " \
	"it"

#endif
