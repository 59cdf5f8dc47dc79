// SPDX-License-Identifier: BSD-3-Clause
/* ttdump export: a trace in the formats of other tools. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "format/base/command_line.h"
#include "format/ttdump/export/export.h"
#include "format/base/write_error.h"

static const struct format {
	const char *name;
	export_format *run;
	bool binary;
	const char *doc;
	bool takes_report;
} formats[] = {
	{ "json", export_json, false, "one JSON document: every record with its fields", false },
	{ "html", export_html, true, "a page for a browser, in one file", true },
	{ "pcapng", export_pcapng, true, "for Wireshark: frames of networks, and every record",
	  false },
	{ "perfetto", export_perfetto, true, "a timeline for ui.perfetto.dev and trace_processor",
	  false },
};

struct export
{
	const char *name; /* of the format */
	const struct format *format;
	const char *output;
	struct export_request request;
};

/* The help lists the formats in the order of the table. */
static char *list_formats(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t size;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &size);
	if (!out)
		return (char *)text;
	fprintf(out, "%s\n", text);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		fprintf(out, "  %-9s %s\n", formats[i].name, formats[i].doc);
	fclose(out);
	return list;
}

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

static void check(void *input, struct argp_state *state)
{
	struct export *export = input;
	char list[80] = "";

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		strcat(strcat(list, i ? ", " : ""), formats[i].name);
	export->format = export->name ? find_format(export->name) : NULL;
	if (!export->name)
		argp_error(state, "missing format: expected %s", list);
	else if (!export->format)
		argp_error(state, "unknown format \"%s\": expected %s", export->name, list);
	else if (!export->request.path)
		argp_error(state, "missing trace file");
	else if (export->request.report && !export->format->takes_report)
		argp_error(state, "%s does not take --report", export->format->name);
}

static const struct option_row rows[] = {
	{ "output", 'o', "FILE", "write to FILE instead of standard output", 0, OPTION_TEXT,
	  OPTION_FIELD(struct export, output) },
	{ "report", 'r', "FILE", "html: mark the divergence in this replay report", 0, OPTION_TEXT,
	  OPTION_FIELD(struct export, request.report) },
	{ 0 },
};

static const struct command_line command = {
	.usage = "FORMAT TRACE",
	.doc = "Convert a trace to the format of another tool.\vFormats:",
	.table = { { rows, 0 } },
	.most = 2,
	.argument = { offsetof(struct export, name), offsetof(struct export, request.path) },
	.check = check,
	.help = list_formats,
};

/* What is read must not be what is written: it would be empty by then. */
static int open_output(const struct export *export, FILE **file, struct diagnosis *diagnosis)
{
	const struct export_request *request = &export->request;

	if (!export->output)
		return 0;
	if (is_same_file(request->path, export->output) ||
	    (request->report && is_same_file(request->report, export->output)))
		return diagnose(diagnosis, EXIT_USAGE, -EINVAL, "give another file with -o",
				"cannot write %s: it is the input", export->output);
	*file = fopen(export->output, "we");
	if (!*file)
		return diagnose(diagnosis, exit_status_of_file(-errno), -errno,
				"give another file with -o", "cannot write %s: %s", export->output,
				strerror(errno));
	return 0;
}

static int write_export(const struct export *export, struct trace_reader *reader, FILE *out,
			struct diagnosis *diagnosis)
{
	int err = export->format->run(&export->request, reader, out, diagnosis);
	char text[WRITE_ERROR_TEXT];

	if (!export->output || (!fflush(out) && !ferror(out)))
		return err;
	return diagnose(diagnosis, EXIT_CANNOT, -EIO,
			"free disk space, or give another file with -o", "cannot write %s: %s",
			export->output, write_error_text(export->output, -errno, text));
}

int dump_export(int argc, char **argv, struct diagnosis *diagnosis)
{
	struct export export = { 0 };
	auto_trace *reader = NULL;
	auto_file *file = NULL;
	int err;

	command_line_parse(&command, argc, argv, &export);
	if (export.format->binary && !export.output && isatty(STDOUT_FILENO))
		return diagnose(diagnosis, EXIT_USAGE, -EINVAL, "give a file with -o",
				"%s is not written to a terminal", export.format->name);
	err = trace_open(export.request.path, &reader, diagnosis);
	if (!err)
		err = open_output(&export, &file, diagnosis);
	return err ? err : write_export(&export, reader, file ? file : stdout, diagnosis);
}
