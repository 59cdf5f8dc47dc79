// SPDX-License-Identifier: BSD-3-Clause
/* Devices of guests: how they interrupt, and how they are closed. */
#include "recorder/session/member/session_device.h"

#include <stdio.h>
#include <stdlib.h>

#include "recorder/session/member/session_guest.h"
#include "recorder/session/member/session_program.h"

int session_device_init(struct session_device *added, struct session_guest *guest,
			unsigned int number, struct device *device)
{
	*added = (struct session_device){ .guest = guest,
					  .number = number,
					  .device = device,
					  .vhost = &guest->guest->device[number] };
	device->host = &session_device_host;
	device->owner = added;
	device->vhost = added->vhost;
	guest->result.unseen |= 1ull << number;
	guest->result.unused |= 1ull << number;
	return partition_add_device(guest->partition, added);
}

void session_device_release(struct session_device *device)
{
	if (device->device)
		device->device->class->destroy(device->device);
	vhost_message_close(&device->request);
	free(device->taken.data);
	free(device->origins);
}

bool session_device_is_open(const struct session_device *device)
{
	return device->state == DEVICE_OPEN || device->state == DEVICE_CALLED;
}

/* ---- Interrupts ----------------------------------------------------------------------------- */

bool session_device_call(struct session_device *device, enum vhost_backend_request request,
			 unsigned int queue)
{
	struct partition *partition = device->guest->partition;

	if (!device->guest->client || device->vhost->call_fd < 0)
		return false;
	if (device->state == DEVICE_OPEN)
		device->state = DEVICE_CALLED;
	if (partition->state == PARTITION_DEVICES)
		partition->called = device;
	effects_add(partition->effects, &(struct effect){ .kind = EFFECT_CALL,
							  .device = device,
							  .request = request,
							  .queue = queue });
	return true;
}

/* Also if its guest closed it meanwhile: a reply will come, or the guest's exit. */
bool session_device_is_called(const struct session_device *device)
{
	return device->state == DEVICE_CALLED || device->guest->partition->called == device ||
	       (device->link && device->link->program->calling == device);
}

void session_device_called(struct session_device *device)
{
	if (device->state == DEVICE_CALLED)
		device->state = DEVICE_OPEN;
	if (device->guest->partition->called == device)
		device->guest->partition->called = NULL;
}

/* ---- The end -------------------------------------------------------------------------------- */

/* It is closed: nothing more is due. */
static void end(struct session_device *device, enum effect_kind how)
{
	struct partition *partition = device->guest->partition;

	if (device->state == DEVICE_CLOSING)
		device->guest->closing--;
	device->state = DEVICE_ENDED;
	if (device->link)
		program_link_close(device);
	if (partition->kicked == device)
		partition->kicked = NULL;
	device_unschedule(device->device);
	partition->due_changed = true;
	effects_add(partition->effects, &(struct effect){ .kind = how, .device = device });
}

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
	session_device_called(device);
	end(device, EFFECT_CUT);
}

void session_device_closing(struct session_device *device)
{
	device->state = DEVICE_CLOSING;
	device->guest->closing++;
}

/*
 * When a guest ends, the host closes its descriptors in any order. So the guest has closed the
 * device itself only if it sends something afterwards.
 */
void session_devices_detach(struct session_guest *guest)
{
	for (size_t i = 0; guest->closing && i < guest->guest->spec->device_count; i++) {
		struct session_device *device = &guest->device[i];
		struct trace_record record = session_device_record(device, TRACE_detach);

		if (device->state != DEVICE_CLOSING)
			continue;
		session_device_append(device, &record);
		end(device, EFFECT_CLOSE);
	}
}

void session_devices_leave(struct session_guest *guest)
{
	for (size_t i = 0; i < guest->guest->spec->device_count; i++) {
		struct session_device *device = &guest->device[i];

		/* The device turn does not wait for a participant that has left. */
		session_device_called(device);
		if (session_device_is_open(device) || device->state == DEVICE_CLOSING)
			end(device, EFFECT_CLOSE);
	}
}

void session_devices_end(struct session_guest *guest)
{
	for (size_t i = 0; i < guest->guest->spec->device_count; i++)
		if (guest->device[i].device && guest->device[i].state != DEVICE_ENDED)
			end(&guest->device[i], EFFECT_CLOSE);
}
