/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interrupt probe: which interrupts a guest takes, and when it panics or warns, as seen from
 * the host's kernel by BPF programs at functions of the guest's.
 *
 * It adds what the guest's interfaces do not show: timer and console interrupts, with the guest's
 * own time. It changes nothing a guest can see, so a recording with it replays without it, and the
 * other way round. It needs root, or CAP_BPF and CAP_PERFMON, Linux 6.0, and to be built in (clang,
 * bpftool, libbpf).
 *
 * Order of calls: probe_open() once; probe_attach() when a guest has sent its START and is blocked
 * over it: it took no interrupt before that. At each message that a guest waits for an answer to,
 * probe_take() until there is nothing: all that it did before that message is there, and nothing
 * that it does later. While a guest runs, probe_drain() when probe_fd() is readable.
 */
#ifndef TTREC_PROBE_H
#define TTREC_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format/base/diagnosis.h"
#include "format/tttrace.h"
#include "kernel/image/image.h"
#include "kernel/probe/probe_sample.h"

struct probe;

struct probe_event {
	enum trace_irq_source source;
	uint32_t irq;	   /* its number; 0 of a panic or a warning */
	uint64_t sequence; /* counts from 0 over all events of this guest, lost ones too */
	uint64_t time;	   /* ns, the guest's own; PROBE_TIME_UNKNOWN */
	char *text;	   /* message of a panic, "FILE:LINE" of a warning; NULL of an interrupt */
};

/*
 * Returns 0, or why there can be no probe: -ENOTSUP (built without, or the host's kernel is too
 * old), -EPERM, -ENOSYS.
 */
int probe_open(struct probe **probe, struct diagnosis *why);

/*
 * Probe the process @pid, which runs @kernel, as guest number @guest (any number; once each). @path
 * is the file that it has mapped: of a guest /proc/PID/exe is the loader (sandbox_file_path()).
 * -ENOENT when the kernel has no symbol table or does not know the functions.
 */
int probe_attach(struct probe *probe, unsigned int guest, pid_t pid, const char *path,
		 const struct image_file *kernel, struct diagnosis *why);

/*
 * The next event of @guest: true with *@event filled, false when there is none (also for a guest
 * that is not probed). The text stays until the next call for this guest.
 */
bool probe_take(struct probe *probe, unsigned int guest, struct probe_event *event);

/*
 * Readable (poll, epoll) when a running guest has filled half of its ring. probe_drain() then
 * empties all rings into memory, where probe_take() finds it.
 */
int probe_fd(const struct probe *probe);
void probe_drain(struct probe *probe);

/* Events of @guest that came to nothing because its ring was full. */
uint64_t probe_lost(const struct probe *probe, unsigned int guest);

/*
 * @guest has ended: begin to take the uprobes out, which the host takes some 100 ms for, without
 * waiting. What it has left can still be taken.
 */
void probe_detach(struct probe *probe, unsigned int guest);

/* Waits until all uprobes are out. Safe on NULL. */
void probe_close(struct probe *probe);

#endif
