// SPDX-License-Identifier: BSD-3-Clause
/* The device programs of a lab: started in time for its guests, and ended with them. */
#include "recorder/run/run_programs.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/process.h"

/* Wall time in which a program makes its socket. */
#define START_PATIENCE_NS (10 * NS_PER_S)

/* ---- Where and whose ------------------------------------------------------------------------- */

static bool has_device(const struct lab_guest *guest, size_t program)
{
	for (size_t i = 0; i < guest->device_count; i++)
		if (guest->device[i].kind == LAB_PROGRAM && guest->device[i].program == program)
			return true;
	return false;
}

/* All guests that have it are in one partition. */
static void find_users(struct run_lab *lab, size_t number)
{
	struct run_program *program = &lab->program[number];

	for (size_t i = 0; i < lab->guest_count && !program->used; i++) {
		program->used = has_device(lab->guest[i].lab, number);
		program->partition = lab->guest[i].partition;
	}
}

static int make_directory(struct run_lab *lab, struct diagnosis *why)
{
	const char *parent = getenv("TMPDIR");

	if (lab->directory)
		return 0;
	if (asprintf(&lab->directory, "%s/ttrec-XXXXXX", parent && *parent ? parent : "/tmp") < 0) {
		lab->directory = NULL;
		return diagnose(why, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	}
	if (mkdtemp(lab->directory))
		return 0;
	free(take_pointer(lab->directory));
	return diagnose(why, EXIT_CANNOT, -errno, "set TMPDIR to an existing directory",
			"cannot make a directory for the sockets of device programs: %s",
			strerror(errno));
}

static char *make_path(const struct run_lab *lab, size_t number, const char *what)
{
	char *path;

	return asprintf(&path, "%s/%zu.%s", lab->directory, number, what) < 0 ? NULL : path;
}

/* ---- Its command ----------------------------------------------------------------------------- */

/* Of the words in braces the one that @text begins with, and what replaces it; or NULL. */
static const char *find_word(const char *text, const struct run_program *program, const char *seed,
			     size_t *length)
{
	const struct {
		const char *name, *value;
	} words[] = {
		{ "{socket}", program->socket },
		{ "{time}", program->time },
		{ "{seed}", seed },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		*length = strlen(words[i].name);
		if (!strncmp(text, words[i].name, *length))
			return words[i].value;
	}
	return NULL;
}

static char *fill_in(const char *command, const struct run_program *program, uint64_t seed)
{
	char *text = NULL, number[24];
	size_t size, length;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	snprintf(number, sizeof(number), "%" PRIu64, seed);
	while (*command) {
		const char *word = find_word(command, program, number, &length);

		if (word)
			fputs(word, out);
		else
			fputc(*command, out);
		command += word ? length : 1;
	}
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

/* ---- Start ----------------------------------------------------------------------------------- */

static int set_paths(struct run_lab *lab, size_t number, struct diagnosis *why)
{
	const struct lab_program *named = &lab->lab->program[number];
	struct run_program *program = &lab->program[number];
	int err = make_directory(lab, why);

	if (err)
		return err;
	program->socket = named->socket ? strdup(named->socket) : make_path(lab, number, "vhost");
	program->time = make_path(lab, number, "time");
	if (!program->socket || !program->time)
		return diagnose(why, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	if (named->timed)
		err = wire_listen(program->time, &program->time_fd);
	if (!err)
		return 0;
	return diagnose(why, EXIT_CANNOT, err, "set TMPDIR to a directory with a short path",
			"cannot listen at %s for the program %s: %s", program->time, named->name,
			strerror(-err));
}

static int run_command(struct run_lab *lab, size_t number, uint64_t seed, struct diagnosis *why)
{
	const struct lab_program *named = &lab->lab->program[number];
	struct run_program *program = &lab->program[number];
	auto_free char *command = fill_in(named->command, program, seed);
	char *const arguments[] = { (char *)"sh", (char *)"-c", command, NULL };
	int err = command ? process_spawn("/bin/sh", arguments, STDERR_FILENO, STDERR_FILENO,
					  PROCESS_OWN_GROUP, &program->pid)
			  : -ENOMEM;

	if (!err) {
		program->process = pidfd_open(program->pid, 0);
		err = program->process < 0 ? -errno : 0;
	}
	if (!err)
		return 0;
	return diagnose(why, EXIT_CANNOT, err, NULL, "cannot start the program %s (line %u): %s",
			named->name, named->line, strerror(-err));
}

static bool has_ended(const struct run_program *program, siginfo_t *info)
{
	info->si_pid = 0;
	return !waitid(P_PIDFD, (id_t)program->process, info, WEXITED | WNOHANG | WNOWAIT) &&
	       info->si_pid;
}

static bool is_socket(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISSOCK(status.st_mode);
}

/* 127: sh(1) has not found the command. */
static const char *end_advice(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED && info->si_status == 127
		       ? "sh(1) has not found its command: install it, or give its path"
		       : "check its output";
}

/* Until there is a socket. A timed one may make it after its START, which is later. */
static int await_socket(struct run_lab *lab, size_t number, struct diagnosis *why)
{
	const struct lab_program *named = &lab->lab->program[number];
	const struct run_program *program = &lab->program[number];
	uint64_t deadline = process_wall_ns() + START_PATIENCE_NS;
	const struct timespec pause = { .tv_nsec = 2 * NS_PER_MS };
	siginfo_t info;

	while (!is_socket(program->socket)) {
		/* It may have gone to the background. */
		if (has_ended(program, &info) && info.si_status)
			return diagnose(why, EXIT_CANNOT, -ECHILD, end_advice(&info),
					"the program %s (line %u) ended with %s %d", named->name,
					named->line,
					info.si_code == CLD_EXITED ? "exit status" : "signal",
					info.si_status);
		if (process_wall_ns() > deadline)
			return diagnose(why, EXIT_CANNOT, -ETIMEDOUT,
					"its command must listen for vhost-user at {socket}",
					"the program %s (line %u) has not created a socket at %s",
					named->name, named->line, program->socket);
		nanosleep(&pause, NULL);
	}
	return 0;
}

static int start(struct run_lab *lab, size_t number, uint64_t seed, struct diagnosis *why)
{
	const struct lab_program *named = &lab->lab->program[number];
	int err = set_paths(lab, number, why);

	if (!err && named->command)
		err = run_command(lab, number, seed, why);
	if (!err && named->command && !named->timed)
		err = await_socket(lab, number, why);
	return err;
}

int run_programs_start(const struct run_options *options, struct run_lab *lab,
		       struct diagnosis *why)
{
	size_t count = lab->lab->program_count;
	int err = 0;

	lab->program = calloc(count + 1, sizeof(*lab->program));
	if (!lab->program)
		return diagnose(why, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	for (size_t i = 0; i < count; i++)
		lab->program[i] = (struct run_program){ .time_fd = -1, .process = -1 };
	for (size_t i = 0; !err && i < count; i++) {
		find_users(lab, i);
		if (lab->program[i].used)
			err = start(lab, i, options->session.seed, why);
	}
	return err;
}

/* ---- Under another scheduler --------------------------------------------------------------- */

/* This process does not schedule: the devices of this process have no events of their own. */
static int check_tapped(const struct run_lab *lab, const struct run_guest *guest,
			struct diagnosis *why)
{
	for (size_t i = 0; i < guest->lab->device_count; i++) {
		const struct lab_device *device = &guest->lab->device[i];

		if (device->kind != LAB_PROGRAM)
			return diagnose(why, EXIT_USAGE, -EINVAL,
					"use a device of the scheduler or another program: "
					"{program: NAME}, with its socket",
					"guest %s (line %u): tap supports only device programs; "
					"other devices need the scheduler of ttrec run",
					guest->lab->name, device->line);
		if (lab->lab->program[device->program].timed)
			return diagnose(
				why, EXIT_USAGE, -EINVAL,
				"remove 'timed'; the program can connect to --socket or to the "
				"scheduler itself",
				"the program %s (line %u) is timed, which tap does not support",
				lab->lab->program[device->program].name,
				lab->lab->program[device->program].line);
	}
	return 0;
}

int run_programs_tap(struct run_lab *lab, struct diagnosis *why)
{
	int err = 0;

	lab->partition_count = 1;
	for (size_t i = 0; !err && i < lab->guest_count; i++) {
		lab->guest[i].partition = 0;
		err = check_tapped(lab, &lab->guest[i], why);
	}
	return err;
}

/* ---- Session ------------------------------------------------------------------------- */

static bool is_allowed(const struct run_options *options, const char *name)
{
	for (const char *const *allow = options->allow; *allow; allow++)
		if (!strcmp(*allow, "program") || !strcmp(*allow, "all") || !strcmp(*allow, name))
			return true;
	return false;
}

int run_programs_join(const struct run_options *options, struct run_lab *lab,
		      struct session *session)
{
	int err = 0;

	for (size_t i = 0; !err && i < lab->lab->program_count; i++) {
		const struct lab_program *named = &lab->lab->program[i];
		struct run_program *program = &lab->program[i];
		struct session_program_options about = { .name = named->name,
							 .socket = program->socket,
							 .virtio_id = named->virtio_id,
							 .partition = program->partition,
							 .time_fd = program->time_fd,
							 .process = program->process,
							 .allowed =
								 is_allowed(options, named->name) };

		err = session_add_program(session, &about, &program->number);
	}
	return err;
}

uint32_t run_programs_expected(const struct run_lab *lab, size_t partition)
{
	uint32_t count = 0;

	for (size_t i = 0; i < lab->lab->program_count; i++)
		count += lab->program[i].time_fd >= 0 && lab->program[i].partition == partition;
	return count;
}
