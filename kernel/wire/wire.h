/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The time-travel protocol on the wire: sixteen bytes a message, native byte order.
 *
 * Source: include/uapi/linux/um_timetravel.h, Linux 5.10 to 7.2. The operations are listed once, in
 * format/tttrace.h (TRACE_OP_*), because they are also recorded in traces.
 */
#ifndef TTREC_WIRE_H
#define TTREC_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "format/tttrace.h"

struct wire_message {
	uint32_t op;   /* enum trace_operation */
	uint32_t seq;  /* of an ACK: the seq of the message it answers */
	uint64_t time; /* ns, or as the operation defines it */
};
_Static_assert(sizeof(struct wire_message) == 16, "the protocol's message has 16 bytes");

/*
 * Times at or above this mean "never": an idle guest asks for S64_MAX, and panics when it is run
 * there (arch/um/kernel/time.c, time_travel_update_time: "going to sleep forever").
 */
#define WIRE_TIME_NEVER ((uint64_t)INT64_MAX)

/* START carries this as its time when the guest was given no ID (time-travel=ext:/path). */
#define WIRE_ID_NONE UINT64_MAX

/*
 * Bytes of one client's socket that are not a complete message yet, or not taken yet.
 * wire_input_partial() detects a client that sends half a message.
 */
struct wire_input {
	uint8_t data[64 * sizeof(struct wire_message)];
	size_t begin, end;
};

/*
 * Read without blocking. Returns the number of bytes read, 0 at end of file, -EAGAIN without input,
 * -ENOBUFS if messages must be taken first, or another negative errno (-ECONNRESET and so on).
 */
long wire_input_fill(struct wire_input *input, int fd);

/*
 * The same, but wait for input up to the time of wire_set_patience(): -EAGAIN if none arrived. One
 * system call, whereas waiting for several descriptors takes two.
 */
long wire_input_await(struct wire_input *input, int fd);
int wire_set_patience(int fd, unsigned int ms);

/* Take the oldest complete message. Returns 1, or 0 without one. */
int wire_input_take(struct wire_input *input, struct wire_message *message);

/* The oldest complete message, without taking it. Returns 1, or 0 without one. */
int wire_input_peek(const struct wire_input *input, struct wire_message *message);

/* Bytes of an unfinished message, 0 to 15. */
size_t wire_input_partial(const struct wire_input *input);

/*
 * Write @count messages at once. A client's socket holds hundreds of messages and a client has at
 * most a few outstanding, so a full socket means that the client does not read: -EAGAIN, and what
 * has been written of them is unknown. Returns 0 or a negative errno (-EPIPE when the client is
 * gone); never raises SIGPIPE.
 */
int wire_send(int fd, const struct wire_message *messages, size_t count);

/*
 * Write the ACK of a START with the two descriptors that kernels >= 6.11 need: a memfd whose header
 * says version 0, so that the kernel declines shared memory, and /dev/null as the log. Older
 * kernels read() the message and never see them.
 * Source: arch/um/kernel/time.c and arch/um/os-Linux/file.c (os_rcv_fd_msg), Linux 6.12.
 */
int wire_send_start_ack(int fd, const struct wire_message *ack);

/* Listening stream socket at @path. -ENAMETOOLONG, -EADDRINUSE, ... */
int wire_listen(const char *path, int *fd);

/* Connected stream socket to @path, as a client. */
int wire_connect(const char *path, int *fd);

/* The same, again until @patience ns of wall time are over, while there is no listener at @path. */
int wire_connect_within(const char *path, uint64_t patience, int *fd);

/* "ACK", or "operation 17" in @text for an unknown one. */
#define WIRE_NAME_TEXT 32
const char *wire_operation_text(uint32_t op, char text[WIRE_NAME_TEXT]);

#endif
