// SPDX-License-Identifier: BSD-3-Clause
/* Instead of doctor_instructions.c, where there was no disassembler to be built with. */
#include <errno.h>

#include "recorder/doctor/doctor.h"

int doctor_list_instructions(const char *path, bool json, struct diagnosis *why)
{
	(void)path;
	(void)json;
	return diagnose(why, EXIT_CANNOT, -ENOSYS,
			"install libzydis-dev and libarchive-dev, and rebuild",
			"this version was built without a disassembler");
}
