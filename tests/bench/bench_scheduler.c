// SPDX-License-Identifier: BSD-3-Clause
/*
 * Messages per second of `ttrec serve` while it records, against the bare ping-pong of 16-byte
 * messages over a UNIX socket between two processes, all on one CPU, in one run.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "format/base/units.h"
#include "kernel/wire/wire.h"

#define REPEATS_DEFAULT 5
#define MESSAGES_EACH	200000u /* per measurement, both directions together */
#define SOCKET_PATH	"/tmp/ttrec-bench.sock"

static unsigned int bench_cpu;

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_scheduler: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(bench_cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("pin");
}

static void read_message(int fd, struct wire_message *message)
{
	if (recv(fd, message, sizeof(*message), MSG_WAITALL) != sizeof(*message))
		die("read a message");
}

static void write_message(int fd, uint32_t op, uint32_t seq, uint64_t time)
{
	struct wire_message message = { op, seq, time };

	if (send(fd, &message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
		die("write a message");
}

/* The limit: nothing but the exchange itself. */
static double measure_ping_pong(void)
{
	struct wire_message message = { 0 };
	unsigned int rounds = MESSAGES_EACH / 2;
	int pair[2];
	double start;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	pid = fork();
	if (!pid) {
		pin();
		for (unsigned int i = 0; i < rounds; i++) {
			read_message(pair[1], &message);
			write_message(pair[1], 0, message.seq, 0);
		}
		_exit(0);
	}
	pin();
	start = seconds_now();
	for (unsigned int i = 0; i < rounds; i++) {
		write_message(pair[0], 2, i, 0);
		read_message(pair[0], &message);
	}
	start = seconds_now() - start;
	waitpid(pid, NULL, 0);
	close(pair[0]);
	close(pair[1]);
	return 2.0 * rounds / start;
}

/* Send and take messages until the ACK is there; a RUN on the way is answered, as the kernel does.
 */
static bool exchange(int fd, uint32_t op, uint32_t seq, uint64_t time)
{
	struct wire_message message;
	bool run = false;

	write_message(fd, op, seq, time);
	for (;;) {
		read_message(fd, &message);
		if (message.op == TRACE_OP_ACK)
			return run;
		write_message(fd, TRACE_OP_ACK, message.seq, 0);
		run |= message.op == TRACE_OP_RUN;
	}
}

static void await_run(int fd)
{
	struct wire_message message;

	do {
		read_message(fd, &message);
		write_message(fd, TRACE_OP_ACK, message.seq, 0);
	} while (message.op != TRACE_OP_RUN);
}

/*
 * All clients in one process, so that what is measured is the scheduler and not the machine's way
 * of switching between a thousand processes. Their events lie in turn, so that it is known who runs
 * next.
 */
static void be_clients(unsigned int clients, unsigned int rounds)
{
	int *fd = calloc(clients, sizeof(*fd));
	uint32_t *seq = calloc(clients, sizeof(*seq));

	pin();
	for (unsigned int i = 0; i < clients; i++)
		while (wire_connect(SOCKET_PATH, &fd[i]))
			usleep(1000);
	for (unsigned int i = 0; i < clients; i++)
		write_message(fd[i], TRACE_OP_START, ++seq[i], i + 1);
	for (unsigned int round = 0; round <= rounds; round++)
		for (unsigned int i = 0; i < clients; i++) {
			struct wire_message ack;

			if (round)
				await_run(fd[i]);
			else
				read_message(fd[i], &ack);
			exchange(fd[i], TRACE_OP_REQUEST, ++seq[i],
				 (uint64_t)(round + 1) * 1000000 + i);
			exchange(fd[i], TRACE_OP_WAIT, ++seq[i], UINT64_MAX);
		}
	_exit(0);
}

struct sample {
	double rate;   /* messages/s of wall time, from the first connection to the end */
	double cpu_us; /* CPU time of ttrec per message */
};

static struct sample measure_serve(const char *ttrec, unsigned int clients, const char *output)
{
	unsigned int rounds = MESSAGES_EACH / 6 / clients;
	char count[16], cpu[16];
	struct rusage before, after;
	struct sample sample;
	double start, cpu_time;
	pid_t server;

	snprintf(count, sizeof(count), "%u", clients);
	snprintf(cpu, sizeof(cpu), "%u", bench_cpu);
	unlink(SOCKET_PATH);
	if (!fork())
		be_clients(clients, rounds);
	getrusage(RUSAGE_CHILDREN, &before);
	start = seconds_now();
	server = fork();
	if (!server) {
		execl(ttrec, ttrec, "serve", "-q", "--socket", SOCKET_PATH, "--clients", count,
		      "--cpu", cpu, "-o", output, NULL);
		die(ttrec);
	}
	if (waitpid(server, &(int){ 0 }, 0) != server)
		die("wait for ttrec");
	start = seconds_now() - start;
	getrusage(RUSAGE_CHILDREN, &after);
	while (wait(NULL) > 0)
		;
	cpu_time = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
		   (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
		   (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
			    after.ru_stime.tv_usec - before.ru_stime.tv_usec) /
			   1e6;
	sample.rate = 6.0 * rounds * clients / start;
	sample.cpu_us = cpu_time * 1e6 / (6.0 * rounds * clients);
	return sample;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, unsigned int count)
{
	double sorted[64];

	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	return sorted[count / 2];
}

int main(int argc, char **argv)
{
	static const unsigned int clients[] = { 1, 2, 8, 64, 1000 };
	unsigned int repeats = argc > 2 ? (unsigned int)atoi(argv[2]) : REPEATS_DEFAULT;
	double limit[64], rate[64], cpu[64];

	if (argc < 2 || !repeats || repeats > 64) {
		fprintf(stderr, "usage: bench_scheduler TTREC [REPEATS]\n");
		return 2;
	}
	bench_cpu = (unsigned int)sched_getcpu();
	for (unsigned int i = 0; i < repeats; i++)
		limit[i] = measure_ping_pong();
	printf("ping-pong: %.0f messages/s, samples:", median(limit, repeats));
	for (unsigned int i = 0; i < repeats; i++)
		printf(" %.0f", limit[i]);
	putchar('\n');
	for (size_t c = 0; c < sizeof(clients) / sizeof(*clients); c++) {
		for (unsigned int i = 0; i < repeats; i++) {
			struct sample sample =
				measure_serve(argv[1], clients[c], "/tmp/ttrec-bench.zst");

			rate[i] = sample.rate;
			cpu[i] = sample.cpu_us;
		}
		printf("%4u clients: %.0f messages/s (%.2f of ping-pong), ttrec %.3f us CPU a "
		       "message, samples:",
		       clients[c], median(rate, repeats),
		       median(rate, repeats) / median(limit, repeats), median(cpu, repeats));
		for (unsigned int i = 0; i < repeats; i++)
			printf(" %.0f", rate[i]);
		putchar('\n');
	}
	unlink("/tmp/ttrec-bench.zst");
	return 0;
}
