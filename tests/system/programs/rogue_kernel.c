// SPDX-License-Identifier: BSD-3-Clause
/*
 * A program in the place of a kernel that does what none does: it ends too early, says nothing, or
 * takes more than its share. Its argument does=ACTION[:NUMBER],... says what, in order:
 *
 *	connect      to the scheduler                  leave       the scheduler
 *	start        as a client: START                wait        WAIT, with no event
 *	ticks:N      ask to be run N times, 1 us apart exit:N      with that status
 *	sleep:MS     wall time                         pause, spin for ever
 *	print:MIB    lines on the console              open:N      /dev/urandom N times
 *	maps:N       so many mappings                  files:N     so many files in memory
 *	burn:MS      of CPU time
 *	children:N   one after the other: 100 ms of it each
 *	attach       to its first device
 *	kick:N       queue 1 of that, with nothing in it, N times or (0) for ever
 *	frames:N     kick it N times with 256 frames of 64 KiB
 *	output:N     kick it N times with 1,024 buffers of 64 KiB
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel/wire/wire.h"
#include "tests/system/programs/rogue_device.h"

/* By these texts an image is known to be a kernel. */
const char *const rogue_marks[] = { "Linux version 6.12.0 (rogue)", "umid=", "time-travel=ext:" };

static char **arguments;
static int time_fd = -1;
static uint32_t sequence = 1;

static const char *argument(const char *name)
{
	for (char **word = arguments; *word; word++) {
		const char *found = strstr(*word, name);

		if (found)
			return found + strlen(name);
	}
	return NULL;
}

/* time-travel=ext:[ID:]PATH */
static void do_connect(long number)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = argument(rogue_marks[2]);
	const char *colon = path ? strchr(path, ':') : NULL;

	(void)number;
	if (!path)
		_exit(100);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", colon ? colon + 1 : path);
	time_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(time_fd, (struct sockaddr *)&address, sizeof(address)))
		_exit(101);
}

static void do_leave(long number)
{
	(void)number;
	close(time_fd);
}

/* Until something with operation @until comes; a RUN is acknowledged. */
static void exchange(uint32_t operation, uint64_t time, uint32_t until)
{
	struct wire_message message = { .op = operation, .seq = sequence++, .time = time };

	if (write(time_fd, &message, sizeof(message)) != sizeof(message))
		_exit(102);
	do {
		if (read(time_fd, &message, sizeof(message)) != sizeof(message))
			_exit(103);
		if (message.op != TRACE_OP_ACK) {
			struct wire_message answer = { .op = TRACE_OP_ACK, .seq = message.seq };

			if (write(time_fd, &answer, sizeof(answer)) != sizeof(answer))
				_exit(104);
		}
	} while (message.op != until);
}

static void do_start(long number)
{
	(void)number;
	exchange(TRACE_OP_START, strtoull(argument(rogue_marks[2]), NULL, 0), TRACE_OP_ACK);
}

static void do_wait(long number)
{
	(void)number;
	exchange(TRACE_OP_WAIT, 0, TRACE_OP_RUN);
}

static void do_ticks(long number)
{
	for (long i = 1; i <= number; i++) {
		exchange(TRACE_OP_REQUEST, (uint64_t)i * 1000, TRACE_OP_ACK);
		do_wait(0);
	}
}

static void do_exit(long number)
{
	_exit((int)number);
}

static void do_sleep(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void do_pause(long number)
{
	(void)number;
	for (;;)
		pause();
}

static void do_spin(long number)
{
	(void)number;
	for (;;)
		__asm__ volatile("");
}

static void do_print(long mib)
{
	static char text[64 * 1024];

	memset(text, 'x', sizeof(text));
	for (size_t i = 99; i < sizeof(text); i += 100)
		text[i] = '\n';
	for (long left = mib * (1 << 20); left > 0; left -= (long)sizeof(text))
		if (write(STDOUT_FILENO, text, sizeof(text)) < 0)
			_exit(105);
}

static void do_open(long number)
{
	while (number--) {
		int fd = open("/dev/urandom", O_RDONLY);

		if (fd >= 0)
			close(fd);
	}
}

/* No two are alike, so that the host keeps them apart. */
static void do_maps(long number)
{
	for (long i = 0; i < number; i++)
		if (mmap((void *)(0x100000000 + i * 8192), 4096,
			 i & 1 ? PROT_READ : PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			_exit(106);
}

static void do_files(long number)
{
	for (long i = 1; i <= number; i++) {
		int fd = memfd_create("rogue", 0);

		if (fd < 0 || ftruncate(fd, i * 4096))
			_exit(107);
	}
}

static void do_burn(long ms)
{
	struct timespec used;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < ms);
}

static void do_children(long number)
{
	while (number--) {
		pid_t pid = fork();

		if (!pid) {
			do_burn(100);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			_exit(109);
	}
}

/* virtio_uml.device=PATH:TYPE */
static void do_attach(long number)
{
	(void)number;
	rogue_device_attach(argument("virtio_uml.device="));
}

static void do_kick(long number)
{
	rogue_device_kick(number, 0, 0);
}

#define FRAME_SIZE 65550 /* with a header of virtio of 10 bytes */

static void do_frames(long number)
{
	rogue_device_kick(number, 256, FRAME_SIZE);
}

static void do_output(long number)
{
	rogue_device_kick(number, 1024, 65536);
}

static const struct {
	const char *name;
	void (*run)(long number);
} actions[] = {
	{ "connect", do_connect }, { "leave", do_leave }, { "start", do_start },
	{ "wait", do_wait },	   { "ticks", do_ticks }, { "exit", do_exit },
	{ "sleep", do_sleep },	   { "pause", do_pause }, { "spin", do_spin },
	{ "print", do_print },	   { "open", do_open },	  { "maps", do_maps },
	{ "files", do_files },	   { "burn", do_burn },	  { "children", do_children },
	{ "attach", do_attach },   { "kick", do_kick },	  { "frames", do_frames },
	{ "output", do_output },
};

static void run(char *action)
{
	char *number = strchr(action, ':');

	if (number)
		*number++ = '\0';
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (!strcmp(action, actions[i].name)) {
			actions[i].run(number ? atol(number) : 0);
			return;
		}
	_exit(108);
}

int main(int argc, char **argv)
{
	const char *list;
	char *rest, *action;

	(void)argc;
	arguments = argv;
	list = argument("does=");
	rest = strdup(list ? list : "exit:3");
	while (rest && (action = strsep(&rest, ",")))
		run(action);
	return *rogue_marks[1] != 'u';
}
