// SPDX-License-Identifier: BSD-3-Clause
/* ttrec: records User-Mode-Linux guests under external time travel. */
#include "recorder/ttrec/ttrec.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/write_error.h"
#include "format/text/record_json.h"
#include "kernel/host/process.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *doc;
} verbs[] = {
	{ "run", ttrec_run, "record guests: a PROGRAM, a KERNEL with arguments, or -f LAB" },
	{ "explore", ttrec_explore, "run many seeds, and keep what fails" },
	{ "tap", ttrec_tap, "record guests that another scheduler runs" },
	{ "serve", ttrec_serve, "run only the scheduler, for guests started elsewhere" },
	{ "doctor", ttrec_doctor, "report what this machine and a kernel support" },
	{ "store", ttrec_store, "list the large files that traces share, or remove unused ones" },
};

static void usage(FILE *out)
{
	fputs("Usage: ttrec VERB [OPTIONS]\n"
	      "Record User-Mode-Linux guests under time-travel=ext:, so that they can be\n"
	      "replayed bit for bit.\n\nVerbs:\n",
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].doc);
	fputs("\nRun `ttrec VERB --help` for the options of a verb and exit statuses.\n", out);
}

int main(int argc, char **argv)
{
	process_fill_streams();
	record_json_watch_memory();
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "ttrec " TTREC_VERSION;
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?"))) {
		usage(stdout);
		return output_status(0, "ttrec");
	}
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts(argp_program_version);
		return output_status(0, "ttrec");
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++) {
		char name[32];

		if (strcmp(argv[1], verbs[i].name))
			continue;
		snprintf(name, sizeof(name), "ttrec %s", verbs[i].name);
		argv[1] = name;
		return output_status(verbs[i].run(argc - 1, argv + 1), "ttrec");
	}
	if (argc > 1)
		fprintf(stderr, "ttrec: unknown verb '%s'\n\n", argv[1]);
	usage(stderr);
	return EXIT_USAGE;
}
