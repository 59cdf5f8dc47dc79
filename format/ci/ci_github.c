// SPDX-License-Identifier: BSD-3-Clause
/*
 * GitHub Actions: annotations in the log, and the summary of the step.
 *
 * Source: docs.github.com, "Workflow commands for GitHub Actions"; actions/runner 2.3,
 * src/Runner.Worker/ActionCommandManager.cs and src/Runner.Common/ActionCommand.cs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "format/ci/ci.h"
#include "format/base/cleanup.h"
#include "format/base/console_line.h"
#include "format/ci/markdown.h"
#include "format/base/units.h"
#include "format/base/write_error.h"

/* GitHub shows this many annotations of a kind for a step, and silently drops the rest. */
#define ANNOTATIONS_MAX 10
/* Lines of a console in one message. */
#define LINES_SHOWN 12
/* Of one message, bytes. */
#define MESSAGE_MAX 4000
/* GitHub refuses a larger summary of one step altogether. */
#define SUMMARY_MAX (1024u * 1024)
/* Reserved for the end, which is always printed: the path of the trace, three times, each byte
 * escaped.
 */
#define SUMMARY_END (32u * 1024)
/* Failed cases in the table, each with a line. */
#define ROWS_MAX 200

/* ---- Annotations ---------------------------------------------------------------------------- */

/* A line of the log is a command: what could end it, or a property of it, is written out. */
static void print_escaped(FILE *out, const char *text, bool property)
{
	for (; *text; text++) {
		if (*text == '%' || *text == '\r' || *text == '\n' ||
		    (property && (*text == ':' || *text == ',')))
			fprintf(out, "%%%02X", (unsigned char)*text);
		else
			fputc(*text, out);
	}
}

/* At most @max bytes of @text, made printable; the caller frees it. */
static char *shorten(const char *text, size_t max)
{
	size_t length = strnlen(text, max);

	while (length && text[length - 1] == '\n')
		length--;
	return console_lines_copy(text, length);
}

static void print_annotation(FILE *log, const char *level, const char *title, const char *message)
{
	auto_free char *shown_title = shorten(title, MESSAGE_MAX / 4);
	auto_free char *shown = shorten(message, MESSAGE_MAX);

	if (!shown_title || !shown)
		return;
	fprintf(log, "::%s title=", level);
	print_escaped(log, shown_title, true);
	fprintf(log, "::");
	print_escaped(log, shown, false);
	fputc('\n', log);
}

/* An identical replay repeats the failures of its recording: that is not an error of the replay.
 */
static const char *level_of(const struct ci_suite *suite)
{
	return suite->failed ? "error" : "warning";
}

/* "n1: run" */
static void print_title(FILE *out, const struct ci_case *of)
{
	if (of->guest)
		fprintf(out, "%s: ", of->guest);
	fputs(of->name, out);
}

static void print_where(FILE *out, const struct ci_suite *suite)
{
	if (suite->seed)
		fprintf(out, "\nSeed: %s", suite->seed);
	if (suite->trace)
		fprintf(out, "\nTrace: %s, in the artifacts of this job if it uploads them",
			suite->trace);
	if (suite->next)
		fprintf(out, "\nThen: %s", suite->next);
}

/* The last of them: an annotation is small, the summary has the rest. */
static void print_lines(FILE *out, const char *lines)
{
	size_t left = LINES_SHOWN;
	const char *at = lines ? lines + strlen(lines) : NULL;

	if (!lines || at == lines)
		return;
	for (at--; at > lines && (at[-1] != '\n' || --left); at--)
		;
	fprintf(out, "\n\n%s", at);
}

static void annotate_case(const struct ci_suite *suite, const struct ci_case *of, FILE *log)
{
	auto_free char *title = NULL, *message = NULL;
	char time[UNITS_TEXT];
	size_t size;
	FILE *out = output_buffer_open(&title, &size);

	if (!out)
		return;
	fprintf(out, "%s, ", suite->command);
	print_title(out, of);
	output_buffer_close(out);
	out = output_buffer_open(&message, &size);
	if (!out)
		return;
	fprintf(out, "%s (t=%s s)", of->message ?: "failed", duration_exact(of->now, time));
	print_where(out, suite);
	print_lines(out, of->console);
	output_buffer_close(out);
	print_annotation(log, level_of(suite), title, message);
}

/* GitHub counts annotations of each level by themselves: it takes no place from a failure. */
static void annotate_notice(const struct ci_suite *suite, const struct finding *notice, FILE *log)
{
	auto_free char *title = NULL;
	char line[FINDING_LINE];

	if (asprintf(&title, "%s, %s", suite->command, finding_label(notice->code)) < 0) {
		output_incomplete(-ENOMEM);
		title = NULL;
		return;
	}
	print_annotation(log, "warning", title, finding_line(notice, line));
}

void ci_github_annotate(const struct ci_suite *suite, FILE *log)
{
	size_t bad = ci_count_bad(suite), said = 0;
	size_t max = bad > ANNOTATIONS_MAX ? ANNOTATIONS_MAX - 1 : ANNOTATIONS_MAX;
	const struct finding *notice;
	char message[96];

	for (size_t i = 0; i < suite->count && said < max; i++)
		if (ci_is_bad(&suite->list[i])) {
			annotate_case(suite, &suite->list[i], log);
			said++;
		}
	for (size_t i = 0; (notice = ci_next_notice(suite, &i));)
		annotate_notice(suite, notice, log);
	if (said == bad)
		return;
	snprintf(message, sizeof(message), "%zu more failed: see the summary of the job",
		 bad - said);
	print_annotation(log, level_of(suite), suite->command, message);
}

/* ---- The summary ---------------------------------------------------------------------------- */

/* A piece that is added whole, or left out. */
struct piece {
	FILE *out;
	char *text;
	size_t size;
};

struct summary {
	FILE *out;
	size_t left; /* bytes that there is still room for */
	size_t left_out;
};

static bool piece_begin(struct piece *piece)
{
	*piece = (struct piece){ 0 };
	piece->out = output_buffer_open(&piece->text, &piece->size);
	return piece->out;
}

static void piece_end(struct piece *piece, struct summary *summary)
{
	output_buffer_close(piece->out);
	if (piece->size <= summary->left) {
		fwrite(piece->text, 1, piece->size, summary->out);
		summary->left -= piece->size;
	} else {
		summary->left_out++;
	}
	free(piece->text);
}

static void summarise_head(const struct ci_suite *suite, struct summary *summary)
{
	const struct finding *notice;
	struct piece piece;

	if (!piece_begin(&piece))
		return;
	fprintf(piece.out, "### %s %s ", suite->failed ? "❌" : "✅", suite->command);
	markdown_text(piece.out, suite->name);
	if (suite->seed) {
		fprintf(piece.out, ", seed ");
		markdown_text(piece.out, suite->seed);
	}
	if (suite->trace && suite->trace != suite->name) {
		fprintf(piece.out, ", ");
		markdown_code(piece.out, suite->trace);
	}
	fprintf(piece.out, "\n\n");
	markdown_text(piece.out, suite->verdict);
	fprintf(piece.out, "\n\n%zu passed, %zu failed, %zu skipped\n", ci_count(suite, CI_PASSED),
		ci_count_bad(suite), ci_count(suite, CI_SKIPPED));
	for (size_t i = 0; (notice = ci_next_notice(suite, &i));) {
		fputc('\n', piece.out);
		markdown_finding(piece.out, notice);
	}
	piece_end(&piece, summary);
}

static void summarise_row(const struct ci_case *of, struct summary *summary)
{
	struct piece piece;
	char time[UNITS_TEXT];

	if (!piece_begin(&piece))
		return;
	fprintf(piece.out, "| ");
	markdown_text(piece.out, of->guest ?: "");
	fprintf(piece.out, " | ");
	markdown_text(piece.out, of->name);
	fprintf(piece.out, " | %s | ", duration_exact(of->now, time));
	markdown_text(piece.out, of->message ?: "");
	fprintf(piece.out, " |\n");
	piece_end(&piece, summary);
}

static void summarise_table(const struct ci_suite *suite, struct summary *summary)
{
	size_t rows = 0;

	if (!ci_count_bad(suite))
		return;
	fprintf(summary->out, "\n| guest | failed | at, s | why |\n|---|---|--:|---|\n");
	for (size_t i = 0; i < suite->count; i++) {
		if (!ci_is_bad(&suite->list[i]))
			continue;
		if (rows++ < ROWS_MAX)
			summarise_row(&suite->list[i], summary);
		else
			summary->left_out++;
	}
}

static void summarise_text(const struct ci_case *of, const char *what, const char *text,
			   struct summary *summary)
{
	struct piece piece;

	if (!text || !piece_begin(&piece))
		return;
	fprintf(piece.out, "\n<details><summary>");
	if (of->guest) {
		markdown_html(piece.out, of->guest);
		fputs(": ", piece.out);
	}
	markdown_html(piece.out, of->name);
	fprintf(piece.out, ": %s</summary>\n\n", what);
	markdown_block(piece.out, text, strlen(text));
	fprintf(piece.out, "\n</details>\n");
	piece_end(&piece, summary);
}

static void summarise_next(const struct ci_suite *suite, struct summary *summary)
{
	if (suite->trace) {
		fprintf(summary->out, "\nThe trace is ");
		markdown_code(summary->out, suite->trace);
		fprintf(summary->out, ", in the artifacts of this job if it uploads them.\n");
	}
	if (!suite->next)
		return;
	fprintf(summary->out, "On any machine:\n\n");
	markdown_block(summary->out, suite->next, strlen(suite->next));
}

static void summarise(const struct ci_suite *suite, struct summary *summary)
{
	summarise_head(suite, summary);
	summarise_table(suite, summary);
	for (size_t i = 0; i < suite->count; i++) {
		const struct ci_case *of = &suite->list[i];

		if (!ci_is_bad(of))
			continue;
		summarise_text(of, "verdict", of->details, summary);
		if (!ci_console_is_shown(suite, i))
			summarise_text(of, "its console", of->console, summary);
	}
	if (summary->left_out)
		fprintf(summary->out, "\n_%zu more pieces are left out: a summary holds 1 MiB._\n",
			summary->left_out);
	summarise_next(suite, summary);
}

int ci_github_summarise(const struct ci_suite *suite, const char *path, struct diagnosis *why)
{
	struct summary summary = { .out = fopen(path, "ae") };
	char text[WRITE_ERROR_TEXT];
	struct stat status;
	size_t used;
	int err = 0;

	if (!summary.out || fstat(fileno(summary.out), &status))
		err = -errno;
	if (!err) {
		used = (size_t)status.st_size + SUMMARY_END;
		summary.left = used < SUMMARY_MAX ? SUMMARY_MAX - used : 0;
		if (summary.left)
			summarise(suite, &summary);
		if (ferror(summary.out))
			err = -EIO;
	}
	if (summary.out && fclose(summary.out) && !err)
		err = -errno;
	return err ? diagnose(why, exit_status_of_file(err), err, "check $GITHUB_STEP_SUMMARY",
			      "cannot add to the summary %s: %s", path,
			      write_error_text(path, err, text))
		   : 0;
}
