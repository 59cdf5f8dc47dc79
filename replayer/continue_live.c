// SPDX-License-Identifier: BSD-3-Clause
/* ttreplay --continue-live: runs ttrec to re-record. */
#include "replayer/continue_live.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "format/base/words.h"
#include "format/base/cleanup.h"

#define SECOND_PROGRAM "ttrec"

/* A command line; a word that could not be allocated is missing, and reported at the end. */
struct command {
	char **word;
	size_t count;
	bool failed;
};

static void add_text(struct command *command, char *text)
{
	command->failed |= words_take(&command->word, &command->count, text) != 0;
}

static void add(struct command *command, const char *word)
{
	add_text(command, strdup(word));
}

/* "--NAME=VALUE", so that no value is taken as an option. */
static void add_option(struct command *command, const char *name, const char *value)
{
	char *text;

	add_text(command, asprintf(&text, "--%s=%s", name, value) < 0 ? NULL : text);
}

static void add_number(struct command *command, const char *name, uint64_t number, const char *unit)
{
	char text[40];

	snprintf(text, sizeof(text), "%" PRIu64 "%s", number, unit);
	add_option(command, name, text);
}

static void free_command(struct command *command)
{
	for (size_t i = 0; i < command->count; i++)
		free(command->word[i]);
	free(command->word);
}

static void add_list(struct command *command, const char *name, const char *const *list)
{
	for (; *list; list++)
		add_option(command, name, *list);
}

static void build(const struct replay_options *options, struct command *command)
{
	add(command, SECOND_PROGRAM);
	add(command, "run");
	add_option(command, "rerecord", options->trace);
	for (unsigned int part = 0; part < GUEST_PARTS; part++)
		add_list(command, guest_part_name((enum guest_part)part), options->replace[part]);
	add_list(command, "disk", options->disk);
	if (options->output)
		add_option(command, "output", options->output);
	if (options->cursor.until_record != UINT64_MAX)
		add_number(command, "until", options->cursor.until_record, "");
	if (options->hang_timeout_given)
		add_number(command, "hang-timeout", options->cursor.hang_timeout, "ns");
	if (options->max_memory_given)
		add_number(command, "max-memory", options->max_memory, "");
	if (options->ci.service)
		add_option(command, "ci", ci_service_name(options->ci.service));
	if (options->ci.junit)
		add_option(command, "junit", options->ci.junit);
	if (options->trust)
		add(command, "--trust");
	if (options->json)
		add(command, "--json");
	else if (!options->console)
		add(command, "--quiet");
}

/* The one beside this program, where it is installed or was built. */
static void run_beside(char *const *words)
{
	char path[PATH_MAX + sizeof(SECOND_PROGRAM)];
	ssize_t size = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash;

	if (size <= 0 || size == PATH_MAX)
		return;
	path[size] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return;
	strcpy(slash + 1, SECOND_PROGRAM);
	execv(path, words);
}

int continue_live(const struct replay_options *options, struct diagnosis *why)
{
	cleanup(free_command) struct command command = { 0 };

	build(options, &command);
	if (command.failed)
		return -ENOMEM;
	fflush(NULL);
	run_beside(command.word);
	execvp(SECOND_PROGRAM, command.word);
	return diagnose(why, EXIT_CANNOT, -errno, "install it beside ttreplay or in PATH",
			"cannot run ttrec to continue live: %s", strerror(errno));
}
