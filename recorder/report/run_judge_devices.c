// SPDX-License-Identifier: BSD-3-Clause
/* Devices that did not do what the lab has them for, although nothing failed. */
#include "recorder/report/run_judge_devices.h"

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

static void find_idle(const struct run_report *report, size_t index, unsigned int number,
		      struct findings *found)
{
	const struct session_guest_result *result = session_guest_result(report->session, index);
	const struct guest_spec *spec = &report->lab->guest[index].spec;
	const struct guest_device *device = &spec->device[number];
	const struct driver *driver = find_driver(device->virtio_id);
	uint64_t bit = 1ull << number;
	char advice[256];

	/* One that failed early may not have come to its devices. */
	if (!result->messages || !(result->unused & bit) ||
	    (result->unseen & bit && (result->status || result->signal)))
		return;
	if (result->unseen & bit) {
		findings_add(found, FOUND_DEVICE_UNUSED, spec->name, result->ended_now,
			     "build its kernel with CONFIG_VIRTIO_UML",
			     "%s has not looked for its device %u, %s", spec->name, number,
			     device->name);
		return;
	}
	if (driver)
		snprintf(advice, sizeof(advice),
			 "build its kernel with %s (kernel/uml/build-uml.sh%s), or have it load "
			 "the module",
			 driver->symbol, driver->option);
	findings_add(found, FOUND_DEVICE_UNUSED, spec->name, result->ended_now,
		     driver ? advice : "build its kernel with the driver",
		     "%s has no driver for its device %u, %s (virtio id %u)", spec->name, number,
		     device->name, device->virtio_id);
}

static void find_unprompted(const struct run_report *report, size_t number, struct findings *found)
{
	const struct lab_program *program = &report->lab->lab->program[number];
	uint64_t count = session_program_unprompted(report->session, number);
	char text[UNITS_TEXT];

	/* One that runs already may take part in time at the socket of this run. */
	if (!count || (!program->command && report->options->socket))
		return;
	findings_add(
		found, FOUND_PROGRAM_UNTIMED, NULL, report->result->virtual_ns,
		"let it take part in virtual time: 'timed: true', and {time} in its command "
		"(wmediumd -t {time})",
		"the program %s is not timed and has interrupted guests by the clock of this "
		"machine, %s time%s: another recording is another run, and a replay may diverge",
		program->name, count_text(count, text), count == 1 ? "" : "s");
}

static void find_share_note(const struct run_report *report, size_t index, struct findings *found)
{
	const struct run_guest *guest = &report->lab->guest[index];
	const struct run_share_note *note = &guest->share_note;

	if (note->count > 1)
		findings_add(found, FOUND_SHARE_INCOMPLETE, guest->spec.name,
			     report->result->virtual_ns, NULL, "of %s: %s, and %zu more",
			     guest->spec.name, note->first, note->count - 1);
	else if (note->count)
		findings_add(found, FOUND_SHARE_INCOMPLETE, guest->spec.name,
			     report->result->virtual_ns, NULL, "of %s: %s", guest->spec.name,
			     note->first);
}

void run_judge_devices(const struct run_report *report, struct findings *found)
{
	for (size_t i = 0; i < report->lab->guest_count; i++) {
		find_share_note(report, i, found);
		for (size_t j = 0; j < report->lab->guest[i].spec.device_count; j++)
			find_idle(report, i, (unsigned int)j, found);
	}
	for (size_t i = 0; i < report->lab->lab->program_count; i++)
		find_unprompted(report, i, found);
}
