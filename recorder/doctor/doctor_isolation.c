// SPDX-License-Identifier: BSD-3-Clause
/* Opens a sandbox with ttrec itself in it: what holds there holds for every guest. */
#include <limits.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "recorder/doctor/doctor.h"
#include "recorder/doctor/doctor_trial.h"

static const char *const labels[ISOLATION_COUNT] = {
	[ISOLATION_USER_BIT] = "user namespace",   [ISOLATION_PID_BIT] = "pid namespace",
	[ISOLATION_MOUNT_BIT] = "mount namespace", [ISOLATION_NET_BIT] = "network namespace",
	[ISOLATION_ASLR_BIT] = "fixed addresses",  [ISOLATION_ENTROPY_BIT] = "entropy",
	[ISOLATION_AUXV_BIT] = "AT_RANDOM bytes",  [ISOLATION_CPU_BIT] = "one CPU",
};

static int build_arguments(char ***arguments)
{
	static const char *const texts[] = { "ttrec", "--version" };
	char **list = calloc(ARRAY_SIZE(texts) + 1, sizeof(*list));

	for (size_t i = 0; list && i < ARRAY_SIZE(texts); i++) {
		list[i] = strdup(texts[i]);
		if (!list[i])
			return -ENOMEM;
	}
	*arguments = list;
	return list ? 0 : -ENOMEM;
}

/* The program is this one: the one program of which is known that it is here and can run. */
static int build_spec(struct guest_spec *spec, struct diagnosis *why)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int err;

	if (length < 0)
		return diagnose(why, EXIT_CANNOT, -errno, "mount /proc",
				"cannot read /proc/self/exe: %s", strerror(errno));
	path[length] = '\0';
	*spec = (struct guest_spec){ .wanted = ISOLATION_FULL, .cpu = cpu_here() };
	err = image_files_load(&spec->files, "program", path, "/ttrec", why);
	if (!err)
		err = image_load_libraries(&spec->files, &spec->files.file[0], path, why);
	if (!err && build_arguments(&spec->arguments))
		err = diagnose(why, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
	return err;
}

static void report_room(const struct trial *trial, struct checks *checks)
{
	if (trial->end == TRIAL_ENDED && !trial->status && !trial->signal)
		checks_add(checks, CHECK_OK, "sandbox", NULL, NULL,
			   "created, and a program ran in it");
	else if (trial->end == TRIAL_ENDED)
		checks_add(checks, CHECK_MISSING, "sandbox", NULL, NULL,
			   "a program ran in it and failed (status %d, signal %d)", trial->status,
			   trial->signal);
	else
		checks_add(checks, CHECK_MISSING, "sandbox", NULL, NULL,
			   "a program started in it does not end");
}

static int try_room(const struct guest_spec *spec, unsigned int *isolation, struct checks *checks,
		    struct diagnosis *why)
{
	struct trial trial;
	struct guest guest;
	int err = guest_open(spec, &guest, why);

	if (err)
		return err;
	*isolation = guest.sandbox.isolation;
	err = trial_run(&guest, &trial);
	guest_close(&guest);
	if (err)
		return diagnose(why, EXIT_CANNOT, err, NULL, "cannot serve a guest: %s",
				strerror(-err));
	report_room(&trial, checks);
	return 0;
}

static void report_part(enum isolation_part part, const struct doctor_host *host,
			struct checks *checks)
{
	const struct isolation_info *info = isolation_info(part);
	const struct doctor_cause *cause = doctor_explain(part, host);

	checks_add(checks, CHECK_MISSING, labels[part], cause ? cause->why : NULL,
		   cause ? cause->advice : info->advice, "%s", info->lost);
}

void doctor_check_isolation(const struct doctor_host *host, struct checks *checks,
			    unsigned int *isolation)
{
	struct guest_spec spec = { 0 };
	struct diagnosis why = { 0 };

	int err;

	*isolation = 0;
	err = build_spec(&spec, &why);
	if (!err)
		err = try_room(&spec, isolation, checks, &why);
	guest_spec_free(&spec);
	if (err) /* which parts would hold is not known */
		checks_add(checks, CHECK_MISSING, "sandbox", NULL,
			   why.advice[0] ? why.advice : NULL, "%s", why.what);
	for (unsigned int part = 0; !err && part < ISOLATION_COUNT; part++) {
		if (*isolation & 1u << part)
			checks_add(checks, CHECK_OK, labels[part], NULL, NULL, "%s", "");
		else
			report_part(part, host, checks);
	}
}
