// SPDX-License-Identifier: BSD-3-Clause
/* The interfaces of a guest other than time and devices: entropy, memory digests, exit. */
#include "recorder/session/member/session_guest.h"

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "kernel/guest/guest_shortage.h"
#include "recorder/session/member/session_client.h"
#include "recorder/session/member/session_device.h"
#include "recorder/session/member/session_program.h"

int session_guest_create(struct session_guests *all, struct guest *guest,
			 struct partition *partition, uint64_t seed)
{
	struct session_guest *added = calloc(1, sizeof(*added));

	if (!added || array_push(all->guest, all->count, added)) {
		free(added);
		return -ENOMEM;
	}
	*added = (struct session_guest){ .all = all,
					 .guest = guest,
					 .partition = partition,
					 .index = (uint32_t)all->count - 1 };
	all->left++;
	partition->guests_left++;
	partition->absent++;
	added->device = calloc(guest->spec->device_count + 1, sizeof(*added->device));
	if (!added->device)
		return -ENOMEM;
	return entropy_stream_create(seed, guest->spec->id, &added->entropy);
}

static void destroy(struct session_guest *guest)
{
	for (size_t i = 0; guest->device && i < guest->guest->spec->device_count; i++)
		session_device_release(&guest->device[i]);
	entropy_stream_destroy(guest->entropy);
	free(guest->device);
	free(guest->console.text);
	free(guest);
}

void session_guests_release(struct session_guests *all)
{
	for (size_t i = 0; i < all->count; i++)
		destroy(all->guest[i]);
	free(all->guest);
}

/* How many bytes it gets. 0 refuses a guest that opens the device again and again. */
static size_t entropy_size(const struct guest *guest, const struct entropy_request *request)
{
	if (request->source == ENTROPY_DEV_RANDOM && guest->held_count >= ENTROPY_OPENS_MAX)
		return 0;
	return request->requested < ENTROPY_CALL_MAX ? request->requested : ENTROPY_CALL_MAX;
}

void session_guest_answer_entropy(struct session_guest *guest)
{
	const struct entropy_request *request = &guest->entropy_request;
	struct trace_record record = { .kind = TRACE_entropy,
				       .guest = guest->index,
				       .now = partition_now(guest->partition) };
	auto_free void *data = NULL;

	record.entropy.source = request->source;
	record.entropy.requested = request->requested;
	record.payload_size = entropy_size(guest->guest, request);
	record.payload = data = malloc(record.payload_size + 1);
	if (!data) {
		outcome_no_memory(guest->partition->outcome);
		return;
	}
	entropy_stream_take(guest->entropy, data, record.payload_size);
	partition_record(guest->partition, &record);
	effects_add_data(guest->partition->effects,
			 (struct effect){ .kind = EFFECT_ENTROPY, .guest = guest }, data,
			 record.payload_size);
}

static void record_digest(struct session_guest *guest, const struct memory_digest *digest,
			  const uint8_t *hashes, size_t size)
{
	struct trace_record record = { .kind = TRACE_digest,
				       .guest = guest->index,
				       .now = partition_now(guest->partition) };

	/* Only the last part has a block size and a hash, see ttrace(5). */
	record.digest.region = digest->region;
	for (; size > TRACE_PAYLOAD_MAX; hashes += TRACE_PAYLOAD_MAX, size -= TRACE_PAYLOAD_MAX) {
		record.payload = hashes;
		record.payload_size = TRACE_PAYLOAD_MAX;
		partition_record(guest->partition, &record);
	}
	record.digest.block_size = digest->block_size;
	record.digest.low = digest->low;
	record.digest.high = digest->high;
	record.payload = hashes;
	record.payload_size = size;
	partition_record(guest->partition, &record);
}

static bool is_digest_due(const struct session_guests *all, struct client *client)
{
	uint64_t wait = ++client->wait_count;

	if (all->digest == DIGEST_OFF || wait < client->next_digest)
		return false;
	if (all->digest == DIGEST_EVERY)
		client->next_digest = wait + all->digest_every;
	else
		/*
		 * At twice as many WAITs each time: many digests early, and little cost in a long
		 * run.
		 */
		client->next_digest = 2 * wait;
	return true;
}

void session_guest_digest(struct session_guest *guest)
{
	struct session_result *result = guest->partition->outcome->result;

	if (!journal_is_kept(guest->partition->journal) ||
	    !is_digest_due(guest->all, guest->client))
		return;
	for (unsigned int region = 0; region < MEMORY_REGIONS; region++) {
		struct memory_digest digest;
		const void *hashes;
		size_t size;
		int err;

		err = guest_hash_memory(guest->guest, region, &digest, &hashes, &size);
		/* It left with its message still unread, which is fine. */
		if (err && err != -ESRCH)
			result->digest_error = err;
		if (err)
			continue;
		record_digest(guest, &digest, hashes, size);
		result->digests++;
	}
}

void session_guest_record_exit(struct session_guest *guest)
{
	struct trace_record record = { .kind = TRACE_exit,
				       .guest = guest->index,
				       .now = partition_now(guest->partition) };

	session_guest_record_console(guest);
	guest->result.last_line = final_output_line(&guest->final_output);
	session_guest_detach_probe(guest);
	record.exit.status = (uint64_t)guest->result.status;
	record.exit.signal = (uint64_t)guest->result.signal;
	partition_record(guest->partition, &record);
	guest->state = GUEST_SETTLED;
	if (guest->guest->sandbox.killed)
		guest->result.hint = GUEST_KILLED_HINT;
	guest->result.ended = true;
	/*
	 * The moment at which its process ends depends on the host; other guests may have run on.
	 */
	guest->result.ended_now = guest->left < WIRE_TIME_NEVER ? guest->left : record.now;
	guest->partition->guests_left--;
	guest->partition->absent--;
	guest->all->left--;
}

void session_guest_harvest(struct session_guest *guest)
{
	for (size_t i = 0; guest->linked && i < guest->guest->spec->device_count; i++)
		if (guest->device[i].link && guest->device[i].state != DEVICE_AWAITED)
			program_link_harvest(&guest->device[i]);
}
