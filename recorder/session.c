// SPDX-License-Identifier: BSD-3-Clause
/* A recording's loop: waits for whatever comes next and hands it to the part that knows it. */
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "format/cleanup.h"
#include "format/units.h"
#include "kernel/process.h"
#include "recorder/session_internal.h"

#define EVENT_BATCH 64
/* Silence after which consoles are drained and limits looked at, although no message came. */
#define QUIET_MS 20

void session_finish(struct session *session, enum session_end end)
{
	if (session->over)
		return;
	session->over = true;
	session->result->end = end;
}

void session_record(struct session *session, const struct trace_record *record)
{
	uint64_t number = 0;
	int err;

	if (!session->writer)
		return;
	err = trace_writer_append(session->writer, record, &number);
	session->result->records = number + 1;
	if (err && !session->over) {
		diagnose(&session->result->diagnosis, EXIT_CANNOT, err,
			 "make room and record again; what was written is a valid trace",
			 "cannot write the trace: %s", strerror(-err));
		session_finish(session, SESSION_STORAGE);
	}
}

int session_watch_fd(struct session *session, int fd, enum source_kind kind, size_t index)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)kind << 32 | index };

	return epoll_ctl(session->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int watch_stop(struct session *session)
{
	int err = process_open_stop(&session->stop_fd);

	return err ? err : session_watch_fd(session, session->stop_fd, SOURCE_STOP, 0);
}

int session_create(const struct session_options *options, struct trace_writer *writer,
		   struct watch *watch, struct session **out)
{
	struct session *session = calloc(1, sizeof(*session));
	int err;

	if (!session)
		return -ENOMEM;
	session->options = *options;
	session->writer = writer;
	session->watch = watch;
	session->stop_fd = session->listen_fd = -1;
	session->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = session->epoll_fd < 0 ? -errno
				    : calendar_create(&options->calendar, &session->calendar);
	if (!err)
		err = watch_stop(session);
	if (err)
		session_destroy(session);
	else
		*out = session;
	return err;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	for (size_t i = 0; i < session->client_count; i++) {
		/* That of a guest is the guest's. */
		if (session->client[i] && session->client[i]->connected &&
		    !session->client[i]->guest)
			close(session->client[i]->fd);
		free(session->client[i]);
	}
	for (size_t i = 0; i < session->guest_count; i++) {
		entropy_stream_destroy(session->guest[i].entropy);
		free(session->guest[i].console);
	}
	free(session->client);
	free(session->guest);
	calendar_destroy(session->calendar);
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

int session_add_guest(struct session *session, struct guest *guest)
{
	struct session_guest *grown;
	size_t index = session->guest_count;
	int err;

	grown = realloc(session->guest, (index + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	session->guest = grown;
	grown[index] = (struct session_guest){ .guest = guest, .index = (uint32_t)index };
	err = entropy_stream_create(session->options.seed, guest->spec->id, &grown[index].entropy);
	if (err)
		return err;
	session->guest_count++;
	session->guests_left++;
	err = session_watch_fd(session, guest->room.keeper_fd, SOURCE_KEEPER, index);
	if (!err)
		err = session_watch_fd(session, guest->room.listen_fd, SOURCE_LISTEN, index + 1);
	if (!err && guest->room.entropy_fd >= 0)
		err = session_watch_fd(session, guest->room.entropy_fd, SOURCE_ENTROPY, index);
	return err;
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
	err = fd < 0 ? -errno : session_client_connect(session, fd, NULL);
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
		session_client_readable(session, index);
		break;
	case SOURCE_ENTROPY:
		session_guest_entropy(session, index);
		break;
	case SOURCE_KEEPER:
		session_guest_keeper(session, index);
		break;
	}
}

static void report_hang(struct session *session)
{
	char wall[UNITS_TEXT], time[UNITS_TEXT];
	uint32_t client;
	bool running = calendar_running(session->calendar, &client);

	diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -ETIMEDOUT,
		 "raise --hang-timeout if it only needs longer; else look where it spins: it never "
		 "gives "
		 "the time back",
		 running ? "client %" PRIu64
			   " has run for %s of wall time without a message at t=%s s"
			 : "client %" PRIu64 " has not spoken for %s of wall time at t=%s s",
		 running ? calendar_client_id(session->calendar, client) : 0,
		 duration_short(session->options.hang_timeout, wall),
		 duration_exact(calendar_now(session->calendar), time));
	session_finish(session, SESSION_HUNG);
}

static void report_wall_limit(struct session *session)
{
	char wall[UNITS_TEXT], time[UNITS_TEXT];

	diagnose(&session->result->diagnosis, EXIT_DIVERGED, -ETIME, "raise --limit-wall",
		 "the limit of %s of wall time was reached at t=%s s",
		 duration_short(session->options.limit_wall, wall),
		 duration_exact(calendar_now(session->calendar), time));
	session_finish(session, SESSION_LIMIT);
}

/* A client that runs, or a guest that has not even connected. */
static bool somebody_owes_a_message(struct session *session)
{
	uint32_t client;

	return calendar_running(session->calendar, &client) ||
	       (session->guests_left && !session->clients_seen);
}

/* What does not depend on a message: consoles of silent guests, limits, the status line. */
static void look_around(struct session *session, bool quiet)
{
	uint64_t now = process_wall_ns();

	for (size_t i = 0; quiet && i < session->guest_count; i++)
		session_guest_peek_console(session, &session->guest[i]);
	if (session->options.limit_wall && now - session->start_wall >= session->options.limit_wall)
		report_wall_limit(session);
	if (quiet && session->options.hang_timeout && somebody_owes_a_message(session) &&
	    now - session->last_message_wall >= session->options.hang_timeout)
		report_hang(session);
	status_line_update(&session->status, now - session->start_wall,
			   calendar_now(session->calendar), session->result->messages);
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
	struct trace_record record = { .kind = TRACE_wall, .now = calendar_now(session->calendar) };

	record.wall.elapsed = session->result->wall_ns;
	session_record(session, &record);
	if (session->result->diagnosis.status)
		session_note(session, &session->result->diagnosis);
}

int session_run(struct session *session, struct session_result *result)
{
	struct epoll_event events[EVENT_BATCH];
	unsigned int rounds = 0;

	*result = (struct session_result){ .end = SESSION_DONE };
	session->result = result;
	session->start_wall = session->last_message_wall = process_wall_ns();
	status_line_init(&session->status, session->options.show_status);
	while (!session->over) {
		int count = epoll_wait(session->epoll_fd, events, EVENT_BATCH, QUIET_MS);

		for (int i = 0; i < count && !session->over; i++)
			handle_event(session, events[i].data.u64);
		/* Limits are in the order of seconds: every so many rounds is often enough. */
		if (count <= 0 || !(++rounds % 256))
			look_around(session, count <= 0);
		check_done(session);
	}
	for (size_t i = 0; i < session->guest_count; i++)
		session_guest_console(session, &session->guest[i]);
	status_line_clear(&session->status);
	result->virtual_ns = calendar_now(session->calendar);
	result->wall_ns = process_wall_ns() - session->start_wall;
	record_end(session);
	return 0;
}
