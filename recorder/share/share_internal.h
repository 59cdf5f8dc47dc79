/* SPDX-License-Identifier: BSD-3-Clause */
/* Between a session and its operations. */
#ifndef TTREC_SHARE_INTERNAL_H
#define TTREC_SHARE_INTERNAL_H

#define FUSE_USE_VERSION 35

#include <fuse_lowlevel.h>
#include <linux/fuse.h>

#include "recorder/share/share_session.h"

struct share_session {
	struct fuse_session *fuse;
	struct tree *tree;
	bool writable;
	bool begun; /* INIT was served */
	struct timespec now;
	int failed; /* this machine could not serve a request: -errno */
	size_t answer_size;
	uint8_t answer[SHARE_MESSAGE_MAX]; /* operations put data behind the header */
};

extern const struct fuse_lowlevel_ops share_operations;

static inline struct share_session *share_session_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/* Where an operation that reads puts its data. */
static inline uint8_t *share_answer_data(struct share_session *session)
{
	return session->answer + sizeof(struct fuse_out_header);
}

/* ---- Answers (share_operations.c) ----------------------------------------------------------- */

/* @err: 0 or -errno. Lack of memory is this machine's, and ends more than the request. */
void share_reply(fuse_req_t req, int err);
void share_reply_attr(fuse_req_t req, const struct tree_node *node);
/* The guest holds the node once more. */
void share_reply_entry(fuse_req_t req, struct tree_node *node);
/* NULL: not found, which was answered. */
struct tree_node *share_node(fuse_req_t req, fuse_ino_t number);

/* ---- Operations that change the tree (share_changes.c) -------------------------------------- */

void share_setattr(fuse_req_t req, fuse_ino_t number, struct stat *attr, int set,
		   struct fuse_file_info *file);
void share_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void share_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void share_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void share_link(fuse_req_t req, fuse_ino_t number, fuse_ino_t parent, const char *name);
void share_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void share_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void share_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		  const char *new_name, unsigned int flags);
void share_write(fuse_req_t req, fuse_ino_t number, const char *data, size_t size, off_t offset,
		 struct fuse_file_info *file);
void share_fallocate(fuse_req_t req, fuse_ino_t number, int mode, off_t offset, off_t length,
		     struct fuse_file_info *file);

#endif
