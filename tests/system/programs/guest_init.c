// SPDX-License-Identifier: BSD-3-Clause
/*
 * Init of the guests of the system tests: does what the kernel argument do= says, in order.
 *
 *	do="say:hello world,sleep:10000000,tick:30:1000000,off"
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

static void sleep_ns(uint64_t ns)
{
	struct timespec time = { .tv_sec = (time_t)(ns / NS_PER_S),
				 .tv_nsec = (long)(ns % NS_PER_S) };

	nanosleep(&time, NULL);
}

static void do_say(const char *text)
{
	puts(text);
}

static void do_sleep(const char *text)
{
	sleep_ns(strtoull(text, NULL, 0));
}

/* COUNT:NS prints a line and sleeps, COUNT times; 0 is forever. */
static void do_tick(const char *text)
{
	char *rest;
	uint64_t count = strtoull(text, &rest, 0);
	uint64_t ns = *rest ? strtoull(rest + 1, NULL, 0) : NS_PER_S / 1000;

	for (uint64_t i = 1; !count || i <= count; i++) {
		printf("tick %llu\n", (unsigned long long)i);
		sleep_ns(ns);
	}
}

/* COUNT:NS sleeps that often, no longer than it says, and says nothing. */
static void do_nap(const char *text)
{
	char *rest;
	uint64_t count = strtoull(text, &rest, 0);
	uint64_t ns = *rest ? strtoull(rest + 1, NULL, 0) : NS_PER_S / 1000;

	prctl(PR_SET_TIMERSLACK, 1);
	while (count--)
		sleep_ns(ns);
}

/* How many it has taken so far, by number. */
static void do_interrupts(const char *text)
{
	char line[256];
	FILE *file;

	(void)text;
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	file = fopen("/proc/interrupts", "r");
	while (file && fgets(line, sizeof(line), file))
		printf("interrupts %s", line);
	if (file)
		fclose(file);
}

static void do_random(const char *text)
{
	unsigned char bytes[16];

	(void)text;
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return;
	for (size_t i = 0; i < sizeof(bytes); i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

static void do_clock(const char *text)
{
	(void)text;
	printf("clock %llu\n", (unsigned long long)time(NULL));
}

static void do_now(const char *text)
{
	struct timespec day, since;

	(void)text;
	clock_gettime(CLOCK_REALTIME, &day);
	clock_gettime(CLOCK_MONOTONIC, &since);
	printf("now %lld.%09ld %lld.%09ld\n", (long long)day.tv_sec, day.tv_nsec,
	       (long long)since.tv_sec, since.tv_nsec);
}

static void do_spin(const char *text)
{
	(void)text;
	for (;;)
		__asm__ volatile("");
}

/* As a kernel says it; nothing in the kernel's command line looks like it. */
static void do_bug(const char *text)
{
	printf("%s: %s\n", "BUG", text);
}

/* Sleeps, with no timer of its own. */
static void do_pause(const char *text)
{
	(void)text;
	for (;;)
		pause();
}

/* COUNT: so many processes at once, of which each ends after a while; says how many there could be.
 */
static void do_fork(const char *text)
{
	unsigned long count = strtoul(text, NULL, 0), made = 0;
	pid_t pid = 1;

	while (made < count && (pid = fork()) > 0)
		made++;
	if (!pid) {
		sleep_ns(NS_PER_S / 100);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	printf("%lu processes\n", made);
}

static void do_exit(const char *text)
{
	exit(atoi(text));
}

static void do_off(const char *text)
{
	(void)text;
	reboot(RB_POWER_OFF);
}

/* Numbers of the processor's own. */
static void do_counter(const char *text)
{
	uint32_t low, high, cpu;

	(void)text;
	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(cpu));
	printf("counter %llu\n", (unsigned long long)high << 32 | low);
}

static void do_draw(const char *text)
{
	unsigned long long number;
	unsigned char drawn;

	(void)text;
	do
		__asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(number), "=qm"(drawn));
	while (!drawn);
	printf("draw %llx\n", number);
}

static void do_reboot(const char *text)
{
	(void)text;
	reboot(RB_AUTOBOOT);
}

static const struct {
	const char *name;
	void (*run)(const char *text);
} actions[] = {
	{ "say", do_say },	 { "sleep", do_sleep },	    { "tick", do_tick },
	{ "random", do_random }, { "clock", do_clock },	    { "spin", do_spin },
	{ "pause", do_pause },	 { "exit", do_exit },	    { "off", do_off },
	{ "bug", do_bug },	 { "nap", do_nap },	    { "interrupts", do_interrupts },
	{ "reboot", do_reboot }, { "counter", do_counter }, { "draw", do_draw },
	{ "fork", do_fork },	 { "now", do_now },
};

static void do_action(char *text)
{
	char *argument = strchr(text, ':');

	if (argument)
		*argument++ = '\0';
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (!strcmp(text, actions[i].name)) {
			actions[i].run(argument ? argument : "");
			return;
		}
	}
	printf("guest_init: no action '%s'\n", text);
}

static void open_console(void)
{
	int fd;

	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	fd = open("/dev/console", O_RDWR);
	if (fd >= 0) {
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
}

int main(void)
{
	char *list = getenv("do"), *place = NULL;

	open_console();
	if (!list)
		list = strdup("off");
	for (char *text = strtok_r(list, ",", &place); text; text = strtok_r(NULL, ",", &place))
		do_action(text);
	return 0;
}
