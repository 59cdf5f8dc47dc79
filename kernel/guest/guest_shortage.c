// SPDX-License-Identifier: BSD-3-Clause
/* Finds the lines in which a guest's kernel reports that the host refused it something. */
#include "kernel/guest/guest_shortage.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/diagnosis.h"
#include "format/base/units.h"

/*
 * What Linux 5.10 to 7.2 print (arch/um/os-Linux: skas/process.c, start_up.c, helper.c;
 * arch/um/drivers/ubd_user.c), up to the number or the text of the error. A process is cloned for
 * each address space of the guest's programs.
 */
static const char *const reports[] = {
	"start_userspace : clone failed, errno = ",
	"start_userspace : mmap failed, errno = ",
	"copy_context_skas0 - stub-parent reports error ",
	"run_helper : clone failed, errno = ",
	"run_helper_thread : clone failed, errno = ",
	"start_io_thread - clone failed : errno = ",
	"start_ptraced_child : fork failed: ",
	"check_seccomp : clone failed: ",
};

/* perror(3) writes a text where printk() writes a number. */
static int error_of(const char *text)
{
	static const int named[] = { EAGAIN, ENOMEM };
	uint64_t number;

	if (!number_take(&text, 10, INT32_MAX, &number))
		return -(int)number;
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		if (!strncmp(text, strerror(named[i]), strlen(strerror(named[i]))))
			return -named[i];
	return 0;
}

static int line_shortage(const char *line, size_t length)
{
	char text[160];
	int err;

	if (length >= sizeof(text))
		return 0;
	memcpy(text, line, length);
	text[length] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(reports); i++) {
		const char *found = strstr(text, reports[i]);

		err = found ? error_of(found + strlen(reports[i])) : 0;
		if (diagnosis_shortage(err))
			return err;
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

const char *guest_shortage_text(int error)
{
	return error == -EAGAIN ? "a process" : "memory";
}
