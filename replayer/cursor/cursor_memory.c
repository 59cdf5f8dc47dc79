// SPDX-License-Identifier: BSD-3-Clause
/* The cursor and the guest's memory: digests, and the bit that is flipped to see it found. */
#include <inttypes.h>
#include <string.h>

#include "format/base/array.h"
#include "replayer/cursor/cursor_internal.h"

/* Limit of all parts of a list of block hashes, bytes: that of a guest with 100 GB of memory. */
#define HASHES_MAX (256u << 20)

/* A block that can no longer be read is reported without its bytes. */
static void recover_block(const struct cursor *cursor, const struct trace_record *record,
			  struct cursor_memory *memory)
{
	const struct memory_digest recorded = { .region = memory->region,
						.block_size = memory->block_size,
						.low = record->digest.low,
						.high = record->digest.high };

	memory_recover(cursor->guest->memory, &recorded, memory->address, &memory->difference);
}

static void note_memory(struct cursor *cursor, const struct trace_record *record,
			const struct memory_digest *digest, bool located, uint64_t address)
{
	struct cursor_memory *memory = &cursor->report->memory;

	cursor->report->digests_unequal++;
	if (memory->differs)
		return;
	*memory = (struct cursor_memory){ .differs = true,
					  .record = record->number,
					  .now = record->now,
					  .region = digest->region,
					  .block_size = digest->block_size,
					  .located = located,
					  .address = address };
	if (located)
		recover_block(cursor, record, memory);
}

static int collect_hashes(struct cursor *cursor, const struct trace_record *record)
{
	if (record->payload_size > HASHES_MAX - cursor->hashes_size)
		return -EBADMSG;
	if (array_room(cursor->block_hashes, cursor->hashes_space,
		       cursor->hashes_size + record->payload_size, 4096))
		return -ENOMEM;
	if (record->payload_size)
		memcpy(cursor->block_hashes + cursor->hashes_size, record->payload,
		       record->payload_size);
	cursor->hashes_size += record->payload_size;
	return 0;
}

/* A guest whose addresses were not fixed may have got another amount of memory than it has here. */
static int replay_resized(struct cursor *cursor, const struct trace_record *record)
{
	cursor->report->digests_unequal++;
	return cursor->options->compare_memory
		       ? cursor_diverge(cursor, record, true, "the recorded memory",
					"memory of another size")
		       : 0;
}

/* Hash and compare. */
static int replay_whole_digest(struct cursor *cursor, const struct trace_record *record)
{
	unsigned int region = (unsigned int)record->digest.region;
	struct memory_digest digest;
	const void *block_hashes;
	uint64_t address = 0;
	size_t size;
	int differs, err;

	err = guest_hash_memory(cursor->guest, region, &digest, &block_hashes, &size);
	if (err == -EIO || (err && diagnosis_shortage(err)))
		return err;
	if (err)
		return cursor_diverge(cursor, record, true, "memory that can be read",
				      "none: the guest's memory cannot be found");
	differs = memory_compare(cursor->guest->memory, region, cursor->block_hashes,
				 cursor->hashes_size, &address);
	if (differs == -ERANGE)
		return replay_resized(cursor, record);
	if (differs < 0)
		return differs;
	cursor->report->digests++;
	if (digest.low == record->digest.low && digest.high == record->digest.high)
		return 0;
	note_memory(cursor, record, &digest, differs == 1, address);
	if (cursor->options->visitor && cursor->options->visitor->debugs) {
		cursor->report->marked = true;
		return 0;
	}
	return cursor->options->compare_memory
		       ? cursor_diverge(cursor, record, true, "the recorded memory", "other memory")
		       : 0;
}

/* Parts of the block hashes before the last one are only collected. */
int cursor_replay_digest(struct cursor *cursor, const struct trace_record *record)
{
	int err;

	if (record->digest.region >= MEMORY_REGIONS)
		return 0; /* a later version's */
	if (cursor->options->replaced)
		return 0; /* it has its memory elsewhere */
	err = collect_hashes(cursor, record);
	if (!err && record->digest.block_size) {
		err = replay_whole_digest(cursor, record);
		cursor->hashes_size = 0;
	}
	return err == -EBADMSG ? cursor_doubt(cursor, record, "the list of block hashes") : err;
}

int cursor_flip_bit(struct cursor *cursor)
{
	const struct cursor_flip *flip = &cursor->options->flip;
	uint8_t byte;
	int err;

	if (!cursor->guest->memory)
		return diagnose(cursor->why, EXIT_USAGE, -EINVAL,
				"give a record after the first memory digest",
				"no memory is known in which to flip a bit before record %" PRIu64,
				flip->record);
	err = memory_read(cursor->guest->memory, flip->region, flip->address, &byte, 1);
	byte ^= (uint8_t)(1u << flip->bit);
	if (!err)
		err = memory_write(cursor->guest->memory, flip->region, flip->address, &byte, 1);
	return err ? diagnose(cursor->why, EXIT_USAGE, err, "see `--help`",
			      "cannot flip a bit at %#" PRIx64 ": %s", flip->address,
			      strerror(-err))
		   : 0;
}
