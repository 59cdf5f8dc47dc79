// SPDX-License-Identifier: BSD-3-Clause
/* The process of the Ethernet of `ttrec serve --net`: it ends with the scheduler. */
#include "recorder/serve/serve_net.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/base/units.h"
#include "kernel/wire/wire.h"
#include "recorder/serve/serve_switch.h"

/* Wall time until the scheduler listens. */
#define CONNECT_PATIENCE_NS (10 * NS_PER_S)

static int run(int fd, const char *clock, uint64_t delay)
{
	int clock_fd, err = wire_connect_within(clock, CONNECT_PATIENCE_NS, &clock_fd);

	return err ? err : serve_switch_run(fd, clock_fd, delay);
}

int serve_net_start(int fd, const char *clock, uint64_t delay, pid_t *pid)
{
	pid_t parent = getpid();

	*pid = fork();
	if (*pid < 0) {
		*pid = 0;
		return -errno;
	}
	if (*pid)
		return 0;
	/* Ctrl-C is for the scheduler, which ends this. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	_exit(run(fd, clock, delay) ? 1 : 0);
}

void serve_net_stop(pid_t pid)
{
	if (!pid)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
