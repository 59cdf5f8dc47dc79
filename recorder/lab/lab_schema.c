// SPDX-License-Identifier: BSD-3-Clause
/* Checks a mapping of a lab file against the table of its keys. */
#include "recorder/lab/lab_internal.h"

#include <assert.h>
#include <string.h>

/* Merges of merges; more would be a circle. */
#define MERGE_DEPTH 8

static bool is_merge(const char *word)
{
	return !strcmp(word, "<<");
}

static size_t pair_count(const yaml_node_t *node)
{
	return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
}

static const yaml_node_t *node_at(struct lab_reader *reader, int index)
{
	return yaml_document_get_node(&reader->document, index);
}

/* ---- Which keys are there ------------------------------------------------------------------- */

static int unknown_key(struct lab_reader *reader, const struct lab_schema *schema,
		       const yaml_node_t *node)
{
	const char *word = lab_word(node);
	char quote[LAB_QUOTE], advice[LAB_ADVICE];

	if (schema->extensions && !strncmp(word, "x-", 2))
		return 0;
	if (schema->lenient)
		return lab_note(reader, node, "'%s' is not imported: unknown key",
				lab_quote(word, quote));
	if (strchr(word, ' '))
		return lab_error(reader, node,
				 "if the line is one string, put it in single quotes: ': ' makes "
				 "it a mapping",
				 "unknown key '%s' of %s", lab_quote(word, quote), schema->what);
	lab_advise(word, "known here", schema->keys, schema->count, sizeof(*schema->keys), advice);
	return lab_error(reader, node, advice, "unknown key '%s' of %s", lab_quote(word, quote),
			 schema->what);
}

static size_t find_key(const struct lab_schema *schema, const char *word)
{
	size_t i = 0;

	while (i < schema->count && strcmp(schema->keys[i].name, word))
		i++;
	return i;
}

/* @here: what this very mapping has said; the map may have it from one that merged this one. */
static int take_pair(struct lab_reader *reader, const yaml_node_pair_t *pair, struct lab_map *map,
		     bool *here)
{
	const yaml_node_t *key = node_at(reader, pair->key);
	const char *word = lab_word(key);
	size_t i;

	if (!word)
		return lab_error(reader, key, "put a word before the ':'", "a key must be a word");
	if (is_merge(word))
		return 0;
	i = find_key(map->schema, word);
	if (i == map->schema->count)
		return unknown_key(reader, map->schema, key);
	if (here[i])
		return lab_error(reader, key, "give it once", "duplicate key '%s' in %s", word,
				 map->schema->what);
	here[i] = true;
	if (!map->key[i]) {
		map->key[i] = key;
		map->value[i] = node_at(reader, pair->value);
	}
	return 0;
}

static int take_mapping(struct lab_reader *reader, const yaml_node_t *node, struct lab_map *map,
			unsigned int depth);

static int take_merge(struct lab_reader *reader, const yaml_node_t *value, struct lab_map *map,
		      unsigned int depth)
{
	size_t count;
	int err = lab_list(reader, value, "<<", true, &count);

	if (!err && depth == MERGE_DEPTH)
		err = lab_error(reader, value, "remove the recursive merge",
				"merges are nested too deep");
	for (size_t i = 0; !err && i < count; i++)
		err = take_mapping(reader, lab_item(reader, value, i), map, depth + 1);
	return err;
}

static int take_mapping(struct lab_reader *reader, const yaml_node_t *node, struct lab_map *map,
			unsigned int depth)
{
	bool here[LAB_KEYS_MAX] = { false };
	const yaml_node_pair_t *pairs;
	size_t count;
	int err = 0;

	if (node->type != YAML_MAPPING_NODE) {
		char advice[LAB_ADVICE];

		lab_advise("", "expected a mapping of these", map->schema->keys, map->schema->count,
			   sizeof(*map->schema->keys), advice);
		return lab_error(reader, node, advice, "%s must be a mapping", map->schema->what);
	}
	pairs = node->data.mapping.pairs.start;
	count = pair_count(node);
	err = lab_spend(reader, node, count * sizeof(*pairs));
	for (size_t i = 0; !err && i < count; i++)
		err = take_pair(reader, &pairs[i], map, here);
	for (size_t i = 0; !err && i < count; i++) {
		const char *word = lab_word(node_at(reader, pairs[i].key));

		if (is_merge(word))
			err = take_merge(reader, node_at(reader, pairs[i].value), map, depth);
	}
	return err;
}

int lab_map_open(struct lab_reader *reader, const struct lab_schema *schema,
		 const yaml_node_t *node, struct lab_map *map)
{
	assert(schema->count <= LAB_KEYS_MAX);
	*map = (struct lab_map){ .schema = schema, .node = node };
	return take_mapping(reader, node, map, 0);
}

/* ---- Messages ----------------------------------------------------------------------------- */

int lab_map_read(struct lab_reader *reader, const struct lab_map *map, void *object)
{
	const struct lab_schema *schema = map->schema;
	char advice[LAB_ADVICE];
	int err = 0;

	for (size_t i = 0; !err && i < schema->count; i++) {
		const struct lab_key *key = &schema->keys[i];

		if (map->value[i]) {
			err = key->type->read(reader, key, map->value[i],
					      (char *)object + key->offset);
		} else if (key->required) {
			snprintf(advice, sizeof(advice), "%s: %s", key->name, key->doc);
			err = lab_error(reader, map->node, advice, "%s needs '%s'", schema->what,
					key->name);
		}
	}
	return err;
}

int lab_read(struct lab_reader *reader, const struct lab_schema *schema, const yaml_node_t *node,
	     void *object, struct lab_map *map)
{
	int err = lab_map_open(reader, schema, node, map);

	return err ? err : lab_map_read(reader, map, object);
}

static size_t map_index(const struct lab_map *map, const char *name)
{
	size_t i = find_key(map->schema, name);

	assert(i < map->schema->count);
	return i;
}

const yaml_node_t *lab_map_place(const struct lab_map *map, const char *name)
{
	const yaml_node_t *value = map->value[map_index(map, name)];

	return value ? value : map->node;
}

bool lab_map_has(const struct lab_map *map, const char *name)
{
	return map->value[map_index(map, name)];
}

static bool has_key(struct lab_reader *reader, const yaml_node_t *node, const char *name,
		    unsigned int depth);

static bool merge_has_key(struct lab_reader *reader, const yaml_node_t *value, const char *name,
			  unsigned int depth)
{
	size_t count = value->type == YAML_SEQUENCE_NODE
			       ? (size_t)(value->data.sequence.items.top -
					  value->data.sequence.items.start)
			       : 1;

	/* Excessive depth or size is refused when the mapping is read. */
	if (depth == MERGE_DEPTH || lab_spend(reader, value, count * sizeof(yaml_node_item_t)))
		return false;
	for (size_t i = 0; i < count; i++)
		if (has_key(reader, lab_item(reader, value, i), name, depth + 1))
			return true;
	return false;
}

static bool has_key(struct lab_reader *reader, const yaml_node_t *node, const char *name,
		    unsigned int depth)
{
	const yaml_node_pair_t *pair = NULL, *end = NULL;

	if (node->type == YAML_MAPPING_NODE &&
	    !lab_spend(reader, node, pair_count(node) * sizeof(*pair))) {
		pair = node->data.mapping.pairs.start;
		end = node->data.mapping.pairs.top;
	}
	for (; pair < end; pair++) {
		const char *word = lab_word(node_at(reader, pair->key));

		if (word && !strcmp(word, name))
			return true;
		if (word && is_merge(word) &&
		    merge_has_key(reader, node_at(reader, pair->value), name, depth))
			return true;
	}
	return false;
}

bool lab_has_key(struct lab_reader *reader, const yaml_node_t *node, const char *name)
{
	return has_key(reader, node, name, 0);
}
