// SPDX-License-Identifier: BSD-3-Clause
/* The faults of a lab file: what goes wrong on networks, for a time. */
#include "recorder/lab/lab_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/base/array.h"
#include "format/base/cleanup.h"
#include "format/base/units.h"

#define GROUPS_MAX 255

/* A fault as it is read. */
struct fault_form {
	struct lab_fault fault;
	uint64_t length; /* ns */
	char *partition, *link, *network;
};

static const struct lab_key fault_keys[] = {
	LAB_KEY("at", lab_type_duration, struct fault_form, fault.begin, .required = true,
		.doc = "virtual time at which it begins"),
	LAB_KEY("for", lab_type_duration, struct fault_form, length, .min = 1, .required = true,
		.doc = "how long it lasts"),
	LAB_KEY("partition", lab_type_text, struct fault_form, partition,
		.doc = "groups of guests that do not reach each other: n1 | n2 n3"),
	LAB_KEY("link", lab_type_text, struct fault_form, link,
		.doc = "a guest, whose frames are lost and delayed"),
	LAB_KEY("loss", lab_type_share, struct fault_form, fault.loss,
		.doc = "share of frames that are lost; of a link"),
	LAB_KEY("delay", lab_type_duration, struct fault_form, fault.delay,
		.doc = "addition to the delay of each frame; of a link"),
	LAB_KEY("jitter", lab_type_duration, struct fault_form, fault.jitter,
		.doc = "maximum random addition to that; of a link"),
	LAB_KEY("one-way", lab_type_flag, struct fault_form, fault.one_way,
		.doc = "whether only frames from the first group, or from the guest, are "
		       "concerned"),
	LAB_KEY("net", lab_type_text, struct fault_form, network,
		.doc = "the network; default: all"),
};

const struct lab_schema lab_fault_schema = LAB_SCHEMA("a fault", fault_keys);

/* ---- Which guests --------------------------------------------------------------------------- */

static int find_guest(struct lab_reader *reader, const yaml_node_t *place, const char *name,
		      size_t *index)
{
	const struct lab *lab = reader->lab;
	char advice[LAB_ADVICE], quote[LAB_QUOTE];

	*index = lab_find_name(name, lab->guest, lab->guest_count, sizeof(*lab->guest));
	if (*index < lab->guest_count)
		return 0;
	lab_advise(name, "guests", lab->guest, lab->guest_count, sizeof(*lab->guest), advice);
	return lab_error(reader, place, advice, "no guest '%s'", lab_quote(name, quote));
}

/* Enter one guest into group @number. */
static int enter_guest(struct lab_reader *reader, const yaml_node_t *place, const char *name,
		       unsigned int number, uint8_t *group)
{
	size_t index;
	int err = find_guest(reader, place, name, &index);

	if (err)
		return err;
	if (group[index])
		return lab_error(reader, place, "name each guest once", "duplicate guest '%s'",
				 name);
	group[index] = (uint8_t)number;
	return 0;
}

static bool has_group(const struct lab *lab, const uint8_t *group, unsigned int number)
{
	for (size_t i = 0; i < lab->guest_count; i++)
		if (group[i] == number)
			return true;
	return false;
}

/* "n1 | n2 n3"; with a single group, against all others. */
static int read_groups(struct lab_reader *reader, const yaml_node_t *place, const char *text,
		       uint8_t *group)
{
	auto_free char *words = strdup(text);
	unsigned int number = 1;
	char *rest = words, *part;
	int err = words ? 0 : lab_out_of_memory(reader);

	for (; !err && (part = strsep(&rest, "|")); number++) {
		char *word;

		if (number > GROUPS_MAX)
			return lab_error(reader, place, "use fewer groups", "too many groups");
		while (!err && (word = strsep(&part, " \t,")))
			if (*word)
				err = enter_guest(reader, place, word, number, group);
		if (!err && !has_group(reader->lab, group, number))
			return lab_error(reader, place, "expected e.g. n1 | n2 n3",
					 "a group of the partition has no guest");
	}
	for (size_t i = 0; !err && number == 2 && i < reader->lab->guest_count; i++)
		group[i] = group[i] ?: 2;
	return err;
}

static int read_network(struct lab_reader *reader, const struct lab_map *map,
			struct fault_form *form)
{
	const struct lab *lab = reader->lab;
	char advice[LAB_ADVICE], quote[LAB_QUOTE];

	form->fault.network = LAB_UNSET;
	if (!form->network)
		return 0;
	form->fault.network = lab_find_name(form->network, lab->network, lab->network_count,
					    sizeof(*lab->network));
	if (form->fault.network < lab->network_count)
		return 0;
	lab_advise(form->network, "networks", lab->network, lab->network_count,
		   sizeof(*lab->network), advice);
	return lab_error(reader, lab_map_place(map, "net"), advice, "no network '%s'",
			 lab_quote(form->network, quote));
}

/* ---- What it is ----------------------------------------------------------------------------- */

static int check_kind(struct lab_reader *reader, const struct lab_map *map,
		      const struct fault_form *form)
{
	static const char *const of_links[] = { "loss", "delay", "jitter" };
	const struct lab_fault *fault = &form->fault;

	if (!form->partition == !form->link)
		return lab_error(reader, map->node, "give 'partition', or 'link'", "a fault has %s",
				 form->link ? "both 'partition' and 'link'"
					    : "neither 'partition' nor 'link'");
	if (form->link && !(fault->loss > 0) && !fault->delay && !fault->jitter)
		return lab_error(reader, map->node, "give 'loss', 'delay' or 'jitter'",
				 "the fault of the link changes nothing");
	for (size_t i = 0; form->partition && i < ARRAY_SIZE(of_links); i++)
		if (lab_map_has(map, of_links[i]))
			return lab_error(reader, lab_map_place(map, of_links[i]), "remove it",
					 "a partition has no '%s'", of_links[i]);
	if (form->length > UINT64_MAX - fault->begin)
		return lab_error(reader, lab_map_place(map, "for"), "give a shorter time",
				 "the fault ends after the end of time");
	return 0;
}

static void put_time(FILE *out, const char *name, uint64_t time)
{
	char text[UNITS_TEXT];

	if (time)
		fprintf(out, ", %s %s", name, duration_short(time, text));
}

/* "partition n1 | n2 n3, one way"; "link n1, loss 30%, delay 0.020 s". NULL: out of memory. */
static char *describe(const struct lab *lab, const struct fault_form *form)
{
	const struct lab_fault *fault = &form->fault;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s %s", form->link ? "link" : "partition", form->link ?: form->partition);
	if (fault->network != LAB_UNSET)
		fprintf(out, ", net %s", lab->network[fault->network].name);
	if (fault->loss > 0)
		fprintf(out, ", loss %.6g%%", fault->loss * 100);
	put_time(out, "delay", fault->delay);
	put_time(out, "jitter", fault->jitter);
	if (fault->one_way)
		fputs(", one way", out);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

/* What refers to guests and networks, once it is known which keys there are. */
static int complete(struct lab_reader *reader, const struct lab_map *map, struct fault_form *form)
{
	const struct lab *lab = reader->lab;
	struct lab_fault *fault = &form->fault;
	int err = check_kind(reader, map, form);

	fault->end = fault->begin + form->length;
	fault->is_partition = form->partition;
	if (!err)
		err = read_network(reader, map, form);
	if (err)
		return err;
	fault->group = calloc(lab->guest_count + 1, 1);
	fault->text = describe(lab, form);
	if (!fault->group || !fault->text)
		return lab_out_of_memory(reader);
	return form->partition ? read_groups(reader, lab_map_place(map, "partition"),
					     form->partition, fault->group)
			       : enter_guest(reader, lab_map_place(map, "link"), form->link, 1,
					     fault->group);
}

static int read_fault(struct lab_reader *reader, const yaml_node_t *node)
{
	struct lab *lab = reader->lab;
	struct fault_form form = { .fault.line = lab_line(node) };
	struct lab_map map;
	int err = lab_read(reader, &lab_fault_schema, node, &form, &map);

	if (!err)
		err = lab_spend(reader, node, lab->guest_count + sizeof(form.fault));
	if (!err)
		err = complete(reader, &map, &form);
	if (!err && array_push(lab->fault, lab->fault_count, form.fault))
		err = lab_out_of_memory(reader);
	if (err)
		lab_fault_release(&form.fault);
	free(form.partition);
	free(form.link);
	free(form.network);
	return err;
}

static int read_faults(struct lab_reader *reader, const struct lab_key *key,
		       const yaml_node_t *node, void *field)
{
	size_t count;
	int err = lab_list(reader, node, key->name, false, &count);

	(void)field;
	for (size_t i = 0; !err && i < count; i++)
		err = read_fault(reader, lab_item(reader, node, i));
	return err;
}

const struct lab_type lab_type_faults = { "a list of faults", read_faults, NULL, NULL };

void lab_fault_release(struct lab_fault *fault)
{
	free(fault->group);
	free(fault->text);
}
