// SPDX-License-Identifier: BSD-3-Clause
/* The guests of a lab file: one entry makes one guest, or `count` of them. */
#include "recorder/lab/lab_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"

#define MEMORY_DEFAULT (64ull << 20)
/* Below this no kernel since 5.10 comes as far as its init. */
#define MEMORY_MIN  (16ull << 20)
#define MEMORY_MAX  (64ull << 30)
#define MEMORY_PAGE 4096u

/* A guest as it is read: with what ends in its arguments. */
struct guest_form {
	struct lab_guest guest;
	uint64_t memory, count;
	char **append;
};

static const struct lab_key guest_keys[] = {
	LAB_KEY("name", lab_type_name, struct guest_form, guest.name, .required = true,
		.doc = "its name, as used in reports"),
	LAB_KEY("kernel", lab_type_path, struct guest_form, guest.kernel, .required = true,
		.doc = "the path of a User-Mode-Linux kernel"),
	LAB_KEY("initrd", lab_type_path, struct guest_form, guest.initrd,
		.doc = "the path of its initial file system"),
	LAB_KEY("root", lab_type_root, struct guest_form, guest.root,
		.doc = "its root file system"),
	LAB_KEY("memory", lab_type_size, struct guest_form, memory, .min = MEMORY_MIN,
		.max = MEMORY_MAX, .doc = "its RAM"),
	LAB_KEY("append", lab_type_words, struct guest_form, append,
		.doc = "more words for the kernel's command line"),
	LAB_KEY("id", lab_type_number, struct guest_form, guest.id, .max = LAB_UNSET - 1,
		.doc = "id for the scheduler; at equal times the lower id runs first"),
	LAB_KEY("seed", lab_type_number, struct guest_form, guest.seed, .max = LAB_UNSET - 1,
		.doc = "seed of its random bytes"),
	LAB_KEY("count", lab_type_number, struct guest_form, count, .min = 1, .max = LAB_GUESTS_MAX,
		.doc = "number of guests like this one"),
	LAB_KEY("expect", lab_type_patterns, struct guest_form, guest.expect,
		.doc = "lines that its console must show"),
	LAB_KEY("fail-on", lab_type_patterns, struct guest_form, guest.fail_on,
		.doc = "lines that its console may not show"),
	LAB_KEY("allow-line", lab_type_patterns, struct guest_form, guest.allow_line,
		.doc = "lines of its console to ignore"),
	LAB_KEY("devices", lab_type_devices, struct guest_form, guest.device,
		.doc = "a list of its devices"),
};

const struct lab_schema lab_guest_schema = { "a guest", guest_keys, ARRAY_SIZE(guest_keys), false,
					     false };

/* ---- Its command line ----------------------------------------------------------------------- */

static bool names_memory(char *const *append)
{
	for (; append && *append; append++)
		if (!strncmp(*append, "mem=", 4))
			return true;
	return false;
}

static int check_memory(struct lab_reader *reader, const struct guest_form *form,
			const struct lab_map *map)
{
	const yaml_node_t *place = lab_map_place(map, "memory");

	if (form->memory % MEMORY_PAGE)
		return lab_error(reader, place, "give a size such as 64M",
				 "the memory must be a multiple of 4 KiB");
	if (names_memory(form->append))
		return lab_error(reader, lab_map_place(map, "append"), "use 'memory: 64M' instead",
				 "'append' cannot have mem=");
	return 0;
}

int lab_add_memory(struct lab_reader *reader, struct lab_guest *guest, uint64_t size)
{
	bool whole = size % (1u << 20) == 0;
	char text[32];

	snprintf(text, sizeof(text), "mem=%" PRIu64 "%c", size >> (whole ? 20 : 10),
		 whole ? 'M' : 'K');
	return lab_strings_add(&guest->arguments, 0, text) ? lab_out_of_memory(reader) : 0;
}

static int build_arguments(struct lab_reader *reader, struct guest_form *form)
{
	int err = lab_add_memory(reader, &form->guest, form->memory);
	size_t count = 1;

	for (char **word = form->append; !err && word && *word; word++)
		if (lab_strings_add(&form->guest.arguments, count++, *word))
			err = lab_out_of_memory(reader);
	return err;
}

/* ---- One and many --------------------------------------------------------------------------- */

static int check_counted(struct lab_reader *reader, const struct lab_map *map)
{
	const yaml_node_t *name = lab_map_place(map, "name");

	if (lab_map_has(map, "seed"))
		return lab_error(
			reader, lab_map_place(map, "seed"),
			"remove it: each guest's seed is derived from the lab's seed and its id",
			"guests with 'count' cannot have the same 'seed'");
	if (lab_map_has(map, "name") && lab_word(name) && !strstr(lab_word(name), "%d"))
		return lab_error(reader, name, "add %d for its number, such as n%d",
				 "guests with 'count' cannot have the same name");
	return 0;
}

static int check_id(struct lab_reader *reader, const struct guest_form *form,
		    const yaml_node_t *place)
{
	const struct lab *lab = reader->lab;

	for (size_t i = 0; i < lab->guest_count; i++)
		if (lab->guest[i].id == form->guest.id)
			return lab_error(reader, place, "give an 'id' to each guest, or to none",
					 "duplicate id %" PRIu64 " of '%s' and '%s'",
					 form->guest.id, form->guest.name, lab->guest[i].name);
	return 0;
}

static int set_id(struct lab_reader *reader, struct guest_form *form, const struct lab_map *map)
{
	uint64_t *id = &form->guest.id;

	if (*id == LAB_UNSET)
		*id = reader->lab->guest_count + 1;
	else if (reader->counted &&
		 (__builtin_add_overflow(*id, reader->number - 1, id) || *id == LAB_UNSET))
		return lab_error(reader, lab_map_place(map, "id"), "use a smaller one",
				 "the ids exceed the maximum");
	return check_id(reader, form, lab_map_place(map, "id"));
}

static int read_form(struct lab_reader *reader, const struct lab_map *map, struct guest_form *form)
{
	const struct lab *lab = reader->lab;
	int err = lab_map_read(reader, map, form);

	if (!err)
		err = lab_check_name(reader, lab_map_place(map, "name"), form->guest.name,
				     lab->guest, lab->guest_count, sizeof(*lab->guest));
	if (!err)
		err = set_id(reader, form, map);
	if (!err)
		err = check_memory(reader, form, map);
	return err ? err : build_arguments(reader, form);
}

int lab_add_guest(struct lab_reader *reader, const yaml_node_t *node, struct lab_guest **guest)
{
	struct lab *lab = reader->lab;

	if (lab->guest_count == LAB_GUESTS_MAX)
		return lab_error(reader, node, "use fewer guests", "more than %u guests",
				 LAB_GUESTS_MAX);
	*guest = lab_add(reader, node, lab->guest, lab->guest_count);
	if (!*guest)
		return -ENOMEM;
	(*guest)->seed = LAB_UNSET;
	return 0;
}

static int read_one(struct lab_reader *reader, const struct lab_map *map)
{
	struct guest_form form = {
		.memory = MEMORY_DEFAULT,
		.guest = { .id = LAB_UNSET, .seed = LAB_UNSET, .line = lab_line(map->node) }
	};
	struct lab_guest *guest;
	int err = read_form(reader, map, &form);

	lab_strings_free(form.append);
	if (!err)
		err = lab_add_guest(reader, map->node, &guest);
	if (err)
		lab_guest_release(&form.guest);
	else
		*guest = form.guest;
	return err;
}

static int read_count(struct lab_reader *reader, const struct lab_map *map, uint64_t *count)
{
	const struct lab_key *key = guest_keys;

	*count = 1;
	reader->counted = lab_map_has(map, "count");
	if (!reader->counted)
		return 0;
	while (strcmp(key->name, "count"))
		key++;
	return lab_read_integer(reader, key, lab_map_place(map, "count"), count);
}

static int read_guest(struct lab_reader *reader, const yaml_node_t *node)
{
	struct lab_map map;
	uint64_t count;
	int err = lab_map_open(reader, &lab_guest_schema, node, &map);

	if (!err)
		err = read_count(reader, &map, &count);
	if (!err && reader->counted)
		err = check_counted(reader, &map);
	for (reader->number = 1; !err && reader->number <= count; reader->number++)
		err = read_one(reader, &map);
	reader->counted = false;
	return err;
}

static int read_guests(struct lab_reader *reader, const struct lab_key *key,
		       const yaml_node_t *node, void *field)
{
	size_t count;
	int err = lab_list(reader, node, key->name, false, &count);

	(void)field;
	if (!err && !count)
		err = lab_error(reader, node, "give at least one, with a name and a kernel",
				"empty list of guests");
	for (size_t i = 0; !err && i < count; i++)
		err = read_guest(reader, lab_item(reader, node, i));
	return err;
}

const struct lab_type lab_type_guests = { "a list", read_guests, NULL, NULL };

void lab_guest_release(struct lab_guest *guest)
{
	for (size_t i = 0; i < guest->device_count; i++)
		lab_device_release(&guest->device[i]);
	free(guest->device);
	free(guest->name);
	free(guest->kernel);
	free(guest->initrd);
	free(guest->root.path);
	lab_strings_free(guest->arguments);
	lab_strings_free(guest->expect);
	lab_strings_free(guest->fail_on);
	lab_strings_free(guest->allow_line);
}
