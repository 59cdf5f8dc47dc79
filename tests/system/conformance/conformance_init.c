// SPDX-License-Identifier: BSD-3-Clause
/* Init of the guest of the conformance test: does the steps as a process of a real kernel. */
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/system/conformance/conformance_steps.h"

#define NS_PER_S 1000000000ull

static void give_up(const char *what)
{
	dprintf(open("/dev/kmsg", O_WRONLY), "conformance: %s: %m\n", what);
	reboot(RB_POWER_OFF);
}

static uint64_t read_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void sleep_clock(int flags, uint64_t ns)
{
	struct timespec time = { .tv_sec = (time_t)(ns / NS_PER_S),
				 .tv_nsec = (long)(ns % NS_PER_S) };

	clock_nanosleep(CLOCK_MONOTONIC, flags, &time, NULL);
}

static void fail(uint64_t count)
{
	while (count--)
		close(-1);
}

static void read_clocks(uint64_t count)
{
	while (count--)
		read_clock();
}

static void separate(void)
{
	sleep_clock(0, CONFORMANCE_SEPARATOR);
}

static void mark(enum conformance_mark mark)
{
	read_clocks(mark);
	separate();
}

/* Before 6.11 there is no such file. */
static void tell(int broadcast_fd, uint64_t value)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%#llx", (unsigned long long)value);

	if (broadcast_fd >= 0 && pwrite(broadcast_fd, text, (size_t)length, 0) != length)
		give_up("broadcast");
}

static void do_step(const struct conformance_step *step, uint64_t *begin, int broadcast_fd)
{
	switch (step->action) {
	case STEP_END:
		break;
	case STEP_READ:
		read_clocks(step->value);
		break;
	case STEP_MARK:
		*begin = read_clock();
		break;
	case STEP_UNTIL:
		sleep_clock(TIMER_ABSTIME, *begin + step->value);
		break;
	case STEP_FOR:
		sleep_clock(0, step->value);
		break;
	case STEP_FAIL:
		fail(step->value);
		break;
	case STEP_BROADCAST:
		tell(broadcast_fd, step->value);
		break;
	}
}

static void do_part(enum conformance_mark name, const struct conformance_step *step,
		    int broadcast_fd)
{
	/* 1 ms after a tick, a second after what came before. */
	uint64_t tick = read_clock() / CONFORMANCE_TICK + 100;
	uint64_t begin = 0;

	sleep_clock(TIMER_ABSTIME, tick * CONFORMANCE_TICK + 1000000);
	/* Waking from a sleep of many ticks leaves the tick to be set right. */
	for (int i = 0; i < 3; i++)
		sleep_clock(0, 100000);
	mark(name);
	for (; step->action != STEP_END; step++) {
		do_step(step, &begin, broadcast_fd);
		separate();
		if (name == MARK_SPACING)
			mark(MARK_STEP);
	}
	mark(MARK_END);
}

static void mount_at(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL))
		give_up(path);
}

int main(void)
{
	/* The kernel lets the sleep of an ordinary process last 50 us longer (timer slack). */
	const struct sched_param priority = { .sched_priority = 1 };
	int fd;

	mount_at("devtmpfs", "/dev");
	mount_at("sysfs", "/sys");
	fd = open("/sys/kernel/um-ext-time/bc-message", O_RDWR);
	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		give_up("SCHED_FIFO");
	sleep_clock(0, CONFORMANCE_BOOT);
	do_part(MARK_EXACT, conformance_exact, fd);
	do_part(MARK_WINDOW, conformance_exact, fd);
	do_part(MARK_SPACING, conformance_spacing, fd);
	reboot(RB_POWER_OFF);
	return 0;
}
