// SPDX-License-Identifier: BSD-3-Clause
/*
 * The system calls that the processes of a sandbox may use: those of User-Mode Linux 5.10 to 7.2
 * and of the C library that it is linked with. All others do not exist there (ENOSYS).
 *
 * One filter for all of them, as a filter is inherited: the guest's kernel and the processes that
 * run its user space. A refused call fails and does not kill, for two reasons. libc asks for
 * newer calls first and falls back. And where a guest of Linux 7.2 traps the calls of its user
 * space by a filter of its own (seccomp=on) both filters decide, and the stricter result is used: a
 * trap has precedence over an error (and over a notification), but not over killing the process.
 * With ptrace(2) a call of the user space never reaches a filter: it has been nullified by then
 * (PTRACE_SYSEMU).
 */
#include <asm/ioctls.h>
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/sandbox_internal.h"

/* ---- Calls without conditions ---------------------------------------------------------------- */

static const int file_calls[] = {
	SCMP_SYS(read),	     SCMP_SYS(write),	   SCMP_SYS(readv),	  SCMP_SYS(writev),
	SCMP_SYS(pread64),   SCMP_SYS(pwrite64),   SCMP_SYS(preadv),	  SCMP_SYS(pwritev),
	SCMP_SYS(lseek),     SCMP_SYS(close),	   SCMP_SYS(close_range), SCMP_SYS(dup),
	SCMP_SYS(dup2),	     SCMP_SYS(dup3),	   SCMP_SYS(pipe),	  SCMP_SYS(pipe2),
	SCMP_SYS(open),	     SCMP_SYS(openat),	   SCMP_SYS(stat),	  SCMP_SYS(fstat),
	SCMP_SYS(lstat),     SCMP_SYS(newfstatat), SCMP_SYS(statx),	  SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),   SCMP_SYS(access),	   SCMP_SYS(faccessat),	  SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),  SCMP_SYS(readlinkat), SCMP_SYS(getcwd),	  SCMP_SYS(chdir),
	SCMP_SYS(fchdir),    SCMP_SYS(umask),	   SCMP_SYS(getdents),	  SCMP_SYS(getdents64),
	SCMP_SYS(mkdir),     SCMP_SYS(mkdirat),	   SCMP_SYS(rmdir),	  SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),  SCMP_SYS(rename),	   SCMP_SYS(renameat),	  SCMP_SYS(renameat2),
	SCMP_SYS(link),	     SCMP_SYS(linkat),	   SCMP_SYS(symlink),	  SCMP_SYS(symlinkat),
	SCMP_SYS(mknod),     SCMP_SYS(mknodat),	   SCMP_SYS(chmod),	  SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),  SCMP_SYS(chown),	   SCMP_SYS(lchown),	  SCMP_SYS(fchown),
	SCMP_SYS(fchownat),  SCMP_SYS(utime),	   SCMP_SYS(utimes),	  SCMP_SYS(futimesat),
	SCMP_SYS(utimensat), SCMP_SYS(truncate),   SCMP_SYS(ftruncate),	  SCMP_SYS(fallocate),
	SCMP_SYS(fsync),     SCMP_SYS(fdatasync),  SCMP_SYS(sendfile),	  SCMP_SYS(copy_file_range),
	SCMP_SYS(flock)
};
static const int memory_calls[] = { SCMP_SYS(mmap),    SCMP_SYS(munmap),  SCMP_SYS(mprotect),
				    SCMP_SYS(mremap),  SCMP_SYS(madvise), SCMP_SYS(msync),
				    SCMP_SYS(mincore), SCMP_SYS(brk),	  SCMP_SYS(memfd_create) };
static const int process_calls[] = { SCMP_SYS(fork),
				     SCMP_SYS(vfork),
				     SCMP_SYS(execve),
				     SCMP_SYS(execveat),
				     SCMP_SYS(exit),
				     SCMP_SYS(exit_group),
				     SCMP_SYS(wait4),
				     SCMP_SYS(waitid),
				     SCMP_SYS(getpid),
				     SCMP_SYS(gettid),
				     SCMP_SYS(getppid),
				     SCMP_SYS(getpgrp),
				     SCMP_SYS(getpgid),
				     SCMP_SYS(setpgid),
				     SCMP_SYS(getsid),
				     SCMP_SYS(setsid),
				     SCMP_SYS(getuid),
				     SCMP_SYS(geteuid),
				     SCMP_SYS(getgid),
				     SCMP_SYS(getegid),
				     SCMP_SYS(getresuid),
				     SCMP_SYS(getresgid),
				     SCMP_SYS(getgroups),
				     SCMP_SYS(set_tid_address),
				     SCMP_SYS(set_robust_list),
				     SCMP_SYS(get_robust_list),
				     SCMP_SYS(rseq),
				     SCMP_SYS(futex),
				     SCMP_SYS(sched_yield),
				     SCMP_SYS(sched_getaffinity),
				     SCMP_SYS(getcpu),
				     SCMP_SYS(getrlimit),
				     SCMP_SYS(setrlimit),
				     SCMP_SYS(getrusage),
				     SCMP_SYS(times),
				     SCMP_SYS(sysinfo),
				     SCMP_SYS(uname) };
static const int signal_calls[] = { SCMP_SYS(kill),
				    SCMP_SYS(tkill),
				    SCMP_SYS(tgkill),
				    SCMP_SYS(rt_sigqueueinfo),
				    SCMP_SYS(rt_tgsigqueueinfo),
				    SCMP_SYS(rt_sigaction),
				    SCMP_SYS(rt_sigprocmask),
				    SCMP_SYS(rt_sigreturn),
				    SCMP_SYS(rt_sigpending),
				    SCMP_SYS(rt_sigsuspend),
				    SCMP_SYS(rt_sigtimedwait),
				    SCMP_SYS(sigaltstack),
				    SCMP_SYS(signalfd),
				    SCMP_SYS(signalfd4),
				    SCMP_SYS(pause),
				    SCMP_SYS(restart_syscall) };
static const int time_calls[] = { SCMP_SYS(nanosleep),	   SCMP_SYS(clock_nanosleep),
				  SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
				  SCMP_SYS(gettimeofday),  SCMP_SYS(time),
				  SCMP_SYS(timer_create),  SCMP_SYS(timer_settime),
				  SCMP_SYS(timer_gettime), SCMP_SYS(timer_getoverrun),
				  SCMP_SYS(timer_delete),  SCMP_SYS(setitimer),
				  SCMP_SYS(getitimer),	   SCMP_SYS(alarm) };
/* Also for sockets; socket(2) itself is filtered by family. */
static const int event_calls[] = {
	SCMP_SYS(poll),		SCMP_SYS(ppoll),	 SCMP_SYS(select),    SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),	SCMP_SYS(eventfd),	 SCMP_SYS(eventfd2),  SCMP_SYS(connect),
	SCMP_SYS(bind),		SCMP_SYS(listen),	 SCMP_SYS(accept),    SCMP_SYS(accept4),
	SCMP_SYS(sendto),	SCMP_SYS(recvfrom),	 SCMP_SYS(sendmsg),   SCMP_SYS(recvmsg),
	SCMP_SYS(sendmmsg),	SCMP_SYS(recvmmsg),	 SCMP_SYS(shutdown),  SCMP_SYS(getsockname),
	SCMP_SYS(getpeername)
};

#define LIST(list) list, ARRAY_SIZE(list)
static const struct {
	const int *call;
	size_t count;
} allowed[] = { { LIST(file_calls) },	{ LIST(memory_calls) }, { LIST(process_calls) },
		{ LIST(signal_calls) }, { LIST(time_calls) },	{ LIST(event_calls) } };

/* Answered by the recorder, with ISOLATION_ENTROPY: see entropy.c and host_facts.c. */
static const int held_calls[] = { SCMP_SYS(getrandom), SCMP_SYS(openat), SCMP_SYS(open),
				  SCMP_SYS(uname) };
/* And where the host's files are around the sandbox's. */
static const int held_around[] = { SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(statfs) };

/* ---- Calls with a condition: one argument has one of these values ---------------------------- */

/* SO_PEERPIDFD is not among them: it gives a descriptor for a process outside. */
static const uint64_t socket_options_read[] = {
	SO_TYPE, SO_ERROR, SO_SNDBUF, SO_RCVBUF, SO_ACCEPTCONN, SO_DOMAIN, SO_PROTOCOL, SO_PEERCRED
};
/* Nor programs that the host would execute for a socket (SO_ATTACH_FILTER). */
static const uint64_t socket_options_set[] = { SO_SNDBUF, SO_RCVBUF, SO_REUSEADDR, SO_KEEPALIVE,
					       SO_PASSCRED };
static const uint64_t file_controls[] = { F_DUPFD,	F_GETFD,	 F_SETFD,     F_GETFL,
					  F_GETLK,	F_SETLK,	 F_SETLKW,    F_GETOWN,
					  F_GETSIG,	F_GETOWN_EX,	 F_OFD_GETLK, F_OFD_SETLK,
					  F_OFD_SETLKW, F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS };
/* Of descriptors but the console, see answer_console(). */
static const uint64_t file_signals[] = { F_SETFL, F_SETOWN, F_SETSIG, F_SETOWN_EX };
/* Not TIOCSTI, TIOCLINUX, nor what network devices and others would be configured with. */
static const uint64_t device_controls[] = { TCGETS,	TCSETS,	  TCSETSW,    TCSETSF,
					    TIOCGWINSZ, FIONBIO,  FIOASYNC,   FIONREAD,
					    FIOCLEX,	FIONCLEX, BLKGETSIZE, BLKGETSIZE64 };
static const uint64_t process_controls[] = {
	PR_SET_PDEATHSIG, PR_GET_PDEATHSIG,    PR_SET_NAME,	    PR_GET_NAME,
	PR_SET_TSC,	  PR_GET_TSC,	       PR_SET_MM,	    PR_SET_DUMPABLE,
	PR_GET_DUMPABLE,  PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP
};
static const uint64_t processor_controls[] = { ARCH_SET_FS, ARCH_GET_FS,    ARCH_SET_GS,
					       ARCH_GET_GS, ARCH_GET_CPUID, ARCH_SET_CPUID };
/*
 * For children that request tracing themselves: neither PTRACE_ATTACH nor PTRACE_SEIZE. Requests
 * are matched by bits that a group has in common, since the filter checks them several times for
 * each system call of the guest's user space.
 */
static const struct {
	uint64_t mask, value;
} trace_requests[] = {
	{ ~7u, 0x18 },	 /* PTRACE_SYSCALL to PTRACE_SYSEMU */
	{ ~0xfu, 0 },	 /* PTRACE_TRACEME to PTRACE_SETFPREGS */
	{ ~1u, 0x4204 }, /* PTRACE_GETREGSET, PTRACE_SETREGSET */
	{ ~3u, 0x4200 }, /* PTRACE_SETOPTIONS to PTRACE_SETSIGINFO */
	{ ~1u, 0x12 },	 /* PTRACE_GETFPXREGS, PTRACE_SETFPXREGS */
	{ ~0u, PTRACE_DETACH },
	{ ~0u, 0x15 }, /* PTRACE_OLDSETOPTIONS */
	{ ~0u, PTRACE_SYSEMU_SINGLESTEP },
};
static const uint64_t families[] = { AF_UNIX };
static const uint64_t families_of_host[] = { AF_INET, AF_INET6, AF_PACKET };
static const uint64_t personalities[] = { PER_LINUX, PER_LINUX | ADDR_NO_RANDOMIZE, 0xffffffff };
static const uint64_t filter_modes[] = { SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL };
static const uint64_t itself[] = { 0 };

static const struct {
	int call;
	unsigned int argument;
	const uint64_t *value;
	size_t count;
	bool for_host; /* only of a guest that is given interfaces of the host */
} conditions[] = {
	{ SCMP_SYS(socket), 0, LIST(families), false },
	{ SCMP_SYS(socket), 0, LIST(families_of_host), true },
	{ SCMP_SYS(socketpair), 0, LIST(families), false },
	{ SCMP_SYS(getsockopt), 2, LIST(socket_options_read), false },
	{ SCMP_SYS(setsockopt), 2, LIST(socket_options_set), false },
	{ SCMP_SYS(fcntl), 1, LIST(file_controls), false },
	{ SCMP_SYS(ioctl), 1, LIST(device_controls), false },
	{ SCMP_SYS(prctl), 0, LIST(process_controls), false },
	{ SCMP_SYS(arch_prctl), 0, LIST(processor_controls), false },
	{ SCMP_SYS(personality), 0, LIST(personalities), false },
	{ SCMP_SYS(seccomp), 0, LIST(filter_modes), false },
	{ SCMP_SYS(prlimit64), 0, LIST(itself), false },
};

/*
 * The flags of clone3(2) are in memory, where a filter cannot read them; libc falls back to
 * clone(2). The lowest byte of its flags is a signal.
 */
#define NAMESPACE_FLAGS                                                                \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET)

/*
 * Linux 5.10 and 6.1 read the table of local segments, which is empty, and clear the first entry of
 * each process's: both succeed without effect. A guest's program sets entries by 0x11, which is
 * refused.
 */
static const uint64_t ldt_functions[] = { 0, 1 };

/* ---- The filter ------------------------------------------------------------------------------ */

static bool is_among(int call, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (calls[i] == call)
			return true;
	return false;
}

static bool is_held(const struct sandbox_plan *plan, int call)
{
	return is_among(call, held_calls, ARRAY_SIZE(held_calls)) ||
	       (plan->directory && is_among(call, held_around, ARRAY_SIZE(held_around)));
}

static int hold(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, calls[i], 0);
	return err;
}

static int hold_calls(const struct sandbox_plan *plan, scmp_filter_ctx filter)
{
	int err = hold(filter, held_calls, ARRAY_SIZE(held_calls));

	return err || !plan->directory ? err : hold(filter, held_around, ARRAY_SIZE(held_around));
}

static int allow(const struct sandbox_plan *plan, bool listener, scmp_filter_ctx filter,
		 const int *calls, size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count; i++)
		if (!listener || !is_held(plan, calls[i]))
			err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return err;
}

static int allow_calls(const struct sandbox_plan *plan, bool listener, scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(allowed); i++)
		err = allow(plan, listener, filter, allowed[i].call, allowed[i].count);
	if (!err && !listener)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(getrandom), 0);
	return err;
}

static int allow_conditions(const struct sandbox_plan *plan, scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		if (conditions[i].for_host && !plan->options->host_files)
			continue;
		/* The host uses 32 bits of each of these; the others do not matter. */
		for (size_t j = 0; !err && j < conditions[i].count; j++)
			err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, conditions[i].call, 1,
					       SCMP_CMP(conditions[i].argument, SCMP_CMP_MASKED_EQ,
							UINT32_MAX, conditions[i].value[j]));
	}
	for (size_t i = 0; !err && i < ARRAY_SIZE(trace_requests); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ptrace), 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, trace_requests[i].mask,
					       trace_requests[i].value));
	return err ? err
		   : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				      SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACE_FLAGS, 0));
}

static int answer_ldt(scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(ldt_functions); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(modify_ldt), 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, ldt_functions[i]));
	return err;
}

/*
 * The kernel makes its console non-blocking and asks for a signal when there is space again. How
 * full the console is depends on the host, and so would both what a write returns and where the
 * guest is when the signal comes. These calls succeed without effect: a write waits until all of it
 * is taken, which the guest cannot notice.
 */
static int answer_console(scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(file_signals); i++) {
		const struct scmp_arg_cmp call =
			SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, file_signals[i]);

		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 2,
				       SCMP_A0(SCMP_CMP_NE, STDOUT_FILENO), call);
		if (!err)
			err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(fcntl), 2,
					       SCMP_A0(SCMP_CMP_EQ, STDOUT_FILENO), call);
	}
	return err;
}

static int build(const struct sandbox_plan *plan, bool listener, scmp_filter_ctx filter)
{
	int err;

	/* Without this, kernels before 5.16 slow the whole guest down by a speculation barrier. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	/* The host's error, such as ENOMEM. */
	seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	/* Calls of other interfaces (int $0x80, x32) fail, too, and kill no process. */
	err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	/*
	 * Use a binary search, for hosts that do not cache calls that are always allowed (before
	 * 5.11).
	 */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!err && listener)
		err = hold_calls(plan, filter);
	if (!err)
		err = allow_calls(plan, listener, filter);
	if (!err)
		err = allow_conditions(plan, filter);
	if (!err)
		err = answer_console(filter);
	return err ? err : answer_ldt(filter);
}

int sandbox_calls_restrict(const struct sandbox_plan *plan, bool listener, int *fd)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int err = filter ? build(plan, listener, filter) : -ENOMEM;

	*fd = -1;
	if (!err)
		err = seccomp_load(filter);
	if (!err && listener)
		*fd = seccomp_notify_fd(filter);
	if (filter)
		seccomp_release(filter);
	return err;
}
