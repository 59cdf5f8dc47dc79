// SPDX-License-Identifier: BSD-3-Clause
/* The last steps of the process that becomes the guest: everything it inherits is made the same. */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox_internal.h"

/* Where a guest that stays in the caller's directory finds its sandbox's. */
#define DIRECTORY_FD   500
#define DIRECTORY_PATH "/proc/self/fd/500"

/*
 * Lazy binding saves all registers on the stack, and what is saved of unused ones depends on the
 * processor (xstate.h): bind all functions at start.
 */
static const char *const environment_texts[] = {
	"HOME=/",	 "PATH=/", "TERM=linux", ("TMPDIR=" SANDBOX_PREFIX_MARK SANDBOX_TEMPORARY),
	"LD_BIND_NOW=1", NULL
};

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int set_streams(int console_fd)
{
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(console_fd, 1) < 0 ||
	    dup2(console_fd, 2) < 0)
		return -errno;
	return 0;
}

/*
 * For a root that may not access other users' processes: the exec grants none of these
 * capabilities.
 */
static void drop_capabilities(void)
{
	for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

static int drop_root(const struct sandbox_plan *plan)
{
	/* A root of its own namespace would keep all capabilities in it (map_self). */
	if ((plan->parts & ISOLATION_USER) && plan->options->host_files && !plan->uid)
		drop_capabilities();
	if ((plan->parts & ISOLATION_USER) || plan->uid || plan->options->host_files)
		return 0;
	if (!plan->drop_root) {
		drop_capabilities();
		return 0;
	}
	if (syscall(SYS_setgroups, 0, NULL) || sandbox_change_user(SANDBOX_NOBODY))
		return -errno;
	return 0;
}

/* Where the guest sees the sandbox's files: what the placeholder in an argument is replaced by. */
static const char *sandbox_prefix(const struct sandbox_plan *plan)
{
	if (plan->directory && plan->options->host_files)
		return DIRECTORY_PATH;
	/* The guest is in there, with a root of its own or without. */
	return plan->options->absolute_paths && !plan->directory ? "" : ".";
}

/* Replace the placeholder by the prefix; the memory is used until exec. */
static char *expand_argument(const char *argument, const char *prefix)
{
	const char *mark = strstr(argument, SANDBOX_PREFIX_MARK);
	char *text = NULL;

	if (!mark)
		return strdup(argument);
	if (asprintf(&text, "%.*s%s%s", (int)(mark - argument), argument, prefix,
		     mark + strlen(SANDBOX_PREFIX_MARK)) < 0)
		return NULL;
	return text;
}

static char **expand_texts(const char *const *texts, const char *prefix)
{
	size_t count = 0;
	char **expanded;

	while (texts[count])
		count++;
	expanded = calloc(count + 1, sizeof(*expanded));
	for (size_t i = 0; expanded && i < count; i++) {
		expanded[i] = expand_argument(texts[i], prefix);
		if (!expanded[i])
			return NULL;
	}
	return expanded;
}

/* The memory is used until the exec. */
static int expand_program(const struct sandbox_plan *plan, struct sandbox_program *program)
{
	const char *prefix = sandbox_prefix(plan);

	program->prefix = prefix;
	program->arguments = expand_texts((const char *const *)plan->options->arguments, prefix);
	program->environment = expand_texts(environment_texts, prefix);
	if (asprintf(&program->path, "%s%s", prefix, plan->options->files->file[0].path) < 0)
		return -ENOMEM;
	return program->arguments && program->environment ? 0 : -ENOMEM;
}

/*
 * Without a filter, a program that must be isolated is not started; the user's own is started,
 * without entropy isolation.
 */
static int restrict_calls(const struct sandbox_plan *plan, int *entropy_fd)
{
	int err = -EACCES;

	*entropy_fd = -1;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (plan->parts & ISOLATION_ENTROPY)
		err = sandbox_calls_restrict(plan, true, entropy_fd);
	/* Short of memory it is not refused: another time it would be another guest. */
	if (err && err != -ENOMEM)
		err = sandbox_calls_restrict(plan, false, entropy_fd);
	if (err == -ENOMEM)
		return err;
	return err && plan->options->required ? -EACCES : 0;
}

static int report_guest(const struct sandbox_plan *plan, int entropy_fd)
{
	struct sandbox_report report = { .step = SANDBOX_STEP_GUEST };

	int err;

	if (entropy_fd >= 0)
		report.isolation |= ISOLATION_ENTROPY;
	err = sandbox_report_send(plan->report_fd, &report, entropy_fd);
	if (entropy_fd >= 0)
		close(entropy_fd);
	return err;
}

/* A descriptor that stays open over the exec: its path is the same in every run. */
static int keep_directory(const char *directory)
{
	auto_fd fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || dup2(fd, DIRECTORY_FD) < 0 ? -errno : 0;
}

static int enter_directory(const struct sandbox_plan *plan)
{
	if (!plan->directory)
		return 0;
	if (plan->options->host_files)
		return keep_directory(plan->directory);
	return chdir(plan->directory) ? -errno : 0;
}

/* Everything before the exec that can be refused. */
static int prepare(const struct sandbox_plan *plan, const char **doing)
{
	int err;

	setsid();
	reset_signals();
	*doing = "redirect the guest's output";
	err = set_streams(plan->console_fd);
	if (err)
		return err;
	*doing = "enter the sandbox's directory"; /* which may be in one of root's alone */
	err = enter_directory(plan);
	if (err)
		return err;
	*doing = "become an ordinary user";
	err = drop_root(plan);
	/* Needed if Yama lets only ancestors trace; otherwise this is refused and not needed. */
	if (plan->options->debugged)
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of users, which clears it */
	return err;
}

static void send_status(int status_fd, const struct sandbox_guest_status *status)
{
	if (TEMP_FAILURE_RETRY(write(status_fd, status, sizeof(*status))) != sizeof(*status))
		_exit(126);
}

/* Before the entropy filter is installed: it has no listener yet, and this opens files. */
static int get_ready(const struct sandbox_plan *plan, struct sandbox_program *program,
		     int loader_fd, const char **doing)
{
	int err;

	*doing = "expand the arguments";
	err = expand_program(plan, program);
	if (!err)
		err = prepare(plan, doing);
	if (!err && (plan->parts & ISOLATION_ASLR))
		err = sandbox_loader_prepare(plan, program, loader_fd, doing);
	/* Last, as this process may itself use more than the limits of the guest (sanitizers). */
	sandbox_limit_guest(plan);
	return err;
}

void sandbox_become_guest(const struct sandbox_plan *plan, int status_fd, int loader_fd)
{
	struct sandbox_guest_status status = { .prepared = true };
	struct sandbox_program program;
	int entropy_fd;

	status.error = -get_ready(plan, &program, loader_fd, &status.doing);
	send_status(status_fd, &status);
	if (status.error)
		_exit(126);
	status.doing = "restrict the guest's system calls (seccomp)";
	status.error = -restrict_calls(plan, &entropy_fd);
	if (!status.error)
		status.error = -report_guest(plan, entropy_fd);
	if (status.error) {
		send_status(status_fd, &status);
		_exit(126);
	}
	status.doing = "execute the kernel";
	if (plan->parts & ISOLATION_ASLR)
		sandbox_loader_execute(&program);
	else
		execve(program.path, program.arguments, program.environment);
	status.error = errno;
	send_status(status_fd, &status);
	_exit(127);
}
