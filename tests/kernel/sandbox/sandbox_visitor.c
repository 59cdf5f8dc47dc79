// SPDX-License-Identifier: BSD-3-Clause
/* A program for sandboxes: says what it finds there. Linked statically, so that it needs no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Say @number at the socket @path. */
static int connect_to(const char *path, int number)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return errno;
	return write(fd, &number, sizeof(number)) == sizeof(number) ? 0 : EIO;
}

/* The descriptors stay open up to the end. */
static int connect_all(char *const *path)
{
	for (int number = 0; path[number]; number++) {
		int error = connect_to(path[number], number);

		printf("%s: %s\n", path[number], strerror(error));
		if (error)
			return 1;
	}
	return 0;
}

/* Files are tried one after the other, so that one which may grow no further does not count. */
static int fill_root(int files)
{
	static char block[1 << 20];
	uint64_t written = 0;
	char path[32];

	signal(SIGXFSZ, SIG_IGN);
	memset(block, 1, sizeof(block));
	for (int i = 0; i < files; i++) {
		ssize_t put;
		int fd;

		snprintf(path, sizeof(path), "/dev/shm/%d", i);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		while (fd >= 0 && (put = write(fd, block, sizeof(block))) > 0)
			written += (uint64_t)put;
	}
	printf("written %" PRIu64 "\n", written);
	return 0;
}

/* Addresses only, as KASAN takes them for its shadow: nobody touches them. */
static int reserve(uint64_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	printf("reserved %" PRIu64 "\n", memory == MAP_FAILED ? 0 : size);
	return 0;
}

/* Says so at once: it may be killed for it. */
static void print_taken(uint64_t taken)
{
	printf("taken %" PRIu64 "\n", taken);
	fflush(stdout);
}

#define PIECE (1u << 20)

static void take_piece(int flags)
{
	char *memory = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(0);
	memset(memory, 1, PIECE);
}

static int take_memory(uint64_t most)
{
	for (uint64_t taken = 0; taken < most; taken += PIECE) {
		take_piece(MAP_PRIVATE);
		print_taken(taken);
	}
	return 0;
}

/* The same by many: each has a little, and none of them ends. */
static int take_by_many(uint64_t most)
{
	for (uint64_t taken = 0; taken < most; taken += 16 * PIECE) {
		pid_t pid = fork();

		if (pid < 0)
			return 0;
		for (int i = 0; !pid && i < 16; i++)
			take_piece(i & 1 ? MAP_PRIVATE : MAP_SHARED);
		if (!pid)
			pause();
		usleep(10000);
		print_taken(taken);
	}
	return 0;
}

/* In files that have no name, and are not mapped. */
static int take_in_files(uint64_t most)
{
	static char block[PIECE];
	uint64_t taken = 0;

	memset(block, 1, sizeof(block));
	while (taken < most) {
		int fd = memfd_create("taken", MFD_CLOEXEC);

		if (fd < 0)
			return 0;
		for (int i = 0; i < 16; i++, taken += PIECE)
			if (write(fd, block, sizeof(block)) != sizeof(block))
				return 0;
		print_taken(taken);
	}
	return 0;
}

static int fork_often(int most)
{
	int count = 0;

	while (count < most) {
		pid_t pid = fork();

		if (!pid)
			pause();
		if (pid < 0)
			break;
		count++;
	}
	printf("forked %d\n", count);
	return 0;
}

static int make_namespace(void)
{
	printf("namespace %d\n", unshare(CLONE_NEWUSER) ? 0 : 1);
	return 0;
}

static void *wait_forever(void *nothing)
{
	pause();
	return nothing;
}

/* For which libc opens another library. */
static int cancel_thread(void)
{
	pthread_t thread;
	void *result;

	if (pthread_create(&thread, NULL, wait_forever, NULL) || pthread_cancel(thread) ||
	    pthread_join(thread, &result))
		return 1;
	return result == PTHREAD_CANCELED ? 7 : 1;
}

static int exceed(const char *what, const char *most)
{
	if (!strcmp(what, "fill"))
		return fill_root(atoi(most));
	if (!strcmp(what, "reserve"))
		return reserve(strtoull(most, NULL, 0));
	if (!strcmp(what, "take"))
		return take_memory(strtoull(most, NULL, 0));
	if (!strcmp(what, "take-by-many"))
		return take_by_many(strtoull(most, NULL, 0));
	if (!strcmp(what, "take-in-files"))
		return take_in_files(strtoull(most, NULL, 0));
	if (!strcmp(what, "fork"))
		return fork_often(atoi(most));
	if (!strcmp(what, "fork-and-stay"))
		return fork_often(atoi(most)) || pause();
	return 2;
}

/* Where things are, all that a program could tell one run from another by. */
static int print_addresses(char **argv)
{
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	char name[16] = "";
	void *mapped = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	prctl(PR_GET_NAME, name);
	printf("program %p\nheap %p\nmapped %p\nmalloc %p\n", (void *)print_addresses, sbrk(0),
	       mapped, malloc(16));
	printf("stack %p\nargument %p %s\nenvironment %p %s\n", (void *)&name, (void *)argv[0],
	       argv[0], (void *)environ[0], environ[0]);
	printf("vdso %lx\nloader %lx\nname %s\nrandom ", getauxval(AT_SYSINFO_EHDR),
	       getauxval(AT_BASE), name);
	for (int i = 0; i < 16; i++)
		printf("%02x", random[i]);
	printf("\nexecuted as %s\n", (const char *)getauxval(AT_EXECFN));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "addresses"))
		return print_addresses(argv);
	if (argc > 1 && !strcmp(argv[1], "connect"))
		return connect_all(argv + 2);
	if (argc > 1 && !strcmp(argv[1], "sleep"))
		return pause();
	if (argc > 1 && !strcmp(argv[1], "cancel"))
		return cancel_thread();
	if (argc > 1 && !strcmp(argv[1], "namespace"))
		return make_namespace();
	if (argc > 2)
		return exceed(argv[1], argv[2]);
	return 2;
}
