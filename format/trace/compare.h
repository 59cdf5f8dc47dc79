/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The interface behind trace_compare(), for callers that need more than the first difference.
 *
 * First, by the chains that chunks carry, as much of the beginning is passed over as is equal for
 * every guest (compare_heads.c). From there both traces are read side by side (compare.c): the
 * records of a guest in one trace wait in a queue for those of the other. After the first
 * difference of a guest, the follower takes its records out of the queues.
 */
#ifndef TTREC_COMPARE_H
#define TTREC_COMPARE_H

#include "format/trace/index.h"
#include "format/trace/reader.h"

/* So many records of a guest wait for the other trace at most. */
#define COMPARE_QUEUE_MAX 512

/* The compared parts of a record. */
struct compare_print {
	uint64_t number;
	uint64_t now;
	uint64_t field[TRACE_FIELDS_MAX];
	uint64_t payload; /* its hash */
	uint32_t payload_size;
	uint32_t kind;
};

/* A ring, @room a power of two. */
struct compare_queue {
	struct compare_print *print;
	uint32_t room, first, count;
};

static inline struct compare_print *compare_queue_at(const struct compare_queue *queue, uint32_t i)
{
	return &queue->print[(queue->first + i) & (queue->room - 1)];
}

static inline void compare_queue_drop(struct compare_queue *queue, uint32_t count)
{
	queue->first += count;
	queue->count -= count;
}

struct compare_guest {
	struct compare_queue queue[2]; /* of either trace */
	bool seen[2];		       /* that trace has records of it */
	bool unwanted;		       /* known to be equal to the end, or not asked for */
	bool lagging;		       /* looked at again alone: the traces have it too far apart */
	bool diverged;
	struct trace_difference first; /* when diverged */
	uint64_t end_chain[2];
	uint64_t chain[2]; /* at the current place, if round is the current one */
	uint32_t round[2];
};

/*
 * Take records from the fronts of both queues of a guest that has diverged: some, when either has
 * COMPARE_QUEUE_MAX, all when @final. @cut: the trace that has less is not whole, so that more
 * might have come. Returns 0 or -errno.
 */
typedef int compare_follow(void *context, uint32_t guest, struct compare_queue queue[2], bool final,
			   bool cut);

struct compare_side {
	struct trace_reader *reader;
	struct trace_record record; /* the next one, while got is 1 */
	int got;		    /* 1, 0 at the proper end, or the error that ended it */
};

struct compare {
	struct trace_compare_options options;
	compare_follow *follow; /* NULL: the first difference is all that is wanted */
	void *context;
	struct compare_side side[2];
	struct compare_guest *guest;
	uint32_t guest_count;
	uint32_t only;	     /* guest that is walked over, or TRACE_GUEST_ALL */
	uint64_t waiting[2]; /* records in queues of guests that have not diverged */
	uint64_t skipped;    /* records before this number were found equal by their chains */
	bool equal;	     /* all of them were: nothing was read */
	bool diverged;
	struct trace_difference first; /* the earliest of all guests, when diverged */
	int cut;		       /* which error ended one of them early, or 0 */
};

/*
 * Compare @a and @b from their beginnings, whatever their positions. Fills @compare, also on
 * failure. Returns 0 if they were compared, also if one of them ended early, or -ENOMEM or the
 * error of the follower.
 */
int compare_run(struct compare *compare, struct trace_reader *a, struct trace_reader *b,
		const struct trace_compare_options *options, compare_follow *follow, void *context);
void compare_release(struct compare *compare);

/* Whether both are equal except for ignored parts. */
bool compare_equal(const struct compare *compare, const struct compare_print *a,
		   const struct compare_print *b);
bool compare_records(const struct compare *compare, const struct trace_record *a,
		     const struct trace_record *b);

/* Between the two files. */

/* The entry of @index, made if need be; NULL when memory is short. */
struct compare_guest *compare_guest(struct compare *compare, uint32_t index);

/*
 * The places from which both traces have to be read, in *@start: everything before is equal by its
 * chains; sets equal, skipped, and which guests are wanted. Returns 0 or -ENOMEM.
 */
int compare_skip(struct compare *compare, struct index_item start[2]);

#endif
