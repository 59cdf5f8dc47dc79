// SPDX-License-Identifier: BSD-3-Clause
/* The verbs and exports of ttdump. The first byte of the input says which, the rest is a trace. */
#include <stdio.h>
#include <unistd.h>

#include "format/ttdump/base/ttdump.h"
#include "tests/fuzz/trace/trace_input.h"

#define WORDS_MAX 6

/* "@" stands for the trace, "=" for the other one to compare it with, ">" for a file to write. */
static const struct way {
	dump_verb *run;
	const char *word[WORDS_MAX];
} ways[] = {
	{ dump_export, { "html", "@" } },
	{ dump_export, { "perfetto", "@" } },
	{ dump_export, { "pcapng", "@" } },
	{ dump_export, { "json", "@" } },
	{ dump_show, { "@" } },
	{ dump_show, { "--json", "@" } },
	{ dump_show, { "--csv", "@" } },
	{ dump_show, { "--irq", "@" } },
	{ dump_stat, { "@" } },
	{ dump_stat, { "--json", "@" } },
	{ dump_verify, { "@" } },
	{ dump_salvage, { "@", "-o", ">" } },
	{ dump_extract, { "-l", "@" } },
	{ dump_diff, { "@", "=" } },
	{ dump_diff, { "--json", "@", "=" } },
	{ dump_diff, { "--context", "5", "=", "@" } },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	struct fuzz_random random = { seed };

	if (size < 2)
		return LLVMFuzzerMutate(data, size, max);
	if (!fuzz_random_below(&random, 4)) {
		data[0] = (uint8_t)fuzz_random_below(&random, WAYS);
		return size;
	}
	return 1 + trace_mutate(data + 1, size - 1, max - 1, &random);
}

static char *expand(const char *word)
{
	return (char *)(*word == '@'   ? fuzz_path("trace")
			: *word == '=' ? fuzz_path("other")
			: *word == '>' ? fuzz_path("written")
				       : word);
}

/* What a trace is compared with is the one of before: often nearly the same. */
static void keep_as_other(const uint8_t *data, size_t size)
{
	struct trace_report report;

	if (!trace_verify(fuzz_path("trace"), &report))
		fuzz_store(fuzz_path("other"), data, size);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct diagnosis diagnosis = { .status = EXIT_IDENTICAL };
	char *arguments[WORDS_MAX + 2] = { (char *)"ttdump" };
	const struct way *way;
	int count = 1, err;

	if (!size)
		return -1;
	way = &ways[data[0] % WAYS];
	fuzz_store(fuzz_path("trace"), data + 1, size - 1);
	if (access(fuzz_path("other"), F_OK))
		fuzz_store(fuzz_path("other"), data + 1, size - 1);
	unlink(fuzz_path("written"));
	for (const char *const *word = way->word; *word; word++)
		arguments[count++] = expand(*word);
	err = way->run(count, arguments, &diagnosis);
	fflush(stdout);
	/* verify says it on its standard output. */
	fuzz_expect(!err || diagnosis.what[0] || diagnosis.status);
	keep_as_other(data + 1, size - 1);
	return 0;
}
