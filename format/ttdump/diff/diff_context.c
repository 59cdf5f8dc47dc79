// SPDX-License-Identifier: BSD-3-Clause
/* ttdump diff: what a guest did before the first difference, and behind it in both traces. */
#include <errno.h>

#include "format/ttdump/diff/diff.h"
#include "format/ttdump/base/pager.h"

static const char *const indents[2] = { "  - ", "  + " };
static const char *const colours[2] = { "\033[31m  - \033[0m", "\033[32m  + \033[0m" };

/* Is @record in the history of @guest that was compared? */
static bool counts(const struct diff *diff, uint32_t guest, const struct trace_record *record)
{
	return record->guest == guest && trace_kind_info(record->kind)->direction != TRACE_SIDE &&
	       !(diff->options.ignore[record->kind] & TRACE_IGNORE_RECORD);
}

/* The next one of the history of @guest. Returns 1, 0 or an error. */
static int next_counted(struct diff *diff, int s, uint32_t guest, struct trace_record *record)
{
	int got;

	do {
		got = trace_reader_next(diff->reader[s], record);
	} while (got > 0 && !counts(diff, guest, record));
	return got;
}

static int go_to(struct diff *diff, int s, uint32_t guest, uint64_t number)
{
	int err = trace_reader_follow(diff->reader[s], guest);

	return err ? err : trace_reader_seek(diff->reader[s], number);
}

/* Count the records of @guest from @from up to @number. */
static int count_before(struct diff *diff, uint32_t guest, uint64_t from, uint64_t number,
			uint64_t *count)
{
	struct trace_record record;
	int got = go_to(diff, 0, guest, from);

	*count = 0;
	while (!got && (got = next_counted(diff, 0, guest, &record)) > 0 &&
	       record.number < number) {
		++*count;
		got = 0;
	}
	return got < 0 ? got : 0;
}

/* Print what @guest did last before record @number, the same in both. */
static int print_before(struct diff *diff, struct record_view *view, uint32_t guest,
			uint64_t number)
{
	uint64_t window = 64, from, count = 0;
	struct trace_record record;
	int err, got = 0;

	do {
		from = number > window ? number - window : 0;
		err = count_before(diff, guest, from, number, &count);
		window *= 16;
	} while (!err && count < diff->context && from);
	if (!err)
		err = go_to(diff, 0, guest, from);
	while (!err && count && (got = next_counted(diff, 0, guest, &record)) > 0)
		if (count-- <= diff->context)
			err = record_print(view, &record, stdout);
	return err ? err : diagnosis_host_error(got);
}

/* How the guest goes on: in both, and what is not the same in both side by side. */
struct branches {
	struct diff *diff;
	struct record_view view;
	struct trace_record record[2];
	bool there[2], ended[2]; /* ended: that it is not there was said */
	char *text; /* lines of the second trace, until those of the first are all printed */
	size_t size;
	FILE *second;
};

static int branches_line(struct branches *branches, int s)
{
	const char *indent = (branches->view.colour ? colours : indents)[s];
	FILE *out = s ? branches->second : stdout;
	uint64_t last = branches->view.last;
	int err = 0;

	branches->view.indent = indent;
	branches->view.names = &branches->diff->names[s];
	if (branches->there[s])
		err = record_print(&branches->view, &branches->record[s], out);
	else if (!branches->ended[s])
		fprintf(out, "%s(no more records of this guest)\n", indent);
	branches->ended[s] = !branches->there[s];
	if (s)
		branches->view.last = last;
	return err;
}

static int branches_flush(struct branches *branches)
{
	if (fflush(branches->second))
		return -errno;
	fwrite(branches->text, 1, branches->size, stdout);
	rewind(branches->second);
	return 0;
}

static bool branches_same(const struct branches *branches)
{
	return branches->there[0] && branches->there[1] &&
	       compare_records(&branches->diff->compare, &branches->record[0],
			       &branches->record[1]);
}

static int branches_step(struct branches *branches)
{
	int err;

	if (branches_same(branches)) {
		err = branches_flush(branches);
		branches->view.indent = "    ";
		return err ? err : record_print(&branches->view, &branches->record[0], stdout);
	}
	err = branches_line(branches, 0);
	return err ? err : branches_line(branches, 1);
}

/* Go to the next record of both. */
static int branches_next(struct branches *branches, uint32_t guest)
{
	int err = 0;

	for (int s = 0; s < 2 && !err; s++) {
		int got = branches->there[s]
				  ? next_counted(branches->diff, s, guest, &branches->record[s])
				  : 0;

		branches->there[s] = got > 0;
		err = diagnosis_host_error(got);
	}
	return err;
}

static int print_after(struct branches *branches, const struct trace_difference *first)
{
	int err = 0;

	for (int s = 0; s < 2 && !err; s++) {
		branches->there[s] = first->there[s];
		if (first->there[s])
			err = go_to(branches->diff, s, first->guest, first->number[s]);
	}
	for (uint32_t i = 0; i <= branches->diff->context && !err; i++) {
		bool before = branches->there[0] || branches->there[1];

		err = branches_next(branches, first->guest);
		if (!err && before)
			err = branches_step(branches);
	}
	return err ? err : branches_flush(branches);
}

int diff_print_context(struct diff *diff)
{
	const struct trace_difference *first = &diff->compare.first;
	struct branches branches = {
		.diff = diff,
		.view = {
			.names = &diff->names[0],
			.indent = "    ",
			.colour = terminal_is_colourful(),
		},
	};
	int err;

	branches.second = open_memstream(&branches.text, &branches.size);
	if (!branches.second)
		return -ENOMEM;
	err = first->there[0] ? print_before(diff, &branches.view, first->guest, first->number[0])
			      : 0;
	if (!err)
		err = print_after(&branches, first);
	fclose(branches.second);
	free(branches.text);
	record_view_release(&branches.view);
	return err;
}
