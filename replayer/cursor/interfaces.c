// SPDX-License-Identifier: BSD-3-Clause
/* The interfaces of a replayed guest, as a source of events: its next action. */
#include "replayer/cursor/interfaces.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "format/base/cleanup.h"
#include "kernel/probe/probe.h"
#include "kernel/host/process.h"

#define QUIET_MS 20

enum interface {
	INTERFACE_FD_LISTEN,
	INTERFACE_FD_TIME,
	INTERFACE_FD_ENTROPY,
	INTERFACE_FD_SUPERVISOR,
	INTERFACE_FD_STOP,
	INTERFACE_FD_PROBE,
	INTERFACE_FD_END,
	/* Of each device: where it is connected to, the connection, where calls are replied to. */
	INTERFACE_FD_DEVICE_LISTEN,
	INTERFACE_FD_DEVICE,
	INTERFACE_FD_CALL,
};

static int watch_device_interface(struct interfaces *interfaces, int fd, enum interface interface,
				  unsigned int device)
{
	struct epoll_event event = { .events = EPOLLIN,
				     .data.u64 = (uint64_t)device << 32 | interface };

	return epoll_ctl(interfaces->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int watch_interface(struct interfaces *interfaces, int fd, enum interface interface)
{
	return watch_device_interface(interfaces, fd, interface, 0);
}

static void unwatch_interface(struct interfaces *interfaces, int fd)
{
	epoll_ctl(interfaces->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int watch_devices(struct interfaces *interfaces)
{
	const struct guest *guest = interfaces->guest;
	int err = 0;

	for (unsigned int i = 0; !err && i < guest->spec->device_count; i++)
		err = watch_device_interface(interfaces, guest->sandbox.device_fd[i],
					     INTERFACE_FD_DEVICE_LISTEN, i);
	return err;
}

int interfaces_open(struct interfaces *interfaces, struct guest *guest,
		    struct console_printer *printer)
{
	int err;

	*interfaces = (struct interfaces){ .guest = guest, .printer = printer, .stop_fd = -1 };
	interfaces->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (interfaces->epoll_fd < 0)
		return -errno;
	err = process_open_stop(&interfaces->stop_fd);
	if (!err)
		err = watch_interface(interfaces, interfaces->stop_fd, INTERFACE_FD_STOP);
	if (!err)
		err = watch_interface(interfaces, guest->sandbox.listen_fd, INTERFACE_FD_LISTEN);
	if (!err)
		err = watch_interface(interfaces, guest->sandbox.supervisor_fd,
				      INTERFACE_FD_SUPERVISOR);
	if (!err && guest->sandbox.entropy_fd >= 0)
		err = watch_interface(interfaces, guest->sandbox.entropy_fd, INTERFACE_FD_ENTROPY);
	return err ? err : watch_devices(interfaces);
}

int interfaces_watch_probe(struct interfaces *interfaces, struct probe *probe)
{
	interfaces->probe = probe;
	return watch_interface(interfaces, probe_fd(probe), INTERFACE_FD_PROBE);
}

int interfaces_watch_end(struct interfaces *interfaces, int fd)
{
	int err = watch_interface(interfaces, fd, INTERFACE_FD_END);

	return err == -EEXIST ? 0 : err;
}

void interfaces_close(struct interfaces *interfaces)
{
	close_fd(&interfaces->epoll_fd);
	close_fd(&interfaces->stop_fd);
	vhost_message_close(&interfaces->request);
	if (interfaces->printer)
		console_finish(interfaces->printer);
	free(interfaces->console.text);
	interfaces->console.text = NULL;
}

int interfaces_drain_console(struct interfaces *interfaces)
{
	struct guest_console *console = &interfaces->console;
	size_t before = console->size;
	ssize_t got = guest_fill_console(interfaces->guest, console);

	if (interfaces->printer && console->size > before)
		console_print(interfaces->printer, console->text + before, console->size - before);
	return got < 0 ? (int)got : 0;
}

static int accept_guest(struct interfaces *interfaces)
{
	int err;

	unwatch_interface(interfaces, interfaces->guest->sandbox.listen_fd);
	err = guest_accept(interfaces->guest);
	if (!err)
		err = wire_set_patience(interfaces->guest->time_fd, QUIET_MS);
	return err ? err
		   : watch_interface(interfaces, interfaces->guest->time_fd, INTERFACE_FD_TIME);
}

/* Returns 0, also at the end of the connection, or -errno. */
static int read_time(struct interfaces *interfaces, bool wait)
{
	struct guest *guest = interfaces->guest;
	long got;

	if (guest->time_fd < 0)
		return 0;
	got = wait ? wire_input_await(&guest->input, guest->time_fd)
		   : wire_input_fill(&guest->input, guest->time_fd);
	if (got > 0 || got == -EAGAIN)
		return 0;
	/* Full: it sends without waiting for an answer, which none that is recorded does. */
	if (got && got != -EPIPE && got != -ECONNRESET && got != -ENOBUFS)
		return (int)got;
	unwatch_interface(interfaces, guest->time_fd);
	close_fd(&guest->time_fd);
	interfaces->left = true;
	return 0;
}

/* ---- Devices -------------------------------------------------------------------------------- */

static int accept_device(struct interfaces *interfaces, unsigned int device,
			 struct interface_event *event)
{
	struct guest *guest = interfaces->guest;
	int err;

	unwatch_interface(interfaces, guest->sandbox.device_fd[device]);
	err = guest_accept_device(guest, device);
	if (!err)
		err = watch_device_interface(interfaces, guest->device[device].fd,
					     INTERFACE_FD_DEVICE, device);
	event->kind = INTERFACE_ATTACH;
	return err ? err : 1;
}

/* Before it is closed: the guest may hold the other half open, and then it would stay watched. */
static void unwatch_calls(struct interfaces *interfaces, unsigned int device)
{
	if (interfaces->guest->device[device].call_fd >= 0)
		unwatch_interface(interfaces, interfaces->guest->device[device].call_fd);
}

int interfaces_cut(struct interfaces *interfaces, unsigned int device)
{
	unwatch_calls(interfaces, device);
	return guest_cut_device(interfaces->guest, device);
}

static int receive_invalid(struct interfaces *interfaces, int fd, struct interface_event *event)
{
	unwatch_interface(interfaces, fd);
	event->kind = INTERFACE_INVALID;
	return 1;
}

/* The socket for calls is there once the guest has handed it over. */
static int watch_calls(struct interfaces *interfaces, unsigned int device)
{
	int fd = interfaces->guest->device[device].call_fd;

	return fd < 0 ? 0 : watch_device_interface(interfaces, fd, INTERFACE_FD_CALL, device);
}

/* What was invalid for the recorder is invalid here: what came of it is in the trace. */
static int apply_request(struct interfaces *interfaces, unsigned int device)
{
	struct vhost *vhost = &interfaces->guest->device[device];
	bool calls = interfaces->request.request == VHOST_SET_BACKEND_REQ_FD;
	int err;

	if (calls)
		unwatch_calls(interfaces, device);
	err = vhost_apply(vhost, &interfaces->request);
	if (err && err != -EBADMSG)
		return err;
	return calls ? watch_calls(interfaces, device) : 0;
}

static int read_request(struct interfaces *interfaces, unsigned int device,
			struct interface_event *event)
{
	struct vhost *vhost = &interfaces->guest->device[device];
	int got, err;

	vhost_message_close(&interfaces->request);
	got = vhost_receive(vhost, &interfaces->request);
	if (!got || got == -ECONNRESET) {
		/* What its recorder wrote to it until it noticed is written here too. */
		unwatch_interface(interfaces, vhost->fd);
		return 0;
	}
	if (got == -EBADMSG)
		return receive_invalid(interfaces, vhost->fd, event);
	if (got < 0)
		return got == -EAGAIN ? 0 : got;
	event->kind = INTERFACE_REQUEST;
	event->request = &interfaces->request;
	err = apply_request(interfaces, device);
	return err ? err : 1;
}

static int read_called(struct interfaces *interfaces, unsigned int device,
		       struct interface_event *event)
{
	struct vhost *vhost = &interfaces->guest->device[device];
	int got = vhost_take_called(vhost, &event->value);

	if (got == -EBADMSG)
		return receive_invalid(interfaces, vhost->call_fd, event);
	if (!got)
		unwatch_interface(interfaces, vhost->call_fd);
	event->kind = INTERFACE_CALLED;
	return got == -EAGAIN ? 0 : got;
}

/* ---- Whatever comes next -------------------------------------------------------------------- */

static int read_entropy(struct interfaces *interfaces, struct interface_event *event)
{
	const struct sandbox *sandbox = &interfaces->guest->sandbox;
	int got = entropy_receive(sandbox, &event->entropy);

	event->kind = INTERFACE_ENTROPY;
	if (got != -EPIPE)
		return got;
	unwatch_interface(interfaces, sandbox->entropy_fd);
	return 0;
}

static int read_supervisor(struct interfaces *interfaces)
{
	struct sandbox *sandbox = &interfaces->guest->sandbox;
	int ended = sandbox_ended(sandbox, &interfaces->status, &interfaces->signal);

	if (ended != 1)
		return ended;
	unwatch_interface(interfaces, sandbox->supervisor_fd);
	interfaces->ended = true;
	return 0;
}

/* Returns 1 when @event is the guest's next move, 0 when there is more to wait for. */
static int handle_interface(struct interfaces *interfaces, enum interface interface,
			    struct interface_event *event)
{
	switch (interface) {
	case INTERFACE_FD_LISTEN:
		return accept_guest(interfaces);
	case INTERFACE_FD_TIME:
		return read_time(interfaces, false);
	case INTERFACE_FD_SUPERVISOR:
		return read_supervisor(interfaces);
	case INTERFACE_FD_ENTROPY:
		return read_entropy(interfaces, event);
	case INTERFACE_FD_STOP:
		event->signal = process_take_stop(interfaces->stop_fd);
		event->kind = INTERFACE_STOP;
		return event->signal != 0;
	case INTERFACE_FD_END:
		event->kind = INTERFACE_STOP;
		return 1;
	case INTERFACE_FD_PROBE:
		probe_drain(interfaces->probe);
		return 0;
	case INTERFACE_FD_DEVICE_LISTEN:
		return accept_device(interfaces, event->device, event);
	case INTERFACE_FD_DEVICE:
		return read_request(interfaces, event->device, event);
	case INTERFACE_FD_CALL:
		return read_called(interfaces, event->device, event);
	}
	return 0;
}

/*
 * What already came, in the order a recording has it: messages, end of the connection, end of the
 * process.
 */
static bool take_pending(struct interfaces *interfaces, struct interface_event *event)
{
	bool connected = interfaces->guest->time_fd >= 0;

	if (wire_input_take(&interfaces->guest->input, &event->message)) {
		event->kind = INTERFACE_MESSAGE;
		return true;
	}
	if (interfaces->left) {
		interfaces->left = false;
		event->kind = INTERFACE_LEFT;
		return true;
	}
	if (interfaces->ended && !connected) {
		event->kind = INTERFACE_EXIT;
		event->status = interfaces->status;
		event->signal = interfaces->signal;
		event->exceeded = interfaces->guest->sandbox.exceeded;
		return true;
	}
	return false;
}

/* The same for one interface that is ready; it stays so if something on the time socket comes
 * first. */
static int look_at(struct interfaces *interfaces, uint64_t ready, struct interface_event *event)
{
	enum interface interface = (enum interface)(uint32_t)ready;

	if (interface == INTERFACE_FD_ENTROPY || interface >= INTERFACE_FD_DEVICE_LISTEN) {
		int err = read_time(interfaces, false);

		if (err)
			return err;
		if (take_pending(interfaces, event))
			return 1;
	}
	event->device = (unsigned int)(ready >> 32);
	return handle_interface(interfaces, interface, event);
}

/* A guest whose console is full is blocked by us. */
static int drain_quietly(struct interfaces *interfaces, struct interface_event *event)
{
	int err = interfaces_drain_console(interfaces);

	event->kind = INTERFACE_FLOOD;
	return err ? err : interfaces->console.size > GUEST_CONSOLE_MAX;
}

int interfaces_next(struct interfaces *interfaces, enum interface_event_kind expected,
		    uint64_t timeout, struct interface_event *event)
{
	uint64_t since = 0;
	int err = 0;

	if (interfaces->has_kept) {
		*event = interfaces->kept;
		interfaces->has_kept = false;
		return 0;
	}
	*event = (struct interface_event){ 0 };
	if (take_pending(interfaces, event))
		return 0;
	/* Nearly always the guest does what was recorded: then only one descriptor is waited for.
	 */
	if (expected == INTERFACE_MESSAGE)
		err = read_time(interfaces, true);
	if (err)
		return err;
	while (!take_pending(interfaces, event)) {
		struct epoll_event ready;
		int count = epoll_wait(interfaces->epoll_fd, &ready, 1, QUIET_MS), got;

		if (count < 0 && errno != EINTR)
			return -errno;
		got = count == 1 ? look_at(interfaces, ready.data.u64, event)
				 : drain_quietly(interfaces, event);
		if (got)
			return got < 0 ? got : 0;
		/* What is ready but does not advance the replay is not counted: it may stay so. */
		if (!since)
			since = process_wall_ns();
		if (timeout && process_wall_ns() - since >= timeout) {
			event->kind = INTERFACE_SILENCE;
			return 0;
		}
	}
	return 0;
}

int interfaces_peek(struct interfaces *interfaces, enum interface_event_kind expected,
		    uint64_t timeout, struct interface_event *event)
{
	int err = interfaces_next(interfaces, expected, timeout, event);

	interfaces->kept = *event;
	interfaces->has_kept = !err;
	return err;
}
