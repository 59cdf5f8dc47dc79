// SPDX-License-Identifier: BSD-3-Clause
/*
 * Assembles a recording: partitions, clients, guests, devices, programs. Its loop is
 * session_loop.c.
 */
#include "recorder/session/session.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "kernel/probe/probe.h"
#include "kernel/host/process.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/session_loop.h"
#include "recorder/session/session_window.h"

int session_create(const struct session_options *options, struct trace_writer *writer,
		   struct session **out)
{
	struct session *session = calloc(1, sizeof(*session));
	struct turn *turn;
	int err;

	if (!session)
		return -ENOMEM;
	turn = &session->turn;
	session->options = *options;
	session->writer = writer;
	session->listen_fd = session->stop_fd = -1;
	session->limits = (struct limits){ .limit_wall = options->limit_wall,
					   .hang_timeout = options->hang_timeout };
	turn->calendar = options->calendar;
	turn->window.lookahead = WIRE_TIME_NEVER;
	turn->effects.outcome = &turn->outcome;
	turn->guests.digest = options->digest;
	turn->guests.digest_every = options->digest_every;
	turn->guests.show = options->show_console;
	turn->guests.status = &session->status;
	err = sources_init(&session->sources, &turn->inbox);
	if (!err)
		err = process_open_stop(&session->stop_fd);
	if (!err)
		err = source_open(&session->sources, &session->stop, SOURCE_STOP, session->stop_fd,
				  NULL);
	if (err)
		session_destroy(session);
	else
		*out = session;
	return err;
}

void session_destroy(struct session *session)
{
	struct turn *turn;

	if (!session)
		return;
	turn = &session->turn;
	inbox_release(&turn->inbox);
	effects_release(&turn->effects);
	clients_release(&turn->clients);
	for (size_t i = 0; i < turn->partition_count; i++)
		partition_destroy(turn->partition[i]);
	free(turn->partition);
	window_release(&turn->window);
	session_guests_release(&turn->guests);
	for (size_t i = 0; i < turn->program_count; i++)
		session_program_destroy(turn->program[i]);
	free(turn->program);
	journal_close(&turn->journal);
	close_fd(&session->listen_fd);
	close_fd(&session->stop_fd);
	sources_release(&session->sources);
	free(session);
}

/* ---- Partitions and clients ----------------------------------------------------------------- */

static int add_partition(struct session *session, const struct calendar_options *options,
			 const char *upstream, size_t *number)
{
	struct turn *turn = &session->turn;
	struct partition *partition;
	int err = partition_create(options, upstream, &partition);

	if (err)
		return err;
	if (array_push(turn->partition, turn->partition_count, partition)) {
		partition_destroy(partition);
		return -ENOMEM;
	}
	partition->journal = &turn->journal;
	partition->effects = &turn->effects;
	partition->outcome = &turn->outcome;
	partition->number = *number = turn->partition_count - 1;
	return 0;
}

int session_add_partition(struct session *session, uint32_t expected, size_t *number)
{
	struct calendar_options options = session->options.calendar;

	options.expected = expected;
	return add_partition(session, &options, NULL, number);
}

int session_add_upstream(struct session *session, const char *path, size_t *number)
{
	return add_partition(session, NULL, path, number);
}

/* Each client takes a descriptor. The usual soft limit of 1024 only protects users of select(2). */
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
	err = source_open(&session->sources, &session->listen, SOURCE_LISTEN, fd,
			  session->turn.partition[0]);
	if (!err)
		session->listen_fd = fd;
	return err;
}

/* ---- Guests and devices --------------------------------------------------------------------- */

int session_add_guest(struct session *session, struct guest *guest,
		      const struct session_guest_options *options)
{
	struct session_guests *all = &session->turn.guests;
	struct partition *partition = session->turn.partition[options->partition];
	struct sources *sources = &session->sources;
	struct session_guest *added;
	int err = session_guest_create(all, guest, partition, options->seed);

	if (err)
		return err;
	added = all->guest[all->count - 1];
	added->watch = options->watch;
	added->ci_console = options->ci_console;
	err = source_open(sources, &added->exit, SOURCE_EXIT, guest->sandbox.supervisor_fd, added);
	if (!err)
		err = source_open(sources, &added->listen, SOURCE_GUEST_LISTEN,
				  guest->sandbox.listen_fd, added);
	if (!err && guest->sandbox.entropy_fd >= 0)
		err = source_open(sources, &added->entropy_source, SOURCE_ENTROPY,
				  guest->sandbox.entropy_fd, added);
	if (!err)
		err = source_open(sources, &added->console_source, SOURCE_CONSOLE,
				  guest->sandbox.console_fd, added);
	return err;
}

static int listen_for_device(struct session *session, struct session_guest *guest,
			     unsigned int number)
{
	struct session_device *device = &guest->device[number];

	return source_open(&session->sources, &device->listen, SOURCE_DEVICE_LISTEN,
			   guest->guest->sandbox.device_fd[number], device);
}

int session_add_device(struct session *session, size_t guest_index, unsigned int number,
		       struct device *device)
{
	struct session_guest *guest = session->turn.guests.guest[guest_index];
	int err = session_device_init(&guest->device[number], guest, number, device);

	return err ? err : listen_for_device(session, guest, number);
}

int session_add_network(struct session *session, struct network *network,
			struct network_port *const *ports, struct device *const *devices,
			const size_t *partitions, size_t count)
{
	return window_add_network(&session->turn, network, ports, devices, partitions, count);
}

/* ---- Programs ------------------------------------------------------------------------------- */

int session_add_program(struct session *session, const struct session_program_options *options,
			size_t *number)
{
	struct turn *turn = &session->turn;
	struct session_program *program;
	int err = session_program_create(options, turn->program_count, &program);

	if (err)
		return err;
	*number = turn->program_count;
	if (array_push(turn->program, turn->program_count, program)) {
		session_program_destroy(program);
		return -ENOMEM;
	}
	if (options->time_fd >= 0)
		err = source_open(&session->sources, &program->listen, SOURCE_PROGRAM_LISTEN,
				  options->time_fd, program);
	if (!err && options->process >= 0)
		err = source_open(&session->sources, &program->exit, SOURCE_PROGRAM_EXIT,
				  options->process, program);
	return err;
}

int session_add_program_device(struct session *session, size_t guest_index, unsigned int number,
			       size_t program)
{
	struct session_guest *guest = session->turn.guests.guest[guest_index];
	int err = session_program_add_device(session->turn.program[program], guest, number);

	return err ? err : listen_for_device(session, guest, number);
}

/* ---- Observers ------------------------------------------------------------------------------ */

void session_watch(struct session *session, struct watch *watch)
{
	session->turn.guests.watch = watch;
}

int session_add_probe(struct session *session, struct probe *probe)
{
	session->turn.guests.probe = probe;
	return source_open(&session->sources, &session->probe, SOURCE_PROBE, probe_fd(probe),
			   probe);
}

void session_plan(struct session *session, const struct trace_record *records, size_t count)
{
	session->planned = records;
	session->planned_count = count;
}

void session_observe(struct session *session, merge_observer *observer, void *context)
{
	session->observer = observer;
	session->observer_context = context;
}

uint64_t session_program_unprompted(const struct session *session, size_t program)
{
	return session->turn.program[program]->unprompted;
}

const struct session_guest_result *session_guest_result(const struct session *session, size_t guest)
{
	return &session->turn.guests.guest[guest]->result;
}
