// SPDX-License-Identifier: BSD-3-Clause
/*
 * A program in a guest that reads the time stamp counter, and waits without reading a clock. Each
 * argument is one of the actions below.
 */
#include <cpuid.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
	signalled = number;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Both instructions read the virtual nanoseconds of the clock, and never less than before. */
static int counter(void)
{
	uint64_t before = clock_ns(CLOCK_MONOTONIC), first, second, after;
	unsigned int aux = 1;

	first = __rdtsc();
	second = __rdtscp(&aux);
	after = clock_ns(CLOCK_MONOTONIC);
	printf("counter %llu %llu aux %u\n", (unsigned long long)first, (unsigned long long)second,
	       aux);
	return first < before || second <= first || after < second || aux;
}

/* The instructions with prefixes, and at the very end of a page. */
static int prefixed(void)
{
	uint64_t first, second;

	__asm__ volatile("rex.w rdtsc; shl $32, %%rdx; or %%rdx, %%rax" : "=a"(first) : : "rdx");
	__asm__ volatile(".byte 0x66; rdtsc; shl $32, %%rdx; or %%rdx, %%rax"
			 : "=a"(second)
			 :
			 : "rdx");
	printf("prefixed %llu %llu\n", (unsigned long long)first, (unsigned long long)second);
	return second <= first;
}

static void arm(int which, int number, long us)
{
	struct itimerval timer = { .it_value = { .tv_usec = us } };

	signalled = 0;
	signal(number, on_signal);
	setitimer(which, &timer, NULL);
}

/* What waits with @work for a timer to fire. */
static int wait_with(const char *name, int which, int number, void (*work)(void))
{
	unsigned long turns = 0;

	arm(which, number, 3000);
	while (!signalled) {
		work();
		turns++;
	}
	printf("%s %lu turns\n", name, turns);
	return signalled != number;
}

static void work_yield(void)
{
	sched_yield();
}

static void work_call(void)
{
	getppid();
}

static void work_fail(void)
{
	close(-1);
}

static void work_counter(void)
{
	__rdtsc();
}

static int cpu_time(void)
{
	uint64_t begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID), used;
	struct rusage usage;

	for (int i = 0; i < 100000; i++)
		getppid();
	used = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
	getrusage(RUSAGE_SELF, &usage);
	printf("cpu time %llu us, of it %ld us for user\n", (unsigned long long)used / 1000,
	       (long)usage.ru_utime.tv_usec);
	/* 250 ns each; the clock was read once in between */
	return used < 25000000 || used > 26000000 || !usage.ru_utime.tv_usec;
}

/* A child that works until its CPU time is used up. */
static int limit(void)
{
	const struct rlimit limit = { 1, 2 };
	pid_t child = fork();
	int status = 0;

	if (!child) {
		setrlimit(RLIMIT_CPU, &limit);
		for (;;)
			getppid();
	}
	waitpid(child, &status, 0);
	printf("limit: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return !WIFSIGNALED(status) || WTERMSIG(status) != SIGXCPU;
}

/* Two that wait for each other in turns and never sleep: only a tick takes the CPU from one. */
static int preempt(void)
{
	volatile int *turn = mmap(NULL, sizeof(*turn), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;
	int me;

	if (turn == MAP_FAILED)
		return 1;
	child = fork();
	me = !child;
	while (*turn < 6)
		if (*turn % 2 == me)
			++*turn;
		else
			getppid();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	printf("preempted %d times\n", *turn);
	return *turn != 6;
}

__attribute__((target("rdrnd"))) static int random_number(unsigned long long *number)
{
	return __builtin_ia32_rdrand64_step(number);
}

/* The processor of the guest patches (arch/x86/um/cpuid.c); random numbers as libraries take them.
 */
static int processor(void)
{
	unsigned int a, b, c, d, brand[13] = { 0 };
	unsigned long long number = 0;

	for (unsigned int i = 0; i < 3; i++)
		__cpuid(0x80000002 + i, brand[4 * i], brand[4 * i + 1], brand[4 * i + 2],
			brand[4 * i + 3]);
	__cpuid(1, a, b, c, d);
	while (c & bit_RDRND && !random_number(&number))
		;
	printf("processor %s %08x %08x %08x %08x %llx\n", (char *)brand, a, b, c, d, number);
	return __get_cpuid_max(0, NULL) != 2 || a != 0x000206c1 || b != 0x00010800 ||
	       c != 0x02982203 || d != 0x078bfbff ||
	       strcmp((char *)brand, "User-Mode Linux virtual processor") != 0;
}

static int act(const char *action)
{
	if (!strcmp(action, "processor"))
		return processor();
	if (!strcmp(action, "counter"))
		return counter();
	if (!strcmp(action, "prefixed"))
		return prefixed();
	if (!strcmp(action, "yield"))
		return wait_with(action, ITIMER_REAL, SIGALRM, work_yield);
	if (!strcmp(action, "call"))
		return wait_with(action, ITIMER_REAL, SIGALRM, work_call);
	if (!strcmp(action, "fail"))
		return wait_with(action, ITIMER_REAL, SIGALRM, work_fail);
	if (!strcmp(action, "loop"))
		return wait_with(action, ITIMER_REAL, SIGALRM, work_counter);
	if (!strcmp(action, "virtual"))
		return wait_with(action, ITIMER_VIRTUAL, SIGVTALRM, work_call);
	if (!strcmp(action, "cpu"))
		return cpu_time();
	if (!strcmp(action, "limit"))
		return limit();
	if (!strcmp(action, "preempt"))
		return preempt();
	printf("unknown action %s\n", action);
	return 1;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		printf("%s %d - %s\n", act(argv[i]) ? "not ok" : "ok", i, argv[i]);
	return 0;
}
