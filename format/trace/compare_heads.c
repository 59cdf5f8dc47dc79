// SPDX-License-Identifier: BSD-3-Clause
/*
 * How much of two traces is equal, by the chains of their chunks alone.
 *
 * In every trace chunks end at all multiples of CHUNK_RECORDS_MAX, so both have these places. The
 * first chunk from there on with a record of a guest contains the guest's chain at that place. If
 * one trace has more side data before it than the other, record numbers and chains differ: then
 * equal records are read as well, with the same result.
 */
#include "format/base/array.h"
#include "format/trace/compare.h"

#include <errno.h>
#include <stdlib.h>

/* No guest has this number: of records chunks, head and table of guests are unpacked, no more. */
#define GUEST_NONE TRACE_GUEST_LIMIT

/* The chunks of one trace, without their records. */
struct heads {
	struct frame_reader frames;
	struct index_footer footer;
	bool indexed;		  /* chunks are found by the index, otherwise in places */
	bool ended;		  /* its end exists, with the chains of all guests */
	struct index_item *place; /* chunks at the multiples, in order */
	size_t place_count;
	uint64_t last; /* number of the last such chunk, or a bound of it */
};

static void heads_close(struct heads *heads)
{
	frame_reader_release(&heads->frames);
	free(heads->place);
}

static int add_place(struct heads *heads, const struct chunk *chunk)
{
	if (chunk->number % CHUNK_RECORDS_MAX)
		return 0;
	heads->last = chunk->number;
	return array_push(heads->place, heads->place_count,
			  (struct index_item){
				  .offset = chunk->offset,
				  .number = chunk->number,
				  .now = chunk->now,
				  .type = CHUNK_RECORDS,
				  .frame = heads->frames.frames - 1,
			  });
}

/* A table of guests and their chains. */
struct table {
	const uint8_t *entry;
	size_t count;
};

static struct table chunk_table(const struct chunk *chunk)
{
	bool end = chunk->type == CHUNK_END;
	size_t before = CHUNK_HEAD_SIZE + (end ? 8 : 0);
	size_t count = end ? chunk->count : get_le16(chunk->content + 2);
	size_t room = !end && chunk->skipped ? count * GUEST_ENTRY_SIZE : 0;

	if (!chunk->skipped && chunk->size > before)
		room = chunk->size - before;
	if (count > room / GUEST_ENTRY_SIZE)
		count = room / GUEST_ENTRY_SIZE;
	return (struct table){ chunk->content + before, count };
}

static int see_guests(struct compare *compare, int s, const struct chunk *chunk)
{
	struct table table = chunk_table(chunk);

	for (; table.count; table.count--, table.entry += GUEST_ENTRY_SIZE) {
		uint32_t index = get_le32(table.entry);
		struct compare_guest *guest;

		if (index >= TRACE_GUEST_LIMIT)
			continue;
		guest = compare_guest(compare, index);
		if (!guest)
			return -ENOMEM;
		guest->seen[s] = true;
		if (chunk->type == CHUNK_END)
			guest->end_chain[s] = get_le64(table.entry + 4);
	}
	return 0;
}

/* The end alone, by the index: it has the chains of all guests. */
static int find_end(struct compare *compare, int s, struct heads *heads)
{
	struct index_item item;
	struct chunk chunk;

	if (index_open(compare->side[s].reader->fd, &heads->footer) || !heads->footer.entries ||
	    index_get(compare->side[s].reader->fd, &heads->footer, heads->footer.entries - 1,
		      &item) ||
	    item.type != CHUNK_END)
		return -ENOENT;
	frame_reader_jump(&heads->frames, item.offset, item.frame);
	if (frame_reader_next(&heads->frames, &chunk) != 1 || chunk.type != CHUNK_END)
		return -ENOENT;
	heads->indexed = heads->ended = true;
	heads->last = chunk.number;
	return see_guests(compare, s, &chunk);
}

/* All heads, one after the other, as far as the file is good. */
static int scan(struct compare *compare, int s, struct heads *heads)
{
	struct chunk chunk;
	int err = 0;

	frame_reader_jump(&heads->frames, 0, 0);
	while (!err && frame_reader_next(&heads->frames, &chunk) == 1) {
		heads->ended = chunk.type == CHUNK_END;
		if (chunk.type == CHUNK_RECORDS)
			err = add_place(heads, &chunk);
		if (!err && (chunk.type == CHUNK_RECORDS || heads->ended))
			err = see_guests(compare, s, &chunk);
	}
	return err;
}

static int heads_open(struct compare *compare, int s, struct heads *heads)
{
	int err = frame_reader_init(&heads->frames, compare->side[s].reader->fd);

	if (err)
		return err;
	frame_reader_follow(&heads->frames, GUEST_NONE);
	err = find_end(compare, s, heads);
	return err == -ENOENT ? scan(compare, s, heads) : err;
}

/* The chunk that begins with record @number, a multiple. */
static bool heads_find(struct heads *heads, uint64_t number, struct index_item *item)
{
	size_t i = number / CHUNK_RECORDS_MAX;

	if (heads->indexed)
		return !index_find(heads->frames.fd, &heads->footer, number, item) &&
		       item->number == number;
	if (i >= heads->place_count || heads->place[i].number != number)
		return false;
	*item = heads->place[i];
	return true;
}

/* The chains that were found at one place. */
struct look {
	uint32_t round;
	uint32_t missing[2]; /* guests whose chain is not known yet */
};

/* Returns false when the chains of a guest differ. */
static bool note_chain(struct compare_guest *guest, int s, uint64_t chain, struct look *look)
{
	if (guest->unwanted || guest->round[s] == look->round)
		return true;
	guest->round[s] = look->round;
	guest->chain[s] = chain;
	look->missing[s]--;
	return guest->round[!s] != look->round || guest->chain[!s] == chain;
}

static bool note_table(struct compare *compare, int s, const struct chunk *chunk, struct look *look)
{
	struct table table = chunk_table(chunk);

	for (; table.count; table.count--, table.entry += GUEST_ENTRY_SIZE) {
		uint32_t index = get_le32(table.entry);

		if (index < compare->guest_count &&
		    !note_chain(&compare->guest[index], s, get_le64(table.entry + 4), look))
			return false;
	}
	return true;
}

/* Who is not in the table of the end either has no record in this trace: its chain is 0. */
static bool note_absent(struct compare *compare, int s, struct look *look)
{
	for (uint32_t i = 0; i < compare->guest_count; i++)
		if (!note_chain(&compare->guest[i], s, 0, look))
			return false;
	return true;
}

/* The next chunk: false when chains differ, or it cannot be read. */
static bool look_further(struct compare *compare, int s, struct heads *heads, struct look *look)
{
	struct chunk chunk;

	if (frame_reader_next(&heads->frames, &chunk) != 1)
		return false;
	if (chunk.type == CHUNK_RECORDS)
		return note_table(compare, s, &chunk, look);
	if (chunk.type != CHUNK_END)
		return true;
	return note_table(compare, s, &chunk, look) && note_absent(compare, s, look);
}

/* Whether every wanted guest has the same chain at record @number. False in doubt. */
static bool equal_at(struct compare *compare, struct heads heads[2], uint32_t wanted,
		     uint64_t number, uint32_t round)
{
	struct look look = { round, { wanted, wanted } };
	struct index_item item;

	for (int s = 0; s < 2; s++) {
		if (!heads_find(&heads[s], number, &item))
			return false;
		frame_reader_jump(&heads[s].frames, item.offset, item.frame);
	}
	while (look.missing[0] || look.missing[1])
		for (int s = 0; s < 2; s++)
			if (look.missing[s] && !look_further(compare, s, &heads[s], &look))
				return false;
	return true;
}

/* Guests whose chains are equal at both ends are equal throughout. Returns how many are not. */
static uint32_t choose_guests(struct compare *compare, bool ended)
{
	uint32_t wanted = 0;

	for (uint32_t i = 0; i < compare->guest_count; i++) {
		struct compare_guest *guest = &compare->guest[i];

		guest->unwanted = (compare->options.guest != TRACE_GUEST_ALL &&
				   compare->options.guest != i) ||
				  (ended && guest->seen[0] == guest->seen[1] &&
				   guest->end_chain[0] == guest->end_chain[1]);
		wanted += !guest->unwanted;
	}
	return wanted;
}

/* The last multiple at which all chains are equal, and so everything before it. */
static uint64_t find_start(struct compare *compare, struct heads heads[2], uint32_t wanted)
{
	uint64_t last = heads[0].last < heads[1].last ? heads[0].last : heads[1].last;
	uint64_t low = 0, high = last / CHUNK_RECORDS_MAX;
	uint32_t round = 0;

	while (low < high) {
		uint64_t middle = high - (high - low) / 2;

		if (equal_at(compare, heads, wanted, middle * CHUNK_RECORDS_MAX, ++round))
			low = middle;
		else
			high = middle - 1;
	}
	return low * CHUNK_RECORDS_MAX;
}

static int skip(struct compare *compare, struct heads heads[2], struct index_item start[2])
{
	uint32_t wanted;
	int err = heads_open(compare, 0, &heads[0]);

	if (!err)
		err = heads_open(compare, 1, &heads[1]);
	if (err)
		return err;
	wanted = choose_guests(compare, heads[0].ended && heads[1].ended);
	compare->equal = !wanted && heads[0].ended && heads[1].ended;
	if (compare->equal)
		return 0;
	compare->skipped = find_start(compare, heads, wanted);
	for (int s = 0; s < 2 && compare->skipped; s++)
		heads_find(&heads[s], compare->skipped, &start[s]);
	return 0;
}

int compare_skip(struct compare *compare, struct index_item start[2])
{
	struct heads heads[2] = { 0 };
	int err = skip(compare, heads, start);

	heads_close(&heads[0]);
	heads_close(&heads[1]);
	return err;
}
