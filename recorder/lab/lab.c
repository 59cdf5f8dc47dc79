// SPDX-License-Identifier: BSD-3-Clause
/* A lab file as a whole: its top level, networks, programs and limits. */
#include "recorder/lab/lab.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "recorder/lab/lab_internal.h"

/* The default of usfstl's controller. */
#define NETWORK_DELAY (100 * NS_PER_US)

/* VIRTIO 1.2, section 5 */
#define VIRTIO_ID_MAX 255

/* ---- Networks ------------------------------------------------------------------------------- */

static const struct lab_key network_keys[] = {
	LAB_KEY("name", lab_type_name, struct lab_network, name, .required = true,
		.doc = "its name, as used by devices"),
	LAB_KEY("delay", lab_type_duration, struct lab_network, link.delay,
		.doc = "time from guest to guest"),
	LAB_KEY("jitter", lab_type_duration, struct lab_network, link.jitter,
		.doc = "maximum random addition to the delay"),
	LAB_KEY("loss", lab_type_share, struct lab_network, link.loss,
		.doc = "share of frames that are lost"),
	LAB_KEY("bandwidth", lab_type_rate, struct lab_network, link.bandwidth, .min = 1,
		.doc = "bits per second"),
	LAB_KEY("reorder", lab_type_share, struct lab_network, link.reorder,
		.doc = "share of frames that overtake others"),
};

static const struct lab_schema network_schema = LAB_SCHEMA("a network", network_keys);

int lab_check_name(struct lab_reader *reader, const yaml_node_t *place, const char *name,
		   const void *names, size_t count, size_t stride)
{
	if (lab_find_name(name, names, count, stride) == count)
		return 0;
	return lab_error(reader, place, "use unique names", "duplicate name '%s'", name);
}

struct lab_network *lab_add_network(struct lab_reader *reader, const yaml_node_t *node)
{
	struct lab *lab = reader->lab;
	struct lab_network *added = lab_add(reader, node, lab->network, lab->network_count);

	if (added)
		added->link.delay = NETWORK_DELAY;
	return added;
}

/* The share of each half, so that both together let pass what the whole does. */
static double half_share(double share)
{
	return 1 - sqrt(1 - share);
}

int lab_network_split(struct lab_reader *reader, const yaml_node_t *place,
		      struct network_link *link)
{
	if (link->delay % 2)
		return lab_error(reader, place, "give an even number of nanoseconds",
				 "odd delay: each side of the network has half of it");
	link->delay /= 2;
	link->jitter /= 2;
	link->loss = half_share(link->loss);
	link->reorder = half_share(link->reorder);
	return 0;
}

static int read_network(struct lab_reader *reader, const yaml_node_t *node)
{
	struct lab_network *network = lab_add_network(reader, node);
	struct lab *lab = reader->lab;
	struct lab_map map;
	int err = network ? lab_read(reader, &network_schema, node, network, &map) : -ENOMEM;

	if (!err)
		err = lab_check_name(reader, lab_map_place(&map, "name"), network->name,
				     lab->network, lab->network_count - 1, sizeof(*lab->network));
	if (!err)
		err = lab_network_split(reader, lab_map_place(&map, "delay"), &network->link);
	return err;
}

/* ---- Programs ------------------------------------------------------------------------------- */

static const struct lab_key program_keys[] = {
	LAB_KEY("name", lab_type_name, struct lab_program, name, .required = true,
		.doc = "its name, as used by devices"),
	LAB_KEY("command", lab_type_text, struct lab_program, command,
		.doc = "command for sh -c; {socket}, {time} and {seed} are replaced"),
	LAB_KEY("socket", lab_type_path, struct lab_program, socket,
		.doc = "where it listens for vhost-user"),
	LAB_KEY("id", lab_type_number, struct lab_program, virtio_id, .min = 1,
		.max = VIRTIO_ID_MAX, .required = true, .doc = "the virtio id of its device"),
	LAB_KEY("timed", lab_type_flag, struct lab_program, timed,
		.doc = "whether it takes part in virtual time"),
};

static const struct lab_schema program_schema = LAB_SCHEMA("a program", program_keys);

struct lab_program *lab_add_program(struct lab_reader *reader, const yaml_node_t *node)
{
	return lab_add(reader, node, reader->lab->program, reader->lab->program_count);
}

static int check_program(struct lab_reader *reader, const struct lab_program *program,
			 const struct lab_map *map)
{
	const yaml_node_t *command = lab_map_place(map, "command");

	if (!program->command && !program->socket)
		return lab_error(reader, map->node,
				 "give 'command' to start it, or 'socket' where it listens",
				 "the program '%s' has neither 'command' nor 'socket'",
				 program->name);
	if (!program->socket && !strstr(program->command, "{socket}"))
		return lab_error(reader, command, "add {socket} to the command, or give 'socket'",
				 "the command of the program '%s' has no {socket}", program->name);
	if (program->timed && !(program->command && strstr(program->command, "{time}")))
		return lab_error(reader, command, "add {time} to the command, or remove 'timed'",
				 "the command of the timed program '%s' has no {time}",
				 program->name);
	return 0;
}

static int read_program(struct lab_reader *reader, const yaml_node_t *node)
{
	struct lab_program *program = lab_add_program(reader, node);
	struct lab *lab = reader->lab;
	struct lab_map map;
	int err = program ? lab_read(reader, &program_schema, node, program, &map) : -ENOMEM;

	if (!err)
		err = lab_check_name(reader, lab_map_place(&map, "name"), program->name,
				     lab->program, lab->program_count - 1, sizeof(*lab->program));
	return err ? err : check_program(reader, program, &map);
}

/* ---- The top level -------------------------------------------------------------------------- */

static int read_items(struct lab_reader *reader, const struct lab_key *key, const yaml_node_t *node,
		      int (*read)(struct lab_reader *reader, const yaml_node_t *item))
{
	size_t count;
	int err = lab_list(reader, node, key->name, false, &count);

	for (size_t i = 0; !err && i < count; i++)
		err = read(reader, lab_item(reader, node, i));
	return err;
}

static int read_networks(struct lab_reader *reader, const struct lab_key *key,
			 const yaml_node_t *node, void *field)
{
	(void)field;
	return read_items(reader, key, node, read_network);
}

static int read_programs(struct lab_reader *reader, const struct lab_key *key,
			 const yaml_node_t *node, void *field)
{
	(void)field;
	return read_items(reader, key, node, read_program);
}

static const struct lab_key limit_keys[] = {
	LAB_KEY("virtual", lab_type_duration, struct lab, limit_virtual, .min = 1,
		.doc = "fail at this virtual time"),
	LAB_KEY("wall", lab_type_duration, struct lab, limit_wall, .min = 1,
		.doc = "fail after this much wall time"),
};

static const struct lab_schema limit_schema = LAB_SCHEMA("limits", limit_keys);

static int read_limits(struct lab_reader *reader, const struct lab_key *key,
		       const yaml_node_t *node, void *field)
{
	struct lab_map map;

	(void)key;
	(void)field;
	return lab_read(reader, &limit_schema, node, reader->lab, &map);
}

static const struct lab_type networks_type = { "a list", read_networks, NULL, NULL };
static const struct lab_type programs_type = { "a list", read_programs, NULL, NULL };
static const struct lab_type limits_type = { "a mapping", read_limits, NULL, NULL };

/* In the order of reading: guests refer to entries that are read before them. */
static const struct lab_key lab_keys[] = {
	LAB_KEY("networks", networks_type, struct lab, network, .doc = "a list of networks"),
	LAB_KEY("programs", programs_type, struct lab, program,
		.doc = "a list of programs that are devices"),
	LAB_KEY("guests", lab_type_guests, struct lab, guest, .required = true,
		.doc = "a list of guests, each with a name and a kernel"),
	LAB_KEY("faults", lab_type_faults, struct lab, fault,
		.doc = "a list of what goes wrong, and when"),
	LAB_KEY("seed", lab_type_number, struct lab, seed, .max = LAB_UNSET - 1,
		.doc = "seed of all random streams"),
	LAB_KEY("tod", lab_type_tod, struct lab, tod, .doc = "time of day at virtual time 0"),
	LAB_KEY("grant", lab_type_grant, struct lab, grant, .doc = "each or window"),
	LAB_KEY("work-cost", lab_type_work_cost, struct lab, work_cost,
		.doc = "virtual time of a system call and a page fault, ns"),
	LAB_KEY("limits", limits_type, struct lab, limit_virtual, .doc = "virtual and wall time"),
	LAB_KEY("expect", lab_type_patterns, struct lab, expect,
		.doc = "lines that some console must show"),
	LAB_KEY("fail-on", lab_type_patterns, struct lab, fail_on,
		.doc = "lines that no console may show"),
	LAB_KEY("allow-line", lab_type_patterns, struct lab, allow_line, .doc = "lines to ignore"),
};

static const struct lab_schema lab_schema = { "a lab", lab_keys, ARRAY_SIZE(lab_keys), true,
					      false };

const struct lab_schema *const lab_schemas[] = {
	&lab_schema,	   &network_schema,   &program_schema,
	&limit_schema,	   &lab_guest_schema, &lab_net_schema,
	&lab_disk_schema,  &lab_rng_schema,   &lab_console_schema,
	&lab_fault_schema, &lab_use_schema,   &lab_share_schema,
	&lab_root_schema,  &lab_step_schema,  NULL,
};

/* ---- What is there for nothing -------------------------------------------------------------- */

static bool is_used(const struct lab *lab, enum lab_device_kind kind, size_t index)
{
	for (size_t i = 0; i < lab->guest_count; i++) {
		for (size_t j = 0; j < lab->guest[i].device_count; j++) {
			const struct lab_device *device = &lab->guest[i].device[j];

			if (device->kind == kind &&
			    (kind == LAB_NET ? device->network : device->program) == index)
				return true;
		}
	}
	return false;
}

static int note_unused(struct lab_reader *reader, const yaml_node_t *root)
{
	const struct lab *lab = reader->lab;
	int err = 0;

	for (size_t i = 0; !err && i < lab->network_count; i++)
		if (!is_used(lab, LAB_NET, i))
			err = lab_note(reader, root, "no guest is on the network '%s' (line %u)",
				       lab->network[i].name, lab->network[i].line);
	for (size_t i = 0; !err && i < lab->program_count; i++)
		if (!is_used(lab, LAB_PROGRAM, i))
			err = lab_note(reader, root,
				       "no guest has a device of the program '%s' (line %u)",
				       lab->program[i].name, lab->program[i].line);
	return err;
}

/* If frames arrive too late, radios find no station, and nothing else indicates the reason. */
static int note_untimed(struct lab_reader *reader, const yaml_node_t *root)
{
	const struct lab *lab = reader->lab;
	int err = 0;

	for (size_t i = 0; !err && i < lab->program_count; i++) {
		const struct lab_program *program = &lab->program[i];

		if (program->virtio_id == LAB_HWSIM_ID && program->command && !program->timed)
			err = lab_note(
				reader, root,
				"the program '%s' (line %u) is the medium of radios and not "
				"timed: its frames come by the clock of this machine; add "
				"'timed: true', and {time} to its command (wmediumd -t {time})",
				program->name, program->line);
	}
	return err;
}

/* ---- Loading -------------------------------------------------------------------------------- */

static int read_root(struct lab_reader *reader)
{
	const yaml_node_t *root = yaml_document_get_root_node(&reader->document);
	struct lab_map map;
	int err;

	if (lab_vlab_recognise(reader, root))
		return lab_vlab_read(reader, root);
	err = lab_read(reader, &lab_schema, root, reader->lab, &map);
	if (!err)
		err = note_unused(reader, root);
	return err ? err : note_untimed(reader, root);
}

/*
 * Links are not resolved: paths in the file are relative to the directory of the path that was
 * given.
 */
static char *absolute_path(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	auto_free char *directory = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
	auto_free char *real = NULL;
	char *absolute;

	if (!directory)
		return NULL;
	real = realpath(*directory ? directory : ".", NULL);
	if (!real)
		return strdup(path);
	return asprintf(&absolute, "%s/%s", strcmp(real, "/") ? real : "", name) < 0 ? NULL
										     : absolute;
}

/* Nothing is said in it. NULL: out of memory. */
static struct lab *create_empty(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	if (!lab)
		return NULL;
	lab->seed = lab->tod = lab->limit_virtual = lab->limit_wall = LAB_UNSET;
	lab->grant = -1;
	lab->disk_model = LAB_DISK_MODEL;
	return lab;
}

struct lab *lab_create_single(const char *name, uint64_t id, const char *kernel,
			      char *const *arguments)
{
	struct lab *lab = create_empty();
	size_t count = 0;
	bool whole;

	if (lab)
		lab->guest = calloc(1, sizeof(*lab->guest));
	if (!lab || !lab->guest) {
		free(lab);
		return NULL;
	}
	lab->guest_count = 1;
	lab->guest->name = strdup(name);
	lab->guest->kernel = strdup(kernel);
	lab->guest->id = id;
	lab->guest->seed = LAB_UNSET;
	while (arguments[count])
		count++;
	lab->guest->arguments = calloc(count + 1, sizeof(char *));
	whole = lab->guest->name && lab->guest->kernel && lab->guest->arguments;
	for (size_t i = 0; whole && i < count; i++) {
		lab->guest->arguments[i] = strdup(arguments[i]);
		whole = lab->guest->arguments[i];
	}
	if (whole)
		return lab;
	lab_destroy(lab);
	return NULL;
}

/* A lab of which nothing is known but where it is from; NULL: out of memory. */
static struct lab *create_lab(const char *path, const char *text, size_t size)
{
	struct lab *lab = create_empty();

	if (!lab)
		return NULL;
	lab->path = absolute_path(path);
	lab->text = malloc(size + 1);
	if (!lab->path || !lab->text) {
		lab_destroy(lab);
		return NULL;
	}
	memcpy(lab->text, text, size);
	lab->text_size = size;
	return lab;
}

int lab_parse(const char *path, const char *text, size_t size, struct lab **lab,
	      struct diagnosis *why)
{
	struct lab_reader reader = { .path = path, .why = why, .budget = LAB_BUDGET };
	int err = lab_document_open(&reader, text, size);

	if (err)
		return err;
	reader.lab = create_lab(path, text, size);
	err = reader.lab ? read_root(&reader) : lab_out_of_memory(&reader);
	lab_document_close(&reader);
	if (err)
		lab_destroy(reader.lab);
	else
		*lab = reader.lab;
	return err;
}

int lab_load(const char *path, struct lab **lab, struct diagnosis *why)
{
	struct lab_reader reader = { .path = path, .why = why };
	auto_free char *text = NULL;
	size_t size;
	int err = lab_document_read(&reader, &text, &size);

	return err ? err : lab_parse(path, text, size, lab, why);
}

static void release_program(struct lab_program *program)
{
	free(program->name);
	free(program->command);
	free(program->socket);
}

void lab_destroy(struct lab *lab)
{
	if (!lab)
		return;
	free(lab->path);
	free(lab->text);
	free(lab->work_cost);
	for (size_t i = 0; i < lab->network_count; i++)
		free(lab->network[i].name);
	for (size_t i = 0; i < lab->fault_count; i++)
		lab_fault_release(&lab->fault[i]);
	free(lab->fault);
	for (size_t i = 0; i < lab->program_count; i++)
		release_program(&lab->program[i]);
	for (size_t i = 0; i < lab->guest_count; i++)
		lab_guest_release(&lab->guest[i]);
	free(lab->network);
	free(lab->program);
	free(lab->guest);
	lab_strings_free(lab->expect);
	lab_strings_free(lab->fail_on);
	lab_strings_free(lab->allow_line);
	lab_strings_free(lab->notes);
	free(lab);
}
