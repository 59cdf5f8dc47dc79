// SPDX-License-Identifier: BSD-3-Clause
/* The doors of a guest but time and devices: entropy, console, memory at rest, its end. */
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "recorder/session_internal.h"

#define CONSOLE_CHUNK (64u * 1024)
/* At one look; more than its socket holds, so only a guest that writes meanwhile has more. */
#define CONSOLE_CHUNKS_MAX 256
/* Cleaned at once for a terminal. */
#define SHOWN_PIECE 4096
/* A guest that printed more than this at once gives the memory back. */
#define CONSOLE_KEPT (1u << 20)

/* Of several guests each line says whose it is; a line that another one interrupts is cut. */
static void show_console(struct session *session, const struct session_guest *guest,
			 const char *text, size_t size)
{
	if (session->guest_count == 1) {
		fwrite(text, 1, size, stdout);
		return;
	}
	for (size_t done = 0, length; done < size; done += length) {
		const char *end = memchr(text + done, '\n', size - done);

		length = end ? (size_t)(end - text) + 1 - done : size - done;
		if (session->console_open && session->console_guest != guest->index)
			putchar('\n');
		if (!session->console_open || session->console_guest != guest->index)
			printf("%s: ", guest->guest->spec->name);
		fwrite(text + done, 1, length, stdout);
		session->console_open = !end;
		session->console_guest = guest->index;
	}
}

/* A terminal must not act on what a guest prints. */
static void show_on_terminal(struct session *session, struct session_guest *guest, const char *text,
			     size_t size)
{
	char shown[SHOWN_PIECE + TERMINAL_TEXT_MORE];

	for (size_t done = 0, piece; done < size; done += piece) {
		piece = size - done < SHOWN_PIECE ? size - done : SHOWN_PIECE;
		show_console(session, guest, shown,
			     terminal_text_clean(&guest->shown, text + done, piece, shown));
	}
}

static void show(struct session *session, struct session_guest *guest, const char *text,
		 size_t size)
{
	if (!session->options.show_console)
		return;
	status_line_clear(&session->status);
	if (isatty(STDOUT_FILENO))
		show_on_terminal(session, guest, text, size);
	else
		show_console(session, guest, text, size);
	fflush(stdout);
}

/* What a CI is told is made of lines around the one that failed it. */
static void hear(struct session_guest *guest, uint64_t now, const char *text, size_t size)
{
	const struct watch *all = guest->session->watch;

	if (!guest->heard)
		return;
	ci_console_feed(guest->heard, now, text, size);
	if ((guest->watch && watch_failure(guest->watch, 0)) ||
	    (all && watch_failure(all, guest->index)))
		ci_console_mark(guest->heard);
}

static void judge_line(struct session *session, struct session_guest *guest, uint64_t now,
		       const char *text, size_t size)
{
	if (guest->watch)
		watch_feed(guest->watch, 0, now, text, size);
	if (session->watch)
		watch_feed(session->watch, guest->index, now, text, size);
	hear(guest, now, text, size);
	last_words_feed(&guest->last_words, text, size);
	guest->result.hint = guest->last_words.hint;
}

/* At the time that the trace has for it, however early it was seen. */
static void judge(struct session *session, struct session_guest *guest, const char *text,
		  size_t size)
{
	uint64_t now = island_now(guest->island);

	for (size_t done = 0, length; done < size; done += length) {
		const char *end = memchr(text + done, '\n', size - done);

		length = end ? (size_t)(end - text) + 1 - done : size - done;
		judge_line(session, guest, now, text + done, length);
	}
}

void session_guest_said(struct session *session, struct session_guest *guest, const char *text,
			size_t size)
{
	judge(session, guest, text, size);
	show(session, guest, text, size);
}

/*
 * Only so that it need not be read at each message when nothing is there: an event for each time
 * something comes, whether or not it was read before.
 */
static int watch_console(struct session *session, int fd, size_t index)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET,
				     .data.u64 = (uint64_t)SOURCE_CONSOLE << 32 | index };

	return epoll_ctl(session->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int session_add_guest(struct session *session, struct guest *guest,
		      const struct session_guest_options *options)
{
	struct session_guest *added = calloc(1, sizeof(*added)), **grown;
	size_t index = session->guest_count;
	int err;

	grown = realloc(session->guest, (index + 1) * sizeof(*grown));
	if (grown)
		session->guest = grown;
	if (!grown || !added) {
		free(added);
		return -ENOMEM;
	}
	*added = (struct session_guest){ .session = session,
					 .guest = guest,
					 .island = session->island[options->island],
					 .watch = options->watch,
					 .heard = options->heard,
					 .index = (uint32_t)index };
	session->guest[session->guest_count++] = added;
	session->guests_left++;
	added->island->guests_left++;
	added->island->absent++;
	added->device = calloc(guest->spec->device_count + 1, sizeof(*added->device));
	if (!added->device)
		return -ENOMEM;
	err = entropy_stream_create(options->seed, guest->spec->id, &added->entropy);
	if (!err)
		err = session_watch_fd(session, guest->room.keeper_fd, SOURCE_KEEPER, index);
	if (!err)
		err = session_watch_fd(session, guest->room.listen_fd, SOURCE_LISTEN, index + 1);
	if (!err && guest->room.entropy_fd >= 0)
		err = session_watch_fd(session, guest->room.entropy_fd, SOURCE_ENTROPY, index);
	if (!err)
		err = watch_console(session, guest->room.console_fd, index);
	return err;
}

static void report_flood(struct session *session, const struct session_guest *guest)
{
	char size[UNITS_TEXT], time[UNITS_TEXT];

	diagnose(&session->result->diagnosis, EXIT_PROTOCOL, -ENOBUFS,
		 "let it print less at once, or into a file; a loop that only prints sends no "
		 "message and takes no virtual time",
		 "%s printed more than %s on its console without a message, at t=%s s",
		 guest->guest->spec->name, size_text(GUEST_CONSOLE_MAX, size),
		 duration_exact(island_now(guest->island), time));
	session_finish(session, SESSION_HUNG);
}

/* Space for @size bytes more, which is no more than GUEST_CONSOLE_MAX and one look. */
static bool hold_console(struct session_guest *guest, size_t size)
{
	size_t space = guest->console_space;
	char *grown;

	while (space - guest->console_size < size)
		space = space ? 2 * space : CONSOLE_CHUNK;
	if (space == guest->console_space)
		return true;
	grown = realloc(guest->console, space);
	if (!grown)
		return false;
	guest->console = grown;
	guest->console_space = space;
	return true;
}

/*
 * Take output off the pipe without recording it yet: how far a running guest has come when we look
 * is the host's choice; what it wrote by its next message is not.
 */
void session_guest_peek_console(struct session *session, struct session_guest *guest)
{
	size_t got;

	for (int i = 0; i < CONSOLE_CHUNKS_MAX && guest->console_size <= GUEST_CONSOLE_MAX &&
			hold_console(guest, CONSOLE_CHUNK);
	     i++) {
		got = guest_read_console(guest->guest, guest->console + guest->console_size,
					 CONSOLE_CHUNK);
		if (!got) {
			guest->acted = false;
			return;
		}
		show(session, guest, guest->console + guest->console_size, got);
		guest->console_size += got;
	}
	if (guest->console_size > GUEST_CONSOLE_MAX && !session->over)
		report_flood(session, guest);
}

static void record_console(struct session *session, struct session_guest *guest)
{
	struct trace_record record = { .kind = TRACE_console,
				       .guest = guest->index,
				       .now = island_now(guest->island) };

	session_guest_peek_console(session, guest);
	judge(session, guest, guest->console, guest->console_size);
	for (size_t done = 0; done < guest->console_size; done += record.payload_size) {
		size_t left = guest->console_size - done;

		record.payload = guest->console + done;
		record.payload_size = left < TRACE_PAYLOAD_MAX ? left : TRACE_PAYLOAD_MAX;
		session_record(session, guest->island, &record);
	}
	guest->console_size = 0;
	if (guest->console_space > CONSOLE_KEPT) {
		free(guest->console);
		guest->console = NULL;
		guest->console_space = 0;
	}
}

void session_guest_console(struct session *session, struct session_guest *guest)
{
	if (guest->acted || guest->console_size)
		record_console(session, guest);
	session_probe_record(session, guest);
}

void session_guest_connect(struct session *session, size_t index)
{
	struct session_guest *guest = session->guest[index];
	int err;

	session_unwatch_fd(session, guest->guest->room.listen_fd);
	err = guest_accept(guest->guest);
	if (!err)
		err = session_client_connect(session, guest->island, guest->guest->time_fd, guest,
					     NULL);
	if (err && guest->island->upstream) {
		diagnose(&session->result->diagnosis, EXIT_CANNOT, err,
			 "start the scheduler first, and give its socket with --upstream",
			 "cannot connect to the scheduler at %s: %s", guest->island->upstream,
			 strerror(-err));
		session_finish(session, SESSION_FAULT);
	} else if (err) {
		diagnose(&session->result->diagnosis, EXIT_CANNOT, err, NULL,
			 "cannot accept the guest's connection: %s", strerror(-err));
		session_finish(session, SESSION_FAULT);
	}
}

/* How many bytes it gets. None is how one is refused that opens the device again and again. */
static size_t entropy_size(const struct guest *guest, const struct entropy_request *request)
{
	if (request->source == ENTROPY_DEV_RANDOM && guest->held_count >= ENTROPY_OPENS_MAX)
		return 0;
	return request->requested < ENTROPY_CALL_MAX ? request->requested : ENTROPY_CALL_MAX;
}

void session_guest_entropy(struct session *session, size_t index)
{
	struct session_guest *guest = session->guest[index];
	struct trace_record record = { .kind = TRACE_entropy, .guest = guest->index };
	struct entropy_request request;
	auto_free void *data = NULL;
	int err;

	/* What it said before it asked comes before it in the trace. */
	session_guest_catch_up(session, guest);
	err = entropy_receive(&guest->guest->room, &request);
	if (err == 1) {
		record.now = island_now(guest->island);
		record.entropy.source = request.source;
		record.entropy.requested = request.requested;
		record.payload_size = entropy_size(guest->guest, &request);
		record.payload = data = malloc(record.payload_size + 1);
		if (!data)
			return;
		entropy_stream_take(guest->entropy, data, record.payload_size);
		session_record(session, guest->island, &record);
		err = guest_answer_entropy(guest->guest, &request, data, record.payload_size);
	}
	/* The listener of a guest that has ended reports errors for as long as it is asked. */
	if (err == -EPIPE || (err < 0 && guest->ended))
		session_unwatch_fd(session, guest->guest->room.entropy_fd);
}

static void record_digest(struct session *session, struct session_guest *guest,
			  const struct memory_digest *digest, const uint8_t *ladder, size_t size)
{
	struct trace_record record = { .kind = TRACE_digest,
				       .guest = guest->index,
				       .now = island_now(guest->island) };

	/* A part that is not the last has no block size and no hash; see ttrace(5). */
	record.digest.region = digest->region;
	for (; size > TRACE_PAYLOAD_MAX; ladder += TRACE_PAYLOAD_MAX, size -= TRACE_PAYLOAD_MAX) {
		record.payload = ladder;
		record.payload_size = TRACE_PAYLOAD_MAX;
		session_record(session, guest->island, &record);
	}
	record.digest.block_size = digest->block_size;
	record.digest.low = digest->low;
	record.digest.high = digest->high;
	record.payload = ladder;
	record.payload_size = size;
	session_record(session, guest->island, &record);
}

static bool digest_due(struct session *session, struct client *client)
{
	uint64_t wait = ++client->wait_count;

	if (session->options.digest == DIGEST_OFF || wait < client->next_digest)
		return false;
	if (session->options.digest == DIGEST_EVERY)
		client->next_digest = wait + session->options.digest_every;
	else
		/* At twice as many WAITs each time: many early, next to nothing of a long run. */
		client->next_digest = 2 * wait;
	return true;
}

void session_guest_digest(struct session *session, struct client *client)
{
	struct session_guest *guest = client->guest;

	if (!session->writer || !digest_due(session, client))
		return;
	for (unsigned int region = 0; region < MEMORY_REGIONS; region++) {
		struct memory_digest digest;
		const void *ladder;
		size_t size;
		int err;

		err = guest_hash_memory(guest->guest, region, &digest, &ladder, &size);
		/* Gone with its message still unread: nothing is wrong with that. */
		if (err && err != -ESRCH)
			session->result->digest_error = err;
		if (err)
			continue;
		record_digest(session, guest, &digest, ladder, size);
		session->result->digests++;
	}
}

void session_guest_keeper(struct session *session, size_t index)
{
	struct session_guest *guest = session->guest[index];

	room_wait(&guest->guest->room, &guest->result.status, &guest->result.signal);
	memcpy(guest->result.exceeded, guest->guest->room.exceeded, sizeof(guest->result.exceeded));
	session_unwatch_fd(session, guest->guest->room.keeper_fd);
	guest->ended = true;
	session_guest_settle(session, guest);
}

void session_guest_settle(struct session *session, struct session_guest *guest)
{
	struct trace_record record = { .kind = TRACE_exit,
				       .guest = guest->index,
				       .now = island_now(guest->island) };

	if (!guest->ended || guest->client)
		return;
	guest->acted = true;
	session_guest_console(session, guest);
	guest->result.last_line = last_words_line(&guest->last_words);
	session_probe_detach(session, guest);
	record.exit.status = (uint64_t)guest->result.status;
	record.exit.signal = (uint64_t)guest->result.signal;
	session_record(session, guest->island, &record);
	guest->result.ended = true;
	if (!guest->connected)
		guest->result.ended_now = record.now;
	guest->island->guests_left--;
	guest->island->absent--;
	session->guests_left--;
	session_devices_end(guest);
	if (guest->admitted || guest->island->upstream)
		return;
	/* Others may have waited for its START. */
	calendar_expect_fewer(guest->island->calendar);
	session_carry_out(session, guest->island);
}
