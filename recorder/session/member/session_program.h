/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Device programs: relays between a guest's device and the program that simulates it.
 *
 * Requests go on as they are, replies come back, and both are recorded as those of the recorder's
 * own devices are. What a program wrote to guest memory is found in the used rings, and recorded
 * before the guest is sent anything that lets it go on. A program interrupts a guest when it likes;
 * the guest is interrupted while it is blocked: at once while it awaits the program's reply, or
 * sleeps and the program, or another guest that awaits its reply, has the token; else in the device
 * turn. What a program says after a call stays in the inbox until the guest has replied to that.
 *
 * A program:  AWAITED -- connects for time --> JOINED -- breaks the protocol, or leaves --> FAILED
 * A link:     CLOSED -- the guest connects --> OPEN -- of no use any more --> FAILING
 *             FAILING -- the guest is blocked: its connection is ended --> CLOSED
 * Its calls:  NO_CALL -- read --> HELD -- the guest is blocked --> SENT -- it replied --> NO_CALL
 */
#ifndef TTREC_SESSION_PROGRAM_H
#define TTREC_SESSION_PROGRAM_H

#include "kernel/vhost/vhost_relay.h"
#include "recorder/device/device.h"
#include "recorder/session/journal/session_options.h"
#include "recorder/session/member/session_partition.h"
#include "recorder/session/journal/session_source.h"

struct client;
struct session_device;
struct session_guest;

enum program_state { PROGRAM_AWAITED, PROGRAM_JOINED, PROGRAM_FAILED };

struct session_program {
	enum program_state state;
	struct session_program_options options;
	size_t number;
	struct client *client; /* that of a timed one, while it is connected */
	char problem[VHOST_PROBLEM_TEXT];
	struct session_device *calling; /* the guest that it interrupts, until the reply */
	uint64_t unprompted; /* interrupts at times of the host's clock: it is untimed, and no guest
				waited for it */
	struct session_device **device; /* that it simulates, in the order of guests */
	size_t device_count;
	int exit_code, exit_status; /* as waitid(2) has it */
	struct source listen, exit;
};

enum link_state { LINK_CLOSED, LINK_OPEN, LINK_FAILING };
enum link_call { LINK_NO_CALL, LINK_CALL_HELD, LINK_CALL_SENT };

/* The link from a device of a guest to the program that simulates it. */
struct program_link {
	struct device device; /* takes its part in the device turn */
	struct device_class class;
	enum link_state state;
	enum link_call call_state;
	struct session_program *program;
	int fd;		      /* to the program; -1 */
	struct vhost backend; /* on which it calls */
	uint32_t pending;     /* request to which the guest awaits its reply; 0: none */
	uint64_t unread;      /* queues, a bit each, of which no content is recorded any more */
	struct vhost_message incoming, call, reply;
	char problem[VHOST_PROBLEM_TEXT];
	struct source replies, calls;
};

int session_program_create(const struct session_program_options *options, size_t number,
			   struct session_program **program);
void session_program_destroy(struct session_program *program);

/* @guest's device number @number is simulated by @program. */
int session_program_add_device(struct session_program *program, struct session_guest *guest,
			       unsigned int number);

/* The first timed program that has not connected yet; NULL. */
bool session_program_is_missing(const struct session_program *program);

/*
 * Whether the client with the token of @partition waits for @program, so that no other client runs.
 */
bool session_program_has_token(const struct partition *partition,
			       const struct session_program *program);

/* Close all of its devices. */
void session_program_cut(struct session_program *program);

/* In the device turn: deliver held calls. Returns true if a guest has to reply first. */
bool session_program_turn(struct session_device *device);

/*
 * Deliver what is held of @partition and can be delivered: a guest of another scheduler waits, or
 * the one that runs waits for a program's reply.
 */
void session_programs_release(struct partition *partition);

/* ---- One device ----------------------------------------------------------------------------- */

/* Connect to the program, within some seconds. Returns NULL or the error. */
const char *program_link_connect(struct session_device *device);

/* Whether the guest may be interrupted now. */
bool program_link_is_blocked(const struct session_device *device);

/*
 * Hold it until the device turn; of a guest that sleeps at the end of a window, that of the next.
 */
void program_link_hold(struct session_device *device);

/*
 * The program has failed for this device. The guest sees the connection close when it is blocked,
 * as that is a signal for it, too.
 */
void program_link_cut(struct session_device *device, const char *problem);

/* The device has ended. */
void program_link_close(struct session_device *device);

/* ---- Requests and replies (session_program_message.c) ---------------------------------------- */

/* Record what the program has written to guest memory by now. */
void program_link_harvest(struct session_device *device);

/* Pass the guest's request on. Returns NULL or the error. */
const char *program_link_request(struct session_device *device);

/* Send the reply that was read to the guest. */
void program_link_reply(struct session_device *device);

/* ---- Interrupts (session_program_call.c) ----------------------------------------------------- */

/* Handle a call that was read. */
void program_link_call(struct session_device *device);

/* The guest has replied to a call of the program with @value; 1: it could not be interrupted. */
void program_link_called(struct session_device *device, uint64_t value);

#endif
