// SPDX-License-Identifier: BSD-3-Clause
/*
 * The vhost-user doors of a guest: its requests and kicks, and the turn of the devices, in which
 * they complete buffers and interrupt guests.
 *
 * While the house has the token every guest sleeps in its WAIT. A call wakes one inside that WAIT:
 * it asks for the time, requests to be run now, and replies; then the next one is called. What a
 * guest does with its interrupt it does when it is run.
 */
#include <inttypes.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "kernel/host/process.h"
#include "recorder/session_internal.h"

struct trace_record session_device_record(const struct session_device *device, enum trace_kind kind)
{
	struct trace_record record = { .kind = kind,
				       .guest = device->guest->index,
				       .now = island_now(device->guest->island) };

	/* The first field of every kind of a device's record. */
	record.field[0] = device->number;
	return record;
}

void session_device_append(const struct session_device *device, const struct trace_record *record)
{
	session_record(device->session, device->guest->island, record);
}

/* ---- What a device asks of its host --------------------------------------------------------- */

static uint64_t host_now(const struct device *device)
{
	const struct session_device *owner = device->owner;

	return island_now(owner->guest->island);
}

static void host_scheduled(struct device *device)
{
	struct session_device *owner = device->owner;

	owner->guest->island->due_changed = true;
}

/* Part of what was written that does not go into the used record itself. */
static void record_wrote(const struct session_device *device, unsigned int queue, uint16_t head,
			 const uint8_t *data, size_t offset, size_t size)
{
	struct trace_record part = session_device_record(device, TRACE_wrote);

	part.wrote.queue = queue;
	part.wrote.head = head;
	part.wrote.offset = offset;
	part.payload = data + offset;
	part.payload_size = size;
	session_device_append(device, &part);
}

/*
 * What was written, without the zeros it begins with; longer than a record holds: in parts. What
 * lies behind the length that the used ring has is in parts too.
 */
void session_device_used(const struct session_device *device, unsigned int queue,
			 const struct vring_chain *chain, uint32_t written, uint32_t extent)
{
	struct trace_record record = session_device_record(device, TRACE_used);
	auto_free uint8_t *data = malloc(extent + 1u);
	size_t skip = 0;

	if (!device->session->writer || !data)
		return;
	extent = (uint32_t)vring_chain_read_back(chain, 0, data, extent);
	written = written < extent ? written : extent;
	while (extent > written ? skip < extent : extent - skip > TRACE_PAYLOAD_MAX) {
		size_t left = extent - skip;
		size_t size = left < TRACE_PAYLOAD_MAX ? left : TRACE_PAYLOAD_MAX;

		record_wrote(device, queue, chain->head, data, skip, size);
		skip += size;
	}
	skip = skip < written ? skip : written;
	while (skip < written && !data[skip])
		skip++;
	record.used.queue = queue;
	record.used.head = chain->head;
	record.used.skip = skip;
	record.payload = data + skip;
	record.payload_size = written - skip;
	session_device_append(device, &record);
}

static void host_used(struct device *device, unsigned int queue, const struct vring_chain *chain,
		      uint32_t written)
{
	session_device_used(device->owner, queue, chain, written, written);
}

static void host_taken(struct device *device, unsigned int queue, const struct vring_chain *chain)
{
	struct session_device *owner = device->owner;
	size_t need = owner->taken_size + chain->read_size;
	uint8_t *grown = owner->taken;

	(void)queue;
	if (need > GUEST_CONSOLE_MAX) {
		owner->taken_flood = true;
		return;
	}
	if (need > owner->taken_space) {
		grown = realloc(owner->taken, 2 * need);
		if (!grown)
			return;
		owner->taken = grown;
		owner->taken_space = 2 * need;
	}
	owner->taken_size +=
		vring_chain_read(chain, 0, grown + owner->taken_size, chain->read_size);
}

static void host_arrives(struct device *device, const struct network_frame *frame)
{
	session_frame_origin(device->owner, frame);
}

static void host_lost(struct device *device, const struct network_frame *frame, unsigned int reason,
		      const struct device *receiver)
{
	struct session_device *owner = device->owner;
	const struct session_device *missing = receiver ? receiver->owner : NULL;
	struct trace_record record = session_device_record(owner, TRACE_lost);

	record.lost.reason = reason;
	if (missing) {
		record.lost.receiver = missing->guest->index + 1u;
		record.lost.card = missing->number;
	}
	session_frame_origin(owner, frame);
	record.payload = frame->data;
	record.payload_size = frame->size;
	session_device_append(owner, &record);
}

static const struct device_host host = {
	.now = host_now,
	.scheduled = host_scheduled,
	.used = host_used,
	.taken = host_taken,
	.arrives = host_arrives,
	.lost = host_lost,
};

/* ---- A device comes and goes ---------------------------------------------------------------- */

static int remember_device(struct session *session, struct session_device *added)
{
	struct island *island = added->guest->island;
	struct session_device **grown =
		realloc(session->device, (session->device_count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	session->device = grown;
	grown = realloc(island->device, (island->device_count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	island->device = grown;
	added->index = session->device_count;
	session->device[session->device_count++] = added;
	island->device[island->device_count++] = added;
	return 0;
}

int session_add_device(struct session *session, size_t guest_index, unsigned int number,
		       struct device *device)
{
	struct session_guest *guest = session->guest[guest_index];
	struct session_device *added = &guest->device[number];
	int err;

	*added = (struct session_device){ .session = session,
					  .guest = guest,
					  .number = number,
					  .device = device,
					  .vhost = &guest->guest->device[number] };
	device->host = &host;
	device->owner = added;
	device->vhost = added->vhost;
	err = remember_device(session, added);
	if (err)
		return err;
	return session_watch_fd(session, guest->guest->room.device_fd[number], SOURCE_DEVICE_LISTEN,
				added->index);
}

static void unwatch(struct session_device *device)
{
	if (device->vhost->fd >= 0)
		session_unwatch_fd(device->session, device->vhost->fd);
	if (device->call_watched)
		session_unwatch_fd(device->session, device->vhost->call_fd);
	device->call_watched = false;
}

static void close_device(struct session_device *device)
{
	unwatch(device);
	if (device->link)
		session_program_close(device);
	vhost_close(device->vhost);
	device->ended = true;
	if (device->guest->island->kicked == device)
		device->guest->island->kicked = NULL;
	device_unschedule(device->device);
	device->guest->island->due_changed = true;
}

/*
 * A guest that makes no sense to its device loses that device, and nothing else: it sees the end of
 * the connection, as if the device had crashed.
 */
void session_device_end(struct session_device *device, const char *problem)
{
	struct trace_record record = session_device_record(device, TRACE_cut);
	struct session_guest_result *result = &device->guest->result;

	if (!result->device_fault[0]) {
		snprintf(result->device_fault, sizeof(result->device_fault), "%s (device %u): %s",
			 device->device->class->name, device->number, problem);
		result->device_fault_now = record.now;
	}
	session_device_append(device, &record);
	unwatch(device);
	guest_cut_device(device->guest->guest, device->number);
	close_device(device);
}

void session_device_connect(struct session *session, size_t index)
{
	struct session_device *device = session->device[index];
	struct trace_record record;
	const char *problem;
	int err;

	session_guest_catch_up(session, device->guest);
	session_unwatch_fd(session, device->guest->guest->room.device_fd[device->number]);
	err = guest_accept_device(device->guest->guest, device->number);
	if (!err)
		err = session_watch_fd(session, device->vhost->fd, SOURCE_DEVICE, index);
	if (err) {
		diagnose(&session->result->diagnosis, EXIT_CANNOT, err, NULL,
			 "cannot accept the connection of %s to its device %u: %s",
			 device->guest->guest->spec->name, device->number, strerror(-err));
		session_finish(session, SESSION_FAULT);
		return;
	}
	device->attached = true;
	record = session_device_record(device, TRACE_attach);
	session_device_append(device, &record);
	problem = device->link ? session_program_attach(device) : NULL;
	if (problem)
		session_device_end(device, problem);
}

void session_devices_leave(struct session *session, struct session_guest *guest)
{
	for (size_t i = 0; i < guest->guest->spec->device_count; i++) {
		struct session_device *device = &guest->device[i];

		if (device->attached && !device->ended)
			close_device(device);
		/* The house does not wait for somebody who is gone. */
		device->calling = false;
	}
	if (guest->island->in_turn)
		session_house_turn(session, guest->island);
}

void session_devices_end(struct session_guest *guest)
{
	for (size_t i = 0; i < guest->guest->spec->device_count; i++) {
		struct session_device *device = &guest->device[i];

		if (!device->device || device->ended)
			continue;
		if (!device->attached)
			session_unwatch_fd(device->session, guest->guest->room.device_fd[i]);
		close_device(device);
	}
}

/* ---- Requests of the guest ------------------------------------------------------------------ */

void session_device_reply_value(struct session_device *device, uint32_t request, uint64_t value)
{
	struct trace_record record = session_device_record(device, TRACE_reply);

	record.reply.request = request;
	record.reply.value = value;
	session_device_append(device, &record);
	vhost_reply_value(device->vhost, request, value);
}

void session_device_reply_body(struct session_device *device, uint32_t request, const void *body,
			       size_t size)
{
	struct trace_record record = session_device_record(device, TRACE_reply);

	record.reply.request = request;
	record.payload = body;
	record.payload_size = size;
	session_device_append(device, &record);
	vhost_reply_body(device->vhost, request, body, size);
}

/* The head of a message about the configuration space: offset, size, flags. */
struct config_head {
	uint32_t offset, size, flags;
};

static const char *answer_get_config(struct session_device *device,
				     const struct vhost_message *message)
{
	uint8_t body[VHOST_BODY_MAX] = { 0 };
	struct config_head head;

	if (message->size < sizeof(head))
		return "GET_CONFIG is too short";
	memcpy(&head, message->body, sizeof(head));
	if (head.size > sizeof(body) - sizeof(head) || head.offset > head.size)
		return "GET_CONFIG asks for more than there is";
	memcpy(body, &head, sizeof(head));
	/* virtio_uml asks from 0 and looks at what is behind the offset (vhost_user_get_config). */
	for (size_t i = head.offset < device->device->config_size ? 0 : head.size; i < head.size;
	     i++)
		if (i < device->device->config_size)
			body[sizeof(head) + i] = ((const uint8_t *)device->device->config)[i];
	session_device_reply_body(device, message->request, body, sizeof(head) + head.size);
	return NULL;
}

static const char *answer_set_config(struct session_device *device,
				     const struct vhost_message *message)
{
	struct device *target = device->device;
	struct config_head head;
	bool fits;

	if (message->size < sizeof(head))
		return "SET_CONFIG is too short";
	memcpy(&head, message->body, sizeof(head));
	fits = head.size <= message->size - sizeof(head) && head.offset <= target->config_size &&
	       head.size <= target->config_size - head.offset;
	if (fits && target->class->configure)
		target->class->configure(target, head.offset, message->body + sizeof(head),
					 head.size);
	if (vhost_expects_reply(message))
		session_device_reply_value(device, message->request,
					   !(fits && target->class->configure));
	return NULL;
}

static const char *answer_protocol_features(struct session_device *device,
					    const struct vhost_message *message)
{
	if (~device->vhost->protocol_features & VHOST_PROTOCOL_NEEDED)
		return "the guest declines in-band notifications, which make its interrupts exact";
	if (vhost_expects_reply(message))
		session_device_reply_value(device, message->request, 0);
	return NULL;
}

/* Returns NULL or what is wrong. */
static const char *answer(struct session_device *device, const struct vhost_message *message)
{
	uint32_t vring[2] = { 0 };

	switch (message->request) {
	case VHOST_GET_FEATURES:
		session_device_reply_value(device, message->request,
					   device_features(device->device));
		return NULL;
	case VHOST_GET_PROTOCOL_FEATURES:
		session_device_reply_value(device, message->request,
					   VHOST_PROTOCOL_NEEDED | VHOST_PROTOCOL_CONFIG);
		return NULL;
	case VHOST_SET_PROTOCOL_FEATURES:
		return answer_protocol_features(device, message);
	case VHOST_GET_QUEUE_NUM:
		session_device_reply_value(device, message->request, device->device->class->queues);
		return NULL;
	case VHOST_GET_CONFIG:
		return answer_get_config(device, message);
	case VHOST_SET_CONFIG:
		return answer_set_config(device, message);
	case VHOST_GET_VRING_BASE:
		memcpy(vring, message->body, sizeof(vring));
		vring[1] = device->vhost->ring[vring[0] % VHOST_QUEUES_MAX].next_avail;
		session_device_reply_body(device, message->request, vring, sizeof(vring));
		return NULL;
	default:
		if (vhost_expects_reply(message))
			session_device_reply_value(device, message->request, 0);
		return NULL;
	}
}

static void record_taken(struct session_device *device, unsigned int queue)
{
	size_t done = 0;

	if (!(device->device->class->taken & 1ULL << queue))
		return;
	while (done < device->taken_size) {
		struct trace_record record = session_device_record(device, TRACE_taken);
		size_t left = device->taken_size - done;

		record.taken.queue = queue;
		record.payload = device->taken + done;
		record.payload_size = left < TRACE_PAYLOAD_MAX ? left : TRACE_PAYLOAD_MAX;
		session_device_append(device, &record);
		done += record.payload_size;
	}
	session_guest_said(device->session, device->guest, (const char *)device->taken,
			   device->taken_size);
	device->taken_size = 0;
}

/* What is gone reads as zeros: whatever the device made of them, it does not go on. */
static const char *find_loss(const struct session_device *device)
{
	return vring_memory_is_lost(&device->vhost->memory)
		       ? "the guest took the memory of its vrings away"
		       : NULL;
}

static const char *handle_kick(struct session_device *device, const struct vhost_message *message)
{
	struct trace_record record = session_device_record(device, TRACE_kick);
	struct island *island = device->guest->island;
	unsigned int queue;
	int done;

	if (vhost_kicked_queue(device->vhost, message, &queue))
		return device->vhost->problem;
	if (queue >= device->device->class->queues)
		return "it kicked a queue that the device does not have";
	done = device->device->class->kick(device->device, queue);
	record.kick.queue = queue;
	record.kick.flags = message->flags;
	record.kick.done = done < 0 ? 0 : (uint64_t)done;
	session_device_append(device, &record);
	record_taken(device, queue);
	if (done < 0)
		return device->vhost->ring[queue].problem;
	if (device->taken_flood)
		return "it handed over more than 64 MiB with one kick";
	if (vhost_expects_reply(message))
		island->kicked = device;
	session_house_update(device->session, island);
	session_carry_out(device->session, island);
	return find_loss(device);
}

void session_answer_kick(struct session *session, struct island *island)
{
	if (!island->kicked || session->over || !calendar_house_heard(island->calendar))
		return;
	session_device_reply_value(take_pointer(island->kicked), VHOST_VRING_KICK, 0);
}

/* The guest gave a socket for calls: its replies to them come from there. */
static void watch_calls(struct session_device *device)
{
	if (device->call_watched || device->vhost->call_fd < 0)
		return;
	device->call_watched = !session_watch_fd(device->session, device->vhost->call_fd,
						 SOURCE_CALLED, device->index);
}

static void handle_request(struct session_device *device, struct vhost_message *message)
{
	struct trace_record record = session_device_record(device, TRACE_request);
	struct session *session = device->session;
	const char *problem = NULL;

	session_devices_detach(device->guest);
	session_guest_console(session, device->guest);
	if (message->request != VHOST_VRING_KICK) {
		record.request.request = message->request;
		record.request.flags = message->flags;
		record.payload = message->body;
		record.payload_size = message->size;
		session_device_append(device, &record);
	}
	if (vhost_apply(device->vhost, message))
		problem = device->vhost->problem;
	else if (device->link)
		problem = session_program_request(device, message);
	else if (message->request == VHOST_VRING_KICK)
		problem = handle_kick(device, message);
	else
		problem = answer(device, message);
	vhost_message_close(message);
	if (problem)
		session_device_end(device, problem);
	else
		watch_calls(device);
}

static void closed(struct session_device *device)
{
	unwatch(device);
	device->closing = true;
	device->guest->closing++;
}

static bool is_open(const struct session_device *device)
{
	return device->attached && !device->ended && !device->closing;
}

/*
 * Devices that the guest closed before the message that is being handled, and of which no event has
 * told yet: events come in batches, and the message may have come later than its batch.
 */
static void find_closed(struct session_guest *guest)
{
	for (size_t i = 0; i < guest->guest->spec->device_count; i++)
		if (is_open(&guest->device[i]) && vhost_is_closed(guest->device[i].vhost))
			closed(&guest->device[i]);
}

/*
 * When a guest ends, its host closes all that is open, in any order. Only if it says something
 * afterwards has it closed the device itself.
 */
void session_devices_detach(struct session_guest *guest)
{
	if (guest->acted)
		find_closed(guest);
	for (size_t i = 0; guest->closing && i < guest->guest->spec->device_count; i++) {
		struct session_device *device = &guest->device[i];
		struct trace_record record = session_device_record(device, TRACE_detach);

		if (!device->closing)
			continue;
		device->closing = false;
		guest->closing--;
		session_device_append(device, &record);
		close_device(device);
	}
}

void session_device_readable(struct session *session, size_t index)
{
	struct session_device *device = session->device[index];
	struct vhost_message message;
	int got;

	/* What it said on its time socket before comes before it in the trace. */
	session_guest_catch_up(session, device->guest);
	if (device->ended || session->over)
		return;
	/* Only one: before the next the guest may do other things, of which we are to be told
	 * first. */
	got = vhost_receive(device->vhost, &message);
	if (got == 1) {
		session->last_message_wall = process_wall_ns();
		handle_request(device, &message);
	}
	if (got == 1 || got == -EAGAIN)
		return;
	if (got == -EBADMSG) {
		session_device_end(device, device->vhost->problem);
		return;
	}
	closed(device);
}

/* ---- The house's turn ----------------------------------------------------------------------- */

static void record_call(struct session_device *device, uint32_t request, unsigned int queue)
{
	struct trace_record record = session_device_record(device, TRACE_call);

	record.call.request = request;
	record.call.queue = queue;
	record.call.sequence = device->guest->calls++;
	device->guest->result.interrupts++;
	session_device_append(device, &record);
}

bool session_device_call(struct session_device *device, enum vhost_backend_request request,
			 unsigned int queue)
{
	if (!device->guest->client || device->vhost->call_fd < 0)
		return false;
	/* -ESRCH: it is dying, and its end will come. */
	if (guest_await_blocked(device->guest->guest))
		return false;
	record_call(device, request, queue);
	device->calling = !vhost_call(device->vhost, request, queue);
	return device->calling;
}

/* Returns true when the guest's reply is to be waited for. */
static bool call_next_queue(struct session_device *device)
{
	unsigned int queue = (unsigned int)__builtin_ctzll(device->device->calls);

	device->device->calls &= device->device->calls - 1;
	return session_device_call(device, VHOST_BACKEND_VRING_CALL, queue);
}

static const char *ring_problem(const struct session_device *device)
{
	for (unsigned int i = 0; i < device->device->class->queues; i++)
		if (device->vhost->ring[i].problem[0])
			return device->vhost->ring[i].problem;
	return "a vring makes no sense";
}

static void fire(struct session_device *device, uint64_t now)
{
	if (device->ended || device->device->due > now)
		return;
	if (device->device->class->fire(device->device))
		session_device_end(device, ring_problem(device));
	else if (find_loss(device))
		session_device_end(device, find_loss(device));
}

/* One device after the other: its buffers, then its interrupts, each until the guest has it. */
bool session_house_turn(struct session *session, struct island *island)
{
	uint64_t now = island_now(island);

	if (!island->in_turn)
		island->turn = 0;
	island->in_turn = true;
	for (; island->turn < island->device_count; island->turn++) {
		struct session_device *device = island->device[island->turn];

		if (device->calling)
			return false;
		fire(device, now);
		if (device->link && session_program_turn(device))
			return false;
		while (!device->ended && device->device->calls)
			if (call_next_queue(device))
				return false;
	}
	island->in_turn = false;
	island->due_changed = true;
	session_house_update(session, island);
	return !calendar_house_done(island->calendar);
}

void session_device_called(struct session *session, size_t index)
{
	struct session_device *device = session->device[index];
	struct trace_record record;
	uint64_t value;
	int got;

	session_guest_catch_up(session, device->guest);
	if (device->ended)
		return;
	got = vhost_take_called(device->vhost, &value);
	if (got == -EAGAIN)
		return;
	if (got <= 0 || !device->calling) {
		/* Its other end went with the device, or it says what nobody asked. */
		session_unwatch_fd(session, device->vhost->call_fd);
		device->call_watched = false;
		if (got > 0 || got == -EBADMSG)
			session_device_end(device, "it replied to a call that was not made");
		return;
	}
	session->last_message_wall = process_wall_ns();
	session_guest_console(session, device->guest);
	record = session_device_record(device, TRACE_called);
	record.called.value = value;
	session_device_append(device, &record);
	device->calling = false;
	if (device->link)
		session_program_called(device, value);
	if (!device->guest->island->in_turn)
		return;
	if (session_house_turn(session, device->guest->island))
		session_carry_out(session, device->guest->island);
}

void session_house_update(struct session *session, struct island *island)
{
	uint64_t due = WIRE_TIME_NEVER;

	/* In its own turn the house looks again when it is through. */
	if (!island->due_changed || island->in_turn || island->upstream)
		return;
	island->due_changed = false;
	for (size_t i = 0; i < island->device_count; i++) {
		const struct session_device *device = island->device[i];

		if (!device->ended && device->device->due < due)
			due = device->device->due;
	}
	if (calendar_set_house(island->calendar, due)) {
		diagnose(&session->result->diagnosis, EXIT_CANNOT, -ENOMEM, NULL, "out of memory");
		session_finish(session, SESSION_FAULT);
	}
}
