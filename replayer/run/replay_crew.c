// SPDX-License-Identifier: BSD-3-Clause
/* The processes that replay guests: starts them by the plan, waits for them, ends them together. */
#include "replayer/run/replay_crew.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/process.h"
#include "replayer/run/replay_child.h"

/*
 * Guests that shared a CPU when they were recorded share it again, the same number at a time: while
 * the sandbox of one is opened or closed, another uses the CPU.
 */
#define LANE_ACTIVE 8

/* How long a process may take to end after its signal before it is killed. */
#define STOP_PATIENCE_MS 3000

struct worker {
	struct replay_guest *guest;
	size_t lane;
	pid_t pid; /* 0: not started, or done */
	bool done;
};

struct crew {
	const struct replay_options *options;
	struct worker *worker; /* lane by lane, in order */
	size_t count;
	size_t lanes;
	size_t active_max;	/* guests that may run at the same time */
	uint64_t deadline;	/* wall time; 0: none */
	bool late;		/* it is over */
	struct pollfd *watched; /* the process of each worker, and last: signals for us */
	size_t running;
	int signal;
};

static int start(struct crew *crew, struct worker *worker)
{
	int *watched = &crew->watched[worker - crew->worker].fd;
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		/* If the reporting process dies, none of its children may continue. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			replay_child(crew->options, worker->guest);
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	worker->pid = pid;
	crew->running++;
	*watched = pidfd_open(pid, 0);
	return *watched < 0 ? -errno : 0;
}

/* Start the next guests of a lane, as long as there is room for them. */
static int advance(struct crew *crew, size_t lane)
{
	unsigned int active = 0;
	int err = 0;

	for (size_t i = 0; !err && i < crew->count && active < LANE_ACTIVE; i++) {
		struct worker *worker = &crew->worker[i];

		if (worker->lane != lane || worker->done || crew->signal || crew->late)
			continue;
		if (!worker->pid && crew->running == crew->active_max)
			continue;
		if (!worker->pid)
			err = start(crew, worker);
		active++;
	}
	return err;
}

static void tell_late(const struct crew *crew, struct replay_outcome *outcome)
{
	char limit[UNITS_TEXT];

	if (outcome->finished)
		return;
	diagnose(&outcome->why, EXIT_CANNOT, -ETIME, "raise --max-wall",
		 "the limit of %s of wall time was reached",
		 duration_short(crew->options->max_wall, limit));
}

static void tell_killed(const struct crew *crew, struct replay_outcome *outcome, int status)
{
	if (crew->late)
		tell_late(crew, outcome);
	else if (!outcome->finished)
		diagnose(&outcome->why, EXIT_CANNOT, -ECHILD, "try again, with more free memory",
			 "the process that replayed it was killed by SIG%s",
			 WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "?");
}

static void reap(struct crew *crew, struct worker *worker)
{
	int status = 0;

	while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
		;
	close_fd(&crew->watched[worker - crew->worker].fd);
	worker->pid = 0;
	worker->done = true;
	crew->running--;
	tell_killed(crew, worker->guest->outcome, status);
}

/* Each ends its sandbox and then itself. */
static void stop_all(struct crew *crew, int signal)
{
	crew->signal = signal;
	for (size_t i = 0; signal && i < crew->count; i++)
		if (crew->worker[i].pid)
			kill(crew->worker[i].pid, signal);
}

/* Those that still compute after the signal are killed, and their guests with them. */
static void kill_all(struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++)
		if (crew->worker[i].pid)
			kill(crew->worker[i].pid, SIGKILL);
}

static int advance_all(struct crew *crew)
{
	int err = 0;

	for (size_t i = 0; !err && i < crew->lanes; i++)
		err = advance(crew, i);
	return err;
}

/* Wall time is over: those that run end, and those that have not begun never do. */
static void end_late(struct crew *crew)
{
	crew->late = true;
	for (size_t i = 0; i < crew->count; i++)
		if (!crew->worker[i].pid && !crew->worker[i].done)
			tell_late(crew, crew->worker[i].guest->outcome);
	kill_all(crew);
}

/* How long to wait for something, ms; -1: for ever. */
static int patience(const struct crew *crew)
{
	uint64_t now = process_wall_ns(), left;

	if (crew->signal)
		return STOP_PATIENCE_MS;
	if (!crew->deadline || crew->late)
		return -1;
	left = now < crew->deadline ? (crew->deadline - now) / 1000000 + 1 : 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}

static int reap_ended(struct crew *crew)
{
	bool any = false;

	for (size_t i = 0; i < crew->count; i++) {
		if (crew->watched[i].fd < 0 || !crew->watched[i].revents)
			continue;
		reap(crew, &crew->worker[i]);
		any = true;
	}
	return any ? advance_all(crew) : 0;
}

static int wait_for_all(struct crew *crew)
{
	int err = 0;

	while (!err && crew->running) {
		int ready = poll(crew->watched, crew->count + 1, patience(crew));

		if (ready < 0) {
			err = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (!ready && crew->signal)
			kill_all(crew);
		else if (crew->deadline && !crew->late && process_wall_ns() >= crew->deadline)
			end_late(crew);
		err = reap_ended(crew);
		if (crew->watched[crew->count].revents)
			stop_all(crew, process_take_stop(crew->watched[crew->count].fd));
	}
	return err;
}

static void end_all(struct crew *crew)
{
	for (size_t i = 0; i < crew->count; i++) {
		if (!crew->worker[i].pid)
			continue;
		kill(crew->worker[i].pid, SIGTERM);
		if (crew->watched[i].fd >= 0 && poll(&crew->watched[i], 1, STOP_PATIENCE_MS) <= 0)
			kill(crew->worker[i].pid, SIGKILL);
		reap(crew, &crew->worker[i]);
	}
}

static int gather(struct crew *crew, const struct replay_plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->lane[i].count;
	crew->worker = calloc(count + 1, sizeof(*crew->worker));
	crew->watched = calloc(count + 1, sizeof(*crew->watched));
	if (!crew->worker || !crew->watched)
		return -ENOMEM;
	for (size_t i = 0; i <= count; i++)
		crew->watched[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->lane[i].count; k++)
			crew->worker[crew->count++] =
				(struct worker){ .guest = plan->lane[i].guest[k], .lane = i };
	return process_open_stop(&crew->watched[count].fd);
}

int replay_crew_run(const struct replay_options *options, const struct replay_plan *plan,
		    size_t active_max, int *signal)
{
	struct crew crew = { .options = options, .lanes = plan->count, .active_max = active_max };
	int err = gather(&crew, plan);

	if (options->max_wall)
		crew.deadline = process_wall_ns() + options->max_wall;
	if (!err)
		err = advance_all(&crew);
	if (!err)
		err = wait_for_all(&crew);
	end_all(&crew);
	if (crew.watched)
		close_fd(&crew.watched[crew.count].fd);
	free(crew.worker);
	free(crew.watched);
	*signal = crew.signal;
	return err;
}
