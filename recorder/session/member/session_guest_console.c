// SPDX-License-Identifier: BSD-3-Clause
/* The consoles of guests: output is shown when it arrives, and recorded at the next message. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/guest/guest_shortage.h"
#include "recorder/session/member/session_guest.h"

/* Escape sequences are removed for a terminal. */
#define SHOWN_PIECE 4096
/* Free the buffer of a guest that printed more than this at once. */
#define CONSOLE_KEPT (1u << 20)

/* ---- Standard output ------------------------------------------------------------------------ */

/*
 * With several guests each line begins with the guest's name; a line is broken where another guest
 * prints.
 */
static void show_lines(const struct session_guest *guest, const char *text, size_t size)
{
	struct session_guests *all = guest->all;

	if (all->count == 1) {
		fwrite(text, 1, size, stdout);
		return;
	}
	for (size_t done = 0, length; done < size; done += length) {
		const char *end = memchr(text + done, '\n', size - done);

		length = end ? (size_t)(end - text) + 1 - done : size - done;
		if (all->shown_open && all->shown_guest != guest->index)
			putchar('\n');
		if (!all->shown_open || all->shown_guest != guest->index)
			printf("%s: ", guest->guest->spec->name);
		fwrite(text + done, 1, length, stdout);
		all->shown_open = !end;
		all->shown_guest = guest->index;
	}
}

/* A terminal must not interpret what a guest prints. */
static void show_on_terminal(struct session_guest *guest, const char *text, size_t size)
{
	char shown[SHOWN_PIECE + TERMINAL_TEXT_MORE];

	for (size_t done = 0, piece; done < size; done += piece) {
		piece = size - done < SHOWN_PIECE ? size - done : SHOWN_PIECE;
		show_lines(guest, shown,
			   terminal_text_clean(&guest->terminal, text + done, piece, shown));
	}
}

static void show(struct session_guest *guest, const char *text, size_t size)
{
	if (!guest->all->show || !size)
		return;
	status_line_clear(guest->all->status);
	if (isatty(STDOUT_FILENO))
		show_on_terminal(guest, text, size);
	else
		show_lines(guest, text, size);
	fflush(stdout);
}

/* ---- What is made of it --------------------------------------------------------------------- */

/* The CI report contains the lines around the one that failed. */
static void report_to_ci(struct session_guest *guest, uint64_t now, const char *text, size_t size)
{
	const struct watch *all = guest->all->watch;

	if (!guest->ci_console)
		return;
	ci_console_feed(guest->ci_console, now, text, size);
	if ((guest->watch && watch_failure(guest->watch, 0)) ||
	    (all && watch_failure(all, guest->index)))
		ci_console_mark(guest->ci_console);
}

static void judge_line(struct session_guest *guest, uint64_t now, const char *text, size_t size)
{
	if (guest->watch)
		watch_feed(guest->watch, 0, now, text, size);
	if (guest->all->watch)
		watch_feed(guest->all->watch, guest->index, now, text, size);
	report_to_ci(guest, now, text, size);
	final_output_feed(&guest->final_output, text, size);
	guest->result.hint = guest->final_output.hint;
}

/* With the virtual time of its record, however early it was read. */
static void judge(struct session_guest *guest, const char *text, size_t size)
{
	uint64_t now = partition_now(guest->partition);

	guest->result.console_hash =
		XXH3_64bits_withSeed(text, size, guest->result.console_hash ^ now);
	for (size_t done = 0, length; done < size; done += length) {
		const char *end = memchr(text + done, '\n', size - done);

		length = end ? (size_t)(end - text) + 1 - done : size - done;
		judge_line(guest, now, text + done, length);
	}
}

void session_guest_said(struct session_guest *guest, const char *text, size_t size)
{
	judge(guest, text, size);
	show(guest, text, size);
}

/* ---- The console itself --------------------------------------------------------------------- */

static void report_flood(const struct session_guest *guest)
{
	struct outcome *outcome = guest->partition->outcome;
	char size[UNITS_TEXT], time[UNITS_TEXT];

	diagnose(outcome_reason(outcome), EXIT_PROTOCOL, -ENOBUFS,
		 "let it print less at once, or into a file; a loop that only prints sends no "
		 "message and takes no virtual time",
		 "%s printed more than %s on its console without a message, at t=%s s",
		 guest->guest->spec->name, size_text(GUEST_CONSOLE_MAX, size),
		 duration_exact(partition_now(guest->partition), time));
	outcome_finish(outcome, SESSION_HUNG);
}

void session_guest_show_console(struct session_guest *guest)
{
	show(guest, guest->console.text + guest->console_shown,
	     guest->console.size - guest->console_shown);
	guest->console_shown = guest->console.size;
	if (guest->console.size > GUEST_CONSOLE_MAX)
		report_flood(guest);
}

/* From here on the guest's behaviour depends on the host, and could not be replayed. */
static bool end_at_shortage(struct session_guest *guest)
{
	struct outcome *outcome = guest->partition->outcome;
	char time[UNITS_TEXT], when[UNITS_TEXT + 8];
	size_t at;
	int err = guest_shortage_find(guest->console.text, guest->console.size, &at);

	if (!err)
		return false;
	judge(guest, guest->console.text, at);
	guest->partition->over = true;
	snprintf(when, sizeof(when), "at t=%s s",
		 duration_exact(partition_now(guest->partition), time));
	guest_shortage_diagnose(err, guest->guest->spec->name, when, outcome_reason(outcome));
	outcome_finish(outcome, SESSION_FAULT);
	return true;
}

static void record_text(struct session_guest *guest)
{
	struct trace_record record = { .kind = TRACE_console,
				       .guest = guest->index,
				       .now = partition_now(guest->partition) };

	session_guest_show_console(guest);
	if (end_at_shortage(guest)) {
		guest->console.size = guest->console_shown = 0;
		return;
	}
	judge(guest, guest->console.text, guest->console.size);
	for (size_t done = 0; done < guest->console.size; done += record.payload_size) {
		size_t left = guest->console.size - done;

		record.payload = guest->console.text + done;
		record.payload_size = left < TRACE_PAYLOAD_MAX ? left : TRACE_PAYLOAD_MAX;
		partition_record(guest->partition, &record);
	}
	guest->console.size = guest->console_shown = 0;
	if (guest->console.space > CONSOLE_KEPT) {
		free(guest->console.text);
		guest->console.text = NULL;
		guest->console.space = 0;
	}
}

void session_guest_record_console(struct session_guest *guest)
{
	if (guest->console.size)
		record_text(guest);
	session_guest_record_probe(guest);
}
