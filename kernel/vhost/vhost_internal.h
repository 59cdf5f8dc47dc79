/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the two halves of a vhost-user connection: messages, and the state they set up. */
#ifndef TTREC_VHOST_INTERNAL_H
#define TTREC_VHOST_INTERNAL_H

#include "kernel/vhost/vhost.h"

/* The body of messages about one vring. */
struct vhost_vring_state {
	uint32_t index;
	uint32_t number;
};

/* Note the sentence in vhost->problem; returns -EBADMSG. */
__attribute__((format(printf, 2, 3))) int vhost_refuse(struct vhost *vhost, const char *format,
						       ...);

#endif
