// SPDX-License-Identifier: BSD-3-Clause
/* The name table of a trace: the names of guests and of their devices, learned from its records. */
#include "format/text/name_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/vhost_user.h"
#include "format/trace/meta.h"
#include "format/base/array.h"
#include "format/base/printable.h"
#include "format/base/units.h"

static int see_guest(struct name_table *names, uint32_t index)
{
	size_t before = names->count;
	int err = array_reach(names->guest, names->count, index);

	for (size_t i = before; i < names->count; i++)
		snprintf(names->guest[i].name, NAME_SIZE, "guest %zu", i);
	return err;
}

static void learn_name(struct named_guest *guest, const char *name, size_t size)
{
	if (!size)
		return;
	snprintf(guest->name, sizeof(guest->name), "%.*s",
		 (int)(size < NAME_SIZE ? size : NAME_SIZE), name);
	printable(guest->name);
}

/* "net lan 02:01:7d:56:ae:80"; a network's name has no spaces. */
static void learn_network(struct named_device *device)
{
	static const char kind[] = "net ";
	const char *name = device->name + strlen(kind);
	size_t length;

	if (device->virtio_id != VIRTIO_NET || strncmp(device->name, kind, strlen(kind)) != 0)
		return;
	length = strcspn(name, " ");
	device->wired = length && length < sizeof(device->network) && name[length] &&
			!mac_parse(name + length + 1, device->mac);
	if (device->wired)
		snprintf(device->network, sizeof(device->network), "%.*s", (int)length, name);
}

/* "ID NAME" */
static int learn_device(struct name_table *names, struct named_guest *guest, const char *text,
			size_t size)
{
	struct named_device *device;
	char line[16 + sizeof(device->name)];
	const char *name = line;
	uint64_t id;

	if (names->device_count == NAMED_DEVICES_MAX)
		return 0;
	device = array_add(guest->device, guest->device_count);
	if (!device)
		return -ENOMEM;
	names->device_count++;
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

static int learn_meta(struct name_table *names, const struct trace_record *record)
{
	struct named_guest *guest = &names->guest[record->guest];
	struct meta meta;

	if (!meta_parse(record, &meta))
		return 0;
	if (meta.key == META_NAME)
		learn_name(guest, meta.value, meta.size);
	return meta.key == META_DEVICE ? learn_device(names, guest, meta.value, meta.size) : 0;
}

int name_table_meet(struct name_table *names, const struct trace_record *record)
{
	int err = see_guest(names, record->guest);
	struct named_guest *guest;

	if (err)
		return err;
	if (record->kind == TRACE_meta)
		return learn_meta(names, record);
	guest = &names->guest[record->guest];
	if (record->kind == TRACE_join) {
		learn_name(guest, record->payload, record->payload_size);
		guest->offset = record->join.offset;
	}
	if (trace_kind_info(record->kind)->direction != TRACE_SIDE || record->kind == TRACE_join)
		guest->seen = true;
	return 0;
}

void name_table_follow(struct name_table *names, const struct trace_record *record)
{
	struct named_guest *guest;

	if (record->guest >= names->count)
		return;
	guest = &names->guest[record->guest];
	if (record->kind == TRACE_from && record->from.op != TRACE_OP_ACK)
		guest->asked = record->from.op;
	else if (record->kind == TRACE_to && record->to.op == TRACE_OP_RUN)
		guest->offset = record->now - record->to.time;
}

int name_table_learn(struct name_table *names, const struct trace_record *record)
{
	int err = name_table_meet(names, record);

	if (!err)
		name_table_follow(names, record);
	return err;
}

void name_table_free(struct name_table *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->guest[i].device);
	free(names->guest);
	*names = (struct name_table){ 0 };
}

const char *name_table_guest(const struct name_table *names, uint32_t guest, char text[NAME_SIZE])
{
	if (names && guest < names->count)
		return names->guest[guest].name;
	snprintf(text, NAME_SIZE, "guest %" PRIu32, guest);
	return text;
}

const struct named_device *name_table_device(const struct name_table *names, uint32_t guest,
					     uint64_t device)
{
	if (guest >= names->count || device >= names->guest[guest].device_count)
		return NULL;
	return &names->guest[guest].device[device];
}

static const char *device_label(const struct named_device *device)
{
	return device->wired ? device->network : device->name;
}

static bool is_ambiguous(const struct named_guest *guest, const struct named_device *device)
{
	for (size_t i = 0; i < guest->device_count; i++)
		if (&guest->device[i] != device &&
		    !strcmp(device_label(&guest->device[i]), device_label(device)))
			return true;
	return false;
}

const char *name_table_device_name(const struct name_table *names, uint32_t guest, uint64_t device,
				   char text[DEVICE_NAME_SIZE])
{
	const struct named_device *known = names ? name_table_device(names, guest, device) : NULL;

	if (!known || !*device_label(known))
		snprintf(text, DEVICE_NAME_SIZE, "dev%" PRIu64, device);
	else if (is_ambiguous(&names->guest[guest], known))
		snprintf(text, DEVICE_NAME_SIZE, "%s (dev%" PRIu64 ")", device_label(known),
			 device);
	else
		return device_label(known);
	return text;
}

bool name_table_find(const struct name_table *names, const char *word, uint32_t *guest)
{
	uint64_t number;

	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->guest[i].name, word)) {
			*guest = (uint32_t)i;
			return true;
		}
	if (count_parse(word, &number) || number >= names->count)
		return false;
	*guest = (uint32_t)number;
	return true;
}
