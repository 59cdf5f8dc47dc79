// SPDX-License-Identifier: BSD-3-Clause
/* Where a debugger asks where the guest is in its trace: a thread that answers packets of text. */
#include "replayer/debug/debug_server.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "format/base/cleanup.h"
#include "format/text/trace_open.h"
#include "format/base/units.h"

#define PACKET_MAX (4 * PATH_MAX)
/* Records that are shown around one. */
#define AROUND_MAX 10000

struct debug_server {
	char trace[PATH_MAX], ttdump[PATH_MAX]; /* which the debugger may be elsewhere from */
	struct replay_guest *guests; /* a copy: of them only the debugged one is wanted */
	size_t count;
	uint32_t index; /* of the debugged one */
	const char *name;
	int fd, stop_fd, go_fd;
	pid_t debugger;
	pthread_t thread;
	/* What both threads use: */
	pthread_mutex_t mutex;
	uint64_t record, now; /* of what comes next */
	uint64_t limit;
	bool held, met;
	char text[2 * CURSOR_WHY];
};

/* ---- Questions ------------------------------------------------------------------------------ */

/* Fills the answer with what follows "ok ", or returns -errno with the diagnosis filled. */
typedef int answer(struct debug_server *server, const char *argument, char text[PACKET_MAX],
		   struct diagnosis *why);

static int answer_hello(struct debug_server *server, const char *argument, char text[PACKET_MAX],
			struct diagnosis *why)
{
	(void)argument;
	(void)why;
	pthread_mutex_lock(&server->mutex);
	server->met = true;
	pthread_mutex_unlock(&server->mutex);
	snprintf(text, PACKET_MAX, "%s\t%s\t%s", server->name, server->ttdump, server->trace);
	return 0;
}

static int answer_where(struct debug_server *server, const char *argument, char text[PACKET_MAX],
			struct diagnosis *why)
{
	(void)argument;
	(void)why;
	pthread_mutex_lock(&server->mutex);
	snprintf(text, PACKET_MAX, "%" PRIu64 " %" PRIu64 " %d %s", server->record, server->now,
		 server->held, server->text);
	pthread_mutex_unlock(&server->mutex);
	return 0;
}

static int find(struct debug_server *server, const struct until *until, uint64_t *record,
		struct diagnosis *why)
{
	struct until_scope scope = { .guest = server->guests,
				     .count = server->count,
				     .here = server->index };
	struct trace_reader *reader = NULL;
	int err = trace_open(server->trace, &reader, why);

	pthread_mutex_lock(&server->mutex);
	scope.first = server->record + 1;
	scope.now = server->now;
	pthread_mutex_unlock(&server->mutex);
	if (!err)
		err = until_find(until, &scope, reader, record, why);
	trace_reader_close(reader);
	return err;
}

static int answer_find(struct debug_server *server, const char *argument, char text[PACKET_MAX],
		       struct diagnosis *why)
{
	struct until until;
	uint64_t record;
	int err = until_parse(argument, &until, why);

	if (!err)
		err = find(server, &until, &record, why);
	if (!err)
		snprintf(text, PACKET_MAX, "%" PRIu64, record);
	return err;
}

static int answer_go(struct debug_server *server, const char *argument, char text[PACKET_MAX],
		     struct diagnosis *why)
{
	const uint64_t one = 1;
	uint64_t limit;

	(void)why;
	if (count_parse(argument, &limit))
		return -EINVAL;
	pthread_mutex_lock(&server->mutex);
	server->limit = limit;
	if (server->held && write(server->go_fd, &one, sizeof(one)) < 0)
		server->limit = UINT64_MAX; /* it has been let go already */
	pthread_mutex_unlock(&server->mutex);
	*text = '\0';
	return 0;
}

/* The last @count records of the guest before @record, and as many from there on. */
static int find_around(struct trace_reader *reader, uint64_t record, uint64_t count, uint64_t *ring,
		       uint64_t range[2])
{
	struct trace_record next;
	uint64_t before = 0, after = 0;
	int got = 1;

	range[0] = range[1] = record;
	while (after < count && (got = trace_reader_next(reader, &next)) == 1) {
		if (next.number < record)
			ring[before++ % count] = next.number;
		else if (after++ < count)
			range[1] = next.number;
	}
	if (before)
		range[0] = before < count ? ring[0] : ring[before % count];
	return got == -EPIPE || got == -EBADMSG ? 0 : got < 0 ? got : 0;
}

static int answer_around(struct debug_server *server, const char *argument, char text[PACKET_MAX],
			 struct diagnosis *why)
{
	auto_free uint64_t *ring = calloc(AROUND_MAX, sizeof(*ring));
	struct trace_reader *reader = NULL;
	uint64_t count, record, range[2];
	int err;

	if (number_parse(argument, 10, AROUND_MAX, &count) || !count)
		return diagnose(why, EXIT_USAGE, -EINVAL, NULL, "expected a number from 1 to %d",
				AROUND_MAX);
	pthread_mutex_lock(&server->mutex);
	record = server->record;
	pthread_mutex_unlock(&server->mutex);
	err = ring ? trace_open(server->trace, &reader, why) : -ENOMEM;
	if (!err)
		err = trace_reader_follow(reader, server->index);
	if (!err)
		err = trace_reader_seek(reader, 0);
	if (!err)
		err = find_around(reader, record, count, ring, range);
	if (!err)
		snprintf(text, PACKET_MAX, "%" PRIu64 " %" PRIu64, range[0], range[1]);
	trace_reader_close(reader);
	return err;
}

static const struct {
	const char *word;
	answer *answer;
} questions[] = {
	{ "hello", answer_hello }, { "where", answer_where },	{ "find", answer_find },
	{ "go", answer_go },	   { "around", answer_around },
};

/* ---- The thread ------------------------------------------------------------------------------ */

static void answer_packet(struct debug_server *server, char *packet, char reply[PACKET_MAX])
{
	const char *word = strsep(&packet, " ");
	struct diagnosis why = { 0 };
	char text[PACKET_MAX];
	int err = -EINVAL;

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		if (!strcmp(questions[i].word, word))
			err = questions[i].answer(server, packet ? packet : "", text, &why);
	if (!err)
		snprintf(reply, PACKET_MAX, "ok %.*s", PACKET_MAX - 8, text);
	else
		snprintf(reply, PACKET_MAX, "error %s%s%s", *why.what ? why.what : strerror(-err),
			 *why.advice ? "; " : "", why.advice);
}

static bool serve(struct debug_server *server)
{
	char packet[PACKET_MAX], reply[PACKET_MAX];
	ssize_t got = recv(server->fd, packet, sizeof(packet) - 1, 0);

	if (got <= 0)
		return got < 0 && errno == EINTR;
	packet[got] = '\0';
	answer_packet(server, packet, reply);
	send(server->fd, reply, strlen(reply), MSG_NOSIGNAL);
	return true;
}

static void *run_server(void *argument)
{
	struct debug_server *server = argument;
	struct pollfd watched[] = { { .fd = server->fd, .events = POLLIN },
				    { .fd = server->stop_fd, .events = POLLIN } };

	for (;;) {
		if (poll(watched, ARRAY_SIZE(watched), -1) < 0 && errno != EINTR)
			return NULL;
		if (watched[0].revents && !serve(server))
			return NULL;
		/* The signal stays pending for the replay. */
		if (watched[1].revents) {
			kill(server->debugger, SIGTERM);
			watched[1].fd = -1;
			watched[1].revents = 0;
		}
	}
}

/* The ttdump beside this program, else the one that is in PATH. */
static void find_paths(struct debug_server *server, const char *trace)
{
	ssize_t size = readlink("/proc/self/exe", server->ttdump, sizeof(server->ttdump) - 1);
	char *name = size > 0 ? memrchr(server->ttdump, '/', (size_t)size) : NULL;

	if (name)
		snprintf(name + 1, sizeof(server->ttdump) - (size_t)(name + 1 - server->ttdump),
			 "ttdump");
	if (!name || access(server->ttdump, X_OK))
		snprintf(server->ttdump, sizeof(server->ttdump), "ttdump");
	if (!realpath(trace, server->trace))
		snprintf(server->trace, sizeof(server->trace), "%s", trace);
}

int debug_server_open(const struct debug_server_options *options, struct debug_server **out)
{
	struct debug_server *server = calloc(1, sizeof(*server));
	size_t count = options->count;
	int err = 0;

	if (!server) {
		close(options->fd);
		return -ENOMEM;
	}
	*server = (struct debug_server){ .guests = calloc(count, sizeof(*server->guests)),
					 .count = count,
					 .index = options->guest->index,
					 .name = options->guest->name,
					 .fd = options->fd,
					 .stop_fd = options->stop_fd,
					 .debugger = options->debugger,
					 .go_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
					 .mutex = PTHREAD_MUTEX_INITIALIZER,
					 .limit = UINT64_MAX };
	find_paths(server, options->trace);
	for (size_t i = 0; server->guests && i < count; i++) {
		server->guests[i] = options->guests[i];
		server->guests[i].wanted = server->guests[i].index == server->index;
	}
	if (server->go_fd < 0)
		err = -errno;
	else if (!server->guests)
		err = -ENOMEM;
	else
		err = -pthread_create(&server->thread, NULL, run_server, server);
	if (!err) {
		*out = server;
		return 0;
	}
	close_fd(&server->fd);
	close_fd(&server->go_fd);
	free(server->guests);
	free(server);
	return err;
}

void debug_server_close(struct debug_server *server)
{
	if (!server)
		return;
	/* Wakes the thread, which ends. */
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close_fd(&server->fd);
	close_fd(&server->go_fd);
	free(server->guests);
	free(server);
}

/* ---- The cursor's side ----------------------------------------------------------------------- */

bool debug_server_pass(struct debug_server *server, const struct trace_record *next)
{
	bool hold;

	pthread_mutex_lock(&server->mutex);
	server->record = next->number;
	server->now = next->now;
	hold = next->number >= server->limit;
	pthread_mutex_unlock(&server->mutex);
	return hold;
}

void debug_server_hold(struct debug_server *server, const char *text)
{
	pthread_mutex_lock(&server->mutex);
	server->held = true;
	server->limit = UINT64_MAX;
	snprintf(server->text, sizeof(server->text), "%s", text);
	pthread_mutex_unlock(&server->mutex);
}

int debug_server_go_fd(const struct debug_server *server)
{
	return server->go_fd;
}

void debug_server_let_go(struct debug_server *server)
{
	uint64_t times;

	pthread_mutex_lock(&server->mutex);
	while (read(server->go_fd, &times, sizeof(times)) == sizeof(times))
		;
	server->held = false;
	pthread_mutex_unlock(&server->mutex);
}

bool debug_server_met(struct debug_server *server)
{
	bool met;

	pthread_mutex_lock(&server->mutex);
	met = server->met;
	pthread_mutex_unlock(&server->mutex);
	return met;
}
