// SPDX-License-Identifier: BSD-3-Clause
/* The doors of a replayed guest, as a source of events: whatever it does next. */
#include "replayer/doors.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "format/cleanup.h"
#include "kernel/process.h"

#define QUIET_MS      20
#define CONSOLE_CHUNK (64u * 1024)
/* At one look; more than its socket holds, so only a guest that writes meanwhile has more. */
#define CONSOLE_CHUNKS_MAX 256

enum door { DOOR_FD_LISTEN, DOOR_FD_TIME, DOOR_FD_ENTROPY, DOOR_FD_KEEPER, DOOR_FD_STOP };

static int watch_door(struct doors *doors, int fd, enum door door)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = door };

	return epoll_ctl(doors->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void unwatch_door(struct doors *doors, int fd)
{
	epoll_ctl(doors->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

int doors_open(struct doors *doors, struct guest *guest, bool show_console)
{
	int err;

	*doors = (struct doors){ .guest = guest, .show_console = show_console, .stop_fd = -1 };
	doors->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (doors->epoll_fd < 0)
		return -errno;
	err = process_open_stop(&doors->stop_fd);
	if (!err)
		err = watch_door(doors, doors->stop_fd, DOOR_FD_STOP);
	if (!err)
		err = watch_door(doors, guest->room.listen_fd, DOOR_FD_LISTEN);
	if (!err)
		err = watch_door(doors, guest->room.keeper_fd, DOOR_FD_KEEPER);
	if (!err && guest->room.entropy_fd >= 0)
		err = watch_door(doors, guest->room.entropy_fd, DOOR_FD_ENTROPY);
	return err;
}

void doors_close(struct doors *doors)
{
	close_fd(&doors->epoll_fd);
	close_fd(&doors->stop_fd);
	free(doors->console);
	doors->console = NULL;
}

int doors_drain_console(struct doors *doors)
{
	for (int i = 0; i < CONSOLE_CHUNKS_MAX; i++) {
		size_t got;

		if (doors->console_space - doors->console_size < CONSOLE_CHUNK) {
			size_t space = doors->console_space + CONSOLE_CHUNK;
			char *grown = realloc(doors->console, space);

			if (!grown)
				return -ENOMEM;
			doors->console = grown;
			doors->console_space = space;
		}
		got = guest_read_console(doors->guest, doors->console + doors->console_size,
					 CONSOLE_CHUNK);
		if (!got)
			return 0;
		if (doors->show_console) {
			fwrite(doors->console + doors->console_size, 1, got, stdout);
			fflush(stdout);
		}
		doors->console_size += got;
	}
	return 0;
}

static int accept_guest(struct doors *doors)
{
	int err;

	unwatch_door(doors, doors->guest->room.listen_fd);
	err = guest_accept(doors->guest);
	return err ? err : watch_door(doors, doors->guest->time_fd, DOOR_FD_TIME);
}

static void read_time(struct doors *doors)
{
	struct guest *guest = doors->guest;
	long got = wire_input_fill(&guest->input, guest->time_fd);

	if (got > 0 || got == -EAGAIN)
		return;
	unwatch_door(doors, guest->time_fd);
	close_fd(&guest->time_fd);
	doors->left = true;
}

/* Returns 1 when @event is the guest's next move, 0 when there is more to wait for. */
static int handle_door(struct doors *doors, enum door door, struct door_event *event)
{
	struct room *room = &doors->guest->room;
	int got;

	switch (door) {
	case DOOR_FD_LISTEN:
		return accept_guest(doors);
	case DOOR_FD_TIME:
		read_time(doors);
		return 0;
	case DOOR_FD_KEEPER:
		room_wait(room, &doors->status, &doors->signal);
		unwatch_door(doors, room->keeper_fd);
		doors->ended = true;
		return 0;
	case DOOR_FD_ENTROPY:
		got = entropy_receive(room->entropy_fd, &event->entropy);
		if (got < 0)
			unwatch_door(doors, room->entropy_fd);
		event->kind = DOOR_ENTROPY;
		return got == 1;
	case DOOR_FD_STOP:
		event->signal = process_take_stop(doors->stop_fd);
		event->kind = DOOR_STOP;
		return event->signal != 0;
	}
	return 0;
}

/*
 * What already came, in the order a recording has it: messages, end of the connection, end of the
 * process.
 */
static bool take_pending(struct doors *doors, struct door_event *event)
{
	bool connected = doors->guest->time_fd >= 0;

	if (wire_input_take(&doors->guest->input, &event->message)) {
		event->kind = DOOR_MESSAGE;
		return true;
	}
	if (doors->left) {
		doors->left = false;
		event->kind = DOOR_LEFT;
		return true;
	}
	if (doors->ended && !connected) {
		event->kind = DOOR_EXIT;
		event->status = doors->status;
		event->signal = doors->signal;
		return true;
	}
	return false;
}

int doors_next(struct doors *doors, uint64_t timeout, struct door_event *event)
{
	uint64_t quiet_since = 0;

	while (!take_pending(doors, event)) {
		struct epoll_event ready;
		int count = epoll_wait(doors->epoll_fd, &ready, 1, QUIET_MS), got;

		if (count < 0 && errno != EINTR)
			return -errno;
		if (count == 1) {
			got = handle_door(doors, ready.data.u32, event);
			if (got)
				return got < 0 ? got : 0;
			continue;
		}
		/* A guest whose console is full is blocked by us. */
		doors_drain_console(doors);
		if (!quiet_since)
			quiet_since = process_wall_ns();
		if (timeout && process_wall_ns() - quiet_since >= timeout) {
			event->kind = DOOR_SILENCE;
			return 0;
		}
	}
	return 0;
}
