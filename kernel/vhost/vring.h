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
 * A buffer the guest made available: parts that the device may read, then parts that it may write.
 * It may be kept while it is in flight. Access its bytes only by vring_chain_read() and the
 * functions below, which check that the memory is still mapped; a system call would fail with
 * EFAULT on truncated memory.
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
 * Map a region of the guest's memory file @fd (stays the caller's). -EBADMSG if it is not within
 * the file, overlaps another or does not begin at a page, or if the file cannot be guest memory;
 * -ENOSPC if there are too many; or the error of mmap. If a guest truncates its memory later, the
 * missing part reads as zeros, see vring_memory_lost().
 */
int vring_memory_add(struct vring_memory *memory, int fd, uint64_t guest_address,
		     uint64_t user_address, uint64_t size, uint64_t file_offset);
void vring_memory_clear(struct vring_memory *memory);

/* The mapping of @size bytes at an address; NULL if they are not in one region. */
void *vring_memory_at_guest(const struct vring_memory *memory, uint64_t address, uint64_t size);
void *vring_memory_at_user(const struct vring_memory *memory, uint64_t address, uint64_t size);

/* Whether an access to any guest's memory has failed since the program started. */
bool vring_memory_lost(void);

/* The same for this memory. */
bool vring_memory_is_lost(const struct vring_memory *memory);

/*
 * Check the addresses of the ring: aligned, in memory, size a power of two. 0 or -EBADMSG with
 * ring->problem. The functions below check again, because memory can change in between.
 */
int vring_check(struct vring *ring);

/* Whether the ring is set up and enabled, so that chains can be taken. */
bool vring_ready(const struct vring *ring);

/*
 * Take the next available chain. Returns 1 with *@chain filled, 0 without one or if the ring is not
 * ready, -EBADMSG with ring->problem.
 */
int vring_take(struct vring *ring, struct vring_chain *chain);

/*
 * The chain that starts at descriptor @head, for one that is in flight: used by a replay to find
 * the buffer of a record, and by the relay to find what a device program has written to.
 */
int vring_chain_at(struct vring *ring, uint16_t head, struct vring_chain *chain);

/*
 * Copy from the readable, to the writable part at @offset; returns the number of bytes: 0 if the
 * guest has set up other memory since.
 */
size_t vring_chain_read(const struct vring_chain *chain, size_t offset, void *data, size_t size);
size_t vring_chain_write(const struct vring_chain *chain, size_t offset, const void *data,
			 size_t size);
/* Read back from the writable part. */
size_t vring_chain_read_back(const struct vring_chain *chain, size_t offset, void *data,
			     size_t size);

/*
 * Give the chain back with @written bytes written: an entry in the used ring, then its index.
 * -EBADMSG when the used ring is not in guest memory.
 */
int vring_complete(struct vring *ring, uint16_t head, uint32_t written);

/*
 * For the relay: the entry that a device program has added to the used ring at next_used. Returns 1
 * with *@head and *@written, and advances next_used; 0 without one.
 */
int vring_next_used(struct vring *ring, uint16_t *head, uint32_t *written);

/* Whether the guest wants calls for used buffers (VRING_AVAIL_F_NO_INTERRUPT is not set). */
bool vring_wants_call(const struct vring *ring);

#endif
