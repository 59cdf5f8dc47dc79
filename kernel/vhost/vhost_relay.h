/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's side of a vhost-user connection, for an interposer: the guest's messages are passed
 * on to a device program with their descriptors, and the program's answers are read.
 *
 * Nothing that a program sends is trusted. Its own requests (calls) are read with vhost_receive(),
 * from a struct vhost that was opened on the socket which the program was given for them.
 */
#ifndef TTREC_VHOST_RELAY_H
#define TTREC_VHOST_RELAY_H

#include "kernel/vhost/vhost.h"

/*
 * Forward @message. @call_fd >= 0 is passed instead of the message's own descriptor, that of
 * SET_BACKEND_REQ_FD. Ownership of descriptors does not change. 0 or -errno; -EAGAIN: the program's
 * socket is full.
 */
int vhost_forward(int fd, const struct vhost_message *message, int call_fd);

/*
 * Read the reply to @request without blocking for its beginning; for its end at most
 * VHOST_PATIENCE_NS. Returns 1 with @reply filled (it has no descriptors), 0 at the end of the
 * connection, -EAGAIN, another errno of the socket, or -EBADMSG with a sentence in @problem.
 */
int vhost_take_reply(int fd, uint32_t request, struct vhost_message *reply,
		     char problem[VHOST_PROBLEM_TEXT]);

/* Answer a request of the program that asked for it. 0 or -errno. */
int vhost_answer_call(int fd, uint32_t request, uint64_t value);

#endif
