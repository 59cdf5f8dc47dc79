/* SPDX-License-Identifier: BSD-3-Clause */
/* May this process probe? Asked of the host itself, so that a probe that should work must. */
#ifndef TTREC_PROBE_ALLOWED_H
#define TTREC_PROBE_ALLOWED_H

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* bpf(2) makes a ring, perf_event_open(2) knows uprobes, and Linux is new enough. */
static inline bool probe_allowed(void)
{
	union bpf_attr map = { .map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096 };
	int fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
	bool ring = fd >= 0, uprobes = !access("/sys/bus/event_source/devices/uprobe/type", R_OK);
	struct perf_event_attr event = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(event),
		.config = PERF_COUNT_SW_DUMMY,
	};
	struct utsname host;
	bool events, recent;

	if (ring)
		close(fd);
	fd = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	events = fd >= 0;
	if (events)
		close(fd);
	recent = !uname(&host) && host.release[1] == '.' ? host.release[0] >= '6' : true;
	if (!ring || !uprobes || !events || !recent)
		printf("# no probe here: ring %d, perf events %d, uprobes %d, Linux 6.0 %d\n", ring,
		       events, uprobes, recent);
	return ring && uprobes && events && recent;
}

#endif
