// SPDX-License-Identifier: BSD-3-Clause
/* ttdump export html: one page to look at a trace with, which needs nothing else. */
#include <errno.h>
#include <string.h>

#include "format/ttdump/export/export.h"
#include "format/ttdump/export/html/html_block.h"
#include "format/ttdump/export/html/html_facts.h"
#include "format/ttdump/export/html/html_page.h"

struct page {
	FILE *out;
	struct name_table names;
	struct frames *frames;
	struct html_block block;
	struct line bytes;
};

static void page_close(struct page *page)
{
	frames_free(page->frames);
	html_block_free(&page->block);
	line_free(&page->bytes);
	name_table_free(&page->names);
}

static int put_block(struct page *page)
{
	int err = html_block_finish(&page->block, &page->bytes);

	return err ? err : html_put_data(page->out, "block", page->bytes.text, page->bytes.size);
}

static int put_record(struct page *page, const struct trace_record *record)
{
	const struct record_view view = { .names = &page->names };
	struct frame frame;
	int got = name_table_learn(&page->names, record);

	if (got)
		return got;
	html_block_add(&page->block, &view, record);
	got = frames_feed(page->frames, record, &frame);
	if (got < 0)
		return got;
	if (got)
		html_block_add_frame(&page->block, &frame);
	return html_block_full(&page->block) ? put_block(page) : 0;
}

/* Returns -ENOMEM, or how reading ended. */
static int put_records(struct page *page, struct trace_reader *reader, int *end)
{
	struct trace_record record;
	int err = 0;

	while (!err && !ferror(page->out) && (*end = trace_reader_next(reader, &record)) > 0)
		err = put_record(page, &record);
	return err ? err : put_block(page);
}

static int put_facts(struct page *page, const struct export_request *request,
		     const struct trace_header *header, const char *problem, json_t *report)
{
	json_t *facts = html_facts(request, header, &page->names, problem, json_incref(report));
	auto_free char *text = json_dumps(facts, JSON_COMPACT);

	json_decref(facts);
	return text ? html_put_data(page->out, "facts", text, strlen(text)) : -ENOMEM;
}

static int put_page(struct page *page, const struct export_request *request,
		    struct trace_reader *reader, json_t *report, int *end)
{
	const char *problem = "";
	int err;

	fwrite(html_head, 1, html_head_size, page->out);
	err = put_records(page, reader, end);
	if (*end < 0)
		problem = trace_reader_error(reader);
	if (!err)
		err = put_facts(page, request, trace_reader_header(reader), problem, report);
	fwrite(html_tail, 1, html_tail_size, page->out);
	return err;
}

int export_html(const struct export_request *request, struct trace_reader *reader, FILE *out,
		struct diagnosis *diagnosis)
{
	cleanup(page_close) struct page page = { .out = out };
	json_t *report;
	int end = 0;
	int err = html_load_report(request, trace_reader_header(reader), &report, diagnosis);

	if (err)
		return err;
	page.frames = frames_create(&page.names);
	err = page.frames ? put_page(&page, request, reader, report, &end) : -ENOMEM;
	json_decref(report);
	if (err)
		return diagnose(diagnosis, EXIT_CANNOT, err, NULL, "cannot export %s: %s",
				request->path, strerror(-err));
	return end < 0 ? dump_damaged(request->path, reader, end, diagnosis) : 0;
}
