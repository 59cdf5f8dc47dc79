// SPDX-License-Identifier: BSD-3-Clause
/*
 * The demo's guest program: two tellers, one account, no lock.
 *
 * Each teller is a process. For every customer it reads the balance from a file, counts the money,
 * and writes the new balance back. Customers come when they like. When one teller reads while the
 * other counts, one of the two deposits is lost: a lost update, which needs two customers to come
 * within the same moment. Nothing here decides to fail.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ACCOUNT	     "/tmp/account"
#define CUSTOMERS    6 /* of each teller */
#define DEPOSIT	     10
#define LONGEST_WAIT 200000000 /* ns until a teller's next customer comes */
#define COUNTING     1500000   /* ns it takes to count the money */

static void pass_time(uint64_t ns)
{
	struct timespec time = { .tv_nsec = (long)ns };

	nanosleep(&time, NULL);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int read_balance(void)
{
	char text[16] = "";
	int fd = open(ACCOUNT, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		exit(2);
	close(fd);
	return atoi(text);
}

static void write_balance(int balance)
{
	char text[16];
	int fd = open(ACCOUNT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t length = snprintf(text, sizeof(text), "%d\n", balance);

	if (fd < 0 || write(fd, text, (size_t)length) != length)
		exit(2);
	close(fd);
}

static void await_customer(void)
{
	uint32_t wait;

	if (getrandom(&wait, sizeof(wait), 0) != sizeof(wait))
		exit(2);
	pass_time(wait % LONGEST_WAIT);
}

static void serve_customer(const char *teller)
{
	int balance = read_balance();
	char line[80];
	int length;

	pass_time(COUNTING);
	write_balance(balance + DEPOSIT);
	length = snprintf(line, sizeof(line), "%.4f s  %s  read %3d, wrote %3d\n", now(), teller,
			  balance, balance + DEPOSIT);
	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		exit(2);
}

static pid_t open_counter(const char *teller)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (int i = 0; i < CUSTOMERS; i++) {
		await_customer();
		serve_customer(teller);
	}
	exit(0);
}

int main(void)
{
	int paid_in = 2 * CUSTOMERS * DEPOSIT, status;

	write_balance(0);
	open_counter("ada");
	open_counter("ben");
	while (wait(&status) > 0)
		if (status)
			return 2;
	printf("%s 1 - %d paid in, %d in the account\n",
	       read_balance() == paid_in ? "ok" : "not ok", paid_in, read_balance());
	return 0;
}
