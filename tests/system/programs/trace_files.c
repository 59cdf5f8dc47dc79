// SPDX-License-Identifier: BSD-3-Clause
/*
 * Writes the trace of a guest that was started with more files than any is: its kernel is a program
 * that only says that it is there, such as rogue_kernel.
 *
 *	trace_files OUT KERNEL names COUNT MIB	   so many names of one file of so many MiB of zeros
 *	trace_files OUT KERNEL files COUNT SIZE	   so many files of so many bytes, no two alike
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/tttrace.h"

static struct trace_writer *writer;

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "trace_files: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void append(struct trace_record record)
{
	check(trace_writer_append(writer, &record, NULL), "append");
}

static void append_text(uint16_t kind, const char *text)
{
	append((struct trace_record){
		.kind = kind, .payload = text, .payload_size = (uint32_t)strlen(text) });
}

static void embed(const char *path, uint32_t mode, const void *data, size_t size)
{
	char text[64];

	snprintf(text, sizeof(text), "file=%o %s", mode, path);
	append_text(TRACE_meta, text);
	check(trace_writer_embed(writer, path, mode, data, size), path);
}

static void *read_kernel(const char *path, size_t *size)
{
	FILE *file = fopen(path, "re");
	void *data;

	if (!file || fseek(file, 0, SEEK_END) || (*size = (size_t)ftell(file)) == 0)
		check(-1, path);
	rewind(file);
	data = malloc(*size);
	if (!data || fread(data, 1, *size, file) != *size)
		check(-1, path);
	fclose(file);
	return data;
}

/* The files must stay until the writer is closed. */
static void embed_files(const char *what, unsigned long count, size_t size)
{
	const int alike = !strcmp(what, "names");
	char *data = calloc(alike ? 1 : count, size), path[32];

	check(data ? 0 : -1, "memory");
	for (unsigned long i = 0; i < count; i++) {
		char *content = alike ? data : data + i * size;

		if (!alike)
			snprintf(content, size, "%lu", i);
		snprintf(path, sizeof(path), "/file/%lu", i);
		embed(path, 0444, content, size);
	}
}

/* What is said of a guest that starts, waits and ends. */
static void append_history(void)
{
	/* What the C library asks for. */
	append((struct trace_record){ .kind = TRACE_entropy,
				      .field = { 0, 8 },
				      .payload = "ttrecttr",
				      .payload_size = 8 });
	append((struct trace_record){ .kind = TRACE_join, .field = { 1 } });
	append((struct trace_record){ .kind = TRACE_from, .field = { TRACE_OP_START, 1, 1 } });
	append((struct trace_record){ .kind = TRACE_to, .field = { TRACE_OP_ACK, 1, 1 } });
	append((struct trace_record){ .kind = TRACE_from, .field = { TRACE_OP_WAIT, 2, 0 } });
	append((struct trace_record){ .kind = TRACE_to, .field = { TRACE_OP_ACK, 2, 0 } });
	append((struct trace_record){ .kind = TRACE_to, .field = { TRACE_OP_RUN, 1, 0 } });
	append((struct trace_record){ .kind = TRACE_from, .field = { TRACE_OP_ACK, 1, 0 } });
	append((struct trace_record){ .kind = TRACE_leave });
	append((struct trace_record){ .kind = TRACE_exit });
}

int main(int argc, char **argv)
{
	static const char *const facts[] = {
		"name=n1",
		"id=1",
		"argument=linux",
		"argument=time-travel=ext:1:{room}/run/tt",
		"argument=does=connect,start,wait,exit:0",
		"auxv-random=00112233445566778899aabbccddeeff",
		"seal=full",
		"layout=1",
		"kernel-release=6.12.0",
		"cpu=0 0000000000000000 none",
	};
	size_t kernel_size, size;
	void *kernel;

	if (argc != 6)
		return 2;
	kernel = read_kernel(argv[2], &kernel_size);
	size = strtoul(argv[5], NULL, 10) << (!strcmp(argv[3], "names") ? 20 : 0);
	check(trace_writer_create(argv[1], NULL, &writer), argv[1]);
	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		append_text(TRACE_meta, facts[i]);
	embed("/linux", 0755, kernel, kernel_size);
	embed_files(argv[3], strtoul(argv[4], NULL, 10), size);
	append_history();
	check(trace_writer_close(writer, NULL), argv[1]);
	return 0;
}
