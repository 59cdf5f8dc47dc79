// SPDX-License-Identifier: BSD-3-Clause
/* Serves the interfaces of a guest that is started only to see whether it starts. */
#include "recorder/doctor/doctor_trial.h"

#include <ctype.h>
#include <poll.h>
#include <string.h>

#include "format/base/cleanup.h"

#define TRIAL_TIMEOUT_MS 10000

enum door { DOOR_SUPERVISOR, DOOR_ENTROPY, DOOR_CONSOLE, DOOR_LISTEN, DOOR_TIME, DOORS };

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

static int wait_doors(const struct guest *guest, struct pollfd doors[DOORS])
{
	const struct sandbox *sandbox = &guest->sandbox;
	const int fds[DOORS] = { [DOOR_SUPERVISOR] = sandbox->supervisor_fd,
				 [DOOR_ENTROPY] = sandbox->entropy_fd,
				 [DOOR_CONSOLE] = sandbox->console_fd,
				 [DOOR_LISTEN] = sandbox->listen_fd,
				 [DOOR_TIME] = guest->time_fd };
	int ready;

	for (size_t i = 0; i < DOORS; i++)
		doors[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	do
		ready = poll(doors, DOORS, TRIAL_TIMEOUT_MS);
	while (ready < 0 && errno == EINTR);
	return ready < 0 ? -errno : ready;
}

/* Serve what is ready. Returns 1 when the guest has come to an end, 0 to go on, or -errno. */
static int serve_doors(struct guest *guest, struct trial *trial, const struct pollfd doors[DOORS])
{
	int err = 0;

	if (doors[DOOR_CONSOLE].revents)
		read_console(guest, trial);
	if (doors[DOOR_LISTEN].revents)
		err = guest_accept(guest);
	/* A listener whose guest has gone only hangs up; the supervisor reports the rest. */
	if (!err && (doors[DOOR_ENTROPY].revents & POLLIN))
		err = serve_entropy(guest);
	if (!err && doors[DOOR_TIME].revents && has_spoken(guest)) {
		trial->end = TRIAL_SPOKE;
		return 1;
	}
	if (!err && doors[DOOR_SUPERVISOR].revents)
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
	struct pollfd doors[DOORS];
	int err;

	*trial = (struct trial){ .end = TRIAL_SILENT };
	do {
		err = wait_doors(guest, doors);
		if (err <= 0)
			return err;
		err = serve_doors(guest, trial, doors);
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
