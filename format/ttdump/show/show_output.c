// SPDX-License-Identifier: BSD-3-Clause
/* How `ttdump show` writes records: as text, JSON or CSV, to a file, a terminal or a pager. */
#include "format/ttdump/show/show.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>

#include "format/text/record_json.h"

/* Many lines go out at once, unless somebody watches them come. */
#define BUFFER_SIZE (64u * 1024)

static bool wants_colour(enum show_colour colour)
{
	if (colour == COLOUR_AUTO)
		return terminal_is_colourful();
	return colour == COLOUR_ALWAYS;
}

int show_output_open(struct show_output *output, const struct name_table *names,
		     struct diagnosis *diagnosis)
{
	int err = pager_open(&output->pager, !output->no_pager, diagnosis);

	if (err)
		return err;
	if (output->pager.out != stdout || !isatty(STDOUT_FILENO))
		setvbuf(output->pager.out, NULL, _IOFBF, BUFFER_SIZE);
	setlocale(LC_CTYPE, "");
	output->view.names = names;
	output->view.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	output->view.colour = wants_colour(output->colour);
	return 0;
}

void show_output_head(struct show_output *output, const struct trace_header *header)
{
	FILE *out = output->pager.out;
	char uuid[UUID_TEXT];

	uuid_text(header->uuid, uuid);
	switch (output->format) {
	case SHOW_TEXT:
		fprintf(out, "# trace version %u, %s\n", header->version, uuid);
		break;
	case SHOW_JSON:
		fprintf(out, "{\"version\":%u,\"uuid\":\"%s\"}\n", header->version, uuid);
		break;
	case SHOW_CSV:
		csv_add_head(&output->line);
		fwrite(output->line.text, 1, output->line.size, out);
		break;
	}
}

static int write_line(struct show_output *output)
{
	if (output->line.failed)
		return -ENOMEM;
	fwrite_unlocked(output->line.text, 1, output->line.size, output->pager.out);
	return 0;
}

int show_output_record(struct show_output *output, const struct trace_record *record)
{
	struct line *line = &output->line;

	if (output->format == SHOW_TEXT)
		return record_print(&output->view, record, output->pager.out);
	line->size = 0;
	if (output->format == SHOW_JSON) {
		record_add_json(output->view.names, record, line);
		line_char(line, '\n');
	} else {
		csv_add_record(line, &output->view, record,
			       output->begun ? output->last : record->now);
	}
	output->last = record->now;
	output->begun = true;
	return write_line(output);
}

bool show_output_failed(const struct show_output *output)
{
	return ferror_unlocked(output->pager.out);
}

int show_output_close(struct show_output *output, struct diagnosis *diagnosis)
{
	record_view_release(&output->view);
	line_free(&output->line);
	return pager_close(&output->pager, diagnosis);
}
