// SPDX-License-Identifier: BSD-3-Clause
/* Prints what the system tests want to know of a trace: one fact a line, and its console with -c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/tttrace.h"

struct facts {
	uint64_t records, messages, waits, digests, entropy_bytes, last_now;
	uint64_t hash; /* of all messages in their order, time and all */
	char note[256];
};

static void mix(struct facts *facts, uint64_t value)
{
	for (int i = 0; i < 8; i++, value >>= 8)
		facts->hash = (facts->hash ^ (value & 0xff)) * UINT64_C(0x100000001b3);
}

static void count(struct facts *facts, const struct trace_record *record, bool console)
{
	facts->records++;
	facts->last_now = record->now;
	if (record->kind == TRACE_from || record->kind == TRACE_to) {
		facts->messages++;
		facts->waits += record->kind == TRACE_from && record->from.op == TRACE_OP_WAIT;
		mix(facts, record->guest);
		for (unsigned int i = 0; i < 3; i++)
			mix(facts, record->field[i]);
	}
	facts->digests += record->kind == TRACE_digest && record->digest.block_size;
	if (record->kind == TRACE_entropy)
		facts->entropy_bytes += record->payload_size;
	if (record->kind == TRACE_note)
		snprintf(facts->note, sizeof(facts->note), "%.*s", (int)record->payload_size,
			 (const char *)record->payload);
	if (console && record->kind == TRACE_console)
		fwrite(record->payload, 1, record->payload_size, stdout);
}

static void print_verify(const char *path)
{
	struct trace_report report = { 0 };
	int err = trace_verify(path, &report);

	printf("verify %s\n", !err		? "whole"
			      : err == -EPIPE	? "ends early"
			      : err == -EBADMSG ? "damaged"
						: strerror(-err));
	printf("artifacts %" PRIu64 "\n", report.artifacts);
}

static void print_facts(struct trace_reader *reader, const struct facts *facts)
{
	uint64_t chain;

	printf("records %" PRIu64 "\nmessages %" PRIu64 "\nwaits %" PRIu64 "\ndigests %" PRIu64
	       "\nentropy %" PRIu64 "\nnow %" PRIu64 "\nhash %016" PRIx64 "\nnote %s\n",
	       facts->records, facts->messages, facts->waits, facts->digests, facts->entropy_bytes,
	       facts->last_now, facts->hash, facts->note);
	for (uint32_t guest = 0; !trace_reader_chain(reader, guest, &chain); guest++)
		printf("chain%" PRIu32 " %016" PRIx64 "\n", guest, chain);
}

int main(int argc, char **argv)
{
	bool console = argc == 3 && !strcmp(argv[1], "-c");
	struct facts facts = { .hash = UINT64_C(0xcbf29ce484222325) };
	struct trace_reader *reader = NULL;
	struct trace_record record;
	int got;

	if (argc != 2 + console) {
		fprintf(stderr, "usage: trace_facts [-c] TRACE\n");
		return 2;
	}
	got = trace_reader_open(argv[argc - 1], &reader);
	if (!reader) {
		fprintf(stderr, "trace_facts: %s: %s\n", argv[argc - 1], strerror(-got));
		return 1;
	}
	while (!got && (got = trace_reader_next(reader, &record)) == 1) {
		count(&facts, &record, console);
		got = 0;
	}
	if (!console) {
		print_verify(argv[argc - 1]);
		print_facts(reader, &facts);
	}
	trace_reader_close(reader);
	return 0;
}
