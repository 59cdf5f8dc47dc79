// SPDX-License-Identifier: BSD-3-Clause
/* The devices of a guest in a lab file: each names its kind with one of its keys. */
#include "recorder/lab/lab_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/sandbox/sandbox.h"

#define SECTOR	512u
#define MTU_MIN 68u /* RFC 791 */
#define MTU_MAX 65535u

/* ---- Keys that name something else ---------------------------------------------------------- */

static struct lab_device *device_of(const struct lab_key *key, void *field)
{
	return (struct lab_device *)((char *)field - key->offset);
}

static int find_named(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		      const void *names, size_t count, size_t stride, size_t *index)
{
	char quote[LAB_QUOTE], advice[LAB_ADVICE], known[32];
	const char *name;
	int err = lab_scalar(reader, node, key->name, key->type->right, &name);

	if (err)
		return err;
	*index = lab_find_name(name, names, count, stride);
	if (*index < count)
		return 0;
	snprintf(known, sizeof(known), "%ss here", key->type->right + strlen("the name of a "));
	lab_quote(name, quote);
	if (count)
		lab_advise(name, known, names, count, stride, advice);
	else
		snprintf(advice, sizeof(advice), "the lab has none: define it under '%.*s:'",
			 (int)strcspn(known, " "), known);
	return lab_error(reader, node, advice, "'%s' is not %s", quote, key->type->right);
}

static int read_network_name(struct lab_reader *reader, const struct lab_key *key,
			     const yaml_node_t *node, void *field)
{
	const struct lab *lab = reader->lab;
	struct lab_device *device = device_of(key, field);
	int err = find_named(reader, key, node, lab->network, lab->network_count,
			     sizeof(*lab->network), &device->network);

	if (!err)
		device->link = lab->network[device->network].link;
	return err;
}

static int read_program_name(struct lab_reader *reader, const struct lab_key *key,
			     const yaml_node_t *node, void *field)
{
	const struct lab *lab = reader->lab;

	return find_named(reader, key, node, lab->program, lab->program_count,
			  sizeof(*lab->program), field);
}

static const struct lab_type network_name_type = { "the name of a network", read_network_name, NULL,
						   NULL };
static const struct lab_type program_name_type = { "the name of a program", read_program_name, NULL,
						   NULL };

/* ---- The tables ----------------------------------------------------------------------------- */

/* The network comes first: its link settings are the defaults of the device's. */
static const struct lab_key net_keys[] = {
	LAB_KEY("net", network_name_type, struct lab_device, network, .required = true,
		.doc = "the name of a network"),
	LAB_KEY("mac", lab_type_mac, struct lab_device, mac, .doc = "its address"),
	LAB_KEY("mtu", lab_type_number, struct lab_device, mtu, .min = MTU_MIN, .max = MTU_MAX,
		.doc = "the largest packet, in bytes"),
	LAB_KEY("delay", lab_type_duration, struct lab_device, link.delay,
		.doc = "of this side, instead of half of the network's"),
	LAB_KEY("jitter", lab_type_duration, struct lab_device, link.jitter,
		.doc = "of this side, instead of half of the network's"),
	LAB_KEY("loss", lab_type_share, struct lab_device, link.loss,
		.doc = "of this side, instead of half of the network's"),
	LAB_KEY("bandwidth", lab_type_rate, struct lab_device, link.bandwidth, .min = 1,
		.doc = "of this side, instead of the network's"),
	LAB_KEY("reorder", lab_type_share, struct lab_device, link.reorder,
		.doc = "of this side, instead of half of the network's"),
};

static const struct lab_key disk_keys[] = {
	LAB_KEY("disk", lab_type_image, struct lab_device, disk.image,
		.doc = "the path of a raw image; null: zeros"),
	LAB_KEY("size", lab_type_size, struct lab_device, disk.size, .min = SECTOR,
		.doc = "its size, if not that of the image"),
	LAB_KEY("read-only", lab_type_flag, struct lab_device, disk.read_only,
		.doc = "the guest may not write"),
	LAB_KEY("latency", lab_type_duration, struct lab_device, disk.latency,
		.doc = "virtual time that a request takes"),
	LAB_KEY("flush-latency", lab_type_duration, struct lab_device, disk.flush_latency,
		.doc = "virtual time that a flush takes"),
	LAB_KEY("bandwidth", lab_type_speed, struct lab_device, disk.bandwidth, .min = 1,
		.doc = "bytes per second of virtual time"),
	LAB_KEY("embed", lab_type_flag, struct lab_device, embed,
		.doc = "put the image into the trace"),
	LAB_KEY("serial", lab_type_serial, struct lab_device, disk.serial,
		.doc = "its serial number"),
};

static const struct lab_key rng_keys[] = {
	LAB_KEY("rng", lab_type_nothing, struct lab_device, kind, .doc = "no value"),
};

static const struct lab_key console_keys[] = {
	LAB_KEY("console", lab_type_script, struct lab_device, steps, .doc = "a list of steps"),
};

static const struct lab_key use_keys[] = {
	LAB_KEY("program", program_name_type, struct lab_device, program, .required = true,
		.doc = "the name of a program"),
};

static const struct lab_key share_keys[] = {
	LAB_KEY("share", lab_type_path, struct lab_device, share.directory, .required = true,
		.doc = "the path of a directory"),
	LAB_KEY("tag", lab_type_tag, struct lab_device, share.tag, .doc = "what the guest mounts"),
	LAB_KEY("write", lab_type_share_write, struct lab_device, share.write,
		.doc = "what becomes of what the guest writes"),
	LAB_KEY("latency", lab_type_duration, struct lab_device, share.latency,
		.doc = "virtual time that a request takes"),
	LAB_KEY("bandwidth", lab_type_speed, struct lab_device, share.bandwidth, .min = 1,
		.doc = "bytes per second of virtual time"),
};

const struct lab_schema lab_net_schema = LAB_SCHEMA("a net device", net_keys);
const struct lab_schema lab_disk_schema = LAB_SCHEMA("a disk", disk_keys);
const struct lab_schema lab_rng_schema = LAB_SCHEMA("an rng", rng_keys);
const struct lab_schema lab_console_schema = LAB_SCHEMA("a console", console_keys);
const struct lab_schema lab_share_schema = LAB_SCHEMA("a share", share_keys);
const struct lab_schema lab_use_schema = LAB_SCHEMA("a program's device", use_keys);

static const struct kind {
	const char *name; /* the key that selects it */
	enum lab_device_kind kind;
	const struct lab_schema *schema;
	bool alone; /* the word suffices */
} kinds[] = {
	{ "net", LAB_NET, &lab_net_schema, false },
	{ "disk", LAB_DISK, &lab_disk_schema, false },
	{ "rng", LAB_RNG, &lab_rng_schema, true },
	{ "console", LAB_CONSOLE, &lab_console_schema, true },
	{ "program", LAB_PROGRAM, &lab_use_schema, false },
	{ "share", LAB_SHARE, &lab_share_schema, false },
};

/* ---- Checks --------------------------------------------------------------------------------- */

static int check_disk(struct lab_reader *reader, const struct lab_device *device,
		      const struct lab_map *map)
{
	if (!device->disk.image && !device->disk.size)
		return lab_error(reader, map->node, "give an image, or 'size'",
				 "a disk without an image needs a size");
	if (device->disk.size % SECTOR)
		return lab_error(reader, lab_map_place(map, "size"), "give a size such as 64M",
				 "the size must be a multiple of 512 bytes");
	return 0;
}

static bool has_address(const struct lab_guest *guest, const struct lab_device *device)
{
	for (size_t i = 0; i < guest->device_count; i++) {
		const struct lab_device *other = &guest->device[i];

		if (other != device && other->kind == LAB_NET &&
		    other->network == device->network &&
		    !memcmp(other->mac, device->mac, sizeof(device->mac)))
			return true;
	}
	return false;
}

static int check_net(struct lab_reader *reader, const struct lab_guest *guest,
		     const struct lab_device *device, const struct lab_map *map)
{
	const struct lab *lab = reader->lab;
	bool taken;

	if (!lab_map_has(map, "mac"))
		return 0;
	taken = has_address(guest, device);
	for (size_t i = 0; !taken && i < lab->guest_count; i++)
		taken = has_address(&lab->guest[i], device);
	if (!taken)
		return 0;
	return lab_error(reader, lab_map_place(map, "mac"),
			 "use unique addresses, or remove 'mac' to have one generated",
			 "duplicate address in the network '%s'",
			 lab->network[device->network].name);
}

static int check_share(struct lab_reader *reader, const struct lab_guest *guest,
		       const struct lab_device *device, const struct lab_map *map)
{
	for (size_t i = 0; i < guest->device_count; i++) {
		const struct lab_device *other = &guest->device[i];

		if (other != device && other->kind == LAB_SHARE &&
		    !strcmp(other->share.tag, device->share.tag))
			return lab_error(reader, lab_map_place(map, "tag"),
					 "give each share of a guest its own, such as 'tag: data'",
					 "duplicate tag '%s'", device->share.tag);
	}
	return 0;
}

/* ---- Reading -------------------------------------------------------------------------------- */

static int unknown_kind(struct lab_reader *reader, const yaml_node_t *node)
{
	const char *word = lab_word(node);
	char quote[LAB_QUOTE], advice[LAB_ADVICE];

	if (node->type == YAML_MAPPING_NODE &&
	    node->data.mapping.pairs.start < node->data.mapping.pairs.top)
		word = lab_word(yaml_document_get_node(&reader->document,
						       node->data.mapping.pairs.start->key));
	word = word ? word : "";
	if (lab_find_name(word, kinds, ARRAY_SIZE(kinds), sizeof(*kinds)) < ARRAY_SIZE(kinds))
		return lab_error(reader, node, "give a mapping such as {net: lan}",
				 "'%s' needs a value", word);
	lab_advise(word, "expected one of these keys", kinds, ARRAY_SIZE(kinds), sizeof(*kinds),
		   advice);
	if (!*word)
		return lab_error(reader, node, advice, "not a device");
	return lab_error(reader, node, advice, "unknown device '%s'", lab_quote(word, quote));
}

/* The word alone, such as rng, or a mapping with that key. */
static bool is_kind(struct lab_reader *reader, const struct kind *kind, const yaml_node_t *node)
{
	const char *word = lab_word(node);

	if (word)
		return kind->alone && !strcmp(word, kind->name);
	return lab_has_key(reader, node, kind->name);
}

static const struct kind *find_kind(struct lab_reader *reader, const yaml_node_t *node)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (is_kind(reader, &kinds[i], node))
			return &kinds[i];
	return NULL;
}

struct lab_device *lab_add_device(struct lab_reader *reader, struct lab_guest *guest,
				  const yaml_node_t *node)
{
	return lab_add(reader, node, guest->device, guest->device_count);
}

/* A console that nothing is typed into has a script, too, and every share a tag. */
static int complete(struct lab_reader *reader, struct lab_device *device)
{
	if (device->kind == LAB_SHARE && !device->share.tag) {
		device->share.tag = strdup(LAB_SHARE_TAG);
		return device->share.tag ? 0 : lab_out_of_memory(reader);
	}
	if (device->kind != LAB_CONSOLE || device->steps)
		return 0;
	device->steps = calloc(1, sizeof(*device->steps));
	return device->steps ? 0 : lab_out_of_memory(reader);
}

static int read_device(struct lab_reader *reader, struct lab_guest *guest, const yaml_node_t *node)
{
	const struct kind *kind = find_kind(reader, node);
	struct lab_device *device;
	struct lab_map map;
	int err = 0;

	if (!kind)
		return unknown_kind(reader, node);
	device = lab_add_device(reader, guest, node);
	if (!device)
		return -ENOMEM;
	device->kind = kind->kind;
	device->disk.latency = device->disk.flush_latency = LAB_UNSET;
	device->share.latency = LAB_SHARE_LATENCY;
	if (!lab_word(node))
		err = lab_read(reader, kind->schema, node, device, &map);
	if (!err)
		err = complete(reader, device);
	if (!err && kind->kind == LAB_DISK)
		err = check_disk(reader, device, &map);
	if (!err && kind->kind == LAB_NET)
		err = check_net(reader, guest, device, &map);
	if (!err && kind->kind == LAB_SHARE)
		err = check_share(reader, guest, device, &map);
	return err;
}

static int read_devices(struct lab_reader *reader, const struct lab_key *key,
			const yaml_node_t *node, void *field)
{
	struct lab_guest *guest =
		(struct lab_guest *)((char *)field - offsetof(struct lab_guest, device));
	size_t count;
	int err = lab_list(reader, node, key->name, false, &count);

	if (!err && count > SANDBOX_DEVICES_MAX)
		err = lab_error(reader, node, "remove some",
				"a guest has at most %u devices, got %zu", SANDBOX_DEVICES_MAX,
				count);
	for (size_t i = 0; !err && i < count; i++)
		err = read_device(reader, guest, lab_item(reader, node, i));
	return err;
}

/*
 * With a disk that takes no time, virtual time does not advance for a program that waits for it,
 * and 100 us are what an NVMe drive needs for a random read of 4 KiB; one without a protected cache
 * needs some ten times as long to make its cache durable.
 */
static const struct disk_times {
	uint64_t latency; /* ns */
	uint64_t flush;	  /* in latencies */
} disk_times[] = {
	[LAB_DISK_TIMELESS] = { 0, 1 },
	[LAB_DISK_NVME] = { 100 * NS_PER_US, 10 },
};

void lab_disk_times(const struct lab *lab, struct device_disk_options *disk)
{
	const struct disk_times *times = &disk_times[lab->disk_model];

	if (disk->latency == LAB_UNSET)
		disk->latency = times->latency;
	if (disk->flush_latency == LAB_UNSET &&
	    __builtin_mul_overflow(disk->latency, times->flush, &disk->flush_latency))
		disk->flush_latency = UINT64_MAX;
}

int lab_add_share(struct lab *lab, const struct lab_share *share)
{
	struct lab_guest *guest = &lab->guest[0];
	struct lab_device *device = array_add(guest->device, guest->device_count);

	if (!device)
		return -ENOMEM;
	device->kind = LAB_SHARE;
	device->share = *share;
	device->share.latency = LAB_SHARE_LATENCY;
	device->share.directory = strdup(share->directory);
	device->share.tag = strdup(share->tag);
	return device->share.directory && device->share.tag ? 0 : -ENOMEM;
}

const struct lab_type lab_type_devices = { "a list", read_devices, NULL, NULL };

void lab_device_release(struct lab_device *device)
{
	for (struct console_step *step = device->steps; step && step->text; step++) {
		free((char *)step->expect);
		free((char *)step->text);
	}
	free(device->steps);
	free((char *)device->disk.image);
	free((char *)device->disk.serial);
	free(device->share.directory);
	free(device->share.tag);
}
