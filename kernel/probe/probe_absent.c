// SPDX-License-Identifier: BSD-3-Clause
/* The probe of a build without it: reports that, and never has events. */
#include <errno.h>

#include "kernel/probe/probe.h"

int probe_open(struct probe **probe, struct diagnosis *why)
{
	*probe = NULL;
	return diagnose(why, EXIT_CANNOT, -ENOTSUP,
			"install clang, bpftool and libbpf-dev, and rebuild",
			"this version was built without the interrupt probe");
}

int probe_attach(struct probe *probe, unsigned int guest, pid_t pid, const char *path,
		 const struct image_file *kernel, struct diagnosis *why)
{
	(void)guest;
	(void)pid;
	(void)path;
	(void)kernel;
	return probe_open(&probe, why);
}

bool probe_take(struct probe *probe, unsigned int guest, struct probe_event *event)
{
	(void)probe;
	(void)guest;
	(void)event;
	return false;
}

int probe_fd(const struct probe *probe)
{
	(void)probe;
	return -1;
}

void probe_drain(struct probe *probe)
{
	(void)probe;
}

uint64_t probe_lost(const struct probe *probe, unsigned int guest)
{
	(void)probe;
	(void)guest;
	return 0;
}

void probe_detach(struct probe *probe, unsigned int guest)
{
	(void)probe;
	(void)guest;
}

void probe_close(struct probe *probe)
{
	(void)probe;
}
