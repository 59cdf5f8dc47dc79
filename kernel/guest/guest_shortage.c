// SPDX-License-Identifier: BSD-3-Clause
/* Finds the lines in which a guest's kernel reports what the host refused it or took from it. */
#include "kernel/guest/guest_shortage.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "format/base/cleanup.h"

/*
 * How these lines begin in Linux 5.10 to 7.2, behind a time stamp (arch/um/os-Linux:
 * skas/process.c, skas/mem.c, start_up.c, helper.c; arch/um/drivers/ubd_user.c). Each address space
 * of the guest's programs is a process of the host, which is cloned and traced.
 */
static const char *const reports[] = {
	"start_userspace : ",
	"copy_context_skas0 - stub-parent reports ",
	"userspace - ",
	"wait_stub_done : ",
	"do_syscall_stub : ",
	"Failed to get registers from stub, ",
	"Failed to continue stub, ",
	"Failed to continue new process, ",
	"run_helper : ",
	"run_helper_thread : ",
	"start_io_thread - ",
	"start_ptraced_child : ",
	"check_seccomp : ",
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
	{ -ESRCH, "status = 0x9" },
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
	char text[160];

	if (length >= sizeof(text))
		return 0;
	memcpy(text, line, length);
	text[length] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
		const char *found = strstr(text, reports[i]);

		if (found)
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
