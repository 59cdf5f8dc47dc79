/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the parts of the lab file's reader: the document with positions (lab_document.c), types
 * of values (lab_value.c, lab_text.c), tables of keys walked by lab_schema.c, and the tables
 * themselves (lab.c, lab_guest.c, lab_device.c, lab_vlab.c).
 *
 * Values are owned by the lab as soon as they are stored in it, so after an error lab_destroy()
 * frees everything.
 */
#ifndef TTREC_LAB_INTERNAL_H
#define TTREC_LAB_INTERNAL_H

#include <yaml.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "recorder/lab/lab.h"

#define LAB_FILE_MAX	(1u << 20) /* bytes */
#define LAB_ANCHORS_MAX 1024u	   /* libyaml looks through all of them for each alias */
#define LAB_DEPTH_MAX	32u	   /* of lists and mappings in each other */
#define LAB_TEXT_MAX	65536u	   /* bytes of one value */
/* Bytes that all values make when each is counted as often as aliases and counts repeat it. */
#define LAB_BUDGET	 (16u << 20)
#define LAB_GUESTS_MAX	 1024u
#define LAB_PATTERNS_MAX 64u

struct lab_reader {
	yaml_document_t document;
	const char *path;
	char *directory; /* of the file, with a slash at the end; "" */
	struct lab *lab;
	struct diagnosis *why;
	size_t budget;
	size_t note_count;
	bool counted;	 /* the guest being read is one of several: %d stands for its number */
	uint64_t number; /* from 1 */
};

struct lab_key;

struct lab_type {
	const char *right; /* what is accepted, after "give" */
	int (*read)(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		    void *field);
	/* Of types that lab_read_integer() reads: 0, -EINVAL or -ERANGE. */
	int (*parse)(const char *text, uint64_t *value);
	/* A limit, as the user would write it. */
	void (*print)(uint64_t value, char *text, size_t size);
};

/* One key of a mapping: the tables of these are what can be written in a lab file. */
struct lab_key {
	const char *name;
	const struct lab_type *type;
	size_t offset, size; /* of the field in the object */
	uint64_t min, max;   /* of integers; max 0: any */
	bool required;
	const char *doc;
};

#define LAB_KEY(key, its_type, object, field, ...) \
	{ .name = (key),                           \
	  .type = &(its_type),                     \
	  .offset = offsetof(object, field),       \
	  .size = sizeof(((object *)0)->field),    \
	  __VA_ARGS__ }

struct lab_schema {
	const char *what; /* "a network" */
	const struct lab_key *keys;
	size_t count;
	bool extensions; /* keys that begin with x- are the user's own */
	bool lenient;	 /* unknown keys are noted, not refused */
};

#define LAB_SCHEMA(its_name, its_keys) \
	{ .what = (its_name), .keys = (its_keys), .count = ARRAY_SIZE(its_keys) }

/* All of them end with NULL: the manual's completeness is tested with it. */
extern const struct lab_schema *const lab_schemas[];
extern const struct lab_schema lab_guest_schema, lab_net_schema, lab_disk_schema, lab_rng_schema,
	lab_console_schema, lab_fault_schema, lab_use_schema, lab_share_schema, lab_root_schema,
	lab_step_schema;

/* ---- lab_document.c: the file, positions, bounds ------------------------------------------- */

/* Take the text of the file at reader->path, malloc'ed. */
int lab_document_read(struct lab_reader *reader, char **text, size_t *size);
int lab_document_open(struct lab_reader *reader, const char *text, size_t size);
void lab_document_close(struct lab_reader *reader);

/*
 * Refuse the file because of @node: "lab.yaml:3:5: what", with @advice. Returns
 * -EINVAL.
 */
int lab_error(struct lab_reader *reader, const yaml_node_t *node, const char *advice,
	      const char *format, ...) __attribute__((format(printf, 4, 5)));
int lab_out_of_memory(struct lab_reader *reader);

/* Add to lab->notes. Returns 0 or -ENOMEM. */
int lab_note(struct lab_reader *reader, const yaml_node_t *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Line of @node, from 1. */
unsigned int lab_line(const yaml_node_t *node);

/* The value of a scalar, NULL when @node is not one. Not checked: for keys and messages. */
const char *lab_word(const yaml_node_t *node);
bool lab_is_null(const yaml_node_t *node);

/*
 * Read a value; says what is wrong with it if there is none, or with NUL bytes, or when it is too
 * long. @right completes "expected ...".
 */
int lab_scalar(struct lab_reader *reader, const yaml_node_t *node, const char *name,
	       const char *right, const char **text);

/* Of a list: its items. A value that is not a list is refused, or is a list of one with @single. */
int lab_list(struct lab_reader *reader, const yaml_node_t *node, const char *name, bool single,
	     size_t *count);
const yaml_node_t *lab_item(struct lab_reader *reader, const yaml_node_t *list, size_t index);

/* Account for @size more bytes at @node: bounds what aliases, merges and counts multiply. */
int lab_spend(struct lab_reader *reader, const yaml_node_t *node, size_t size);

/* ---- lab_schema.c: mappings against tables ------------------------------------------------- */

#define LAB_KEYS_MAX 16

/* A mapping, merges (<<) included: key and value for each entry of the schema; NULL: not there. */
struct lab_map {
	const struct lab_schema *schema;
	const yaml_node_t *node, *key[LAB_KEYS_MAX], *value[LAB_KEYS_MAX];
};

int lab_map_open(struct lab_reader *reader, const struct lab_schema *schema,
		 const yaml_node_t *node, struct lab_map *map);
int lab_map_read(struct lab_reader *reader, const struct lab_map *map, void *object);
/* The value of a key, or the mapping itself without it: a place for messages. */
const yaml_node_t *lab_map_place(const struct lab_map *map, const char *name);
bool lab_map_has(const struct lab_map *map, const char *name);
/* Both in one. */
int lab_read(struct lab_reader *reader, const struct lab_schema *schema, const yaml_node_t *node,
	     void *object, struct lab_map *map);
/* Whether a mapping has the key @name, including by merges. */
bool lab_has_key(struct lab_reader *reader, const yaml_node_t *node, const char *name);

/* ---- lab_value.c, lab_text.c: types -------------------------------------------------------- */

extern const struct lab_type lab_type_number, lab_type_flag, lab_type_duration, lab_type_size,
	lab_type_rate, lab_type_speed, lab_type_share, lab_type_tod, lab_type_grant,
	lab_type_milliseconds, lab_type_mebibytes, lab_type_nanoseconds, lab_type_mac,
	lab_type_share_write;
extern const struct lab_type lab_type_text, lab_type_path, lab_type_image, lab_type_name,
	lab_type_words, lab_type_patterns, lab_type_pattern, lab_type_serial, lab_type_tag,
	lab_type_work_cost, lab_type_nothing, lab_type_ignored;

int lab_read_integer(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		     void *field);
/* "'delay' cannot be '5 apples'", and what would be right. */
int lab_wrong(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node);

/* A copy of @text, in which %d has become the number of a counted guest. */
char *lab_number_text(const struct lab_reader *reader, const char *text);

/* A path relative to the lab file's directory; NULL: out of memory. */
char *lab_path(const struct lab_reader *reader, const char *path);

/* Check a regular expression, see pattern.h. */
int lab_check_pattern(struct lab_reader *reader, const yaml_node_t *node, const char *text);

/* One more item of @array, read from @node; NULL: out of memory, which is reported. */
#define lab_add(reader, node, array, count)                        \
	({                                                         \
		typeof(array) lab_added = array_add(array, count); \
		if (lab_added)                                     \
			lab_added->line = lab_line(node);          \
		else                                               \
			lab_out_of_memory(reader);                 \
		lab_added;                                         \
	})

/* Add a copy of @text to a list that ends with NULL. 0 or -ENOMEM. */
int lab_strings_add(char ***list, size_t count, const char *text);
void lab_strings_free(char **list);

/* ---- lab_words.c: what the user may have meant --------------------------------------------- */

/* Index of @name among names as lab_advise() takes them; @count: it is not there. */
size_t lab_find_name(const char *name, const void *names, size_t count, size_t stride);

#define LAB_QUOTE  64
#define LAB_ADVICE 512

/* At most 40 characters of @text, made printable for a message. */
const char *lab_quote(const char *text, char quote[LAB_QUOTE]);

/*
 * "did you mean 'delay'? known here: name, delay, ..."; @names are @count strings, the next one
 * @stride bytes after the one before. @known: "known here".
 */
const char *lab_advise(const char *word, const char *known, const void *names, size_t count,
		       size_t stride, char advice[LAB_ADVICE]);

/* ---- The tables ---------------------------------------------------------------------------- */

extern const struct lab_type lab_type_guests, lab_type_devices, lab_type_faults, lab_type_root;

void lab_guest_release(struct lab_guest *guest);
void lab_device_release(struct lab_device *device);
void lab_fault_release(struct lab_fault *fault);

/*
 * Add a zeroed entry to the lab, to be read in place; NULL: out of memory, diagnosed already. A
 * name that exists is refused.
 */
struct lab_network *lab_add_network(struct lab_reader *reader, const yaml_node_t *node);
struct lab_program *lab_add_program(struct lab_reader *reader, const yaml_node_t *node);
int lab_add_guest(struct lab_reader *reader, const yaml_node_t *node, struct lab_guest **guest);
struct lab_device *lab_add_device(struct lab_reader *reader, struct lab_guest *guest,
				  const yaml_node_t *node);
/* mem=, the first of its arguments. */
int lab_add_memory(struct lab_reader *reader, struct lab_guest *guest, uint64_t size);
int lab_check_name(struct lab_reader *reader, const yaml_node_t *place, const char *name,
		   const void *names, size_t count, size_t stride);

/* Halve what a network says of the whole way. */
int lab_network_split(struct lab_reader *reader, const yaml_node_t *place,
		      struct network_link *link);

/* A script for a console, lab_console.c. */
extern const struct lab_type lab_type_script;

/* Whether it has the form of usfstl's vlab, which lab_vlab_read() reads. */
bool lab_vlab_recognise(struct lab_reader *reader, const yaml_node_t *root);
int lab_vlab_read(struct lab_reader *reader, const yaml_node_t *root);

#endif
