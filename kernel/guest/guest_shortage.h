/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the host refused a guest's kernel, as that reports it on its console. The system calls of a
 * kernel are no records: a run in which one of them fails for a shortage of the host is no run of
 * that guest, and cannot be replayed.
 */
#ifndef TTREC_GUEST_SHORTAGE_H
#define TTREC_GUEST_SHORTAGE_H

#include <stddef.h>

/*
 * The first such line among @size bytes of console output at @text: *@at is where it begins.
 * Returns what was short, a negative errno (-EAGAIN: processes, -ENOMEM), or 0 without such a line.
 */
int guest_shortage_find(const char *text, size_t size, size_t *at);

/* "a process": what could not be had when guest_shortage_find() returned @error. */
const char *guest_shortage_text(int error);

#endif
