/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of a session share: session.c (loop), session_client.c (messages), session_guest.c
 * (console, entropy, memory, end), session_device.c (devices), session_frame.c (where frames are
 * from), session_program.c (device programs), session_upstream.c (another scheduler's clients),
 * session_window.c (islands), session_probe.c (interrupts).
 */
#ifndef TTREC_SESSION_INTERNAL_H
#define TTREC_SESSION_INTERNAL_H

#include "format/text/frame_origin.h"
#include "format/base/terminal_text.h"
#include "kernel/vhost/vhost_relay.h"
#include "recorder/last_words.h"
#include "recorder/session.h"
#include "recorder/status_line.h"
#include "recorder/weave.h"

#define CLIENT_BATCH 16

/* One time-travel connection. */
struct client {
	int fd;
	bool connected;
	bool admitted;	  /* has a number in the trace */
	bool start_acked; /* the START's ACK, which carries descriptors, has gone out */
	uint32_t index;	  /* in the trace */
	uint32_t handle;  /* in the calendar of its island */
	uint64_t wait_count;
	uint64_t next_digest; /* at which WAIT */
	struct island *island;
	struct session_guest *guest;
	struct session_program *program; /* which takes part in time; else NULL */
	struct wire_input input;
	/* Of a client that another scheduler runs: */
	int upstream_fd; /* to that; -1 */
	struct wire_input upstream_input;
	bool in_wait;	/* from the ACK of its WAIT to its RUN */
	bool says_wait; /* its WAIT, with this seq, has not been acknowledged */
	uint32_t wait_seq;
	bool run_held; /* until it has replied to a call */
	struct wire_message run;
};

/* A program that simulates devices. */
struct session_program {
	struct session *session;
	struct session_program_options options;
	size_t number;
	struct client *client; /* that of a timed one, while it is connected */
	bool joined;	       /* it has been a client */
	bool failed;	       /* it is not spoken to any more */
	char problem[VHOST_PROBLEM_TEXT];
	struct session_device *calling; /* a guest that it interrupts, until that has replied */
};

/* The way from a device of a guest to the program that simulates it. */
struct program_link {
	struct device device; /* stands for it in the turn of the house */
	struct device_class class;
	struct session_program *program;
	int fd;		      /* to the program; -1 */
	struct vhost backend; /* on which it calls */
	uint32_t pending;     /* request to which the guest awaits its reply; 0: none */
	bool call_held, backend_watched, reply_held;
	bool failing; /* to be ended as soon as the guest is blocked */
	struct vhost_message call, reply;
	char problem[VHOST_PROBLEM_TEXT];
};

/* A device of a guest: a vhost-user connection, and what answers it. */
struct session_device {
	struct session *session;
	struct session_guest *guest;
	unsigned int number; /* among the guest's */
	struct device *device;
	struct program_link *link; /* of a program's device; else NULL */
	struct vhost *vhost;
	size_t index; /* in epoll events */
	bool attached, ended;
	bool closing;	   /* the guest closed it, or is about to end */
	bool call_watched; /* call_fd is in the epoll set */
	bool calling;	   /* a call was sent and is not answered */
	uint8_t *taken;	   /* by the kick that is being handled, for its record */
	size_t taken_size, taken_space;
	bool taken_flood;	       /* there was more than is kept */
	struct frame_origins *origins; /* of frames in its records; NULL: none so far */
};

/* A guest whose doors this session serves; clients of `ttrec serve` have none. */
struct session_guest {
	struct session *session;
	struct guest *guest;
	struct island *island;
	struct entropy_stream *entropy;
	struct watch *watch;
	struct ci_console *heard;
	struct last_words last_words;
	struct terminal_text shown;    /* where a terminal is in its output */
	struct client *client;	       /* once it connected */
	struct session_device *device; /* guest->spec->device_count of them */
	unsigned int closing;	       /* devices of which that is to be found out */
	uint64_t calls;		       /* so far: the sequence number of the next one */
	uint64_t probe_next;	       /* the same of interrupts that the probe sees */
	bool probed;		       /* all of these so far are in the trace, or will be */
	uint32_t index;
	bool connected; /* it has been heard of */
	bool admitted;	/* its START has been taken */
	bool ended;	/* the keeper said so */
	bool acted;	/* it may have printed or closed a device, of which no event told yet */
	char *console;	/* taken off it, not yet in the trace */
	size_t console_size, console_space;
	struct session_guest_result result;
};

/* A frame that left its guest in this window. */
struct outgoing {
	struct network_port *port;
	uint64_t time;
	size_t network, sequence;
	struct network_frame *frame;
};

struct outbox {
	struct network_outbox interface; /* first: the network knows only this */
	struct island *island;
	size_t network;
};

/* Clients that run one after the other. */
struct island {
	struct session *session;
	size_t number;
	struct calendar *calendar;
	const char *upstream;	/* path of another scheduler, instead of a calendar; or NULL */
	uint64_t now;		/* with @upstream: ns, as far as is known */
	struct client **client; /* by handle */
	size_t client_count;
	struct session_device **device; /* in the order of guests */
	size_t device_count;
	struct session_device *kicked; /* its guest waits for the reply to a kick */
	size_t guests_left;
	size_t absent; /* guests of those that have not connected yet, or left and not ended yet */
	size_t turn;   /* in the house's turn: index of the device whose turn it is */
	bool in_turn;
	bool due_changed; /* of some device, since the calendar was told */
	bool call_held;	  /* of some program, until a guest is blocked */
	struct outgoing *outgoing;
	size_t outgoing_count, outgoing_space;
};

/* What an epoll event is about. */
enum source_kind {
	SOURCE_STOP,
	SOURCE_LISTEN,
	SOURCE_CLIENT,
	SOURCE_CONSOLE,
	SOURCE_ENTROPY,
	SOURCE_KEEPER,
	SOURCE_DEVICE_LISTEN,
	SOURCE_DEVICE,
	SOURCE_CALLED,
	SOURCE_PROGRAM_LISTEN,
	SOURCE_PROGRAM_END,
	SOURCE_PROGRAM_REPLY,
	SOURCE_PROGRAM_CALL,
	SOURCE_UPSTREAM,
	SOURCE_PROBE,
};

struct session {
	struct session_options options;
	struct trace_writer *writer;
	struct weave *weave; /* NULL without a writer */
	weave_observer *observer;
	void *observer_context;
	struct watch *watch;
	struct probe *probe; /* may be NULL */
	int epoll_fd, stop_fd, listen_fd;
	struct client **client; /* by number, as in epoll events */
	size_t client_count;
	size_t clients_left, clients_seen;
	bool admitted_any;
	struct island **island;
	size_t island_count;
	uint64_t lookahead; /* ns: length of a window; WIRE_TIME_NEVER: islands never meet */
	bool begun;	    /* the first windows were opened */
	struct session_guest **guest;
	size_t guest_count, guests_left;
	struct session_device **device; /* by number, as in epoll events */
	size_t device_count;
	struct session_program **program;
	size_t program_count;
	struct outbox **outbox;
	size_t outbox_count, network_count;
	size_t outgoing_bytes;	/* of frames that wait for the end of a window */
	bool crowded;		/* there were more events than could be taken at once */
	uint32_t console_guest; /* whose line was begun on standard output */
	bool console_open;	/* a line was begun and not ended */
	struct session_result *result;
	bool over;
	uint64_t start_wall, last_message_wall, looked_wall;
	uint64_t idle_since; /* wall time: everybody sleeps forever, but may be about to leave; or 0
			      */
	struct status_line status;
};

int session_watch_fd(struct session *session, int fd, enum source_kind kind, size_t index);
void session_unwatch_fd(struct session *session, int fd);

/* End the recording: the first reason stays, which diagnose() has written before. */
void session_finish(struct session *session, enum session_end end);

/* Append to the trace, if there is one; a write error ends the session. @island may be NULL. */
void session_record(struct session *session, const struct island *island,
		    const struct trace_record *record);

/* Virtual time in an island, ns. */
uint64_t island_now(const struct island *island);

/* session_client.c */
void session_note(struct session *session, const struct diagnosis *diagnosis);
/* Of a guest, of a program, or of neither. */
int session_client_connect(struct session *session, struct island *island, int fd,
			   struct session_guest *guest, struct session_program *program);
void session_client_readable(struct session *session, struct client *client);
/* What the guest said on its time socket before it did something else comes before that. */
void session_guest_catch_up(struct session *session, struct session_guest *guest);
void session_client_leave(struct session *session, struct client *client);
void session_record_message(struct session *session, struct client *client, enum trace_kind kind,
			    const struct wire_message *message);
/* @client has got its number. */
void session_record_join(struct session *session, struct client *client, uint64_t id,
			 uint64_t offset);
/* Carry out what the calendar wants. */
void session_carry_out(struct session *session, struct island *island);

/* session_guest.c */
void session_guest_entropy(struct session *session, size_t index);
/* Record what the guest has written by now, and its interrupts; only while it is blocked. */
void session_guest_console(struct session *session, struct session_guest *guest);
void session_guest_peek_console(struct session *session, struct session_guest *guest);
/* Judge and show text that @guest said. */
void session_guest_said(struct session *session, struct session_guest *guest, const char *text,
			size_t size);
void session_guest_digest(struct session *session, struct client *client);
void session_guest_connect(struct session *session, size_t index);
void session_guest_keeper(struct session *session, size_t index);
/* Once its process has ended and its connection is gone. */
void session_guest_settle(struct session *session, struct session_guest *guest);

/* session_device.c */
void session_device_connect(struct session *session, size_t index);
void session_device_readable(struct session *session, size_t index);
void session_device_called(struct session *session, size_t index);
/*
 * The house has the token: fire what is due, interrupt who wants it, one after the other. Returns
 * true when it has given the token back, false when it waits for a guest.
 */
bool session_house_turn(struct session *session, struct island *island);
/* Tell the calendar when the first device of the island is due, if that has changed. */
void session_house_update(struct session *session, struct island *island);
/* Answer the kick, once the running guest has heard of what it must not run past. */
void session_answer_kick(struct session *session, struct island *island);
/* The guest lives: record which of its devices it has closed. */
void session_devices_detach(struct session_guest *guest);
/* The guest has left: its devices have nothing to do any more. */
void session_devices_leave(struct session *session, struct session_guest *guest);
/* Its process has ended: nor have those to which it never came. */
void session_devices_end(struct session_guest *guest);

/* A record of the device's. */
struct trace_record session_device_record(const struct session_device *device,
					  enum trace_kind kind);
void session_device_append(const struct session_device *device, const struct trace_record *record);
/* A buffer was used: @written bytes are in it, and @extent bytes of it may have been changed. */
void session_device_used(const struct session_device *device, unsigned int queue,
			 const struct vring_chain *chain, uint32_t written, uint32_t extent);
void session_device_reply_value(struct session_device *device, uint32_t request, uint64_t value);
void session_device_reply_body(struct session_device *device, uint32_t request, const void *body,
			       size_t size);
/*
 * Interrupt the guest, which is about to be blocked. Returns true when its reply is to be waited
 * for.
 */
bool session_device_call(struct session_device *device, enum vhost_backend_request request,
			 unsigned int queue);
/* End a device that makes no sense, while its guest is about to be blocked. */
void session_device_end(struct session_device *device, const char *problem);

/* session_frame.c */
/* The next record of @device has @frame: record where it is from, unless whoever reads it knows. */
void session_frame_origin(struct session_device *device, const struct network_frame *frame);

/* session_program.c, session_program_message.c, session_program_call.c */
/* The guest connected: connect to the program. NULL, or what is wrong. */
const char *session_program_attach(struct session_device *device);
/* Pass the guest's request on. NULL, or what is wrong. */
const char *session_program_request(struct session_device *device, struct vhost_message *message);
void session_program_close(struct session_device *device);
void session_program_connect(struct session *session, size_t index);
void session_program_end(struct session *session, size_t index);
void session_program_reply(struct session *session, size_t index);
void session_program_call(struct session *session, size_t index);
/* The guest has replied to a call of the program. */
void session_program_called(struct session_device *device, uint64_t value);
/* In the house's turn: what was held back. Returns true when a guest's reply is to be awaited. */
bool session_program_turn(struct session_device *device);
/* Look for calls that came before something else the program said. True: it must wait for one. */
bool session_program_drain(struct session_program *program);
/* All that programs have done to @guest's memory, before the guest goes on or is looked at. */
void session_program_harvest(struct session_guest *guest);
/* A guest of @island waits: what was held back can be had. */
void session_programs_release(struct island *island);
/* Its client broke the protocol, or left: the program's devices end. */
void session_program_fail(struct session_program *program, const char *problem);
/* Nobody has said anything for too long: is that a program's fault? */
bool session_programs_hang(struct session *session);
void session_programs_free(struct session *session);

/* session_probe.c; all do nothing without a probe */
/* The guest has sent its START, and waits. */
void session_probe_attach(struct session *session, struct session_guest *guest);
/* Record the interrupts that it has taken by now; only while it is blocked. */
void session_probe_record(struct session *session, struct session_guest *guest);
/* A running guest has taken many. */
void session_probe_drain(struct session *session);
/* It has ended. */
void session_probe_detach(struct session *session, struct session_guest *guest);

/* session_upstream.c */
int session_upstream_connect(struct session *session, struct client *client, size_t number);
/* @client, another scheduler's, said something: record it and pass it on. */
void session_upstream_forward(struct session *session, struct client *client,
			      const struct wire_message *message);
/* Nothing for clients that are not another scheduler's; @client may be NULL. */
void session_upstream_readable(struct session *session, struct client *client);
/* It has replied to a call: a RUN that came meanwhile is due. */
void session_upstream_go_on(struct session *session, struct client *client);

/* session_window.c */
void session_report_deadlock(struct session *session);
void session_idle(struct session *session, const struct island *island);
void session_report_limit(struct session *session);
/*
 * When all islands have come to the end of the window: switch frames, write records, open the next.
 * Returns true when that may be over, too: it is to be called again without waiting for anybody.
 */
bool session_advance(struct session *session);
void session_window_release(struct session *session);

#endif
