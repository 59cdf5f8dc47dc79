// SPDX-License-Identifier: BSD-3-Clause
/* Properties of the machine, and what a guest and its recorder need besides isolation. */
#include <sched.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/cpu.h"
#include "kernel/probe/probe.h"
#include "recorder/doctor/doctor.h"

/* A guest with a mem= above the free space is killed by SIGBUS during its run. */
#define MEMORY_ENOUGH (256u << 20)

#define TEXT_SIZE 160

void doctor_read_host(struct doctor_host *host)
{
	host_read_settings("", &host->settings);
	for (unsigned int i = 0; i < HOST_TRIAL_COUNT; i++)
		host->trial[i] = host_try(i);
}

static void check_linux(const struct host_settings *settings, struct checks *checks)
{
	/* SECCOMP_IOCTL_NOTIF_ADDFD, with which /dev/random is opened for a guest. */
	if (settings->version && settings->version < HOST_LINUX(5, 9, 0))
		checks_add(checks, CHECK_MISSING, "Linux", NULL, "run Linux 5.9 or newer",
			   "%s cannot give a guest recorded random numbers", settings->release);
	else
		checks_add(checks, CHECK_OK, "Linux", NULL, NULL, "%s", settings->release);
}

static void check_cpus(struct checks *checks)
{
	struct cpu_identity identity = { 0 };
	cpu_set_t allowed;
	int count;

	if (cpu_allowed(&allowed)) {
		checks_add(checks, CHECK_WARNING, "CPUs", NULL, NULL,
			   "cannot determine which may be used");
		return;
	}
	cpu_pin(cpu_here(), &identity);
	sched_setaffinity(0, sizeof(allowed), &allowed);
	count = CPU_COUNT(&allowed);
	if (count < 2)
		checks_add(checks, CHECK_WARNING, "CPUs", NULL, "allow two for a faster recording",
			   "1, %s: the trace is written on the guest's CPU", identity.model);
	else
		checks_add(checks, CHECK_OK, "CPUs", NULL, NULL, "%d, %s", count, identity.model);
}

static void check_container(const struct host_settings *settings, struct checks *checks)
{
	char profile[TEXT_SIZE] = "";

	if (!settings->container && !settings->filtered && !settings->apparmor[0])
		return;
	if (settings->apparmor[0])
		snprintf(profile, sizeof(profile), ", AppArmor profile %s", settings->apparmor);
	checks_add(checks, CHECK_NOTE, "confined", NULL, NULL, "%s%s%s",
		   settings->container ? settings->container : "outside of a container",
		   settings->filtered ? ", seccomp filter" : "", profile);
}

/* Never needed, so nothing is missing without it. */
static void check_probe(struct checks *checks)
{
	struct diagnosis why = { 0 };
	struct probe *probe;

	if (probe_open(&probe, &why))
		checks_add(checks, CHECK_NOTE, "interrupt probe", why.what, why.advice,
			   "none: traces have no timer and console interrupts");
	else
		checks_add(checks, CHECK_OK, "interrupt probe", NULL, NULL, "%s", "");
	probe_close(probe);
}

/* Never needed, either. */
static void check_groups(struct checks *checks)
{
	struct sandbox_groups groups;

	sandbox_groups_open(NULL, &groups);
	if (groups.fd < 0)
		checks_add(checks, CHECK_NOTE, "control groups", groups.reason,
			   "systemd-run --user --scope -p Delegate=yes ttrec ...",
			   "none for sandboxes: kernel memory for their sockets and pipes is not "
			   "limited");
	else
		checks_add(checks, CHECK_OK, "control groups", NULL, NULL, "each sandbox gets one");
	sandbox_groups_close(&groups);
}

static void check_devices(struct checks *checks)
{
	struct diagnosis why = { 0 };

	if (host_check_devices(&why))
		checks_add(checks, CHECK_MISSING, "devices", NULL, why.advice, "%s", why.what);
	else
		checks_add(checks, CHECK_OK, "devices", NULL, NULL, "%s", "");
}

static void check_cpuid(struct checks *checks)
{
	checks_add(checks, CHECK_NOTE, "cpuid", NULL, NULL, "%s",
		   cpu_can_be_virtual()
			   ? "can fault: kernels with ttrec's patches show programs the same CPU "
			     "everywhere"
			   : "cannot fault: programs see the model and the number of their CPU");
}

void doctor_check_machine(const struct doctor_host *host, struct checks *checks)
{
	check_linux(&host->settings, checks);
	check_cpus(checks);
	check_cpuid(checks);
	check_container(&host->settings, checks);
	check_devices(checks);
	check_groups(checks);
	check_probe(checks);
}

/* ---- Needs ----------------------------------------------------------------------------------- */

/* Trials whose failure costs more than a part of the isolation. */
static const struct {
	enum host_trial trial;
	const char *name, *lost, *advice;
} needs[] = {
	{ HOST_TRIAL_PTRACE, "ptrace", "a guest traces its own processes: it cannot run at all",
	  "allow ptrace(2): in a container --cap-add SYS_PTRACE, else "
	  "sysctl kernel.yama.ptrace_scope=1 or lower" },
	{ HOST_TRIAL_MEMORY, "memory of a guest",
	  "cannot be read or written: no digests, and a guest that asks for random numbers hangs",
	  "allow process_vm_readv(2) and process_vm_writev(2): in a container "
	  "--security-opt seccomp=docs/docker-seccomp.json" },
};

static void check_trials(const struct doctor_host *host, struct checks *checks)
{
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		int error = host->trial[needs[i].trial];
		char why[TEXT_SIZE];

		snprintf(why, sizeof(why), "%s: %s", host_trial_text(needs[i].trial),
			 strerror(-error));
		if (error)
			checks_add(checks, CHECK_MISSING, needs[i].name, why, needs[i].advice, "%s",
				   needs[i].lost);
		else
			checks_add(checks, CHECK_OK, needs[i].name, NULL, NULL, "%s", "");
	}
}

/* Of a guest that has no root of its own. */
static void check_directory(struct checks *checks)
{
	static const char advice[] = "set TMPDIR to a directory that is not mounted noexec, with "
				     "space for the guests' memory";
	struct host_directory about;
	char size[UNITS_TEXT];
	const char *base;

	if (sandbox_find_base(MEMORY_ENOUGH, &base, &about))
		checks_add(checks, CHECK_MISSING, "guest memory", NULL, advice,
			   "no directory for it: all of these are mounted noexec: " SANDBOX_BASES);
	else if (about.free_bytes < MEMORY_ENOUGH)
		checks_add(checks, CHECK_WARNING, "guest memory", NULL, advice,
			   "%s free in %s: a guest that needs more dies with SIGBUS",
			   size_text(about.free_bytes, size), base);
	else
		checks_add(checks, CHECK_OK, "guest memory", NULL, NULL, "in %s, %s free", base,
			   size_text(about.free_bytes, size));
}

void doctor_check_needs(const struct doctor_host *host, unsigned int isolation,
			struct checks *checks)
{
	check_trials(host, checks);
	if (!(isolation & ISOLATION_MOUNT))
		check_directory(checks);
	else
		checks_add(checks, CHECK_OK, "guest memory", NULL, NULL,
			   "in the sandbox's own root");
}
