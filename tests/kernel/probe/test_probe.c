// SPDX-License-Identifier: BSD-3-Clause
/*
 * The probe at a program with the functions of a kernel: what it does before it answers is there
 * when the answer is, in order, and what does not fit is counted.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "kernel/sandbox/host_checks.h"
#include "kernel/probe/probe_internal.h"
#include "tests/kernel/probe/probe_allowed.h"
#include "tests/kernel/probe/probe_target.h"

#define SAMPLES_OF_A_RING (PROBE_RING / 32)

/* As on a host without links of many uprobes (before Linux 6.6). */
static bool one_by_one;

struct target {
	struct image_files files;
	pid_t pid;
	int fd;
	uint64_t interrupts; /* ordered so far */
};

static struct probe *probe_must_open(void)
{
	struct diagnosis why = { 0 };
	struct probe *probe;

	if (probe_open(&probe, &why))
		fail_msg("%s", why.what);
	if (one_by_one)
		probe->together = false;
	return probe;
}

/* Linux 6.6 and newer have links of many: then they must be used. */
static void test_links_of_many_are_found(void **state)
{
	struct probe *probe = probe_must_open();
	struct utsname host;

	(void)state;
	assert_int_equal(uname(&host), 0);
	if (!one_by_one && host_parse_version(host.release) >= HOST_LINUX(6, 6, 0))
		assert_true(probe->together);
	probe_close(probe);
}

static void target_start(struct target *target, const char *program)
{
	char path[PATH_MAX];
	int fds[2];

	*target = (struct target){ .fd = -1 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	snprintf(path, sizeof(path), "%s/%s", TARGET_DIRECTORY, program);
	assert_int_equal(image_files_load(&target->files, "kernel", path, "/linux", NULL), 0);
	target->pid = fork();
	assert_true(target->pid >= 0);
	if (!target->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		execl(path, program, NULL);
		_exit(127);
	}
	close(fds[1]);
	target->fd = fds[0];
}

static void target_order(struct target *target, enum target_action action, uint32_t count)
{
	struct target_order order = { action, count };

	if (action == TARGET_INTERRUPTS)
		target->interrupts += count;
	assert_int_equal(write(target->fd, &order, sizeof(order)), sizeof(order));
}

static void target_await(struct target *target)
{
	char done;

	assert_int_equal(read(target->fd, &done, 1), 1);
}

static void target_do(struct target *target, enum target_action action, uint32_t count)
{
	target_order(target, action, count);
	target_await(target);
}

static void target_stop(struct target *target)
{
	close_fd(&target->fd);
	assert_int_equal(waitpid(target->pid, NULL, 0), target->pid);
	image_files_free(&target->files);
}

/* Started, and attached to as @guest once it is known to run its own program. */
static void target_attach(struct target *target, const char *program, struct probe *probe,
			  unsigned int guest)
{
	struct diagnosis why = { 0 };
	char path[32];

	target_start(target, program);
	target_do(target, TARGET_INTERRUPTS, 0);
	snprintf(path, sizeof(path), "/proc/%d/exe", target->pid);
	if (probe_attach(probe, guest, target->pid, path, target->files.file, &why))
		fail_msg("%s", why.what);
}

static void assert_nothing(struct probe *probe, unsigned int guest)
{
	struct probe_event event;

	assert_false(probe_take(probe, guest, &event));
}

/* The next @count events are the interrupts from number @first of the target on. */
static void assert_interrupts(struct probe *probe, unsigned int guest, uint64_t first,
			      uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++) {
		struct probe_event event;

		assert_true(probe_take(probe, guest, &event));
		assert_int_equal(event.source, TRACE_IRQ_ENTRY);
		assert_int_equal(event.sequence, i);
		assert_int_equal(event.irq, target_irq(i));
		assert_int_equal(event.time, target_time(i));
		assert_null(event.text);
	}
}

static void assert_text(struct probe *probe, enum trace_irq_source source, const char *text)
{
	struct probe_event event;

	assert_true(probe_take(probe, 0, &event));
	assert_int_equal(event.source, source);
	assert_int_equal(event.irq, 0);
	assert_string_equal(event.text, text);
	assert_nothing(probe, 0);
}

static void test_what_was_done_before_the_answer_is_there(void **state)
{
	struct probe *probe = probe_must_open();
	struct target target;

	(void)state;
	target_attach(&target, "probe_target", probe, 0);
	srandom(1);
	for (unsigned int round = 0; round < 2000; round++) {
		uint64_t before = target.interrupts;
		uint32_t count = (uint32_t)random() % 40;

		target_do(&target, TARGET_INTERRUPTS, count);
		assert_interrupts(probe, 0, before, count);
		assert_nothing(probe, 0);
	}
	assert_int_equal(probe_lost(probe, 0), 0);
	probe_close(probe);
	target_stop(&target);
}

static void test_guests_that_share_a_file_are_told_apart(void **state)
{
	struct probe *probe = probe_must_open();
	struct target target[2], other;

	(void)state;
	target_attach(&target[0], "probe_target", probe, 0);
	target_attach(&target[1], "probe_target", probe, 5);
	target_start(&other, "probe_target");
	for (unsigned int round = 0; round < 100; round++) {
		target_do(&other, TARGET_INTERRUPTS, 1);
		target_do(&target[1], TARGET_INTERRUPTS, 7);
		target_do(&target[0], TARGET_INTERRUPTS, 3);
		assert_interrupts(probe, 0, 3 * round, 3);
		assert_interrupts(probe, 5, 7 * round, 7);
		assert_nothing(probe, 0);
		assert_nothing(probe, 5);
	}
	assert_nothing(probe, 1);
	assert_nothing(probe, 6);
	probe_close(probe);
	target_stop(&target[0]);
	target_stop(&target[1]);
	target_stop(&other);
}

static void test_panic_and_warning_carry_their_text(void **state)
{
	struct probe *probe = probe_must_open();
	struct target target;
	char cut[PROBE_TEXT];

	(void)state;
	target_attach(&target, "probe_target", probe, 0);
	target_do(&target, TARGET_PANIC, 0);
	assert_text(probe, TRACE_IRQ_PANIC, TARGET_MESSAGE);
	target_do(&target, TARGET_WARN, 4711);
	assert_text(probe, TRACE_IRQ_WARN, TARGET_FILE ":4711");
	memset(cut, 'x', sizeof(cut) - 1);
	cut[sizeof(cut) - 1] = '\0';
	target_do(&target, TARGET_PANIC_LONG, sizeof(cut) + 100);
	assert_text(probe, TRACE_IRQ_PANIC, cut);
	probe_close(probe);
	target_stop(&target);
}

static void test_text_that_is_not_in_memory_is_brought(void **state)
{
	struct probe *probe = probe_must_open();
	struct target target;

	(void)state;
	target_attach(&target, "probe_target", probe, 0);
	target_do(&target, TARGET_PANIC_ABSENT, 0);
	assert_text(probe, TRACE_IRQ_PANIC, "ELF\002\001\001");
	target_do(&target, TARGET_PANIC_UNMAPPED, 0);
	assert_text(probe, TRACE_IRQ_PANIC, "");
	target_do(&target, TARGET_PANIC_UNMAPPED, 4096);
	assert_text(probe, TRACE_IRQ_PANIC, "");
	probe_close(probe);
	target_stop(&target);
}

static void test_without_panic_exit_the_format_is_taken(void **state)
{
	struct probe *probe = probe_must_open();
	struct target target;

	(void)state;
	target_attach(&target, "probe_target_format", probe, 0);
	target_do(&target, TARGET_PANIC, 0);
	assert_text(probe, TRACE_IRQ_PANIC, TARGET_MESSAGE);
	probe_close(probe);
	target_stop(&target);
}

/* The ring keeps a little to tell full from empty; what it holds is the first, without a gap. */
static void test_what_does_not_fit_is_counted(void **state)
{
	const uint64_t count = SAMPLES_OF_A_RING + 5000;
	struct probe *probe = probe_must_open();
	struct probe_event event;
	struct target target;
	uint64_t lost, kept;

	(void)state;
	target_attach(&target, "probe_target", probe, 0);
	target_do(&target, TARGET_INTERRUPTS, (uint32_t)count);
	lost = probe_lost(probe, 0);
	assert_in_range(lost, 5000, 5001);
	kept = count - lost;
	assert_interrupts(probe, 0, 0, kept);
	assert_nothing(probe, 0);

	target_do(&target, TARGET_INTERRUPTS, 1);
	assert_true(probe_take(probe, 0, &event));
	assert_int_equal(event.sequence, count);
	assert_int_equal(probe_lost(probe, 0), lost);
	probe_close(probe);
	target_stop(&target);
}

/* Text does not fit either; it is counted too, and the next one is taken again. */
static void test_panics_that_do_not_fit_are_counted(void **state)
{
	struct probe *probe = probe_must_open();
	struct target target;
	struct probe_event event;

	(void)state;
	target_attach(&target, "probe_target", probe, 0);
	target_do(&target, TARGET_INTERRUPTS, SAMPLES_OF_A_RING - 1);
	target_do(&target, TARGET_PANIC, 0);
	assert_in_range(probe_lost(probe, 0), 1, 2);
	while (probe_take(probe, 0, &event))
		assert_int_equal(event.source, TRACE_IRQ_ENTRY);
	target_do(&target, TARGET_PANIC, 0);
	assert_true(probe_take(probe, 0, &event));
	assert_int_equal(event.source, TRACE_IRQ_PANIC);
	assert_int_equal(event.sequence, SAMPLES_OF_A_RING);
	probe_close(probe);
	target_stop(&target);
}

/*
 * A guest that runs for long without a message: who waits for it is woken when half of the ring is
 * full. It does no more at a time than the ring holds, as how soon the waiting process runs is up
 * to the host.
 */
static void test_nothing_is_lost_when_drained(void **state)
{
	const uint32_t part = SAMPLES_OF_A_RING / 4 * 3, parts = 12;
	struct probe *probe = probe_must_open();
	struct target target;
	uint32_t i;

	(void)state;
	target_attach(&target, "probe_target", probe, 3);
	for (i = 0; i < parts; i++) {
		struct pollfd fd = { probe_fd(probe), POLLIN, 0 };

		target_order(&target, TARGET_INTERRUPTS, part);
		assert_int_equal(poll(&fd, 1, 60000), 1);
		probe_drain(probe);
		target_await(&target);
	}
	probe_drain(probe);
	assert_int_equal(probe_lost(probe, 3), 0);
	assert_interrupts(probe, 3, 0, part * parts);
	assert_nothing(probe, 3);
	probe_close(probe);
	target_stop(&target);
}

static void test_events_of_a_guest_that_ended_can_be_taken(void **state)
{
	struct probe *probe = probe_must_open();
	struct target target;

	(void)state;
	target_attach(&target, "probe_target", probe, 0);
	target_do(&target, TARGET_INTERRUPTS, 10);
	target_stop(&target);
	probe_detach(probe, 0);
	probe_detach(probe, 0);
	probe_detach(probe, 1);
	assert_interrupts(probe, 0, 0, 10);
	assert_nothing(probe, 0);
	probe_close(probe);
	probe_close(NULL);
}

static void assert_refused(struct probe *probe, unsigned int guest, pid_t pid,
			   const struct image_file *kernel, int error, const char *words)
{
	struct diagnosis why = { 0 };
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	err = probe_attach(probe, guest, pid, path, kernel, &why);

	if (error)
		assert_int_equal(err, error);
	assert_true(err < 0);
	if (!strstr(why.what, words))
		fail_msg("\"%s\" does not say \"%s\"", why.what, words);
}

static void test_what_cannot_be_probed_is_refused(void **state)
{
	struct probe *probe = probe_must_open();
	struct image_files other = { 0 };
	struct target target, independent;

	(void)state;
	target_attach(&target, "probe_target", probe, 0);
	target_start(&independent, "probe_target_pie");
	assert_int_equal(image_files_load(&other, "kernel", "/bin/true", "/linux", NULL), 0);
	assert_refused(probe, 0, target.pid, target.files.file, -EEXIST, "exists");
	assert_refused(probe, 1, target.pid, other.file, -ENOENT, "time_travel_time");
	assert_refused(probe, 1, independent.pid, independent.files.file, -ENOTSUP,
		       "generic_handle_irq");
	/* Nobody has this process id: it is beyond what the host gives. */
	assert_refused(probe, 1, 1 << 30, target.files.file, 0, "interrupt probe");
	target_do(&target, TARGET_INTERRUPTS, 1);
	assert_interrupts(probe, 0, 0, 1);
	assert_nothing(probe, 1);
	probe_close(probe);
	image_files_free(&other);
	target_stop(&target);
	target_stop(&independent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_of_many_are_found),
		cmocka_unit_test(test_what_was_done_before_the_answer_is_there),
		cmocka_unit_test(test_guests_that_share_a_file_are_told_apart),
		cmocka_unit_test(test_panic_and_warning_carry_their_text),
		cmocka_unit_test(test_text_that_is_not_in_memory_is_brought),
		cmocka_unit_test(test_without_panic_exit_the_format_is_taken),
		cmocka_unit_test(test_what_does_not_fit_is_counted),
		cmocka_unit_test(test_panics_that_do_not_fit_are_counted),
		cmocka_unit_test(test_nothing_is_lost_when_drained),
		cmocka_unit_test(test_events_of_a_guest_that_ended_can_be_taken),
		cmocka_unit_test(test_what_cannot_be_probed_is_refused),
	};

	int failed;

	if (!probe_allowed())
		return 77;
	failed = cmocka_run_group_tests_name("all uprobes by one link", tests, NULL, NULL);
	one_by_one = true;
	return failed + cmocka_run_group_tests_name("each by its own", tests, NULL, NULL);
}
