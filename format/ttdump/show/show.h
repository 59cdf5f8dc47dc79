/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of `ttdump show`: which records, and how they are written. */
#ifndef TTREC_SHOW_H
#define TTREC_SHOW_H

#include "format/base/command_line.h"
#include "format/ttdump/base/pager.h"
#include "format/ttdump/base/ttdump.h"

/* ---- show_filter.c: which records
 * ---------------------------------------------------------------- */

/* A record has to pass all of it. Begin with show_filter_init(). */
struct show_filter {
	uint64_t from, to;    /* ns */
	uint64_t first, last; /* record numbers */
	uint64_t kinds;	      /* a bit for each kind that passes */
	uint64_t operations;  /* and for each operation of a message, which passes by that, too */
	bool interrupts;      /* these only */
	struct wanted_guest {
		char *word;
		uint32_t index;
	} *guest; /* none: all */
	size_t guest_count;
	struct pattern *pattern; /* NULL: not searched */
	struct line text;	 /* of a record that is compared with the pattern */
};

void show_filter_init(struct show_filter *filter);
void show_filter_release(struct show_filter *filter);

/* The options that fill it. */
extern const struct option_row show_filter_rows[];

/*
 * Resolve the wanted guests. Returns true when @names has all of them by now; otherwise
 * *@unknown is one that it does not have.
 */
bool show_filter_resolve(struct show_filter *filter, const struct name_table *names,
			 const char **unknown);

/* @view is asked for the text of a record when that matters. */
bool show_filter_passes(struct show_filter *filter, const struct record_view *view,
			const struct trace_record *record);

/* ---- show_output.c: how they are written
 * ----------------------------------------------------------- */

enum show_format { SHOW_TEXT, SHOW_JSON, SHOW_CSV };
enum show_colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

struct show_output {
	enum show_format format;
	enum show_colour colour;
	bool no_pager;
	struct pager pager;
	struct record_view view; /* of text */
	struct line line;	 /* of the other formats */
	uint64_t last;		 /* ns: time of the row before */
	bool begun;
};

int show_output_open(struct show_output *output, const struct name_table *names,
		     struct diagnosis *diagnosis);
void show_output_head(struct show_output *output, const struct trace_header *header);
/* 0 or -ENOMEM. */
int show_output_record(struct show_output *output, const struct trace_record *record);
/* The reader has closed the pipe, or it cannot be written. */
bool show_output_failed(const struct show_output *output);
int show_output_close(struct show_output *output, struct diagnosis *diagnosis);

/* ---- show_csv.c: rows as of RFC 4180
 * ------------------------------------------------------------- */

void csv_add_head(struct line *line);
/* @previous: time of the row before, in ns. */
void csv_add_record(struct line *line, const struct record_view *view,
		    const struct trace_record *record, uint64_t previous);

#endif
