// SPDX-License-Identifier: BSD-3-Clause
/* In words why a host does not take the probe. */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/sandbox/host_checks.h"
#include "kernel/probe/probe_internal.h"

/* CAP_SYS_ADMIN stands for both, as before Linux 5.8. */
static void read_capabilities(bool *bpf, bool *perfmon)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint64_t effective;

	syscall(SYS_capget, &header, data);
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	*bpf = effective & (1ull << CAP_BPF | 1ull << CAP_SYS_ADMIN);
	*perfmon = effective & (1ull << CAP_PERFMON | 1ull << CAP_SYS_ADMIN);
}

static int refuse_permission(int error, struct diagnosis *why)
{
	bool bpf, perfmon;

	read_capabilities(&bpf, &perfmon);
	if (bpf && perfmon)
		return diagnose(
			why, EXIT_CANNOT, error,
			"in a container: --cap-add BPF --cap-add PERFMON and a seccomp "
			"profile that allows bpf and perf_event_open",
			"the interrupt probe is refused despite sufficient capabilities (%s): by a "
			"container's seccomp filter, a user namespace or lockdown",
			strerror(-error));
	return diagnose(why, EXIT_CANNOT, error,
			"run as root, or once: setcap cap_bpf,cap_perfmon+ep on the program",
			"the interrupt probe needs CAP_BPF and CAP_PERFMON, and this process has "
			"%s",
			bpf	  ? "no CAP_PERFMON"
			: perfmon ? "no CAP_BPF"
				  : "neither");
}

int probe_refusal(int error, struct diagnosis *why)
{
	struct utsname host = { 0 };
	uint32_t version;

	uname(&host);
	version = host_parse_version(host.release);
	if (error == -EPERM || error == -EACCES)
		return refuse_permission(error, why);
	if (error == -ENOSYS)
		return diagnose(why, EXIT_CANNOT, error,
				"use a kernel with CONFIG_BPF_SYSCALL, CONFIG_BPF_EVENTS and "
				"CONFIG_UPROBE_EVENTS",
				"no interrupt probe: the host's kernel was built without BPF");
	if (version && version < HOST_LINUX(6, 0, 0))
		return diagnose(why, EXIT_CANNOT, -ENOTSUP, "run Linux 6.0 or newer",
				"the interrupt probe needs Linux 6.0, this is %s", host.release);
	return diagnose(
		why, EXIT_CANNOT, error,
		"check that the host's kernel has CONFIG_BPF_EVENTS and CONFIG_UPROBE_EVENTS",
		"the host's kernel refuses the interrupt probe: %s", strerror(-error));
}
