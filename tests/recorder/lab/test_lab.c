// SPDX-License-Identifier: BSD-3-Clause
/* What a lab file says is what comes out, and the manual knows every key. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "recorder/calendar/calendar.h"
#include "recorder/lab/lab_internal.h"
#include "tests/recorder/lab/lab_sample.h"

static struct lab *load(const char *path)
{
	struct diagnosis why = { 0 };
	struct lab *lab = NULL;

	if (lab_load(path, &lab, &why))
		fail_msg("%s (%s)", why.what, why.advice);
	return lab;
}

static struct lab *load_text(const char *text)
{
	struct diagnosis why;
	struct lab *lab = NULL;

	if (lab_sample_load(text, strlen(text), &lab, &why))
		fail_msg("%s (%s)", why.what, why.advice);
	return lab;
}

static void assert_strings(char *const *list, const char *const *expected)
{
	assert_non_null(list);
	for (; *expected; list++, expected++) {
		assert_non_null(*list);
		assert_string_equal(*list, *expected);
	}
	assert_null(*list);
}

#define STRINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void assert_near(double value, double expected)
{
	assert_true(fabs(value - expected) < 1e-12);
}

/* ---- The smallest one ----------------------------------------------------------------------- */

static void test_the_smallest_lab(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "smallest.yaml");

	(void)state;
	assert_int_equal(lab->network_count, 1);
	assert_string_equal(lab->network[0].name, "lan");
	assert_int_equal(lab->network[0].link.delay, 50 * NS_PER_US);
	assert_int_equal(lab->network[0].line, 2);
	assert_int_equal(lab->guest_count, 2);
	assert_string_equal(lab->guest[1].name, "n2");
	assert_string_equal(lab->guest[1].kernel, LAB_SAMPLES "./linux");
	assert_string_equal(lab->guest[1].initrd, LAB_SAMPLES "./initrd.gz");
	assert_strings(lab->guest[1].arguments, STRINGS("mem=64M", "node=2"));
	assert_int_equal(lab->guest[0].id, 1);
	assert_int_equal(lab->guest[1].id, 2);
	assert_int_equal(lab->guest[1].line, 6);
	assert_int_equal(lab->guest[1].device_count, 1);
	assert_int_equal(lab->guest[1].device[0].kind, LAB_NET);
	assert_int_equal(lab->guest[1].device[0].network, 0);
	assert_int_equal(lab->guest[1].device[0].link.delay, 50 * NS_PER_US);
	lab_destroy(lab);
}

static void test_what_nobody_said_is_unset(void **state)
{
	struct lab *lab = load_text("guests: [{name: a, kernel: /linux}]\n");
	const struct lab_guest *guest = lab->guest;

	(void)state;
	assert_true(lab->seed == LAB_UNSET && lab->tod == LAB_UNSET);
	assert_true(lab->limit_virtual == LAB_UNSET && lab->limit_wall == LAB_UNSET);
	assert_int_equal(lab->grant, -1);
	assert_true(!lab->expect && !lab->fail_on && !lab->notes);
	assert_true(!guest->initrd && !guest->expect && !guest->fail_on && !guest->device_count);
	assert_true(guest->seed == LAB_UNSET);
	assert_strings(guest->arguments, STRINGS("mem=64M"));
	lab_destroy(lab);
}

/* ---- Everything ----------------------------------------------------------------------------- */

static void test_top_level(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "everything.yaml");

	(void)state;
	assert_true(lab->seed == UINT64_MAX - 1);
	assert_true(lab->tod == 1767225601 * NS_PER_S);
	assert_int_equal(lab->grant, CALENDAR_GRANT_WINDOW);
	assert_true(lab->limit_virtual == 10 * NS_PER_S && lab->limit_wall == 120 * NS_PER_S);
	assert_strings(lab->expect, STRINGS("done"));
	assert_non_null(lab->fail_on);
	assert_null(lab->fail_on[0]);
	assert_strings(lab->notes, STRINGS(LAB_SAMPLES "everything.yaml:2:1: no guest is on the "
						       "network 'spare' (line 57)"));
	lab_destroy(lab);
}

static void test_networks_are_halved(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "everything.yaml");
	const struct network_link *link = &lab->network[0].link;

	(void)state;
	assert_int_equal(lab->network_count, 3);
	assert_int_equal(link->delay, 50 * NS_PER_US);
	assert_int_equal(link->jitter, 5 * NS_PER_US);
	assert_near(link->loss, 0.5);
	assert_near(link->reorder, 0.1);
	assert_true(link->bandwidth == 2500000000);
	link = &lab->network[1].link;
	assert_true(link->delay == 50 * NS_PER_US && !link->jitter && !link->bandwidth);
	assert_true(link->loss == 0 && link->reorder == 0);
	assert_int_equal(lab->network[2].link.delay, 0);
	lab_destroy(lab);
}

static void test_programs(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "everything.yaml");
	const struct lab_program *program = lab->program;

	(void)state;
	assert_int_equal(lab->program_count, 2);
	assert_string_equal(program->name, "medium");
	assert_string_equal(program->command, "exec medium -u {socket} -t {time}");
	assert_null(program->socket);
	assert_true(program->virtio_id == 29 && program->timed && program->line == 48);
	assert_null(program[1].command);
	assert_string_equal(program[1].socket, LAB_SAMPLES "run/tap");
	assert_true(program[1].virtio_id == 1 && !program[1].timed);
	lab_destroy(lab);
}

static void test_guest_and_what_it_merges(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "everything.yaml");
	const struct lab_guest *guest = lab->guest;

	(void)state;
	assert_string_equal(guest->name, "router");
	assert_string_equal(guest->kernel, LAB_SAMPLES "bin/linux");
	assert_string_equal(guest->initrd, "/boot/initrd.gz");
	assert_strings(guest->arguments,
		       STRINGS("mem=128M", "node=1", "title=\"two words\"", "quiet"));
	assert_true(guest->id == 16 && guest->seed == 99 && guest->line == 8);
	assert_strings(guest->expect, STRINGS("up"));
	assert_strings(guest->fail_on, STRINGS("panic", "BUG: .*"));
	lab_destroy(lab);
}

static void test_many_guests_of_one_entry(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "everything.yaml");
	const struct lab_guest *guest = &lab->guest[3];

	(void)state;
	assert_int_equal(lab->guest_count, 4);
	assert_string_equal(lab->guest[1].name, "n1");
	assert_string_equal(guest->name, "n3");
	assert_int_equal(guest->id, 102);
	assert_true(guest->seed == LAB_UNSET);
	assert_strings(guest->arguments, STRINGS("mem=64M", "node=3", "rate=%d"));
	assert_int_equal(guest->device_count, 2);
	assert_int_equal(guest->device[0].network, 1);
	assert_string_equal(guest->device[1].disk.image, LAB_SAMPLES "disk-3.img");
	lab_destroy(lab);
}

static void test_net_devices(void **state)
{
	static const uint8_t address[6] = { 2, 0, 0, 0, 0, 10 }, none[6];
	struct lab *lab = load(LAB_SAMPLES "everything.yaml");
	const struct lab_device *device = lab->guest[0].device;

	(void)state;
	assert_int_equal(device->kind, LAB_NET);
	assert_int_equal(device->network, 0);
	assert_memory_equal(device->mac, address, 6);
	assert_int_equal(device->mtu, 1400);
	assert_true(device->link.delay == NS_PER_MS && device->link.jitter == 4 * NS_PER_US);
	assert_true(device->link.loss == 0.5 && device->link.reorder == 0.25);
	assert_true(device->link.bandwidth == 1000000000);
	assert_int_equal(device->line, 16);
	device++;
	assert_int_equal(device->network, 1);
	assert_memory_equal(device->mac, none, 6);
	assert_true(!device->mtu && device->link.delay == 50 * NS_PER_US);
	lab_destroy(lab);
}

static void test_disks_and_others(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "everything.yaml");
	const struct lab_guest *guest = lab->guest;
	const struct device_disk_options *disk = &guest->device[2].disk;

	(void)state;
	assert_int_equal(guest->device_count, 12);
	assert_int_equal(guest->device[2].kind, LAB_DISK);
	assert_string_equal(disk->image, LAB_SAMPLES "base.img");
	assert_true(disk->read_only && !disk->size && disk->latency == 150 * NS_PER_US);
	assert_int_equal(disk->bandwidth, 200 << 20);
	assert_string_equal(disk->serial, "12345678901234567890");
	disk = &guest->device[3].disk;
	assert_true(!disk->image && !disk->read_only && disk->size == 3ull << 29);
	assert_true(disk->latency == LAB_UNSET && disk->flush_latency == LAB_UNSET);
	assert_int_equal(guest->device[4].kind, LAB_RNG);
	assert_int_equal(guest->device[5].kind, LAB_RNG);
	assert_int_equal(guest->device[8].kind, LAB_PROGRAM);
	assert_int_equal(guest->device[8].program, 0);
	assert_int_equal(guest->device[9].program, 1);
	lab_destroy(lab);
}

static void test_shares(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "everything.yaml");
	const struct lab_share *share = &lab->guest->device[10].share;

	(void)state;
	assert_int_equal(lab->guest->device[10].kind, LAB_SHARE);
	assert_string_equal(share->directory, LAB_SAMPLES "data");
	assert_string_equal(share->tag, "share");
	assert_true(share->write == LAB_SHARE_READ_ONLY && !share->bandwidth);
	assert_int_equal(share->latency, LAB_SHARE_LATENCY);
	share = &lab->guest->device[11].share;
	assert_string_equal(share->directory, "/srv/all");
	assert_string_equal(share->tag, "all");
	assert_true(share->write == LAB_SHARE_COPY && share->latency == NS_PER_MS);
	assert_int_equal(share->bandwidth, 1ull << 30);
	lab_destroy(lab);
}

/* What a disk takes of which the file says all, nothing, or that it takes no time. */
static void test_times_of_disks(void **state)
{
	struct lab *lab =
		load_text("guests:\n  - {name: a, kernel: k, devices: [{disk: null, size: 1M},\n"
			  "      {disk: null, size: 1M, latency: 0},\n"
			  "      {disk: null, size: 1M, latency: 2ms},\n"
			  "      {disk: null, size: 1M, flush-latency: 7us}]}\n");
	static const struct {
		uint64_t latency, flush, old_latency, old_flush;
	} expected[] = {
		{ 100 * NS_PER_US, 1000 * NS_PER_US, 0, 0 },
		{ 0, 0, 0, 0 },
		{ 2 * NS_PER_MS, 20 * NS_PER_MS, 2 * NS_PER_MS, 2 * NS_PER_MS },
		{ 100 * NS_PER_US, 7 * NS_PER_US, 0, 7 * NS_PER_US },
	};

	(void)state;
	assert_int_equal(lab->guest->device_count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		struct device_disk_options now = lab->guest->device[i].disk, old = now;

		lab->disk_model = LAB_DISK_MODEL;
		lab_disk_times(lab, &now);
		assert_int_equal(now.latency, expected[i].latency);
		assert_int_equal(now.flush_latency, expected[i].flush);
		lab->disk_model = LAB_DISK_TIMELESS;
		lab_disk_times(lab, &old);
		assert_int_equal(old.latency, expected[i].old_latency);
		assert_int_equal(old.flush_latency, expected[i].old_flush);
	}
	lab_destroy(lab);
}

static void assert_step(const struct console_step *step, const char *expect, uint64_t at,
			const char *text)
{
	assert_string_equal(step->text, text);
	assert_true(step->at == at);
	if (expect)
		assert_string_equal(step->expect, expect);
	else
		assert_null(step->expect);
}

static void test_console_scripts(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "everything.yaml");
	const struct lab_device *device = &lab->guest[0].device[6];
	const struct console_step *step;

	(void)state;
	assert_int_equal(device->kind, LAB_CONSOLE);
	assert_non_null(device->steps);
	assert_null(device->steps[0].text);
	step = device[1].steps;
	assert_step(&step[0], NULL, 1500 * NS_PER_MS, "ls\tA\\\"\n");
	assert_step(&step[1], "login: $", NS_PER_MS, "root\n");
	assert_step(&step[2], "a\\/b: ", 0, "c");
	assert_step(&step[3], "x", 2 * NS_PER_S, "y");
	assert_step(&step[4], NULL, 0, "z");
	assert_null(step[5].text);
	lab_destroy(lab);
}

/* ---- vlab ----------------------------------------------------------------------------------- */

static void test_nodes_become_guests(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "nodes.yaml");
	const struct lab_guest *guest = lab->guest;

	(void)state;
	assert_int_equal(lab->guest_count, 4);
	assert_string_equal(guest[0].name, "left");
	assert_string_equal(guest[0].kernel, LAB_SAMPLES "uml/linux");
	assert_string_equal(guest[0].initrd, LAB_SAMPLES "initrd.gz");
	assert_true(guest[0].id == 0x1000010000000000 && guest[3].id == 0x1000040000000000);
	assert_strings(guest[0].arguments,
		       STRINGS("mem=256M", "addr=10.0.0.2", "hostname=left", "quiet", "loglevel=3",
			       "\"run=./test.sh fast\""));
	assert_strings(guest[1].arguments, STRINGS("mem=128M", "addr=10.0.0.1", "hostname=right",
						   "quiet", "loglevel=3"));
	assert_string_equal(guest[2].name, "vnode_10.0.0.3");
	assert_string_equal(guest[3].name, "vnode_10.0.0.4");
	lab_destroy(lab);
}

static void test_the_rest_of_vlab(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "nodes.yaml");
	const struct lab_guest *guest = lab->guest;

	(void)state;
	assert_true(lab->tod == 1663704211188727690);
	assert_int_equal(lab->network_count, 1);
	assert_int_equal(lab->network[0].link.delay, 1250 * NS_PER_US);
	assert_int_equal(guest[0].device_count, 2);
	assert_int_equal(guest[0].device[0].kind, LAB_NET);
	assert_int_equal(guest[0].device[0].link.delay, 1250 * NS_PER_US);
	assert_int_equal(guest[0].device[1].kind, LAB_PROGRAM);
	assert_int_equal(guest[1].device_count, 1);
	assert_int_equal(lab->program_count, 1);
	assert_true(lab->program[0].virtio_id == 29 && lab->program[0].timed);
	assert_string_equal(lab->program[0].command,
			    "wmediumd -p wmediumd.pcapng -u {socket} -t {time} -c '" LAB_SAMPLES
			    "air'\\''s.cfg' -x '" LAB_SAMPLES "loss.tab' -l 7");
	lab_destroy(lab);
}

/* No medium for a radio that is alone, and time begins in 1970, as there. */
static void test_the_defaults_of_vlab(void **state)
{
	static const char text[] = "nodes: [{hwsim: }, {}]\n";
	struct diagnosis why = { 0 };
	struct lab *lab = NULL;

	(void)state;
	assert_int_equal(lab_parse("nodes.yaml", text, sizeof(text) - 1, &lab, &why), 0);
	assert_int_equal(lab->program_count, 0);
	assert_int_equal(lab->guest[0].device_count, 1);
	assert_true(lab->tod == 0);
	lab_destroy(lab);
}

static void test_nodes_of_vlab_with_a_root(void **state)
{
	static const char text[] = "nodes: [{}, {}]\nttrec: {root: {share: /}}\n";
	struct diagnosis why = { 0 };
	struct lab *lab = NULL;

	(void)state;
	assert_int_equal(lab_parse("nodes.yaml", text, sizeof(text) - 1, &lab, &why), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_null(lab->guest[i].initrd);
		assert_string_equal(lab->guest[i].root.path, "/");
		assert_int_equal(lab->guest[i].root.kind, LAB_ROOT_SHARE);
	}
	lab_destroy(lab);
}

static void test_what_is_not_imported_is_said(void **state)
{
	struct lab *lab = load(LAB_SAMPLES "nodes.yaml");

	(void)state;
	assert_strings(
		lab->notes,
		STRINGS(LAB_SAMPLES "nodes.yaml:8:15: 'kmemleak' is not imported: put it in "
				    "'append' under 'ttrec'",
			LAB_SAMPLES "nodes.yaml:10:6: 'colour' is not imported: unknown key",
			LAB_SAMPLES "nodes.yaml:14:11: 'no-shm' is not imported: the scheduler has "
				    "no shared memory",
			LAB_SAMPLES "nodes.yaml:16:13: 'host_binds' is not imported: a guest does "
				    "not see the host's files",
			LAB_SAMPLES "nodes.yaml:2:1: imported from vlab, which starts nodes from "
				    "the host's files: these nodes start " LAB_SAMPLES
				    "uml/linux with " LAB_SAMPLES "initrd.gz ('ttrec: {kernel: "
				    "..., initrd: ..., root: ...}' overrides it)"));
	lab_destroy(lab);
}

/* ---- The manual ----------------------------------------------------------------------------- */

/* As groff prints it, as far as it is used there. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && (text[1] == '-' || text[1] == 'e'))
			*to++ = *++text == 'e' ? '\\' : '-';
		else
			*to++ = *text;
	}
	*to = '\0';
}

static char *read_manual(void)
{
	size_t size;
	char *text = lab_sample_read(TTREC_SOURCE "/docs/ttrec-lab.5", &size);

	unescape(text);
	return text;
}

/* In the tag of a paragraph: a line that begins with .B and comes after .TP, or in limits. */
static bool manual_names(const char *manual, const char *key)
{
	char line[64], word[64];

	snprintf(line, sizeof(line), "\n.B %s\n", key);
	if (strstr(manual, line))
		return true;
	snprintf(word, sizeof(word), " %s ", key);
	snprintf(line, sizeof(line), "\n.BR %s \"", key);
	return strstr(manual, line) || strstr(manual, word);
}

static void test_the_manual_knows_every_key(void **state)
{
	auto_free char *manual = read_manual();
	size_t known = 0;

	(void)state;
	for (const struct lab_schema *const *schema = lab_schemas; *schema; schema++) {
		for (size_t i = 0; i < (*schema)->count; i++, known++)
			if (!manual_names(manual, (*schema)->keys[i].name))
				fail_msg("ttrec-lab(5) lacks '%s' of %s", (*schema)->keys[i].name,
					 (*schema)->what);
	}
	assert_true(known > 40);
	assert_false(manual_names(manual, "dealy"));
}

static void test_the_example_of_the_manual(void **state)
{
	auto_free char *manual = read_manual();
	char *example = strstr(manual, ".SH EXAMPLES\n.nf\n"), *end;
	struct lab *lab;

	(void)state;
	assert_non_null(example);
	example = strchr(strchr(example, '\n') + 1, '\n') + 1;
	end = strstr(example, "\n.fi");
	assert_non_null(end);
	*end = '\0';
	lab = load_text(example);
	assert_int_equal(lab->guest_count, 16);
	assert_null(lab->notes);
	assert_step(&lab->guest[1].device[4].steps[1], "login: $", 0, "root\n");
	lab_destroy(lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_smallest_lab),
		cmocka_unit_test(test_what_nobody_said_is_unset),
		cmocka_unit_test(test_top_level),
		cmocka_unit_test(test_networks_are_halved),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_guest_and_what_it_merges),
		cmocka_unit_test(test_many_guests_of_one_entry),
		cmocka_unit_test(test_net_devices),
		cmocka_unit_test(test_disks_and_others),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_times_of_disks),
		cmocka_unit_test(test_console_scripts),
		cmocka_unit_test(test_nodes_become_guests),
		cmocka_unit_test(test_the_rest_of_vlab),
		cmocka_unit_test(test_the_defaults_of_vlab),
		cmocka_unit_test(test_nodes_of_vlab_with_a_root),
		cmocka_unit_test(test_what_is_not_imported_is_said),
		cmocka_unit_test(test_the_manual_knows_every_key),
		cmocka_unit_test(test_the_example_of_the_manual),
	};

	return cmocka_run_group_tests(tests, lab_sample_setup, lab_sample_teardown);
}
