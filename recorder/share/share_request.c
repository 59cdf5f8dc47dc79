// SPDX-License-Identifier: BSD-3-Clause
/* Checks of FUSE requests: their sizes, and the strings in them. */
#include "recorder/share/share_request.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format/base/cleanup.h"

/* What INIT has without its second half (7.36). */
#define INIT_SIZE   offsetof(struct fuse_init_in, flags2)
#define MINOR_LEAST 31u

/* What follows the header: a structure, then so many strings; or data. */
struct form {
	uint32_t opcode;
	const char *name;
	size_t size;
	unsigned int strings;
	bool unanswered;
};

static const struct form forms[] = {
	{ FUSE_LOOKUP, "LOOKUP", 0, 1, false },
	{ FUSE_FORGET, "FORGET", sizeof(struct fuse_forget_in), 0, true },
	{ FUSE_GETATTR, "GETATTR", sizeof(struct fuse_getattr_in), 0, false },
	{ FUSE_SETATTR, "SETATTR", sizeof(struct fuse_setattr_in), 0, false },
	{ FUSE_READLINK, "READLINK", 0, 0, false },
	{ FUSE_SYMLINK, "SYMLINK", 0, 2, false },
	{ FUSE_MKNOD, "MKNOD", sizeof(struct fuse_mknod_in), 1, false },
	{ FUSE_MKDIR, "MKDIR", sizeof(struct fuse_mkdir_in), 1, false },
	{ FUSE_UNLINK, "UNLINK", 0, 1, false },
	{ FUSE_RMDIR, "RMDIR", 0, 1, false },
	{ FUSE_RENAME, "RENAME", sizeof(struct fuse_rename_in), 2, false },
	{ FUSE_LINK, "LINK", sizeof(struct fuse_link_in), 1, false },
	{ FUSE_READ, "READ", sizeof(struct fuse_read_in), 0, false },
	{ FUSE_WRITE, "WRITE", sizeof(struct fuse_write_in), 0, false },
	{ FUSE_STATFS, "STATFS", 0, 0, false },
	{ FUSE_INIT, "INIT", INIT_SIZE, 0, false },
	{ FUSE_READDIR, "READDIR", sizeof(struct fuse_read_in), 0, false },
	{ FUSE_DESTROY, "DESTROY", 0, 0, false },
	{ FUSE_BATCH_FORGET, "BATCH_FORGET", sizeof(struct fuse_batch_forget_in), 0, true },
	{ FUSE_FALLOCATE, "FALLOCATE", sizeof(struct fuse_fallocate_in), 0, false },
	{ FUSE_READDIRPLUS, "READDIRPLUS", sizeof(struct fuse_read_in), 0, false },
	{ FUSE_RENAME2, "RENAME2", sizeof(struct fuse_rename2_in), 2, false },
};

static const struct form *find_form(uint32_t opcode)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].opcode == opcode)
			return &forms[i];
	return NULL;
}

static int refuse(char problem[SHARE_PROBLEM_TEXT], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(char problem[SHARE_PROBLEM_TEXT], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem, SHARE_PROBLEM_TEXT, format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

static int check_strings(const struct form *form, const char *text, size_t size,
			 char problem[SHARE_PROBLEM_TEXT])
{
	for (unsigned int i = 0; i < form->strings; i++) {
		size_t length = strnlen(text, size);

		if (length == size)
			return refuse(problem, "a name in %s does not end", form->name);
		text += length + 1;
		size -= length + 1;
	}
	return 0;
}

/* Sizes and counts in a request. */
static int check_counts(const struct form *form, const void *body, size_t rest,
			struct share_request *request, char problem[SHARE_PROBLEM_TEXT])
{
	const struct fuse_batch_forget_in *forget = body;
	const struct fuse_write_in *write = body;
	const struct fuse_read_in *read = body;
	const struct fuse_init_in *init = body;

	switch (form->opcode) {
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		request->data = read->size;
		return read->size <= SHARE_DATA_MAX
			       ? 0
			       : refuse(problem, "%s of %u bytes", form->name, read->size);
	case FUSE_WRITE:
		return write->size == rest
			       ? 0
			       : refuse(problem, "WRITE of %u bytes has %zu", write->size, rest);
	case FUSE_BATCH_FORGET:
		return forget->count <= rest / sizeof(struct fuse_forget_one)
			       ? 0
			       : refuse(problem, "BATCH_FORGET of %u has %zu bytes", forget->count,
					rest);
	case FUSE_INIT:
		return init->major == FUSE_KERNEL_VERSION && init->minor >= MINOR_LEAST
			       ? 0
			       : refuse(problem, "FUSE %u.%u: expected %u.%u or later", init->major,
					init->minor, FUSE_KERNEL_VERSION, MINOR_LEAST);
	default:
		return 0;
	}
}

int share_request_check(const void *data, size_t size, struct share_request *request,
			char problem[SHARE_PROBLEM_TEXT])
{
	const struct fuse_in_header *header = data;
	const uint8_t *body = (const uint8_t *)data + sizeof(*header);
	const struct form *form;
	size_t rest;
	int err;

	if (size < sizeof(*header) || size > SHARE_MESSAGE_MAX)
		return refuse(problem, "a request of %zu bytes", size);
	if (header->len != size)
		return refuse(problem, "a request of %u bytes has %zu", header->len, size);
	form = find_form(header->opcode);
	*request = (struct share_request){ .opcode = header->opcode,
					   .unique = header->unique,
					   .node = header->nodeid,
					   .known = form,
					   .answered = !form || !form->unanswered };
	if (!form)
		return 0;
	rest = size - sizeof(*header);
	if (rest < form->size)
		return refuse(problem, "%s of %zu bytes", form->name, size);
	rest -= form->size;
	err = check_strings(form, (const char *)body + form->size, rest, problem);
	return err ? err : check_counts(form, body, rest, request, problem);
}
