// SPDX-License-Identifier: BSD-3-Clause
/* How device programs end: asked first, with time to write what they have, then killed. */
#include "recorder/run/run_programs.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/process.h"

/* Wall time from SIGTERM until its sockets close, and from there to SIGKILL. */
#define END_PATIENCE_NS	  (2 * NS_PER_S)
#define CLOSE_PATIENCE_NS (NS_PER_S / 2)

/* ---- Does it still run? ---------------------------------------------------------------------- */

/* Take a number, and the space behind it. */
static int take_number(const char **text, uint64_t *number)
{
	int err = number_take(text, 10, INT_MAX, number);

	*text += **text == ' ';
	return err;
}

/* Whether the process @name of /proc is in @group and has not ended (proc(5), stat). */
static bool is_alive_in(const char *name, pid_t group)
{
	char path[sizeof("/proc//stat") + 24], line[512];
	const char *rest;
	FILE *file;
	char state;
	uint64_t parent, its;

	if (!isdigit((unsigned char)*name) || strlen(name) > 20)
		return false;
	snprintf(path, sizeof(path), "/proc/%s/stat", name);
	file = fopen(path, "re");
	if (!file)
		return false;
	rest = fgets(line, sizeof(line), file);
	fclose(file);
	/* The program's name may have anything in it: ") S PARENT GROUP ..." */
	rest = rest ? strrchr(line, ')') : NULL;
	if (!rest || strlen(rest) < 4)
		return false;
	state = rest[2];
	rest += 4;
	return !take_number(&rest, &parent) && !take_number(&rest, &its) &&
	       its == (uint64_t)group && state != 'Z' && state != 'X';
}

/*
 * Its group is asked about, not the process: a shell ends at SIGTERM before the program that it
 * waits for does. Its number is not given to another group as long as it was not waited for.
 */
static bool is_alive(const struct run_program *program)
{
	const struct dirent *entry;
	bool found = false;
	DIR *proc;

	if (program->pid <= 0)
		return false;
	proc = opendir("/proc");
	if (!proc)
		return true;
	while (!found && (entry = readdir(proc)))
		found = is_alive_in(entry->d_name, program->pid);
	closedir(proc);
	return found;
}

static void await_end(const struct run_lab *lab, uint64_t patience)
{
	const struct timespec pause = { .tv_nsec = 5 * NS_PER_MS };
	uint64_t deadline = process_wall_ns() + patience;

	for (size_t i = 0; i < lab->lab->program_count; i++)
		while (is_alive(&lab->program[i]) && process_wall_ns() < deadline)
			nanosleep(&pause, NULL);
}

/* ---- The end --------------------------------------------------------------------------------- */

static void ask_to_end(struct run_lab *lab)
{
	for (size_t i = 0; i < lab->lab->program_count; i++) {
		struct run_program *program = &lab->program[i];

		if (program->pid > 0 && !program->asked)
			kill(-program->pid, SIGTERM);
		program->asked = true;
	}
}

void run_programs_end(struct run_lab *lab)
{
	if (!lab->program)
		return;
	ask_to_end(lab);
	await_end(lab, END_PATIENCE_NS);
}

static void kill_program(struct run_program *program)
{
	if (program->pid <= 0)
		return;
	kill(-program->pid, SIGKILL);
	waitpid(program->pid, NULL, 0);
}

void run_programs_stop(struct run_lab *lab)
{
	if (lab->program) {
		ask_to_end(lab);
		await_end(lab, CLOSE_PATIENCE_NS);
	}
	for (size_t i = 0; lab->program && i < lab->lab->program_count; i++) {
		struct run_program *program = &lab->program[i];

		kill_program(program);
		close_fd(&program->process);
		close_fd(&program->time_fd);
		if (program->time)
			unlink(program->time);
		if (program->socket && !lab->lab->program[i].socket)
			unlink(program->socket);
		free(program->socket);
		free(program->time);
	}
	if (lab->directory)
		rmdir(lab->directory);
	free(take_pointer(lab->directory));
	free(take_pointer(lab->program));
}
