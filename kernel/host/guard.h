/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mapped files that another process may truncate: reading the missing part gives zeros instead of
 * killing the program.
 *
 * A guest's memory is a file that the guest controls. guard_add()
 * installs a handler of SIGBUS for the whole process, if it is not installed. For an address in a
 * guarded mapping it maps a page of zeros there and records that; anything else goes to the
 * previous handler. A system call that is given such an address fails with EFAULT instead.
 */
#ifndef TTREC_GUARD_H
#define TTREC_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Guard the mapping of @size bytes at @data (as returned by mmap). Thread-safe. Returns 0, -ENOSPC
 * if there are too many, or the error of sigaction.
 */
int guard_add(void *data, size_t size);

/* Call it before unmapping. Ignores a mapping that was not added. */
void guard_remove(const void *data);

/* Whether an access to the mapping at @data hit a part that is gone. */
bool guard_is_lost(const void *data);

/* The same for any mapping since the program started. */
bool guard_any_lost(void);

#endif
