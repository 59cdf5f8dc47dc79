// SPDX-License-Identifier: BSD-3-Clause
/*
 * A disk that serves one request at a time, each with its virtual duration.
 *
 * Source: VIRTIO 1.2, section 5.2; drivers/block/virtio_blk.c, Linux 5.10 to 7.2.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/device/device.h"
#include "recorder/device/device_disk_store.h"

#define NS_PER_S 1000000000ull

#define DISK_F_SIZE_MAX	    (1ull << 1)
#define DISK_F_SEG_MAX	    (1ull << 2)
#define DISK_F_RO	    (1ull << 5)
#define DISK_F_BLK_SIZE	    (1ull << 6)
#define DISK_F_FLUSH	    (1ull << 9)
#define DISK_F_DISCARD	    (1ull << 13)
#define DISK_F_WRITE_ZEROES (1ull << 14)

enum {
	DISK_IN = 0,
	DISK_OUT = 1,
	DISK_FLUSH = 4,
	DISK_GET_ID = 8,
	DISK_DISCARD = 11,
	DISK_WRITE_ZEROES = 13,
};

enum { DISK_S_OK = 0, DISK_S_IOERR, DISK_S_UNSUPP };

/* Segments are one page, and the data of a request fits into one record of the trace. */
#define SEGMENT_SIZE 4096u
#define SEGMENTS     56u
#define DATA_MAX     (SEGMENTS * SEGMENT_SIZE)
_Static_assert(DATA_MAX <= 224 * 1024, "fits a record with what comes around it");

#define ID_SIZE		  20
#define ZERO_SECTORS_MAX  (1u << 22)
#define ZERO_FLAG_UNMAP	  1u
#define ZERO_ALIGN_SECTOR 8u

/* struct virtio_blk_config up to what WRITE_ZEROES needs. */
struct disk_config {
	uint64_t capacity;
	uint32_t size_max, seg_max;
	uint32_t geometry;
	uint32_t blk_size;
	uint32_t topology[2];
	uint8_t wce, unused;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[3];
};
_Static_assert(sizeof(struct disk_config) == 64, "60 bytes, and 4 that nobody asks for");

struct disk_header {
	uint32_t type, priority;
	uint64_t sector;
};

struct disk_range {
	uint64_t sector;
	uint32_t sectors, flags;
};

struct device_disk {
	struct device device;
	struct disk_config config;
	struct disk_store *store;
	bool read_only;
	uint64_t latency, flush_latency, bandwidth;
	char id[ID_SIZE];
	/* The request that is being served. */
	bool busy;
	uint64_t done_at;
	uint16_t
		next_avail; /* of the vring at that time: a ring that is set up again has another */
	struct vring_chain chain;
};

/* ---- What a request does -------------------------------------------------------------------- */

/* The status of a request (DISK_S_*), or a negative errno of this machine's files. */

static int store_result(int err)
{
	/* The guest truncated its memory. */
	if (err == -EFAULT)
		return DISK_S_IOERR;
	/* File systems use this errno for a bad checksum; of a device it means an invalid ring. */
	return err == -EBADMSG ? -EIO : err;
}

static bool is_on_disk(const struct device_disk *disk, uint64_t sector, uint64_t size)
{
	uint64_t sectors = disk_store_size(disk->store) / DISK_SECTOR;

	return !(size % DISK_SECTOR) && sector <= sectors && size / DISK_SECTOR <= sectors - sector;
}

static int serve_read(struct device_disk *disk, uint64_t sector)
{
	struct vring_chain *chain = &disk->chain;
	struct iovec part[VRING_CHAIN_MAX];
	size_t size = chain->write_size - 1;

	if (!is_on_disk(disk, sector, size))
		return DISK_S_IOERR;
	memcpy(part, chain->write, chain->write_count * sizeof(part[0]));
	return store_result(
		disk_store_read(disk->store, sector * DISK_SECTOR, part, chain->write_count, size));
}

/* The data after the header, which may end within a segment. Returns the number of segments. */
static unsigned int data_to_write(const struct vring_chain *chain, struct iovec *part)
{
	size_t skip = sizeof(struct disk_header);
	unsigned int from = 0, count;

	while (from < chain->read_count && skip >= chain->read[from].iov_len)
		skip -= chain->read[from++].iov_len;
	count = chain->read_count - from;
	memcpy(part, chain->read + from, count * sizeof(part[0]));
	if (skip) {
		part[0].iov_base = (uint8_t *)part[0].iov_base + skip;
		part[0].iov_len -= skip;
	}
	return count;
}

static int serve_write(struct device_disk *disk, uint64_t sector)
{
	struct iovec part[VRING_CHAIN_MAX];
	size_t size = disk->chain.read_size - sizeof(struct disk_header);
	unsigned int count = data_to_write(&disk->chain, part);

	if (disk->read_only || !is_on_disk(disk, sector, size))
		return DISK_S_IOERR;
	return store_result(disk_store_write(disk->store, sector * DISK_SECTOR, part, count, size));
}

/* DISCARD writes zeros, too, so that later reads depend only on the trace. */
static int serve_zeroes(struct device_disk *disk, uint32_t known_flags)
{
	struct disk_range range;
	uint64_t sector, size;

	if (disk->chain.read_size != sizeof(struct disk_header) + sizeof(range))
		return DISK_S_IOERR;
	vring_chain_read(&disk->chain, sizeof(struct disk_header), &range, sizeof(range));
	if (le32toh(range.flags) & ~known_flags)
		return DISK_S_UNSUPP;
	sector = le64toh(range.sector);
	size = (uint64_t)le32toh(range.sectors) * DISK_SECTOR;
	if (disk->read_only || size > (uint64_t)ZERO_SECTORS_MAX * DISK_SECTOR ||
	    !is_on_disk(disk, sector, size))
		return DISK_S_IOERR;
	return store_result(disk_store_zero(disk->store, sector * DISK_SECTOR, size));
}

static int serve_id(struct device_disk *disk)
{
	size_t size = disk->chain.write_size - 1;

	vring_chain_write(&disk->chain, 0, disk->id, size < ID_SIZE ? size : ID_SIZE);
	return DISK_S_OK;
}

static int serve(struct device_disk *disk)
{
	struct disk_header header = { 0 };

	vring_chain_read(&disk->chain, 0, &header, sizeof(header));
	switch (le32toh(header.type)) {
	case DISK_IN:
		return serve_read(disk, le64toh(header.sector));
	case DISK_OUT:
		return serve_write(disk, le64toh(header.sector));
	case DISK_FLUSH:
		return DISK_S_OK;
	case DISK_GET_ID:
		return serve_id(disk);
	case DISK_DISCARD:
		return serve_zeroes(disk, 0);
	case DISK_WRITE_ZEROES:
		return serve_zeroes(disk, ZERO_FLAG_UNMAP);
	default:
		return DISK_S_UNSUPP;
	}
}

/* ---- When ----------------------------------------------------------------------------------- */

static bool is_flush(const struct device_disk *disk)
{
	struct disk_header header = { 0 };

	vring_chain_read(&disk->chain, 0, &header, sizeof(header));
	return le32toh(header.type) == DISK_FLUSH;
}

static uint64_t service_time(const struct device_disk *disk)
{
	uint64_t size =
		disk->chain.read_size + disk->chain.write_size - sizeof(struct disk_header) - 1;
	uint64_t latency = is_flush(disk) ? disk->flush_latency : disk->latency;
	uint64_t transfer = 0;

	if (disk->bandwidth)
		transfer = (size * NS_PER_S + disk->bandwidth - 1) / disk->bandwidth;
	return device_time_add(latency, transfer);
}

/* Start the next request. Returns 1, 0 when there is none, or -EBADMSG. */
static int begin_request(struct device_disk *disk, unsigned int *budget)
{
	struct vring_chain *chain = &disk->chain;
	struct device *device = &disk->device;
	int err = device_take(device, 0, budget, chain);

	if (err <= 0)
		return err;
	if (chain->read_size < sizeof(struct disk_header))
		return device_problem(device, 0, "a request of %zu bytes", chain->read_size);
	if (!chain->write_size)
		return device_problem(device, 0, "a request without a status byte");
	if (chain->read_size > sizeof(struct disk_header) + DATA_MAX ||
	    chain->write_size > DATA_MAX + 1)
		return device_problem(device, 0, "a request for %zu bytes: the maximum is %u",
				      chain->read_size + chain->write_size, DATA_MAX);
	disk->busy = true;
	disk->next_avail = device->vhost->ring[0].next_avail;
	disk->done_at = device_time_add(device->host->now(device), service_time(disk));
	return 1;
}

/* Whether the guest has set up the vring or memory again since the request was taken. */
static bool is_void(const struct device_disk *disk)
{
	const struct vring *ring = &disk->device.vhost->ring[0];

	return !vring_ready(ring) || ring->next_avail != disk->next_avail ||
	       disk->chain.generation != disk->chain.memory->generation;
}

static int end_request(struct device_disk *disk)
{
	struct vring_chain *chain = &disk->chain;
	uint8_t status;
	int result;

	disk->busy = false;
	if (is_void(disk))
		return 0;
	result = serve(disk);
	if (result < 0)
		return result;
	status = (uint8_t)result;
	vring_chain_write(chain, chain->write_size - 1, &status, sizeof(status));
	/* The status is the last byte: the whole chain counts as written. */
	return device_complete(&disk->device, 0, chain, (uint32_t)chain->write_size);
}

/* Complete the request that is due, start the next. */
static int work(struct device_disk *disk)
{
	struct device *device = &disk->device;
	unsigned int budget = DEVICE_BUDGET;
	int err = 1;

	while (err > 0) {
		if (!disk->busy)
			err = begin_request(disk, &budget);
		if (err <= 0 || disk->done_at > device->host->now(device))
			break;
		err = end_request(disk);
		err = err ? err : 1;
	}
	if (disk->busy && err >= 0)
		device_schedule(device, disk->done_at);
	return err < 0 ? err : 0;
}

static int disk_kick(struct device *device, unsigned int queue)
{
	struct device_disk *disk = (struct device_disk *)device;
	unsigned int budget = 1;
	int err = 1;

	if (queue)
		return device_problem(device, queue, "a disk has no queue %u", queue);
	if (disk->busy && is_void(disk))
		disk->busy = false;
	if (!disk->busy)
		err = begin_request(disk, &budget);
	if (err > 0)
		device_schedule(device, disk->done_at);
	return err < 0 ? err : 0;
}

static int disk_fire(struct device *device)
{
	device_unschedule(device);
	return work((struct device_disk *)device);
}

/* ---- Making one ----------------------------------------------------------------------------- */

static void disk_destroy(struct device *device)
{
	disk_store_close(((struct device_disk *)device)->store);
	free(device);
}

static const struct device_class disk_class = {
	.name = "disk",
	.virtio_id = 2,
	.queues = 1,
	.features = DISK_F_SIZE_MAX | DISK_F_SEG_MAX | DISK_F_BLK_SIZE | DISK_F_FLUSH,
	.kick = disk_kick,
	.fire = disk_fire,
	.destroy = disk_destroy,
};

static struct disk_config make_config(uint64_t size)
{
	return (struct disk_config){
		.capacity = htole64(size / DISK_SECTOR),
		.size_max = htole32(SEGMENT_SIZE),
		.seg_max = htole32(SEGMENTS),
		.blk_size = htole32(DISK_SECTOR),
		.max_discard_sectors = htole32(ZERO_SECTORS_MAX),
		.max_discard_seg = htole32(1),
		.discard_sector_alignment = htole32(ZERO_ALIGN_SECTOR),
		.max_write_zeroes_sectors = htole32(ZERO_SECTORS_MAX),
		.max_write_zeroes_seg = htole32(1),
		.write_zeroes_may_unmap = 1,
	};
}

int device_disk_create(const struct device_disk_options *options, struct device **out)
{
	struct device_disk *disk = calloc(1, sizeof(*disk));
	int err;

	if (!disk)
		return -ENOMEM;
	err = disk_store_open(options->content ?: options->image, options->size, &disk->store);
	if (err) {
		free(disk);
		return err;
	}
	disk->config = make_config(disk_store_size(disk->store));
	disk->read_only = options->read_only;
	disk->latency = options->latency;
	disk->flush_latency = options->flush_latency;
	disk->bandwidth = options->bandwidth;
	if (options->serial)
		memcpy(disk->id, options->serial, strnlen(options->serial, ID_SIZE));
	disk->device = (struct device){
		.class = &disk_class,
		.features = options->read_only ? DISK_F_RO : DISK_F_DISCARD | DISK_F_WRITE_ZEROES,
		.config = &disk->config,
		.config_size = sizeof(disk->config),
		.due = WIRE_TIME_NEVER,
	};
	*out = &disk->device;
	return 0;
}
