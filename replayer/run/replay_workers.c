// SPDX-License-Identifier: BSD-3-Clause
/* The processes that replay guests: starts them by the plan, waits for them, ends them together. */
#include "replayer/run/replay_workers.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/process.h"

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

struct workers {
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

static int start(struct workers *workers, struct worker *worker)
{
	int *watched = &workers->watched[worker - workers->worker].fd;
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		/* If the reporting process dies, none of its children may continue. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			replay_child(workers->options, worker->guest);
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	worker->pid = pid;
	workers->running++;
	*watched = pidfd_open(pid, 0);
	return *watched < 0 ? -errno : 0;
}

/* Start the next guests of a lane, as long as there is room for them. */
static int advance(struct workers *workers, size_t lane)
{
	unsigned int active = 0;
	int err = 0;

	for (size_t i = 0; !err && i < workers->count && active < LANE_ACTIVE; i++) {
		struct worker *worker = &workers->worker[i];

		if (worker->lane != lane || worker->done || workers->signal || workers->late)
			continue;
		if (!worker->pid && workers->running == workers->active_max)
			continue;
		if (!worker->pid)
			err = start(workers, worker);
		active++;
	}
	return err;
}

static void report_late(const struct workers *workers, struct replay_outcome *outcome)
{
	char limit[UNITS_TEXT];

	if (outcome->finished)
		return;
	diagnose(&outcome->why, EXIT_CANNOT, -ETIME, "raise --max-wall",
		 "the limit of %s of wall time was reached",
		 duration_short(workers->options->max_wall, limit));
}

static void report_killed(const struct workers *workers, struct replay_outcome *outcome, int status)
{
	if (workers->late)
		report_late(workers, outcome);
	else if (!outcome->finished)
		diagnose(&outcome->why, EXIT_CANNOT, -ECHILD, "try again, with more free memory",
			 "the process that replayed it was killed by SIG%s",
			 WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "?");
}

static void reap(struct workers *workers, struct worker *worker)
{
	int status = 0;

	while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
		;
	close_fd(&workers->watched[worker - workers->worker].fd);
	worker->pid = 0;
	worker->done = true;
	workers->running--;
	report_killed(workers, worker->guest->outcome, status);
}

/* Each ends its sandbox and then itself. */
static void stop_all(struct workers *workers, int signal)
{
	workers->signal = signal;
	for (size_t i = 0; signal && i < workers->count; i++)
		if (workers->worker[i].pid)
			kill(workers->worker[i].pid, signal);
}

/* Those that still compute after the signal are killed, and their guests with them. */
static void kill_all(struct workers *workers)
{
	for (size_t i = 0; i < workers->count; i++)
		if (workers->worker[i].pid)
			kill(workers->worker[i].pid, SIGKILL);
}

static int advance_all(struct workers *workers)
{
	int err = 0;

	for (size_t i = 0; !err && i < workers->lanes; i++)
		err = advance(workers, i);
	return err;
}

/* Wall time is over: those that run end, and those that have not begun never do. */
static void end_late(struct workers *workers)
{
	workers->late = true;
	for (size_t i = 0; i < workers->count; i++)
		if (!workers->worker[i].pid && !workers->worker[i].done)
			report_late(workers, workers->worker[i].guest->outcome);
	kill_all(workers);
}

/* How long to wait for something, ms; -1: for ever. */
static int patience(const struct workers *workers)
{
	uint64_t now = process_wall_ns(), left;

	if (workers->signal)
		return STOP_PATIENCE_MS;
	if (!workers->deadline || workers->late)
		return -1;
	left = now < workers->deadline ? (workers->deadline - now) / 1000000 + 1 : 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}

static int reap_ended(struct workers *workers)
{
	bool any = false;

	for (size_t i = 0; i < workers->count; i++) {
		if (workers->watched[i].fd < 0 || !workers->watched[i].revents)
			continue;
		reap(workers, &workers->worker[i]);
		any = true;
	}
	return any ? advance_all(workers) : 0;
}

static int wait_for_all(struct workers *workers)
{
	int err = 0;

	while (!err && workers->running) {
		int ready = poll(workers->watched, workers->count + 1, patience(workers));

		if (ready < 0) {
			err = errno == EINTR ? 0 : -errno;
			continue;
		}
		if (!ready && workers->signal)
			kill_all(workers);
		else if (workers->deadline && !workers->late &&
			 process_wall_ns() >= workers->deadline)
			end_late(workers);
		err = reap_ended(workers);
		if (workers->watched[workers->count].revents)
			stop_all(workers, process_take_stop(workers->watched[workers->count].fd));
	}
	return err;
}

static void end_all(struct workers *workers)
{
	for (size_t i = 0; i < workers->count; i++) {
		if (!workers->worker[i].pid)
			continue;
		kill(workers->worker[i].pid, SIGTERM);
		if (workers->watched[i].fd >= 0 &&
		    poll(&workers->watched[i], 1, STOP_PATIENCE_MS) <= 0)
			kill(workers->worker[i].pid, SIGKILL);
		reap(workers, &workers->worker[i]);
	}
}

static int gather(struct workers *workers, const struct replay_plan *plan)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += plan->lane[i].count;
	workers->worker = calloc(count + 1, sizeof(*workers->worker));
	workers->watched = calloc(count + 1, sizeof(*workers->watched));
	if (!workers->worker || !workers->watched)
		return -ENOMEM;
	for (size_t i = 0; i <= count; i++)
		workers->watched[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->lane[i].count; k++)
			workers->worker[workers->count++] =
				(struct worker){ .guest = plan->lane[i].guest[k], .lane = i };
	return process_open_stop(&workers->watched[count].fd);
}

int replay_workers_run(const struct replay_options *options, const struct replay_plan *plan,
		       size_t active_max, int *signal)
{
	struct workers workers = { .options = options,
				   .lanes = plan->count,
				   .active_max = active_max };
	int err = gather(&workers, plan);

	if (options->max_wall)
		workers.deadline = process_wall_ns() + options->max_wall;
	if (!err)
		err = advance_all(&workers);
	if (!err)
		err = wait_for_all(&workers);
	end_all(&workers);
	if (workers.watched)
		close_fd(&workers.watched[workers.count].fd);
	free(workers.worker);
	free(workers.watched);
	*signal = workers.signal;
	return err;
}
