// SPDX-License-Identifier: BSD-3-Clause
/*
 * Requests to a share: each is answered within the room for it, or refused with a sentence. A
 * request is what its kind needs, of the input's bytes, cut or lengthened now and then.
 */
#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/share/share_session.h"
#include "tests/fuzz/fuzz.h"

#define REQUESTS_MAX 200
#define ROOM	     (SHARE_DATA_MAX + 4096)
#define NODES	     12

static const struct kind {
	uint32_t opcode;
	size_t size;
	unsigned int names;
} kinds[] = {
	{ FUSE_LOOKUP, 0, 1 },
	{ FUSE_FORGET, sizeof(struct fuse_forget_in), 0 },
	{ FUSE_GETATTR, sizeof(struct fuse_getattr_in), 0 },
	{ FUSE_SETATTR, sizeof(struct fuse_setattr_in), 0 },
	{ FUSE_READLINK, 0, 0 },
	{ FUSE_SYMLINK, 0, 2 },
	{ FUSE_MKNOD, sizeof(struct fuse_mknod_in), 1 },
	{ FUSE_MKDIR, sizeof(struct fuse_mkdir_in), 1 },
	{ FUSE_UNLINK, 0, 1 },
	{ FUSE_RMDIR, 0, 1 },
	{ FUSE_RENAME, sizeof(struct fuse_rename_in), 2 },
	{ FUSE_RENAME2, sizeof(struct fuse_rename2_in), 2 },
	{ FUSE_LINK, sizeof(struct fuse_link_in), 1 },
	{ FUSE_READ, sizeof(struct fuse_read_in), 0 },
	{ FUSE_WRITE, sizeof(struct fuse_write_in), 0 },
	{ FUSE_STATFS, 0, 0 },
	{ FUSE_READDIR, sizeof(struct fuse_read_in), 0 },
	{ FUSE_READDIRPLUS, sizeof(struct fuse_read_in), 0 },
	{ FUSE_FALLOCATE, sizeof(struct fuse_fallocate_in), 0 },
	{ FUSE_BATCH_FORGET, sizeof(struct fuse_batch_forget_in), 0 },
	{ FUSE_DESTROY, 0, 0 },
	{ FUSE_INIT, sizeof(struct fuse_init_in), 0 },
	{ FUSE_OPEN, sizeof(struct fuse_open_in), 0 },
	{ FUSE_INTERRUPT, sizeof(struct fuse_interrupt_in), 0 },
	{ FUSE_IOCTL, sizeof(struct fuse_ioctl_in), 0 },
	{ FUSE_SETXATTR, sizeof(struct fuse_setxattr_in), 1 },
};
#define KINDS	  (sizeof(kinds) / sizeof(*kinds))
#define INIT_KIND 21

struct message {
	uint8_t data[4096];
	size_t size;
};

/* NULL: zeros. */
static void put(struct message *message, const void *data, size_t size)
{
	if (size > sizeof(message->data) - message->size)
		size = sizeof(message->data) - message->size;
	if (data)
		memcpy(message->data + message->size, data, size);
	else
		memset(message->data + message->size, 0, size);
	message->size += size;
}

/* Bytes of the input, then zeros. */
static void put_some(struct message *message, struct fuzz_input *input, size_t size)
{
	size_t given;
	const uint8_t *data = fuzz_bytes(input, fuzz_byte(input) % (size + 1), &given);

	put(message, data, given);
	put(message, NULL, size - given);
}

static void put_name(struct message *message, struct fuzz_input *input)
{
	static const char *const names[] = { "a", "b", "c", "dir", "file", "link", "..", "" };
	unsigned int choice = fuzz_below(input, 9);
	const uint8_t *name;
	size_t size;

	if (choice < 8) {
		put(message, names[choice], strlen(names[choice]) + 1);
		return;
	}
	name = fuzz_bytes(input, fuzz_byte(input), &size);
	put(message, name, size);
	put(message, NULL, 1);
}

/* Sizes, offsets and numbers in a body, which are mostly small. */
static void tame(struct message *message, uint32_t opcode, struct fuzz_input *input)
{
	void *body = message->data + sizeof(struct fuse_in_header);
	struct fuse_init_in *init = body;
	struct fuse_write_in *write = body;
	struct fuse_read_in *read = body;

	switch (opcode) {
	case FUSE_INIT:
		init->major = FUSE_KERNEL_VERSION;
		init->minor = 31 + fuzz_below(input, 16);
		break;
	case FUSE_WRITE:
		write->size = fuzz_byte(input);
		write->offset &= fuzz_below(input, 8) ? 0x3ffff : UINT64_MAX;
		put_some(message, input, write->size);
		break;
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		read->size &= fuzz_below(input, 8) ? 0xffff : SHARE_DATA_MAX;
		read->offset &= fuzz_below(input, 8) ? 0x3ffff : UINT64_MAX;
		break;
	case FUSE_RENAME:
	case FUSE_RENAME2:
	case FUSE_LINK:
		*(uint64_t *)body = fuzz_below(input, NODES);
		break;
	default:
		break;
	}
}

static void make(struct message *message, struct fuzz_input *input, uint64_t unique)
{
	const struct kind *kind =
		&kinds[unique == 1 && fuzz_below(input, 16) ? INIT_KIND : fuzz_below(input, KINDS)];
	struct fuse_in_header header = { .opcode = kind->opcode,
					 .unique = unique,
					 .nodeid = fuzz_below(input, NODES) };
	unsigned int change;

	message->size = 0;
	put(message, &header, sizeof(header));
	put_some(message, input, kind->size);
	tame(message, kind->opcode, input);
	for (unsigned int i = 0; i < kind->names; i++)
		put_name(message, input);
	change = fuzz_byte(input);
	if (change >= 248)
		message->size = fuzz_u16(input) % (message->size + 1);
	else if (change >= 240)
		put_some(message, input, fuzz_byte(input));
	header.len = change == 239 ? fuzz_u32(input) : (uint32_t)message->size;
	if (message->size >= sizeof(header.len))
		memcpy(message->data, &header.len, sizeof(header.len));
}

static void check_answer(const void *answer, size_t size, size_t room, uint64_t unique)
{
	struct fuse_out_header header;

	fuzz_expect(size <= room);
	if (!size)
		return;
	fuzz_expect(size >= sizeof(header));
	memcpy(&header, answer, sizeof(header));
	fuzz_expect(header.len == size && header.unique == unique);
	fuzz_expect(header.error <= 0 && header.error > -4096);
}

/* Returns whether the session goes on. What is given to it ends where it ends. */
static bool serve(struct share_session *session, const struct message *message, size_t room,
		  uint64_t unique)
{
	const struct timespec now = { .tv_sec = (time_t)unique };
	uint8_t *data = malloc(message->size + SHARE_PADDING);
	char problem[SHARE_PROBLEM_TEXT] = "";
	const void *answer;
	size_t size;
	int err;

	memcpy(data, message->data, message->size);
	err = share_session_serve(session, &now, data, message->size, room, &answer, &size,
				  problem);
	if (!err)
		check_answer(answer, size, room, unique);
	else
		fuzz_expect(err == -EBADMSG && *problem);
	free(data);
	return !err;
}

static void fill(struct tree *tree)
{
	const struct tree_attr directory = { .mode = S_IFDIR | 0755 };
	const struct tree_attr file = { .mode = S_IFREG | 0644 }, link = { .mode = S_IFLNK | 0777 };
	struct tree_node *dir, *node;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	fuzz_expect(fd >= 0 && !ftruncate(fd, 200000));
	tree_set_archive(tree, fd);
	fuzz_expect(!tree_add(tree, tree_root(tree), "dir", &directory, NULL, &dir));
	fuzz_expect(!tree_add(tree, dir, "file", &file, NULL, &node));
	fuzz_expect(!tree_set_range(tree, node, 100, 150000));
	fuzz_expect(!tree_add_link(tree, tree_root(tree), "file", node));
	fuzz_expect(!tree_add(tree, tree_root(tree), "link", &link, "dir/file", &node));
}

int fuzz_one(const uint8_t *data, size_t size)
{
	static struct message message;
	struct fuzz_input input = { data, size };
	const struct tree_attr root = { .mode = S_IFDIR | 0755 };
	const bool writable = fuzz_byte(&input) % 4;
	struct share_session *session;
	struct tree *tree;

	fuzz_expect(!tree_create(&root, &tree));
	fill(tree);
	fuzz_expect(!share_session_create(tree, writable, &session));
	for (uint64_t unique = 1; input.left && unique < REQUESTS_MAX; unique++) {
		size_t room = fuzz_below(&input, 16) ? ROOM : fuzz_byte(&input);

		make(&message, &input, unique);
		if (!serve(session, &message, room, unique))
			break;
	}
	share_session_destroy(session);
	return 0;
}
