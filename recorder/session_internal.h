/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of a session share: session.c (loop), session_client.c (messages), session_guest.c
 * (doors).
 */
#ifndef TTREC_SESSION_INTERNAL_H
#define TTREC_SESSION_INTERNAL_H

#include "recorder/session.h"
#include "recorder/status_line.h"

#define CLIENT_BATCH 16

/* One time-travel connection. */
struct client {
	int fd;
	bool connected;
	bool admitted;	  /* has a number in the trace */
	bool start_acked; /* the START's ACK, which carries descriptors, has gone out */
	uint32_t index;	  /* in the trace */
	uint64_t wait_count;
	uint64_t next_digest; /* at which WAIT */
	struct session_guest *guest;
	struct wire_input input;
};

/* A guest whose doors this session serves; clients of `ttrec serve` have none. */
struct session_guest {
	struct guest *guest;
	struct entropy_stream *entropy;
	struct client *client; /* once it connected */
	uint32_t index;
	bool ended;    /* the keeper said so */
	char *console; /* taken off its socket, not yet in the trace */
	size_t console_size, console_space;
	int status, signal;
};

/* What an epoll event is about. */
enum source_kind { SOURCE_STOP, SOURCE_LISTEN, SOURCE_CLIENT, SOURCE_ENTROPY, SOURCE_KEEPER };

struct session {
	struct session_options options;
	struct trace_writer *writer;
	struct watch *watch;
	struct calendar *calendar;
	int epoll_fd, stop_fd, listen_fd;
	struct client **client; /* by calendar handle */
	size_t client_count;
	size_t clients_left, clients_seen;
	bool admitted_any;
	struct session_guest *guest;
	size_t guest_count, guests_left;
	struct session_result *result;
	bool over;
	uint64_t start_wall, last_message_wall;
	struct status_line status;
};

int session_watch_fd(struct session *session, int fd, enum source_kind kind, size_t index);

/* End the recording: the first reason stays. @error is what diagnose() returned or 0. */
void session_finish(struct session *session, enum session_end end);

/* Append to the trace, if there is one; a write error ends the session. */
void session_record(struct session *session, const struct trace_record *record);

/* session_client.c */
void session_note(struct session *session, const struct diagnosis *diagnosis);
int session_client_connect(struct session *session, int fd, struct session_guest *guest);
void session_client_readable(struct session *session, size_t handle);
void session_client_leave(struct session *session, size_t handle);
/* Carry out what the calendar wants. */
void session_carry_out(struct session *session);

/* session_guest.c */
void session_guest_entropy(struct session *session, size_t index);
/* Record what the guest has written by now; only while it is blocked. */
void session_guest_console(struct session *session, struct session_guest *guest);
void session_guest_peek_console(struct session *session, struct session_guest *guest);
void session_guest_digest(struct session *session, struct client *client);
void session_guest_connect(struct session *session, size_t index);
void session_guest_keeper(struct session *session, size_t index);
/* Once its process has ended and its connection is gone. */
void session_guest_settle(struct session *session, struct session_guest *guest);

#endif
