// SPDX-License-Identifier: BSD-3-Clause
/* ttdump: look into a trace. */
#include "format/ttdump/base/ttdump.h"

#include <string.h>

#include "format/base/write_error.h"
#include "format/text/record_json.h"

static const struct verb {
	const char *name;
	dump_verb *run;
} verbs[] = {
	{ "show", dump_show },	     { "stat", dump_stat },	{ "diff", dump_diff },
	{ "export", dump_export },   { "verify", dump_verify }, { "salvage", dump_salvage },
	{ "extract", dump_extract }, { "pack", dump_pack },
};

static const char doc[] =
	"Inspect a trace of ttrec.\vVerbs:\n  show      show records, one per line or as JSON\n  "
	"stat      summarise a trace, and what takes the space in it\n  diff      show where two "
	"traces diverge, and how they continue\n  export    convert to the format of another "
	"tool\n  verify    check the integrity of a trace\n  salvage   recover the intact part of "
	"a damaged trace\n  extract   extract the embedded files: kernel, initrd, libraries\n"
	"  pack      make one file of a trace and what it has in a store\n\nRun "
	"`ttdump VERB --help` for the options of a verb.\n\n" EXIT_STATUS_HELP;

static error_t parse(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		argp_error(state, "unknown verb \"%s\"", argument);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "missing verb");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = { NULL, parse, "VERB ...", doc, NULL, NULL, NULL };

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int run_verb(const struct verb *verb, int argc, char **argv, struct diagnosis *diagnosis)
{
	char name[32];

	snprintf(name, sizeof(name), "ttdump %s", verb->name);
	argv[0] = name;
	return verb->run(argc, argv, diagnosis);
}

int main(int argc, char **argv)
{
	const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
	struct diagnosis diagnosis = { .status = EXIT_IDENTICAL };

	record_json_watch_memory();
	argp_err_exit_status = EXIT_USAGE;
	argp_program_version = "ttdump " TTREC_VERSION;
	if (!verb)
		return argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, NULL) ? EXIT_USAGE
										: EXIT_IDENTICAL;
	run_verb(verb, argc - 1, argv + 1, &diagnosis);
	/* A reader that leaves early ends us by SIGPIPE instead. */
	if (!diagnosis.what[0])
		output_finish(&diagnosis);
	else
		fflush(stdout);
	return diagnosis.what[0] ? diagnosis_print(&diagnosis, "ttdump") : diagnosis.status;
}
