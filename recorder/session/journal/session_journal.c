// SPDX-License-Identifier: BSD-3-Clause
/* Appends records to the trace; nothing else does. */
#include "recorder/session/journal/session_journal.h"

#include <string.h>

int journal_open(struct journal *journal, size_t partitions, struct trace_writer *writer,
		 struct outcome *outcome)
{
	*journal = (struct journal){ .outcome = outcome };
	return writer ? merge_create(partitions, writer, &journal->merge) : 0;
}

void journal_close(struct journal *journal)
{
	merge_destroy(journal->merge);
	journal->merge = NULL;
}

bool journal_is_kept(const struct journal *journal)
{
	return journal->merge;
}

void journal_observe(struct journal *journal, merge_observer *observer, void *context)
{
	if (journal->merge)
		merge_observe(journal->merge, observer, context);
}

/* Closing the trace reports the reason in more detail. */
static void report(struct journal *journal, int err)
{
	diagnose(outcome_reason(journal->outcome), EXIT_CANNOT, err, NULL,
		 "cannot write the trace: %s", strerror(-err));
	outcome_finish(journal->outcome, SESSION_STORAGE);
}

void journal_plan(struct journal *journal, const struct trace_record *records, size_t count)
{
	if (journal->merge)
		merge_plan(journal->merge, records, count);
}

void journal_append(struct journal *journal, size_t partition, const struct trace_record *record)
{
	int err;

	if (!journal->merge)
		return;
	err = merge_add(journal->merge, partition, record);
	journal->outcome->result->records = merge_written(journal->merge);
	if (err)
		report(journal, err);
}

int journal_write(struct journal *journal, uint64_t time)
{
	return journal->merge ? merge_write(journal->merge, time) : 0;
}

void journal_finish(struct journal *journal)
{
	int err = journal_write(journal, UINT64_MAX);

	if (err)
		report(journal, err);
	if (journal->merge)
		journal->outcome->result->records = merge_written(journal->merge);
}

uint64_t journal_position(struct journal *journal, size_t partition)
{
	if (!journal->merge)
		return 0;
	merge_write_strand(journal->merge, partition);
	return merge_written(journal->merge);
}

size_t journal_waiting(const struct journal *journal)
{
	return journal->merge ? merge_size(journal->merge) : 0;
}
