// SPDX-License-Identifier: BSD-3-Clause
/*
 * Files of usfstl's vlab (vlab/virtlab.py there): their nodes become guests on one network. What
 * has no counterpart is named in the lab's notes.
 */
#include "recorder/lab/lab_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"

/* Defaults of vlab and of its controller. */
#define NODE_MEMORY   (128ull << 20)
#define NETWORK_DELAY (100 * NS_PER_US)
/* A node is client 1 << 60 | number << 40 of the controller. */
#define NODE_ID	     (UINT64_C(1) << 60)
#define NODE_ID_STEP (UINT64_C(1) << 40)

struct vlab_node {
	char *name, *address;
	uint64_t memory;
	bool hwsim;
	const yaml_node_t *place;
};

struct vlab_form {
	struct vlab_node *node;
	size_t node_count;
	uint64_t delay, tod;
	char *radio, *radio_errors; /* wmediumd's configuration and error table */
	char *kernel, *initrd, **append;
	char *command; /* of the first node */
	struct lab_root root;
};

/* ---- The tables ----------------------------------------------------------------------------- */

static int read_present(struct lab_reader *reader, const struct lab_key *key,
			const yaml_node_t *node, void *field)
{
	(void)reader;
	(void)key;
	(void)node;
	*(bool *)field = true;
	return 0;
}

static const struct lab_type present_type = { "anything", read_present, NULL, NULL };

static const struct lab_key node_keys[] = {
	LAB_KEY("name", lab_type_name, struct vlab_node, name, .doc = "its name"),
	LAB_KEY("addr", lab_type_name, struct vlab_node, address, .doc = "its IP address"),
	LAB_KEY("mem", lab_type_mebibytes, struct vlab_node, memory, .min = 16ull << 20,
		.max = 64ull << 30, .doc = "its RAM in MiB"),
	LAB_KEY("hwsim", present_type, struct vlab_node, hwsim, .doc = "it has a radio"),
	LAB_KEY("kmemleak", lab_type_ignored, struct vlab_node, place,
		.doc = "put it in 'append' under 'ttrec'"),
	LAB_KEY("host_binds", lab_type_ignored, struct vlab_node, place,
		.doc = "a guest does not see the host's files"),
};

static const struct lab_key net_keys[] = {
	LAB_KEY("delay", lab_type_milliseconds, struct vlab_form, delay,
		.doc = "from node to node, in ms"),
};

static const struct lab_key controller_keys[] = {
	LAB_KEY("start-time", lab_type_nanoseconds, struct vlab_form, tod, .max = INT64_MAX,
		.doc = "time of day at virtual time 0"),
	LAB_KEY("no-shm", lab_type_ignored, struct vlab_form, tod,
		.doc = "the scheduler has no shared memory"),
};

static const struct lab_key wmediumd_keys[] = {
	LAB_KEY("config", lab_type_path, struct vlab_form, radio, .required = true,
		.doc = "wmediumd's configuration"),
	LAB_KEY("per", lab_type_path, struct vlab_form, radio_errors,
		.doc = "wmediumd's table of packet errors"),
};

/* An extension that vlab ignores. */
static const struct lab_key own_keys[] = {
	LAB_KEY("kernel", lab_type_path, struct vlab_form, kernel,
		.doc = "the kernel of all nodes"),
	LAB_KEY("initrd", lab_type_path, struct vlab_form, initrd,
		.doc = "the initrd of all nodes"),
	LAB_KEY("root", lab_type_root, struct vlab_form, root,
		.doc = "the root file system of all nodes, instead of an initrd"),
	LAB_KEY("append", lab_type_words, struct vlab_form, append,
		.doc = "more words for the kernel's command line"),
	LAB_KEY("command", lab_type_text, struct vlab_form, command,
		.doc = "what the first node runs, as after the file on vlab's command line"),
};

static const struct lab_schema node_schema = { "a node", node_keys, ARRAY_SIZE(node_keys), false,
					       true };
static const struct lab_schema net_schema = { "net", net_keys, ARRAY_SIZE(net_keys), false, true };
static const struct lab_schema controller_schema = { "controller", controller_keys,
						     ARRAY_SIZE(controller_keys), false, true };
static const struct lab_schema wmediumd_schema = { "wmediumd", wmediumd_keys,
						   ARRAY_SIZE(wmediumd_keys), false, true };
static const struct lab_schema own_schema = { "ttrec", own_keys, ARRAY_SIZE(own_keys), false,
					      false };

/* ---- Reading -------------------------------------------------------------------------------- */

/* An entry may be empty: a node of which nothing is said. */
static int read_node(struct lab_reader *reader, const yaml_node_t *node, struct vlab_node *form)
{
	struct lab_map map;

	form->memory = NODE_MEMORY;
	form->place = node;
	return lab_is_null(node) ? 0 : lab_read(reader, &node_schema, node, form, &map);
}

static int read_nodes(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		      void *field)
{
	struct vlab_form *form =
		(struct vlab_form *)((char *)field - offsetof(struct vlab_form, node));
	size_t count;
	int err = lab_list(reader, node, key->name, false, &count);

	if (!err && (!count || count > LAB_GUESTS_MAX))
		err = lab_error(reader, node, "expected 1 to 1024", "%zu nodes", count);
	if (err)
		return err;
	form->node = calloc(count, sizeof(*form->node));
	if (!form->node)
		return lab_out_of_memory(reader);
	form->node_count = count;
	for (size_t i = 0; !err && i < count; i++)
		err = read_node(reader, lab_item(reader, node, i), &form->node[i]);
	return err;
}

/* Each says something of the whole. */
static int read_section(struct lab_reader *reader, const struct lab_key *key,
			const yaml_node_t *node, void *field)
{
	static const struct lab_schema *const sections[] = { &net_schema, &controller_schema,
							     &wmediumd_schema, &own_schema };
	size_t i = 0;
	struct lab_map map;

	while (strcmp(sections[i]->what, key->name))
		i++;
	return lab_read(reader, sections[i], node, (char *)field - key->offset, &map);
}

static const struct lab_type nodes_type = { "a list", read_nodes, NULL, NULL };
static const struct lab_type section_type = { "a mapping", read_section, NULL, NULL };

static const struct lab_key vlab_keys[] = {
	LAB_KEY("nodes", nodes_type, struct vlab_form, node, .required = true,
		.doc = "a list of nodes"),
	LAB_KEY("net", section_type, struct vlab_form, delay, .doc = "the network"),
	LAB_KEY("controller", section_type, struct vlab_form, tod, .doc = "the scheduler"),
	LAB_KEY("wmediumd", section_type, struct vlab_form, radio, .doc = "the radios' medium"),
	LAB_KEY("host_binds", lab_type_ignored, struct vlab_form, node,
		.doc = "a guest does not see the host's files"),
	LAB_KEY("ttrec", section_type, struct vlab_form, kernel,
		.doc = "settings that vlab does not have"),
};

static const struct lab_schema vlab_schema = { "a vlab file", vlab_keys, ARRAY_SIZE(vlab_keys),
					       false, true };

/* ---- Defaults of a node ------------------------------------------------------------------- */

static bool address_taken(const struct vlab_form *form, const char *address)
{
	for (size_t i = 0; i < form->node_count; i++)
		if (form->node[i].address && !strcmp(form->node[i].address, address))
			return true;
	return false;
}

/* 10.0.0.1 and so on, without those that a node asks for. */
static int complete_addresses(struct lab_reader *reader, struct vlab_form *form)
{
	unsigned int number = 1;

	for (size_t i = 0; i < form->node_count; i++) {
		struct vlab_node *node = &form->node[i];
		char address[32];

		if (node->address)
			continue;
		do
			snprintf(address, sizeof(address), "10.0.0.%u", number++);
		while (address_taken(form, address));
		node->address = strdup(address);
		if (!node->address)
			return lab_out_of_memory(reader);
	}
	return 0;
}

static int complete_names(struct lab_reader *reader, struct vlab_form *form)
{
	int err = complete_addresses(reader, form);

	for (size_t i = 0; !err && i < form->node_count; i++) {
		struct vlab_node *node = &form->node[i];

		if (!node->name && asprintf(&node->name, "vnode_%s", node->address) < 0) {
			node->name = NULL;
			err = lab_out_of_memory(reader);
		}
		if (!err)
			err = lab_check_name(reader, node->place, node->name, form->node, i,
					     sizeof(*form->node));
	}
	return err;
}

static int complete_files(struct lab_reader *reader, struct vlab_form *form)
{
	if (!form->kernel)
		form->kernel = lab_path(reader, "linux");
	if (!form->initrd && !form->root.path)
		form->initrd = lab_path(reader, "initrd.gz");
	return form->kernel && (form->initrd || form->root.path) ? 0 : lab_out_of_memory(reader);
}

/* ---- As a lab ------------------------------------------------------------------------------- */

static int make_network(struct lab_reader *reader, const struct vlab_form *form,
			const yaml_node_t *root)
{
	struct lab_network *network = lab_add_network(reader, root);

	if (!network)
		return -ENOMEM;
	network->name = strdup("net");
	network->link.delay = form->delay;
	return network->name ? lab_network_split(reader, root, &network->link)
			     : lab_out_of_memory(reader);
}

/* vlab starts no medium for a radio that is alone. */
static bool has_radios(const struct vlab_form *form)
{
	size_t count = 0;

	for (size_t i = 0; i < form->node_count; i++)
		count += form->node[i].hwsim;
	return count > 1;
}

/* As one word of sh(1). */
static void put_word(FILE *out, const char *option, const char *text)
{
	fprintf(out, " %s '", option);
	for (; *text; text++)
		fputs(*text == '\'' ? "'\\''" : (const char[]){ *text, '\0' }, out);
	fputc('\'', out);
}

static char *medium_command(const struct vlab_form *form)
{
	char *command = NULL;
	size_t size;
	FILE *out = open_memstream(&command, &size);

	if (!out)
		return NULL;
	fputs("wmediumd -p wmediumd.pcapng -u {socket} -t {time}", out);
	put_word(out, "-c", form->radio);
	if (form->radio_errors)
		put_word(out, "-x", form->radio_errors);
	fputs(" -l 7", out);
	if (!fclose(out))
		return command;
	free(command);
	return NULL;
}

static int make_medium(struct lab_reader *reader, const struct vlab_form *form,
		       const yaml_node_t *root)
{
	struct lab_program *program;

	if (!has_radios(form))
		return 0;
	if (!form->radio)
		return lab_error(reader, root, "add 'wmediumd: {config: FILE}'",
				 "nodes with 'hwsim' need wmediumd");
	program = lab_add_program(reader, root);
	if (!program)
		return -ENOMEM;
	program->name = strdup("wmediumd");
	program->command = medium_command(form);
	program->virtio_id = LAB_HWSIM_ID;
	program->timed = true;
	return program->name && program->command ? 0 : lab_out_of_memory(reader);
}

static int add_argument(struct lab_reader *reader, struct lab_guest *guest, size_t count,
			const char *key, const char *value)
{
	auto_free char *text = NULL;

	if (asprintf(&text, "%s%s", key, value) < 0 ||
	    lab_strings_add(&guest->arguments, count, text))
		return lab_out_of_memory(reader);
	return 0;
}

/* run=, as one word of the kernel's command line. */
static int add_command(struct lab_reader *reader, const struct vlab_form *form,
		       const struct vlab_node *node, struct lab_guest *guest, size_t count)
{
	auto_free char *text = NULL;

	if (!form->command || node != form->node)
		return 0;
	if (strchr(form->command, '"'))
		return lab_error(reader, node->place, "put it into a script in the initrd",
				 "the kernel's command line takes no double quotes: %s",
				 form->command);
	if (asprintf(&text, "\"run=%s\"", form->command) < 0) {
		text = NULL;
		return lab_out_of_memory(reader);
	}
	return add_argument(reader, guest, count, "", text);
}

/* As vlab starts it, less what is about the host's files. */
static int make_arguments(struct lab_reader *reader, const struct vlab_form *form,
			  const struct vlab_node *node, struct lab_guest *guest)
{
	size_t count = 3;
	int err = lab_add_memory(reader, guest, node->memory);

	if (!err)
		err = add_argument(reader, guest, 1, "addr=", node->address);
	if (!err)
		err = add_argument(reader, guest, 2, "hostname=", node->name);
	for (char **word = form->append; !err && word && *word; word++)
		err = add_argument(reader, guest, count++, "", *word);
	return err ? err : add_command(reader, form, node, guest, count);
}

static int make_devices(struct lab_reader *reader, const struct vlab_form *form,
			const struct vlab_node *node, struct lab_guest *guest)
{
	struct lab_device *device = lab_add_device(reader, guest, node->place);

	if (!device)
		return -ENOMEM;
	device->kind = LAB_NET;
	device->link = reader->lab->network[0].link;
	if (!node->hwsim || !has_radios(form))
		return 0;
	device = lab_add_device(reader, guest, node->place);
	if (!device)
		return -ENOMEM;
	device->kind = LAB_PROGRAM;
	return 0;
}

static int make_guest(struct lab_reader *reader, const struct vlab_form *form, size_t index)
{
	const struct vlab_node *node = &form->node[index];
	struct lab_guest *guest;
	int err = lab_add_guest(reader, node->place, &guest);

	if (err)
		return err;
	guest->id = NODE_ID | (index + 1) * NODE_ID_STEP;
	guest->name = strdup(node->name);
	guest->kernel = strdup(form->kernel);
	guest->initrd = form->initrd ? strdup(form->initrd) : NULL;
	guest->root = form->root;
	guest->root.path = form->root.path ? strdup(form->root.path) : NULL;
	if (!guest->name || !guest->kernel || (form->initrd && !guest->initrd) ||
	    (form->root.path && !guest->root.path))
		return lab_out_of_memory(reader);
	err = make_arguments(reader, form, node, guest);
	return err ? err : make_devices(reader, form, node, guest);
}

static int make_lab(struct lab_reader *reader, struct vlab_form *form, const yaml_node_t *root)
{
	int err = complete_names(reader, form);

	if (!err)
		err = complete_files(reader, form);
	if (!err)
		err = make_network(reader, form, root);
	if (!err)
		err = make_medium(reader, form, root);
	for (size_t i = 0; !err && i < form->node_count; i++)
		err = make_guest(reader, form, i);
	reader->lab->tod = form->tod;
	if (err)
		return err;
	return lab_note(
		reader, root,
		"imported from vlab, which starts nodes from the host's files: these nodes "
		"start %s with %s ('ttrec: {kernel: ..., initrd: ..., root: ...}' overrides "
		"it)",
		form->kernel, form->root.path ? form->root.path : form->initrd);
}

static void release_form(struct vlab_form *form)
{
	for (size_t i = 0; i < form->node_count; i++) {
		free(form->node[i].name);
		free(form->node[i].address);
	}
	free(form->node);
	free(form->radio);
	free(form->radio_errors);
	free(form->kernel);
	free(form->initrd);
	free(form->command);
	free(form->root.path);
	lab_strings_free(form->append);
}

bool lab_vlab_recognise(struct lab_reader *reader, const yaml_node_t *root)
{
	return lab_has_key(reader, root, "nodes") && !lab_has_key(reader, root, "guests");
}

int lab_vlab_read(struct lab_reader *reader, const yaml_node_t *root)
{
	struct vlab_form form = { .delay = NETWORK_DELAY };
	struct lab_map map;
	int err = lab_read(reader, &vlab_schema, root, &form, &map);

	if (!err)
		err = make_lab(reader, &form, root);
	release_form(&form);
	return err;
}
