// SPDX-License-Identifier: BSD-3-Clause
/* The status line on the terminal. */
#include "recorder/watch/status_line.h"

#include <stdio.h>
#include <unistd.h>

#include "format/base/units.h"

#define STATUS_PERIOD (100 * NS_PER_MS)

void status_line_init(struct status_line *line, bool wanted)
{
	*line = (struct status_line){ .enabled = wanted && isatty(STDERR_FILENO) };
}

void status_line_update(struct status_line *line, uint64_t wall, uint64_t virtual_ns,
			uint64_t messages)
{
	char time[UNITS_TEXT], rate[UNITS_TEXT];
	double seconds;

	if (!line->enabled || wall < line->next_wall)
		return;
	seconds = (double)(wall - line->last_wall) / (double)NS_PER_S;
	fprintf(stderr, "\r\033[K%s s virtual, %s messages/s, %.2fx real time",
		duration_exact(virtual_ns, time),
		count_text(seconds > 0
				   ? (uint64_t)((double)(messages - line->last_messages) / seconds)
				   : 0,
			   rate),
		wall ? (double)virtual_ns / (double)wall : 0.0);
	line->shown = true;
	line->last_wall = wall;
	line->last_messages = messages;
	line->next_wall = wall + STATUS_PERIOD;
}

void status_line_clear(struct status_line *line)
{
	if (line->shown)
		fputs("\r\033[K", stderr);
	line->shown = false;
}
