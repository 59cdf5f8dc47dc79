// SPDX-License-Identifier: BSD-3-Clause
/*
 * A hostile program in a sandbox: what it can reach, all of it, against sandbox_reach.expected; and
 * what it can change of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/guest/guest.h"

static const char *intruder, *expected_path;

struct visit {
	struct guest_spec spec;
	struct guest guest;
	char *said;
	unsigned int isolation;
};

static void read_to_end(struct visit *visit, FILE *text)
{
	struct pollfd console = { .fd = visit->guest.sandbox.console_fd, .events = POLLIN };
	char part[4096];
	size_t got;

	for (;;) {
		if (poll(&console, 1, 60000) != 1)
			fail_msg("the intruder is silent");
		got = guest_read_console(&visit->guest, part, sizeof(part));
		if (!got)
			break;
		fwrite(part, 1, got, text);
	}
}

static void begin(struct visit *visit, const char *what)
{
	const char *arguments[] = { "intruder", what, "mem=256M", NULL };
	struct diagnosis why = { 0 };

	*visit = (struct visit){ .spec = { .arguments = (char **)arguments,
					   .wanted = ISOLATION_FULL & ~ISOLATION_ENTROPY } };
	assert_int_equal(
		image_files_load(&visit->spec.files, "intruder", intruder, "/intruder", &why), 0);
	if (guest_open(&visit->spec, &visit->guest, &why))
		fail_msg("%s", why.what);
	visit->isolation = visit->guest.sandbox.isolation;
}

static void await_end(struct visit *visit, int *status, int *signal)
{
	struct pollfd end = { .fd = visit->guest.sandbox.supervisor_fd, .events = POLLIN };

	do
		assert_int_equal(poll(&end, 1, 10000), 1);
	while (!sandbox_ended(&visit->guest.sandbox, status, signal));
}

static void let_in(struct visit *visit, const char *what)
{
	int status, signal;
	size_t size;
	FILE *text;

	begin(visit, what);
	text = open_memstream(&visit->said, &size);
	assert_non_null(text);
	read_to_end(visit, text);
	fclose(text);
	await_end(visit, &status, &signal);
	assert_int_equal(signal, 0);
	assert_int_equal(status, 0);
	guest_close(&visit->guest);
	visit->spec.arguments = NULL; /* not ours */
	guest_spec_free(&visit->spec);
}

/* ---- What can be reached --------------------------------------------------------------------- */

static int compare_names(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* "calls 0 1" as lines of names, in their order. */
static void print_calls(char *numbers, FILE *text)
{
	char *name[1024];
	size_t count = 0;

	for (char *word = strtok(numbers, " \n"); word; word = strtok(NULL, " \n"))
		if (strcmp(word, "calls") && count < ARRAY_SIZE(name)) {
			name[count] =
				seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, atoi(word));
			if (!name[count++])
				fail_msg("call %s was reached", word);
		}
	qsort(name, count, sizeof(*name), compare_names);
	for (size_t i = 0; i < count; i++) {
		fprintf(text, "call %s\n", name[i]);
		free(name[i]);
	}
}

static char *read_expected(void)
{
	auto_file *file = fopen(expected_path, "r");
	char *text = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	return text;
}

static void test_nothing_else_can_be_reached(void **state)
{
	auto_free char *expected = read_expected();
	auto_free char *reached = NULL;
	struct visit visit;
	size_t size;
	FILE *text = open_memstream(&reached, &size);

	(void)state;
	let_in(&visit, "try=calls");
	print_calls(visit.said, text);
	free(visit.said);
	let_in(&visit, "try=conditions");
	fputs(visit.said, text);
	free(visit.said);
	fclose(text);
	if (getenv("TTREC_TEST_UPDATE")) {
		auto_file *file = fopen(expected_path, "w");

		assert_non_null(file);
		fputs(reached, file);
	} else if (strcmp(reached, expected)) {
		fail_msg("expected (%s):\n%s\nreached:\n%s", expected_path, expected, reached);
	}
}

/* ---- What can be changed --------------------------------------------------------------------- */

static void assert_says(const struct visit *visit, const char *line)
{
	const char *found = strstr(visit->said, line);

	if (!found || (found != visit->said && found[-1] != '\n'))
		fail_msg("it does not say %s: %s", line, visit->said);
}

static void test_nothing_of_the_host_can_be_changed(void **state)
{
	struct stat before, after;
	struct visit visit;

	(void)state;
	assert_int_equal(stat("/dev/null", &before), 0);
	let_in(&visit, "try=host");
	assert_int_equal(stat("/dev/null", &after), 0);
	print_message("%s", visit.said);
	assert_int_equal(before.st_mode, after.st_mode);
	assert_int_equal(before.st_uid, after.st_uid);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	if (!(visit.isolation & ISOLATION_MOUNT))
		skip();
	assert_says(&visit, "user 1000 group 1000\n");
	assert_says(&visit, "chmod-null EROFS\n");
	assert_says(&visit, "chown-null EROFS\n");
	assert_says(&visit, "touch-null EROFS\n");
	assert_says(&visit, "remove-null EBUSY\n");
	assert_says(&visit, "replace-null EBUSY\n");
	assert_says(&visit, "read-null done\n");
	assert_says(&visit, "write-null done\n");
	assert_says(&visit, "execute-null EACCES\n");
	assert_says(&visit, "read-host ENOENT\n");
	assert_says(&visit, "mount ENOSYS\n");
	assert_says(&visit, "remount-null ENOSYS\n");
	assert_says(&visit, "make-device EPERM\n");
	assert_says(&visit, "become-root ENOSYS\n");
	assert_says(&visit, "search-keys ENOSYS\n");
	assert_says(&visit, "add-key ENOSYS\n");
	assert_says(&visit, "request-key ENOSYS\n");
	free(visit.said);
}

/* As root with its capabilities; others can map nobody but themselves. */
static void test_root_is_nobody(void **state)
{
	unsigned int inside, outside, count;
	struct visit visit;
	char path[64];
	auto_file *map = NULL;

	(void)state;
	begin(&visit, "try=calls");
	snprintf(path, sizeof(path), "/proc/%d/uid_map", visit.guest.sandbox.guest);
	map = fopen(path, "r");
	assert_non_null(map);
	assert_int_equal(fscanf(map, "%u %u %u", &inside, &outside, &count), 3);
	guest_close(&visit.guest);
	visit.spec.arguments = NULL; /* not ours */
	guest_spec_free(&visit.spec);
	if (!(visit.isolation & ISOLATION_MOUNT))
		skip();
	assert_int_equal(inside, 1000);
	assert_int_equal(outside, geteuid() ? geteuid() : 65534);
	assert_int_equal(count, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_else_can_be_reached),
		cmocka_unit_test(test_nothing_of_the_host_can_be_changed),
		cmocka_unit_test(test_root_is_nobody),
	};

	if (argc < 3)
		return 2;
	intruder = argv[1];
	expected_path = argv[2];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
