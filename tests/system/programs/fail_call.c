// SPDX-License-Identifier: BSD-3-Clause
/*
 * Preloaded into our commands: lists from where they allocate memory and call the system, and lets
 * one such call fail, interrupts calls, or has the clock of the wall jump. See torture.sh.
 *
 * FAIL_LOG     a file: a line for each place that calls, as FAIL_CALL takes it, and behind it the
 *              errors that the call may end with. With FAIL_CALL: the one that failed, once it has.
 * FAIL_CALL    "GENERATION NAME PLACE WHICH ERROR": call number WHICH from that place fails, in
 *              each process of that generation: 0 is one that was executed, 1 what it forks, and so
 *              on. "GENERATION * * WHICH 0": call number WHICH of all, with one of its errors.
 * FAIL_EINTR   a number: of the calls that a signal may interrupt, each one of so many is.
 * FAIL_CLOCK   the clock of the wall shows another year each time.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By their numbers: what is defined here has other types than its declarations. */
#define O_RDWR_CREATE_CLOEXEC 02000102
#define PROT_READ_WRITE	      3
#define MAP_SHARED	      1
#define MAP_ANONYMOUS	      32
#define SYS_CLONE	      56
#define SYS_CLONE3	      435
#define CLOCK_OF_THE_WALL     0

#define PLACES_MAX 8192
#define LINE_SIZE  128
#define YEAR	   (365L * 24 * 3600)

/* Those of any call that there is: what was not given is not looked at. */
#define PARAMETERS long a, long b, long c, long d, long e, long f, long g
#define ARGUMENTS  a, b, c, d, e, f, g

typedef long call_function(PARAMETERS);

struct call {
	const char *name, *errors;
	enum { QUICK, SLOW, SLOW_DESCRIPTOR } speed; /* may a signal interrupt it? */
	call_function *real;
};

/* Shared with the children, which have other roots and other descriptors. */
static char (*lines)[LINE_SIZE];
static _Atomic uint64_t *keys;

static struct {
	bool any;
	char name[24], place[64];
	int generation, error;
	unsigned long which;
} wanted;

static __thread unsigned int spared; /* calls in which nothing fails */
static bool is_ours, clock_jumps;
static unsigned long eintr;

/* Of this process. */
static int process, generation;
static _Atomic unsigned long count, slow_calls, clock_calls;

static long next(struct call *call, PARAMETERS)
{
	if (!call->real)
		call->real = (call_function *)dlsym(RTLD_NEXT, call->name);
	return call->real(ARGUMENTS);
}

/* ---- Places -------------------------------------------------------------------------------- */

static bool find_place(void *caller, char *text, size_t size)
{
	struct dl_find_object found;
	const char *path, *name;

	if (_dl_find_object(caller, &found))
		return false;
	path = found.dlfo_link_map->l_name;
	name = strrchr(path, '/');
	name = name ? name + 1 : path;
	snprintf(text, size, "%s+0x%lx", *name ? name : program_invocation_short_name,
		 (unsigned long)caller - found.dlfo_link_map->l_addr);
	return true;
}

static uint64_t hash(const char *text)
{
	uint64_t value = 14695981039346656037u;

	while (*text)
		value = (value ^ (uint8_t)*text++) * 1099511628211u;
	return value | 1;
}

static void list(const char *line)
{
	uint64_t key = hash(line), none = 0;
	size_t at = key % PLACES_MAX;

	for (size_t tries = 0; tries < PLACES_MAX; tries++, at = (at + 1) % PLACES_MAX, none = 0) {
		if (atomic_compare_exchange_strong(&keys[at], &none, key)) {
			snprintf(lines[at], LINE_SIZE, "%.*s", LINE_SIZE - 2, line);
			lines[at][strlen(lines[at])] = '\n';
			return;
		}
		if (none == key)
			return;
	}
}

static bool is_wanted(const struct call *call, const char *place)
{
	bool each = !strcmp(wanted.name, "*");

	return wanted.any && wanted.generation == generation &&
	       (each || (!strcmp(wanted.name, call->name) && !strcmp(wanted.place, place))) &&
	       ++count == wanted.which;
}

/* The one that was asked for, or one of those that the call may end with: "24,23,12". */
static int error_of(const struct call *call)
{
	const char *text = call->errors;
	unsigned long skip = 0;

	if (wanted.error)
		return wanted.error;
	for (const char *at = text; *at; at++)
		skip += *at == ',';
	for (skip = wanted.which % (skip + 1); skip; text++)
		skip -= *text == ',';
	return atoi(text);
}

static void look_who_we_are(void)
{
	static struct call getpid = { .name = "getpid" };
	int now = (int)next(&getpid, 0, 0, 0, 0, 0, 0, 0);

	if (now == process)
		return;
	process = now;
	generation++;
	count = 0;
}

/* Of a file, /proc included, nothing waits: signal(7). */
static bool waits(int fd)
{
	struct stat status;

	return !syscall(SYS_fstat, fd, &status) && !S_ISREG(status.st_mode);
}

static bool is_interrupted(const struct call *call, long first)
{
	if (!eintr || call->speed == QUICK ||
	    (call->speed == SLOW_DESCRIPTOR && !waits((int)first)))
		return false;
	return ++slow_calls % eintr == 0;
}

/* Is this call to fail? Then errno says why. */
static bool fails(const struct call *call, long first, void *caller)
{
	int before = errno;
	char place[64], line[LINE_SIZE];

	if (!is_ours || spared)
		return false;
	look_who_we_are();
	if (is_interrupted(call, first)) {
		errno = EINTR;
		return true;
	}
	if ((wanted.any || lines) && find_place(caller, place, sizeof(place))) {
		snprintf(line, sizeof(line), "%d %s %s 1 %s", generation, call->name, place,
			 call->errors);
		if (is_wanted(call, place)) {
			if (lines)
				list(line);
			errno = error_of(call);
			return true;
		}
		if (lines && !wanted.any)
			list(line);
	}
	errno = before;
	return false;
}

/* ---- Calls --------------------------------------------------------------------------------- */

#define EXPORTED __attribute__((visibility("default")))
#define CALLER	 __builtin_return_address(0)

/* NAME: what is called; SPEED: may a signal interrupt it? FAILED: what it returns then. */
#define WRAP(NAME, SPEED, ERRORS, FAILED)                                           \
	EXPORTED long wrap_##NAME(PARAMETERS) __asm__(#NAME);                       \
	long wrap_##NAME(PARAMETERS)                                                \
	{                                                                           \
		static struct call call = { #NAME, ERRORS, SPEED, NULL };           \
                                                                                    \
		return fails(&call, a, CALLER) ? (FAILED) : next(&call, ARGUMENTS); \
	}

#define DESCRIPTORS "24,23,12" /* EMFILE, ENFILE, ENOMEM */
#define PROCESSES   "11,12"    /* EAGAIN, ENOMEM */
#define MEMORY	    "12"       /* ENOMEM */
#define READING	    "5,12"     /* EIO, ENOMEM */
#define WRITING	    "28,122,5" /* ENOSPC, EDQUOT, EIO */
#define SENDING	    "105,12"   /* ENOBUFS, ENOMEM */

WRAP(open, QUICK, DESCRIPTORS ",5", -1)
WRAP(openat, QUICK, DESCRIPTORS ",5", -1)
WRAP(fopen, QUICK, DESCRIPTORS ",5", 0)
WRAP(fdopen, QUICK, MEMORY, 0)
WRAP(opendir, QUICK, DESCRIPTORS, 0)
WRAP(fdopendir, QUICK, MEMORY, 0)
WRAP(socket, QUICK, DESCRIPTORS, -1)
WRAP(socketpair, QUICK, DESCRIPTORS, -1)
WRAP(accept4, SLOW, DESCRIPTORS, -1)
WRAP(epoll_create1, QUICK, DESCRIPTORS, -1)
WRAP(eventfd, QUICK, DESCRIPTORS, -1)
WRAP(signalfd, QUICK, DESCRIPTORS, -1)
WRAP(pidfd_open, QUICK, DESCRIPTORS, -1)
WRAP(pipe2, QUICK, DESCRIPTORS, -1)
WRAP(dup2, QUICK, "24", -1)
WRAP(dup3, QUICK, "24", -1)
WRAP(fcntl, QUICK, "24,12", -1)
WRAP(memfd_create, QUICK, DESCRIPTORS, -1)
WRAP(mkdtemp, QUICK, WRITING, 0)
WRAP(mkostemp, QUICK, DESCRIPTORS ",28", -1)
WRAP(mkdir, QUICK, WRITING, -1)
WRAP(mkdirat, QUICK, WRITING, -1)
WRAP(rename, QUICK, WRITING, -1)
WRAP(chmod, QUICK, "5,30", -1)
WRAP(fchmod, QUICK, "5,30", -1)
WRAP(ftruncate, QUICK, WRITING, -1)
WRAP(fallocate, QUICK, WRITING, -1)
WRAP(fork, QUICK, PROCESSES, -1)
WRAP(posix_spawn, QUICK, PROCESSES, errno)
WRAP(posix_spawnp, QUICK, PROCESSES, errno)
WRAP(pthread_create, QUICK, "11", errno)
WRAP(execve, QUICK, "12,11", -1)
WRAP(execv, QUICK, "12,11", -1)
WRAP(execvp, QUICK, "12,11", -1)
WRAP(mmap, QUICK, MEMORY, -1)
WRAP(mount, QUICK, MEMORY, -1)
WRAP(epoll_ctl, QUICK, "12,28", -1)
WRAP(epoll_wait, SLOW, "4", -1)
WRAP(poll, SLOW, "12", -1)
WRAP(ppoll, SLOW, "12", -1)
WRAP(bind, QUICK, MEMORY, -1)
WRAP(listen, QUICK, MEMORY, -1)
WRAP(connect, QUICK, "12,11", -1)
WRAP(setsockopt, QUICK, MEMORY, -1)
WRAP(ioctl, QUICK, MEMORY, -1)
WRAP(prctl, QUICK, MEMORY, -1)
WRAP(stat, QUICK, READING, -1)
WRAP(lstat, QUICK, READING, -1)
WRAP(fstat, QUICK, READING, -1)
WRAP(fstatat, QUICK, READING, -1)
WRAP(readlink, QUICK, READING, -1)
WRAP(readlinkat, QUICK, READING, -1)
WRAP(realpath, QUICK, READING, 0)
WRAP(lseek, QUICK, "5", -1)
WRAP(flock, SLOW, "37,12", -1)
WRAP(read, SLOW_DESCRIPTOR, READING, -1)
WRAP(pread, QUICK, READING, -1)
WRAP(preadv, QUICK, READING, -1)
WRAP(recv, SLOW, MEMORY, -1)
WRAP(recvmsg, SLOW, MEMORY, -1)
WRAP(process_vm_readv, QUICK, MEMORY, -1)
WRAP(process_vm_writev, QUICK, MEMORY, -1)
WRAP(write, SLOW_DESCRIPTOR, WRITING, -1)
WRAP(pwrite, QUICK, WRITING, -1)
WRAP(pwritev, QUICK, WRITING, -1)
WRAP(fflush, QUICK, WRITING, -1)
WRAP(send, SLOW, SENDING, -1)
WRAP(sendmsg, SLOW, SENDING, -1)
WRAP(nanosleep, SLOW, "4", -1)
WRAP(waitpid, SLOW, "4", -1)
WRAP(waitid, SLOW, "4", -1)
WRAP(sigtimedwait, SLOW, "4", -1)
WRAP(sigwaitinfo, SLOW, "4", -1)
WRAP(sched_setaffinity, QUICK, MEMORY, -1)

/* These are done nevertheless: they cannot be repeated. */
#define WRAP_CLOSE(NAME)                                                   \
	EXPORTED long wrap_##NAME(PARAMETERS) __asm__(#NAME);              \
	long wrap_##NAME(PARAMETERS)                                       \
	{                                                                  \
		static struct call call = { #NAME, WRITING, QUICK, NULL }; \
		bool failed = fails(&call, a, CALLER);                     \
		int error = errno;                                         \
		long result = next(&call, ARGUMENTS);                      \
                                                                           \
		if (failed)                                                \
			errno = error;                                     \
		return failed ? -1 : result;                               \
	}

WRAP_CLOSE(close)
WRAP_CLOSE(fclose)

/*
 * libseccomp 2.5 loops for ever when it has no memory for a part of the filter that it generates:
 * seccomp_load() itself fails instead.
 */
EXPORTED long wrap_seccomp_load(PARAMETERS) __asm__("seccomp_load");
long wrap_seccomp_load(PARAMETERS)
{
	static struct call call = { "seccomp_load", MEMORY, QUICK, NULL };
	long result;

	if (fails(&call, a, CALLER))
		return -ENOMEM;
	spared++;
	result = next(&call, ARGUMENTS);
	spared--;
	return result;
}

EXPORTED long wrap_syscall(PARAMETERS) __asm__("syscall");
long wrap_syscall(PARAMETERS)
{
	static struct call call = { "syscall", PROCESSES ",28", QUICK, NULL };

	/* Of the others there is only what a host may refuse. */
	return (a == SYS_CLONE || a == SYS_CLONE3) && fails(&call, a, CALLER)
		       ? -1
		       : next(&call, ARGUMENTS);
}

EXPORTED long wrap_clock_gettime(long clock, int64_t *now) __asm__("clock_gettime");
long wrap_clock_gettime(long clock, int64_t *now)
{
	static struct call call = { .name = "clock_gettime" };
	long result = next(&call, clock, (long)now, 0, 0, 0, 0, 0);

	if (is_ours && clock_jumps && clock == CLOCK_OF_THE_WALL)
		*now += (long)(++clock_calls * 7 % 30 - 15) * YEAR;
	return result;
}

/* ---- Memory -------------------------------------------------------------------------------- */

/* What the address sanitizer has in their place; it has to come after us (verify_asan_link_order).
 */
#define ALLOCATOR(NAME)                                                                         \
	extern call_function sanitized_##NAME __asm__("__interceptor_" #NAME)                   \
		__attribute__((weak));                                                          \
	extern call_function libc_##NAME __asm__("__libc_" #NAME);                              \
	EXPORTED long wrap_##NAME(PARAMETERS) __asm__(#NAME);                                   \
	long wrap_##NAME(PARAMETERS)                                                            \
	{                                                                                       \
		static struct call call = { #NAME, MEMORY, QUICK, NULL };                       \
                                                                                                \
		if (fails(&call, a, CALLER))                                                    \
			return 0;                                                               \
		return sanitized_##NAME ? sanitized_##NAME(ARGUMENTS) : libc_##NAME(ARGUMENTS); \
	}

ALLOCATOR(malloc)
ALLOCATOR(calloc)
ALLOCATOR(realloc)

/* ---- From the environment ------------------------------------------------------------------ */

static void *share(int fd, size_t size)
{
	static struct call mmap = { .name = "mmap" };
	long data = next(&mmap, 0, (long)size, PROT_READ_WRITE,
			 MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0, 0);

	return data == -1 ? NULL : (void *)data;
}

static void open_log(const char *path)
{
	static struct call open = { .name = "open" }, ftruncate = { .name = "ftruncate" },
			   close = { .name = "close" };
	const size_t size = PLACES_MAX * LINE_SIZE;
	int fd = (int)next(&open, (long)path, O_RDWR_CREATE_CLOEXEC, 0644, 0, 0, 0, 0);

	if (fd < 0)
		return;
	keys = share(-1, PLACES_MAX * sizeof(*keys));
	if (keys && !next(&ftruncate, fd, (long)size, 0, 0, 0, 0, 0))
		lines = share(fd, size);
	next(&close, fd, 0, 0, 0, 0, 0, 0);
}

__attribute__((constructor)) static void begin(void)
{
	static struct call getpid = { .name = "getpid" };
	const char *log = getenv("FAIL_LOG"), *call = getenv("FAIL_CALL"),
		   *often = getenv("FAIL_EINTR");

	/* What they have others do is not looked at. */
	if (strncmp(program_invocation_short_name, "tt", 2))
		return;
	process = (int)next(&getpid, 0, 0, 0, 0, 0, 0, 0);
	if (log)
		open_log(log);
	if (call)
		wanted.any = sscanf(call, "%d %23s %63s %lu %d", &wanted.generation, wanted.name,
				    wanted.place, &wanted.which, &wanted.error) == 5;
	eintr = often ? strtoul(often, NULL, 10) : 0;
	clock_jumps = getenv("FAIL_CLOCK");
	is_ours = true;
}
