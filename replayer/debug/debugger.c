// SPDX-License-Identifier: BSD-3-Clause
/* gdb on a guest that is replayed: started where the guest rests, asked how far it may go. */
#include "replayer/debug/debugger.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "format/base/cleanup.h"
#include "kernel/host/process.h"
#include "replayer/debug/debug_server.h"
#include "replayer/debug/gdb.h"

struct debugger {
	struct debugger_options options;
	struct gdb gdb;
	struct debug_server *server;
	int stop_fd; /* signals for us */
};

struct debugger *debugger_create(const struct debugger_options *options)
{
	struct debugger *debugger = calloc(1, sizeof(*debugger));

	if (debugger)
		*debugger =
			(struct debugger){ .options = *options, .gdb = GDB_NONE, .stop_fd = -1 };
	return debugger;
}

void debugger_destroy(struct debugger *debugger)
{
	if (!debugger)
		return;
	gdb_end(&debugger->gdb);
	debug_server_close(debugger->server);
	close_fd(&debugger->stop_fd);
	free(debugger);
}

bool debugger_runs(const struct debugger *debugger)
{
	return debugger->server;
}

bool debugger_pass(struct debugger *debugger, const struct trace_record *next)
{
	return debug_server_pass(debugger->server, next);
}

int debugger_end_fd(const struct debugger *debugger)
{
	return debugger->gdb.end_fd;
}

/* The server is opened last: what gdb asks before waits in its socket. */
static int start(struct debugger *debugger, struct diagnosis *why)
{
	const struct debugger_options *options = &debugger->options;
	int pair[2], err = process_open_stop(&debugger->stop_fd);

	if (!err && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		err = -errno;
	if (err)
		return err;
	err = gdb_start(&debugger->gdb, options->guest, options->arguments, pair[1], why);
	close(pair[1]);
	if (err) {
		close(pair[0]);
		return err;
	}
	process_leave_interrupt();
	options->guest->stopped_by_others = true;
	return debug_server_open(&(struct debug_server_options){ .trace = options->trace,
								 .guests = options->guests,
								 .count = options->count,
								 .guest = options->replayed,
								 .fd = pair[0],
								 .stop_fd = debugger->stop_fd,
								 .debugger = debugger->gdb.pid },
				 &debugger->server);
}

static int report_end(const struct debugger *debugger, struct diagnosis *why)
{
	if (debug_server_met(debugger->server))
		return 1;
	return diagnose(why, EXIT_CANNOT, -EPERM,
			"allow ptrace(2): kernel.yama.ptrace_scope 0 or 1, in a container the "
			"capability SYS_PTRACE",
			"gdb ended before it attached to %s", debugger->options.replayed->name);
}

/* Wait until gdb resumes the guest: 0, or ends, or this process must end: 1. */
static int await_resume(struct debugger *debugger, struct diagnosis *why)
{
	struct pollfd watched[] = { { .fd = debug_server_go_fd(debugger->server),
				      .events = POLLIN },
				    { .fd = debugger->gdb.end_fd, .events = POLLIN },
				    { .fd = debugger->stop_fd, .events = POLLIN } };

	while (poll(watched, ARRAY_SIZE(watched), -1) < 0)
		if (errno != EINTR)
			return -errno;
	if (watched[1].revents)
		return report_end(debugger, why);
	/* The signal stays pending for the replay. */
	if (watched[2].revents)
		return 1;
	debug_server_let_go(debugger->server);
	return 0;
}

int debugger_hold(struct debugger *debugger, const struct trace_record *next, const char *text,
		  struct diagnosis *why)
{
	bool running = debugger_runs(debugger);
	int err = running ? 0 : start(debugger, why);

	if (err)
		return err;
	if (next)
		debug_server_pass(debugger->server, next);
	do {
		debug_server_hold(debugger->server, text);
		/* gdb has it stop there, and does not let it have the signal. */
		if (running)
			kill(debugger->options.guest->sandbox.guest, SIGSTOP);
		running = true;
		err = await_resume(debugger, why);
	} while (!err && !next);
	return err;
}
