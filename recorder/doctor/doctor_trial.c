// SPDX-License-Identifier: BSD-3-Clause
/* Serves the interfaces of a guest that is started only to see whether it starts. */
#include "recorder/doctor/doctor_trial.h"

#include <ctype.h>
#include <poll.h>
#include <string.h>

#include "format/base/cleanup.h"

#define TRIAL_TIMEOUT_MS 10000

enum interface {
	INTERFACE_SUPERVISOR,
	INTERFACE_ENTROPY,
	INTERFACE_CONSOLE,
	INTERFACE_LISTEN,
	INTERFACE_TIME,
	INTERFACES
};

static void read_console(struct guest *guest, struct trial *trial)
{
	char rest[512];
	ssize_t got;

	do {
		size_t space = sizeof(trial->console) - 1 - trial->console_size;

		if (space) {
			got = guest_read_console(guest, trial->console + trial->console_size,
						 space);
			trial->console_size += got > 0 ? (size_t)got : 0;
		} else {
			got = guest_read_console(guest, rest, sizeof(rest));
		}
	} while (got > 0);
	trial->console[trial->console_size] = '\0';
}

/* The output of this guest is not recorded: zeros are as good as other bytes. */
static int serve_entropy(struct guest *guest)
{
	struct entropy_request request;
	auto_free void *zeros = NULL;
	int err = entropy_receive(&guest->sandbox, &request);

	if (err <= 0)
		return err;
	if (request.requested > ENTROPY_CALL_MAX)
		request.requested = ENTROPY_CALL_MAX;
	zeros = calloc(1, request.requested + 1);
	return zeros ? guest_answer_entropy(guest, &request, zeros, request.requested) : -ENOMEM;
}

static bool has_spoken(struct guest *guest)
{
	struct wire_message message;

	return wire_input_fill(&guest->input, guest->time_fd) > 0 &&
	       wire_input_take(&guest->input, &message) && message.op == TRACE_OP_START;
}

static int wait_interfaces(const struct guest *guest, struct pollfd interfaces[INTERFACES])
{
	const struct sandbox *sandbox = &guest->sandbox;
	const int fds[INTERFACES] = { [INTERFACE_SUPERVISOR] = sandbox->supervisor_fd,
				      [INTERFACE_ENTROPY] = sandbox->entropy_fd,
				      [INTERFACE_CONSOLE] = sandbox->console_fd,
				      [INTERFACE_LISTEN] = sandbox->listen_fd,
				      [INTERFACE_TIME] = guest->time_fd };
	int ready;

	for (size_t i = 0; i < INTERFACES; i++)
		interfaces[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	do
		ready = poll(interfaces, INTERFACES, TRIAL_TIMEOUT_MS);
	while (ready < 0 && errno == EINTR);
	return ready < 0 ? -errno : ready;
}

/* Serve readable descriptors. Returns 1 when the guest has ended, 0 to continue, or -errno. */
static int serve_interfaces(struct guest *guest, struct trial *trial,
			    const struct pollfd interfaces[INTERFACES])
{
	int err = 0;

	if (interfaces[INTERFACE_CONSOLE].revents)
		read_console(guest, trial);
	if (interfaces[INTERFACE_LISTEN].revents)
		err = guest_accept(guest);
	/*
	 * The listener of a guest that has ended only reports a hang-up; the supervisor reports its
	 * end.
	 */
	if (!err && (interfaces[INTERFACE_ENTROPY].revents & POLLIN))
		err = serve_entropy(guest);
	if (!err && interfaces[INTERFACE_TIME].revents && has_spoken(guest)) {
		trial->end = TRIAL_SPOKE;
		return 1;
	}
	if (!err && interfaces[INTERFACE_SUPERVISOR].revents)
		err = sandbox_ended(&guest->sandbox, &trial->status, &trial->signal);
	if (err == 1) {
		read_console(guest, trial);
		trial->end = TRIAL_ENDED;
		return 1;
	}
	return err;
}

int trial_run(struct guest *guest, struct trial *trial)
{
	struct pollfd interfaces[INTERFACES];
	int err;

	*trial = (struct trial){ .end = TRIAL_SILENT };
	do {
		err = wait_interfaces(guest, interfaces);
		if (err <= 0)
			return err;
		err = serve_interfaces(guest, trial, interfaces);
	} while (!err);
	return err < 0 ? err : 0;
}

const char *trial_last_line(struct trial *trial)
{
	size_t end = trial->console_size;
	const char *newline;

	while (end && isspace((unsigned char)trial->console[end - 1]))
		end--;
	trial->console[end] = '\0';
	newline = strrchr(trial->console, '\n');
	return newline ? newline + 1 : trial->console;
}
