/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the two sides of a sandbox: the opener outside (sandbox.c) and the supervisor inside
 * (sandbox_supervisor.c).
 */
#ifndef TTREC_SANDBOX_INTERNAL_H
#define TTREC_SANDBOX_INTERNAL_H

#include <sys/types.h>
#include <time.h>

#include "kernel/sandbox/sandbox.h"

/*
 * In an argument: replaced by where the sandbox's files stand for the guest. "" with a root of its
 * own, else ".", which is the same in every run as the directory's name is not; the path of a
 * descriptor for a guest that names files of the host, relative to where ttrec was started.
 */
#define SANDBOX_PREFIX_MARK "{room}"

/*
 * The guest's user inside: an ordinary one, so that the exec drops every capability of the
 * namespace. Outside it is the user who runs ttrec, or nobody if that is root.
 */
#define SANDBOX_USER   1000u
#define SANDBOX_NOBODY 65534

enum sandbox_step {
	SANDBOX_STEP_LISTENING, /* carries listen_fd */
	SANDBOX_STEP_DEVICE,	/* carries the device_fd of device number @value */
	SANDBOX_STEP_GUEST,	/* sent by the guest itself just before exec; carries entropy_fd if
				 * isolated
				 */
	SANDBOX_STEP_READY,	/* the program was executed and started */
	SANDBOX_STEP_EXCEEDED,	/* the program was killed at the sandbox_limit @value, described in
				 * @doing
				 */
	SANDBOX_STEP_EXIT,	/* carries the wait status */
	SANDBOX_STEP_FAILED, /* carries an errno, what was being done, and the part without which it
				may work */
};

struct sandbox_report {
	enum sandbox_step step;
	int value; /* errno of FAILED, limit of EXCEEDED, wait status of EXIT, device of DEVICE */
	unsigned int
		isolation; /* parts achieved by the sender; of FAILED: parts that were refused */
	char doing[SANDBOX_EXCEEDED_TEXT]; /* of FAILED: "mount the sandbox's root" */
};

/* Limits of a sandbox's processes, and when to check them again. See sandbox_use.c. */
struct sandbox_use {
	int proc_fd;	  /* the host's /proc; -1: it lacks the list of children */
	pid_t supervisor; /* the sandbox's first process, as that has it */
	uint64_t memory;  /* bytes; 0: not limited */
	uint64_t cpu;	  /* ns; 0: not limited */
	int group_cpu_fd; /* of the sandbox's control group, which counts exactly; -1: none */
	unsigned int processes;
	bool host_files;
	uint64_t pause_ns; /* until the next check */
	/* State at the last full check; the next one is made when a limit may be exceeded. */
	bool marked;
	int load_fd;		/* /proc/loadavg, which has the last process id that was given */
	unsigned long last_pid; /* then */
	uint64_t bytes;		/* of memory */
	uint64_t taken;		/* ns of CPU time, if that is limited */
	uint64_t ran;		/* ns that the processes there were had run */
	clockid_t *clock;	/* of each of these */
	size_t clocks, clock_space;
};

struct sandbox_plan {
	const struct sandbox_options *options;
	unsigned int parts;    /* ISOLATION_* parts to make */
	const char *directory; /* where the files go without ISOLATION_MOUNT */
	int report_fd;
	int console_fd;
	int group_cpu_fd;
	uid_t uid;
	gid_t gid;
	bool nobody;	/* the opener maps the sandbox's user to nobody, and confirms */
	bool drop_root; /* without a user namespace: root's guest becomes nobody */
	bool watched;	/* use is counted, so reservations need no limit */
};

/* The first answer of the opener of a sandbox for nobody (plan->nobody). */
enum sandbox_mapping { SANDBOX_MAPPED = 1, SANDBOX_NOT_MAPPED };

/* Send a report, with @fd if it is not -1. Returns 0 or -errno. */
int sandbox_report_send(int report_fd, const struct sandbox_report *report, int fd);

/* Body of the sandbox's first process; never returns. */
void sandbox_supervise(struct sandbox_plan *plan) __attribute__((noreturn));

/* Make all user and group ids of this process @id. 0 or -errno. */
int sandbox_change_user(unsigned int id);

/*
 * Make the directory of a sandbox without ISOLATION_MOUNT; *@directory is malloc'ed. -EFBIG when it
 * may grow larger than it is allowed to.
 */
int sandbox_make_directory(const struct sandbox_limits *limits, char **directory);

/* Build the sandbox's root directory from its files and make it this process's root. */
int sandbox_build_root(const struct sandbox_plan *plan, const char **doing);

/* Options of the mount of the sandbox's root: how large it may grow. */
#define SANDBOX_ROOT_OPTIONS_TEXT 64
void sandbox_root_options(const struct sandbox_plan *plan, char text[SANDBOX_ROOT_OPTIONS_TEXT]);

/*
 * Called by the supervisor in its namespaces: processes in there cannot create namespaces, in which
 * the limits of this one would not count, and are killed first when this machine runs out of
 * memory.
 */
void sandbox_limit_supervisor(const struct sandbox_plan *plan);

/* What all files of the sandbox may take together, bytes. */
uint64_t sandbox_memory(const struct sandbox_plan *plan);

/*
 * Called by the supervisor while it still sees the host's /proc. The sandbox's processes may use
 * twice sandbox_memory(): as much as their files, and as much again of their own.
 */
void sandbox_use_open(struct sandbox_use *use, const struct sandbox_plan *plan);
bool sandbox_use_is_watched(const struct sandbox_use *use);

/*
 * The limit that the processes below the supervisor, including @guest (its pid here), exceed now;
 * @text describes it.
 */
enum sandbox_limit sandbox_use_exceeded(struct sandbox_use *use, pid_t guest,
					char text[SANDBOX_EXCEEDED_TEXT]);

/* Called by the process that becomes the guest, before the exec. */
void sandbox_limit_guest(const struct sandbox_plan *plan);

/*
 * Body of the process that becomes the guest; never returns. @status_fd closes on exec, the loader
 * writes to @loader_fd.
 */
void sandbox_become_guest(const struct sandbox_plan *plan, int status_fd, int loader_fd)
	__attribute__((noreturn));

/*
 * From here on this process and its children may only use the calls of a kernel (sandbox_calls.c).
 * With @listener, some of them are held for the holder of *@fd, else *@fd is -1. Needs
 * PR_SET_NO_NEW_PRIVS.
 */
int sandbox_calls_restrict(const struct sandbox_plan *plan, bool listener, int *fd);

/* ---- The loader: the program at the same addresses in every run ---------------------------- */

/*
 * Whether the sandbox's user is nobody: if root's sandbox ever reached files of the host, it would
 * not have root's rights there. A guest that is given the host's files accesses them as the user it
 * runs as.
 */
void sandbox_choose_user(struct sandbox_plan *plan);

/*
 * A user other than the caller can be mapped only from outside. Not possible in a namespace without
 * nobody, whose root is an ordinary user of the host. The supervisor waits for the answer.
 */
int sandbox_map_nobody(pid_t supervisor, int report_fd);

/* The program as the process that becomes it starts it. */
struct sandbox_program {
	const char *prefix; /* where the sandbox's files are for that process */
	char *path;
	char **arguments, **environment;
};

/* Put the loader below the sandbox's directory @root. */
int sandbox_loader_write(const char *root);

/* Everything that can be done before no file can be opened unseen; and the exec, which may fail. */
int sandbox_loader_prepare(const struct sandbox_plan *sandbox,
			   const struct sandbox_program *program, int status_fd,
			   const char **doing);
void sandbox_loader_execute(const struct sandbox_program *program);

/*
 * Called by the supervisor once the loader was executed: 0 if it has entered the program, else what
 * failed, and whether the host refused it.
 */
int sandbox_loader_await(int status_fd, const char **doing, bool *refused);

/* What sandbox_become_guest writes to status_fd before it executes the program, or instead. */
struct sandbox_guest_status {
	bool prepared;	   /* set in the last message before the exec */
	int error;	   /* errno of what failed, 0 while nothing did */
	const char *doing; /* what failed: a literal, so the forker of this process can read it */
};

#endif
