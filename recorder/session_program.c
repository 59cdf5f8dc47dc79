// SPDX-License-Identifier: BSD-3-Clause
/*
 * Device programs of somebody else: between a guest's device and the program that simulates it.
 *
 * Requests go on as they are, replies come back, and both are recorded as those of the devices in
 * here are. What a program wrote to guest memory is found in the used rings, and recorded before
 * the guest is sent anything that lets it go on. A program interrupts a guest when it likes; the
 * guest is told while it is blocked: at once while it awaits the program's reply, or sleeps and the
 * program, or another guest that awaits its reply, has the token; else in the house's turn. What a
 * program says after a call waits until the guest has replied to that.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/process.h"
#include "recorder/session_program.h"

/* A program that has just made its socket does not listen yet. */
#define CONNECT_PATIENCE_NS (2 * NS_PER_S)

/* ---- The program itself ---------------------------------------------------------------------- */

int session_add_program(struct session *session, const struct session_program_options *options,
			size_t *number)
{
	struct session_program *program = calloc(1, sizeof(*program)), **grown;
	int err = 0;

	grown = realloc(session->program, (session->program_count + 1) * sizeof(*grown));
	if (grown)
		session->program = grown;
	if (!grown || !program) {
		free(program);
		return -ENOMEM;
	}
	program->session = session;
	program->options = *options;
	program->number = *number = session->program_count;
	session->program[session->program_count++] = program;
	if (options->time_fd >= 0)
		err = session_watch_fd(session, options->time_fd, SOURCE_PROGRAM_LISTEN, *number);
	if (!err && options->process >= 0)
		err = session_watch_fd(session, options->process, SOURCE_PROGRAM_END, *number);
	return err;
}

void session_programs_free(struct session *session)
{
	for (size_t i = 0; i < session->program_count; i++)
		free(session->program[i]);
	free(session->program);
}

void session_program_connect(struct session *session, size_t index)
{
	struct session_program *program = session->program[index];
	struct island *island = session->island[program->options.island];
	int fd, err;

	session_unwatch_fd(session, program->options.time_fd);
	fd = accept4(program->options.time_fd, NULL, NULL, SOCK_CLOEXEC);
	err = fd < 0 ? -errno : session_client_connect(session, island, fd, NULL, program);
	if (!err)
		return;
	diagnose(&session->result->diagnosis, EXIT_CANNOT, err, NULL,
		 "cannot accept the connection of the program %s: %s", program->options.name,
		 strerror(-err));
	session_finish(session, SESSION_FAULT);
}

/* Its sockets tell the rest; only who never came leaves none behind. */
void session_program_end(struct session *session, size_t index)
{
	struct session_program *program = session->program[index];
	siginfo_t info = { 0 };

	session_unwatch_fd(session, program->options.process);
	waitid(P_PIDFD, (id_t)program->options.process, &info, WEXITED | WNOHANG | WNOWAIT);
	if (program->joined || program->options.time_fd < 0 || !info.si_status)
		return;
	diagnose(&session->result->diagnosis, EXIT_CANNOT, -ECHILD,
		 "see what it printed; {time} in its command is the socket to connect to",
		 "the program %s ended with %s %d before it took part in time",
		 program->options.name, info.si_code == CLD_EXITED ? "exit status" : "signal",
		 info.si_status);
	session_finish(session, SESSION_FAULT);
}

bool program_link_is_of(const struct session_device *device, const struct session_program *program)
{
	return device->link && device->link->program == program;
}

/* ---- Devices come and go --------------------------------------------------------------------- */

static int stand_in_fire(struct device *device)
{
	device_unschedule(device);
	return 0;
}

static void stand_in_destroy(struct device *device)
{
	struct program_link *link = (struct program_link *)device;

	close_fd(&link->fd);
	vhost_close(&link->backend);
	free(link);
}

int session_add_program_device(struct session *session, size_t guest, unsigned int number,
			       size_t program)
{
	struct program_link *link = calloc(1, sizeof(*link));
	int err;

	if (!link)
		return -ENOMEM;
	link->program = session->program[program];
	link->class = (struct device_class){ .name = link->program->options.name,
					     .virtio_id = link->program->options.virtio_id,
					     .queues = VHOST_QUEUES_MAX,
					     .fire = stand_in_fire,
					     .destroy = stand_in_destroy };
	link->device = (struct device){ .class = &link->class, .due = WIRE_TIME_NEVER };
	link->fd = -1;
	link->backend = VHOST_NONE;
	err = session_add_device(session, guest, number, &link->device);
	session->guest[guest]->device[number].link = link;
	return err;
}

static int connect_patiently(const char *path, int *fd)
{
	uint64_t deadline = process_wall_ns() + CONNECT_PATIENCE_NS;
	const struct timespec pause = { .tv_nsec = 5 * NS_PER_MS };
	int err;

	for (;;) {
		err = wire_connect(path, fd);
		if ((err != -ECONNREFUSED && err != -ENOENT) || process_wall_ns() > deadline)
			return err;
		nanosleep(&pause, NULL);
	}
}

const char *session_program_attach(struct session_device *device)
{
	struct program_link *link = device->link;
	struct session_program *program = link->program;
	int err;

	if (program->failed)
		return program->problem;
	err = connect_patiently(program->options.socket, &link->fd);
	if (!err)
		err = session_watch_fd(device->session, link->fd, SOURCE_PROGRAM_REPLY,
				       device->index);
	if (!err)
		return NULL;
	snprintf(link->problem, sizeof(link->problem), "it cannot be reached at %.100s: %s",
		 program->options.socket, strerror(-err));
	return link->problem;
}

void program_link_watch(struct session_device *device, bool wanted)
{
	struct program_link *link = device->link;

	if (link->backend.fd < 0 || link->backend_watched == wanted)
		return;
	if (wanted)
		session_watch_fd(device->session, link->backend.fd, SOURCE_PROGRAM_CALL,
				 device->index);
	else
		session_unwatch_fd(device->session, link->backend.fd);
	link->backend_watched = wanted;
}

static void disconnect(struct session_device *device)
{
	struct program_link *link = device->link;

	program_link_watch(device, false);
	vhost_close(&link->backend);
	if (link->fd >= 0)
		session_unwatch_fd(device->session, link->fd);
	close_fd(&link->fd);
	link->call_held = link->reply_held = false;
}

void session_program_close(struct session_device *device)
{
	struct program_link *link = device->link;

	disconnect(device);
	link->pending = 0;
	link->failing = false;
	if (link->program->calling == device)
		link->program->calling = NULL;
}

/* ---- Is the guest blocked? ------------------------------------------------------------------- */

/* Does @guest await a reply of @program? */
static bool awaits_reply(const struct session_guest *guest, const struct session_program *program)
{
	for (size_t i = 0; i < guest->guest->spec->device_count; i++)
		if (program_link_is_of(&guest->device[i], program) &&
		    guest->device[i].link->pending)
			return true;
	return false;
}

/* Does whoever has the token wait for @program, so that nobody is run meanwhile? */
static bool has_token(const struct island *island, const struct session_program *program)
{
	const struct client *running;
	uint32_t handle;

	if (!calendar_running(island->calendar, &handle))
		return false;
	running = island->client[handle];
	return running->program == program ||
	       (running->guest && awaits_reply(running->guest, program));
}

bool program_link_is_blocked(const struct session_device *device)
{
	const struct session_guest *guest = device->guest;
	const struct island *island = guest->island;

	if (awaits_reply(guest, device->link->program))
		return true;
	if (!guest->client)
		return false;
	if (island->upstream)
		return guest->client->in_wait;
	return calendar_client_state(island->calendar, guest->client->handle) == CALENDAR_WAITING &&
	       has_token(island, device->link->program);
}

void program_link_hold(struct session_device *device)
{
	struct island *island = device->guest->island;
	uint64_t time = island_now(island);

	island->call_held = true;
	if (island->upstream)
		return;
	if (calendar_window_done(island->calendar) && time < calendar_window_end(island->calendar))
		time = calendar_window_end(island->calendar);
	device_schedule(&device->link->device, time);
}

void program_link_cut(struct session_device *device, const char *problem)
{
	struct program_link *link = device->link;

	if (device->ended || link->failing || !device->attached)
		return;
	if (problem != link->problem)
		snprintf(link->problem, sizeof(link->problem), "%s", problem);
	disconnect(device);
	if (device->calling)
		link->failing = true; /* looked at when the guest has replied */
	else if (program_link_is_blocked(device))
		session_device_end(device, link->problem);
	else {
		link->failing = true;
		program_link_hold(device);
	}
}

void session_program_fail(struct session_program *program, const char *problem)
{
	struct session *session = program->session;

	if (program->failed || session->over)
		return;
	program->failed = true;
	snprintf(program->problem, sizeof(program->problem), "%s", problem);
	if (program->client)
		session_client_leave(session, program->client);
	for (size_t i = 0; i < session->device_count; i++)
		if (program_link_is_of(session->device[i], program))
			program_link_cut(session->device[i], program->problem);
}

/* A program that was to take part in time, and has not even connected. */
static bool is_missing(const struct session_program *program)
{
	return program->options.time_fd >= 0 && !program->joined;
}

static void report_missing(struct session *session, const struct session_program *program)
{
	diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -ETIMEDOUT,
		 "see what it printed; {time} in its command is the socket to connect to",
		 "the program %s has not connected to take part in time", program->options.name);
	session_finish(session, SESSION_HUNG);
}

bool session_programs_hang(struct session *session)
{
	char wall[UNITS_TEXT], name[VHOST_NAME_TEXT], problem[VHOST_PROBLEM_TEXT];
	bool found = false;

	duration_short(session->options.hang_timeout, wall);
	for (size_t i = 0; i < session->device_count; i++) {
		struct program_link *link = session->device[i]->link;

		if (!link || !link->pending)
			continue;
		found = true;
		snprintf(problem, sizeof(problem), "no reply to %s for %s of wall time",
			 vhost_request_text(link->pending, name), wall);
		program_link_cut(session->device[i], problem);
	}
	for (size_t i = 0; i < session->program_count && !found; i++) {
		struct session_program *program = session->program[i];

		if (is_missing(program)) {
			report_missing(session, program);
			return true;
		}
		if (!program->client || !has_token(program->client->island, program))
			continue;
		found = true;
		snprintf(problem, sizeof(problem), "it has run for %s of wall time", wall);
		session_program_fail(program, problem);
	}
	if (found)
		session->last_message_wall = process_wall_ns();
	return found;
}
