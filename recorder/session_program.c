// SPDX-License-Identifier: BSD-3-Clause
/*
 * Device programs of somebody else: between a guest's device and the program that simulates it.
 *
 * Requests go on as they are, replies come back, and both are recorded as those of the devices in
 * here are. What a program wrote to guest memory is found in the used rings, and recorded before
 * the guest is sent anything that lets it go on. A program interrupts a guest when it likes; the
 * guest is told while it is blocked: at once while it awaits the program's reply, or sleeps and the
 * program, or another guest that awaits its reply, has the token; else in the house's turn. What a
 * program says after a call waits until the guest has replied to that.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "format/cleanup.h"
#include "format/units.h"
#include "kernel/process.h"
#include "recorder/session_internal.h"

/* Not to be had by a guest: what a program does with them is not in the used ring. */
#define VIRTIO_F_EVENT_IDX   (1ULL << 29)
#define VIRTIO_F_RING_PACKED (1ULL << 34)

/* A program that has just made its socket does not listen yet. */
#define CONNECT_PATIENCE_NS (2 * NS_PER_S)

/* ---- The program itself ---------------------------------------------------------------------- */

int session_add_program(struct session *session, const struct session_program_options *options,
			size_t *number)
{
	struct session_program *program = calloc(1, sizeof(*program)), **grown;
	int err = 0;

	grown = realloc(session->program, (session->program_count + 1) * sizeof(*grown));
	if (grown)
		session->program = grown;
	if (!grown || !program) {
		free(program);
		return -ENOMEM;
	}
	program->session = session;
	program->options = *options;
	program->number = *number = session->program_count;
	session->program[session->program_count++] = program;
	if (options->time_fd >= 0)
		err = session_watch_fd(session, options->time_fd, SOURCE_PROGRAM_LISTEN, *number);
	if (!err && options->process >= 0)
		err = session_watch_fd(session, options->process, SOURCE_PROGRAM_END, *number);
	return err;
}

void session_programs_free(struct session *session)
{
	for (size_t i = 0; i < session->program_count; i++)
		free(session->program[i]);
	free(session->program);
}

void session_program_connect(struct session *session, size_t index)
{
	struct session_program *program = session->program[index];
	struct island *island = session->island[program->options.island];
	int fd, err;

	session_unwatch_fd(session, program->options.time_fd);
	fd = accept4(program->options.time_fd, NULL, NULL, SOCK_CLOEXEC);
	err = fd < 0 ? -errno : session_client_connect(session, island, fd, NULL, program);
	if (!err)
		return;
	diagnose(&session->result->diagnosis, EXIT_CANNOT, err, NULL,
		 "cannot accept the connection of the program %s: %s", program->options.name,
		 strerror(-err));
	session_finish(session, SESSION_FAULT);
}

/* Its sockets tell the rest; only who never came leaves none behind. */
void session_program_end(struct session *session, size_t index)
{
	struct session_program *program = session->program[index];
	siginfo_t info = { 0 };

	session_unwatch_fd(session, program->options.process);
	waitid(P_PIDFD, (id_t)program->options.process, &info, WEXITED | WNOHANG | WNOWAIT);
	if (program->joined || program->options.time_fd < 0 || !info.si_status)
		return;
	diagnose(&session->result->diagnosis, EXIT_CANNOT, -ECHILD,
		 "see what it printed; {time} in its command is the socket to connect to",
		 "the program %s ended with %s %d before it took part in time",
		 program->options.name, info.si_code == CLD_EXITED ? "exit status" : "signal",
		 info.si_status);
	session_finish(session, SESSION_FAULT);
}

static bool is_of(const struct session_device *device, const struct session_program *program)
{
	return device->link && device->link->program == program;
}

/* ---- Devices come and go --------------------------------------------------------------------- */

static int stand_in_fire(struct device *device)
{
	device_unschedule(device);
	return 0;
}

static void stand_in_destroy(struct device *device)
{
	struct program_link *link = (struct program_link *)device;

	close_fd(&link->fd);
	vhost_close(&link->backend);
	free(link);
}

int session_add_program_device(struct session *session, size_t guest, unsigned int number,
			       size_t program)
{
	struct program_link *link = calloc(1, sizeof(*link));
	int err;

	if (!link)
		return -ENOMEM;
	link->program = session->program[program];
	link->class = (struct device_class){ .name = link->program->options.name,
					     .virtio_id = link->program->options.virtio_id,
					     .queues = VHOST_QUEUES_MAX,
					     .fire = stand_in_fire,
					     .destroy = stand_in_destroy };
	link->device = (struct device){ .class = &link->class, .due = WIRE_TIME_NEVER };
	link->fd = -1;
	link->backend = VHOST_NONE;
	err = session_add_device(session, guest, number, &link->device);
	session->guest[guest]->device[number].link = link;
	return err;
}

static int connect_patiently(const char *path, int *fd)
{
	uint64_t deadline = process_wall_ns() + CONNECT_PATIENCE_NS;
	const struct timespec pause = { .tv_nsec = 5 * NS_PER_MS };
	int err;

	for (;;) {
		err = wire_connect(path, fd);
		if ((err != -ECONNREFUSED && err != -ENOENT) || process_wall_ns() > deadline)
			return err;
		nanosleep(&pause, NULL);
	}
}

const char *session_program_attach(struct session_device *device)
{
	struct program_link *link = device->link;
	struct session_program *program = link->program;
	int err;

	if (program->failed)
		return program->problem;
	err = connect_patiently(program->options.socket, &link->fd);
	if (!err)
		err = session_watch_fd(device->session, link->fd, SOURCE_PROGRAM_REPLY,
				       device->index);
	if (!err)
		return NULL;
	snprintf(link->problem, sizeof(link->problem), "it cannot be reached at %.100s: %s",
		 program->options.socket, strerror(-err));
	return link->problem;
}

static void watch_backend(struct session_device *device, bool wanted)
{
	struct program_link *link = device->link;

	if (link->backend.fd < 0 || link->backend_watched == wanted)
		return;
	if (wanted)
		session_watch_fd(device->session, link->backend.fd, SOURCE_PROGRAM_CALL,
				 device->index);
	else
		session_unwatch_fd(device->session, link->backend.fd);
	link->backend_watched = wanted;
}

static void disconnect(struct session_device *device)
{
	struct program_link *link = device->link;

	watch_backend(device, false);
	vhost_close(&link->backend);
	if (link->fd >= 0)
		session_unwatch_fd(device->session, link->fd);
	close_fd(&link->fd);
	link->call_held = link->reply_held = false;
}

void session_program_close(struct session_device *device)
{
	struct program_link *link = device->link;

	disconnect(device);
	link->pending = 0;
	link->failing = false;
	if (link->program->calling == device)
		link->program->calling = NULL;
}

/* ---- Is the guest blocked? ------------------------------------------------------------------- */

/* Does @guest await a reply of @program? */
static bool awaits_reply(const struct session_guest *guest, const struct session_program *program)
{
	for (size_t i = 0; i < guest->guest->spec->device_count; i++)
		if (is_of(&guest->device[i], program) && guest->device[i].link->pending)
			return true;
	return false;
}

/* Does whoever has the token wait for @program, so that nobody is run meanwhile? */
static bool has_token(const struct island *island, const struct session_program *program)
{
	const struct client *running;
	uint32_t handle;

	if (!calendar_running(island->calendar, &handle))
		return false;
	running = island->client[handle];
	return running->program == program ||
	       (running->guest && awaits_reply(running->guest, program));
}

static bool is_blocked(const struct session_device *device)
{
	const struct session_guest *guest = device->guest;
	const struct island *island = guest->island;

	if (awaits_reply(guest, device->link->program))
		return true;
	if (!guest->client)
		return false;
	if (island->upstream)
		return guest->client->in_wait;
	return calendar_client_state(island->calendar, guest->client->handle) == CALENDAR_WAITING &&
	       has_token(island, device->link->program);
}

/* Until the house has its turn; one that sleeps at the end of a window does so in the next. */
static void hold(struct session_device *device)
{
	struct island *island = device->guest->island;
	uint64_t time = island_now(island);

	island->call_held = true;
	if (island->upstream)
		return;
	if (calendar_window_done(island->calendar) && time < calendar_window_end(island->calendar))
		time = calendar_window_end(island->calendar);
	device_schedule(&device->link->device, time);
}

/*
 * The program is of no use for this device any more. The guest sees the end of the connection when
 * it is blocked: that is a signal for it, too.
 */
static void cut(struct session_device *device, const char *problem)
{
	struct program_link *link = device->link;

	if (device->ended || link->failing || !device->attached)
		return;
	if (problem != link->problem)
		snprintf(link->problem, sizeof(link->problem), "%s", problem);
	disconnect(device);
	if (device->calling)
		link->failing = true; /* looked at when the guest has replied */
	else if (is_blocked(device))
		session_device_end(device, link->problem);
	else {
		link->failing = true;
		hold(device);
	}
}

void session_program_fail(struct session_program *program, const char *problem)
{
	struct session *session = program->session;

	if (program->failed || session->over)
		return;
	program->failed = true;
	snprintf(program->problem, sizeof(program->problem), "%s", problem);
	if (program->client)
		session_client_leave(session, program->client);
	for (size_t i = 0; i < session->device_count; i++)
		if (is_of(session->device[i], program))
			cut(session->device[i], program->problem);
}

/* A program that was to take part in time, and has not even connected. */
static bool is_missing(const struct session_program *program)
{
	return program->options.time_fd >= 0 && !program->joined;
}

static void report_missing(struct session *session, const struct session_program *program)
{
	diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -ETIMEDOUT,
		 "see what it printed; {time} in its command is the socket to connect to",
		 "the program %s has not connected to take part in time", program->options.name);
	session_finish(session, SESSION_HUNG);
}

bool session_programs_hang(struct session *session)
{
	char wall[UNITS_TEXT], name[VHOST_NAME_TEXT], problem[VHOST_PROBLEM_TEXT];
	bool found = false;

	duration_short(session->options.hang_timeout, wall);
	for (size_t i = 0; i < session->device_count; i++) {
		struct program_link *link = session->device[i]->link;

		if (!link || !link->pending)
			continue;
		found = true;
		snprintf(problem, sizeof(problem), "no reply to %s for %s of wall time",
			 vhost_request_text(link->pending, name), wall);
		cut(session->device[i], problem);
	}
	for (size_t i = 0; i < session->program_count && !found; i++) {
		struct session_program *program = session->program[i];

		if (is_missing(program)) {
			report_missing(session, program);
			return true;
		}
		if (!program->client || !has_token(program->client->island, program))
			continue;
		found = true;
		snprintf(problem, sizeof(problem), "it has run for %s of wall time", wall);
		session_program_fail(program, problem);
	}
	if (found)
		session->last_message_wall = process_wall_ns();
	return found;
}

/* ---- What it wrote to guest memory ------------------------------------------------------------
 */

/* From here on the trace does not have all that the guest was told. */
static void record_unreplayable(struct session_device *device, const char *why)
{
	struct trace_record record = session_device_record(device, TRACE_meta);
	char text[256];
	int size = snprintf(text, sizeof(text), "replayable=no the program %.64s %s",
			    device->link->program->options.name, why);

	record.payload = text;
	record.payload_size = (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1;
	session_device_append(device, &record);
}

/* Some give no length for what they wrote: then all of the buffer is recorded. */
static const char *take_used(struct session_device *device, unsigned int queue)
{
	struct vring *ring = &device->vhost->ring[queue];
	auto_free struct vring_chain *chain = NULL;
	uint32_t written;
	uint16_t head;
	int got = 0;

	for (unsigned int i = 0; i < ring->size; i++) {
		got = vring_next_used(ring, &head, &written);
		if (got != 1)
			break;
		if (!chain)
			chain = malloc(sizeof(*chain));
		if (!chain)
			return "out of memory";
		got = vring_chain_at(ring, head, chain);
		if (got)
			break;
		if (written > chain->write_size)
			return "it used more of a buffer than there is";
		session_device_used(device, queue, chain, written,
				    written ? written : (uint32_t)chain->write_size);
	}
	return got < 0 ? ring->problem : NULL;
}

static void harvest(struct session_device *device)
{
	const char *problem = NULL;

	if (device->ended || device->link->failing)
		return;
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX && !problem; i++)
		if (device->vhost->ring[i].size && device->vhost->ring[i].used)
			problem = take_used(device, i);
	if (!problem)
		return;
	/* The guest may see what makes no sense, too. */
	record_unreplayable(device, "made nonsense of a vring");
	cut(device, problem);
}

void session_program_harvest(struct session_guest *guest)
{
	for (size_t i = 0; i < guest->guest->spec->device_count; i++)
		if (guest->device[i].link && guest->device[i].attached)
			harvest(&guest->device[i]);
}

/* ---- Requests of the guest --------------------------------------------------------------------
 */

static const char *record_kick(struct session_device *device, const struct vhost_message *message)
{
	struct trace_record record = session_device_record(device, TRACE_kick);
	unsigned int queue;

	if (vhost_kicked_queue(device->vhost, message, &queue))
		return device->vhost->problem;
	record.kick.queue = queue;
	record.kick.flags = message->flags;
	session_device_append(device, &record);
	return NULL;
}

/* The program calls us: what the guest gave for it is ours to call on. */
static int offer_backend(struct session_device *device, int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	watch_backend(device, false);
	vhost_close(&device->link->backend);
	vhost_open(&device->link->backend, pair[0]);
	*theirs = pair[1];
	watch_backend(device, true);
	return 0;
}

const char *session_program_request(struct session_device *device, struct vhost_message *message)
{
	struct program_link *link = device->link;
	const char *problem = NULL;
	auto_fd backend = -1;
	int err = 0;

	if (message->request == VHOST_VRING_KICK)
		problem = record_kick(device, message);
	if (problem || link->failing)
		return problem ? problem : link->problem;
	if (message->request == VHOST_SET_BACKEND_REQ_FD)
		err = offer_backend(device, &backend);
	if (!err)
		err = vhost_forward(link->fd, message, backend);
	if (err) {
		snprintf(link->problem, sizeof(link->problem), "it does not take requests: %s",
			 strerror(-err));
		return link->problem;
	}
	link->pending = vhost_expects_reply(message) ? message->request : 0;
	return NULL;
}

/* ---- Its replies ------------------------------------------------------------------------------
 */

/* The guest's interrupts cannot be replayed. Returns false when that ends the recording. */
static bool accept_unreplayable(struct session_device *device)
{
	const struct session_program_options *options = &device->link->program->options;
	struct diagnosis *why = &device->session->result->diagnosis;

	if (options->allowed) {
		record_unreplayable(device, "has no in-band notifications");
		return true;
	}
	diagnose(why, EXIT_CANNOT, -EOPNOTSUPP,
		 "start it so that it has the protocol features REPLY_ACK, BACKEND_REQ and "
		 "INBAND_NOTIFICATIONS; or --allow program, and that guest cannot be replayed",
		 "the program %s has no in-band notifications: what it does to %s cannot be "
		 "replayed",
		 options->name, device->guest->guest->spec->name);
	session_finish(device->session, SESSION_FAULT);
	return false;
}

/* Look at what it offers, and leave out what it may not. Returns whether to go on. */
static bool check_offer(struct session_device *device, struct vhost_message *reply)
{
	uint64_t offer;

	if ((reply->request != VHOST_GET_FEATURES &&
	     reply->request != VHOST_GET_PROTOCOL_FEATURES) ||
	    reply->size != sizeof(offer))
		return true;
	memcpy(&offer, reply->body, sizeof(offer));
	if (reply->request == VHOST_GET_PROTOCOL_FEATURES)
		return !(~offer & VHOST_PROTOCOL_NEEDED) || accept_unreplayable(device);
	if (!(offer & VHOST_F_PROTOCOL_FEATURES) && !accept_unreplayable(device))
		return false;
	offer &= ~(VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED);
	memcpy(reply->body, &offer, sizeof(offer));
	return true;
}

static void deliver_reply(struct session_device *device)
{
	struct program_link *link = device->link;
	struct vhost_message *reply = &link->reply;
	uint64_t value;

	link->reply_held = false;
	harvest(device);
	if (device->ended || !check_offer(device, reply))
		return;
	link->pending = 0;
	if (reply->size == sizeof(value)) {
		memcpy(&value, reply->body, sizeof(value));
		session_device_reply_value(device, reply->request, value);
	} else {
		session_device_reply_body(device, reply->request, reply->body, reply->size);
	}
}

void session_program_reply(struct session *session, size_t index)
{
	struct session_device *device = session->device[index];
	struct program_link *link = device->link;
	struct client *client = link->program->client;
	int got;

	if (client)
		session_client_readable(session, client);
	session_upstream_readable(session, device->guest->client);
	session_program_drain(link->program);
	if (device->ended || link->fd < 0 || link->reply_held || session->over)
		return;
	got = vhost_take_reply(link->fd, link->pending, &link->reply, link->problem);
	if (got == -EAGAIN)
		return;
	session->last_message_wall = process_wall_ns();
	if (got == -EBADMSG) {
		cut(device, link->problem);
	} else if (got <= 0) {
		cut(device, "it closed its connection");
	} else if (!link->pending) {
		cut(device, "it replied to nothing");
	} else if (link->program->calling) {
		link->reply_held = true;
	} else {
		deliver_reply(device);
	}
}

/* ---- Its calls --------------------------------------------------------------------------------
 */

static void answer_call(struct session_device *device, uint64_t value)
{
	struct program_link *link = device->link;

	link->call_held = false;
	if (link->backend.fd >= 0 && link->call.flags & VHOST_FLAG_NEED_REPLY)
		vhost_answer_call(link->backend.fd, link->call.request, value);
	watch_backend(device, true);
}

/* Returns true when the guest's reply is to be awaited. */
static bool deliver_call(struct session_device *device)
{
	struct program_link *link = device->link;
	uint32_t state[2] = { 0 }; /* queue, and nothing */

	harvest(device);
	if (device->ended || !link->call_held)
		return false;
	if (link->call.request == VHOST_BACKEND_VRING_CALL)
		memcpy(state, link->call.body, sizeof(state));
	if (session_device_call(device, link->call.request, state[0])) {
		link->program->calling = device;
		return true;
	}
	answer_call(device, 1);
	return false;
}

static bool is_call(const struct vhost_message *call)
{
	uint32_t state[2];

	if (call->request == VHOST_BACKEND_CONFIG_CHANGE)
		return !call->size;
	memcpy(state, call->body, sizeof(state));
	return call->request == VHOST_BACKEND_VRING_CALL && call->size == sizeof(state) &&
	       state[0] < VHOST_QUEUES_MAX;
}

/* Read the next call of the program to this guest, and deliver it if the guest is blocked. */
static void take_call(struct session_device *device)
{
	struct program_link *link = device->link;
	int got;

	if (device->ended || link->backend.fd < 0)
		return;
	if (!link->call_held) {
		got = vhost_receive(&link->backend, &link->call);
		if (got == -EAGAIN)
			return;
		if (got == -EBADMSG) {
			cut(device, link->backend.problem);
			return;
		}
		if (got <= 0) {
			watch_backend(device, false);
			return;
		}
		vhost_message_close(&link->call);
		device->session->last_message_wall = process_wall_ns();
		link->call_held = true;
		if (!is_call(&link->call)) {
			answer_call(device, 1); /* it asks for what no guest of ours has */
			return;
		}
	}
	/* No more of them until this one is through. */
	watch_backend(device, false);
	if (link->program->calling)
		return;
	if (is_blocked(device) && !device->guest->island->in_turn)
		deliver_call(device);
	else
		hold(device);
}

bool session_program_drain(struct session_program *program)
{
	struct session *session = program->session;

	for (size_t i = 0; i < session->device_count && !program->calling; i++)
		if (is_of(session->device[i], program))
			take_call(session->device[i]);
	return program->calling;
}

void session_program_call(struct session *session, size_t index)
{
	struct session_device *device = session->device[index];

	session_upstream_readable(session, device->guest->client);
	session_program_drain(device->link->program);
}

/* Whatever it said after its call is due. */
static void go_on(struct session_program *program)
{
	struct session *session = program->session;

	if (session_program_drain(program))
		return;
	for (size_t i = 0; i < session->device_count; i++)
		if (is_of(session->device[i], program) && session->device[i]->link->reply_held)
			deliver_reply(session->device[i]);
	if (program->client)
		session_client_readable(session, program->client);
}

void session_program_called(struct session_device *device, uint64_t value)
{
	struct program_link *link = device->link;
	struct client *client = device->guest->client;

	link->program->calling = NULL;
	answer_call(device, value);
	if (link->failing) {
		session_device_end(device, link->problem);
		return;
	}
	if (client && device->guest->island->upstream)
		session_upstream_go_on(device->session, client);
	go_on(link->program);
}

bool session_program_turn(struct session_device *device)
{
	struct program_link *link = device->link;

	if (link->failing)
		session_device_end(device, link->problem);
	if (device->ended || !link->call_held || link->program->calling)
		return false;
	return deliver_call(device);
}

void session_programs_release(struct island *island)
{
	if (!island->call_held)
		return;
	island->call_held = false;
	for (size_t i = 0; i < island->device_count; i++) {
		struct session_device *device = island->device[i];

		if (!device->link || device->ended || !is_blocked(device))
			continue;
		if (device->link->failing)
			session_device_end(device, device->link->problem);
		else if (device->link->call_held && !device->link->program->calling)
			deliver_call(device);
	}
	for (size_t i = 0; i < island->device_count; i++)
		if (island->device[i]->link && !island->device[i]->ended &&
		    (island->device[i]->link->failing || island->device[i]->link->call_held))
			island->call_held = true;
}
