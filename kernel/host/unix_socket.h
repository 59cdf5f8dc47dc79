/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unix sockets: descriptors that come with a message (SCM_RIGHTS), and addresses. All inline, so
 * that libraries that are installed can use it.
 */
#ifndef TTREC_UNIX_SOCKET_H
#define TTREC_UNIX_SOCKET_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Control data of a message with up to @most descriptors. */
#define DESCRIPTORS_CONTROL(most)                              \
	union {                                                \
		struct cmsghdr header; /* for its alignment */ \
		char space[CMSG_SPACE((most) * sizeof(int))];  \
	}

/* Send @count descriptors with @message; @control is one of the above, with room for them. */
static inline void descriptors_attach(struct msghdr *message, void *control, const int *fds,
				      unsigned int count)
{
	size_t size = count * sizeof(int);
	struct cmsghdr *part = control;

	if (!count)
		return;
	memset(control, 0, CMSG_SPACE(size));
	message->msg_control = control;
	message->msg_controllen = CMSG_SPACE(size);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(part), fds, size);
}

/*
 * The descriptors that came with @message into @fds, at most @most, and any others closed. Returns
 * how many these are.
 */
static inline unsigned int descriptors_take(struct msghdr *message, int *fds, unsigned int most)
{
	unsigned int taken = 0;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
	     part = CMSG_NXTHDR(message, part)) {
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			if (taken < most)
				fds[taken++] = fd;
			else
				close(fd);
		}
	}
	return taken;
}

/* Returns 0, or -ENAMETOOLONG: *@address is then of the beginning of @path. */
static inline int unix_address(const char *path, struct sockaddr_un *address)
{
	size_t length = strnlen(path, sizeof(address->sun_path) - 1);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, path, length);
	return path[length] ? -ENAMETOOLONG : 0;
}

#endif
