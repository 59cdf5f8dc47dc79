// SPDX-License-Identifier: BSD-3-Clause
/* ttrec serve: the scheduler alone, for guests and simulators that are started elsewhere. */
#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "format/text/trace_open.h"
#include "kernel/host/process.h"
#include "recorder/report/run_report.h"
#include "recorder/run/run_trace.h"
#include "recorder/serve/serve_net.h"
#include "recorder/ttrec/ttrec.h"

int ttrec_listen(const char *path, int *fd, struct diagnosis *why)
{
	int err = wire_listen(path, fd);

	if (err == -ENAMETOOLONG)
		return diagnose(why, EXIT_CANNOT, err, "choose a shorter path",
				"the socket path %s is too long: a UNIX socket takes %zu bytes",
				path, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	if (err == -EADDRINUSE)
		return diagnose(why, EXIT_CANNOT, err,
				"another scheduler listens there: choose another path, or remove a "
				"stale socket",
				"the socket path %s is in use", path);
	if (err)
		return diagnose(why, exit_status_of_file(err), err,
				"check the directory and its permissions",
				"cannot listen at %s: %s", path, strerror(-err));
	return 0;
}

/* With --cpu the scheduler stays on that CPU and the writer's thread off it. */
static int open_trace(const struct run_options *options, struct trace_output *output,
		      struct trace_writer **writer)
{
	cpu_set_t allowed;
	int err;

	if (options->cpu >= 0 && !cpu_allowed(&allowed))
		cpu_avoid(&allowed, (unsigned int)options->cpu);
	err = run_trace_create(options, 0, output, writer);
	if (!err && options->cpu >= 0)
		err = cpu_pin((unsigned int)options->cpu, NULL);
	cpu_wait_politely();
	return err;
}

static int prepare(const struct run_options *options, struct trace_output *output,
		   struct trace_writer **writer, struct session **session, int *fd,
		   struct diagnosis *why)
{
	int err = ttrec_listen(options->socket, fd, why);
	size_t partition;

	if (err)
		return err;
	err = open_trace(options, output, writer);
	if (err)
		return trace_output_diagnose(options->output, err, why);
	err = session_create(&options->session, *writer, session);
	if (!err && options->upstream)
		err = session_add_upstream(*session, options->upstream, &partition);
	else if (!err)
		err = session_add_partition(*session, options->session.calendar.expected,
					    &partition);
	if (!err)
		err = session_listen(*session, *fd);
	if (err)
		return diagnose(why, EXIT_CANNOT, err, NULL, "cannot start: %s", strerror(-err));
	*fd = -1; /* the session's now */
	return 0;
}

int ttrec_record_clients(struct run_options *options)
{
	struct trace_output output = TRACE_OUTPUT_NONE;
	struct trace_writer_stat stat = { 0 };
	struct session_result result = { 0 };
	struct trace_writer *writer = NULL;
	struct session *session = NULL;
	struct diagnosis why = { 0 };
	struct run_report report = { .options = options, .result = &result, .trace = &stat };
	struct findings found = { 0 };
	auto_fd fd = -1;
	int status, err;
	bool listening, kept;

	process_hold_stop();
	process_watch("ttrec");
	if (options->session.limit_wall != RUN_UNSET)
		process_watch_limit(options->session.limit_wall);
	err = prepare(options, &output, &writer, &session, &fd, &why);
	listening = fd >= 0 || !err;
	if (err) {
		status = diagnosis_print(&why, "ttrec");
	} else {
		process_watch_limit(options->session.limit_wall);
		session_run(session, &result);
		process_watch_limit(0);
		session_destroy(take_pointer(session));
		run_trace_close(options, take_pointer(writer), &result, &stat);
		kept = options->output && run_trace_keep(options, &output, &result);
		status = run_judge(&report, &found);
		run_report_print(&report, status, &found, kept);
		findings_release(&found);
	}
	if (listening)
		unlink(options->socket);
	session_destroy(session);
	trace_writer_close(writer, NULL);
	trace_output_discard(&output);
	return status;
}

/* 100 us is what usfstl's controller has, too. */
#define NET_DELAY (100 * NS_PER_US)

/* Where guests connect, and the process behind it: one more client. */
static int start_net(struct run_options *options, int *fd, pid_t *net, struct diagnosis *why)
{
	uint64_t delay = options->net_delay == RUN_UNSET ? NET_DELAY : options->net_delay;
	int err = ttrec_listen(options->net, fd, why);

	if (err)
		return err;
	options->session.calendar.expected++;
	err = serve_net_start(*fd, options->socket, delay, net);
	return err ? diagnose(why, EXIT_CANNOT, err, NULL, "cannot start the network: %s",
			      strerror(-err))
		   : 0;
}

int ttrec_serve(int argc, char **argv)
{
	struct run_options options;
	struct diagnosis why = { 0 };
	auto_fd fd = -1;
	pid_t net = 0;
	int status;

	serve_options_parse(argc, argv, &options);
	if (options.net && start_net(&options, &fd, &net, &why))
		status = diagnosis_print(&why, "ttrec");
	else
		status = ttrec_record_clients(&options);
	serve_net_stop(net);
	if (fd >= 0)
		unlink(options.net);
	return status;
}
