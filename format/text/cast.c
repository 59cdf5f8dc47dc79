// SPDX-License-Identifier: BSD-3-Clause
/* The name table of a trace: the names of guests and of their devices, learned from its records. */
#include "format/text/cast.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/printable.h"
#include "format/base/units.h"

static int see_guest(struct cast *cast, uint32_t index)
{
	struct cast_guest *grown;

	if (index < cast->count)
		return 0;
	grown = realloc(cast->guest, (index + 1u) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	cast->guest = grown;
	for (; cast->count <= index; cast->count++) {
		grown[cast->count] = (struct cast_guest){ 0 };
		snprintf(grown[cast->count].name, CAST_NAME, "guest %zu", cast->count);
	}
	return 0;
}

static void learn_name(struct cast_guest *guest, const char *name, size_t size)
{
	if (!size)
		return;
	snprintf(guest->name, sizeof(guest->name), "%.*s",
		 (int)(size < CAST_NAME ? size : CAST_NAME), name);
	printable(guest->name);
}

/* "net lan 02:01:7d:56:ae:80"; a network's name has no spaces. */
static void learn_network(struct cast_device *device)
{
	static const char kind[] = "net ";
	const char *name = device->name + strlen(kind);
	size_t length;

	if (device->virtio_id != 1 || strncmp(device->name, kind, strlen(kind)) != 0)
		return;
	length = strcspn(name, " ");
	device->wired = length && length < sizeof(device->network) && name[length] &&
			!mac_parse(name + length + 1, device->mac);
	if (device->wired)
		snprintf(device->network, sizeof(device->network), "%.*s", (int)length, name);
}

/* "ID NAME" */
static int learn_device(struct cast *cast, struct cast_guest *guest, const char *text, size_t size)
{
	struct cast_device *grown, *device;
	char line[16 + sizeof(device->name)];
	const char *name = line;
	uint64_t id;

	if (cast->device_count == CAST_DEVICES_MAX)
		return 0;
	grown = realloc(guest->device, (guest->device_count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	cast->device_count++;
	guest->device = grown;
	device = &grown[guest->device_count++];
	*device = (struct cast_device){ 0 };
	snprintf(line, sizeof(line), "%.*s", (int)(size < sizeof(line) ? size : sizeof(line)),
		 text);
	if (number_take(&name, 10, UINT32_MAX, &id))
		return 0;
	device->virtio_id = (uint32_t)id;
	snprintf(device->name, sizeof(device->name), "%s", name + strspn(name, " "));
	printable(device->name);
	learn_network(device);
	return 0;
}

static bool has_key(const struct trace_record *record, const char *key, const char **value,
		    size_t *size)
{
	size_t length = strlen(key);

	if (record->payload_size < length || memcmp(record->payload, key, length))
		return false;
	*value = (const char *)record->payload + length;
	*size = record->payload_size - length;
	return true;
}

static int learn_meta(struct cast *cast, const struct trace_record *record)
{
	struct cast_guest *guest = &cast->guest[record->guest];
	const char *value;
	size_t size;

	if (has_key(record, "name=", &value, &size))
		learn_name(guest, value, size);
	else if (has_key(record, "device=", &value, &size))
		return learn_device(cast, guest, value, size);
	return 0;
}

int cast_meet(struct cast *cast, const struct trace_record *record)
{
	int err = see_guest(cast, record->guest);
	struct cast_guest *guest;

	if (err)
		return err;
	if (record->kind == TRACE_meta)
		return learn_meta(cast, record);
	guest = &cast->guest[record->guest];
	if (record->kind == TRACE_join) {
		learn_name(guest, record->payload, record->payload_size);
		guest->offset = record->join.offset;
	}
	if (trace_kind_info(record->kind)->direction != TRACE_SIDE || record->kind == TRACE_join)
		guest->seen = true;
	return 0;
}

void cast_follow(struct cast *cast, const struct trace_record *record)
{
	struct cast_guest *guest;

	if (record->guest >= cast->count)
		return;
	guest = &cast->guest[record->guest];
	if (record->kind == TRACE_from && record->from.op != TRACE_OP_ACK)
		guest->asked = record->from.op;
	else if (record->kind == TRACE_to && record->to.op == TRACE_OP_RUN)
		guest->offset = record->now - record->to.time;
}

int cast_learn(struct cast *cast, const struct trace_record *record)
{
	int err = cast_meet(cast, record);

	if (!err)
		cast_follow(cast, record);
	return err;
}

void cast_free(struct cast *cast)
{
	for (size_t i = 0; i < cast->count; i++)
		free(cast->guest[i].device);
	free(cast->guest);
	*cast = (struct cast){ 0 };
}

const char *cast_name(const struct cast *cast, uint32_t guest, char text[CAST_NAME])
{
	if (cast && guest < cast->count)
		return cast->guest[guest].name;
	snprintf(text, CAST_NAME, "guest %" PRIu32, guest);
	return text;
}

const struct cast_device *cast_device(const struct cast *cast, uint32_t guest, uint64_t device)
{
	if (guest >= cast->count || device >= cast->guest[guest].device_count)
		return NULL;
	return &cast->guest[guest].device[device];
}

static const char *device_label(const struct cast_device *device)
{
	return device->wired ? device->network : device->name;
}

static bool is_ambiguous(const struct cast_guest *guest, const struct cast_device *device)
{
	for (size_t i = 0; i < guest->device_count; i++)
		if (&guest->device[i] != device &&
		    !strcmp(device_label(&guest->device[i]), device_label(device)))
			return true;
	return false;
}

const char *cast_device_name(const struct cast *cast, uint32_t guest, uint64_t device,
			     char text[CAST_DEVICE_TEXT])
{
	const struct cast_device *known = cast ? cast_device(cast, guest, device) : NULL;

	if (!known || !*device_label(known))
		snprintf(text, CAST_DEVICE_TEXT, "dev%" PRIu64, device);
	else if (is_ambiguous(&cast->guest[guest], known))
		snprintf(text, CAST_DEVICE_TEXT, "%s (dev%" PRIu64 ")", device_label(known),
			 device);
	else
		return device_label(known);
	return text;
}

bool cast_find(const struct cast *cast, const char *word, uint32_t *guest)
{
	uint64_t number;

	for (size_t i = 0; i < cast->count; i++)
		if (!strcmp(cast->guest[i].name, word)) {
			*guest = (uint32_t)i;
			return true;
		}
	if (count_parse(word, &number) || number >= cast->count)
		return false;
	*guest = (uint32_t)number;
	return true;
}
