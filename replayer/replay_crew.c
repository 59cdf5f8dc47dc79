// SPDX-License-Identifier: BSD-3-Clause
/* The processes that replay guests: started as the plan says, awaited, ended together. */
#include "replayer/replay_crew.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "format/cleanup.h"
#include "kernel/process.h"
#include "replayer/replay_child.h"

struct crew {
	const struct replay_options *options;
	struct replay_plan *plan;
	struct pollfd *watched; /* the process of each lane, and last: signals for us */
	pid_t *pid;		/* of each lane; 0: none */
	size_t running;
	int signal;
};

static int start_next(struct crew *crew, size_t lane_number)
{
	struct replay_lane *lane = &crew->plan->lane[lane_number];
	pid_t parent = getpid(), pid;

	if (lane->next == lane->count || crew->signal)
		return 0;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		/* Whatever happens to the one who tells, nobody goes on unseen. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			replay_child(crew->options, lane->guest[lane->next]);
		_exit(0);
	}
	lane->next++;
	crew->pid[lane_number] = pid;
	crew->running++;
	crew->watched[lane_number].fd = pidfd_open(pid, 0);
	return crew->watched[lane_number].fd < 0 ? -errno : 0;
}

static void tell_killed(struct replay_outcome *outcome, int status)
{
	if (outcome->finished)
		return;
	diagnose(&outcome->why, EXIT_CANNOT, -ECHILD, "try it again; is there enough memory?",
		 "the process that replayed it was killed by SIG%s",
		 WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "?");
}

static void reap(struct crew *crew, size_t lane_number)
{
	struct replay_lane *lane = &crew->plan->lane[lane_number];
	int status = 0;

	while (waitpid(crew->pid[lane_number], &status, 0) < 0 && errno == EINTR)
		;
	close_fd(&crew->watched[lane_number].fd);
	crew->pid[lane_number] = 0;
	crew->running--;
	tell_killed(lane->guest[lane->next - 1]->outcome, status);
}

/* Each ends its room and then itself. */
static void stop_all(struct crew *crew, int signal)
{
	crew->signal = signal;
	for (size_t i = 0; i < crew->plan->count; i++)
		if (crew->pid[i])
			kill(crew->pid[i], signal);
}

static int wait_for_all(struct crew *crew)
{
	size_t lanes = crew->plan->count;
	int err = 0;

	while (!err && crew->running) {
		if (poll(crew->watched, lanes + 1, -1) < 0)
			err = errno == EINTR ? 0 : -errno;
		for (size_t i = 0; !err && i < lanes; i++) {
			if (crew->watched[i].fd < 0 || !crew->watched[i].revents)
				continue;
			reap(crew, i);
			err = start_next(crew, i);
		}
		if (crew->watched[lanes].revents)
			stop_all(crew, process_take_stop(crew->watched[lanes].fd));
	}
	return err;
}

static void end_all(struct crew *crew)
{
	for (size_t i = 0; i < crew->plan->count; i++) {
		if (!crew->pid[i])
			continue;
		kill(crew->pid[i], SIGTERM);
		reap(crew, i);
	}
}

int replay_crew_run(const struct replay_options *options, struct replay_plan *plan, int *signal)
{
	auto_free struct pollfd *watched = calloc(plan->count + 1, sizeof(*watched));
	auto_free pid_t *pid = calloc(plan->count + 1, sizeof(*pid));
	struct crew crew = { .options = options, .plan = plan, .watched = watched, .pid = pid };
	int err;

	if (!watched || !pid)
		return -ENOMEM;
	for (size_t i = 0; i <= plan->count; i++)
		watched[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	err = process_open_stop(&watched[plan->count].fd);
	for (size_t i = 0; !err && i < plan->count; i++)
		err = start_next(&crew, i);
	if (!err)
		err = wait_for_all(&crew);
	end_all(&crew);
	close_fd(&watched[plan->count].fd);
	*signal = crew.signal;
	return err;
}
