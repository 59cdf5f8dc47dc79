// SPDX-License-Identifier: BSD-3-Clause
/* A recording's loop: waits for whatever comes next and hands it to the part that knows it. */
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "format/base/cleanup.h"
#include "format/base/printable.h"
#include "format/base/units.h"
#include "kernel/guest/guest_processes.h"
#include "kernel/host/process.h"
#include "recorder/session_internal.h"

#define EVENT_BATCH 64
/* How often consoles are drained and limits looked at, whether or not messages come. */
#define LOOK_MS 20
#define LOOK_NS (LOOK_MS * 1000000ull)
/* How long a client that waits for nothing may take to leave. */
#define IDLE_PATIENCE_NS 1000000000ull

void session_finish(struct session *session, enum session_end end)
{
	if (session->over)
		return;
	session->over = true;
	session->result->end = end;
}

static void report_storage(struct session *session, int err)
{
	if (session->over)
		return;
	/* Closing the trace says more. */
	diagnose(&session->result->diagnosis, EXIT_CANNOT, err, NULL, "cannot write the trace: %s",
		 strerror(-err));
	session_finish(session, SESSION_STORAGE);
}

void session_record(struct session *session, const struct island *island,
		    const struct trace_record *record)
{
	int err;

	if (!session->weave)
		return;
	err = weave_add(session->weave, island ? island->number : 0, record);
	session->result->records = weave_written(session->weave);
	if (err)
		report_storage(session, err);
}

/* The furthest that anybody has come, ns. */
static uint64_t session_now(const struct session *session)
{
	uint64_t now = 0;

	for (size_t i = 0; i < session->island_count; i++) {
		uint64_t time = island_now(session->island[i]);

		if (time > now)
			now = time;
	}
	return now;
}

uint64_t island_now(const struct island *island)
{
	return island->upstream ? island->now : calendar_now(island->calendar);
}

int session_watch_fd(struct session *session, int fd, enum source_kind kind, size_t index)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)kind << 32 | index };

	return epoll_ctl(session->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

void session_unwatch_fd(struct session *session, int fd)
{
	epoll_ctl(session->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int watch_stop(struct session *session)
{
	int err = process_open_stop(&session->stop_fd);

	return err ? err : session_watch_fd(session, session->stop_fd, SOURCE_STOP, 0);
}

int session_create(const struct session_options *options, struct trace_writer *writer,
		   struct session **out)
{
	struct session *session = calloc(1, sizeof(*session));
	int err;

	if (!session)
		return -ENOMEM;
	session->options = *options;
	session->writer = writer;
	session->lookahead = WIRE_TIME_NEVER;
	session->stop_fd = session->listen_fd = -1;
	session->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = session->epoll_fd < 0 ? -errno : watch_stop(session);
	if (err)
		session_destroy(session);
	else
		*out = session;
	return err;
}

static void destroy_guest(struct session_guest *guest)
{
	for (size_t i = 0; guest->device && i < guest->guest->spec->device_count; i++) {
		struct device *device = guest->device[i].device;

		if (device)
			device->class->destroy(device);
		free(guest->device[i].taken);
		free(guest->device[i].origins);
	}
	entropy_stream_destroy(guest->entropy);
	free(guest->device);
	free(guest->console);
	free(guest);
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	for (size_t i = 0; i < session->client_count; i++) {
		/* That of a guest is the guest's. */
		if (session->client[i]->connected && !session->client[i]->guest)
			close(session->client[i]->fd);
		if (session->client[i]->connected)
			close_fd(&session->client[i]->upstream_fd);
		free(session->client[i]);
	}
	session_window_release(session);
	for (size_t i = 0; i < session->guest_count; i++)
		destroy_guest(session->guest[i]);
	session_programs_free(session);
	free(session->client);
	free(session->guest);
	free(session->device);
	weave_destroy(session->weave);
	close_fd(&session->listen_fd);
	close_fd(&session->stop_fd);
	close_fd(&session->epoll_fd);
	free(session);
}

/* A client is a descriptor; the usual soft limit of 1024 is for programs that use select(2). */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int session_listen(struct session *session, int fd)
{
	int err;

	raise_descriptor_limit();
	err = session_watch_fd(session, fd, SOURCE_LISTEN, 0);
	if (!err)
		session->listen_fd = fd;
	return err;
}

void session_watch(struct session *session, struct watch *watch)
{
	session->watch = watch;
}

const struct session_guest_result *session_guest_result(const struct session *session, size_t guest)
{
	return &session->guest[guest]->result;
}

static void handle_stop(struct session *session)
{
	int signal = process_take_stop(session->stop_fd);

	if (!signal)
		return;
	session->result->signal = signal;
	diagnose(&session->result->diagnosis, EXIT_DIVERGED, -EINTR, NULL, "stopped by SIG%s",
		 sigabbrev_np(signal));
	session_finish(session, SESSION_SIGNAL);
}

static void handle_listen(struct session *session, size_t index)
{
	int fd, err;

	if (index) {
		session_guest_connect(session, index - 1);
		return;
	}
	fd = accept4(session->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	err = fd < 0 ? -errno : session_client_connect(session, session->island[0], fd, NULL, NULL);
	if (!err || err == -ECONNABORTED || err == -EINTR)
		return;
	if (fd >= 0)
		close(fd);
	diagnose(&session->result->diagnosis, EXIT_CANNOT, err,
		 err == -EMFILE ? "raise the limit of open files (ulimit -Hn)" : NULL,
		 "cannot take client number %zu: %s", session->clients_seen + 1, strerror(-err));
	session_finish(session, SESSION_FAULT);
}

static void handle_event(struct session *session, uint64_t data)
{
	size_t index = (uint32_t)data;

	switch ((enum source_kind)(data >> 32)) {
	case SOURCE_STOP:
		handle_stop(session);
		break;
	case SOURCE_LISTEN:
		handle_listen(session, index);
		break;
	case SOURCE_CLIENT:
		session_client_readable(session, session->client[index]);
		break;
	case SOURCE_CONSOLE:
		break; /* handle_events() */
	case SOURCE_ENTROPY:
		session_guest_entropy(session, index);
		break;
	case SOURCE_KEEPER:
		session_guest_keeper(session, index);
		break;
	case SOURCE_DEVICE_LISTEN:
		session_device_connect(session, index);
		break;
	case SOURCE_DEVICE:
		session_device_readable(session, index);
		break;
	case SOURCE_CALLED:
		session_device_called(session, index);
		break;
	case SOURCE_PROGRAM_LISTEN:
		session_program_connect(session, index);
		break;
	case SOURCE_PROGRAM_END:
		session_program_end(session, index);
		break;
	case SOURCE_PROGRAM_REPLY:
		session_program_reply(session, index);
		break;
	case SOURCE_PROGRAM_CALL:
		session_program_call(session, index);
		break;
	case SOURCE_UPSTREAM:
		session_upstream_readable(session, session->client[index]);
		break;
	case SOURCE_PROBE:
		session_probe_drain(session);
		break;
	}
}

/* A client whose message is due, before which no other of its island goes on; or NULL. */
static const struct client *owing_client(const struct session *session)
{
	for (size_t i = 0; i < session->island_count; i++) {
		const struct island *island = session->island[i];
		uint32_t handle;

		if (island->in_turn && island->device[island->turn]->calling)
			return island->device[island->turn]->guest->client;
		if (island->calendar && calendar_owes(island->calendar, &handle))
			return island->client[handle];
	}
	return NULL;
}

static bool has_token(const struct client *client)
{
	uint32_t running;

	return calendar_running(client->island->calendar, &running) && running == client->handle;
}

/* Who owes a message: a guest by its name, others by the id that they gave. */
static const char *client_text(const struct client *client, char text[96])
{
	uint64_t id = calendar_client_id(client->island->calendar, client->handle);

	if (!client->guest && id == WIRE_ID_NONE)
		snprintf(text, 96, "a client without an id");
	else if (!client->guest)
		snprintf(text, 96, "client %" PRIu64, id);
	else if (client->guest->session->guest_count > 1)
		snprintf(text, 96, "the guest %s", client->guest->guest->spec->name);
	else
		snprintf(text, 96, "the guest");
	return text;
}

/* It has not connected, or has left and lives on; with a scheduler of our own, not sent START. */
static bool is_silent(const struct session_guest *guest)
{
	const struct client *client = guest->client;

	if (guest->result.ended)
		return false;
	if (!client || !client->island->calendar)
		return !client;
	return calendar_client_state(client->island->calendar, client->handle) ==
	       CALENDAR_CONNECTED;
}

/* A guest, or a program that takes part in time, of which that is so; or NULL. */
static const char *find_silent(const struct session *session)
{
	for (size_t i = 0; i < session->guest_count; i++)
		if (is_silent(session->guest[i]))
			return session->guest[i]->guest->spec->name;
	for (size_t i = 0; i < session->program_count; i++)
		if (session->program[i]->options.time_fd >= 0 && !session->program[i]->joined)
			return session->program[i]->options.name;
	return NULL;
}

/* Which of its programs a guest that hangs has run, and where that is. */
static void describe_running(const struct client *running, char *text, size_t size)
{
	const struct guest *guest = running->guest ? running->guest->guest : NULL;
	auto_free struct guest_process *list = NULL;
	char name[GUEST_PROCESS_TEXT];
	const struct guest_process *process;
	size_t count;

	if (!guest || guest_processes_read(guest, &list, &count))
		return;
	process = guest_processes_stop(guest, list, count);
	if (process && process->ip)
		snprintf(text, size, ": its process %s computes at %#" PRIx64,
			 guest_process_text(process, name), process->ip);
	else if (process)
		snprintf(text, size, ": its process %s computes",
			 guest_process_text(process, name));
	else if (list->current && list->pid)
		snprintf(text, size, ": its kernel computes for %s",
			 guest_process_text(list, name));
}

/* Computing takes no virtual time, so no timer that the guest has can end it. */
static void report_hang(struct session *session, const struct client *owing, const char *silent)
{
	char wall[UNITS_TEXT], time[UNITS_TEXT], who[96], what[160] = "";

	if (owing && has_token(owing))
		describe_running(owing, what, sizeof(what));
	diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -ETIMEDOUT,
		 *what ? "raise --hang-timeout if it only needs longer; a program that only "
			 "computes is not interrupted, as that takes no virtual time: let it make "
			 "a system call in its loop, such as sched_yield(2)"
		       : "raise --hang-timeout if it only needs longer; else look where it spins: "
			 "it never gives the time back",
		 owing && has_token(owing)
			 ? "%s has run for %s of wall time without a message at t=%s s%s"
			 : "%s has not spoken for %s of wall time at t=%s s%s",
		 owing ? client_text(owing, who) : silent,
		 duration_short(session->options.hang_timeout, wall),
		 duration_exact(session_now(session), time), what);
	printable(session->result->diagnosis.what);
	session_finish(session, SESSION_HUNG);
}

static void report_wall_limit(struct session *session)
{
	char wall[UNITS_TEXT], time[UNITS_TEXT];

	diagnose(&session->result->diagnosis, EXIT_DIVERGED, -ETIME, "raise --limit-wall",
		 "the limit of %s of wall time was reached at t=%s s",
		 duration_short(session->options.limit_wall, wall),
		 duration_exact(session_now(session), time));
	session_finish(session, SESSION_TIMEOUT);
}

/* A client that runs, or a guest that has not even connected, owes a message. */
static void check_hang(struct session *session, uint64_t now)
{
	const struct client *owing;
	const char *silent;

	if (!session->options.hang_timeout ||
	    now - session->last_message_wall < session->options.hang_timeout)
		return;
	silent = find_silent(session);
	owing = silent ? NULL : owing_client(session);
	if ((owing || silent) && !session_programs_hang(session))
		report_hang(session, owing, silent);
}

/* Only such as have no id, as simulators of a medium: those that they served have left. */
static bool only_servers_are_left(const struct session *session, const struct island *island)
{
	for (size_t i = 0; i < island->client_count; i++) {
		const struct client *client = island->client[i];

		if (client && client->connected &&
		    calendar_client_id(island->calendar, client->handle) != WIRE_ID_NONE)
			return false;
	}
	return session->clients_left < session->clients_seen;
}

/*
 * Nobody has an event. Our own guests never leave without one; clients that others started come and
 * go, and what they do next is not known.
 */
void session_idle(struct session *session, const struct island *island)
{
	if (session->guest_count)
		session_report_deadlock(session);
	else if (only_servers_are_left(session, island))
		session_finish(session, SESSION_DONE);
	else
		session->idle_since = process_wall_ns();
}

/* What does not depend on a message: consoles of silent guests, limits, the status line. */
static void look_around(struct session *session)
{
	uint64_t now = process_wall_ns();

	if (now - session->looked_wall < LOOK_NS)
		return;
	session->looked_wall = now;
	for (size_t i = 0; i < session->guest_count; i++)
		session_guest_peek_console(session, session->guest[i]);
	if (session->options.limit_wall && now - session->start_wall >= session->options.limit_wall)
		report_wall_limit(session);
	if (session->idle_since && now - session->idle_since >= IDLE_PATIENCE_NS)
		session_report_deadlock(session);
	else
		check_hang(session, now);
	status_line_update(&session->status, now - session->start_wall, session_now(session),
			   session->result->messages);
}

/* Somebody who only connected and left, a probe, is not yet a simulation that has ended. */
static void check_done(struct session *session)
{
	if (!session->guests_left && !session->clients_left &&
	    (session->guest_count || session->admitted_any))
		session_finish(session, SESSION_DONE);
}

static void record_end(struct session *session)
{
	struct trace_record record = { .kind = TRACE_wall, .now = session->result->virtual_ns };
	int err = session->weave ? weave_write(session->weave, UINT64_MAX) : 0;

	if (err)
		report_storage(session, err);
	record.wall.elapsed = session->result->wall_ns;
	session_record(session, NULL, &record);
	if (session->result->diagnosis.status)
		session_note(session, &session->result->diagnosis);
	if (session->weave)
		weave_write(session->weave, UINT64_MAX);
	session->result->records = session->weave ? weave_written(session->weave) : 0;
}

/*
 * What a guest did first is handled first, in whichever order the host tells: it printed, it closed
 * a device, it sent a message, it kicked a device. All that was before something that is among the
 * events is among them, too, unless there are more than fit.
 */
static void handle_events(struct session *session, const struct epoll_event *events, int count)
{
	session->crowded = count == EVENT_BATCH;
	for (size_t i = 0; session->crowded && i < session->guest_count; i++)
		session->guest[i]->acted = true;
	for (int i = 0; i < count; i++) {
		uint32_t index = (uint32_t)events[i].data.u64;

		if (events[i].data.u64 >> 32 == SOURCE_CONSOLE)
			session->guest[index]->acted = true;
		if (events[i].data.u64 >> 32 == SOURCE_DEVICE && events[i].events & EPOLLHUP)
			session->device[index]->guest->acted = true;
	}
	for (int i = 0; i < count && !session->over; i++)
		if (events[i].data.u64 >> 32 == SOURCE_CLIENT)
			handle_event(session, events[i].data.u64);
	for (int i = 0; i < count && !session->over; i++)
		if (events[i].data.u64 >> 32 != SOURCE_CLIENT)
			handle_event(session, events[i].data.u64);
}

void session_observe(struct session *session, weave_observer *observer, void *context)
{
	session->observer = observer;
	session->observer_context = context;
}

static void loop(struct session *session)
{
	struct epoll_event events[EVENT_BATCH];
	bool more = false;

	while (!session->over) {
		int count = epoll_wait(session->epoll_fd, events, EVENT_BATCH, more ? 0 : LOOK_MS);

		handle_events(session, events, count);
		more = session_advance(session);
		look_around(session);
		check_done(session);
	}
}

/* By the host, wherever its guests were. */
static bool was_interrupted(const struct session *session)
{
	enum session_end end = session->result->end;

	return end == SESSION_SIGNAL || end == SESSION_TIMEOUT || end == SESSION_HUNG ||
	       end == SESSION_STORAGE;
}

int session_run(struct session *session, struct session_result *result)
{
	int err = 0;

	*result = (struct session_result){ .end = SESSION_DONE };
	session->result = result;
	session->start_wall = session->last_message_wall = process_wall_ns();
	if (session->writer)
		err = weave_create(session->island_count, session->writer, &session->weave);
	if (err)
		return err;
	if (session->weave)
		weave_observe(session->weave, session->observer, session->observer_context);
	status_line_init(&session->status, session->options.show_status);
	loop(session);
	if (session->weave && was_interrupted(session))
		weave_observe(session->weave, NULL, NULL);
	for (size_t i = 0; i < session->guest_count; i++) {
		session->guest[i]->acted = true;
		session_guest_console(session, session->guest[i]);
	}
	status_line_clear(&session->status);
	result->virtual_ns = session_now(session);
	result->wall_ns = process_wall_ns() - session->start_wall;
	record_end(session);
	return 0;
}
