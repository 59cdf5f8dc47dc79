/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a guest's FUSE requests must look like before anything else reads them.
 *
 * Source: include/uapi/linux/fuse.h, Linux 5.10 to 7.2 (protocol 7.31 and later).
 */
#ifndef TTREC_SHARE_REQUEST_H
#define TTREC_SHARE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a request and of an answer: 1 MiB of data and what comes around it. */
#define SHARE_DATA_MAX	  (1u << 20)
#define SHARE_MESSAGE_MAX (SHARE_DATA_MAX + 8192u)

/* Bytes behind a request that are read as if they were zeros of it. */
#define SHARE_PADDING 64u

#define SHARE_PROBLEM_TEXT 120

struct share_request {
	uint32_t opcode;
	uint64_t unique, node;
	bool known;    /* else the answer is ENOSYS */
	bool answered; /* FORGET is not */
	size_t data;   /* bytes that it asks for */
};

/*
 * Check @size bytes, all that the guest sent. Every string in them ends within them, and every
 * count and size in them is true. 0, or -EBADMSG with @problem.
 */
int share_request_check(const void *data, size_t size, struct share_request *request,
			char problem[SHARE_PROBLEM_TEXT]);

#endif
