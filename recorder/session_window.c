// SPDX-License-Identifier: BSD-3-Clause
/*
 * Islands and windows: how far guests may run without hearing of each other.
 *
 * Let L be the shortest way between two islands. The first that an island can hear of another is L
 * after that one's first event, or, if it sends a frame itself, the answer, 2 L after that. So it
 * runs up to there without asking, and its window is narrowed when it sends something. All islands
 * run their windows at the same time. When all are through, frames that nobody can send an earlier
 * one than are switched in the order in which they were sent, records are written that nothing can
 * come before any more, and everybody has the next window. How far each runs depends on virtual
 * time alone, never on who was quicker.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/units.h"
#include "recorder/session_internal.h"

/* A window is no longer than this: what was recorded is written. */
#define WINDOW_MAX_NS (10 * NS_PER_S)
/* Records that wait for the end of a window; past this some are written before, if they can be. */
#define WEAVE_ENOUGH (32u * 1024 * 1024)
#define WEAVE_MAX    (1024u * 1024 * 1024)
/* Frames that wait for the end of a window, bytes. */
#define OUTGOING_MAX (256u * 1024 * 1024)

int session_add_island(struct session *session, uint32_t expected, size_t *number)
{
	struct calendar_options options = session->options.calendar;
	struct island *island = calloc(1, sizeof(*island)), **grown;
	int err;

	grown = realloc(session->island, (session->island_count + 1) * sizeof(*grown));
	if (grown)
		session->island = grown;
	if (!grown || !island) {
		free(island);
		return -ENOMEM;
	}
	options.expected = expected;
	err = calendar_create(&options, &island->calendar);
	if (err) {
		free(island);
		return err;
	}
	island->session = session;
	island->number = session->island_count;
	*number = session->island_count;
	session->island[session->island_count++] = island;
	return 0;
}

void session_window_release(struct session *session)
{
	for (size_t i = 0; i < session->island_count; i++) {
		struct island *island = session->island[i];

		for (size_t j = 0; j < island->outgoing_count; j++)
			network_frame_release(island->outgoing[j].frame);
		calendar_destroy(island->calendar);
		free(island->client);
		free(island->device);
		free(island->outgoing);
		free(island);
	}
	for (size_t i = 0; i < session->outbox_count; i++)
		free(session->outbox[i]);
	free(session->outbox);
	free(session->island);
}

static size_t next_sequence(const struct island *island)
{
	size_t count = island->outgoing_count;

	return count ? island->outgoing[count - 1].sequence + 1 : 0;
}

static void report_frames(struct session *session)
{
	if (session->over)
		return;
	diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -ENOBUFS,
		 "a guest sends for long at one moment of virtual time: let it wait in between",
		 "frames that were sent in one window need more than 256 MiB of memory");
	session_finish(session, SESSION_HUNG);
}

static void outbox_put(struct network_outbox *interface, struct network_port *port, uint64_t time,
		       struct network_frame *frame)
{
	struct outbox *outbox = (struct outbox *)interface;
	struct island *island = outbox->island;

	island->session->outgoing_bytes += frame->size;
	if (island->session->outgoing_bytes > OUTGOING_MAX) {
		report_frames(island->session);
		network_frame_release(frame);
		return;
	}
	if (island->outgoing_count == island->outgoing_space) {
		size_t space = island->outgoing_space ? 2 * island->outgoing_space : 64;
		struct outgoing *grown = realloc(island->outgoing, space * sizeof(*grown));

		if (!grown) {
			network_frame_release(frame);
			diagnose(&island->session->result->diagnosis, EXIT_CANNOT, -ENOMEM, NULL,
				 "out of memory for the frames of a window");
			session_finish(island->session, SESSION_FAULT);
			return;
		}
		island->outgoing = grown;
		island->outgoing_space = space;
	}
	island->outgoing[island->outgoing_count] =
		(struct outgoing){ .port = port,
				   .time = time,
				   .network = outbox->network,
				   .sequence = next_sequence(island),
				   .frame = frame };
	island->outgoing_count++;
	/* The answer can be here then. Most often the UPDATE before the kick has seen to it. */
	calendar_narrow_window(island->calendar, time + 2 * island->session->lookahead);
}

static int add_outbox(struct session *session, struct island *island, struct outbox **outbox)
{
	struct outbox **grown =
		realloc(session->outbox, (session->outbox_count + 1) * sizeof(*grown));

	*outbox = calloc(1, sizeof(**outbox));
	if (grown)
		session->outbox = grown;
	if (!grown || !*outbox) {
		free(*outbox);
		return -ENOMEM;
	}
	**outbox = (struct outbox){ .interface.put = outbox_put,
				    .island = island,
				    .network = session->network_count };
	session->outbox[session->outbox_count++] = *outbox;
	return 0;
}

int session_add_network(struct session *session, struct network *network,
			struct network_port *const *ports, struct device *const *devices,
			const size_t *islands, size_t count)
{
	uint64_t lookahead = network_lookahead(network);
	struct outbox *outbox;
	bool crosses = false;
	int err;

	for (size_t i = 1; i < count; i++)
		crosses |= islands[i] != islands[0];
	if (crosses && lookahead < session->lookahead)
		session->lookahead = lookahead;
	for (size_t i = 0; i < count; i++) {
		if (!crosses) {
			network_port_connect(ports[i], devices[i], NULL);
			continue;
		}
		err = add_outbox(session, session->island[islands[i]], &outbox);
		if (err)
			return err;
		network_port_connect(ports[i], devices[i], &outbox->interface);
	}
	session->network_count++;
	return 0;
}

void session_report_deadlock(struct session *session)
{
	char text[160], where[384] = "";
	size_t length = 0;

	for (size_t i = 0; i < session->island_count; i++) {
		uint32_t position = 0;

		while (length + sizeof(text) < sizeof(where) &&
		       calendar_describe(session->island[i]->calendar, &position, text,
					 sizeof(text)))
			length += (size_t)snprintf(where + length, sizeof(where) - length, "%s%s",
						   length ? "; " : "", text);
	}
	diagnose(&session->result->diagnosis, EXIT_DIVERGED, -EDEADLK,
		 "a guest that is done should power off; --limit-virtual ends one that waits for "
		 "nothing",
		 "everybody sleeps forever: %s", where);
	session_finish(session, SESSION_DEADLOCK);
}

void session_report_limit(struct session *session)
{
	char limit[UNITS_TEXT];

	diagnose(&session->result->diagnosis, EXIT_DIVERGED, -ETIME, "raise --limit-virtual",
		 "the limit of %s s of virtual time was reached",
		 duration_exact(session->options.calendar.limit, limit));
	session_finish(session, SESSION_LIMIT);
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

/* How many frames @island has sent before @time. They stand in the order of time. */
static size_t count_sent(const struct island *island, uint64_t time)
{
	size_t count = 0;

	while (count < island->outgoing_count && island->outgoing[count].time < time)
		count++;
	return count;
}

/* Move the frames that were sent before @time to @frames, which has room for them. */
static size_t take_frames(struct session *session, uint64_t time, struct outgoing *frames)
{
	size_t total = 0;

	for (size_t i = 0; i < session->island_count; i++) {
		struct island *island = session->island[i];
		size_t count = count_sent(island, time);

		if (!count)
			continue;
		for (size_t j = 0; j < count; j++)
			session->outgoing_bytes -= island->outgoing[j].frame->size;
		island->outgoing_count -= count;
		memcpy(frames + total, island->outgoing, count * sizeof(*frames));
		memmove(island->outgoing, island->outgoing + count,
			island->outgoing_count * sizeof(*frames));
		total += count;
	}
	return total;
}

/* Those that were sent before @time, in the order of time, network, port. */
static int switch_sent(struct session *session, uint64_t time)
{
	struct outgoing *frames;
	size_t count = 0;
	int err = 0;

	for (size_t i = 0; i < session->island_count; i++)
		count += count_sent(session->island[i], time);
	frames = malloc(count * sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	count = take_frames(session, time, frames);
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

static uint64_t first_sent(const struct session *session)
{
	uint64_t time = WIRE_TIME_NEVER;

	for (size_t i = 0; i < session->island_count; i++)
		if (session->island[i]->outgoing_count)
			time = earlier(time, session->island[i]->outgoing[0].time);
	return time;
}

static uint64_t next_event(struct session *session)
{
	uint64_t time = WIRE_TIME_NEVER;

	for (size_t i = 0; i < session->island_count; i++) {
		session_house_update(session, session->island[i]);
		time = earlier(time, calendar_next_event(session->island[i]->calendar));
	}
	return time;
}

/*
 * In the order of time, the same however far apart the guests ran: as long as nobody can send an
 * earlier frame, be it because of one that was just switched.
 */
static int switch_frames(struct session *session)
{
	uint64_t sent, next;
	int err = 0;

	while (!err && (sent = first_sent(session)) < (next = next_event(session)))
		err = switch_sent(session, earlier(sent + session->lookahead, next));
	return err;
}

/* An island with nobody left has no more to do in any window. */
static bool is_done(const struct island *island)
{
	if (!island->guests_left)
		return true;
	return !island->absent && calendar_window_done(island->calendar);
}

/* Before the window ends: what is older than where everybody is may be written. */
static void write_early(struct session *session)
{
	uint64_t time = WIRE_TIME_NEVER;

	if (!session->weave || weave_size(session->weave) < WEAVE_ENOUGH)
		return;
	for (size_t i = 0; i < session->island_count; i++) {
		const struct island *island = session->island[i];
		uint64_t next = is_done(island) ? calendar_next_event(island->calendar)
						: island_now(island);

		if (next < time)
			time = next;
	}
	weave_write(session->weave, time);
	if (weave_size(session->weave) < WEAVE_MAX)
		return;
	diagnose(&session->result->diagnosis, EXIT_CANNOT, -ENOBUFS,
		 "a guest runs for long at one moment of virtual time while others fill the trace: "
		 "record it alone, or with less output",
		 "records of one window need more than 1 GiB of memory");
	session_finish(session, SESSION_STORAGE);
}

/* The first event of anybody but one island: of the first island, that is the second's. */
struct first_events {
	uint64_t first, second;
	const struct island *island; /* whose the first is */
};

static void note_event(struct first_events *events, const struct island *island, uint64_t time)
{
	if (time < events->first) {
		events->second = events->first;
		events->first = time;
		events->island = island;
	} else if (time < events->second) {
		events->second = time;
	}
}

static void report_stuck(struct session *session, int err)
{
	diagnose(&session->result->diagnosis, EXIT_CANNOT, err, NULL,
		 "cannot go on to the next window: %s", strerror(-err));
	session_finish(session, SESSION_STORAGE);
}

/*
 * Each window lets the island of the first event have it: no other end is earlier than that. Where
 * none is opened, none ever would be.
 */
static void open_windows(struct session *session, const struct first_events *events)
{
	uint64_t limit = session->options.calendar.limit;
	uint64_t longest = events->first + WINDOW_MAX_NS;
	bool is_first = !session->begun, is_opened = false;

	session->begun = true;
	if (limit)
		longest = earlier(longest, limit);
	for (size_t i = 0; i < session->island_count && !session->over; i++) {
		struct island *island = session->island[i];
		uint64_t other = island == events->island ? events->second : events->first;
		uint64_t end = longest;

		if (other < WIRE_TIME_NEVER && session->lookahead < WIRE_TIME_NEVER)
			end = earlier(longest, other + session->lookahead);
		if (!island->guests_left)
			continue;
		/* One that sleeps beyond it stays done, and hears of the next. */
		if (!is_first && calendar_next_event(island->calendar) >= end)
			continue;
		if (is_first && session->lookahead < WIRE_TIME_NEVER)
			calendar_set_reach(island->calendar, 2 * session->lookahead);
		is_opened = true;
		calendar_open_window(island->calendar, end);
		session_carry_out(session, island);
	}
	if (!is_opened)
		report_stuck(session, -EDEADLK);
}

/* The next that happens on @island, or what it did last that others have yet to hear of. */
static uint64_t first_event(const struct island *island)
{
	uint64_t next = calendar_next_event(island->calendar);

	return island->outgoing_count ? earlier(next, island->outgoing[0].time) : next;
}

static struct first_events find_first(struct session *session)
{
	struct first_events events = { WIRE_TIME_NEVER, WIRE_TIME_NEVER, NULL };

	for (size_t i = 0; i < session->island_count; i++) {
		struct island *island = session->island[i];

		session_house_update(session, island);
		note_event(&events, island, session->begun ? first_event(island) : 0);
	}
	return events;
}

static void next_window(struct session *session)
{
	uint64_t limit = session->options.calendar.limit;
	struct first_events events;
	int err = switch_frames(session);

	events = find_first(session);
	/* Whatever is still to come comes at the first event or later. */
	if (!err && session->weave)
		err = weave_write(session->weave, events.first);
	if (err)
		report_stuck(session, err);
	else if (events.first >= WIRE_TIME_NEVER)
		session_report_deadlock(session);
	else if (limit && events.first >= limit)
		session_report_limit(session);
	else
		open_windows(session, &events);
}

static bool are_all_done(const struct session *session)
{
	for (size_t i = 0; i < session->island_count && session->begun; i++)
		if (!is_done(session->island[i]))
			return false;
	return session->guests_left || session->clients_left;
}

bool session_advance(struct session *session)
{
	if (!session->options.calendar.windowed || session->over)
		return false;
	if (are_all_done(session))
		next_window(session);
	else
		write_early(session);
	return !session->over && are_all_done(session);
}
