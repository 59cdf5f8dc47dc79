// SPDX-License-Identifier: BSD-3-Clause
/* A lab file that can be put elsewhere: with a seed, and with absolute paths. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "recorder/lab/lab_internal.h"

/* Is it the name of a key whose value is a path, in any table? */
static bool is_path_key(const char *name)
{
	for (const struct lab_schema *const *schema = lab_schemas; *schema; schema++)
		for (size_t i = 0; i < (*schema)->count; i++)
			if (!strcmp((*schema)->keys[i].name, name))
				return (*schema)->keys[i].type == &lab_type_path ||
				       (*schema)->keys[i].type == &lab_type_image ||
				       (*schema)->keys[i].type == &lab_type_root;
	return false;
}

static int make_absolute(const char *directory, yaml_node_t *node)
{
	const char *value = (const char *)node->data.scalar.value;
	char *path;

	if (node->type != YAML_SCALAR_NODE || *value == '/' || lab_is_null(node))
		return 0;
	if (asprintf(&path, "%s%s", directory, value) < 0)
		return -ENOMEM;
	free(node->data.scalar.value);
	node->data.scalar.value = (yaml_char_t *)path;
	node->data.scalar.length = strlen(path);
	return 0;
}

/* Nodes are a list, whatever they are in. */
static int rewrite_paths(yaml_document_t *document, const char *directory)
{
	int err = 0;

	for (yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++) {
		if (node->type != YAML_MAPPING_NODE)
			continue;
		for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		     !err && pair < node->data.mapping.pairs.top; pair++) {
			const char *key = lab_word(yaml_document_get_node(document, pair->key));

			if (key && is_path_key(key))
				err = make_absolute(directory,
						    yaml_document_get_node(document, pair->value));
		}
	}
	return err;
}

static int add_scalar(yaml_document_t *document, const char *text)
{
	return yaml_document_add_scalar(document, NULL, (yaml_char_t *)text, -1,
					YAML_PLAIN_SCALAR_STYLE);
}

static int set_seed(yaml_document_t *document, uint64_t seed)
{
	yaml_node_t *root = yaml_document_get_root_node(document);
	char text[24];
	int key, value;

	snprintf(text, sizeof(text), "%" PRIu64, seed);
	value = add_scalar(document, text);
	if (!value)
		return -ENOMEM;
	/* Adding a node moves all of them. */
	root = yaml_document_get_root_node(document);
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
	     pair < root->data.mapping.pairs.top; pair++) {
		const char *name = lab_word(yaml_document_get_node(document, pair->key));

		if (name && !strcmp(name, "seed")) {
			pair->value = value;
			return 0;
		}
	}
	key = add_scalar(document, "seed");
	return key && yaml_document_append_mapping_pair(document, 1, key, value) ? 0 : -ENOMEM;
}

static int write_text(void *file, unsigned char *text, size_t size)
{
	return fwrite(text, 1, size, file) == size;
}

/* Takes @document over, as the emitter does. */
static int emit(yaml_document_t *document, char **text)
{
	size_t size;
	FILE *file = open_memstream(text, &size);
	yaml_emitter_t emitter;
	int err = -ENOMEM;

	if (!file || !yaml_emitter_initialize(&emitter)) {
		yaml_document_delete(document);
	} else {
		yaml_emitter_set_output(&emitter, write_text, file);
		yaml_emitter_set_unicode(&emitter, 1);
		yaml_emitter_set_width(&emitter, 100);
		if (yaml_emitter_open(&emitter) && yaml_emitter_dump(&emitter, document) &&
		    yaml_emitter_close(&emitter))
			err = 0;
		yaml_emitter_delete(&emitter);
	}
	if (file && fclose(file))
		err = -ENOMEM;
	if (err)
		free(take_pointer(*text));
	return err;
}

int lab_rewrite(const struct lab *lab, uint64_t seed, char **text)
{
	struct lab_reader reader = { .path = lab->path };
	int err = lab_document_open(&reader, lab->text, lab->text_size);

	*text = NULL;
	if (err)
		return err;
	if (lab_vlab_recognise(&reader, yaml_document_get_root_node(&reader.document))) {
		*text = strndup(lab->text, lab->text_size);
		lab_document_close(&reader);
		return *text ? 0 : -ENOMEM;
	}
	err = rewrite_paths(&reader.document, reader.directory);
	if (!err)
		err = set_seed(&reader.document, seed);
	if (err)
		yaml_document_delete(&reader.document);
	else
		err = emit(&reader.document, text);
	free(reader.directory);
	return err;
}
