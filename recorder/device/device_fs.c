// SPDX-License-Identifier: BSD-3-Clause
/*
 * A share: files for a guest to mount (virtio-fs), one request after the other, each in its time.
 *
 * Source: VIRTIO 1.2, section 5.11; fs/fuse/virtio_fs.c, Linux 5.10 to 7.2.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/device/device.h"
#include "recorder/share/share_session.h"

#define NS_PER_S 1000000000ull

/* Requests without an answer, so that they need not wait for others; and all others. */
enum { QUEUE_FORGET, QUEUE_REQUEST, QUEUES };

struct fs_config {
	char tag[DEVICE_FS_TAG];
	uint32_t queues;
	uint32_t unused;
};

struct device_fs {
	struct device device;
	struct fs_config config;
	struct share_session *session;
	uint64_t latency, bandwidth, epoch;
	/* The request that is being served. */
	bool busy;
	uint64_t done_at;
	uint16_t next_avail; /* of the vring then: a ring that was set up anew has another */
	struct vring_chain chain;
	uint8_t request[SHARE_MESSAGE_MAX + SHARE_PADDING];
};

/* ---- What a request does -------------------------------------------------------------------- */

static struct timespec date_of(const struct device_fs *fs)
{
	uint64_t now = device_time_add(fs->epoch, fs->device.host->now(&fs->device));

	return (struct timespec){ .tv_sec = (time_t)(now / NS_PER_S),
				  .tv_nsec = (long)(now % NS_PER_S) };
}

static int serve(struct device_fs *fs, unsigned int queue, const struct vring_chain *chain,
		 const void **answer, size_t *answer_size)
{
	const struct timespec now = date_of(fs);
	char problem[SHARE_PROBLEM_TEXT];
	size_t size = vring_chain_read(chain, 0, fs->request, chain->read_size);
	int err = share_session_serve(fs->session, &now, fs->request, size, chain->write_size,
				      answer, answer_size, problem);

	return err == -EBADMSG ? device_problem(&fs->device, queue, "%s", problem) : err;
}

/* ---- When ----------------------------------------------------------------------------------- */

static uint64_t service_time(const struct device_fs *fs)
{
	uint64_t size = fs->chain.read_size + fs->chain.write_size, transfer = 0;

	if (fs->bandwidth)
		transfer = (size * NS_PER_S + fs->bandwidth - 1) / fs->bandwidth;
	return device_time_add(fs->latency, transfer);
}

/* The next chain of a queue. Returns 1, 0 when it is empty, -EBADMSG. */
static int take(struct device_fs *fs, unsigned int queue, unsigned int *budget,
		struct vring_chain *chain)
{
	int err = device_take(&fs->device, queue, budget, chain);

	if (err <= 0)
		return err;
	if (chain->read_size > SHARE_MESSAGE_MAX || chain->write_size > SHARE_MESSAGE_MAX)
		return device_problem(&fs->device, queue,
				      "a request of %zu bytes for %zu: the maximum is %u",
				      chain->read_size, chain->write_size, SHARE_MESSAGE_MAX);
	return 1;
}

/* The next request, from now on. Returns 1, 0 when the queue is empty, -EBADMSG. */
static int begin_request(struct device_fs *fs, unsigned int *budget)
{
	int err = take(fs, QUEUE_REQUEST, budget, &fs->chain);

	if (err <= 0)
		return err;
	fs->busy = true;
	fs->next_avail = fs->device.vhost->ring[QUEUE_REQUEST].next_avail;
	fs->done_at = device_time_add(fs->device.host->now(&fs->device), service_time(fs));
	return 1;
}

/* Has the guest set up another vring or memory since the request was taken? */
static bool is_void(const struct device_fs *fs)
{
	const struct vring *ring = &fs->device.vhost->ring[QUEUE_REQUEST];

	return !vring_ready(ring) || ring->next_avail != fs->next_avail ||
	       fs->chain.generation != fs->chain.memory->generation;
}

static int end_request(struct device_fs *fs)
{
	struct vring_chain *chain = &fs->chain;
	const void *answer;
	size_t size;
	int err;

	fs->busy = false;
	if (is_void(fs))
		return 0;
	err = serve(fs, QUEUE_REQUEST, chain, &answer, &size);
	if (err)
		return err;
	vring_chain_write(chain, 0, answer, size);
	return device_complete(&fs->device, QUEUE_REQUEST, chain, (uint32_t)size);
}

/* End what is due, begin what is there. */
static int work(struct device_fs *fs)
{
	struct device *device = &fs->device;
	unsigned int budget = DEVICE_BUDGET;
	int err = 1;

	while (err > 0) {
		if (!fs->busy)
			err = begin_request(fs, &budget);
		if (err <= 0 || fs->done_at > device->host->now(device))
			break;
		err = end_request(fs);
		err = err ? err : 1;
	}
	if (fs->busy && err >= 0)
		device_schedule(device, fs->done_at);
	return err < 0 ? err : 0;
}

static int kick_requests(struct device_fs *fs)
{
	unsigned int budget = 1;
	int err = 1;

	if (fs->busy && is_void(fs))
		fs->busy = false;
	if (!fs->busy)
		err = begin_request(fs, &budget);
	if (err > 0)
		device_schedule(&fs->device, fs->done_at);
	return err < 0 ? err : 0;
}

/* They are done at once: nothing waits for them. */
static int kick_forgets(struct device_fs *fs)
{
	unsigned int budget = DEVICE_BUDGET;
	struct vring_chain chain;
	const void *answer;
	size_t size;
	int err, count = 0;

	while ((err = take(fs, QUEUE_FORGET, &budget, &chain)) > 0) {
		err = serve(fs, QUEUE_FORGET, &chain, &answer, &size);
		if (!err && size)
			err = device_problem(&fs->device, QUEUE_FORGET,
					     "a request with an answer: expected FORGET");
		if (!err)
			err = device_finish(&fs->device, QUEUE_FORGET, &chain);
		if (err)
			return err;
		count++;
	}
	return err ? err : count;
}

static int fs_kick(struct device *device, unsigned int queue)
{
	struct device_fs *fs = (struct device_fs *)device;

	if (queue == QUEUE_FORGET)
		return kick_forgets(fs);
	if (queue == QUEUE_REQUEST)
		return kick_requests(fs);
	return device_problem(device, queue, "a share has no queue %u", queue);
}

static int fs_fire(struct device *device)
{
	device_unschedule(device);
	return work((struct device_fs *)device);
}

/* ---- Making one ----------------------------------------------------------------------------- */

static void fs_destroy(struct device *device)
{
	share_session_destroy(((struct device_fs *)device)->session);
	free(device);
}

static const struct device_class fs_class = {
	.name = "share",
	.virtio_id = 26,
	.queues = QUEUES,
	.kick = fs_kick,
	.fire = fs_fire,
	.destroy = fs_destroy,
};

int device_fs_create(const struct device_fs_options *options, struct device **out)
{
	struct device_fs *fs = calloc(1, sizeof(*fs));
	int err;

	if (!fs)
		return -ENOMEM;
	err = share_session_create(options->tree, options->writable, &fs->session);
	if (err) {
		free(fs);
		return err;
	}
	/* A tag that fills the field has no zero byte at its end. */
	memcpy(fs->config.tag, options->tag, strnlen(options->tag, DEVICE_FS_TAG));
	fs->config.queues = htole32(QUEUES - QUEUE_REQUEST);
	fs->latency = options->latency;
	fs->bandwidth = options->bandwidth;
	fs->epoch = options->epoch;
	fs->device = (struct device){
		.class = &fs_class,
		.config = &fs->config,
		.config_size = sizeof(fs->config),
		.due = WIRE_TIME_NEVER,
	};
	*out = &fs->device;
	return 0;
}
