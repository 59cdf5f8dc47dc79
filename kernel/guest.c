// SPDX-License-Identifier: BSD-3-Clause
/* A guest: one UML kernel in its room, with its doors. */
#include "kernel/guest.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "format/cleanup.h"
#include "kernel/guest_arguments.h"

void guest_spec_free(struct guest_spec *spec)
{
	free(spec->name);
	image_files_free(&spec->files);
	guest_arguments_free(spec->arguments);
	*spec = (struct guest_spec){ 0 };
}

int guest_open(const struct guest_spec *spec, struct guest *guest, struct diagnosis *why)
{
	struct room_options options = { .files = &spec->files,
					.arguments = spec->arguments,
					.cpu = spec->cpu,
					.wanted = spec->wanted,
					.required = spec->required,
					.host_files = spec->host_files };

	*guest = GUEST_NONE;
	guest->spec = spec;
	memcpy(options.auxv_random, spec->auxv_random, ROOM_RANDOM_SIZE);
	return room_open(&options, &guest->room, why);
}

int guest_accept(struct guest *guest)
{
	guest->time_fd = accept4(guest->room.listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (guest->time_fd < 0)
		return -errno;
	/* One connection a life: a guest that reboots would be another guest. */
	close_fd(&guest->room.listen_fd);
	return 0;
}

void guest_close(struct guest *guest)
{
	room_close(&guest->room);
	close_fd(&guest->time_fd);
	memory_close(guest->memory);
	for (size_t i = 0; i < guest->held_count; i++)
		close(guest->held[i]);
	free(guest->held);
	*guest = GUEST_NONE;
}

int guest_answer_entropy(struct guest *guest, const struct entropy_request *request,
			 const void *data, size_t size)
{
	int held, *grown;
	int err = entropy_answer(guest->room.entropy_fd, request, data, size, &held);

	if (held < 0)
		return err;
	grown = realloc(guest->held, (guest->held_count + 1) * sizeof(*grown));
	if (!grown) {
		close(held);
		return -ENOMEM;
	}
	guest->held = grown;
	guest->held[guest->held_count++] = held;
	return err;
}

size_t guest_read_console(struct guest *guest, void *data, size_t size)
{
	ssize_t got;

	if (guest->room.console_fd < 0)
		return 0;
	do
		got = read(guest->room.console_fd, data, size);
	while (got < 0 && errno == EINTR);
	return got < 0 ? 0 : (size_t)got;
}

/* 'S' when the process sleeps; 0 when it is gone. */
static char process_state(pid_t pid)
{
	char path[32], text[128];
	const char *state;
	ssize_t length;
	auto_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	state = strrchr(text, ')');
	return state && state[1] ? state[2] : 0;
}

/*
 * Its WAIT has arrived, but the guest may not have gone to sleep over the answer yet: we are woken
 * while it is still in write(2), and its stack then is not what it will be. Returns -ESRCH when it
 * is gone, -EBUSY when it does not stop.
 */
static int await_blocked(const struct guest *guest)
{
	struct timespec pause = { .tv_nsec = 1000 };

	for (unsigned int tries = 0; tries < 100000; tries++) {
		char state = process_state(guest->room.guest);

		if (state == 'S')
			return 0;
		if (!state || state == 'Z' || state == 'X')
			return -ESRCH;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

int guest_hash_memory(struct guest *guest, unsigned int region, struct memory_digest *digest,
		      const void **ladder, size_t *ladder_size)
{
	int err = await_blocked(guest);

	if (!err && !guest->memory)
		err = memory_open(guest->room.guest, &guest->spec->files.file[0], &guest->memory);
	if (err)
		return err;
	return memory_hash(guest->memory, region, digest, ladder, ladder_size);
}
