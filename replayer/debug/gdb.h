/* SPDX-License-Identifier: BSD-3-Clause */
/* The process of gdb: what it is given, in the foreground of the terminal, and its end. */
#ifndef TTREC_GDB_H
#define TTREC_GDB_H

#include "kernel/guest/guest.h"

struct gdb {
	pid_t pid;	 /* 0: none */
	int end_fd;	 /* readable once it has ended */
	char *directory; /* with the kernel and its libraries */
};

#define GDB_NONE ((struct gdb){ .end_fd = -1 })

/*
 * Start it on @guest, with the symbols of what the guest was started with and with @arguments after
 * ours; it asks at @server_fd. On failure nothing is left behind.
 */
int gdb_start(struct gdb *gdb, const struct guest *guest, char *const *arguments, int server_fd,
	      struct diagnosis *why);

/* Have it end, if it has not, and remove its directory. */
void gdb_end(struct gdb *gdb);

#endif
