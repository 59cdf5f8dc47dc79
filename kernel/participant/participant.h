/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libttparticipant: the guest's half of the time-travel protocol in user space.
 *
 * To a controller a participant looks like a User-Mode-Linux guest under `time-travel=ext:`: it
 *keeps a list of events, requests time to run the first of them, waits, and receives the time. It
 * sends the same messages in the same order as the kernel does, so that a controller cannot
 *distinguish a simulator or a device written with it from a guest.
 *
 * Typical use:
 *
 *	participant_create(NULL, &p);
 *	participant_connect(p, "7:/run/lab/clock.sock");
 *	participant_start(p);			the guest runs from here on
 *	participant_timer_init(&timer, tick, &state);
 *	participant_timer_periodic(p, &timer, 10 * 1000 * 1000);
 *	participant_run(p);			until a callback calls participant_stop()
 *	participant_destroy(p);
 *
 * or, for a sequential program, a plain sequence of calls: participant_sleep(),
 * participant_delay(), participant_propagate() and so on. Both can be mixed.
 *
 * The caller is the guest. What it computes takes no virtual time; time moves only inside
 * participant_sleep, _idle, _run, _delay and _read_clock, and forward when an interrupt arrives.
 * Callbacks run in interrupt context (participant_in_interrupt): there the clock costs nothing to
 * read and sleeping is -EBUSY, as in the kernel.
 *
 * Conventions: times are ns of the participant's own virtual time, which starts at 0 with its
 * START. Functions return 0 or a negative errno; what would be a panic of the kernel is an error
 * that stays: every later call returns it again, participant_error() describes it. Nothing is
 * allocated per event: events, timers and sources are the caller's memory and must stay until they
 * are removed or have run, or the participant is destroyed. A participant is used by one thread at
 * a time; different participants are independent. Calls block until the controller answers.
 *
 * Source of every fact, unless another is named: arch/um/kernel/time.c, Linux 5.10, 6.1, 6.12 and
 * 7.2, abbreviated time.c below.
 */
#ifndef TTPARTICIPANT_H
#define TTPARTICIPANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TTPARTICIPANT_API __attribute__((visibility("default")))

/* The version of this header; below 1.0 a new minor version may change the interface. */
#define TTPARTICIPANT_VERSION_MAJOR 0
#define TTPARTICIPANT_VERSION_MINOR 1
#define TTPARTICIPANT_VERSION_PATCH 0
#define TTPARTICIPANT_VERSION_NUMBER                                               \
	(TTPARTICIPANT_VERSION_MAJOR * 10000 + TTPARTICIPANT_VERSION_MINOR * 100 + \
	 TTPARTICIPANT_VERSION_PATCH)

/* TTPARTICIPANT_VERSION_NUMBER of the library that is in use. */
TTPARTICIPANT_API unsigned int participant_version_number(void);

/* ---- Constants of the kernel ----------------------------------------------------------------- */

/* ns that one reading of the clock costs, and the clock's resolution (TIMER_MULTIPLIER). */
#define PARTICIPANT_CLOCK_COST 256

/*
 * ns: bounds of a one-shot timer's delta, to which 1 is added (timer_clockevent,
 * itimer_next_event).
 */
#define PARTICIPANT_TIMER_MIN 500
#define PARTICIPANT_TIMER_MAX UINT64_C(0xffffffff)

/* An idle guest asks for this time; it panics when it is run there (time_travel_sleep, 6.1). */
#define PARTICIPANT_TIME_NEVER ((uint64_t)INT64_MAX)

/* START carries this when no ID was given (time_travel_connect_external). */
#define PARTICIPANT_ID_NONE UINT64_MAX

/* ---- Life ------------------------------------------------------------------------------------ */

struct participant;

/*
 * The kernel to behave like. They differ only in the following, as far as the protocol shows:
 *
 *                               5.10               6.1                6.12 (since 6.11)
 *   REQUEST inside the window   sent               not sent           not sent
 *   WAIT ends the window        no                 yes                yes
 *   UPDATE at a time told       sent               not sent           not sent
 *   idle without events         wakes after 1 s    asks for NEVER     asks for NEVER
 *   RUN at NEVER                runs               panics             panics
 *   due during a delay          runs at once       runs after it      runs after it
 *   time of day                 GET_TOD each time  GET_TOD, GET once  GET_TOD, GET once
 *   BROADCAST                   unknown            unknown            known
 *
 * 7.2 is like 6.12, but for a sleep until a time that is past: it returns at once, where the others
 * set the shortest timer (kernel/time/hrtimer.c, hrtimer_sleeper_start_expires).
 */
enum participant_kernel {
	PARTICIPANT_KERNEL_DEFAULT, /* 6.12 */
	PARTICIPANT_KERNEL_5_10,
	PARTICIPANT_KERNEL_6_1,
	PARTICIPANT_KERNEL_6_12,
	PARTICIPANT_KERNEL_7_2,
};

struct participant_options {
	size_t size; /* sizeof(struct participant_options): lets it grow */
	enum participant_kernel kernel;
};

/* @options may be NULL. Returns 0, -EINVAL for an unknown kernel, -ENOMEM. */
TTPARTICIPANT_API int participant_create(const struct participant_options *options,
					 struct participant **participant);

/* Close the connection (that is how a guest leaves: there is no message for it) and free. */
TTPARTICIPANT_API void participant_destroy(struct participant *participant);

/*
 * Connect to the address after `time-travel=ext:` on a guest's command line, "[ID:]/path". Returns
 * 0, -EINVAL when the ID is invalid, -EALREADY when there is a connection, or the error of
 * connect(2). A path that does not fit into a socket's address is cut off (os_connect_socket,
 * arch/um/os-Linux/file.c).
 */
TTPARTICIPANT_API int participant_connect(struct participant *participant, const char *address);

/*
 * Use @fd, a connected stream socket, and @id for START. The participant owns @fd from here on,
 * also when this fails (-EALREADY).
 */
TTPARTICIPANT_API int participant_attach(struct participant *participant, int fd, uint64_t id);

/*
 * Send START and wait for its ACK; from then on the participant runs. Descriptors that come with
 * the ACK (shared memory and log, since 6.11) are closed: a participant always uses messages.
 */
TTPARTICIPANT_API int participant_start(struct participant *participant);

/*
 * Parse "[ID:]/path": the text before the first colon must be a number of at most 24
 * characters as kstrtoull() with base 0 reads it (lib/kstrtox.c: optional plus, 0x, 0 for octal,
 * one newline at the end). @path points into @address. Returns 0 or -EINVAL.
 */
TTPARTICIPANT_API int participant_parse_address(const char *address, uint64_t *id,
						const char **path);

/* ---- Errors ---------------------------------------------------------------------------------- */

/* Why the kernel would have panicked. */
enum participant_panic {
	PARTICIPANT_PANIC_NONE,
	PARTICIPANT_PANIC_ADDRESS,   /* invalid external ID in string: -EINVAL */
	PARTICIPANT_PANIC_CONNECT,   /* failed to connect to external socket: of connect(2) */
	PARTICIPANT_PANIC_LINK,	     /* external link is broken, that is end of file: -EPIPE */
	PARTICIPANT_PANIC_MESSAGE,   /* invalid time-travel message: -EBADMSG, or of recv(2) */
	PARTICIPANT_PANIC_SEQUENCE,  /* ACK message has different seqno: -EPROTO */
	PARTICIPANT_PANIC_BACKWARDS, /* time goes backwards: -EPROTO */
	PARTICIPANT_PANIC_FOREVER,   /* the system was going to sleep forever: -EDEADLK */
	PARTICIPANT_PANIC_TIME,	     /* BUG: run at another time than that of the event: -EPROTO */
	PARTICIPANT_PANIC_STACK,     /* on-stack event dequeued outside of the stack: -EPROTO */
};

TTPARTICIPANT_API enum participant_panic participant_panic(const struct participant *participant);

/* The description of the error that stays; empty while there is none. Valid until it is destroyed.
 */
TTPARTICIPANT_API const char *participant_error(const struct participant *participant);

/* What to do about it; empty where there is no advice. Valid until it is destroyed. */
TTPARTICIPANT_API const char *participant_advice(const struct participant *participant);

/* What has been exchanged, for load generators and tests. */
struct participant_stat {
	uint64_t sent;	     /* messages, ACKs included */
	uint64_t received;   /* messages, ACKs included */
	uint64_t unexpected; /* of received: operations this kernel warns about (and ACKs) */
	uint64_t swallowed;  /* of received: RUNs that came outside of a wait and so ended none */
};
TTPARTICIPANT_API void participant_stat(const struct participant *participant,
					struct participant_stat *stat);

/* ---- Events ---------------------------------------------------------------------------------- */

struct participant_link {
	struct participant_link *next, *previous;
};

/* Something to run at a time. Set up with participant_event_init(), then opaque. */
struct participant_event {
	void (*run)(struct participant *participant, struct participant_event *event);
	void *context; /* the caller's */
	struct participant_link link;
	uint64_t time;
	bool pending, on_stack;
	struct participant_timer *timer; /* NULL, or whose event this is */
};

TTPARTICIPANT_API void participant_event_init(struct participant_event *event,
					      void (*run)(struct participant *participant,
							  struct participant_event *event),
					      void *context);

/*
 * Add @event at @time; events of one time run in the order they were added. An event that is
 * pending stays where it is: first wins (__time_travel_add_event). A time in the past is -EINVAL:
 * the kernel has no way to ask for one. The controller is asked for the first event (REQUEST).
 */
TTPARTICIPANT_API int participant_event_add(struct participant *participant,
					    struct participant_event *event, uint64_t time);

/* Returns whether it was pending. Sends nothing: a controller may run the participant needlessly.
 */
TTPARTICIPANT_API bool participant_event_remove(struct participant *participant,
						struct participant_event *event);

/* A timer as the kernel's clock event device. Set up with participant_timer_init(). */
struct participant_timer {
	void (*expired)(struct participant *participant, struct participant_timer *timer);
	void *context; /* the caller's */
	struct participant_event event;
	struct participant_link link;
	uint64_t interval; /* ns, 0 = one shot */
	bool expiring;
};

TTPARTICIPANT_API void participant_timer_init(struct participant_timer *timer,
					      void (*expired)(struct participant *participant,
							      struct participant_timer *timer),
					      void *context);

/*
 * Expire once, @delta ns from now: brought into PARTICIPANT_TIMER_MIN.._MAX as the clockevents core
 * does (kernel/time/clockevents.c) and 1 ns late (itimer_next_event). Replaces what was set.
 */
TTPARTICIPANT_API int participant_timer_once(struct participant *participant,
					     struct participant_timer *timer, uint64_t delta);

/*
 * Expire every @interval ns, exactly (itimer_set_periodic); the kernel's is 10^9/HZ. Replaces what
 * was set. Expiries while a delay holds them back become one. -EINVAL for an interval of 0.
 */
TTPARTICIPANT_API int participant_timer_periodic(struct participant *participant,
						 struct participant_timer *timer,
						 uint64_t interval);

TTPARTICIPANT_API void participant_timer_stop(struct participant *participant,
					      struct participant_timer *timer);

/* ---- Passing time ---------------------------------------------------------------------------- */

/* Virtual time in ns as the participant knows it; free of charge. */
TTPARTICIPANT_API uint64_t participant_now(const struct participant *participant);

/*
 * The clock as a process of the guest reads it, a multiple of PARTICIPANT_CLOCK_COST. Reading it
 * moves time on by that much first, except in interrupt context and while waiting (timer_read).
 */
TTPARTICIPANT_API int participant_read_clock(struct participant *participant, uint64_t *clock);

/*
 * Be busy for @delay ns, like udelay(): other events run as they come due or, since 6.1, when it is
 * over. In a source's handler -EBUSY.
 */
TTPARTICIPANT_API int participant_delay(struct participant *participant, uint64_t delay);

/*
 * Sleep as a process in nanosleep() with no timer slack would: until the clock, with its resolution
 * of PARTICIPANT_CLOCK_COST, has reached the time. Others' events run meanwhile. Longer sleeps than
 * PARTICIPANT_TIMER_MAX wake on the way, as the kernel does. -EBUSY in interrupt context.
 * participant_sleep counts from what the clock shows now, reading it for nothing (hrtimer_start).
 */
TTPARTICIPANT_API int participant_sleep(struct participant *participant, uint64_t duration);
TTPARTICIPANT_API int participant_sleep_until(struct participant *participant, uint64_t clock);

/*
 * One pass through the idle loop: wait for the first event, run what is due (time_travel_sleep).
 * An interrupt takes two passes, as in the kernel: one for the interrupt, one to be run for it.
 * -EBUSY in interrupt context.
 */
TTPARTICIPANT_API int participant_idle(struct participant *participant);

/*
 * Idle until participant_stop() was called since; 0 then. It ends with the pass of the idle loop
 * that is under way: from a source's handler, when the controller has run the participant next.
 */
TTPARTICIPANT_API int participant_run(struct participant *participant);
TTPARTICIPANT_API void participant_stop(struct participant *participant);

/* ---- Other participants ---------------------------------------------------------------------- */

/*
 * Send the time to the controller (UPDATE), before anything that another participant can see, such
 * as a kick. Since 6.1 nothing is sent when the last UPDATE said the same, which for time 0 holds
 * from the start (__time_travel_propagate_time).
 */
TTPARTICIPANT_API int participant_propagate(struct participant *participant);

/*
 * An interrupt has arrived: take the controller's time (GET) and run @event at that time, which
 * asks for it (REQUEST). @event that is pending stays: several interrupts become one
 * (time_travel_add_irq_event).
 */
TTPARTICIPANT_API int participant_interrupt(struct participant *participant,
					    struct participant_event *event);

/*
 * A descriptor that interrupts. @handle is called while it is readable, whenever the participant
 * waits and after each of its exchanges, before any message of the controller is read. It must read
 * what is there, call participant_interrupt() and only then answer the writer (virtio_uml.c,
 * vu_req_read_message), and to remove the source at end of file. It may not pass time.
 */
struct participant_source {
	int fd; /* stays the caller's */
	void (*handle)(struct participant *participant, struct participant_source *source);
	void *context; /* the caller's */
	struct participant_link link;
};

/* Returns 0, -EALREADY, -ENOMEM. The kernel's um_request_irq_tt (arch/um/kernel/irq.c). */
TTPARTICIPANT_API int participant_source_add(struct participant *participant,
					     struct participant_source *source);
TTPARTICIPANT_API void participant_source_remove(struct participant *participant,
						 struct participant_source *source);

/*
 * Wait until @fd is readable, or at its end, and serve the controller and the sources meanwhile:
 * how a guest waits for the reply of a device. When both are ready @fd wins
 * (__time_travel_wait_readable).
 */
TTPARTICIPANT_API int participant_wait_readable(struct participant *participant, int fd);

/* ns since 1970 at the current virtual time (read_persistent_clock64). */
TTPARTICIPANT_API int participant_time_of_day(struct participant *participant, uint64_t *tod);

/* Send @value to all other participants. -EOPNOTSUPP before 6.11. */
TTPARTICIPANT_API int participant_broadcast(struct participant *participant, uint64_t value);

/*
 * Take the last value that another participant has sent since the last call: true, or false when
 * there is none. Values not taken are overwritten, as in /sys/kernel/um-ext-time/bc-message.
 */
TTPARTICIPANT_API bool participant_broadcast_take(struct participant *participant, uint64_t *value);

/* Whether a callback of an event or a timer is running. */
TTPARTICIPANT_API bool participant_in_interrupt(const struct participant *participant);

#ifdef __cplusplus
}
#endif

#endif
