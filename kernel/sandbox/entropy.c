// SPDX-License-Identifier: BSD-3-Clause
/* A guest's getrandom(2) and /dev/random, answered through seccomp notifications. */
#include "kernel/sandbox/entropy.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <nettle/chacha.h>
#include <nettle/sha2.h>
#include <poll.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/host_facts.h"
#include "kernel/sandbox/sandbox.h"

struct entropy_stream {
	struct chacha_ctx cipher;
	uint8_t block[CHACHA_BLOCK_SIZE];
	size_t left; /* of the block, at its end */
};

static void derive_key(uint64_t seed, uint64_t id, uint8_t key[CHACHA_KEY_SIZE])
{
	uint64_t words[2] = { htole64(seed), htole64(id) };
	uint8_t text[6 + sizeof(words)] = "ttrec:";
	struct sha256_ctx hash;

	memcpy(text + 6, words, sizeof(words));
	sha256_init(&hash);
	sha256_update(&hash, sizeof(text), text);
	sha256_digest(&hash, SHA256_DIGEST_SIZE, key);
}

int entropy_stream_create(uint64_t seed, uint64_t id, struct entropy_stream **out)
{
	struct entropy_stream *stream = calloc(1, sizeof(*stream));
	static const uint8_t nonce[CHACHA_NONCE_SIZE];
	uint8_t key[CHACHA_KEY_SIZE];

	if (!stream)
		return -ENOMEM;
	derive_key(seed, id, key);
	chacha_set_key(&stream->cipher, key);
	chacha_set_nonce(&stream->cipher, nonce);
	*out = stream;
	return 0;
}

void entropy_stream_take(struct entropy_stream *stream, void *data, size_t size)
{
	uint8_t *out = data;

	/* The key stream: the cipher applied to zeros, in whole blocks. */
	while (size) {
		size_t part;

		if (!stream->left) {
			memset(stream->block, 0, sizeof(stream->block));
			chacha_crypt(&stream->cipher, sizeof(stream->block), stream->block,
				     stream->block);
			stream->left = sizeof(stream->block);
		}
		part = size < stream->left ? size : stream->left;
		memcpy(out, stream->block + sizeof(stream->block) - stream->left, part);
		stream->left -= part;
		out += part;
		size -= part;
	}
}

void entropy_stream_destroy(struct entropy_stream *stream)
{
	free(stream);
}

static bool opens_random_device(pid_t pid, uint64_t address)
{
	char path[sizeof("/dev/urandom") + 1];

	return host_facts_read_text(pid, address, path, sizeof(path)) &&
	       (!strcmp(path, "/dev/random") || !strcmp(path, "/dev/urandom"));
}

static bool is_open(const struct seccomp_notif *notification)
{
	return notification->data.nr == SYS_openat || notification->data.nr == SYS_open;
}

static int respond(int fd, uint64_t id, int64_t value, uint32_t flags)
{
	struct seccomp_notif_resp response = { .id = id, .flags = flags };

	if (value < 0)
		response.error = (int32_t)value;
	else
		response.val = value;
	/* ENOENT: the asker was killed while it waited; that is its business. */
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &response) && errno != ENOENT ? -errno : 0;
}

int entropy_receive(const struct sandbox *sandbox, struct entropy_request *request)
{
	struct seccomp_notif notification = { 0 };
	struct pollfd listener = { .fd = sandbox->entropy_fd, .events = POLLIN };
	int64_t value = 0;

	/*
	 * When all who could ask are gone the listener only hangs up, and receiving from it waits
	 * forever before Linux 6.11 (kernel/seccomp.c, recv_wait_event).
	 */
	if (poll(&listener, 1, 0) != 1)
		return 0;
	if (!(listener.revents & POLLIN))
		return -EPIPE;
	if (ioctl(listener.fd, SECCOMP_IOCTL_NOTIF_RECV, &notification))
		return errno == ENOENT || errno == EINTR ? 0 : -errno;
	request->id = notification.id;
	request->pid = (pid_t)notification.pid;
	if (notification.data.nr == SYS_getrandom) {
		request->source = ENTROPY_GETRANDOM;
		request->address = notification.data.args[0];
		request->requested = notification.data.args[1];
		return 1;
	}
	if (is_open(&notification) &&
	    opens_random_device(request->pid,
				notification.data.args[notification.data.nr == SYS_openat])) {
		request->source = ENTROPY_DEV_RANDOM;
		request->requested = ENTROPY_DEVICE_BYTES;
		return 1;
	}
	/* This machine lacks memory: not an error that a guest may see. */
	if (host_facts_answer(sandbox, &notification, &value))
		return value == -ENOMEM ? -ENOMEM : respond(listener.fd, notification.id, value, 0);
	return respond(listener.fd, notification.id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

static int answer_call(int fd, const struct entropy_request *request, const void *data, size_t size)
{
	struct iovec local = { (void *)data, size };
	struct iovec remote = { (void *)request->address, size };
	ssize_t put = process_vm_writev(request->pid, &local, 1, &remote, 1, 0);

	return put < 0 ? -errno : respond(fd, request->id, put, 0);
}

static int answer_open(int fd, const struct entropy_request *request, const void *data, size_t size,
		       int *held)
{
	struct seccomp_notif_addfd add = { .id = request->id };
	int fds[2], remote;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	*held = fds[1];
	fcntl(fds[1], F_SETPIPE_SZ, ENTROPY_DEVICE_BYTES);
	/* A user with many pipes gets a smaller one: return an error instead of blocking forever.
	 */
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	if (TEMP_FAILURE_RETRY(write(fds[1], data, size)) != (ssize_t)size) {
		close(fds[0]);
		return -EIO;
	}
	add.srcfd = (uint32_t)fds[0];
	remote = ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	close(fds[0]);
	return remote < 0 ? -errno : respond(fd, request->id, remote, 0);
}

int entropy_answer(int fd, const struct entropy_request *request, const void *data, size_t size,
		   int *held)
{
	int err;

	*held = -1;
	if (request->source == ENTROPY_DEV_RANDOM && !size)
		return respond(fd, request->id, -EMFILE, 0);
	if (request->source == ENTROPY_DEV_RANDOM)
		err = answer_open(fd, request, data, size, held);
	else
		err = answer_call(fd, request, data, size);
	/*
	 * A question without an answer would hold the guest forever; this one fails in the guest.
	 */
	if (err)
		respond(fd, request->id, err, 0);
	/* The process may have ended, or have asked for something invalid. */
	return err == -ESRCH || err == -ENOENT || err == -EFAULT ? 0 : err;
}
