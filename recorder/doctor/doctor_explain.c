// SPDX-License-Identifier: BSD-3-Clause
/* Why a part of the isolation is not possible: the host's settings, matched with what it refused.
 */
#include "format/base/cleanup.h"
#include "recorder/doctor/doctor.h"

/* What is known of the place ttrec runs in. */
enum circumstance {
	IN_CONTAINER = 1 << 0,
	UNDER_FILTER = 1 << 1,
	UNDER_APPARMOR = 1 << 2, /* confined by a profile */
	CLONE_OFF = 1 << 3,
	LIMIT_ZERO = 1 << 4,
	APPARMOR_USERNS = 1 << 5,
	OLD_LINUX = 1 << 6, /* before 5.0, which brought the listener */
	BARE_ROOT = 1 << 7,
};

static unsigned int circumstances(const struct host_settings *settings)
{
	const struct {
		bool holds;
		enum circumstance circumstance;
	} table[] = {
		{ settings->container, IN_CONTAINER },
		{ settings->filtered, UNDER_FILTER },
		{ settings->apparmor[0], UNDER_APPARMOR },
		{ settings->userns_clone == 0, CLONE_OFF },
		{ settings->max_user_namespaces == 0, LIMIT_ZERO },
		{ settings->apparmor_userns > 0, APPARMOR_USERNS },
		{ settings->version && settings->version < HOST_LINUX(5, 0, 0), OLD_LINUX },
		{ settings->bare_root, BARE_ROOT },
	};
	unsigned int found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].holds)
			found |= table[i].circumstance;
	return found;
}

#define USE_PROFILE   "start it with docker run --security-opt seccomp=docs/docker-seccomp.json"
#define LEAVE_SANDBOX "run ttrec outside of the sandbox that set the filter"
#define LIFT_APPARMOR                                                                            \
	"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (on the machine itself, " \
	"not "                                                                                   \
	"in a container)"

/*
 * A cause fits when its trial failed, with @error unless that is 0, in all of its circumstances.
 * The first that fits is given: certain causes come before likely ones.
 */
static const struct {
	unsigned int parts;
	enum host_trial trial;
	int error;
	unsigned int circumstances;
	struct doctor_cause cause;
} causes[] = {
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_USERNS,
	  -EINVAL,
	  0,
	  { "this Linux has no user namespaces", "run a kernel with CONFIG_USER_NS=y" } },
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_USERNS,
	  0,
	  LIMIT_ZERO,
	  { "user.max_user_namespaces is 0", "sudo sysctl -w user.max_user_namespaces=10000" } },
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_USERNS,
	  -ENOSPC,
	  0,
	  { "the limit of user namespaces is reached, here or in an outer namespace",
	    "raise user.max_user_namespaces with sysctl (in a container: on the host)" } },
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_USERNS,
	  0,
	  CLONE_OFF,
	  { "kernel.unprivileged_userns_clone is 0",
	    "sudo sysctl -w kernel.unprivileged_userns_clone=1" } },
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_USERNS,
	  0,
	  IN_CONTAINER | UNDER_FILTER,
	  { "the container's seccomp filter refuses clone(CLONE_NEWUSER)", USE_PROFILE } },
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_USERNS,
	  0,
	  UNDER_FILTER,
	  { "a seccomp filter refuses clone(CLONE_NEWUSER)", LEAVE_SANDBOX } },
	/* Ubuntu 23.10 refuses the namespace, 24.04 every capability in it. */
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_MAP,
	  0,
	  APPARMOR_USERNS,
	  { "kernel.apparmor_restrict_unprivileged_userns is 1, as on Ubuntu 24.04",
	    LIFT_APPARMOR } },
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_USERNS,
	  0,
	  0,
	  { "clone(CLONE_NEWUSER) is refused for an unknown reason; in a chroot it always is",
	    "run ttrec outside of a chroot, or as root" } },
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_MAP,
	  -EPERM,
	  BARE_ROOT,
	  { "root without the capability CAP_SETFCAP may not be mapped into a user namespace",
	    "run it as an ordinary user (docker run --user 1000), or with --cap-add SETFCAP" } },
	{ ISOLATION_NAMESPACES,
	  HOST_TRIAL_MAP,
	  0,
	  0,
	  { "writing /proc/self/uid_map is refused",
	    "make /proc writable, or run ttrec as root" } },
	{ ISOLATION_MOUNT,
	  HOST_TRIAL_MOUNT,
	  0,
	  APPARMOR_USERNS,
	  { "kernel.apparmor_restrict_unprivileged_userns is 1, as on Ubuntu 24.04",
	    LIFT_APPARMOR } },
	{ ISOLATION_MOUNT,
	  HOST_TRIAL_MOUNT,
	  -EACCES,
	  UNDER_APPARMOR,
	  { "this process's AppArmor profile refuses mount(2)",
	    "start it with docker run --security-opt apparmor=unconfined" } },
	{ ISOLATION_MOUNT,
	  HOST_TRIAL_MOUNT,
	  0,
	  IN_CONTAINER | UNDER_FILTER,
	  { "the container's seccomp filter refuses mount(2) or pivot_root(2)", USE_PROFILE } },
	{ ISOLATION_MOUNT,
	  HOST_TRIAL_MOUNT,
	  0,
	  UNDER_FILTER,
	  { "a seccomp filter refuses mount(2) or pivot_root(2)", LEAVE_SANDBOX } },
	{ ISOLATION_ASLR | ISOLATION_AUXV,
	  HOST_TRIAL_SPACE,
	  0,
	  0,
	  { "address space is limited, and the loader reserves all that a guest does not use",
	    "remove the limit: ulimit -v unlimited" } },
	{ ISOLATION_ASLR | ISOLATION_AUXV,
	  HOST_TRIAL_HEAP,
	  0,
	  UNDER_FILTER,
	  { "a seccomp filter refuses prctl(PR_SET_MM_MAP)", LEAVE_SANDBOX } },
	{ ISOLATION_ASLR | ISOLATION_AUXV,
	  HOST_TRIAL_HEAP,
	  0,
	  0,
	  { "this Linux has no prctl(PR_SET_MM_MAP)",
	    "run a kernel with CONFIG_CHECKPOINT_RESTORE=y" } },
	{ ISOLATION_ENTROPY,
	  HOST_TRIAL_LISTENER,
	  0,
	  OLD_LINUX,
	  { "this Linux has no seccomp user notification", "run Linux 5.9 or newer" } },
	{ ISOLATION_ENTROPY,
	  HOST_TRIAL_LISTENER,
	  -EBUSY,
	  0,
	  { "this process already runs under a seccomp filter with a listener; there can be only "
	    "one",
	    "run ttrec outside of the sandbox that has it" } },
	{ ISOLATION_ENTROPY,
	  HOST_TRIAL_LISTENER,
	  0,
	  0,
	  { "seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER) is refused", LEAVE_SANDBOX } },
	{ ISOLATION_CPU,
	  HOST_TRIAL_AFFINITY,
	  0,
	  UNDER_FILTER,
	  { "a seccomp filter refuses sched_setaffinity(2)", LEAVE_SANDBOX } },
};

const struct doctor_cause *doctor_explain(enum isolation_part part, const struct doctor_host *host)
{
	unsigned int found = circumstances(&host->settings);

	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		int error = host->trial[causes[i].trial];

		if ((causes[i].parts & 1u << part) && error &&
		    (!causes[i].error || causes[i].error == error) &&
		    (found & causes[i].circumstances) == causes[i].circumstances)
			return &causes[i].cause;
	}
	return NULL;
}
