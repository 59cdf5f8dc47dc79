// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the interrupt probe costs: CPU time of an interrupt of the guest with it and without, what
 * looking costs when there is nothing, what taking it out costs. The target takes interrupts as
 * fast as it can, on the recorder's CPU, without a message; nothing may be lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/host/cpu.h"
#include "kernel/probe/probe.h"
#include "tests/kernel/probe/probe_target.h"

#define INTERRUPTS 200000u
#define LOOKS	   10000000u
#define REPEATS	   5

struct target {
	pid_t pid;
	int fd;
	struct image_files files;
};

static void die(const char *what)
{
	fprintf(stderr, "bench-probe: %s\n", what);
	exit(1);
}

static double clock_seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_seconds(const struct target *target)
{
	clockid_t clock;

	if (clock_getcpuclockid(target->pid, &clock))
		die("the target has ended");
	return clock_seconds(clock);
}

static void target_start(struct target *target, const char *program)
{
	struct diagnosis why;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		die(strerror(errno));
	if (image_files_load(&target->files, "target", program, "/linux", &why))
		die(why.what);
	target->pid = fork();
	if (!target->pid) {
		dup2(fds[1], STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		execl(program, program, NULL);
		_exit(127);
	}
	close(fds[1]);
	target->fd = fds[0];
}

/* Returns the CPU time of one interrupt in ns. */
static double target_run(struct target *target, struct probe *probe, uint32_t count)
{
	struct target_order order = { TARGET_INTERRUPTS, count };
	double before = cpu_seconds(target);
	char done;

	if (write(target->fd, &order, sizeof(order)) != sizeof(order))
		die("the target does not listen");
	for (;;) {
		struct pollfd fds[] = { { target->fd, POLLIN, 0 }, { probe_fd(probe), POLLIN, 0 } };

		poll(fds, 2, -1);
		if (fds[0].revents)
			break;
		probe_drain(probe);
	}
	if (read(target->fd, &done, 1) != 1)
		die("the target has ended");
	return (cpu_seconds(target) - before) / count * 1e9;
}

static uint64_t take_all(struct probe *probe)
{
	struct probe_event event;
	uint64_t taken = 0;

	while (probe_take(probe, 0, &event))
		taken++;
	return taken;
}

static double look_ns(struct probe *probe)
{
	double before = clock_seconds(CLOCK_MONOTONIC);

	for (uint32_t i = 0; i < LOOKS; i++)
		if (take_all(probe))
			die("an event from nowhere");
	return (clock_seconds(CLOCK_MONOTONIC) - before) / LOOKS * 1e9;
}

/* Returns how many of the interrupts were not seen. */
static uint64_t measure(const char *program)
{
	struct target target = { 0 };
	double bare, probed, look, attach, close_ms;
	struct probe *probe;
	struct diagnosis why;
	uint64_t missing;
	char path[32];

	target_start(&target, program);
	snprintf(path, sizeof(path), "/proc/%d/exe", target.pid);
	if (probe_open(&probe, &why))
		die(why.what);
	bare = target_run(&target, probe, INTERRUPTS);
	attach = clock_seconds(CLOCK_MONOTONIC);
	if (probe_attach(probe, 0, target.pid, path, target.files.file, &why))
		die(why.what);
	attach = (clock_seconds(CLOCK_MONOTONIC) - attach) * 1e3;
	probed = target_run(&target, probe, INTERRUPTS);
	missing = INTERRUPTS - take_all(probe);
	look = look_ns(probe);
	printf("%.0f ns an interrupt (%.0f without), %" PRIu64 " lost (%" PRIu64 " counted), "
	       "%.0f ns to look, ",
	       probed, bare, missing, probe_lost(probe, 0), look);
	close(target.fd);
	waitpid(target.pid, NULL, 0);
	close_ms = clock_seconds(CLOCK_MONOTONIC);
	probe_close(probe);
	close_ms = (clock_seconds(CLOCK_MONOTONIC) - close_ms) * 1e3;
	printf("%.1f ms to attach, %.1f ms to close\n", attach, close_ms);
	image_files_free(&target.files);
	return missing;
}

int main(int argc, char **argv)
{
	struct cpu_identity identity;
	uint64_t missing = 0;

	if (argc != 2)
		die("usage: bench-probe TARGET");
	cpu_pin(cpu_here(), &identity);
	printf("%u interrupts in a row, on one CPU with who takes them:\n", INTERRUPTS);
	for (unsigned int i = 0; i < REPEATS; i++)
		missing += measure(argv[1]);
	puts(missing ? "FAIL: interrupts were lost" : "ok: none lost");
	return missing != 0;
}
