// SPDX-License-Identifier: BSD-3-Clause
/* A split vring from the device's side: chains out of it, used entries into it. */
#include "kernel/vhost/vring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Source: VIRTIO 1.2, 2.7.5 to 2.7.8. */
#define DESCRIPTOR_NEXT	    1
#define DESCRIPTOR_WRITE    2
#define DESCRIPTOR_INDIRECT 4
#define AVAIL_NO_INTERRUPT  1

/* Packed because an indirect table may lie anywhere. */
struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
} __attribute__((packed));
_Static_assert(sizeof(struct descriptor) == 16, "a descriptor has 16 bytes");

struct avail_ring {
	uint16_t flags;
	uint16_t index;
	uint16_t ring[];
};

struct used_entry {
	uint32_t head;
	uint32_t written;
};

struct used_ring {
	uint16_t flags;
	uint16_t index;
	struct used_entry ring[];
};

/* A table of descriptors: the ring's own or an indirect one. */
struct table {
	const volatile struct descriptor *entry;
	uint32_t size;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct vring *ring, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(ring->problem, sizeof(ring->problem), format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

static struct descriptor *ring_descriptors(const struct vring *ring)
{
	return vring_memory_at_user(ring->memory, ring->desc,
				    ring->size * sizeof(struct descriptor));
}

static struct avail_ring *ring_avail(const struct vring *ring)
{
	return vring_memory_at_user(ring->memory, ring->avail,
				    sizeof(struct avail_ring) + ring->size * sizeof(uint16_t));
}

static struct used_ring *ring_used(const struct vring *ring)
{
	return vring_memory_at_user(ring->memory, ring->used,
				    sizeof(struct used_ring) +
					    ring->size * sizeof(struct used_entry));
}

int vring_check(struct vring *ring)
{
	if (!ring->size || ring->size > VRING_SIZE_MAX || ring->size & (ring->size - 1))
		return refuse(ring, "a vring of %u entries: expected a power of two up to %u",
			      ring->size, VRING_SIZE_MAX);
	/* VIRTIO 1.2, 2.7 */
	if (ring->desc % 16 || ring->avail % 2 || ring->used % 4)
		return refuse(ring,
			      "misaligned vring: descriptors at 0x%" PRIx64
			      ", available at 0x%" PRIx64 ", used at 0x%" PRIx64,
			      ring->desc, ring->avail, ring->used);
	if (!ring_descriptors(ring) || !ring_avail(ring) || !ring_used(ring))
		return refuse(ring,
			      "vring outside of its memory: descriptors at 0x%" PRIx64
			      ", available at 0x%" PRIx64 ", used at 0x%" PRIx64,
			      ring->desc, ring->avail, ring->used);
	return 0;
}

bool vring_ready(const struct vring *ring)
{
	return ring->enabled && ring->size;
}

/* ---- Chains --------------------------------------------------------------------------------- */

static int add_buffer(struct vring *ring, struct vring_chain *chain, const struct descriptor *entry)
{
	bool writable = entry->flags & DESCRIPTOR_WRITE;
	void *data;

	if (!writable && chain->write_count)
		return refuse(ring, "chain %u: a readable buffer after a writable one",
			      chain->head);
	if (chain->read_count + chain->write_count == VRING_CHAIN_MAX)
		return refuse(ring, "chain %u: more than %u buffers", chain->head, VRING_CHAIN_MAX);
	data = vring_memory_at_guest(ring->memory, entry->address, entry->length);
	if (!data)
		return refuse(ring,
			      "chain %u: %" PRIu32 " bytes at 0x%" PRIx64 " are not in its memory",
			      chain->head, entry->length, entry->address);
	if (writable) {
		chain->write[chain->write_count++] = (struct iovec){ data, entry->length };
		chain->write_size += entry->length;
	} else {
		chain->read[chain->read_count++] = (struct iovec){ data, entry->length };
		chain->read_size += entry->length;
	}
	if (chain->read_size + chain->write_size > UINT32_MAX)
		return refuse(ring, "chain %u: 4 GiB or more", chain->head);
	return 0;
}

/* The WRITE flag of the entry that refers to the table means nothing (VIRTIO 1.2, 2.7.5.3.2). */
static int open_indirect(struct vring *ring, const struct vring_chain *chain,
			 const struct descriptor *entry, struct table *table)
{
	if (entry->flags & DESCRIPTOR_NEXT)
		return refuse(ring, "chain %u: continues after an indirect table", chain->head);
	if (!entry->length || entry->length % sizeof(struct descriptor) ||
	    entry->length > VRING_CHAIN_MAX * sizeof(struct descriptor))
		return refuse(ring, "chain %u: an indirect table of %" PRIu32 " bytes", chain->head,
			      entry->length);
	table->entry = vring_memory_at_guest(ring->memory, entry->address, entry->length);
	table->size = entry->length / sizeof(struct descriptor);
	if (!table->entry)
		return refuse(ring,
			      "chain %u: its indirect table at 0x%" PRIx64 " is not in its memory",
			      chain->head, entry->address);
	return 0;
}

/* Adds what @table has from @next on; an indirect table is left in *@indirect. */
static int walk_table(struct vring *ring, struct vring_chain *chain, struct table table,
		      uint32_t next, struct table *indirect)
{
	for (uint32_t steps = 0; steps < table.size; steps++) {
		const volatile struct descriptor *source = &table.entry[next];
		/* Read once, so that the checked value is the one used. */
		const struct descriptor entry = { source->address, source->length, source->flags,
						  source->next };
		int err;

		if (entry.flags & DESCRIPTOR_INDIRECT) {
			if (!indirect)
				return refuse(ring, "chain %u: nested indirect tables",
					      chain->head);
			return open_indirect(ring, chain, &entry, indirect);
		}
		err = add_buffer(ring, chain, &entry);
		if (err || !(entry.flags & DESCRIPTOR_NEXT))
			return err;
		next = entry.next;
		if (next >= table.size)
			return refuse(ring, "chain %u: next descriptor %" PRIu32 " of %" PRIu32,
				      chain->head, next, table.size);
	}
	return refuse(ring, "chain %u: loops", chain->head);
}

int vring_chain_at(struct vring *ring, uint16_t head, struct vring_chain *chain)
{
	struct table table = { ring_descriptors(ring), ring->size }, indirect = {};
	int err;

	chain->memory = ring->memory;
	chain->generation = ring->memory->generation;
	chain->head = head;
	chain->read_count = chain->write_count = 0;
	chain->read_size = chain->write_size = 0;
	if (!table.entry)
		return refuse(ring, "its descriptors are outside of its memory");
	if (head >= ring->size)
		return refuse(ring, "chain head %u of %u", head, ring->size);
	err = walk_table(ring, chain, table, head, &indirect);
	if (!err && indirect.entry)
		err = walk_table(ring, chain, indirect, 0, NULL);
	return err;
}

/* ---- The available and the used ring -------------------------------------------------------- */

int vring_take(struct vring *ring, struct vring_chain *chain)
{
	const struct avail_ring *avail = ring_avail(ring);
	uint16_t index, ahead, head;
	int err;

	if (!vring_ready(ring))
		return 0;
	if (!avail)
		return refuse(ring, "its available ring is outside of its memory");
	index = __atomic_load_n(&avail->index, __ATOMIC_ACQUIRE);
	ahead = (uint16_t)(index - ring->next_avail);
	if (!ahead)
		return 0;
	if (ahead > ring->size)
		return refuse(ring, "%u chains made available in a ring of %u", ahead, ring->size);
	head = __atomic_load_n(&avail->ring[ring->next_avail & (ring->size - 1)], __ATOMIC_RELAXED);
	err = vring_chain_at(ring, head, chain);
	if (err)
		return err;
	ring->next_avail++;
	return 1;
}

int vring_complete(struct vring *ring, uint16_t head, uint32_t written)
{
	struct used_ring *used = ring_used(ring);
	struct used_entry *entry;

	if (!used || !ring->size)
		return refuse(ring, "its used ring is outside of its memory");
	if (head >= ring->size)
		return refuse(ring, "chain head %u of %u", head, ring->size);
	entry = &used->ring[ring->next_used & (ring->size - 1)];
	*entry = (struct used_entry){ head, written };
	__atomic_store_n(&used->index, ++ring->next_used, __ATOMIC_RELEASE);
	return 0;
}

int vring_next_used(struct vring *ring, uint16_t *head, uint32_t *written)
{
	const struct used_ring *used = ring_used(ring);
	const struct used_entry *entry;
	uint16_t ahead;
	uint32_t id;

	if (!used || !ring->size)
		return refuse(ring, "its used ring is outside of its memory");
	ahead = (uint16_t)(__atomic_load_n(&used->index, __ATOMIC_ACQUIRE) - ring->next_used);
	if (!ahead)
		return 0;
	if (ahead > ring->size)
		return refuse(ring, "%u chains used in a ring of %u", ahead, ring->size);
	entry = &used->ring[ring->next_used & (ring->size - 1)];
	id = __atomic_load_n(&entry->head, __ATOMIC_RELAXED);
	if (id >= ring->size)
		return refuse(ring, "used chain head %" PRIu32 " of %u", id, ring->size);
	*head = (uint16_t)id;
	*written = __atomic_load_n(&entry->written, __ATOMIC_RELAXED);
	ring->next_used++;
	return 1;
}

bool vring_wants_call(const struct vring *ring)
{
	const struct avail_ring *avail = ring_avail(ring);

	return avail && !(__atomic_load_n(&avail->flags, __ATOMIC_RELAXED) & AVAIL_NO_INTERRUPT);
}

/* ---- The bytes of a chain ------------------------------------------------------------------- */

enum direction { FROM_GUEST, TO_GUEST };

static size_t copy(const struct vring_chain *chain, const struct iovec *part, unsigned int count,
		   size_t offset, uint8_t *data, size_t size, enum direction direction)
{
	size_t done = 0;

	if (chain->generation != chain->memory->generation)
		return 0;
	for (; count && done < size; part++, count--) {
		size_t length;
		uint8_t *place;

		if (offset >= part->iov_len) {
			offset -= part->iov_len;
			continue;
		}
		place = (uint8_t *)part->iov_base + offset;
		length = part->iov_len - offset;
		length = length < size - done ? length : size - done;
		if (direction == TO_GUEST)
			memcpy(place, data + done, length);
		else
			memcpy(data + done, place, length);
		done += length;
		offset = 0;
	}
	return done;
}

size_t vring_chain_read(const struct vring_chain *chain, size_t offset, void *data, size_t size)
{
	return copy(chain, chain->read, chain->read_count, offset, data, size, FROM_GUEST);
}

size_t vring_chain_write(const struct vring_chain *chain, size_t offset, const void *data,
			 size_t size)
{
	return copy(chain, chain->write, chain->write_count, offset, (uint8_t *)data, size,
		    TO_GUEST);
}

size_t vring_chain_read_back(const struct vring_chain *chain, size_t offset, void *data,
			     size_t size)
{
	return copy(chain, chain->write, chain->write_count, offset, data, size, FROM_GUEST);
}
