// SPDX-License-Identifier: BSD-3-Clause
/* What vhost-user messages set up: features, memory, vrings, the connection for calls. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "format/base/cleanup.h"
#include "kernel/vhost/vhost_internal.h"

/* The bodies. Source: docs/interop/vhost-user.rst of QEMU 9. */
struct vring_addresses {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail, log;
};

struct memory_region {
	uint64_t guest_address;
	uint64_t size;
	uint64_t user_address;
	uint64_t offset;
};

struct memory_table {
	uint32_t count;
	uint32_t padding;
	struct memory_region region[VRING_REGIONS_MAX];
};

struct config_space {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	/* and @size bytes */
};

/* Fields of the u64 of SET_VRING_KICK and similar requests. */
#define QUEUE_MASK	    0xffull
#define QUEUE_NO_DESCRIPTOR (1ull << 8)

struct request_info {
	const char *name;
	size_t size_min, size_max;
	unsigned int fds_max;
	bool answers; /* has a reply of its own */
	int (*apply)(struct vhost *vhost, struct vhost_message *message);
};

static uint64_t body_value(const struct vhost_message *message)
{
	uint64_t value;

	memcpy(&value, message->body, sizeof(value));
	return value;
}

static struct vhost_vring_state body_state(const struct vhost_message *message)
{
	struct vhost_vring_state state;

	memcpy(&state, message->body, sizeof(state));
	return state;
}

static int set_features(struct vhost *vhost, struct vhost_message *message)
{
	vhost->features = body_value(message);
	return 0;
}

static int set_protocol_features(struct vhost *vhost, struct vhost_message *message)
{
	vhost->protocol_features = body_value(message);
	return 0;
}

/* ---- Memory --------------------------------------------------------------------------------- */

static int add_region(struct vhost *vhost, const struct memory_region *region, int fd)
{
	int err = vring_memory_add(&vhost->memory, fd, region->guest_address, region->user_address,
				   region->size, region->offset);

	/* Errors of this machine, not of the guest's message. */
	if (!err || err == -ENOMEM || err == -EIO || err == -EMFILE)
		return err;
	return vhost_refuse(vhost,
			    "SET_MEM_TABLE: %" PRIu64 " bytes at 0x%" PRIx64 " (0x%" PRIx64
			    " of its own), at 0x%" PRIx64 " of the file: %s",
			    region->size, region->guest_address, region->user_address,
			    region->offset,
			    err == -EBADMSG ? "missing, or given twice" : strerror(-err));
}

static int set_memory(struct vhost *vhost, struct vhost_message *message)
{
	struct memory_table table = {};

	memcpy(&table, message->body, message->size);
	if (!table.count || table.count > VRING_REGIONS_MAX ||
	    message->size <
		    offsetof(struct memory_table, region) + table.count * sizeof(table.region[0]) ||
	    message->fd_count != table.count)
		return vhost_refuse(vhost,
				    "SET_MEM_TABLE: %" PRIu32 " regions in %" PRIu32
				    " bytes with %u descriptors",
				    table.count, message->size, message->fd_count);
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX; i++)
		if (vhost->ring[i].enabled)
			return vhost_refuse(vhost, "SET_MEM_TABLE: vring %u is enabled", i);
	vring_memory_clear(&vhost->memory);
	for (uint32_t i = 0; i < table.count; i++) {
		int err = add_region(vhost, &table.region[i], message->fd[i]);

		if (err)
			return err;
	}
	return 0;
}

/* ---- Vrings --------------------------------------------------------------------------------- */

/* NULL, with vhost->problem, if there is none. */
static struct vring *find_ring(struct vhost *vhost, const struct vhost_message *message,
			       uint64_t index)
{
	char text[VHOST_NAME_TEXT];

	if (index < VHOST_QUEUES_MAX)
		return &vhost->ring[index];
	vhost_refuse(vhost, "%s: vring %" PRIu64 " of at most %d",
		     vhost_request_text(message->request, text), index, VHOST_QUEUES_MAX);
	return NULL;
}

/* A vring that may be changed now. */
static struct vring *find_idle_ring(struct vhost *vhost, const struct vhost_message *message,
				    uint32_t index)
{
	struct vring *ring = find_ring(vhost, message, index);
	char text[VHOST_NAME_TEXT];

	if (!ring || !ring->enabled)
		return ring;
	vhost_refuse(vhost, "%s: vring %" PRIu32 " is enabled",
		     vhost_request_text(message->request, text), index);
	return NULL;
}

static int check_ring(struct vhost *vhost, const struct vhost_message *message, uint32_t index)
{
	char text[VHOST_NAME_TEXT];
	struct vring *ring = &vhost->ring[index];

	if (!vring_check(ring))
		return 0;
	return vhost_refuse(vhost, "%s: vring %" PRIu32 ": %s",
			    vhost_request_text(message->request, text), index, ring->problem);
}

static int set_ring_size(struct vhost *vhost, struct vhost_message *message)
{
	struct vhost_vring_state state = body_state(message);
	struct vring *ring = find_idle_ring(vhost, message, state.index);

	if (!ring)
		return -EBADMSG;
	if (!state.number || state.number > VRING_SIZE_MAX || state.number & (state.number - 1))
		return vhost_refuse(vhost,
				    "SET_VRING_NUM: %" PRIu32
				    " entries: expected a power of two up to %d",
				    state.number, VRING_SIZE_MAX);
	ring->size = (uint16_t)state.number;
	return 0;
}

static int set_ring_base(struct vhost *vhost, struct vhost_message *message)
{
	struct vhost_vring_state state = body_state(message);
	struct vring *ring = find_idle_ring(vhost, message, state.index);

	if (!ring)
		return -EBADMSG;
	if (state.number > UINT16_MAX)
		return vhost_refuse(vhost, "SET_VRING_BASE: index %" PRIu32, state.number);
	ring->next_avail = ring->next_used = (uint16_t)state.number;
	return 0;
}

static int set_ring_addresses(struct vhost *vhost, struct vhost_message *message)
{
	struct vring_addresses addresses;
	struct vring *ring;

	memcpy(&addresses, message->body, sizeof(addresses));
	ring = find_idle_ring(vhost, message, addresses.index);
	if (!ring)
		return -EBADMSG;
	ring->desc = addresses.desc;
	ring->avail = addresses.avail;
	ring->used = addresses.used;
	return check_ring(vhost, message, addresses.index);
}

static int set_ring_enabled(struct vhost *vhost, struct vhost_message *message)
{
	struct vhost_vring_state state = body_state(message);
	struct vring *ring = find_ring(vhost, message, state.index);
	int err = 0;

	if (!ring)
		return -EBADMSG;
	if (state.number > 1)
		return vhost_refuse(vhost, "SET_VRING_ENABLE: %" PRIu32, state.number);
	if (state.number)
		err = check_ring(vhost, message, state.index);
	if (!err)
		ring->enabled = state.number;
	return err;
}

static int stop_ring(struct vhost *vhost, struct vhost_message *message)
{
	struct vring *ring = find_ring(vhost, message, body_state(message).index);

	if (!ring)
		return -EBADMSG;
	ring->enabled = false;
	return 0;
}

/* The descriptor itself is of no use here: kicks and calls that matter are messages. */
static int set_ring_descriptor(struct vhost *vhost, struct vhost_message *message)
{
	char text[VHOST_NAME_TEXT];
	uint64_t value = body_value(message);

	if (value & ~(QUEUE_MASK | QUEUE_NO_DESCRIPTOR) ||
	    message->fd_count != !(value & QUEUE_NO_DESCRIPTOR))
		return vhost_refuse(vhost, "%s: 0x%" PRIx64 " with %u descriptors",
				    vhost_request_text(message->request, text), value,
				    message->fd_count);
	return find_ring(vhost, message, value & QUEUE_MASK) ? 0 : -EBADMSG;
}

/* Without VHOST_USER_SET_VRING_ENABLE a vring is enabled when it is started. */
static int set_ring_kick(struct vhost *vhost, struct vhost_message *message)
{
	uint32_t index = (uint32_t)(body_value(message) & QUEUE_MASK);
	int err = set_ring_descriptor(vhost, message);

	if (err || vhost->features & VHOST_F_PROTOCOL_FEATURES)
		return err;
	err = check_ring(vhost, message, index);
	if (!err)
		vhost->ring[index].enabled = true;
	return err;
}

static int check_kick(struct vhost *vhost, struct vhost_message *message)
{
	unsigned int queue;

	return vhost_kicked_queue(vhost, message, &queue);
}

/* ---- The rest ------------------------------------------------------------------------------- */

static int set_call_connection(struct vhost *vhost, struct vhost_message *message)
{
	int domain = 0, type = 0;
	socklen_t size = sizeof(int);

	if (message->fd_count != 1)
		return vhost_refuse(vhost, "SET_BACKEND_REQ_FD with %u descriptors",
				    message->fd_count);
	if (getsockopt(message->fd[0], SOL_SOCKET, SO_DOMAIN, &domain, &size) ||
	    getsockopt(message->fd[0], SOL_SOCKET, SO_TYPE, &type, &size) || domain != AF_UNIX ||
	    type != SOCK_STREAM)
		return vhost_refuse(vhost, "SET_BACKEND_REQ_FD: not a stream socket");
	close_fd(&vhost->call_fd);
	vhost->call_request = 0;
	vhost->call_fd = take_fd(&message->fd[0]);
	message->fd_count = 0;
	return 0;
}

static int check_config(struct vhost *vhost, struct vhost_message *message)
{
	char text[VHOST_NAME_TEXT];
	struct config_space config;

	memcpy(&config, message->body, sizeof(config));
	if (config.size != message->size - sizeof(config))
		return vhost_refuse(vhost, "%s: %" PRIu32 " bytes in a message of %" PRIu32,
				    vhost_request_text(message->request, text), config.size,
				    message->size);
	return 0;
}

#define NOTHING	     0, 0, 0
#define VALUE	     sizeof(uint64_t), sizeof(uint64_t), 0
#define VALUE_AND_FD sizeof(uint64_t), sizeof(uint64_t), 1
#define STATE	     sizeof(struct vhost_vring_state), sizeof(struct vhost_vring_state), 0
#define ADDRESSES    sizeof(struct vring_addresses), sizeof(struct vring_addresses), 0
#define MEMORY_TABLE sizeof(uint64_t), sizeof(struct memory_table), VRING_REGIONS_MAX
#define CONFIG	     sizeof(struct config_space), VHOST_BODY_MAX, 0

#define REQUEST(request, ...) [VHOST_##request] = { #request, __VA_ARGS__ }

/* clang-format off */
static const struct request_info requests[] = {
	REQUEST(GET_FEATURES, NOTHING, true, NULL),
	REQUEST(SET_FEATURES, VALUE, false, set_features),
	REQUEST(SET_OWNER, NOTHING, false, NULL),
	REQUEST(SET_MEM_TABLE, MEMORY_TABLE, false, set_memory),
	REQUEST(SET_VRING_NUM, STATE, false, set_ring_size),
	REQUEST(SET_VRING_ADDR, ADDRESSES, false, set_ring_addresses),
	REQUEST(SET_VRING_BASE, STATE, false, set_ring_base),
	REQUEST(GET_VRING_BASE, STATE, true, stop_ring),
	REQUEST(SET_VRING_KICK, VALUE_AND_FD, false, set_ring_kick),
	REQUEST(SET_VRING_CALL, VALUE_AND_FD, false, set_ring_descriptor),
	REQUEST(SET_VRING_ERR, VALUE_AND_FD, false, set_ring_descriptor),
	REQUEST(GET_PROTOCOL_FEATURES, NOTHING, true, NULL),
	REQUEST(SET_PROTOCOL_FEATURES, VALUE, false, set_protocol_features),
	REQUEST(GET_QUEUE_NUM, NOTHING, true, NULL),
	REQUEST(SET_VRING_ENABLE, STATE, false, set_ring_enabled),
	REQUEST(SET_BACKEND_REQ_FD, 0, 0, 1, false, set_call_connection),
	REQUEST(GET_CONFIG, CONFIG, true, check_config),
	REQUEST(SET_CONFIG, CONFIG, false, check_config),
	REQUEST(VRING_KICK, STATE, false, check_kick),
};
/* clang-format on */

static const struct request_info *find_request(uint32_t request)
{
	if (request >= ARRAY_SIZE(requests) || !requests[request].name)
		return NULL;
	return &requests[request];
}

const char *vhost_request_text(uint32_t request, char text[VHOST_NAME_TEXT])
{
	const struct request_info *info = find_request(request);

	if (info)
		snprintf(text, VHOST_NAME_TEXT, "%s", info->name);
	else
		snprintf(text, VHOST_NAME_TEXT, "request %" PRIu32, request);
	return text;
}

bool vhost_expects_reply(const struct vhost_message *message)
{
	const struct request_info *info = find_request(message->request);

	return message->flags & VHOST_FLAG_NEED_REPLY || (info && info->answers);
}

bool vhost_names_addresses(uint32_t request)
{
	return request == VHOST_SET_MEM_TABLE || request == VHOST_SET_VRING_ADDR;
}

int vhost_kicked_queue(struct vhost *vhost, const struct vhost_message *message,
		       unsigned int *queue)
{
	struct vring *ring;
	uint32_t index;

	if (message->request != VHOST_VRING_KICK ||
	    message->size != sizeof(struct vhost_vring_state))
		return vhost_refuse(
			vhost, "expected VRING_KICK, got request %" PRIu32 " of %" PRIu32 " bytes",
			message->request, message->size);
	index = body_state(message).index;
	ring = find_ring(vhost, message, index);
	if (!ring)
		return -EBADMSG;
	if (!ring->size)
		return vhost_refuse(vhost, "VRING_KICK: vring %" PRIu32 " is not set up", index);
	*queue = index;
	return 0;
}

int vhost_apply(struct vhost *vhost, struct vhost_message *message)
{
	const struct request_info *info = find_request(message->request);

	if (!info)
		return vhost_refuse(vhost, "request %" PRIu32 ", which no guest sends",
				    message->request);
	if (message->size < info->size_min || message->size > info->size_max)
		return vhost_refuse(vhost, "%s of %" PRIu32 " bytes", info->name, message->size);
	if (message->fd_count > info->fds_max)
		return vhost_refuse(vhost, "%s with %u descriptors", info->name, message->fd_count);
	return info->apply ? info->apply(vhost, message) : 0;
}
