/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the probe. */
#ifndef TTREC_PROBE_INTERNAL_H
#define TTREC_PROBE_INTERNAL_H

#include <pthread.h>
#include <stddef.h>

#include <bpf/libbpf.h>

#include "kernel/probe/probe.h"
#include "probe.skel.h"

#define PROBE_PLACES 3 /* functions that are probed */

/*
 * A program and a ring for each guest: so nothing of one guest waits behind another's, and what is
 * lost is known by guest.
 */
struct probe_guest {
	struct probe_bpf *bpf;
	struct ring_buffer *ring;
	int link_fd;			     /* of all uprobes together; -1 */
	struct bpf_link *each[PROBE_PLACES]; /* or one link for each */
	pthread_t leaver;
	bool leaving;		   /* the leaver closes link_fd */
	struct probe_event *queue; /* taken from the ring; those before @head have been returned */
	size_t head, count, capacity;
	uint64_t dropped; /* for want of memory */
};

struct probe {
	int epoll_fd;
	bool together; /* the host can attach all uprobes of a guest by one link: Linux 6.6 */
	struct probe_guest **guest; /* by number; NULL: not probed */
	size_t guest_count;
};

/* Why BPF is refused: fills @why for the -errno that an attempt to load or attach ended with. */
int probe_refusal(int error, struct diagnosis *why);

/* Before loading: the program will be attached with others in one link. */
void probe_prepare_together(struct probe_bpf *bpf);
/* Can the loaded program be? */
bool probe_can_together(const struct probe_bpf *bpf);

/* Attach the program of @guest to the functions of @kernel, at @path, in the process @pid. */
int probe_attach_places(struct probe_guest *guest, bool together, pid_t pid, const char *path,
			const struct image_file *kernel, struct diagnosis *why);

/* Begin to take the uprobes of @guest out; wait until they are. */
void probe_leave_places(struct probe_guest *guest);
void probe_await_places(struct probe_guest *guest);

#endif
