// SPDX-License-Identifier: BSD-3-Clause
/* The devices and networks of a lab that is being set up. */
#include "recorder/run/run_lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/printable.h"
#include "format/base/units.h"
#include "kernel/sandbox/entropy.h"
#include "recorder/share/tree_host.h"
#include "recorder/share/tree_tar.h"

/* What a number is derived for; each gets a stream of its own. */
enum purpose { PURPOSE_NETWORK = 1, PURPOSE_MAC, PURPOSE_RNG };

/* Eight bytes that depend on the seed, and on what they are used for. */
static int derive(uint64_t seed, enum purpose purpose, uint64_t who, uint64_t *value)
{
	struct entropy_stream *stream;
	/* Ids of guests are small; these are not. */
	int err = entropy_stream_create(seed, 1ULL << 62 | (uint64_t)purpose << 48 | who, &stream);

	if (err)
		return err;
	entropy_stream_take(stream, value, sizeof(*value));
	entropy_stream_destroy(stream);
	return 0;
}

static uint64_t who(const struct run_guest *guest, size_t number)
{
	return (guest->lab->id << 8 ^ number) & 0xffffffffffffULL;
}

static int create_networks(const struct run_options *options, struct run_lab *lab)
{
	int err = 0;

	lab->network = calloc(lab->lab->network_count + 1, sizeof(*lab->network));
	if (!lab->network)
		return -ENOMEM;
	for (size_t i = 0; !err && i < lab->lab->network_count; i++) {
		uint64_t seed;

		err = derive(options->session.seed, PURPOSE_NETWORK, i, &seed);
		if (!err)
			err = network_create(seed, &lab->network[i].network);
	}
	return err;
}

static int grow_network(struct run_network *network)
{
	size_t ports = network->count, devices = ports, guests = ports;

	return array_reach(network->port, ports, network->count) ||
			       array_reach(network->device, devices, network->count) ||
			       array_reach(network->guest, guests, network->count)
		       ? -ENOMEM
		       : 0;
}

/* An address of the locally administered kind, unless the lab file says one. */
static int choose_mac(const struct run_guest *guest, size_t number, const struct lab_device *lab,
		      uint8_t mac[6])
{
	static const uint8_t none[6];
	uint64_t value;
	int err;

	memcpy(mac, lab->mac, sizeof(none));
	if (memcmp(mac, none, sizeof(none)))
		return 0;
	err = derive(guest->seed, PURPOSE_MAC, who(guest, number), &value);
	memcpy(mac, &value, 6);
	mac[0] = 0x02;
	return err;
}

static int create_net(struct run_lab *lab, struct run_guest *guest, size_t number, char name[128])
{
	const struct lab_device *device = &guest->lab->device[number];
	struct run_network *network = &lab->network[device->network];
	char text[MAC_TEXT];
	uint8_t mac[6];
	int err = grow_network(network);

	if (!err)
		err = choose_mac(guest, number, device, mac);
	if (!err)
		err = network_add_port(network->network, &device->link,
				       &network->port[network->count]);
	if (err)
		return err;
	guest->device[number] = device_net_create(network->port[network->count], mac, device->mtu);
	if (!guest->device[number])
		return -ENOMEM;
	network->guest[network->count] = (size_t)(guest - lab->guest);
	network->device[network->count++] = guest->device[number];
	snprintf(name, 128, "net %s %s", lab->lab->network[device->network].name,
		 mac_text(mac, text));
	return 0;
}

static const char *disk_advice(int err)
{
	if (err == -EISDIR)
		return "give a raw image; a directory becomes one with mkfs.ext4 -d DIRECTORY "
		       "IMAGE SIZE";
	if (err == -EINVAL)
		return "give a regular file or a block device, and a size if it is empty";
	return "give a readable raw image";
}

static int create_disk(const struct run_lab *lab, struct run_guest *guest, size_t number,
		       char name[128], struct diagnosis *why)
{
	struct device_disk_options disk = guest->lab->device[number].disk;
	int err;

	lab_disk_times(lab->lab, &disk);
	err = device_disk_create(&disk, &guest->device[number]);
	snprintf(name, 128, "disk %s", disk.image ? disk.image : "zeros");
	if (err && err != -ENOMEM)
		return diagnose(why, exit_status_of_file(err), err, disk_advice(err),
				"the disk %s of guest %s (line %u) cannot be used: %s",
				disk.image ? disk.image : "without an image", guest->lab->name,
				guest->lab->device[number].line,
				err == -EINVAL ? "not a file that can be a disk" : strerror(-err));
	return err;
}

/* The first file is named, the others are counted. */
static void note_share(void *user, const char *path, const char *what)
{
	struct run_share_note *note = user;

	if (note->count++)
		return;
	snprintf(note->first, sizeof(note->first), "%s %s", path, what);
	printable(note->first);
}

static int cannot_share(const struct run_guest *guest, const struct lab_device *device, int err,
			struct diagnosis *why)
{
	char line[32] = "";
	const char *advice = err == -ENOTDIR  ? "give a directory"
			     : err == -EACCES ? "let the user who records read it and search it"
					      : "give a directory that exists";

	if (device->line)
		snprintf(line, sizeof(line), " (line %u)", device->line);
	return diagnose(why, exit_status_of_file(err), err, advice,
			"cannot share %s with guest %s%s: %s", device->share.directory,
			guest->lab->name, line, strerror(-err));
}

static int create_share(const struct run_options *options, struct run_guest *guest, size_t number,
			char name[128], struct diagnosis *why)
{
	const struct lab_device *lab = &guest->lab->device[number];
	struct device_fs_options share = { .tag = lab->share.tag,
					   .writable = lab->share.write != LAB_SHARE_READ_ONLY,
					   .latency = lab->share.latency,
					   .bandwidth = lab->share.bandwidth,
					   .epoch = options->session.calendar.tod };
	int err = lab->share.tar
			  ? tree_tar_open(lab->share.directory, &share.tree, why)
			  : tree_host_open(lab->share.directory,
					   lab->share.write == LAB_SHARE_THROUGH, &share.tree);

	snprintf(name, 128, "share %s", lab->share.tag);
	if (err && err != -ENOMEM && !why->status)
		return cannot_share(guest, lab, err, why);
	if (err)
		return err;
	if (!lab->share.tar)
		tree_host_set_report(share.tree, note_share, &guest->share_note);
	err = device_fs_create(&share, &guest->device[number]);
	if (err)
		tree_destroy(share.tree);
	return err;
}

static int create_rng(struct run_guest *guest, size_t number)
{
	uint64_t seed;
	int err = derive(guest->seed, PURPOSE_RNG, who(guest, number), &seed);

	if (err)
		return err;
	guest->device[number] = device_rng_create(seed, guest->lab->id);
	return guest->device[number] ? 0 : -ENOMEM;
}

static int create_device(const struct run_options *options, struct run_lab *lab,
			 struct run_guest *guest, size_t number, char name[128],
			 struct diagnosis *why)
{
	const struct lab_device *device = &guest->lab->device[number];

	switch (device->kind) {
	case LAB_NET:
		return create_net(lab, guest, number, name);
	case LAB_DISK:
		return create_disk(lab, guest, number, name, why);
	case LAB_RNG:
		snprintf(name, 128, "rng");
		return create_rng(guest, number);
	case LAB_CONSOLE:
		snprintf(name, 128, "console");
		guest->device[number] = device_console_create(device->steps);
		return guest->device[number] ? 0 : -ENOMEM;
	case LAB_PROGRAM:
		snprintf(name, 128, "program %s", lab->lab->program[device->program].name);
		return 0; /* the session has the device in its place */
	case LAB_SHARE:
		return create_share(options, guest, number, name, why);
	}
	return -EINVAL;
}

static uint32_t virtio_id(const struct run_lab *lab, const struct run_guest *guest, size_t number)
{
	const struct lab_device *device = &guest->lab->device[number];

	if (device->kind == LAB_PROGRAM)
		return lab->lab->program[device->program].virtio_id;
	return guest->device[number]->class->virtio_id;
}

static int create_devices(const struct run_options *options, struct run_lab *lab,
			  struct run_guest *guest, struct diagnosis *why)
{
	size_t count = guest->lab->device_count;
	struct guest_spec *spec = &guest->spec;
	int err = 0;

	guest->device = calloc(count + 1, sizeof(struct device *));
	spec->device = calloc(count + 1, sizeof(*spec->device));
	if (!guest->device || !spec->device)
		return -ENOMEM;
	for (size_t i = 0; !err && i < count; i++) {
		char name[128] = "";

		err = create_device(options, lab, guest, i, name, why);
		if (err)
			break;
		spec->device[i].virtio_id = virtio_id(lab, guest, i);
		spec->device[i].name = strdup(name);
		spec->device_count++;
		if (!spec->device[i].name)
			err = -ENOMEM;
	}
	return err;
}

int run_devices_create(const struct run_options *options, struct run_lab *lab,
		       struct diagnosis *why)
{
	int err = create_networks(options, lab);

	for (size_t i = 0; !err && i < lab->guest_count; i++)
		err = create_devices(options, lab, &lab->guest[i], why);
	if (!err)
		err = run_faults_create(lab);
	if (err && !why->status)
		diagnose(why, EXIT_CANNOT, err, NULL, "cannot set up the devices of the lab: %s",
			 strerror(-err));
	return err;
}

void run_devices_destroy(struct run_guest *guest)
{
	for (size_t i = 0; guest->device && i < guest->lab->device_count; i++)
		if (guest->device[i])
			guest->device[i]->class->destroy(guest->device[i]);
	free(guest->device);
}

void run_networks_destroy(struct run_lab *lab)
{
	for (size_t i = 0; lab->network && i < lab->lab->network_count; i++) {
		network_destroy(lab->network[i].network);
		free(lab->network[i].port);
		free(lab->network[i].device);
		free(lab->network[i].guest);
	}
	free(lab->network);
}
