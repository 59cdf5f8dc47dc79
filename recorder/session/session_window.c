// SPDX-License-Identifier: BSD-3-Clause
/*
 * Partitions and windows: how far guests may run without affecting each other.
 *
 * Let L be the smallest delay between two partitions. The first event of one that can affect
 * another is L after that one's first event, or, if it sends a frame itself, the answer, 2 L after
 * that. So a partition runs up to there without asking, and its window is narrowed when it sends
 * something. All partitions run their windows at the same time. When all have finished, frames are
 * switched in the order in which they were sent, as far as no earlier one can still be sent;
 * records are written as far as no earlier one can follow; and the next windows are opened. How far
 * each partition runs depends on virtual time alone, never on the speed of the host.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/units.h"
#include "recorder/session/session_device_turn.h"
#include "recorder/session/session_turn.h"
#include "recorder/session/session_window.h"

/* The longest window, so that records are written. */
#define WINDOW_MAX_NS (10 * NS_PER_S)
/* Records that wait for the end of a window. Beyond this, those that can be are written earlier. */
#define MERGE_ENOUGH (32u * 1024 * 1024)
#define MERGE_MAX    (1024u * 1024 * 1024)
/* Frames that wait for the end of a window, bytes. */
#define OUTGOING_MAX (256u * 1024 * 1024)

struct outbox {
	struct network_outbox interface; /* first: the network uses only this */
	struct window *window;
	struct partition *partition;
	size_t network;
};

void window_release(struct window *window)
{
	for (size_t i = 0; i < window->outbox_count; i++)
		free(window->outbox[i]);
	free(window->outbox);
}

static size_t next_sequence(const struct partition *partition)
{
	size_t count = partition->outgoing_count;

	return count ? partition->outgoing[count - 1].sequence + 1 : 0;
}

static void report_frames(const struct partition *partition)
{
	struct outcome *outcome = partition->outcome;
	const struct client *sender = partition_running(partition);
	char size[UNITS_TEXT];

	diagnose(
		outcome_reason(outcome), EXIT_PROTOCOL, -ENOBUFS,
		"let it wait for virtual time in between",
		"%s keeps sending: frames that were sent in one window need more than %s of memory",
		sender && sender->guest ? sender->guest->guest->spec->name : "a guest",
		size_text(OUTGOING_MAX, size));
	outcome_finish(outcome, SESSION_HUNG);
}

static void report_no_memory(struct outcome *outcome)
{
	diagnose(outcome_reason(outcome), EXIT_CANNOT, -ENOMEM, NULL,
		 "out of memory for the frames of a window");
	outcome_finish(outcome, SESSION_FAULT);
}

static void outbox_put(struct network_outbox *interface, struct network_port *port, uint64_t time,
		       struct network_frame *frame)
{
	struct outbox *outbox = (struct outbox *)interface;
	struct partition *partition = outbox->partition;
	struct window *window = outbox->window;
	bool fits = window->outgoing_bytes + frame->size <= OUTGOING_MAX;

	if (!fits || array_room(partition->outgoing, partition->outgoing_space,
				partition->outgoing_count + 1, 64)) {
		network_frame_release(frame);
		if (fits)
			report_no_memory(partition->outcome);
		else
			report_frames(partition);
		return;
	}
	window->outgoing_bytes += frame->size;
	partition->outgoing[partition->outgoing_count] =
		(struct outgoing){ .port = port,
				   .time = time,
				   .network = outbox->network,
				   .sequence = next_sequence(partition),
				   .frame = frame };
	partition->outgoing_count++;
	/*
	 * An answer can arrive after that. Usually the UPDATE before the kick has narrowed the
	 * window already.
	 */
	calendar_narrow_window(partition->calendar, time + 2 * window->lookahead);
}

static int add_outbox(struct window *window, struct partition *partition, struct outbox **outbox)
{
	*outbox = calloc(1, sizeof(**outbox));
	if (!*outbox || array_push(window->outbox, window->outbox_count, *outbox)) {
		free(*outbox);
		return -ENOMEM;
	}
	**outbox = (struct outbox){ .interface.put = outbox_put,
				    .window = window,
				    .partition = partition,
				    .network = window->network_count };
	return 0;
}

int window_add_network(struct turn *turn, struct network *network,
		       struct network_port *const *ports, struct device *const *devices,
		       const size_t *partitions, size_t count)
{
	uint64_t lookahead = network_lookahead(network);
	struct window *window = &turn->window;
	struct outbox *outbox;
	bool crosses = false;
	int err;

	for (size_t i = 1; i < count; i++)
		crosses |= partitions[i] != partitions[0];
	if (crosses && lookahead < window->lookahead)
		window->lookahead = lookahead;
	for (size_t i = 0; i < count; i++) {
		if (!crosses) {
			network_port_connect(ports[i], devices[i], NULL);
			continue;
		}
		err = add_outbox(window, turn->partition[partitions[i]], &outbox);
		if (err)
			return err;
		network_port_connect(ports[i], devices[i], &outbox->interface);
	}
	window->network_count++;
	return 0;
}

static int compare_outgoing(const void *left, const void *right)
{
	const struct outgoing *a = left, *b = right;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->network != b->network)
		return a->network < b->network ? -1 : 1;
	if (a->port != b->port)
		return network_port_number(a->port) < network_port_number(b->port) ? -1 : 1;
	return a->sequence < b->sequence ? -1 : 1;
}

/* The number of frames that @partition has sent before @time. They are in the order of time. */
static size_t count_sent(const struct partition *partition, uint64_t time)
{
	size_t count = 0;

	while (count < partition->outgoing_count && partition->outgoing[count].time < time)
		count++;
	return count;
}

/* Move the frames that were sent before @time to @frames, which has room for them. */
static size_t take_frames(struct turn *turn, uint64_t time, struct outgoing *frames)
{
	size_t total = 0;

	for (size_t i = 0; i < turn->partition_count; i++) {
		struct partition *partition = turn->partition[i];
		size_t count = count_sent(partition, time);

		if (!count)
			continue;
		for (size_t j = 0; j < count; j++)
			turn->window.outgoing_bytes -= partition->outgoing[j].frame->size;
		partition->outgoing_count -= count;
		memcpy(frames + total, partition->outgoing, count * sizeof(*frames));
		memmove(partition->outgoing, partition->outgoing + count,
			partition->outgoing_count * sizeof(*frames));
		total += count;
	}
	return total;
}

/* Collect frames that were sent before @time, in the order of time, network, port. */
static int switch_sent(struct turn *turn, uint64_t time)
{
	struct outgoing *frames;
	size_t count = 0;
	int err = 0;

	for (size_t i = 0; i < turn->partition_count; i++)
		count += count_sent(turn->partition[i], time);
	frames = malloc(count * sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	count = take_frames(turn, time, frames);
	qsort(frames, count, sizeof(*frames), compare_outgoing);
	for (size_t i = 0; i < count && !err; i++)
		err = network_switch(frames[i].port, frames[i].time, frames[i].frame);
	free(frames);
	return err;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t first_sent(const struct turn *turn)
{
	uint64_t time = WIRE_TIME_NEVER;

	for (size_t i = 0; i < turn->partition_count; i++)
		if (turn->partition[i]->outgoing_count)
			time = earlier(time, turn->partition[i]->outgoing[0].time);
	return time;
}

static uint64_t next_event(struct turn *turn)
{
	uint64_t time = WIRE_TIME_NEVER;

	for (size_t i = 0; i < turn->partition_count; i++) {
		device_turn_update(turn, turn->partition[i]);
		time = earlier(time, calendar_next_event(turn->partition[i]->calendar));
	}
	return time;
}

/*
 * Switch frames in the order of time, which does not depend on how far guests have run: as long as
 * no guest can send an earlier frame, also not because of one just switched.
 */
static int switch_frames(struct turn *turn)
{
	uint64_t sent, next;
	int err = 0;

	while (!err && (sent = first_sent(turn)) < (next = next_event(turn)))
		err = switch_sent(turn, earlier(sent + turn->window.lookahead, next));
	return err;
}

/* Before the end of the window, records older than the time of all guests may be written. */
static void write_early(struct turn *turn)
{
	uint64_t time = WIRE_TIME_NEVER;

	if (journal_waiting(&turn->journal) < MERGE_ENOUGH)
		return;
	for (size_t i = 0; i < turn->partition_count; i++) {
		const struct partition *partition = turn->partition[i];
		uint64_t next = partition_is_done(partition)
					? calendar_next_event(partition->calendar)
					: partition_now(partition);

		if (next < time)
			time = next;
	}
	journal_write(&turn->journal, time);
	if (journal_waiting(&turn->journal) < MERGE_MAX)
		return;
	diagnose(outcome_reason(&turn->outcome), EXIT_CANNOT, -ENOBUFS,
		 "a guest keeps running at one virtual time while others fill the trace: record it "
		 "alone, or with less output",
		 "records of one window need more than 1 GiB of memory");
	outcome_finish(&turn->outcome, SESSION_STORAGE);
}

/* The first event of all partitions, and that of all partitions except the one that has it. */
struct first_events {
	uint64_t first, second;
	const struct partition *partition; /* whose the first is */
};

static void note_event(struct first_events *events, const struct partition *partition,
		       uint64_t time)
{
	if (time < events->first) {
		events->second = events->first;
		events->first = time;
		events->partition = partition;
	} else if (time < events->second) {
		events->second = time;
	}
}

static void report_stuck(struct turn *turn, int err)
{
	diagnose(outcome_reason(&turn->outcome), EXIT_CANNOT, err, NULL,
		 "cannot open the next window: %s", strerror(-err));
	outcome_finish(&turn->outcome, SESSION_STORAGE);
}

/*
 * Each window includes the first event of all partitions, so time advances. If no window can be
 * opened now, none could be later.
 */
static void open_windows(struct turn *turn, const struct first_events *events)
{
	uint64_t limit = turn->calendar.limit;
	uint64_t longest = events->first + WINDOW_MAX_NS;
	bool is_first = !turn->window.begun, is_opened = false;

	turn->window.begun = true;
	if (limit)
		longest = earlier(longest, limit);
	for (size_t i = 0; i < turn->partition_count && !turn->outcome.over; i++) {
		struct partition *partition = turn->partition[i];
		uint64_t other = partition == events->partition ? events->second : events->first;
		uint64_t end = longest;

		if (other < WIRE_TIME_NEVER && turn->window.lookahead < WIRE_TIME_NEVER)
			end = earlier(longest, other + turn->window.lookahead);
		if (!partition->guests_left)
			continue;
		/* A partition that sleeps beyond the window remains done. */
		if (!is_first && calendar_next_event(partition->calendar) >= end)
			continue;
		if (is_first && turn->window.lookahead < WIRE_TIME_NEVER)
			calendar_set_reach(partition->calendar, 2 * turn->window.lookahead);
		is_opened = true;
		calendar_open_window(partition->calendar, end);
		turn_carry_out(turn, partition);
		turn_touched(turn, partition);
	}
	if (!is_opened)
		report_stuck(turn, -EDEADLK);
}

/* The next event of @partition, or the last one whose consequences others do not know. */
static uint64_t first_event(const struct partition *partition)
{
	uint64_t next = calendar_next_event(partition->calendar);

	return partition->outgoing_count ? earlier(next, partition->outgoing[0].time) : next;
}

static struct first_events find_first(struct turn *turn)
{
	struct first_events events = { WIRE_TIME_NEVER, WIRE_TIME_NEVER, NULL };

	for (size_t i = 0; i < turn->partition_count; i++) {
		struct partition *partition = turn->partition[i];

		device_turn_update(turn, partition);
		note_event(&events, partition, turn->window.begun ? first_event(partition) : 0);
	}
	return events;
}

static void next_window(struct turn *turn)
{
	uint64_t limit = turn->calendar.limit;
	struct first_events events;
	int err = switch_frames(turn);

	events = find_first(turn);
	/* All future events are at the first event or later. */
	if (!err)
		err = journal_write(&turn->journal, events.first);
	if (err)
		report_stuck(turn, err);
	else if (events.first >= WIRE_TIME_NEVER)
		fault_report_deadlock(turn);
	else if (limit && events.first >= limit)
		fault_report_limit(turn);
	else
		open_windows(turn, &events);
}

static bool are_all_done(const struct turn *turn)
{
	return (!turn->window.begun || !turn->busy) && (turn->guests.left || turn->clients.left);
}

bool window_advance(struct turn *turn)
{
	if (!turn->calendar.windowed || turn->outcome.over)
		return false;
	if (!are_all_done(turn))
		write_early(turn);
	else if (!fault_report(turn))
		next_window(turn);
	return !turn->outcome.over && are_all_done(turn);
}
