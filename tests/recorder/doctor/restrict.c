// SPDX-License-Identifier: BSD-3-Clause
/*
 * Runs a command as restricted as a container would: under a seccomp profile in Docker's format, or
 * with single system calls refused, and with the capabilities a container has.
 *
 *   restrict [--stock] [--profile FILE] [--refuse NAME]... COMMAND [ARGUMENTS]
 *
 * --stock leaves out what the profile adds to Docker's own (the entries whose comment begins with
 * "ttrec"), so that one file stands for both.
 */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "format/base/cleanup.h"

#define REFUSALS_MAX 8

struct restriction {
	const char *profile;
	const char *refuse[REFUSALS_MAX];
	size_t refusals;
	bool stock;
	char **command;
};

/* What Docker leaves to a container that asks for nothing. */
static const unsigned int container_capabilities[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,	CAP_FOWNER,	      CAP_MKNOD,
	CAP_NET_RAW, CAP_SETGID,       CAP_SETUID,	CAP_SETFCAP,	      CAP_SETPCAP,
	CAP_KILL,    CAP_SYS_CHROOT,   CAP_AUDIT_WRITE, CAP_NET_BIND_SERVICE,
};

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list arguments;

	fputs("restrict: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(99);
}

/* ---- Docker's format ------------------------------------------------------------------------- */

static bool contains(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *item = json_string_value(json_array_get(list, i));

		if (item && !strcmp(item, text))
			return true;
	}
	return false;
}

/* For a container on amd64, on a kernel newer than any the profile asks for. */
static bool applies(const json_t *entry)
{
	const json_t *includes = json_object_get(entry, "includes");
	const json_t *excludes = json_object_get(entry, "excludes");
	const json_t *arches = json_object_get(includes, "arches");

	/* Of the capabilities profiles ask for, a container has but this one. */
	if (json_array_size(json_object_get(includes, "caps")))
		return contains(json_object_get(includes, "caps"), "CAP_SYS_CHROOT");
	if (json_array_size(arches) && !contains(arches, "amd64"))
		return false;
	return !contains(json_object_get(excludes, "arches"), "amd64");
}

static bool is_addition(const json_t *entry)
{
	const char *comment = json_string_value(json_object_get(entry, "comment"));

	return comment && !strncmp(comment, "ttrec", 5);
}

static enum scmp_compare parse_compare(const char *name)
{
	static const struct {
		const char *name;
		enum scmp_compare compare;
	} names[] = {
		{ "SCMP_CMP_NE", SCMP_CMP_NE },
		{ "SCMP_CMP_LT", SCMP_CMP_LT },
		{ "SCMP_CMP_LE", SCMP_CMP_LE },
		{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
		{ "SCMP_CMP_GE", SCMP_CMP_GE },
		{ "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (name && !strcmp(names[i].name, name))
			return names[i].compare;
	die("unknown comparison '%s'", name);
}

static uint32_t parse_action(const json_t *holder, const char *key, const char *errno_key)
{
	const char *name = json_string_value(json_object_get(holder, key));
	const json_t *error = json_object_get(holder, errno_key);

	if (name && !strcmp(name, "SCMP_ACT_ALLOW"))
		return SCMP_ACT_ALLOW;
	if (name && !strcmp(name, "SCMP_ACT_ERRNO"))
		return SCMP_ACT_ERRNO(error ? (uint32_t)json_integer_value(error) : EPERM);
	die("unknown action '%s'", name);
}

static struct scmp_arg_cmp read_compare(const json_t *item)
{
	return (struct scmp_arg_cmp){
		.arg = (unsigned int)json_integer_value(json_object_get(item, "index")),
		.op = parse_compare(json_string_value(json_object_get(item, "op"))),
		.datum_a = (uint64_t)json_integer_value(json_object_get(item, "value")),
		.datum_b = (uint64_t)json_integer_value(json_object_get(item, "valueTwo")),
	};
}

static void add_entry(scmp_filter_ctx filter, uint32_t default_action, const json_t *entry)
{
	const json_t *names = json_object_get(entry, "names");
	const json_t *arguments = json_object_get(entry, "args");
	uint32_t action = parse_action(entry, "action", "errnoRet");
	struct scmp_arg_cmp compare[6];
	size_t count = json_array_size(arguments);

	if (count > ARRAY_SIZE(compare))
		die("an entry with more than six arguments");
	for (size_t i = 0; i < count; i++)
		compare[i] = read_compare(json_array_get(arguments, i));
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));
		int number = seccomp_syscall_resolve_name(name);
		int err;

		/* Profiles name calls of every architecture and of kernels to come. */
		if (number == __NR_SCMP_ERROR || action == default_action)
			continue;
		err = seccomp_rule_add_array(filter, action, number, (unsigned int)count, compare);
		if (err)
			die("cannot add %s: %s", name, strerror(-err));
	}
}

static scmp_filter_ctx read_profile(const struct restriction *restriction)
{
	json_error_t error;
	json_t *profile = json_load_file(restriction->profile, JSON_REJECT_DUPLICATES, &error);
	scmp_filter_ctx filter;
	const json_t *entries;
	uint32_t action;

	if (!profile)
		die("%s:%d: %s", restriction->profile, error.line, error.text);
	action = parse_action(profile, "defaultAction", "defaultErrnoRet");
	filter = seccomp_init(action);
	if (!filter)
		die("no filter");
	entries = json_object_get(profile, "syscalls");
	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);

		if (applies(entry) && !(restriction->stock && is_addition(entry)))
			add_entry(filter, action, entry);
	}
	json_decref(profile);
	return filter;
}

/* ---- Becoming the container ------------------------------------------------------------------ */

static void load(scmp_filter_ctx filter)
{
	int err;

	/* As root the filter goes in without no_new_privs, as a container runtime does it. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, geteuid() ? 1 : 0);
	err = seccomp_load(filter);
	if (err)
		die("cannot load the filter: %s", strerror(-err));
	seccomp_release(filter);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(container_capabilities); i++)
		data[container_capabilities[i] / 32].permitted |= 1u
								  << container_capabilities[i] % 32;
	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++)
		if (!(data[i / 32].permitted & 1u << i % 32))
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		data[i].effective = data[i].permitted;
	if (syscall(SYS_capset, &header, data))
		die("cannot drop capabilities: %s", strerror(errno));
}

static void refuse(const struct restriction *restriction)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	for (size_t i = 0; i < restriction->refusals; i++) {
		int number = seccomp_syscall_resolve_name(restriction->refuse[i]);

		if (number == __NR_SCMP_ERROR)
			die("there is no system call '%s'", restriction->refuse[i]);
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
	}
	load(filter);
}

/* ---- Command line ---------------------------------------------------------------------------- */

static const struct argp_option options[] = {
	{ "profile", 'p', "FILE", 0, "a seccomp profile in Docker's format", 0 },
	{ "stock", 's', NULL, 0, "without what the profile adds to Docker's own", 0 },
	{ "refuse", 'r', "NAME", 0, "refuse a system call with EPERM", 0 },
	{ 0 },
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct restriction *restriction = state->input;

	switch (key) {
	case 'p':
		restriction->profile = text;
		break;
	case 's':
		restriction->stock = true;
		break;
	case 'r':
		if (restriction->refusals == REFUSALS_MAX)
			argp_error(state, "too many --refuse");
		restriction->refuse[restriction->refusals++] = text;
		break;
	case ARGP_KEY_ARG:
		restriction->command = &state->argv[state->next - 1];
		state->next = state->argc;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct argp argp = { options,
					  parse,
					  "COMMAND [ARGUMENTS]",
					  "Run a command as restricted as in a container.",
					  NULL,
					  NULL,
					  NULL };
	struct restriction restriction = { 0 };

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &restriction);
	if (restriction.profile) {
		load(read_profile(&restriction));
		if (!geteuid())
			drop_capabilities();
	}
	if (restriction.refusals)
		refuse(&restriction);
	execvp(restriction.command[0], restriction.command);
	die("cannot run %s: %s", restriction.command[0], strerror(errno));
}
