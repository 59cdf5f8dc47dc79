// SPDX-License-Identifier: BSD-3-Clause
/*
 * Write a sample trace, the same bytes every time: for the tests of ttdump and of the reference
 * decoder.
 *
 *	make_sample FILE [GUESTS EVENTS | absurd SEED COUNT | network PINGS idle|busy|jitter |
 *			  escape | stranger | markup]
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/trace/writer.h"
#include "tests/format/trace/sample.h"

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "make_sample: %s: %s\n", what, strerror(-err));
	exit(EXIT_FAILURE);
}

static bool embedded(struct trace_writer *writer)
{
	bool done;

	pthread_mutex_lock(&writer->lock);
	done = writer->embeds_done == writer->embeds_wanted;
	pthread_mutex_unlock(&writer->lock);
	return done;
}

/* Wait for each, so that its frames are in the same place every time. */
static void embed(struct trace_writer *writer, const char *path, uint32_t mode, const char *content)
{
	check(trace_writer_embed(writer, path, mode, content, strlen(content)), path);
	while (!embedded(writer))
		sched_yield();
}

static void append_all(struct trace_writer *writer, struct sample *sample)
{
	for (size_t i = 0; i < sample->count; i++) {
		check(trace_writer_append(writer, &sample->record[i], NULL), "append");
		if (i == sample->count / 2)
			check(trace_writer_flush(writer), "flush");
	}
	sample_release(sample);
}

static void append_absurd(struct trace_writer *writer, uint64_t seed, long count)
{
	struct sample_random random = { seed };
	struct trace_record record;

	for (long i = 0; i < count; i++) {
		sample_absurd(&random, &record);
		check(trace_writer_append(writer, &record, NULL), "append");
	}
}

static void append_note(struct trace_writer *writer)
{
	static const char text[] = "\"quoted\" \x1b[31mred\\\t\xff\n";
	struct trace_record note = { .kind = TRACE_note,
				     .payload = text,
				     .payload_size = sizeof(text) - 1 };

	check(trace_writer_append(writer, &note, NULL), "append");
}

/* A frame of a sender of which the trace does not tell. */
static void append_stranger(struct trace_writer *writer)
{
	static const char device[] = "device=1 net lan 02:00:00:00:00:01";
	static const uint8_t frame[12 + 60] = { 0 };
	const struct trace_record records[] = {
		{ .kind = TRACE_meta, .payload = device, .payload_size = sizeof(device) - 1 },
		{ .kind = TRACE_sent, .sent = { 0, TRACE_GUEST_LIMIT - 1, UINT32_MAX - 1, 0 } },
		{ .kind = TRACE_used, .payload = frame, .payload_size = sizeof(frame) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		check(trace_writer_append(writer, &records[i], NULL), "append");
}

struct said {
	uint32_t kind;
	const char *text;
};

static void append_said(struct trace_writer *writer, const struct said *said, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct trace_record record = { .kind = said[i].kind,
					       .payload = said[i].text,
					       .payload_size = strlen(said[i].text) };

		check(trace_writer_append(writer, &record, NULL), "append");
	}
}

/* A guest that would like to command a terminal, a spreadsheet, and who extracts its files. */
static void append_escape(struct trace_writer *writer)
{
	static const struct said said[] = {
		{ TRACE_meta, "name==1+1\xc2\x9b" },
		{ TRACE_console, "=cmd|' /C calc'!A0\n" },
	};

	embed(writer, "/../../escaped", 0644, "no\n");
	append_said(writer, said, ARRAY_SIZE(said));
}

/* A guest that would like to be part of a page that shows it. */
static void append_markup(struct trace_writer *writer)
{
	static const struct said said[] = {
		{ TRACE_meta, "name=</script><script>window.broken=1</script>" },
		{ TRACE_meta,
		  "device=1 net <iframe/src=javascript:window.broken=1> 02:00:00:00:00:01" },
		{ TRACE_console, "<!--<script>\n\x1b[31mred\x1b[0m and\x07 plain\n" },
		{ TRACE_console,
		  "<img src=x onerror=window.broken=1>\n\xff\xe2\x80\xa8\"'`${broken}\n" },
		{ TRACE_note, "</script><img src=x onerror=window.broken=1>" },
	};

	append_said(writer, said, ARRAY_SIZE(said));
}

static enum sample_lab choose_lab(const char *word)
{
	if (!strcmp(word, "busy"))
		return SAMPLE_BUSY;
	return strcmp(word, "jitter") ? SAMPLE_IDLE : SAMPLE_JITTER;
}

int main(int argc, char **argv)
{
	const struct trace_header header = { .uuid = { 0x74, 0x74, 0x72, 0x65, 0x63 } };
	const struct trace_writer_options options = { .size = sizeof(options),
						      .flush_ns = 3600000000000 };
	struct trace_writer *writer;
	struct sample sample = { 0 };
	bool absurd = argc == 5 && !strcmp(argv[2], "absurd");
	bool network = argc == 5 && !strcmp(argv[2], "network");

	if (argc < 2)
		return EXIT_FAILURE;
	check(writer_create(argv[1], &options, &header, NULL, 0, &writer), argv[1]);
	if (argc == 3 && !strcmp(argv[2], "stranger")) {
		append_stranger(writer);
	} else if (argc == 3 && !strcmp(argv[2], "markup")) {
		append_markup(writer);
	} else if (argc == 3) {
		append_escape(writer);
	} else if (absurd) {
		append_absurd(writer, strtoull(argv[3], NULL, 0), atol(argv[4]));
	} else if (network) {
		sample_network(&sample, (unsigned int)atoi(argv[3]), choose_lab(argv[4]));
		append_all(writer, &sample);
	} else {
		embed(writer, "/boot/linux", 0755, "the kernel\n");
		embed(writer, "/boot/initrd.cpio", 0644, "the initrd\n");
		embed(writer, "/lib/twin", 04755, "the kernel\n");
		sample_recording(&sample, argc > 3 ? (uint32_t)atoi(argv[2]) : 2,
				 argc > 3 ? (unsigned int)atoi(argv[3]) : 6, 8);
		append_all(writer, &sample);
		append_note(writer);
	}
	check(trace_writer_close(writer, NULL), "close");
	return EXIT_SUCCESS;
}
