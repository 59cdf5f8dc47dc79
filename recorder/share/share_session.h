/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest's requests to a tree: the FUSE protocol, of which libfuse does the messages.
 *
 * Files are not opened: OPEN and OPENDIR are answered with ENOSYS, which a kernel takes as "there
 * is nothing to be done". So no handles exist, and what is cached in the guest stays valid, because
 * only this guest changes the tree.
 */
#ifndef TTREC_SHARE_SESSION_H
#define TTREC_SHARE_SESSION_H

#include "recorder/share/share_request.h"
#include "recorder/share/tree.h"

struct share_session;

/* The session becomes the owner of @tree. */
int share_session_create(struct tree *tree, bool writable, struct share_session **session);
void share_session_destroy(struct share_session *session);

/*
 * Serve @request of @size bytes, with room for SHARE_PADDING more, at @now: *@answer of
 * *@answer_size bytes, of which there are at most @room, valid until the next call; 0 bytes for a
 * request without an answer. 0, -EBADMSG with @problem for what the guest may not send, or another
 * negative errno: this machine cannot serve it.
 */
int share_session_serve(struct share_session *session, const struct timespec *now, void *request,
			size_t size, size_t room, const void **answer, size_t *answer_size,
			char problem[SHARE_PROBLEM_TEXT]);

#endif
