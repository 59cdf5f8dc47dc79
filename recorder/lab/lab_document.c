// SPDX-License-Identifier: BSD-3-Clause
/* The YAML document of a lab file: read within bounds, and every complaint with its position. */
#include "recorder/lab/lab_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"

/* ---- Positions ------------------------------------------------------------------------------ */

/* Long paths lose their beginning: the position must fit into every message. */
static int fail_at(struct lab_reader *reader, size_t line, size_t column, const char *advice,
		   const char *text)
{
	size_t length = strlen(reader->path), skip = length > 160 ? length - 160 : 0;

	return diagnose(reader->why, EXIT_USAGE, -EINVAL, advice, "%s%s:%zu:%zu: %s",
			skip ? "..." : "", reader->path + skip, line, column, text);
}

int lab_error(struct lab_reader *reader, const yaml_node_t *node, const char *advice,
	      const char *format, ...)
{
	char text[320];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	return fail_at(reader, node->start_mark.line + 1, node->start_mark.column + 1, advice,
		       text);
}

int lab_out_of_memory(struct lab_reader *reader)
{
	return diagnose(reader->why, EXIT_CANNOT, -ENOMEM, NULL, "%s: out of memory", reader->path);
}

int lab_note(struct lab_reader *reader, const yaml_node_t *node, const char *format, ...)
{
	auto_free char *text = NULL, *note = NULL;
	va_list list;
	int length;

	va_start(list, format);
	length = vasprintf(&text, format, list);
	va_end(list);
	if (length < 0 || asprintf(&note, "%s:%u:%zu: %s", reader->path, lab_line(node),
				   node->start_mark.column + 1, text) < 0)
		return lab_out_of_memory(reader);
	if (lab_strings_add(&reader->lab->notes, reader->note_count, note))
		return lab_out_of_memory(reader);
	reader->note_count++;
	return 0;
}

unsigned int lab_line(const yaml_node_t *node)
{
	return (unsigned int)node->start_mark.line + 1;
}

/* ---- The file ------------------------------------------------------------------------------- */

int lab_document_read(struct lab_reader *reader, char **text, size_t *size)
{
	auto_fd fd = open(reader->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	auto_free char *data = malloc(LAB_FILE_MAX + 1);
	ssize_t got = fd < 0 ? -1 : 1;
	size_t used = 0;

	if (!data)
		return lab_out_of_memory(reader);
	while (got > 0 && used <= LAB_FILE_MAX) {
		got = read(fd, data + used, LAB_FILE_MAX + 1 - used);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			used += (size_t)got;
	}
	if (got < 0)
		return diagnose(reader->why, exit_status_of_file(-errno), -errno,
				"give a lab file, see ttrec-lab(5)", "cannot read the lab %s: %s",
				reader->path, strerror(errno));
	if (used > LAB_FILE_MAX)
		return diagnose(reader->why, EXIT_USAGE, -EINVAL,
				"give a lab file, see ttrec-lab(5)",
				"%s is larger than 1 MiB, the limit for a lab file", reader->path);
	*text = take_pointer(data);
	*size = used;
	return 0;
}

/* Line and column, in bytes, of a place in the file. */
static void find_position(const char *text, size_t offset, size_t *line, size_t *column)
{
	*line = *column = 1;
	for (size_t i = 0; i < offset; i++) {
		(*column)++;
		if (text[i] == '\n') {
			(*line)++;
			*column = 1;
		}
	}
}

/* What libyaml calls a reader error: bytes that are no text. */
static int explain_bytes(struct lab_reader *reader, const yaml_parser_t *parser, const char *text,
			 size_t size)
{
	size_t offset = parser->problem_offset < size ? parser->problem_offset : size;
	unsigned char byte = offset < size ? (unsigned char)text[offset] : 0;
	size_t line, column;
	char what[128];

	find_position(text, offset, &line, &column);
	if (strstr(parser->problem, "control"))
		snprintf(what, sizeof(what), "invalid control character 0x%02x", byte);
	else
		snprintf(what, sizeof(what), "byte 0x%02x is not valid UTF-8", byte);
	return fail_at(reader, line, column,
		       "write the file as UTF-8 text; in double quotes, "
		       "\\xHH stands for a character",
		       what);
}

static int explain_syntax(struct lab_reader *reader, const yaml_parser_t *parser)
{
	const yaml_mark_t *place = &parser->problem_mark;
	char what[256];

	if (parser->context && parser->context_mark.line != place->line)
		snprintf(what, sizeof(what), "invalid YAML: %s %s that begins in line %zu",
			 parser->problem, parser->context, parser->context_mark.line + 1);
	else
		snprintf(what, sizeof(what), "invalid YAML: %s", parser->problem);
	return fail_at(reader, place->line + 1, place->column + 1,
		       "check the indentation (spaces, no tabs), the brackets and the quotes here "
		       "and in the line before",
		       what);
}

/* Anchors and aliases that do not match. */
static int explain_composition(struct lab_reader *reader, const yaml_parser_t *parser)
{
	const yaml_mark_t *place = &parser->problem_mark;
	char what[256];

	if (parser->context && strstr(parser->context, "duplicate"))
		snprintf(what, sizeof(what), "duplicate anchor, defined in line %zu",
			 parser->context_mark.line + 1);
	else
		snprintf(what, sizeof(what), "invalid YAML: %s", parser->problem);
	return fail_at(reader, place->line + 1, place->column + 1,
		       "an alias (*name) needs exactly one anchor (&name) before it", what);
}

static int explain(struct lab_reader *reader, const yaml_parser_t *parser, const char *text,
		   size_t size)
{
	if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
		return lab_out_of_memory(reader);
	if (parser->error == YAML_READER_ERROR)
		return explain_bytes(reader, parser, text, size);
	if (parser->error == YAML_COMPOSER_ERROR)
		return explain_composition(reader, parser);
	return explain_syntax(reader, parser);
}

static int start_parser(struct lab_reader *reader, yaml_parser_t *parser, const char *text,
			size_t size)
{
	if (!yaml_parser_initialize(parser))
		return lab_out_of_memory(reader);
	yaml_parser_set_input_string(parser, (const unsigned char *)text, size);
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	return 0;
}

/* What a walk through the document has met so far. */
struct walk {
	unsigned int depth, anchors;
	bool end;
};

static bool has_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	default:
		return false;
	}
}

static int walk_event(struct lab_reader *reader, const yaml_event_t *event, struct walk *walk)
{
	size_t line = event->start_mark.line + 1, column = event->start_mark.column + 1;
	char what[64];

	walk->end = event->type == YAML_STREAM_END_EVENT;
	if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT)
		walk->depth++;
	if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT)
		walk->depth--;
	if (walk->depth > LAB_DEPTH_MAX)
		return fail_at(reader, line, column, "check the brackets",
			       "lists and mappings are nested too deep");
	walk->anchors += has_anchor(event);
	if (walk->anchors <= LAB_ANCHORS_MAX)
		return 0;
	snprintf(what, sizeof(what), "more than %u anchors", LAB_ANCHORS_MAX);
	return fail_at(reader, line, column, "use fewer", what);
}

/*
 * Before libyaml makes a document of it: time grows with the square of the depth, and with the
 * product of anchors and aliases.
 */
static int check_bounds(struct lab_reader *reader, const char *text, size_t size)
{
	struct walk walk = { 0 };
	yaml_parser_t parser;
	yaml_event_t event;
	int err = start_parser(reader, &parser, text, size);

	if (err)
		return err;
	while (!err && !walk.end) {
		if (!yaml_parser_parse(&parser, &event)) {
			err = explain(reader, &parser, text, size);
			break;
		}
		err = walk_event(reader, &event, &walk);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return err;
}

static int check_single(struct lab_reader *reader, yaml_parser_t *parser, const char *text,
			size_t size)
{
	yaml_document_t second;
	yaml_node_t *root;
	int err = 0;

	if (!yaml_document_get_root_node(&reader->document))
		return diagnose(reader->why, EXIT_USAGE, -EINVAL,
				"give a lab file, see ttrec-lab(5)", "%s is empty", reader->path);
	if (!yaml_parser_load(parser, &second))
		return explain(reader, parser, text, size);
	root = yaml_document_get_root_node(&second);
	if (root)
		err = lab_error(reader, root, "a lab is one document: remove the line with '---'",
				"second YAML document");
	yaml_document_delete(&second);
	return err;
}

static int load(struct lab_reader *reader, const char *text, size_t size)
{
	yaml_parser_t parser;
	int err = start_parser(reader, &parser, text, size);

	if (err)
		return err;
	if (!yaml_parser_load(&parser, &reader->document)) {
		err = explain(reader, &parser, text, size);
	} else {
		err = check_single(reader, &parser, text, size);
		if (err)
			yaml_document_delete(&reader->document);
	}
	yaml_parser_delete(&parser);
	return err;
}

int lab_document_open(struct lab_reader *reader, const char *text, size_t size)
{
	const char *slash = strrchr(reader->path, '/');
	int err = check_bounds(reader, text, size);

	if (err)
		return err;
	reader->directory = strndup(reader->path, slash ? (size_t)(slash - reader->path) + 1 : 0);
	if (!reader->directory)
		return lab_out_of_memory(reader);
	err = load(reader, text, size);
	if (err)
		free(take_pointer(reader->directory));
	return err;
}

void lab_document_close(struct lab_reader *reader)
{
	yaml_document_delete(&reader->document);
	free(reader->directory);
}

/* ---- Nodes ---------------------------------------------------------------------------------- */

int lab_spend(struct lab_reader *reader, const yaml_node_t *node, size_t size)
{
	/* So much for a value besides its text. */
	size += 64;
	if (size <= reader->budget) {
		reader->budget -= size;
		return 0;
	}
	reader->budget = 0;
	return lab_error(reader, node, "reduce aliases, merges and counts",
			 "the expanded lab is larger than %u MiB", LAB_BUDGET >> 20);
}

const char *lab_word(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

bool lab_is_null(const yaml_node_t *node)
{
	const char *word = lab_word(node);

	return word && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (!*word || !strcmp(word, "~") || !strcmp(word, "null"));
}

/* YAML's own tags are redundant; other tags are not supported. */
static int check_tag(struct lab_reader *reader, const yaml_node_t *node)
{
	static const char own[] = "tag:yaml.org,2002:";
	const char *tag = (const char *)node->tag;
	char quote[LAB_QUOTE];

	if (!tag || (!strncmp(tag, own, strlen(own)) && strcmp(tag + strlen(own), "binary")))
		return 0;
	return lab_error(reader, node, "remove the tag", "unsupported tag '%s'",
			 lab_quote(tag, quote));
}

static const char *kind_of(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a mapping";
	default:
		return lab_is_null(node) ? "nothing" : "a single value";
	}
}

int lab_scalar(struct lab_reader *reader, const yaml_node_t *node, const char *name,
	       const char *right, const char **text)
{
	char advice[LAB_ADVICE];
	size_t length;
	int err;

	snprintf(advice, sizeof(advice), "expected %s", right);
	if (node->type != YAML_SCALAR_NODE || lab_is_null(node))
		return lab_error(reader, node, advice, "'%s' is %s", name, kind_of(node));
	length = node->data.scalar.length;
	if (length > LAB_TEXT_MAX)
		return lab_error(reader, node, advice, "'%s' is longer than %u bytes", name,
				 LAB_TEXT_MAX);
	if (strlen(lab_word(node)) != length)
		return lab_error(reader, node, "remove the \\0", "'%s' contains a NUL byte", name);
	err = check_tag(reader, node);
	if (!err)
		err = lab_spend(reader, node, length);
	*text = lab_word(node);
	return err;
}

int lab_list(struct lab_reader *reader, const yaml_node_t *node, const char *name, bool single,
	     size_t *count)
{
	int err = check_tag(reader, node);

	if (err)
		return err;
	if (node->type != YAML_SEQUENCE_NODE) {
		*count = 1;
		return single ? 0
			      : lab_error(reader, node,
					  "begin each item with '- ' on its own line, or put all "
					  "of them in brackets",
					  "'%s' is %s, not a list", name, kind_of(node));
	}
	*count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	return lab_spend(reader, node, *count * sizeof(yaml_node_item_t));
}

const yaml_node_t *lab_item(struct lab_reader *reader, const yaml_node_t *list, size_t index)
{
	if (list->type != YAML_SEQUENCE_NODE)
		return list;
	return yaml_document_get_node(&reader->document, list->data.sequence.items.start[index]);
}
