/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The isolated sandbox: a process started so that it looks the same every time, on every machine.
 *
 * Own user, pid, mount, network, IPC and UTS namespaces; a root directory with only the files it
 * was given; fixed environment, limits and paths; fixed addresses and libc's random bytes, by a
 * loader that is executed in place of the program; getrandom(2) and open(2) of /dev/random and
 * /dev/urandom held by a seccomp user notification; one CPU. Nothing is attached to the process.
 * Memory, CPU time and the number of processes are limited.
 *
 * If the host refuses a part, the sandbox is opened without it and reports which parts hold
 * (isolation.h).
 */
#ifndef TTREC_SANDBOX_H
#define TTREC_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format/base/diagnosis.h"
#include "kernel/sandbox/host_checks.h"
#include "kernel/image/image.h"
#include "kernel/sandbox/sandbox_group.h"
#include "kernel/sandbox/isolation.h"

#define SANDBOX_RANDOM_SIZE 16

/*
 * The guest connects here for time; in a sandbox without a mount namespace a private directory is
 * put before it.
 */
#define SANDBOX_SOCKET "/run/tt"
/* And here for its devices, by number. */
#define SANDBOX_DEVICE_SOCKET "/run/dev%u"
#define SANDBOX_DEVICES_MAX   64
/* The guest's memory is a file in here. */
#define SANDBOX_TEMPORARY "/dev/shm"

/*
 * Version of the layout of addresses and paths in a sandbox. It is in the trace, and memory is
 * compared only if it is the same. In 0 paths depended on what the host allowed, and the addresses
 * of a host without randomisation; 1 is that of kernel/loader/loader.h.
 */
#define SANDBOX_LAYOUT 1

/* Limits of a program on this machine; 0: no limit. */
struct sandbox_limits {
	uint64_t memory; /* bytes: for all files together, and as much for all processes' own */
	uint64_t cpu;	 /* ns of CPU time, of all processes together */
	uint64_t disk; /* bytes: for all files together, where these are in a directory of the host
			*/
	unsigned int processes; /* at a time */
};

/* Which of them a program was killed at. */
enum sandbox_limit {
	SANDBOX_LIMIT_NONE,
	SANDBOX_LIMIT_MEMORY,
	SANDBOX_LIMIT_PROCESSES,
	SANDBOX_LIMIT_CPU
};

struct sandbox_options {
	const struct image_files *files; /* what the sandbox contains; file[0] is the program */
	char *const *arguments; /* argv, NULL-terminated; "{room}" is replaced by the path of the
				   files */
	uint8_t auxv_random[SANDBOX_RANDOM_SIZE]; /* what AT_RANDOM points to */
	unsigned int cpu;
	unsigned int wanted; /* ISOLATION_* parts to try; usually ISOLATION_FULL */
	unsigned int
		required; /* ISOLATION_NAMESPACES parts without which the program is not started */
	bool absolute_paths;  /* "{room}" is "" where the sandbox has a root of its own, else "." */
	bool host_files;      /* the guest may see the host's files (given up: ISOLATION_MOUNT) */
	bool debugged;	      /* some process of its user's is going to trace the program */
	unsigned int devices; /* sockets of devices to listen at */
	struct sandbox_limits limits;
	struct sandbox_groups *groups; /* where control groups can be made; NULL: nowhere */
};

/* The limit at which a program was killed: "it took 300.0 MiB of memory, and may ...". */
#define SANDBOX_EXCEEDED_TEXT 128

struct sandbox {
	unsigned int isolation; /* ISOLATION_* parts that hold */
	pid_t supervisor;  /* the sandbox's first process: when it dies everything in the sandbox
			      dies */
	pid_t guest;	   /* the program, as seen from here */
	int supervisor_fd; /* readable when the guest ended: sandbox_ended() */
	int listen_fd;	   /* where the guest will connect for time; close it when it has */
	int device_fd[SANDBOX_DEVICES_MAX]; /* where the guest will connect for each device; -1 */
	int entropy_fd;			    /* seccomp listener, -1 without ISOLATION_ENTROPY */
	int console_fd; /* read end of the guest's standard output and error, non-blocking */
	enum sandbox_limit limit; /* at which it was killed, and its description: */
	char exceeded[SANDBOX_EXCEEDED_TEXT];
	bool ended;  /* the end of the program was reported */
	bool killed; /* the program or the supervisor was, by another process */
	struct sandbox_group group;
	char *directory; /* host directory to remove at the end; NULL with ISOLATION_MOUNT */
	const struct image_files
		*seen; /* without ISOLATION_MOUNT: the paths that can be opened; or NULL */
};

/*
 * Open a sandbox and start the program in it. Must be called before the calling process starts
 * threads. On failure nothing is left behind. -EACCES if required parts are refused: the program
 * has not run.
 */
int sandbox_open(const struct sandbox_options *options, struct sandbox *sandbox,
		 struct diagnosis *why);

/*
 * The directory for a sandbox without ISOLATION_MOUNT, preferably with @memory bytes free. -EACCES
 * if there is no writable directory in which programs can be executed.
 */
#define SANDBOX_BASES "TMPDIR, /dev/shm, /tmp, /var/tmp"
int sandbox_find_base(uint64_t memory, const char **base, struct host_directory *about);

/*
 * After supervisor_fd became readable: 1 when the program has ended, with its exit status and
 * signal (one of them 0); 0 when it has not yet; or -errno. If it was killed for exceeding a limit,
 * sandbox->exceeded says which.
 */
int sandbox_ended(struct sandbox *sandbox, int *status, int *signal);

/* The limit that the program was killed at, even if it has not been waited for yet. */
enum sandbox_limit sandbox_limit_reached(struct sandbox *sandbox);

/* Whether a process other than the supervisor killed it (SIGKILL); waits for so long for its end.
 */
bool sandbox_was_killed(struct sandbox *sandbox, int wait_ms);

/*
 * End everything in the sandbox and release it. Idempotent; safe on SANDBOX_NONE.
 */
void sandbox_close(struct sandbox *sandbox);

/*
 * Path of the sandbox's file @path (as in its options) for this process; the guest must be alive.
 * What /proc/PID/exe names is the loader.
 */
void sandbox_file_path(const struct sandbox *sandbox, const char *path, char *text, size_t size);

/* A sandbox that is not open. */
#define SANDBOX_NONE                                                              \
	((struct sandbox){ .supervisor_fd = -1,                                   \
			   .listen_fd = -1,                                       \
			   .device_fd = { [0 ... SANDBOX_DEVICES_MAX - 1] = -1 }, \
			   .group = SANDBOX_GROUP_NONE,                           \
			   .entropy_fd = -1,                                      \
			   .console_fd = -1 })

#endif
