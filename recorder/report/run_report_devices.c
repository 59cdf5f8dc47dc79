// SPDX-License-Identifier: BSD-3-Clause
/* Devices that did not do what the lab has them for, although nothing failed. */
#include "recorder/report/run_report_devices.h"

#include <string.h>

#include "format/base/cleanup.h"
#include "format/base/units.h"
#include "kernel/guest/guest.h"
#include "recorder/session/session.h"

/* The drivers that a guest needs (drivers/ of Linux 6.12). */
static const struct driver {
	uint32_t virtio_id;
	const char *symbol, *option; /* of the kernel's configuration; of build-uml.sh, or "" */
} drivers[] = {
	{ 1, "CONFIG_VIRTIO_NET", "" },	    { 2, "CONFIG_VIRTIO_BLK", "" },
	{ 3, "CONFIG_VIRTIO_CONSOLE", "" }, { 4, "CONFIG_HW_RANDOM_VIRTIO", "" },
	{ 26, "CONFIG_VIRTIO_FS", "" },	    { 29, "CONFIG_MAC80211_HWSIM", " --wireless" },
};

static const struct driver *find_driver(uint32_t virtio_id)
{
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (drivers[i].virtio_id == virtio_id)
			return &drivers[i];
	return NULL;
}

/* What is wrong with device number @number of guest number @index, and what to do; or false. */
static bool find_idle(const struct run_report *report, size_t index, unsigned int number,
		      char what[256], char advice[256])
{
	const struct session_guest_result *result = session_guest_result(report->session, index);
	const struct guest_spec *spec = &report->lab->guest[index].spec;
	const struct guest_device *device = &spec->device[number];
	const struct driver *driver = find_driver(device->virtio_id);
	uint64_t bit = 1ull << number;

	/* One that failed early may not have come to its devices. */
	if (!result->messages || !(result->unused & bit) ||
	    (result->unseen & bit && (result->status || result->signal)))
		return false;
	if (result->unseen & bit) {
		snprintf(what, 256, "%s has not looked for its device %u, %s", spec->name, number,
			 device->name);
		snprintf(advice, 256, "build its kernel with CONFIG_VIRTIO_UML");
		return true;
	}
	snprintf(what, 256, "%s has no driver for its device %u, %s (virtio id %u)", spec->name,
		 number, device->name, device->virtio_id);
	if (driver)
		snprintf(advice, 256,
			 "build its kernel with %s (kernel/uml/build-uml.sh%s), or have it load "
			 "the module",
			 driver->symbol, driver->option);
	else
		snprintf(advice, 256, "build its kernel with the driver");
	return true;
}

static bool find_unprompted(const struct run_report *report, size_t number, char what[256],
			    char advice[256])
{
	const struct lab_program *program = &report->lab->lab->program[number];
	uint64_t count = session_program_unprompted(report->session, number);
	char text[UNITS_TEXT];

	/* One that runs already may take part in time at the socket of this run. */
	if (!count || (!program->command && report->options->socket))
		return false;
	snprintf(what, 256,
		 "the program %s is not timed and has interrupted guests by the clock of this "
		 "machine, %s time%s: another recording is another run",
		 program->name, count_text(count, text), count == 1 ? "" : "s");
	snprintf(advice, 256,
		 "let it take part in virtual time: 'timed: true', and {time} in its command "
		 "(wmediumd -t {time})");
	return true;
}

/* Call @put for each of what there is to say. */
static void find_all(const struct run_report *report,
		     void (*put)(void *context, const char *what, const char *advice),
		     void *context)
{
	char what[256], advice[256];

	if (!report->lab)
		return;
	for (size_t i = 0; i < report->lab->guest_count; i++)
		for (size_t j = 0; j < report->lab->guest[i].spec.device_count; j++)
			if (find_idle(report, i, (unsigned int)j, what, advice))
				put(context, what, advice);
	for (size_t i = 0; i < report->lab->lab->program_count; i++)
		if (find_unprompted(report, i, what, advice))
			put(context, what, advice);
}

static void print_one(void *context, const char *what, const char *advice)
{
	fprintf(context, "  device: %s\n  hint: %s\n", what, advice);
}

void run_devices_print(const struct run_report *report, FILE *out)
{
	find_all(report, print_one, out);
}

static void add_one(void *context, const char *what, const char *advice)
{
	json_array_append_new(context, json_pack("{s:s, s:s}", "what", what, "hint", advice));
}

json_t *run_devices_json(const struct run_report *report)
{
	json_t *list = json_array();

	find_all(report, add_one, list);
	return list;
}
