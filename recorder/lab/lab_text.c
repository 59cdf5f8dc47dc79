// SPDX-License-Identifier: BSD-3-Clause
/* Values of a lab file that are text: names, paths, words, patterns. */
#include "format/base/words.h"
#include "recorder/lab/lab_internal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/pattern/pattern.h"
#include "kernel/guest/guest_patches.h"

#define NAME_MAX_LENGTH 63
#define SERIAL_MAX	20 /* VIRTIO 1.2, 5.2.6: VIRTIO_BLK_T_GET_ID */

/* ---- Lists and arrays ----------------------------------------------------------------------- */

int lab_strings_add(char ***list, size_t count, const char *text)
{
	return words_take(list, &count, strdup(text));
}

void lab_strings_free(char **list)
{
	for (char **text = list; text && *text; text++)
		free(*text);
	free(list);
}

/* ---- Text ----------------------------------------------------------------------------------- */

static void put_numbered(FILE *out, const char *text, uint64_t number)
{
	while (*text) {
		if (!strncmp(text, "%%d", 3)) {
			fputs("%d", out);
			text += 3;
		} else if (!strncmp(text, "%d", 2)) {
			fprintf(out, "%" PRIu64, number);
			text += 2;
		} else {
			fputc(*text++, out);
		}
	}
}

char *lab_number_text(const struct lab_reader *reader, const char *text)
{
	char *numbered = NULL;
	size_t size;
	FILE *out;

	if (!reader->counted)
		return strdup(text);
	out = open_memstream(&numbered, &size);
	if (!out)
		return NULL;
	put_numbered(out, text, reader->number);
	if (!fclose(out))
		return numbered;
	free(numbered);
	return NULL;
}

static int read_text(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		     void *field)
{
	const char *text;
	char *copy;
	int err = lab_scalar(reader, node, key->name, key->type->right, &text);

	if (err)
		return err;
	if (!*text)
		return lab_wrong(reader, key, node);
	copy = lab_number_text(reader, text);
	if (!copy)
		return lab_out_of_memory(reader);
	*(char **)field = copy;
	return 0;
}

char *lab_path(const struct lab_reader *reader, const char *path)
{
	char *joined;

	if (asprintf(&joined, "%s%s", *path == '/' ? "" : reader->directory, path) < 0)
		return NULL;
	return joined;
}

static int read_path(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		     void *field)
{
	auto_free char *path = NULL;
	int err = read_text(reader, key, node, &path);

	if (err)
		return err;
	*(char **)field = lab_path(reader, path);
	return *(char **)field ? 0 : lab_out_of_memory(reader);
}

/* null is no image: a disk of zeros. */
static int read_image(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		      void *field)
{
	return lab_is_null(node) ? 0 : read_path(reader, key, node, field);
}

static bool is_name(const char *text)
{
	size_t length = strlen(text);

	if (!isalnum((unsigned char)*text) || length > NAME_MAX_LENGTH)
		return false;
	while (isalnum((unsigned char)*text) || (*text && strchr("._-", *text)))
		text++;
	return !*text;
}

/* Names become parts of file names and of reports. */
static int read_name(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		     void *field)
{
	int err = read_text(reader, key, node, field);

	return err ? err : is_name(*(char **)field) ? 0 : lab_wrong(reader, key, node);
}

static int read_serial(struct lab_reader *reader, const struct lab_key *key,
		       const yaml_node_t *node, void *field)
{
	int err = read_text(reader, key, node, field);

	return err ? err : strlen(*(char **)field) <= SERIAL_MAX ? 0 : lab_wrong(reader, key, node);
}

/* It becomes a word of command lines: mount -t virtiofs TAG, root=TAG. */
bool lab_is_tag(const char *text)
{
	if (strlen(text) > DEVICE_FS_TAG)
		return false;
	while (isgraph((unsigned char)*text) && *text != '/')
		text++;
	return !*text;
}

static int read_tag(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		    void *field)
{
	int err = read_text(reader, key, node, field);

	return err ? err : lab_is_tag(*(char **)field) ? 0 : lab_wrong(reader, key, node);
}

static int read_work_cost(struct lab_reader *reader, const struct lab_key *key,
			  const yaml_node_t *node, void *field)
{
	int err = read_text(reader, key, node, field);

	return err ? err : guest_work_check(*(char **)field) ? lab_wrong(reader, key, node) : 0;
}

/* ---- Words of a command line ---------------------------------------------------------------- */

/* The kernel splits at white space outside of double quotes, and keeps the quotes. */
static const char *word_end(const char *text, bool *quoted)
{
	for (*quoted = false; *text && (*quoted || !isspace((unsigned char)*text)); text++)
		if (*text == '"')
			*quoted = !*quoted;
	return text;
}

static int add_words(struct lab_reader *reader, const yaml_node_t *node, const char *text,
		     char ***list, size_t *count)
{
	bool quoted;

	for (;;) {
		auto_free char *word = NULL;
		const char *end;

		while (isspace((unsigned char)*text))
			text++;
		if (!*text)
			return 0;
		end = word_end(text, &quoted);
		if (quoted)
			return lab_error(reader, node,
					 "close it; if it is YAML's own quote, put the whole value "
					 "in single quotes",
					 "unterminated double quote");
		word = strndup(text, (size_t)(end - text));
		if (!word || lab_strings_add(list, *count, word))
			return lab_out_of_memory(reader);
		(*count)++;
		text = end;
	}
}

static int read_words(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		      void *field)
{
	size_t items, count = 0;
	int err = lab_list(reader, node, key->name, true, &items);

	for (size_t i = 0; !err && i < items; i++) {
		const yaml_node_t *item = lab_item(reader, node, i);
		auto_free char *copy = NULL;
		const char *text;

		err = lab_scalar(reader, item, key->name, key->type->right, &text);
		if (err)
			break;
		copy = lab_number_text(reader, text);
		err = copy ? add_words(reader, item, copy, field, &count)
			   : lab_out_of_memory(reader);
	}
	return err;
}

/* ---- Patterns ------------------------------------------------------------------------------- */

int lab_check_pattern(struct lab_reader *reader, const yaml_node_t *node, const char *text)
{
	char reason[PATTERN_REASON], quote[LAB_QUOTE];
	struct pattern *pattern;
	int err = pattern_compile(text, &pattern, reason);

	if (!err) {
		pattern_free(pattern);
		return 0;
	}
	if (err == -ENOMEM)
		return lab_out_of_memory(reader);
	lab_quote(text, quote);
	return lab_error(reader, node, PATTERN_HINT, "invalid pattern '%s': %s", quote, reason);
}

static int add_pattern(struct lab_reader *reader, const struct lab_key *key,
		       const yaml_node_t *node, char ***list, size_t count)
{
	auto_free char *text = NULL;
	int err = read_text(reader, key, node, &text);

	if (!err)
		err = lab_check_pattern(reader, node, text);
	if (!err && lab_strings_add(list, count, text))
		err = lab_out_of_memory(reader);
	return err;
}

static int read_patterns(struct lab_reader *reader, const struct lab_key *key,
			 const yaml_node_t *node, void *field)
{
	size_t count, none = 0;
	int err = lab_list(reader, node, key->name, true, &count);

	if (!err && count > LAB_PATTERNS_MAX)
		err = lab_error(reader, node, "join some with |", "more than %u patterns in '%s'",
				LAB_PATTERNS_MAX, key->name);
	/* An empty list is not the same as a missing one. */
	if (!err && array_reach(*(char ***)field, none, 0))
		err = lab_out_of_memory(reader);
	for (size_t i = 0; !err && i < count; i++)
		err = add_pattern(reader, key, lab_item(reader, node, i), field, i);
	return err;
}

/* One, in slashes or not. */
static int read_pattern(struct lab_reader *reader, const struct lab_key *key,
			const yaml_node_t *node, void *field)
{
	char **text = field;
	size_t length;
	int err = read_text(reader, key, node, text);

	if (err)
		return err;
	length = strlen(*text);
	if (length > 2 && **text == '/' && (*text)[length - 1] == '/') {
		memmove(*text, *text + 1, length - 2);
		(*text)[length - 2] = '\0';
	}
	return lab_check_pattern(reader, node, *text);
}

/* ---- Nothing -------------------------------------------------------------------------------- */

static int read_nothing(struct lab_reader *reader, const struct lab_key *key,
			const yaml_node_t *node, void *field)
{
	(void)field;
	if (lab_is_null(node) || (node->type == YAML_MAPPING_NODE &&
				  node->data.mapping.pairs.start == node->data.mapping.pairs.top))
		return 0;
	return lab_error(reader, node, "remove the value", "'%s' takes no value", key->name);
}

/* Known to vlab, of no use here: @doc says why. */
static int read_ignored(struct lab_reader *reader, const struct lab_key *key,
			const yaml_node_t *node, void *field)
{
	(void)field;
	return lab_note(reader, node, "'%s' is not imported: %s", key->name, key->doc);
}

const struct lab_type lab_type_text = { "a non-empty string", read_text, NULL, NULL };
const struct lab_type lab_type_path = { "the path of a file", read_path, NULL, NULL };
const struct lab_type lab_type_image = { "the path of a file, or null for zeros", read_image, NULL,
					 NULL };
const struct lab_type lab_type_name = {
	"a name of at most 63 letters, digits, '.', '_' and '-' that "
	"begins with a letter or digit",
	read_name, NULL, NULL
};
const struct lab_type lab_type_tag = {
	"at most 36 letters, digits and marks, without blanks or slashes", read_tag, NULL, NULL
};
const struct lab_type lab_type_serial = { "at most 20 bytes", read_serial, NULL, NULL };
const struct lab_type lab_type_work_cost = { "SYSCALL,FAULT in nanoseconds such as 250,500, or off",
					     read_work_cost, NULL, NULL };
const struct lab_type lab_type_words = {
	"words of the kernel's command line, as one string or a list", read_words, NULL, NULL
};
const struct lab_type lab_type_patterns = { "a regular expression, or a list of them",
					    read_patterns, NULL, NULL };
const struct lab_type lab_type_pattern = { "a regular expression such as /login:/", read_pattern,
					   NULL, NULL };
const struct lab_type lab_type_nothing = { "nothing", read_nothing, NULL, NULL };
const struct lab_type lab_type_ignored = { "anything", read_ignored, NULL, NULL };
