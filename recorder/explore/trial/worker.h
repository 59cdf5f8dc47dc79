/* SPDX-License-Identifier: BSD-3-Clause */
/* A process that does one thing and prints what came of it; several run at the same time. */
#ifndef TTREC_WORKER_H
#define TTREC_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What it does; returns its exit status. Both standard streams are what worker->text gets. */
typedef int worker_function(void *context);

struct worker {
	pid_t pid; /* 0: none */
	int fd;	   /* of what it prints; -1 */
	char *text;
	size_t size, space;
	int status; /* of waitpid(2), once it has ended */
};

#define WORKER_NONE ((struct worker){ .fd = -1 })

/*
 * Start @function in a process and a process group of its own, which ends with this process. The
 * caller has no threads. Returns 0 or -errno.
 */
int worker_start(struct worker *worker, worker_function *function, void *context);

/* Take what it has printed. Returns whether it has ended: text and status are complete then. */
bool worker_read(struct worker *worker);

/* Until it has ended. */
void worker_finish(struct worker *worker);

/* Send a signal to its group. */
void worker_signal(const struct worker *worker, int signal);

void worker_release(struct worker *worker);

#endif
