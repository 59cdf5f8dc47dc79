// SPDX-License-Identifier: BSD-3-Clause
/* A session of libfuse without a device: requests come from memory, answers go there. */
#include "recorder/share/share_internal.h"

#include <fcntl.h>

#include "format/base/cleanup.h"

/* ---- Messages of libfuse -------------------------------------------------------------------- */

static ssize_t take_answer(int fd, struct iovec *part, int count, void *user)
{
	struct share_session *session = user;
	size_t size = 0;

	(void)fd;
	for (int i = 0; i < count; i++) {
		uint8_t *to = session->answer + size;

		if (part[i].iov_len > sizeof(session->answer) - size) {
			errno = EMSGSIZE;
			return -1;
		}
		/* Data that was put into place already. */
		if (part[i].iov_base != to)
			memcpy(to, part[i].iov_base, part[i].iov_len);
		size += part[i].iov_len;
	}
	session->answer_size = size;
	return (ssize_t)size;
}

/* Never called: requests are given to fuse_session_process_buf(). */
static ssize_t no_request(int fd, void *data, size_t size, void *user)
{
	(void)fd;
	(void)data;
	(void)size;
	(void)user;
	errno = ENODEV;
	return -1;
}

static void no_log(enum fuse_log_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
}

static int begin(struct share_session *session)
{
	static const struct fuse_custom_io io = { .writev = take_answer, .read = no_request };
	char name[] = "share", *arguments[] = { name, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, arguments);
	int fd, err;

	session->begun = false;
	session->fuse =
		fuse_session_new(&args, &share_operations, sizeof(share_operations), session);
	fuse_opt_free_args(&args);
	if (!session->fuse)
		return -ENOMEM;
	/* It wants a descriptor, which it does not use and closes. */
	fd = open("/", O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fuse_session_custom_io(session->fuse, &io, fd);
	if (err)
		close(fd);
	return err ? -ENOMEM : 0;
}

static void end(struct share_session *session)
{
	if (session->fuse)
		fuse_session_destroy(session->fuse);
	session->fuse = NULL;
}

/* A mount ended, or another begins: the guest holds nothing any more. */
static int begin_again(struct share_session *session)
{
	end(session);
	tree_forget_all(session->tree);
	return begin(session);
}

/* ---- Requests ------------------------------------------------------------------------------- */

static void answer_error(struct share_session *session, const struct share_request *request,
			 int error)
{
	const struct fuse_out_header header = { sizeof(header), error, request->unique };

	memcpy(session->answer, &header, sizeof(header));
	session->answer_size = sizeof(header);
}

static int process(struct share_session *session, const struct share_request *request, void *data,
		   size_t size)
{
	const struct fuse_buf buffer = { .size = size, .mem = data };
	int err = 0;

	if (request->opcode == FUSE_INIT && session->begun)
		err = begin_again(session);
	if (err)
		return err;
	fuse_session_process_buf(session->fuse, &buffer);
	if (request->opcode == FUSE_INIT)
		session->begun = true;
	if (request->opcode == FUSE_DESTROY)
		err = begin_again(session);
	return err ? err : session->failed;
}

static int check_room(const struct share_request *request, size_t room,
		      char problem[SHARE_PROBLEM_TEXT])
{
	size_t need = sizeof(struct fuse_out_header) + request->data;

	if (!request->answered || room >= need)
		return 0;
	snprintf(problem, SHARE_PROBLEM_TEXT, "no room for an answer of %zu bytes", need);
	return -EBADMSG;
}

int share_session_serve(struct share_session *session, const struct timespec *now, void *data,
			size_t size, size_t room, const void **answer, size_t *answer_size,
			char problem[SHARE_PROBLEM_TEXT])
{
	struct share_request request;
	int err = share_request_check(data, size, &request, problem);

	if (!err)
		err = check_room(&request, room, problem);
	if (err)
		return err;
	session->now = *now;
	tree_set_time(session->tree, now);
	session->answer_size = 0;
	memset((uint8_t *)data + size, 0, SHARE_PADDING);
	if (request.known)
		err = process(session, &request, data, size);
	else
		answer_error(session, &request, -ENOSYS);
	if (err)
		return err;
	if (session->answer_size > room) {
		snprintf(problem, SHARE_PROBLEM_TEXT, "no room for an answer of %zu bytes",
			 session->answer_size);
		return -EBADMSG;
	}
	*answer = session->answer;
	*answer_size = session->answer_size;
	return 0;
}

/* ---- Making one ----------------------------------------------------------------------------- */

int share_session_create(struct tree *tree, bool writable, struct share_session **out)
{
	struct share_session *session = calloc(1, sizeof(*session));
	int err;

	if (!session)
		return -ENOMEM;
	/* For the whole process, so not once more when a guest that has a thread begins again. */
	fuse_set_log_func(no_log);
	session->tree = tree;
	session->writable = writable;
	err = begin(session);
	if (err) {
		end(session);
		free(session);
		return err;
	}
	*out = session;
	return 0;
}

void share_session_destroy(struct share_session *session)
{
	if (!session)
		return;
	end(session);
	tree_destroy(session->tree);
	free(session);
}
