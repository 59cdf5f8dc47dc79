// SPDX-License-Identifier: BSD-3-Clause
/* The interfaces of a replayed guest, as a source of events: its next action. */
#include "replayer/cursor/doors.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "format/base/cleanup.h"
#include "kernel/probe/probe.h"
#include "kernel/host/process.h"

#define QUIET_MS      20
#define CONSOLE_CHUNK (64u * 1024)
/* At one look; more than its socket holds, so only a guest that writes meanwhile has more. */
#define CONSOLE_CHUNKS_MAX 256

enum door {
	DOOR_FD_LISTEN,
	DOOR_FD_TIME,
	DOOR_FD_ENTROPY,
	DOOR_FD_SUPERVISOR,
	DOOR_FD_STOP,
	DOOR_FD_PROBE,
	DOOR_FD_END,
	/* Of each device: where it is connected to, the connection, where calls are replied to. */
	DOOR_FD_DEVICE_LISTEN,
	DOOR_FD_DEVICE,
	DOOR_FD_CALL,
};

static int watch_device_door(struct doors *doors, int fd, enum door door, unsigned int device)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)device << 32 | door };

	return epoll_ctl(doors->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int watch_door(struct doors *doors, int fd, enum door door)
{
	return watch_device_door(doors, fd, door, 0);
}

static void unwatch_door(struct doors *doors, int fd)
{
	epoll_ctl(doors->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int watch_devices(struct doors *doors)
{
	const struct guest *guest = doors->guest;
	int err = 0;

	for (unsigned int i = 0; !err && i < guest->spec->device_count; i++)
		err = watch_device_door(doors, guest->sandbox.device_fd[i], DOOR_FD_DEVICE_LISTEN,
					i);
	return err;
}

int doors_open(struct doors *doors, struct guest *guest, struct console_printer *printer)
{
	int err;

	*doors = (struct doors){ .guest = guest, .printer = printer, .stop_fd = -1 };
	doors->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (doors->epoll_fd < 0)
		return -errno;
	err = process_open_stop(&doors->stop_fd);
	if (!err)
		err = watch_door(doors, doors->stop_fd, DOOR_FD_STOP);
	if (!err)
		err = watch_door(doors, guest->sandbox.listen_fd, DOOR_FD_LISTEN);
	if (!err)
		err = watch_door(doors, guest->sandbox.supervisor_fd, DOOR_FD_SUPERVISOR);
	if (!err && guest->sandbox.entropy_fd >= 0)
		err = watch_door(doors, guest->sandbox.entropy_fd, DOOR_FD_ENTROPY);
	return err ? err : watch_devices(doors);
}

int doors_watch_probe(struct doors *doors, struct probe *probe)
{
	doors->probe = probe;
	return watch_door(doors, probe_fd(probe), DOOR_FD_PROBE);
}

int doors_watch_end(struct doors *doors, int fd)
{
	int err = watch_door(doors, fd, DOOR_FD_END);

	return err == -EEXIST ? 0 : err;
}

void doors_close(struct doors *doors)
{
	close_fd(&doors->epoll_fd);
	close_fd(&doors->stop_fd);
	vhost_message_close(&doors->request);
	if (doors->printer)
		console_finish(doors->printer);
	free(doors->console);
	doors->console = NULL;
}

/* Space for one more chunk. */
static bool hold_console(struct doors *doors)
{
	char *grown = array_reserve(doors->console, &doors->console_space,
				    doors->console_size + CONSOLE_CHUNK, CONSOLE_CHUNK, 1);

	if (grown)
		doors->console = grown;
	return grown;
}

int doors_drain_console(struct doors *doors)
{
	for (int i = 0; i < CONSOLE_CHUNKS_MAX && doors->console_size <= GUEST_CONSOLE_MAX; i++) {
		ssize_t got;

		if (!hold_console(doors))
			return -ENOMEM;
		got = guest_read_console(doors->guest, doors->console + doors->console_size,
					 CONSOLE_CHUNK);
		if (got <= 0)
			return (int)got;
		if (doors->printer)
			console_print(doors->printer, doors->console + doors->console_size,
				      (size_t)got);
		doors->console_size += (size_t)got;
	}
	return 0;
}

static int accept_guest(struct doors *doors)
{
	int err;

	unwatch_door(doors, doors->guest->sandbox.listen_fd);
	err = guest_accept(doors->guest);
	if (!err)
		err = wire_set_patience(doors->guest->time_fd, QUIET_MS);
	return err ? err : watch_door(doors, doors->guest->time_fd, DOOR_FD_TIME);
}

static void read_time(struct doors *doors, bool wait)
{
	struct guest *guest = doors->guest;
	long got;

	if (guest->time_fd < 0)
		return;
	got = wait ? wire_input_await(&guest->input, guest->time_fd)
		   : wire_input_fill(&guest->input, guest->time_fd);
	if (got > 0 || got == -EAGAIN)
		return;
	unwatch_door(doors, guest->time_fd);
	close_fd(&guest->time_fd);
	doors->left = true;
}

/* ---- Devices -------------------------------------------------------------------------------- */

static int accept_device(struct doors *doors, unsigned int device, struct door_event *event)
{
	struct guest *guest = doors->guest;
	int err;

	unwatch_door(doors, guest->sandbox.device_fd[device]);
	err = guest_accept_device(guest, device);
	if (!err)
		err = watch_device_door(doors, guest->device[device].fd, DOOR_FD_DEVICE, device);
	event->kind = DOOR_ATTACH;
	return err ? err : 1;
}

/* Before it is closed: the guest may hold the other half open, and then it would stay watched. */
static void unwatch_calls(struct doors *doors, unsigned int device)
{
	if (doors->guest->device[device].call_fd >= 0)
		unwatch_door(doors, doors->guest->device[device].call_fd);
}

int doors_cut(struct doors *doors, unsigned int device)
{
	unwatch_calls(doors, device);
	return guest_cut_device(doors->guest, device);
}

static int hear_nonsense(struct doors *doors, int fd, struct door_event *event)
{
	unwatch_door(doors, fd);
	event->kind = DOOR_NONSENSE;
	return 1;
}

/* The socket for calls is there once the guest has handed it over. */
static int watch_calls(struct doors *doors, unsigned int device)
{
	int fd = doors->guest->device[device].call_fd;

	return fd < 0 ? 0 : watch_device_door(doors, fd, DOOR_FD_CALL, device);
}

/* What made no sense to the recorder makes none here: what came of it is in the trace. */
static int apply_request(struct doors *doors, unsigned int device)
{
	struct vhost *vhost = &doors->guest->device[device];
	bool calls = doors->request.request == VHOST_SET_BACKEND_REQ_FD;
	int err;

	if (calls)
		unwatch_calls(doors, device);
	err = vhost_apply(vhost, &doors->request);
	if (err && err != -EBADMSG)
		return err;
	return calls ? watch_calls(doors, device) : 0;
}

static int read_request(struct doors *doors, unsigned int device, struct door_event *event)
{
	struct vhost *vhost = &doors->guest->device[device];
	int got, err;

	vhost_message_close(&doors->request);
	got = vhost_receive(vhost, &doors->request);
	if (!got || got == -ECONNRESET) {
		/* What its recorder wrote to it until it noticed is written here too. */
		unwatch_door(doors, vhost->fd);
		return 0;
	}
	if (got == -EBADMSG)
		return hear_nonsense(doors, vhost->fd, event);
	if (got < 0)
		return got == -EAGAIN ? 0 : got;
	event->kind = DOOR_REQUEST;
	event->request = &doors->request;
	err = apply_request(doors, device);
	return err ? err : 1;
}

static int read_called(struct doors *doors, unsigned int device, struct door_event *event)
{
	struct vhost *vhost = &doors->guest->device[device];
	int got = vhost_take_called(vhost, &event->value);

	if (got == -EBADMSG)
		return hear_nonsense(doors, vhost->call_fd, event);
	if (!got)
		unwatch_door(doors, vhost->call_fd);
	event->kind = DOOR_CALLED;
	return got == -EAGAIN ? 0 : got;
}

/* ---- Whatever comes next -------------------------------------------------------------------- */

static int read_entropy(struct doors *doors, struct door_event *event)
{
	const struct sandbox *sandbox = &doors->guest->sandbox;
	int got = entropy_receive(sandbox, &event->entropy);

	event->kind = DOOR_ENTROPY;
	if (got != -EPIPE)
		return got;
	unwatch_door(doors, sandbox->entropy_fd);
	return 0;
}

static int read_supervisor(struct doors *doors)
{
	struct sandbox *sandbox = &doors->guest->sandbox;
	int ended = sandbox_ended(sandbox, &doors->status, &doors->signal);

	if (ended != 1)
		return ended;
	unwatch_door(doors, sandbox->supervisor_fd);
	doors->ended = true;
	return 0;
}

/* Returns 1 when @event is the guest's next move, 0 when there is more to wait for. */
static int handle_door(struct doors *doors, enum door door, struct door_event *event)
{
	switch (door) {
	case DOOR_FD_LISTEN:
		return accept_guest(doors);
	case DOOR_FD_TIME:
		read_time(doors, false);
		return 0;
	case DOOR_FD_SUPERVISOR:
		return read_supervisor(doors);
	case DOOR_FD_ENTROPY:
		return read_entropy(doors, event);
	case DOOR_FD_STOP:
		event->signal = process_take_stop(doors->stop_fd);
		event->kind = DOOR_STOP;
		return event->signal != 0;
	case DOOR_FD_END:
		event->kind = DOOR_STOP;
		return 1;
	case DOOR_FD_PROBE:
		probe_drain(doors->probe);
		return 0;
	case DOOR_FD_DEVICE_LISTEN:
		return accept_device(doors, event->device, event);
	case DOOR_FD_DEVICE:
		return read_request(doors, event->device, event);
	case DOOR_FD_CALL:
		return read_called(doors, event->device, event);
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
		event->exceeded = doors->guest->sandbox.exceeded;
		return true;
	}
	return false;
}

/* The same for one interface that is ready; it stays so if something on the time socket comes
 * first. */
static int look_at(struct doors *doors, uint64_t ready, struct door_event *event)
{
	enum door door = (enum door)(uint32_t)ready;

	if (door == DOOR_FD_ENTROPY || door >= DOOR_FD_DEVICE_LISTEN) {
		read_time(doors, false);
		if (take_pending(doors, event))
			return 1;
	}
	event->device = (unsigned int)(ready >> 32);
	return handle_door(doors, door, event);
}

/* A guest whose console is full is blocked by us. */
static int drain_quietly(struct doors *doors, struct door_event *event)
{
	int err = doors_drain_console(doors);

	event->kind = DOOR_FLOOD;
	return err ? err : doors->console_size > GUEST_CONSOLE_MAX;
}

int doors_next(struct doors *doors, enum door_event_kind expected, uint64_t timeout,
	       struct door_event *event)
{
	uint64_t since = 0;

	if (doors->has_kept) {
		*event = doors->kept;
		doors->has_kept = false;
		return 0;
	}
	*event = (struct door_event){ 0 };
	if (take_pending(doors, event))
		return 0;
	/* Nearly always the guest does what was recorded: then only one descriptor is waited for.
	 */
	if (expected == DOOR_MESSAGE)
		read_time(doors, true);
	while (!take_pending(doors, event)) {
		struct epoll_event ready;
		int count = epoll_wait(doors->epoll_fd, &ready, 1, QUIET_MS), got;

		if (count < 0 && errno != EINTR)
			return -errno;
		got = count == 1 ? look_at(doors, ready.data.u64, event)
				 : drain_quietly(doors, event);
		if (got)
			return got < 0 ? got : 0;
		/* What is ready and is no move does not count: it may be so for ever. */
		if (!since)
			since = process_wall_ns();
		if (timeout && process_wall_ns() - since >= timeout) {
			event->kind = DOOR_SILENCE;
			return 0;
		}
	}
	return 0;
}

int doors_peek(struct doors *doors, enum door_event_kind expected, uint64_t timeout,
	       struct door_event *event)
{
	int err = doors_next(doors, expected, timeout, event);

	doors->kept = *event;
	doors->has_kept = !err;
	return err;
}
