// SPDX-License-Identifier: BSD-3-Clause
/*
 * The sandbox's first process: maps users, builds the root, lets the guest start, waits for its
 * end. It is pid 1 of the sandbox, so the sandbox dies with it.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/cpu.h"
#include "kernel/sandbox/sandbox_internal.h"

/* The only descriptors of the sandbox's first process, apart from its standard streams. */
enum { REPORT_FD = STDERR_FILENO + 1, CONSOLE_FD, GROUP_CPU_FD, FIRST_FREE_FD };

/* It is waited for: what cannot be sent is an exit status, see await_failure(). */
static void send_report(const struct sandbox_plan *plan, const struct sandbox_report *report,
			int fd)
{
	int err = sandbox_report_send(plan->report_fd, report, fd);

	if (err)
		_exit(-err);
}

static void fail_without(const struct sandbox_plan *plan, const char *doing, int error,
			 unsigned int refused)
{
	struct sandbox_report report = { .step = SANDBOX_STEP_FAILED,
					 .value = error,
					 .isolation = refused };

	snprintf(report.doing, sizeof(report.doing), "%s", doing);
	_exit(-sandbox_report_send(plan->report_fd, &report, -1));
}

static void fail(const struct sandbox_plan *plan, const char *doing, int error)
{
	fail_without(plan, doing, error, 0);
}

/*
 * Raw system calls: libc's functions make all threads change, and this process, a clone of one with
 * threads, has a list of threads that do not exist in it; they would wait forever.
 */
int sandbox_change_user(unsigned int id)
{
	return syscall(SYS_setresgid, id, id, id) || syscall(SYS_setresuid, id, id, id) ? -errno
											: 0;
}

/* Changing users resets who may trace this process, and that it dies with its parent. */
static int become_mapped_user(void)
{
	/* Refused if the caller's own namespace refuses it: the groups are then not root's.
	 */
	if (syscall(SYS_setgroups, 0, NULL) && errno != EPERM)
		return -errno;
	if (sandbox_change_user(SANDBOX_USER) || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		return -errno;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return 0;
}

/*
 * Where the guest uses files of the host it has the caller's own number: files of this user, and of
 * root if that is this user, belong to the same one in the guest.
 */
static int map_self(const struct sandbox_plan *plan)
{
	bool own = plan->options->host_files;
	char map[64];
	int err;

	err = host_write_setting(AT_FDCWD, "/proc/self/setgroups", "deny");
	if (err)
		return err;
	snprintf(map, sizeof(map), "%u %u 1\n", own ? plan->gid : SANDBOX_USER, plan->gid);
	err = host_write_setting(AT_FDCWD, "/proc/self/gid_map", map);
	if (err)
		return err;
	snprintf(map, sizeof(map), "%u %u 1\n", own ? plan->uid : SANDBOX_USER, plan->uid);
	return host_write_setting(AT_FDCWD, "/proc/self/uid_map", map);
}

static int map_user(const struct sandbox_plan *plan)
{
	enum sandbox_mapping answer;
	ssize_t got;

	if (!plan->nobody)
		return map_self(plan);
	got = TEMP_FAILURE_RETRY(read(plan->report_fd, &answer, sizeof(answer)));
	if (got != sizeof(answer))
		return got < 0 ? -errno : -EPIPE;
	return answer == SANDBOX_MAPPED ? become_mapped_user() : map_self(plan);
}

/* Listen at @path, where the guest will find it. Returns the descriptor or -errno. */
static int listen_at(const struct sandbox_plan *plan, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s%s",
		 plan->directory ? plan->directory : "", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(address.sun_path, 0666) || listen(fd, 1)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* Listen at @path and hand the descriptor out with @report. */
static void open_socket(const struct sandbox_plan *plan, const char *path,
			const struct sandbox_report *report)
{
	int fd = listen_at(plan, path);

	if (fd < 0)
		fail(plan, "listen for the guest", fd);
	send_report(plan, report, fd);
	close(fd);
}

static void open_sockets(const struct sandbox_plan *plan, unsigned int isolation)
{
	struct sandbox_report report = { .step = SANDBOX_STEP_LISTENING, .isolation = isolation };
	char path[sizeof(SANDBOX_DEVICE_SOCKET) + 10];

	open_socket(plan, SANDBOX_SOCKET, &report);
	report.step = SANDBOX_STEP_DEVICE;
	for (unsigned int i = 0; i < plan->options->devices; i++) {
		snprintf(path, sizeof(path), SANDBOX_DEVICE_SOCKET, i);
		report.value = (int)i;
		open_socket(plan, path, &report);
	}
}

/* Two pipes: the first closes at the exec, the loader reports its result on the second. */
static void await_start(const struct sandbox_plan *plan, int status_fd, int loader_fd,
			unsigned int *isolation)
{
	struct sandbox_guest_status status = { 0 }, got;
	const char *doing;
	bool refused;
	int err;

	while (TEMP_FAILURE_RETRY(read(status_fd, &got, sizeof(got))) == sizeof(got))
		status = got;
	if (status.error)
		fail(plan, status.doing, -status.error);
	if (!status.prepared)
		fail(plan, "prepare the guest", -ECHILD);
	if (!(plan->parts & ISOLATION_ASLR))
		return;
	err = sandbox_loader_await(loader_fd, &doing, &refused);
	if (err)
		fail_without(plan, doing, err, refused ? ISOLATION_ASLR : 0);
	*isolation |= ISOLATION_ASLR | (plan->parts & ISOLATION_AUXV);
}

static pid_t start_guest(const struct sandbox_plan *plan, unsigned int *isolation)
{
	int status[2], loader[2];
	pid_t pid;

	if (pipe2(status, O_CLOEXEC) || pipe2(loader, O_CLOEXEC))
		fail(plan, "make a pipe", -errno);
	pid = fork();
	if (pid < 0)
		fail(plan, "fork the guest", -errno);
	if (!pid)
		sandbox_become_guest(plan, status[1], loader[1]);
	close(status[1]);
	close(loader[1]);
	await_start(plan, status[0], loader[0], isolation);
	close(status[0]);
	close(loader[0]);
	return pid;
}

/* Only once: the guest's resources are released only after that. */
static void kill_guest(const struct sandbox_plan *plan, struct sandbox_use *use, pid_t guest,
		       enum sandbox_limit limit, struct sandbox_report *report)
{
	report->step = SANDBOX_STEP_EXCEEDED;
	report->value = (int)limit;
	sandbox_report_send(plan->report_fd, report, -1);
	close_fd(&use->proc_fd);
	kill(guest, SIGKILL);
	/* All that there are but us, where we are the first. */
	kill(plan->parts & ISOLATION_PID ? -1 : -guest, SIGKILL);
}

/* Returns when a child has ended, or when it is time to check their use. */
static bool await_child(const struct sandbox_use *use, const sigset_t *child)
{
	struct timespec pause = { .tv_sec = (time_t)(use->pause_ns / NS_PER_S),
				  .tv_nsec = (long)(use->pause_ns % NS_PER_S) };

	if (sandbox_use_is_watched(use))
		return sigtimedwait(child, NULL, &pause) >= 0 || errno == EINTR;
	sigwaitinfo(child, NULL);
	return true;
}

static void wait_for_guest(const struct sandbox_plan *plan, pid_t guest, struct sandbox_use *use)
{
	struct sandbox_report report = { 0 };
	enum sandbox_limit limit;
	sigset_t child;
	int status;
	pid_t pid;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	/* Also reaps other processes of the guest. */
	while ((pid = waitpid(-1, &status, WNOHANG)) != guest && (pid >= 0 || errno == EINTR))
		if (!pid && !await_child(use, &child) &&
		    (limit = sandbox_use_exceeded(use, guest, report.doing)))
			kill_guest(plan, use, guest, limit, &report);
	report.step = SANDBOX_STEP_EXIT;
	report.value = status;
	sandbox_report_send(plan->report_fd, &report, -1);
}

/*
 * The guest must not get the caller's open descriptors, and their numbers would affect its own.
 */
static int drop_inherited_descriptors(struct sandbox_plan *plan)
{
	int report, console, group, fd;

	report = fcntl(plan->report_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	console = report < 0 ? -1 : fcntl(plan->console_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	if (report < 0 || console < 0)
		return -errno;
	group = fcntl(plan->group_cpu_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	/* The next pipe would get the number of a closed standard stream. */
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (dup3(report, REPORT_FD, O_CLOEXEC) < 0 || dup3(console, CONSOLE_FD, O_CLOEXEC) < 0)
		return -errno;
	plan->report_fd = REPORT_FD;
	plan->console_fd = CONSOLE_FD;
	plan->group_cpu_fd = group < 0 ? -1 : dup3(group, GROUP_CPU_FD, O_CLOEXEC);
	closefrom(FIRST_FREE_FD);
	return 0;
}

/*
 * Keys of the caller's session are not the guest's. Where a filter, a quota or the lack of keys
 * refuses a new keyring, the guest still cannot use the calls for keys (sandbox_calls.c).
 */
static void leave_keyring(void)
{
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
}

static void enter_namespaces(const struct sandbox_plan *plan, const char **doing)
{
	int err;

	*doing = "make a user namespace";
	err = plan->parts & ISOLATION_USER ? map_user(plan) : 0;
	if (err)
		fail(plan, *doing, err);
	sandbox_limit_supervisor(plan);
	err = sandbox_build_root(plan, doing);
	if (err)
		fail(plan, *doing, err);
}

void sandbox_supervise(struct sandbox_plan *plan)
{
	struct sandbox_report report = { .step = SANDBOX_STEP_READY };
	struct cpu_identity cpu;
	struct sandbox_use use;
	unsigned int isolation = 0;
	cpu_set_t all;
	const char *doing;
	pid_t guest;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	leave_keyring();
	err = drop_inherited_descriptors(plan);
	if (err)
		fail(plan, "keep the sandbox's descriptors", err);
	/*
	 * Addresses are fixed without it. But newer kernels ask for it themselves, and where they
	 * get it execute /proc/self/exe again, which is the loader (arch/um/os-Linux/main.c, 7.2).
	 */
	if (plan->options->wanted & ISOLATION_ASLR)
		personality(ADDR_NO_RANDOMIZE);
	sandbox_use_open(&use, plan);
	plan->watched = sandbox_use_is_watched(&use);
	enter_namespaces(plan, &doing);
	sched_getaffinity(0, sizeof(all), &all);
	if ((plan->options->wanted & ISOLATION_CPU) && !cpu_pin(plan->options->cpu, &cpu))
		isolation |= ISOLATION_CPU;
	open_sockets(plan, isolation);
	guest = start_guest(plan, &report.isolation);
	close(plan->console_fd);
	/* Move them to descriptors that the guest does not use. */
	sched_setaffinity(0, sizeof(all), &all);
	send_report(plan, &report, -1);
	wait_for_guest(plan, guest, &use);
	_exit(0);
}
