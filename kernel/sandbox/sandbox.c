// SPDX-License-Identifier: BSD-3-Clause
/* The isolated sandbox, from outside: opens it, receives its descriptors, ends it. */
#include "kernel/sandbox/sandbox.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "kernel/host/unix_socket.h"
#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox_internal.h"

#define CONSOLE_SPACE \
	(4 << 20) /* bytes asked for; an ordinary user gets /proc/sys/net/core/wmem_max */

static int close_fd_now(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return 0;
}

int sandbox_report_send(int report_fd, const struct sandbox_report *report, int fd)
{
	DESCRIPTORS_CONTROL(1) control;
	struct iovec data = { .iov_base = (void *)report, .iov_len = sizeof(*report) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	descriptors_attach(&message, &control, &fd, fd >= 0);
	return TEMP_FAILURE_RETRY(sendmsg(report_fd, &message, MSG_NOSIGNAL)) < 0 ? -errno : 0;
}

/*
 * Receive one report with the descriptor and the sender's pid (as seen from here) that came with
 * it. -EPIPE: there are no more; -EMFILE: there was a descriptor, but no place for it.
 */
static int sandbox_report_receive(int report_fd, int flags, struct sandbox_report *report, int *fd,
				  pid_t *pid)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	} control = { 0 };
	struct iovec data = { .iov_base = report, .iov_len = sizeof(*report) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t got;

	*fd = -1;
	/*
	 * If the sender ended before it had read everything, there is one error, and then its data.
	 */
	do
		got = recvmsg(report_fd, &message, MSG_CMSG_CLOEXEC | flags);
	while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got < 0)
		return -errno;
	if (got != sizeof(*report))
		return -EPIPE;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part;
	     part = CMSG_NXTHDR(&message, part)) {
		struct ucred sender;

		if (part->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&sender, CMSG_DATA(part), sizeof(sender));
			*pid = sender.pid;
		}
	}
	descriptors_take(&message, fd, 1);
	return message.msg_flags & MSG_CTRUNC ? -EMFILE : 0;
}

static unsigned long clone_flags(unsigned int parts)
{
	unsigned long flags = SIGCHLD;

	if (parts & ISOLATION_USER)
		flags |= CLONE_NEWUSER;
	if (parts & ISOLATION_PID)
		flags |= CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
	if (parts & ISOLATION_MOUNT)
		flags |= CLONE_NEWNS;
	if (parts & ISOLATION_NET)
		flags |= CLONE_NEWNET;
	return flags;
}

/*
 * The raw calls: fork() cannot make namespaces, and unshare() would not put the caller in the new
 * pid one. The child is created in its control group: if it moved there later, what it did before
 * would not be counted.
 */
static pid_t clone_supervisor(unsigned int parts, struct sandbox_group *group)
{
	struct clone_args arguments = { .flags = clone_flags(parts) & ~(unsigned long)CSIGNAL,
					.exit_signal = SIGCHLD };
	pid_t pid;

	if (group->fd >= 0) {
		arguments.flags |= CLONE_INTO_CGROUP;
		arguments.cgroup = (uint64_t)group->fd;
		pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
		if (pid >= 0)
			return pid;
		/* Linux before 5.7, or a filter that does not know the call; or as that below. */
		sandbox_group_remove(group);
	}
	return (pid_t)syscall(SYS_clone, clone_flags(parts), NULL, NULL, NULL, NULL);
}

static void remove_directory(const char *directory)
{
	pid_t pid = fork();

	/* Removes the sandbox's directory, to which no other process has access. */
	if (!pid) {
		execl("/bin/rm", "rm", "-rf", "--", directory, NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void sandbox_take_device(struct sandbox *sandbox, const struct sandbox_report *report,
				int fd)
{
	/* The supervisor is the caller's child, and counts from 0. */
	assert(report->value >= 0 && report->value < SANDBOX_DEVICES_MAX);
	sandbox->device_fd[report->value] = fd;
}

/* It ended without a report: with an errno for a status, it could not send one. */
static int await_failure(struct sandbox *sandbox)
{
	int status = 0;

	while (waitpid(sandbox->supervisor, &status, 0) < 0 && errno == EINTR)
		;
	sandbox->supervisor = 0;
	return WIFEXITED(status) && WEXITSTATUS(status) ? -WEXITSTATUS(status) : -EPIPE;
}

/* Take the reports of the opening phase, up to READY. */
static int sandbox_await_ready(struct sandbox *sandbox, struct sandbox_report *report)
{
	int err, fd;
	pid_t sender;

	for (;;) {
		err = sandbox_report_receive(sandbox->supervisor_fd, 0, report, &fd, &sender);
		if (err)
			snprintf(report->doing, sizeof(report->doing), "set up the sandbox");
		if (err)
			return err == -EPIPE ? await_failure(sandbox) : err;
		sandbox->isolation |= report->isolation;
		switch (report->step) {
		case SANDBOX_STEP_LISTENING:
			sandbox->listen_fd = fd;
			break;
		case SANDBOX_STEP_DEVICE:
			sandbox_take_device(sandbox, report, fd);
			break;
		case SANDBOX_STEP_GUEST:
			sandbox->entropy_fd = fd;
			sandbox->guest = sender;
			break;
		case SANDBOX_STEP_READY:
			return 0;
		default:
			return report->value < 0 ? report->value : -EPIPE;
		}
	}
}

/*
 * A socket and not a pipe: UML asks for SIGIO on its console's descriptor, and a pipe sends one to
 * the writer for every read at the other end (fs/pipe.c, fasync_writers, Linux 6.18), wherever the
 * guest then is. A socket sends one only after it was full (net/core/sock.c, SOCK_WAKE_SPACE).
 */
static int open_console(int console[2])
{
	int space = CONSOLE_SPACE;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console))
		return -errno;
	if (setsockopt(console[1], SOL_SOCKET, SO_SNDBUFFORCE, &space, sizeof(space)))
		setsockopt(console[1], SOL_SOCKET, SO_SNDBUF, &space, sizeof(space));
	shutdown(console[0], SHUT_WR);
	return fcntl(console[0], F_SETFL, O_NONBLOCK) ? -errno : 0;
}

/* ---- Opening -------------------------------------------------------------------------------- */

static int sandbox_try(const struct sandbox_options *options, unsigned int parts,
		       struct sandbox *sandbox, struct sandbox_report *report)
{
	struct sandbox_plan plan = { .options = options,
				     .parts = parts,
				     .group_cpu_fd = -1,
				     .uid = geteuid(),
				     .gid = getegid() };
	int reports[2], console[2], on = 1, err;

	sandbox_choose_user(&plan);
	*sandbox = SANDBOX_NONE;
	*report = (struct sandbox_report){ .doing = "set up the sandbox" };
	if (!(parts & ISOLATION_MOUNT)) {
		snprintf(report->doing, sizeof(report->doing),
			 "find a directory where programs can be executed (tried " SANDBOX_BASES
			 ")");
		err = sandbox_make_directory(&options->limits, &sandbox->directory);
		if (err)
			return err;
		if ((plan.nobody || plan.drop_root) &&
		    chown(sandbox->directory, SANDBOX_NOBODY, SANDBOX_NOBODY))
			return -errno;
		plan.directory = sandbox->directory;
		sandbox->seen = options->host_files ? NULL : options->files;
	}
	err = open_console(console);
	if (err)
		return err;
	sandbox->console_fd = console[0];
	plan.console_fd = console[1];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reports)) {
		close(console[1]);
		return -errno;
	}
	sandbox->supervisor_fd = reports[0];
	plan.report_fd = reports[1];
	/* They name the guest's process. */
	if (setsockopt(reports[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on))) {
		err = -errno;
		close(reports[1]);
		close(console[1]);
		return err;
	}
	sandbox_group_create(options->groups, &options->limits, sandbox_memory(&plan),
			     &sandbox->group);
	plan.group_cpu_fd = sandbox->group.cpu_fd;
	sandbox->supervisor = clone_supervisor(parts, &sandbox->group);
	err = sandbox->supervisor < 0 ? -errno : 0;
	if (!sandbox->supervisor)
		sandbox_supervise(&plan);
	close(reports[1]);
	close(console[1]);
	if (!err && plan.nobody)
		err = sandbox_map_nobody(sandbox->supervisor, sandbox->supervisor_fd);
	return err ? err : sandbox_await_ready(sandbox, report);
}

/*
 * Entropy is written into the guest and digests are read from it: without that access the isolation
 * would be incomplete. Address 0 is not mapped, so -EFAULT means that access is allowed.
 */
static int check_sight(pid_t guest, struct sandbox_report *report)
{
	char byte = 0;
	struct iovec local = { &byte, 1 }, remote = { NULL, 1 };

	snprintf(report->doing, sizeof(report->doing),
		 "read the guest's memory (process_vm_readv)");
	if (process_vm_readv(guest, &local, 1, &remote, 1, 0) < 0 && errno != EFAULT)
		return errno == ESRCH ? 0 : -errno; /* it has already ended */
	snprintf(report->doing, sizeof(report->doing),
		 "write the guest's memory (process_vm_writev)");
	if (process_vm_writev(guest, &local, 1, &remote, 1, 0) < 0 && errno != EFAULT)
		return errno == ESRCH ? 0 : -errno;
	return 0;
}

/* Combinations to try, from full isolation down; the first that works is used. */
static const unsigned int namespace_sets[] = {
	ISOLATION_NAMESPACES,
	ISOLATION_NAMESPACES & ~ISOLATION_MOUNT, /* AppArmor refuses mount(2) in containers */
	ISOLATION_NAMESPACES & ~ISOLATION_USER,
	0,
};

/* As root without a user namespace the guest still runs as another user: nobody. */
static unsigned int parts_of(unsigned int namespaces)
{
	return namespaces | (namespaces & ISOLATION_PID ? ISOLATION_USER : 0);
}

static bool may_try_less(int err)
{
	return err == -EPERM || err == -EACCES || err == -EINVAL || err == -ENOSPC ||
	       err == -EUSERS;
}

static int refuse_unlocked(const struct sandbox_options *options,
			   const struct sandbox_report *report, int err, struct diagnosis *why)
{
	static const char advice[] = "run `ttrec doctor` to see what this machine supports";
	char names[ISOLATION_TEXT];

	if (err)
		return diagnose(why, EXIT_CANNOT, -EACCES, advice, "cannot %s: %s", report->doing,
				strerror(-err));
	return diagnose(why, EXIT_CANNOT, -EACCES, advice, "missing: %s",
			isolation_text(options->required & ~options->wanted, names));
}

/* A refusal of other parts does not affect the namespaces. */
static int sandbox_try_parts(const struct sandbox_options *options, unsigned int parts,
			     struct sandbox *sandbox, struct sandbox_report *report)
{
	int err = sandbox_try(options, parts, sandbox, report);

	if (err)
		sandbox_close(sandbox);
	if (!err || report->step != SANDBOX_STEP_FAILED || !report->isolation)
		return err;
	err = sandbox_try(options, parts & ~report->isolation, sandbox, report);
	if (err)
		sandbox_close(sandbox);
	return err;
}

int sandbox_open(const struct sandbox_options *options, struct sandbox *sandbox,
		 struct diagnosis *why)
{
	unsigned int wanted = options->wanted & ~(options->host_files ? ISOLATION_MOUNT : 0);
	unsigned int tried = ~0u;
	struct sandbox_report report;
	int err = 0;

	assert(options->devices <= SANDBOX_DEVICES_MAX);
	err = host_check_devices(why);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(namespace_sets); i++) {
		unsigned int namespaces = namespace_sets[i] & wanted;

		if (namespaces == tried)
			continue;
		if (options->required & ~parts_of(namespaces))
			continue;
		tried = namespaces;
		err = sandbox_try_parts(options, namespaces | (wanted & ~ISOLATION_NAMESPACES),
					sandbox, &report);
		if (err) {
			if (!may_try_less(err))
				break;
			continue;
		}
		sandbox->isolation |= parts_of(namespaces);
		err = check_sight(sandbox->guest, &report);
		if (!err)
			return 0;
		sandbox_close(sandbox);
		break;
	}
	if (options->required && may_try_less(err ? err : -EACCES))
		return refuse_unlocked(options, &report, err, why);
	return diagnose(why, EXIT_CANNOT, err,
			diagnosis_shortage(err)
				?: "run `ttrec doctor` to see what this machine supports",
			"cannot start the guest: cannot %s: %s", report.doing, strerror(-err));
}

/* The host may detect the excess before the supervisor; it then kills the whole group. */
static void check_group(struct sandbox *sandbox)
{
	if (sandbox->limit || !sandbox_group_exceeded(&sandbox->group))
		return;
	sandbox->limit = SANDBOX_LIMIT_MEMORY;
	snprintf(sandbox->exceeded, sizeof(sandbox->exceeded),
		 "it used all memory of its control group");
}

int sandbox_ended(struct sandbox *sandbox, int *status, int *signal)
{
	struct sandbox_report report;
	pid_t sender;
	int fd, err;

	do {
		err = sandbox_report_receive(sandbox->supervisor_fd, MSG_DONTWAIT, &report, &fd,
					     &sender);
		close_fd_now(&fd);
		if (!err && report.step == SANDBOX_STEP_EXCEEDED) {
			sandbox->limit = (enum sandbox_limit)report.value;
			memcpy(sandbox->exceeded, report.doing, sizeof(sandbox->exceeded));
		}
	} while (!err && report.step == SANDBOX_STEP_EXCEEDED);
	if (err == -EAGAIN)
		return 0;
	if (err && err != -EPIPE)
		return err;
	if (err || report.step != SANDBOX_STEP_EXIT) {
		/* The supervisor itself was killed, and the guest with it. */
		*status = 0;
		*signal = SIGKILL;
	} else {
		*status = WIFEXITED(report.value) ? WEXITSTATUS(report.value) : 0;
		*signal = WIFSIGNALED(report.value) ? WTERMSIG(report.value) : 0;
	}
	check_group(sandbox);
	sandbox->ended = true;
	sandbox->killed = *signal == SIGKILL && !sandbox->limit;
	return 1;
}

static void await_end(struct sandbox *sandbox, int wait_ms)
{
	struct pollfd supervisor = { .fd = sandbox->supervisor_fd, .events = POLLIN };
	int status, signal;

	if (!sandbox->ended && sandbox->supervisor_fd >= 0 && poll(&supervisor, 1, wait_ms) > 0)
		sandbox_ended(sandbox, &status, &signal);
}

enum sandbox_limit sandbox_limit_reached(struct sandbox *sandbox)
{
	/* It reports an exceeded limit before it kills. */
	if (!sandbox->limit)
		await_end(sandbox, 0);
	return sandbox->limit;
}

bool sandbox_was_killed(struct sandbox *sandbox, int wait_ms)
{
	if (!sandbox->killed)
		await_end(sandbox, wait_ms);
	return sandbox->killed;
}

void sandbox_file_path(const struct sandbox *sandbox, const char *path, char *text, size_t size)
{
	if (sandbox->directory)
		snprintf(text, size, "%s%s", sandbox->directory, path);
	else
		snprintf(text, size, "/proc/%d/root%s", sandbox->guest, path);
}

void sandbox_close(struct sandbox *sandbox)
{
	if (sandbox->supervisor > 0) {
		if (!(sandbox->isolation & ISOLATION_PID) && sandbox->guest > 0)
			kill(-sandbox->guest, SIGKILL);
		kill(sandbox->supervisor, SIGKILL);
		while (waitpid(sandbox->supervisor, NULL, 0) < 0 && errno == EINTR)
			;
	}
	sandbox_group_remove(&sandbox->group);
	close_fd_now(&sandbox->supervisor_fd);
	close_fd_now(&sandbox->listen_fd);
	for (unsigned int i = 0; i < SANDBOX_DEVICES_MAX; i++)
		close_fd_now(&sandbox->device_fd[i]);
	close_fd_now(&sandbox->entropy_fd);
	close_fd_now(&sandbox->console_fd);
	if (sandbox->directory)
		remove_directory(sandbox->directory);
	free(sandbox->directory);
	*sandbox = SANDBOX_NONE;
}
