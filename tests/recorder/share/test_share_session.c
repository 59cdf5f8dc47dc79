// SPDX-License-Identifier: BSD-3-Clause
/* Requests to a share as a kernel makes them, and as none does. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/share/share_session.h"

#define ROOM (SHARE_DATA_MAX + 4096u)

static const struct tree_attr directory_attr = { .mode = S_IFDIR | 0755 };
static const struct tree_attr file_attr = { .mode = S_IFREG | 0644 };

static struct share_session *session;
static struct tree *tree;
static char problem[SHARE_PROBLEM_TEXT];
static const uint8_t *answer;
static size_t answer_size;

/* A request of these bytes. Returns the error in the answer, 1 without an answer, or the session's.
 */
static int send_bytes(const void *data, size_t size, size_t room)
{
	static const struct timespec now = { .tv_sec = 1000, .tv_nsec = 7 };
	uint8_t *copy = malloc(size + SHARE_PADDING);
	const struct fuse_out_header *header;
	const void *bytes = NULL;
	int err;

	memcpy(copy, data, size);
	*problem = 0;
	err = share_session_serve(session, &now, copy, size, room, &bytes, &answer_size, problem);
	free(copy);
	answer = (const uint8_t *)bytes + sizeof(*header);
	header = bytes;
	if (err)
		return err;
	if (!answer_size)
		return 1;
	assert_int_equal(header->len, answer_size);
	assert_int_equal(header->unique, 99);
	answer_size -= sizeof(*header);
	return header->error;
}

/* @body, then @data: names with a zero byte at their end, or what is written. */
static int ask_data(uint32_t opcode, uint64_t node, const void *body, size_t size, const void *data,
		    size_t data_size)
{
	struct fuse_in_header header = { .opcode = opcode, .unique = 99, .nodeid = node };
	uint8_t *message = calloc(1, sizeof(header) + size + data_size);
	int err;

	header.len = (uint32_t)(sizeof(header) + size + data_size);
	memcpy(message, &header, sizeof(header));
	if (size)
		memcpy(message + sizeof(header), body, size);
	if (data_size)
		memcpy(message + sizeof(header) + size, data, data_size);
	err = send_bytes(message, header.len, ROOM);
	free(message);
	return err;
}

static int ask(uint32_t opcode, uint64_t node, const void *body, size_t size, const char *name)
{
	return ask_data(opcode, node, body, size, name, name ? strlen(name) + 1 : 0);
}

static uint64_t lookup(uint64_t node, const char *name)
{
	assert_int_equal(ask(FUSE_LOOKUP, node, NULL, 0, name), 0);
	assert_int_equal(answer_size, sizeof(struct fuse_entry_out));
	return ((const struct fuse_entry_out *)answer)->nodeid;
}

static int init(void)
{
	const struct fuse_init_in in = {
		.major = 7, .minor = 41, .max_readahead = 131072, .flags = 0x73fffffb
	};

	return ask(FUSE_INIT, 0, &in, sizeof(in), NULL);
}

static void open_session(bool writable)
{
	struct tree_node *dir, *node;

	assert_int_equal(tree_create(&directory_attr, &tree), 0);
	assert_int_equal(tree_add(tree, tree_root(tree), "dir", &directory_attr, NULL, &dir), 0);
	assert_int_equal(tree_add(tree, dir, "file", &file_attr, NULL, &node), 0);
	assert_int_equal(tree_write(tree, node, 0, "content", 7), 0);
	assert_int_equal(share_session_create(tree, writable, &session), 0);
	assert_int_equal(init(), 0);
}

static int open_writable(void **state)
{
	(void)state;
	open_session(true);
	return 0;
}

static int open_read_only(void **state)
{
	(void)state;
	open_session(false);
	return 0;
}

static int close_session(void **state)
{
	(void)state;
	share_session_destroy(session);
	return 0;
}

/* ---- What kernels ask ----------------------------------------------------------------------- */

static void beginning(void **state)
{
	const struct fuse_init_out *out = (const struct fuse_init_out *)answer;

	(void)state;
	assert_int_equal(out->major, 7);
	assert_int_equal(out->max_write, SHARE_DATA_MAX);
	assert_int_equal(out->max_pages, 256);
	/* Nothing to be done at OPEN, and the guest checks permissions and cuts files by SETATTR.
	 */
	assert_int_equal(ask(FUSE_OPEN, 1, &(struct fuse_open_in){ 0 }, 8, NULL), -ENOSYS);
	assert_false(out->flags & (FUSE_ATOMIC_O_TRUNC | FUSE_HANDLE_KILLPRIV | FUSE_POSIX_LOCKS));
	assert_true(out->flags & FUSE_DO_READDIRPLUS);
}

static void reading(void **state)
{
	struct fuse_read_in in = { .size = 4096 };
	uint64_t dir = lookup(1, "dir"), file = lookup(dir, "file");
	const struct fuse_entry_out *entry = (const struct fuse_entry_out *)answer;

	(void)state;
	assert_int_equal(dir, 2);
	assert_int_equal(file, 3);
	assert_int_equal(entry->attr.size, 7);
	assert_int_equal(entry->attr.ino, 3);
	assert_true(entry->entry_valid >= 1000000000 && entry->attr_valid >= 1000000000);
	assert_int_equal(ask(FUSE_READ, file, &in, sizeof(in), NULL), 0);
	assert_int_equal(answer_size, 7);
	assert_memory_equal(answer, "content", 7);
	assert_int_equal(ask(FUSE_READ, dir, &in, sizeof(in), NULL), -EISDIR);
	in.offset = UINT64_MAX;
	assert_int_equal(ask(FUSE_READ, file, &in, sizeof(in), NULL), 0);
	assert_int_equal(answer_size, 0);
	/* A name that is not there is remembered. */
	assert_int_equal(lookup(dir, "nothing"), 0);
	assert_true(((const struct fuse_entry_out *)answer)->entry_valid >= 1000000000);
}

static void listing(void **state)
{
	struct fuse_read_in in = { .size = 4096 };
	const struct fuse_dirent *entry;

	(void)state;
	assert_int_equal(ask(FUSE_READDIR, 1, &in, sizeof(in), NULL), 0);
	entry = (const struct fuse_dirent *)answer;
	assert_int_equal(entry->namelen, 1);
	assert_int_equal(entry->ino, 1);
	/* From the third on. */
	in.offset = 2;
	assert_int_equal(ask(FUSE_READDIR, 1, &in, sizeof(in), NULL), 0);
	entry = (const struct fuse_dirent *)answer;
	assert_memory_equal(entry->name, "dir", 3);
	assert_int_equal(entry->type, S_IFDIR >> 12);
	in.offset = 3;
	assert_int_equal(ask(FUSE_READDIRPLUS, 1, &in, sizeof(in), NULL), 0);
	assert_int_equal(answer_size, 0);
	in = (struct fuse_read_in){ .size = 10 };
	assert_int_equal(ask(FUSE_READDIRPLUS, 1, &in, sizeof(in), NULL), 0);
	assert_int_equal(answer_size, 0);
	assert_int_equal(ask(FUSE_READDIR, lookup(lookup(1, "dir"), "file"), &in, sizeof(in), NULL),
			 -ENOTDIR);
}

static void changing(void **state)
{
	const struct fuse_mknod_in node = { .mode = S_IFCHR | 0600, .rdev = 0x103 };
	const struct fuse_mkdir_in mkdir_in = { .mode = 0700 };
	struct fuse_setattr_in set = { .valid = FATTR_UID | FATTR_MODE | FATTR_MTIME,
				       .uid = 5,
				       .mode = S_IFREG | 04755,
				       .mtime = 77 };
	uint64_t dir = lookup(1, "dir"), file = lookup(dir, "file");
	const struct fuse_rename2_in rename_in = { .newdir = dir, .flags = 4 };
	const struct fuse_attr_out *attr;

	(void)state;
	assert_int_equal(ask(FUSE_MKNOD, 1, &node, sizeof(node), "null"), 0);
	assert_int_equal(((const struct fuse_entry_out *)answer)->attr.rdev, 0x103);
	assert_int_equal(((const struct fuse_entry_out *)answer)->attr.mtime, 1000);
	assert_int_equal(ask(FUSE_MKDIR, dir, &mkdir_in, sizeof(mkdir_in), "sub"), 0);
	assert_int_equal(ask(FUSE_MKDIR, dir, &mkdir_in, sizeof(mkdir_in), "sub"), -EEXIST);
	assert_int_equal(ask(FUSE_SETATTR, file, &set, sizeof(set), NULL), 0);
	attr = (const struct fuse_attr_out *)answer;
	assert_int_equal(attr->attr.uid, 5);
	assert_int_equal(attr->attr.mode, S_IFREG | 04755);
	assert_int_equal(attr->attr.mtime, 77);
	assert_int_equal(attr->attr.ctime, 1000);
	assert_int_equal(ask(FUSE_RMDIR, 1, NULL, 0, "dir"), -ENOTEMPTY);
	assert_int_equal(ask(FUSE_UNLINK, 1, NULL, 0, "dir"), -EISDIR);
	assert_int_equal(ask(FUSE_RMDIR, 1, NULL, 0, "null"), -ENOTDIR);
	/* As overlayfs does it: a device 0:0 is left behind. */
	assert_int_equal(
		ask_data(FUSE_RENAME2, 1, &rename_in, sizeof(rename_in), "null\0moved", 11), 0);
	assert_true(lookup(1, "null") != 0);
	assert_int_equal(((const struct fuse_entry_out *)answer)->attr.rdev, 0);
	assert_int_equal(((const struct fuse_entry_out *)answer)->attr.mode & S_IFMT, S_IFCHR);
	assert_int_equal(ask_data(FUSE_SYMLINK, 1, NULL, 0, "link\0to", 8), 0);
	assert_int_equal(ask(FUSE_READLINK, lookup(1, "link"), NULL, 0, NULL), 0);
	assert_memory_equal(answer, "to", 2);
}

static void writing(void **state)
{
	struct fuse_write_in in = { .size = 3, .offset = 4 };
	const struct fuse_read_in read_in = { .size = 100 };
	uint64_t file = lookup(lookup(1, "dir"), "file");

	(void)state;
	assert_int_equal(ask_data(FUSE_WRITE, file, &in, sizeof(in), "abc", 3), 0);
	assert_int_equal(ask(FUSE_READ, file, &read_in, sizeof(read_in), NULL), 0);
	assert_memory_equal(answer, "contabc", 7);
	in.offset = INT64_MAX;
	assert_int_equal(ask_data(FUSE_WRITE, file, &in, sizeof(in), "abc", 3), -EFBIG);
	in.offset = UINT64_MAX;
	assert_int_equal(ask_data(FUSE_WRITE, file, &in, sizeof(in), "abc", 3), -EFBIG);
}

static void read_only(void **state)
{
	const struct fuse_mkdir_in mkdir_in = { .mode = 0700 };
	const struct fuse_setattr_in set = { .valid = FATTR_UID };
	const struct fuse_write_in in = { .size = 1 };
	uint64_t dir = lookup(1, "dir"), file = lookup(dir, "file");

	(void)state;
	assert_int_equal(ask(FUSE_MKDIR, 1, &mkdir_in, sizeof(mkdir_in), "d"), -EROFS);
	assert_int_equal(ask(FUSE_SETATTR, dir, &set, sizeof(set), NULL), -EROFS);
	assert_int_equal(ask_data(FUSE_WRITE, file, &in, sizeof(in), "x", 1), -EROFS);
	assert_int_equal(ask(FUSE_UNLINK, dir, NULL, 0, "file"), -EROFS);
	assert_int_equal(ask_data(FUSE_RENAME, 1, &dir, 8, "dir\0e", 6), -EROFS);
	assert_int_equal(ask(FUSE_LINK, 1, &file, 8, "e"), -EROFS);
	assert_int_equal(ask_data(FUSE_SYMLINK, 1, NULL, 0, "e\0to", 5), -EROFS);
}

/* What is held after an unmount, or after the driver began anew, is nothing. */
static void mounted_again(void **state)
{
	const struct fuse_forget_in forget = { .nlookup = 1 };
	const struct fuse_mkdir_in mkdir_in = { .mode = 0700 };
	uint64_t sub;

	(void)state;
	assert_int_equal(ask(FUSE_MKDIR, 1, &mkdir_in, sizeof(mkdir_in), "sub"), 0);
	sub = ((const struct fuse_entry_out *)answer)->nodeid;
	assert_int_equal(ask(FUSE_RMDIR, 1, NULL, 0, "sub"), 0);
	assert_int_equal(ask(FUSE_GETATTR, sub, &(struct fuse_getattr_in){ 0 }, 16, NULL), 0);
	assert_int_equal(ask(FUSE_DESTROY, 0, NULL, 0, NULL), 0);
	assert_int_equal(ask(FUSE_STATFS, 1, NULL, 0, NULL), -EIO);
	assert_int_equal(init(), 0);
	assert_int_equal(ask(FUSE_GETATTR, sub, &(struct fuse_getattr_in){ 0 }, 16, NULL), -ESTALE);
	assert_int_equal(init(), 0);
	assert_int_equal(ask(FUSE_FORGET, sub, &forget, sizeof(forget), NULL), 1);
	assert_int_equal(lookup(1, "dir") != 0, 1);
}

/* ---- What none asks ------------------------------------------------------------------------- */

/* Of a node that does not exist: libfuse frees a request when it is answered. */
static void unknown_nodes(void **state)
{
	static const uint8_t zeros[128];
	static const struct {
		uint32_t opcode;
		size_t size;
		const char *name;
		size_t name_size;
	} requests[] = {
		{ FUSE_LOOKUP, 0, "a", 2 },
		{ FUSE_GETATTR, sizeof(struct fuse_getattr_in), NULL, 0 },
		{ FUSE_SETATTR, sizeof(struct fuse_setattr_in), NULL, 0 },
		{ FUSE_READLINK, 0, NULL, 0 },
		{ FUSE_SYMLINK, 0, "a\0b", 4 },
		{ FUSE_MKNOD, sizeof(struct fuse_mknod_in), "a", 2 },
		{ FUSE_MKDIR, sizeof(struct fuse_mkdir_in), "a", 2 },
		{ FUSE_UNLINK, 0, "a", 2 },
		{ FUSE_RENAME, sizeof(struct fuse_rename_in), "a\0b", 4 },
		{ FUSE_RENAME2, sizeof(struct fuse_rename2_in), "a\0b", 4 },
		{ FUSE_LINK, sizeof(struct fuse_link_in), "a", 2 },
		{ FUSE_READ, sizeof(struct fuse_read_in), NULL, 0 },
		{ FUSE_WRITE, sizeof(struct fuse_write_in), NULL, 0 },
		{ FUSE_READDIR, sizeof(struct fuse_read_in), NULL, 0 },
		{ FUSE_READDIRPLUS, sizeof(struct fuse_read_in), NULL, 0 },
		{ FUSE_FALLOCATE, sizeof(struct fuse_fallocate_in), NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		assert_int_equal(ask_data(requests[i].opcode, 12345, zeros, requests[i].size,
					  requests[i].name, requests[i].name_size),
				 -ESTALE);
		/* The same without its last byte, which is part of a number or the end of a name.
		 */
		if (!requests[i].size && !requests[i].name_size)
			continue;
		assert_int_equal(
			requests[i].name_size
				? ask_data(requests[i].opcode, 1, zeros, requests[i].size,
					   requests[i].name, requests[i].name_size - 1)
				: ask(requests[i].opcode, 1, zeros, requests[i].size - 1, NULL),
			-EBADMSG);
		assert_true(*problem);
	}
}

static void wrong_lengths(void **state)
{
	const struct fuse_in_header header = { .len = 40, .opcode = FUSE_STATFS, .unique = 99 };
	const struct fuse_write_in write_in = { .size = 4 };
	const struct fuse_read_in read_in = { .size = SHARE_DATA_MAX + 1 };
	const struct fuse_batch_forget_in forget = { .count = 3 };
	struct fuse_in_header other = header;

	(void)state;
	assert_int_equal(send_bytes(&header, 40, ROOM), 0);
	assert_int_equal(send_bytes(&header, 39, ROOM), -EBADMSG);
	assert_string_equal(problem, "a request of 39 bytes");
	assert_int_equal(send_bytes(&header, 40, 15), -EBADMSG);
	assert_int_equal(send_bytes(&header, 40, 17), -EBADMSG);
	assert_string_equal(problem, "no room for an answer of 96 bytes");
	other.len = 41;
	assert_int_equal(send_bytes(&other, 40, ROOM), -EBADMSG);
	assert_int_equal(ask_data(FUSE_WRITE, 1, &write_in, sizeof(write_in), "abc", 3), -EBADMSG);
	assert_string_equal(problem, "WRITE of 4 bytes has 3");
	assert_int_equal(ask(FUSE_READ, 1, &read_in, sizeof(read_in), NULL), -EBADMSG);
	assert_int_equal(ask_data(FUSE_BATCH_FORGET, 0, &forget, sizeof(forget), &forget, 8),
			 -EBADMSG);
}

static void unknown_requests(void **state)
{
	static const uint8_t zeros[64];

	(void)state;
	for (uint32_t opcode = 55; opcode < 5000; opcode += 7)
		assert_int_equal(ask(opcode, 1, zeros, sizeof(zeros), NULL), -ENOSYS);
	/* Which libfuse would keep for ever. */
	assert_int_equal(ask(FUSE_INTERRUPT, 0, zeros, 8, NULL), -ENOSYS);
	assert_int_equal(ask(FUSE_INIT, 0, zeros, 16, NULL), -EBADMSG);
	assert_string_equal(problem, "FUSE 0.0: expected 7.31 or later");
}

static void before_the_beginning(void **state)
{
	(void)state;
	share_session_destroy(session);
	assert_int_equal(tree_create(&directory_attr, &tree), 0);
	assert_int_equal(share_session_create(tree, true, &session), 0);
	assert_int_equal(ask(FUSE_STATFS, 1, NULL, 0, NULL), -EIO);
	assert_int_equal(ask(FUSE_LOOKUP, 1, NULL, 0, "a"), -EIO);
	assert_int_equal(ask(FUSE_DESTROY, 1, NULL, 0, NULL), -EIO);
}

/* More is forgotten than was given; and it goes on. */
static void forgotten_too_often(void **state)
{
	const struct fuse_forget_in forget = { .nlookup = UINT64_MAX };

	(void)state;
	assert_int_equal(ask(FUSE_FORGET, 1, &forget, sizeof(forget), NULL), 1);
	assert_int_equal(ask(FUSE_FORGET, 12345, &forget, sizeof(forget), NULL), 1);
	assert_int_equal(lookup(1, "dir"), 2);
}

#define TEST(test, open) cmocka_unit_test_setup_teardown(test, open, close_session)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(beginning, open_writable),
		TEST(reading, open_writable),
		TEST(listing, open_writable),
		TEST(changing, open_writable),
		TEST(writing, open_writable),
		TEST(read_only, open_read_only),
		TEST(mounted_again, open_writable),
		TEST(unknown_nodes, open_writable),
		TEST(wrong_lengths, open_writable),
		TEST(unknown_requests, open_writable),
		TEST(before_the_beginning, open_writable),
		TEST(forgotten_too_often, open_writable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
