/* SPDX-License-Identifier: BSD-3-Clause */
/* The status line on the terminal. */
#ifndef TTREC_STATUS_LINE_H
#define TTREC_STATUS_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct status_line {
	bool enabled; /* standard error is a terminal and the user wants it */
	bool shown;
	uint64_t next_wall; /* ns */
	uint64_t last_wall, last_messages;
};

void status_line_init(struct status_line *line, bool wanted);

/* Redraw if it is time; cheap when it is not. Times in ns since the start. */
void status_line_update(struct status_line *line, uint64_t wall, uint64_t virtual_ns,
			uint64_t messages);

/* Take the line off the terminal, before anything else is printed. */
void status_line_clear(struct status_line *line);

#endif
