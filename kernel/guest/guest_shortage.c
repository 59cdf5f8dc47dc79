// SPDX-License-Identifier: BSD-3-Clause
/*
 * Finds console lines in which a guest's kernel reports a shortage of the host or the end of one of
 * its processes.
 */
#include "kernel/guest/guest_shortage.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/console_line.h"

/*
 * How these lines begin in Linux 5.10 to 7.2, behind a time stamp or, @anywhere, behind other text
 * (arch/um/os-Linux: skas/process.c, skas/mem.c, start_up.c, helper.c;
 * arch/um/drivers/ubd_user.c). Each address space of the guest's programs is a process of the host,
 * which is cloned and traced.
 */
static const struct {
	const char *text;
	bool anywhere;
} reports[] = {
	{ "start_userspace : ", false },
	{ "copy_context_skas0 - stub-parent reports ", false },
	{ "userspace - ptrace ", false },
	{ "userspace - wait failed", false },
	{ "userspace - PTRACE_GETREGS failed", false },
	{ "userspace -  get_fp_registers failed", false },
	{ "wait_stub_done : ", false },
	{ "Failed to get registers from stub, ", false },
	{ "Failed to continue new process, ", false },
	{ "run_helper : ", false },
	{ "run_helper_thread : ", false },
	{ "start_io_thread - ", false },
	/* In a panic. */
	{ "do_syscall_stub : ", true },
	{ "Failed to continue stub, ", true },
	/* Before the kernel logs: "Checking that ptrace can change system call numbers..." */
	{ "start_ptraced_child : ", true },
	{ "stop_ptraced_child : ", true },
	{ "check_ptrace : ", true },
	{ "check_ptrace: ", true },
	{ "check_sysemu : ", true },
	{ "check_sysemu: ", true },
	{ "check_seccomp : ", true },
};

/* How they go on for each error: printk() writes a number, perror(3) a text. */
static const struct {
	int error;
	const char *text;
} endings[] = {
	{ -EAGAIN, "errno = 11" },
	{ -EAGAIN, "reports error 11" },
	{ -EAGAIN, "failed: Resource temporarily unavailable" },
	{ -ENOMEM, "errno = 12" },
	{ -ENOMEM, "reports error 12" },
	{ -ENOMEM, "failed: Cannot allocate memory" },
	{ -ESRCH, "errno = 3" },
	{ -ESRCH, "failed: No such process" },
	{ -ESRCH, "status = 0x9" },
	{ -ESRCH, "status 0x9" },
	{ -ESRCH, "status = 9" },
};

static int error_of(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		const char *found = strstr(text, endings[i].text);

		if (found && !isalnum((unsigned char)found[strlen(endings[i].text)]))
			return endings[i].error;
	}
	return 0;
}

static int line_shortage(const char *line, size_t length)
{
	const char *begin;
	char text[160];

	if (length >= sizeof(text))
		return 0;
	memcpy(text, line, length);
	text[length] = '\0';
	begin = console_line_text(text);
	for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
		const char *found = strstr(begin, reports[i].text);

		if (found && (found == begin || reports[i].anywhere))
			return error_of(found);
	}
	return 0;
}

int guest_shortage_find(const char *text, size_t size, size_t *at)
{
	int err = 0;

	for (size_t done = 0, length; !err && done < size; done += length + 1) {
		const char *end = memchr(text + done, '\n', size - done);

		length = end ? (size_t)(end - text) - done : size - done;
		err = line_shortage(text + done, length);
		*at = done;
	}
	return err;
}

int guest_shortage_diagnose(int error, const char *name, const char *when, struct diagnosis *why)
{
	if (error == -ESRCH)
		return diagnose(why, EXIT_CANNOT, error, GUEST_KILLED_HINT,
				"a process of the guest %s was killed on this machine %s", name,
				when);
	return diagnose(why, EXIT_CANNOT, error, diagnosis_shortage(error),
			"this machine refused the guest %s %s %s: %s", name,
			error == -EAGAIN ? "a process" : "memory", when, strerror(-error));
}
