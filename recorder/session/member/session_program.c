// SPDX-License-Identifier: BSD-3-Clause
/* Device programs, and the links from guests' devices to them. */
#include "recorder/session/member/session_program.h"

#include <string.h>
#include <time.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/host/process.h"
#include "recorder/session/member/session_client.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_guest.h"

/* A program that has just bound its socket may not listen yet; signals are handled after that. */
#define CONNECT_PATIENCE_NS (2 * NS_PER_S)

/* ---- The program itself ---------------------------------------------------------------------- */

int session_program_create(const struct session_program_options *options, size_t number,
			   struct session_program **out)
{
	struct session_program *program = calloc(1, sizeof(*program));

	if (!program)
		return -ENOMEM;
	program->options = *options;
	program->number = number;
	*out = program;
	return 0;
}

void session_program_destroy(struct session_program *program)
{
	free(program->device);
	free(program);
}

bool session_program_is_missing(const struct session_program *program)
{
	return program->options.time_fd >= 0 && program->state == PROGRAM_AWAITED;
}

static int remember_device(struct session_program *program, struct session_device *device)
{
	return array_push(program->device, program->device_count, device);
}

void session_program_cut(struct session_program *program)
{
	for (size_t i = 0; i < program->device_count; i++)
		program_link_cut(program->device[i], program->problem);
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

int session_program_add_device(struct session_program *program, struct session_guest *guest,
			       unsigned int number)
{
	struct program_link *link = calloc(1, sizeof(*link));
	int err;

	if (!link)
		return -ENOMEM;
	link->program = program;
	link->class = (struct device_class){ .name = program->options.name,
					     .virtio_id = program->options.virtio_id,
					     .queues = VHOST_QUEUES_MAX,
					     .fire = stand_in_fire,
					     .destroy = stand_in_destroy };
	link->device = (struct device){ .class = &link->class, .due = WIRE_TIME_NEVER };
	link->fd = -1;
	link->backend = VHOST_NONE;
	guest->linked++;
	err = session_device_init(&guest->device[number], guest, number, &link->device);
	guest->device[number].link = link;
	return err ? err : remember_device(program, &guest->device[number]);
}

const char *program_link_connect(struct session_device *device)
{
	struct program_link *link = device->link;
	struct session_program *program = link->program;
	int err;

	if (program->state == PROGRAM_FAILED)
		return program->problem;
	err = wire_connect_within(program->options.socket, CONNECT_PATIENCE_NS, &link->fd);
	if (!err)
		return NULL;
	snprintf(link->problem, sizeof(link->problem), "it cannot be reached at %.100s: %s",
		 program->options.socket, strerror(-err));
	return link->problem;
}

static void disconnect(struct session_device *device)
{
	struct program_link *link = device->link;

	if (link->call_state == LINK_CALL_HELD)
		link->call_state = LINK_NO_CALL;
	effects_add(device->guest->partition->effects,
		    &(struct effect){ .kind = EFFECT_DISCONNECT, .device = device });
}

void program_link_close(struct session_device *device)
{
	struct program_link *link = device->link;

	disconnect(device);
	link->state = LINK_CLOSED;
	link->call_state = LINK_NO_CALL;
	link->pending = 0;
	if (link->program->calling == device)
		link->program->calling = NULL;
}

/* ---- Is the guest blocked? ------------------------------------------------------------------- */

/* Whether @guest awaits a reply of @program. */
static bool awaits_reply(const struct session_guest *guest, const struct session_program *program)
{
	for (size_t i = 0; guest->linked && i < guest->guest->spec->device_count; i++) {
		const struct program_link *link = guest->device[i].link;

		if (link && link->program == program && link->pending)
			return true;
	}
	return false;
}

bool session_program_has_token(const struct partition *partition,
			       const struct session_program *program)
{
	const struct client *running = partition_running(partition);

	return running && (running->program == program ||
			   (running->guest && awaits_reply(running->guest, program)));
}

bool program_link_is_blocked(const struct session_device *device)
{
	const struct session_guest *guest = device->guest;
	const struct partition *partition = guest->partition;

	if (awaits_reply(guest, device->link->program))
		return true;
	if (!guest->client || !partition_is_waiting(partition, guest->client))
		return false;
	return partition->upstream || session_program_has_token(partition, device->link->program);
}

void program_link_hold(struct session_device *device)
{
	struct partition *partition = device->guest->partition;
	const struct calendar *calendar = partition->calendar;
	uint64_t time = partition_now(partition);

	partition->calls_held = true;
	if (!calendar)
		return;
	if (calendar_window_done(calendar) && time < calendar_window_end(calendar))
		time = calendar_window_end(calendar);
	device_schedule(&device->link->device, time);
}

void program_link_cut(struct session_device *device, const char *problem)
{
	struct program_link *link = device->link;

	if (device->state == DEVICE_AWAITED || device->state == DEVICE_ENDED ||
	    link->state == LINK_FAILING)
		return;
	if (problem != link->problem)
		snprintf(link->problem, sizeof(link->problem), "%s", problem);
	disconnect(device);
	link->state = LINK_FAILING;
	/* If its guest is being interrupted, this is checked again after the reply. */
	if (session_device_is_called(device))
		return;
	if (program_link_is_blocked(device))
		session_device_end(device, link->problem);
	else
		program_link_hold(device);
}
