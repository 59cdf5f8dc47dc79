/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads and writes that continue until everything is transferred. */
#ifndef TTREC_TRANSFER_H
#define TTREC_TRANSFER_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Repeat @call, such as write(fd, place, left), for the @size bytes at @data: `place` is where the
 * rest of them begins, `left` their number. Returns 0, -errno, or -EPIPE at the end of a file.
 */
#define transfer_all(data, size, call)                                      \
	({                                                                  \
		uint8_t *place = (uint8_t *)(data);                         \
		size_t left = (size);                                       \
		int transfer_err = 0;                                       \
		while (left && !transfer_err) {                             \
			ssize_t transferred = (call);                       \
			if (transferred < 0)                                \
				transfer_err = errno == EINTR ? 0 : -errno; \
			else if (!transferred)                              \
				transfer_err = -EPIPE;                      \
			place += transferred > 0 ? transferred : 0;         \
			left -= transferred > 0 ? (size_t)transferred : 0;  \
		}                                                           \
		transfer_err;                                               \
	})

#endif
