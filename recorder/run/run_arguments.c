// SPDX-License-Identifier: BSD-3-Clause
/* Kernel arguments of all guests before anything starts: what is refused, and what is a setting. */
#include "recorder/run/run_arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "kernel/guest/guest_arguments.h"

/* The time of day when the guest starts, in ns since 1970 (arch/um/kernel/time.c). */
#define START_ARGUMENT "time-travel-start="

static int conflict(const char *argument, struct diagnosis *why)
{
	return diagnose(
		why, EXIT_USAGE, -EINVAL, "give one of them, once",
		"the kernel argument %s is not the time of day of the run: all guests start "
		"at the same one, of --tod, 'tod' in the lab file or " START_ARGUMENT,
		argument);
}

static int take_start(struct run_options *options, struct lab *lab, const char *argument,
		      struct diagnosis *why)
{
	uint64_t *given = &options->session.calendar.tod;
	const char *text = argument + strlen(START_ARGUMENT);
	uint64_t start;
	char *end;

	errno = 0;
	start = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || start >= WIRE_TIME_NEVER)
		return diagnose(why, EXIT_USAGE, -EINVAL,
				"give nanoseconds since 1970, such as 1767225600000000000",
				"invalid kernel argument %s", argument);
	if (lab->tod == LAB_UNSET && *given == RUN_UNSET)
		lab->tod = start;
	return (*given == RUN_UNSET ? lab->tod : *given) == start ? 0 : conflict(argument, why);
}

static int take_starts(struct run_options *options, struct lab *lab, struct lab_guest *guest,
		       struct diagnosis *why)
{
	size_t kept = 0;
	int err = 0;

	for (size_t i = 0; guest->arguments && guest->arguments[i]; i++) {
		char *argument = guest->arguments[i];

		if (strncmp(argument, START_ARGUMENT, strlen(START_ARGUMENT))) {
			guest->arguments[kept++] = argument;
			continue;
		}
		if (!err)
			err = take_start(options, lab, argument, why);
		free(argument);
	}
	if (guest->arguments)
		guest->arguments[kept] = NULL;
	return err;
}

/* One list of those of all guests, each once. */
static char **list_all(const struct lab *lab)
{
	size_t count = 0, size = 1;
	char **list;

	for (size_t i = 0; i < lab->guest_count; i++)
		for (char **word = lab->guest[i].arguments; word && *word; word++)
			size++;
	list = calloc(size, sizeof(char *));
	for (size_t i = 0; list && i < lab->guest_count; i++)
		for (char **word = lab->guest[i].arguments; word && *word; word++) {
			size_t seen = 0;

			while (seen < count && strcmp(list[seen], *word))
				seen++;
			if (seen == count)
				list[count++] = *word;
		}
	return list;
}

int run_arguments_take(struct run_options *options, struct lab *lab, struct diagnosis *why)
{
	auto_free char **all = NULL;
	int err = 0;

	/* With another scheduler, that one decides. */
	for (size_t i = 0; !err && !options->upstream && i < lab->guest_count; i++)
		err = take_starts(options, lab, &lab->guest[i], why);
	if (err || options->rerecord)
		return err;
	all = list_all(lab);
	if (!all)
		return diagnose(why, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	return guest_arguments_check(all, options->allow, why);
}
