/* SPDX-License-Identifier: BSD-3-Clause */
/* Setup of a command's own process: standard streams, signals that stop it, limit of wall time. */
#ifndef TTREC_PROCESS_H
#define TTREC_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

/* Nanoseconds of wall time since some moment; they never go back. */
uint64_t process_wall_ns(void);

/*
 * Open /dev/null for each standard stream that the caller closed: otherwise a socket or the trace
 * could get its number, and what is printed. Call it first.
 */
void process_fill_streams(void);

/*
 * From here on SIGINT, SIGTERM, SIGHUP and SIGPIPE do not end the process: they make the descriptor
 * of process_open_stop() readable. Call it before creating anything that needs cleanup: a child, a
 * socket in the file system, a directory.
 */
void process_hold_stop(void);

/*
 * From here on another process handles SIGINT and SIGQUIT, which a terminal sends to all in the
 * foreground; this one and its children ignore them until process_hold_stop().
 */
void process_leave_interrupt(void);

/* *@fd is readable once one of those signals has come, also one from before. The caller's. */
int process_open_stop(int *fd);

/*
 * Start @path with @arguments, an empty standard input and @out_fd and @err_fd as the other
 * standard streams. Signals are as they are by default there. With PROCESS_OWN_GROUP it leads a
 * process group of its own, with PROCESS_NO_ENVIRONMENT there are no variables. Returns 0 with
 * *@pid to be waited for, or -errno.
 */
#define PROCESS_OWN_GROUP      1u
#define PROCESS_NO_ENVIRONMENT 2u
int process_spawn(const char *path, char *const *arguments, int out_fd, int err_fd,
		  unsigned int flags, pid_t *pid);

/* The signal that made @fd readable; 0: none. */
int process_take_stop(int fd);

/*
 * Have a thread kill the process if it does not react: when a stop signal has not been handled for
 * 5 s, because of a blocking file or a long computation, or 5 s after a limit. It prints that as
 * @command, which stays the caller's. Sandboxes end with the process. Call it once, after
 * process_hold_stop(). Returns 0 or -errno.
 */
int process_watch(const char *command);

/* The process must end within @limit ns of wall time, which replaces an earlier limit; 0: none. */
void process_watch_limit(uint64_t limit);

#endif
