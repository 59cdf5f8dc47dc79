/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device's side of a split vring in a guest's memory.
 *
 * Nothing in the ring is trusted: every index, address, length and link is checked before it is
 * used, and each field is read once. An invalid ring is -EBADMSG with an error message; the caller
 * closes that device and touches nothing else.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, section 2.7 (split virtqueues), 2.7.5.3 (indirect
 * descriptors). VIRTIO_F_EVENT_IDX and packed rings are not offered.
 */
#ifndef TTREC_VRING_H
#define TTREC_VRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define VRING_REGIONS_MAX 8
#define VRING_SIZE_MAX	  1024 /* entries; virtio_uml makes rings of 256 */
/* Descriptors of one chain, indirect ones included. */
#define VRING_CHAIN_MAX 1024

#define VRING_PROBLEM_TEXT 160

/* One piece of guest memory that a device may see. */
struct vring_region {
	uint64_t guest_address; /* as in descriptors */
	uint64_t user_address;	/* as in the addresses of rings */
	uint64_t size;
	uint8_t *data; /* mapped here */
};

struct vring_memory {
	struct vring_region region[VRING_REGIONS_MAX];
	unsigned int count;
	uint64_t generation; /* counts how often it was cleared: chains of before are void */
};

struct vring {
	const struct vring_memory *memory;
	uint64_t desc, avail, used; /* user addresses */
	uint16_t size;		    /* entries, a power of two; 0: not set up */
	uint16_t next_avail;	    /* index of the next chain to take */
	uint16_t next_used;
	bool enabled;
	char problem[VRING_PROBLEM_TEXT]; /* of the last -EBADMSG */
};

/*
 * A buffer the guest made available: what the device may read, then what it may write. It may be
 * kept while it is in flight. Its bytes are for vring_chain_read() and its kin: they check that the
 * memory is still mapped; a system call would fail with EFAULT on truncated memory.
 */
struct vring_chain {
	const struct vring_memory *memory;
	uint64_t generation; /* of @memory */
	uint16_t head;
	unsigned int read_count, write_count;
	size_t read_size, write_size; /* bytes */
	struct iovec read[VRING_CHAIN_MAX], write[VRING_CHAIN_MAX];
};

/*
 * Map a region of the guest's memory file @fd (stays the caller's). -EBADMSG when it does not lie
 * within the file, overlaps another or does not begin at a page, or when the file cannot be guest
 * memory; -ENOSPC when there are too many; what mmap says. A guest that truncates its memory later
 * does no harm: the missing part reads as zero, see vring_memory_lost().
 */
int vring_memory_add(struct vring_memory *memory, int fd, uint64_t guest_address,
		     uint64_t user_address, uint64_t size, uint64_t file_offset);
void vring_memory_clear(struct vring_memory *memory);

/* Where @size bytes at an address are mapped; NULL when they do not all lie in one region. */
void *vring_memory_at_guest(const struct vring_memory *memory, uint64_t address, uint64_t size);
void *vring_memory_at_user(const struct vring_memory *memory, uint64_t address, uint64_t size);

/* Has memory of some guest disappeared under an access since the program started? */
bool vring_memory_lost(void);

/* Has some of this? */
bool vring_memory_is_lost(const struct vring_memory *memory);

/*
 * Can the addresses of the ring be used: aligned, in memory, size a power of two? 0 or -EBADMSG
 * with ring->problem. The functions below look again, because memory can change in between.
 */
int vring_check(struct vring *ring);

/* Is the ring set up and enabled, so that chains can be taken? */
bool vring_ready(const struct vring *ring);

/*
 * Take the next available chain. Returns 1 with *@chain filled, 0 when there is none or the ring is
 * not ready, -EBADMSG with ring->problem.
 */
int vring_take(struct vring *ring, struct vring_chain *chain);

/*
 * The chain that starts at descriptor @head, for one that is in flight: how a replay finds the
 * buffer that a record speaks of, and the interposer what a foreign device has written to.
 */
int vring_chain_at(struct vring *ring, uint16_t head, struct vring_chain *chain);

/*
 * Copy from the readable, to the writable part at @offset; returns how many bytes there were: none
 * when the guest has given other memory since.
 */
size_t vring_chain_read(const struct vring_chain *chain, size_t offset, void *data, size_t size);
size_t vring_chain_write(const struct vring_chain *chain, size_t offset, const void *data,
			 size_t size);
/* Read back what was written: from the writable part. */
size_t vring_chain_read_back(const struct vring_chain *chain, size_t offset, void *data,
			     size_t size);

/*
 * Give the chain back with @written bytes written: an entry in the used ring, then its index.
 * -EBADMSG when the used ring is not in guest memory.
 */
int vring_complete(struct vring *ring, uint16_t head, uint32_t written);

/*
 * The entry of the used ring that a foreign device has made after next_used, for the interposer:
 * returns 1 with *@head and *@written and moves next_used, 0 when there is none.
 */
int vring_next_used(struct vring *ring, uint16_t *head, uint32_t *written);

/* Does the guest want to be called for used buffers (VRING_AVAIL_F_NO_INTERRUPT not set)? */
bool vring_wants_call(const struct vring *ring);

#endif
