// SPDX-License-Identifier: BSD-3-Clause
/*
 * ttrec doctor: what this machine and this kernel allow, one line each, with what to do about it.
 */
#include <string.h>
#include <unistd.h>

#include "recorder/doctor/doctor.h"
#include "format/base/command_line.h"
#include "recorder/ttrec/ttrec.h"

struct doctor_options {
	const char *kernel;
	const char *programs; /* to be looked through for instructions, instead of all else */
	bool json;
};

static const struct option_row rows[] = {
	{ "instructions", 0, "PATH",
	  "list instructions that read processor state (rdtsc, rdrand, cpuid, ...) in PATH: a "
	  "program, a directory or an initrd",
	  0, OPTION_TEXT, OPTION_FIELD(struct doctor_options, programs) },
	{ "json", 0, NULL, "print the result as JSON", 0, OPTION_FLAG,
	  OPTION_FIELD(struct doctor_options, json) },
	{ 0 },
};

static void check(void *input, struct argp_state *state)
{
	const struct doctor_options *options = input;

	if (options->programs && options->kernel)
		argp_error(state, "unexpected '%s': --instructions takes only PATH",
			   options->kernel);
}

static const struct command_line command = {
	.usage = "[KERNEL]",
	.doc = "Report what this machine and KERNEL support: create a sandbox, and start KERNEL up "
	       "to its first message.\v" EXIT_STATUS_HELP,
	.table = { { rows, 0 } },
	.most = 1,
	.argument = { offsetof(struct doctor_options, kernel) },
	.excess = "more than one kernel given",
	.check = check,
};

static int list_instructions(const struct doctor_options *options)
{
	struct diagnosis why = { 0 };

	return doctor_list_instructions(options->programs, options->json, &why)
		       ? diagnosis_print(&why, "ttrec")
		       : EXIT_IDENTICAL;
}

static int refuse_kernel(const char *path, int error)
{
	struct diagnosis why;

	diagnose(&why, exit_status_of_file(error), error, "check the path", "cannot read %s: %s",
		 path, strerror(-error));
	return diagnosis_print(&why, "ttrec");
}

int ttrec_doctor(int argc, char **argv)
{
	struct doctor_options options = { 0 };
	struct checks checks = { 0 };
	struct doctor_host host;
	unsigned int isolation;
	int status;

	command_line_parse(&command, argc, argv, &options);
	if (options.programs)
		return list_instructions(&options);
	if (options.kernel && access(options.kernel, F_OK))
		return refuse_kernel(options.kernel, -errno);
	doctor_read_host(&host);
	doctor_check_machine(&host, &checks);
	doctor_check_isolation(&host, &checks, &isolation);
	doctor_check_needs(&host, isolation, &checks);
	if (options.kernel)
		doctor_check_kernel(options.kernel, &checks);
	status = checks_miss_something(&checks) ? EXIT_CANNOT : EXIT_IDENTICAL;
	if (!options.json)
		doctor_print_text(&checks, isolation);
	else if (doctor_print_json(&checks, isolation, status))
		status = EXIT_CANNOT;
	checks_free(&checks);
	return status;
}
