// SPDX-License-Identifier: BSD-3-Clause
/*
 * A network card at a port of a simulated network.
 *
 * Source: VIRTIO 1.2, section 5.1; drivers/net/virtio_net.c, Linux 5.10 to 7.2. No offloads, no
 * mergeable buffers, no control queue: a chain is a header and a frame.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/device/device.h"
#include "recorder/network/network.h"

enum { NET_RX, NET_TX, NET_QUEUES };

#define NET_F_MTU (1ull << 3)
#define NET_F_MAC (1ull << 5)

/* struct virtio_net_hdr_v1; before VIRTIO 1 it ends where num_buffers begins. */
struct net_header {
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, csum_start, csum_offset;
	uint16_t num_buffers;
};
#define NET_HEADER_SIZE	       sizeof(struct net_header)
#define NET_LEGACY_HEADER_SIZE offsetof(struct net_header, num_buffers)
_Static_assert(NET_HEADER_SIZE == 12 && NET_LEGACY_HEADER_SIZE == 10, "as VIRTIO has it");

/* struct virtio_net_config, as far as it is offered. */
struct net_config {
	uint8_t mac[6];
	uint16_t status, max_virtqueue_pairs, mtu;
};

struct device_net {
	struct device device;
	struct network_port *port;
	struct net_config config;
};

static size_t header_size(const struct device *device)
{
	return device->vhost->features & VIRTIO_F_VERSION_1 ? NET_HEADER_SIZE
							    : NET_LEGACY_HEADER_SIZE;
}

static int net_send(struct device_net *net, const struct vring_chain *chain)
{
	struct device *device = &net->device;
	size_t header = header_size(device);
	struct network_frame *frame;

	if (chain->read_size < header || chain->read_size > header + NETWORK_FRAME_MAX)
		return device_problem(device, NET_TX, "a frame of %zu bytes, header included",
				      chain->read_size);
	frame = network_frame_create(chain->read_size - header);
	if (!frame)
		return -ENOMEM;
	vring_chain_read(chain, header, frame->data, frame->size);
	return network_port_send(net->port, device->host->now(device), frame);
}

static int net_transmit(struct device_net *net)
{
	unsigned int budget = DEVICE_BUDGET;
	struct vring_chain chain;
	int done = 0, err;

	while ((err = device_take(&net->device, NET_TX, &budget, &chain)) > 0) {
		err = net_send(net, &chain);
		if (!err)
			err = device_finish(&net->device, NET_TX, &chain);
		if (err)
			return err;
		done++;
	}
	return err ? err : done;
}

/* The guest has added buffers: deliver waiting frames. */
static int net_refilled(struct device_net *net)
{
	struct device *device = &net->device;
	uint64_t time, now = device->host->now(device);

	if (network_port_next(net->port, &time) && time <= now)
		device_schedule(device, now);
	return 0;
}

static int net_kick(struct device *device, unsigned int queue)
{
	struct device_net *net = (struct device_net *)device;

	if (queue >= NET_QUEUES)
		return device_problem(device, queue, "a network card has no queue %u", queue);
	return queue == NET_TX ? net_transmit(net) : net_refilled(net);
}

/* Returns 1 when @frame is in a buffer of the guest, 0 when there is no buffer. */
static int net_receive(struct device_net *net, const struct network_frame *frame,
		       unsigned int *budget)
{
	const struct net_header header = { .num_buffers = htole16(1) };
	struct device *device = &net->device;
	size_t header_bytes = header_size(device), size = header_bytes + frame->size;
	struct vring_chain chain;
	int err;

	err = device_take(device, NET_RX, budget, &chain);
	if (err <= 0)
		return err;
	if (chain.write_size < header_bytes)
		return device_problem(device, NET_RX, "a buffer of %zu bytes for frames",
				      chain.write_size);
	if (chain.write_size < size) {
		/* The sender may use larger frames than this guest: as a card does, drop it. */
		device->host->lost(device, frame, TRACE_LOSS_NO_BUFFER, device);
		device->vhost->ring[NET_RX].next_avail--;
		(*budget)++;
		return 1;
	}
	vring_chain_write(&chain, 0, &header, header_bytes);
	vring_chain_write(&chain, header_bytes, frame->data, frame->size);
	device->host->arrives(device, frame);
	err = device_complete(device, NET_RX, &chain, (uint32_t)size);
	return err ? err : 1;
}

static int net_fire(struct device *device)
{
	struct device_net *net = (struct device_net *)device;
	uint64_t time, now = device->host->now(device);
	unsigned int budget = DEVICE_BUDGET;
	const struct network_frame *frame;
	int err = 1;

	device_unschedule(device);
	while ((frame = network_port_next(net->port, &time)) && time <= now) {
		err = net_receive(net, frame, &budget);
		if (err <= 0)
			return err;
		network_port_pop(net->port);
	}
	if (frame)
		device_schedule(device, time);
	return 0;
}

static void net_destroy(struct device *device)
{
	network_port_connect(((struct device_net *)device)->port, NULL, NULL);
	free(device);
}

static const struct device_class net_class = {
	.name = "net",
	.virtio_id = 1,
	.queues = NET_QUEUES,
	.features = NET_F_MAC,
	.kick = net_kick,
	.fire = net_fire,
	.destroy = net_destroy,
};

struct device *device_net_create(struct network_port *port, const uint8_t mac[6], uint16_t mtu)
{
	struct device_net *net = calloc(1, sizeof(*net));

	if (!net)
		return NULL;
	net->port = port;
	memcpy(net->config.mac, mac, sizeof(net->config.mac));
	net->config.mtu = htole16(mtu);
	net->device = (struct device){
		.class = &net_class,
		.features = mtu ? NET_F_MTU : 0,
		.config = &net->config,
		.config_size = sizeof(net->config),
		.due = WIRE_TIME_NEVER,
	};
	return &net->device;
}
